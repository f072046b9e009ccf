"""Verbs *dispute* and *resolve*: what does the debtor not agree to pay, with which evidence, and how does it end?"""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.answers import Money
from gateway.composition import Gateway, Partnership, partnership_of_id, partnership_with
from gateway.month.books import unrevealed_batches
from gateway.month.countersigning import Offer, collect, refuse_difference
from gateway.month.parts import YEAR_SECONDS, Direction, Submission, directions, period_deadline, stream_of
from gateway.month.reconciling import compare
from gateway.month.revealing import require_closed
from gateway.month.sending import Call, submit
from ledger.canonical import canonical_bytes
from ledger.chain.bindings import (
    Dispute,
    DisputeState,
    Resolution,
    Withdrawal,
    calldata_settlement_book_open_dispute,
    calldata_settlement_book_resolve_dispute,
    calldata_settlement_book_withdraw_dispute,
)
from ledger.errors import Conflict, Malformed
from ledger.identity import CarrierCode, ascii32
from ledger.keccak import keccak256
from ledger.money import Micros, show_micros
from ledger.period import Period
from ledger.service import Service
from ledger.store.declarations import closed_by, declared_micros
from ledger.store.documents import Document, keep_document
from ledger.store.engine import reading, writing
from ledger.store.settlement import DisputeRow, dispute_of, list_disputes
from reconciliation.disputes import DisputeProposal, dispute_proposals
from reconciliation.finding import Cause
from reconciliation.unrevealed import unrevealed_proposal

FIRST = 1
"""Nonce of the dispute of a cause: one for each cause, direction, service and period."""


@dataclass(frozen=True, slots=True)
class DisputeAnswer:
    """A dispute that was opened, or would be."""

    dispute_id: bytes
    partner: CarrierCode
    creditor: CarrierCode
    service: Service
    period: Period
    reason: str
    amount: Money
    count: int
    """Records or pairs."""
    explanation: str
    rule: str
    """The agreement's rule that allows it."""
    evidence_hash: bytes
    state: str
    submission: Submission | None


@dataclass(frozen=True, slots=True)
class DisputesAnswer:
    """All disputes we have in a period with one partner."""

    partner: CarrierCode
    period: Period
    disputes: tuple[DisputeAnswer, ...]
    total: Money
    dry_run: bool


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


def dispute(
    gateway: Gateway, partner: CarrierCode, period: Period, *, unrevealed: bool = False, dry_run: bool = False
) -> DisputesAnswer:
    """Open one dispute for each cause that the agreement's tolerance lets us dispute and that costs us money.

    Only a debtor disputes, and only by how much the creditor declared more. Raises Conflict before reveal.
    With `unrevealed` the batches that the creditor did not reveal, or not as declared, are disputed in full, and the
    others by their causes; raises PeriodStillOpen before both have closed.
    """
    held = partnership_with(gateway.settings, partner)
    gateway.catch_up()
    if unrevealed:
        with reading(gateway.engine) as connection:
            require_closed(held, period, closed_by(connection, held.id, period))
    answers: list[DisputeAnswer] = []
    for direction in directions(held):
        if direction.creditor == partner:
            result = compare(gateway, direction, period, unrevealed=unrevealed)
            proposals = dispute_proposals(result, held.agreement) if result is not None else ()
            proposals += not_revealed(gateway, direction, period, proposals)
            answers += [_open_one(gateway, held, proposal, dry_run) for proposal in proposals]
    total = sum(answer.amount.micros for answer in answers)
    return DisputesAnswer(partner, period, tuple(answers), Money(held.currency, Micros(total)), dry_run)


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
        withdrawal = Withdrawal(dispute_id=dispute_id, deadline=row.opened_at + YEAR_SECONDS)
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


def not_revealed(
    gateway: Gateway, direction: Direction, period: Period, others: Sequence[DisputeProposal]
) -> tuple[DisputeProposal, ...]:
    """The dispute of what the creditor did not reveal; with all others no more than it declared.

    Raises Conflict if such a dispute stands over batches of which some were revealed since: they would be disputed
    twice.
    """
    batches = unrevealed_batches(gateway, direction, period)
    scope = direction.scope(direction.creditor, period)
    with reading(gateway.engine) as connection:
        declared = declared_micros(connection, scope)
        standing = [
            row
            for row in list_disputes(connection, direction.held.id, period)
            if (row.creditor, row.service) == (scope.creditor, scope.service) and row.state != DisputeState.WITHDRAWN
        ]
    named = {Cause.NOT_REVEALED, *(each.cause for each in others)}
    elsewhere = sum(row.amount_micros for row in standing if row.reason not in named)
    room = declared - elsewhere - sum(each.amount_micros for each in others)
    proposal = unrevealed_proposal(scope, direction.held.currency, batches, room)
    open_ones = [row for row in standing if row.reason == Cause.NOT_REVEALED and row.withheld_micros]
    _refuse_twice(open_ones, proposal, others)
    return (proposal,) if proposal else ()


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


def evidence_of(held: Partnership, proposal: DisputeProposal) -> bytes:
    """The canonical bytes of the records behind a dispute; their keccak256 stands on chain."""
    rows = [[str(value) for value in row.values()] for row in proposal.rows.to_pylist()]
    return canonical_bytes("evidence", [held.id, proposal.period.key, proposal.cause.value, proposal.rule, rows])


def _refuse_twice(
    standing: Sequence[DisputeRow], proposal: DisputeProposal | None, others: Sequence[DisputeProposal]
) -> None:
    now = proposal.amount_micros if proposal else 0
    if standing and others and standing[0].amount_micros != now:
        raise Conflict(
            "some of what is disputed as not revealed was revealed since; by its causes it would be disputed twice",
            expected=f"{show_micros(standing[0].amount_micros)} not revealed, as disputed",
            got=show_micros(now),
            todo=f"Withdraw or resolve dispute 0x{standing[0].dispute_id.hex()} first.",
        )


def _open_one(gateway: Gateway, held: Partnership, proposal: DisputeProposal, dry_run: bool) -> DisputeAnswer:
    with reading(gateway.engine) as connection:
        on_chain = [
            row
            for row in list_disputes(connection, held.id, proposal.period)
            if (row.creditor, row.service, row.reason) == (held.partner, proposal.service, proposal.cause)
        ]
    if on_chain:
        return _opened(held, on_chain[0], proposal)
    evidence = evidence_of(held, proposal)
    struct = Dispute(
        agreement_id=held.id,
        period=proposal.period.key,
        creditor=ascii32(held.partner),
        service=proposal.service,
        reason=ascii32(proposal.cause),
        amount_micros=proposal.amount_micros,
        evidence_hash=keccak256(evidence),
        nonce=FIRST,
        deadline=period_deadline(proposal.period),
    )
    signed = gateway.signer.sign(struct)
    call = Call(
        kind="dispute",
        subject=signed.digest,
        contract="SettlementBook",
        calldata=calldata_settlement_book_open_dispute(struct, signed.signature),
        stream=stream_of("dispute", signed.digest),
        agreement_id=held.id,
    )
    with writing(gateway.engine) as connection:
        if not dry_run:
            name = f"{proposal.period} {held.partner} {proposal.cause}"
            now_ms = gateway.clock.now_ms()
            keep_document(connection, Document(struct.evidence_hash, "evidence", held.id, name, evidence, now_ms))
        submission = submit(gateway, connection, call, dry_run=dry_run)
    return DisputeAnswer(
        dispute_id=signed.digest,
        partner=held.partner,
        creditor=held.partner,
        service=proposal.service,
        period=proposal.period,
        reason=proposal.cause,
        amount=Money(held.currency, proposal.amount_micros),
        count=proposal.count,
        explanation=proposal.explanation,
        rule=proposal.rule,
        evidence_hash=struct.evidence_hash,
        state="to be opened" if dry_run else "opening",
        submission=submission,
    )


def _opened(held: Partnership, row: DisputeRow, proposal: DisputeProposal) -> DisputeAnswer:
    return DisputeAnswer(
        dispute_id=row.dispute_id,
        partner=held.partner,
        creditor=row.creditor,
        service=row.service,
        period=row.period,
        reason=row.reason,
        amount=Money(held.currency, row.amount_micros),
        count=proposal.count,
        explanation=proposal.explanation,
        rule=proposal.rule,
        evidence_hash=row.evidence_hash,
        state=row.state.name.lower(),
        submission=None,
    )


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
