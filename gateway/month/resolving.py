"""Verbs *take up*, *resolve* and *withdraw*: how does a dispute go on, and how does it end?"""

from dataclasses import dataclass

from gateway.answers import Money
from gateway.composition import Gateway, Partnership, partnership_of_id
from gateway.month.countersigning import Offer, collect, refuse_difference
from gateway.month.parts import YEAR_SECONDS, Submission, stream_of
from gateway.month.sending import Call, submit
from ledger.chain.bindings import (
    DisputeState,
    Investigation,
    Resolution,
    Withdrawal,
    calldata_settlement_book_investigate,
    calldata_settlement_book_resolve_dispute,
    calldata_settlement_book_withdraw_dispute,
)
from ledger.errors import Conflict, Malformed, Refused
from ledger.identity import CarrierCode
from ledger.money import Micros, show_micros
from ledger.store.engine import reading, writing
from ledger.store.settlement import DisputeRow, dispute_of


@dataclass(frozen=True, slots=True)
class ResolutionAnswer:
    """How a dispute ends. Without submission the partner has not signed the same figures yet."""

    dispute_id: bytes
    partner: CarrierCode
    credited: Money
    due: Money
    signed_by: tuple[CarrierCode, ...]
    state: str
    submission: Submission | None


def take_up(gateway: Gateway, dispute_id: bytes, *, dry_run: bool = False) -> Submission:
    """As creditor: say on chain that we look into a dispute. Raises Refused for one that is not against us."""
    gateway.catch_up()
    with writing(gateway.engine) as connection:
        row = dispute_of(connection, dispute_id)
        if row.creditor != gateway.carrier:
            raise Refused("only the creditor takes a dispute up", expected=row.creditor, got=gateway.carrier)
        investigation = investigation_of(row)
        signed = gateway.signer.sign(investigation)
        call = Call(
            kind="resolution",
            subject=signed.digest,
            contract="SettlementBook",
            calldata=calldata_settlement_book_investigate(investigation, signed.signature),
            stream=stream_of("dispute", dispute_id),
            agreement_id=row.agreement_id,
        )
        return submit(gateway, connection, call, dry_run=dry_run)


def resolve(gateway: Gateway, dispute_id: bytes, credited_micros: Micros, *, dry_run: bool = False) -> ResolutionAnswer:
    """Agree how much of a dispute is credited; the rest is due. Goes on chain once both have signed the same."""
    gateway.catch_up()
    with reading(gateway.engine) as connection:
        row = dispute_of(connection, dispute_id)
    held = partnership_of_id(gateway.settings, row.agreement_id)
    if not 0 <= credited_micros <= row.amount_micros:
        raise Malformed(
            "more is credited than is disputed",
            expected=f"0 to {show_micros(row.amount_micros)} {held.currency}",
            got=show_micros(credited_micros),
        )
    resolution = resolution_of(row, credited_micros)
    if row.state in (DisputeState.CREDITED, DisputeState.PAYMENT_DUE, DisputeState.SETTLED):
        return _settled(held, row, credited_micros)
    if dry_run:
        return _resolution(held, row, resolution, (), None)
    offer = Offer("resolution", resolution, held.id, row.period)
    signatures = collect(gateway, offer, [held.partner])
    submission = None
    if set(signatures) >= set(held.carriers):
        debtor = held.agreement.counterparty(row.creditor)
        call = Call(
            kind="resolution",
            subject=gateway.signer.digest(resolution),
            contract="SettlementBook",
            calldata=calldata_settlement_book_resolve_dispute(resolution, signatures[row.creditor], signatures[debtor]),
            stream=stream_of("dispute", dispute_id),
            agreement_id=held.id,
        )
        with writing(gateway.engine) as connection:
            submission = submit(gateway, connection, call)
    return _resolution(held, row, resolution, tuple(sorted(signatures)), submission)


def withdraw(gateway: Gateway, dispute_id: bytes, *, dry_run: bool = False) -> Submission:
    """Take one of our disputes back: all of it becomes payable."""
    gateway.catch_up()
    with writing(gateway.engine) as connection:
        row = dispute_of(connection, dispute_id)
        withdrawal = withdrawal_of(row)
        signed = gateway.signer.sign(withdrawal)
        call = Call(
            kind="resolution",
            subject=signed.digest,
            contract="SettlementBook",
            calldata=calldata_settlement_book_withdraw_dispute(withdrawal, signed.signature),
            stream=stream_of("dispute", dispute_id),
            agreement_id=row.agreement_id,
        )
        return submit(gateway, connection, call, dry_run=dry_run)


def investigation_of(row: DisputeRow) -> Investigation:
    """What the creditor signs when it takes a dispute up."""
    return Investigation(dispute_id=row.dispute_id, deadline=row.opened_at + YEAR_SECONDS)


def withdrawal_of(row: DisputeRow) -> Withdrawal:
    """What the debtor signs when it takes its dispute back."""
    return Withdrawal(dispute_id=row.dispute_id, deadline=row.opened_at + YEAR_SECONDS)


def resolution_of(row: DisputeRow, credited_micros: int) -> Resolution:
    """What both sign about the end of a dispute; the deadline follows from its opening, so both draw the same."""
    return Resolution(
        dispute_id=row.dispute_id,
        credited_micros=credited_micros,
        due_micros=row.amount_micros - credited_micros,
        deadline=row.opened_at + YEAR_SECONDS,
    )


def check_resolution(row: DisputeRow, resolution: Resolution) -> None:
    """A peer's resolution must part the whole dispute, under our deadline. Raises Refused, naming what differs."""
    drawn = resolution_of(row, min(resolution.credited_micros, row.amount_micros))
    for name in ("credited_micros", "due_micros", "deadline"):
        ours, theirs = getattr(drawn, name), getattr(resolution, name)
        if ours != theirs:
            raise refuse_difference(f"the resolution's {name}", ours, theirs)


def _settled(held: Partnership, row: DisputeRow, credited_micros: int) -> ResolutionAnswer:
    if row.credited_micros != credited_micros:
        raise Conflict(
            "this dispute ended with other figures",
            expected=f"{show_micros(row.credited_micros)} {held.currency} credited",
            got=show_micros(credited_micros),
        )
    return _resolution(held, row, resolution_of(row, credited_micros), held.carriers, None)


def _resolution(
    held: Partnership,
    row: DisputeRow,
    resolution: Resolution,
    signed_by: tuple[CarrierCode, ...],
    submission: Submission | None,
) -> ResolutionAnswer:
    return ResolutionAnswer(
        dispute_id=row.dispute_id,
        partner=held.partner,
        credited=Money(held.currency, Micros(resolution.credited_micros)),
        due=Money(held.currency, Micros(resolution.due_micros)),
        signed_by=signed_by,
        state=row.state.name.lower(),
        submission=submission,
    )
