"""How does an agreement file write down deals: [[deals]], their tiers and commitments?"""

from collections.abc import Sequence

from ledger.agreement_section import Section, amount, bps, text_of, texts_of, whole
from ledger.canonical import Value
from ledger.errors import Malformed
from ledger.identity import CarrierCode
from ledger.money import Micros, Nanos, parse_nanos, show_micros, show_nanos
from ledger.prices.deal_terms import CountBy, Deal, Tier
from ledger.prices.deck import MINUTE_MS

_MAX_MINUTES = 10**12


def deal_terms(sections: Sequence[Section], carriers: tuple[CarrierCode, CarrierCode]) -> tuple[Deal, ...]:
    """Read every [[deals]] of an agreement between two carriers. Raises Malformed."""
    deals = tuple(_deal(section, carriers) for section in sections)
    names = [deal.name for deal in deals]
    if len(set(names)) != len(names):
        raise Malformed("two deals have one name", expected="each once", got=", ".join(names)[:80])
    return deals


def dump_deal_terms(deals: Sequence[Deal]) -> str:
    """The deals as `deal_terms` reads them back."""
    return "\n".join(_dump(deal) for deal in deals)


def deal_terms_values(deals: Sequence[Deal]) -> list[Value]:
    """What the agreement's hash binds of its deals."""
    return [
        [
            deal.name,
            deal.creditor,
            sorted(deal.destinations),
            _tier_values(deal.tiers),
            deal.back_to_first,
            _tier_values(deal.unbalanced),
            sorted(deal.against),
            str(deal.count),
            deal.committed_quantity,
            deal.shortfall_nanos,
            deal.committed_micros,
        ]
        for deal in deals
    ]


def _deal(section: Section, carriers: tuple[CarrierCode, CarrierCode]) -> Deal:
    deal = Deal(
        name=section.required("name", _name),
        creditor=CarrierCode(section.required("creditor", text_of)),
        destinations=frozenset(section.optional("destinations", texts_of, list[str]())),
        tiers=_tiers(section.tables("tiers")),
        back_to_first=section.optional("back_to_first", _truth, False),
        unbalanced=_tiers(section.tables("unbalanced")),
        against=frozenset(section.optional("against", texts_of, list[str]())),
        count=section.optional("count", _count, CountBy.CHARGED),
        committed_quantity=section.optional("committed_minutes", _minutes, None),
        shortfall_nanos=section.optional("shortfall_rate", _price, Nanos(0)),
        committed_micros=section.optional("committed_amount", amount, None),
    )
    section.finish()
    if deal.creditor not in carriers:
        raise Malformed("a deal's creditor is not of the agreement", expected=" or ".join(carriers), got=deal.creditor)
    if not (deal.tiers or deal.unbalanced or deal.committed_quantity or deal.committed_micros):
        raise Malformed("a deal that changes nothing", expected="tiers or a commitment", got=deal.name)
    return deal


def _tiers(sections: Sequence[Section]) -> tuple[Tier, ...]:
    tiers = tuple(_tier(section) for section in sections)
    begins = [tier.begin for tier in tiers]
    if begins != sorted(set(begins)):
        raise Malformed("tiers are not in order", expected="ascending from_minutes, each once", got=begins)
    return tiers


def _tier(section: Section) -> Tier:
    tier = Tier(
        begin=section.required("from_minutes", _minutes),
        nanos=section.optional("rate", _price, None),
        discount_bps=section.optional("discount_bps", bps, 0),
        fixed_micros=section.optional("fixed", amount, Micros(0)),
    )
    section.finish()
    if tier.nanos is not None and tier.discount_bps:
        raise Malformed("a tier has two prices", expected="rate or discount_bps", got="both")
    return tier


def _name(key: str, value: object) -> str:
    text = text_of(key, value)
    if 0 < len(text) <= 32 and text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return text
    raise Malformed("not a deal's name", expected="1 to 32 ASCII characters", got=repr(text)[:40])


def _minutes(key: str, value: object) -> int:
    return whole(key, value, _MAX_MINUTES) * MINUTE_MS


def _truth(key: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise Malformed(f"{key} is neither true nor false", expected="true or false", got=repr(value)[:40])


def _count(key: str, value: object) -> CountBy:
    try:
        return CountBy(text_of(key, value))
    except ValueError:
        raise Malformed(f"not a {key}", expected=", ".join(CountBy), got=repr(value)[:40]) from None


def _price(key: str, value: object) -> Nanos:
    nanos = parse_nanos(text_of(key, value))
    if nanos < 0:
        raise Malformed(f"{key} is negative", expected="0 or more", got=value)
    return nanos


def _tier_values(tiers: Sequence[Tier]) -> list[Value]:
    return [[tier.begin, tier.nanos, tier.discount_bps, tier.fixed_micros] for tier in tiers]


def _dump(deal: Deal) -> str:
    lines = ["[[deals]]", f'name = "{deal.name}"', f'creditor = "{deal.creditor}"']
    for key, texts in (("destinations", deal.destinations), ("against", deal.against)):
        if texts:
            lines.append(f"{key} = [{', '.join(_quoted(text) for text in sorted(texts))}]")
    lines += [f"back_to_first = {str(deal.back_to_first).lower()}", f'count = "{deal.count}"']
    if deal.committed_quantity is not None:
        lines.append(f"committed_minutes = {deal.committed_quantity // MINUTE_MS}")
    lines.append(f'shortfall_rate = "{show_nanos(deal.shortfall_nanos)}"')
    if deal.committed_micros is not None:
        lines.append(f'committed_amount = "{show_micros(deal.committed_micros)}"')
    for key, tiers in (("tiers", deal.tiers), ("unbalanced", deal.unbalanced)):
        for tier in tiers:
            lines += ["", f"[[deals.{key}]]", f"from_minutes = {tier.begin // MINUTE_MS}"]
            lines += [] if tier.nanos is None else [f'rate = "{show_nanos(tier.nanos)}"']
            lines += [f"discount_bps = {tier.discount_bps}"] if tier.discount_bps else []
            lines += [f'fixed = "{show_micros(tier.fixed_micros)}"']
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A TOML basic string."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(each if each.isprintable() else f"\\U{ord(each):08x}" for each in plain) + '"'
