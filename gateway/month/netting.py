"""Verb *net*: what remains to be paid when all parties' items are set off against each other?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.answers import Money
from gateway.composition import Gateway
from gateway.month.countersigning import Offer, collect, refuse_difference
from gateway.month.parts import YEAR_SECONDS, Submission, stream_of
from gateway.month.sending import Call, submit
from ledger.chain.bindings import Leg, NettingCycle, calldata_settlement_book_net
from ledger.errors import Conflict
from ledger.identity import AgreementId, CarrierCode, ascii32, text_of_ascii32
from ledger.money import MAX_AMOUNT_MICROS, Micros
from ledger.store.agreements import AgreementRow, list_agreements
from ledger.store.engine import reading, writing
from ledger.store.settlement import ItemRow, list_cycles, list_items
from reconciliation.settling.netting import NettingResult, Obligation
from reconciliation.settling.netting import net as net_obligations


@dataclass(frozen=True, slots=True)
class PositionAnswer:
    """What a carrier is owed (positive) or owes, net."""

    carrier: CarrierCode
    amount: Money


@dataclass(frozen=True, slots=True)
class LegAnswer:
    """A payment that remains."""

    debtor: CarrierCode
    creditor: CarrierCode
    amount: Money


@dataclass(frozen=True, slots=True)
class NetAnswer:
    """A netting cycle. Without submission a party has not signed yet, or there was nothing to net."""

    cycle_id: bytes | None
    currency: str
    items: int
    gross: Money
    netted: Money
    remaining: Money
    positions: tuple[PositionAnswer, ...]
    legs: tuple[LegAnswer, ...]
    signed_by: tuple[CarrierCode, ...]
    missing: tuple[CarrierCode, ...]
    submission: Submission | None


@dataclass(frozen=True, slots=True)
class Drawn:
    """A cycle as the chain's waiting items give it."""

    cycle: NettingCycle
    result: NettingResult
    parties: tuple[CarrierCode, ...]


def net(gateway: Gateway, currency: str, *, dry_run: bool = False) -> NetAnswer:
    """Draw a cycle over every waiting item of a currency, collect all parties' signatures and submit it."""
    gateway.catch_up()
    with reading(gateway.engine) as connection:
        drawn = draw_cycle(connection, currency)
    if drawn is None:
        return _nothing(currency)
    if dry_run or gateway.carrier not in drawn.parties:
        return _answer(gateway, drawn, {}, None)
    others = [party for party in drawn.parties if party != gateway.carrier]
    signatures = collect(gateway, Offer("netting_cycle", drawn.cycle), others)
    submission = None
    if set(signatures) >= set(drawn.parties):
        call = Call(
            kind="netting_cycle",
            subject=gateway.signer.digest(drawn.cycle),
            contract="SettlementBook",
            calldata=calldata_settlement_book_net(
                drawn.cycle,
                tuple(ascii32(party) for party in drawn.parties),
                tuple(signatures[party] for party in drawn.parties),
            ),
            stream=stream_of("netting", currency),
        )
        with writing(gateway.engine) as connection:
            submission = submit(gateway, connection, call)
    return _answer(gateway, drawn, signatures, submission)


def check_cycle(gateway: Gateway, cycle: NettingCycle, proposer: CarrierCode) -> None:
    """A party's cycle must be the one we draw ourselves, and touch us. Raises Refused, naming what differs."""
    gateway.catch_up()
    currency = text_of_ascii32(cycle.currency)
    with reading(gateway.engine) as connection:
        drawn = draw_cycle(connection, currency)
    if drawn is None:
        raise refuse_difference("the netting cycle", "no item that waits", f"{len(cycle.items)} items")
    for name in ("nonce", "items", "legs", "deadline"):
        ours, theirs = getattr(drawn.cycle, name), getattr(cycle, name)
        if ours != theirs:
            raise refuse_difference(f"the netting cycle's {name}", _short(ours), _short(theirs))
    if not {proposer, gateway.carrier} <= set(drawn.parties):
        named = f"{proposer} and {gateway.carrier}"
        raise refuse_difference("who the netting cycle touches", ", ".join(drawn.parties), named)


def draw_cycle(connection: Connection, currency: str) -> Drawn | None:
    """The cycle over all waiting items of a currency: every carrier draws the same. None if nothing waits."""
    agreements = {row.agreement_id: row for row in list_agreements(connection) if row.currency == currency}
    waiting = _nettable([item for item in list_items(connection, waiting_only=True) if item.agreement_id in agreements])
    if not waiting:
        return None
    result = net_obligations([_obligation(agreements, item) for item in waiting], currency)
    cycle = NettingCycle(
        currency=ascii32(currency),
        nonce=len(list_cycles(connection)) + 1,
        items=tuple(sorted(item.item_id for item in waiting)),
        legs=_legs(agreements, result),
        deadline=max(item.due_at for item in waiting) + YEAR_SECONDS,
    )
    parties = {carrier for item in waiting for carrier in _parties(agreements[item.agreement_id])}
    return Drawn(cycle, result, tuple(sorted(parties, key=ascii32)))


def _nettable(waiting: Sequence[ItemRow]) -> list[ItemRow]:
    """Whole agreements, the smallest sums first, as far as their gross stays within what one cycle can net.

    Two carriers can put any figure on chain between them; it must not keep all others from netting.
    """
    by_agreement: dict[AgreementId, list[ItemRow]] = {}
    for item in waiting:
        by_agreement.setdefault(item.agreement_id, []).append(item)
    sums = {agreement: sum(item.amount_micros for item in items) for agreement, items in by_agreement.items()}
    taken: list[ItemRow] = []
    gross = 0
    for agreement in sorted(sums, key=lambda each: (sums[each], each)):
        gross += sums[agreement]
        if gross > MAX_AMOUNT_MICROS:
            break
        taken += by_agreement[agreement]
    return taken


def _obligation(agreements: Mapping[AgreementId, AgreementRow], item: ItemRow) -> Obligation:
    agreement = agreements[item.agreement_id]
    return Obligation(agreement.counterparty(item.creditor), item.creditor, agreement.currency, item.amount_micros)


def _legs(agreements: Mapping[AgreementId, AgreementRow], result: NettingResult) -> tuple[Leg, ...]:
    by_pair: dict[frozenset[CarrierCode], AgreementId] = {}
    for agreement_id in sorted(agreements):
        by_pair.setdefault(frozenset(_parties(agreements[agreement_id])), agreement_id)
    legs = []
    for leg in result.legs:
        pair = frozenset((leg.debtor, leg.creditor))
        if pair not in by_pair:
            raise Conflict("a leg without an agreement", expected="a pair that has one", got=leg)
        legs.append(Leg(agreement_id=by_pair[pair], creditor=ascii32(leg.creditor), amount_micros=leg.amount_micros))
    return tuple(sorted(legs, key=lambda leg: (leg.agreement_id, leg.creditor)))


def _parties(agreement: AgreementRow) -> tuple[CarrierCode, CarrierCode]:
    return agreement.carrier_low, agreement.carrier_high


def _answer(
    gateway: Gateway, drawn: Drawn, signatures: Mapping[CarrierCode, bytes], submission: Submission | None
) -> NetAnswer:
    result, currency = drawn.result, drawn.result.currency
    return NetAnswer(
        cycle_id=gateway.signer.digest(drawn.cycle),
        currency=currency,
        items=len(drawn.cycle.items),
        gross=Money(currency, result.gross_micros),
        netted=Money(currency, result.netted_micros),
        remaining=Money(currency, result.remaining_micros),
        positions=tuple(PositionAnswer(each.carrier, Money(currency, each.amount_micros)) for each in result.positions),
        legs=tuple(LegAnswer(leg.debtor, leg.creditor, Money(currency, leg.amount_micros)) for leg in result.legs),
        signed_by=tuple(sorted(signatures)),
        missing=tuple(party for party in drawn.parties if party not in signatures),
        submission=submission,
    )


def _nothing(currency: str) -> NetAnswer:
    zero = Money(currency, Micros(0))
    return NetAnswer(None, currency, 0, zero, zero, zero, (), (), (), (), None)


def _short(value: object) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return f"{len(value)}: {', '.join(repr(each)[:60] for each in value[:2])}"
    return str(value)
