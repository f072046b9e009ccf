"""How does an agreement file write down exchange rates: the section [fx]?"""

import re

from ledger.agreement_section import Section, text_of, whole
from ledger.canonical import Value
from ledger.chain.abi import address_of
from ledger.errors import Malformed
from ledger.identity import Address, CarrierCode
from ledger.prices.fx_terms import FxDate, FxTerms

_MAX_GAP_DAYS = 31


def fx_terms(section: Section, carriers: tuple[CarrierCode, CarrierCode]) -> FxTerms | None:
    """Read [fx] of an agreement between two carriers; None if it is absent. Raises Malformed."""
    if not section.names():
        return None
    signers = section.section("signers")
    named = {carrier: signers.required(carrier, _address) for carrier in carriers if carrier in signers.names()}
    signers.finish()
    terms = FxTerms(
        source=section.required("source", _source),
        date=section.optional("date", _date, FxDate.EVENT),
        gap_days=section.optional("gap_days", lambda key, value: whole(key, value, _MAX_GAP_DAYS), 4),
        signers=tuple(sorted(named.items())),
        rates_hash=section.optional("rates", _hash, None),
    )
    section.finish()
    if terms.rates_hash is None and set(named) != set(carriers):
        raise Malformed(
            "nobody vouches for the exchange rates",
            expected="[fx.signers] with an address of each carrier, or rates with the file's hash",
            got=", ".join(named) or "neither",
        )
    return terms


def dump_fx_terms(terms: FxTerms | None) -> str:
    """The section as `fx_terms` reads it back."""
    if terms is None:
        return ""
    lines = ["[fx]", f'source = "{terms.source}"', f'date = "{terms.date}"', f"gap_days = {terms.gap_days}"]
    lines += [] if terms.rates_hash is None else [f'rates = "0x{terms.rates_hash.hex()}"']
    if terms.signers:
        lines += ["", "[fx.signers]", *(f'{carrier} = "{address}"' for carrier, address in terms.signers)]
    return "\n".join(lines) + "\n"


def fx_terms_values(terms: FxTerms | None) -> list[Value] | None:
    """What the agreement's hash binds of [fx]."""
    if terms is None:
        return None
    signers: list[Value] = [[carrier, str(address)] for carrier, address in terms.signers]
    return [terms.source, str(terms.date), terms.gap_days, signers, terms.rates_hash]


def _source(key: str, value: object) -> str:
    text = text_of(key, value)
    if re.fullmatch(r"[A-Za-z0-9 ._-]{1,32}", text):
        return text
    raise Malformed("not a source of exchange rates", expected="1 to 32 of A-Z a-z 0-9 . _ -", got=repr(text)[:40])


def _date(key: str, value: object) -> FxDate:
    try:
        return FxDate(text_of(key, value))
    except ValueError:
        raise Malformed("not a date of exchange", expected=", ".join(FxDate), got=repr(value)[:40]) from None


def _address(key: str, value: object) -> Address:
    text = text_of(key, value)
    if re.fullmatch(r"0x[0-9a-fA-F]{40}", text):
        return address_of(bytes.fromhex(text[2:]))
    raise Malformed(f"not an address of {key}", expected="0x and 40 hex digits", got=repr(text)[:60])


def _hash(key: str, value: object) -> bytes:
    text = text_of(key, value)
    if re.fullmatch(r"0x[0-9a-fA-F]{64}", text):
        return bytes.fromhex(text[2:])
    raise Malformed("not a hash of exchange rates", expected="0x and 64 hex digits", got=repr(text)[:80])
