"""Verb *dispute*: what does the debtor not agree to pay, and with which evidence?"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.answers import Money
from gateway.composition import Gateway, Partnership, partnership_with
from gateway.month.books import unrevealed_batches
from gateway.month.parts import Direction, Submission, directions, period_deadline, stream_of
from gateway.month.reconciling import compare
from gateway.month.revealing import require_closed
from gateway.month.sending import Call, submit
from gateway.month.versions import of_period
from ledger.canonical import canonical_bytes
from ledger.chain.abi import decode_all
from ledger.chain.bindings import (
    SETTLEMENT_BOOK_OPEN_DISPUTE,
    Dispute,
    DisputeState,
    calldata_settlement_book_open_dispute,
)
from ledger.errors import Conflict
from ledger.identity import CarrierCode, ascii32
from ledger.keccak import keccak256
from ledger.money import Micros, show_micros
from ledger.period import Period
from ledger.service import Service
from ledger.store.declarations import closed_by, declared_micros
from ledger.store.documents import Document, keep_document
from ledger.store.engine import reading, writing
from ledger.store.outbox import list_submissions
from ledger.store.settlement import DisputeRow, list_disputes, list_statements
from ledger.store.states import SubmissionState
from ledger.usage import BatchScope
from reconciliation.explaining.unrevealed import unrevealed_proposal
from reconciliation.finding import Cause
from reconciliation.settling.disputes import DisputeProposal, dispute_proposals


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


def dispute(
    gateway: Gateway,
    partner: CarrierCode,
    period: Period,
    *,
    unrevealed: bool = False,
    again: bool = False,
    causes: Collection[Cause] | None = None,
    dry_run: bool = False,
) -> DisputesAnswer:
    """Open one dispute for each cause that the agreement's tolerance lets us dispute and that costs us money.

    With `causes` only for these. Only a debtor disputes, and only by how much the creditor declared more. Raises
    Conflict before reveal.
    What we withdrew stays withdrawn while its figures are the same, unless it is to be disputed `again`.
    With `unrevealed` the batches that the creditor did not reveal, or not as declared, are disputed in full, and the
    others by their causes; raises PeriodStillOpen before both have closed.
    """
    signed = partnership_with(gateway.settings, partner)
    gateway.catch_up()
    held = of_period(gateway, signed, period)
    if unrevealed:
        with reading(gateway.engine) as connection:
            require_closed(held, period, closed_by(connection, held.id, period))
    answers: list[DisputeAnswer] = []
    for direction in directions(held):
        if direction.creditor == partner:
            result = compare(gateway, direction, period, unrevealed=unrevealed)
            proposals = dispute_proposals(result, held.agreement) if result is not None else ()
            proposals += not_revealed(gateway, direction, period, proposals)
            wanted = [each for each in proposals if causes is None or each.cause in causes]
            answers += [_open_one(gateway, held, proposal, again, dry_run) for proposal in wanted]
    total = sum(answer.amount.micros for answer in answers)
    return DisputesAnswer(partner, period, tuple(answers), Money(held.currency, Micros(total)), dry_run)


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
        waiting = _on_their_way(connection, scope, Cause.NOT_REVEALED)
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
    amounts = {row.dispute_id: row.amount_micros for row in open_ones} | waiting
    _refuse_twice(amounts, proposal, others)
    return (proposal,) if proposal else ()


def evidence_of(held: Partnership, proposal: DisputeProposal) -> bytes:
    """The canonical bytes of the records behind a dispute; their keccak256 stands on chain."""
    rows = [[str(value) for value in row.values()] for row in proposal.rows.to_pylist()]
    return canonical_bytes("evidence", [held.id, proposal.period.key, proposal.cause.value, proposal.rule, rows])


def _refuse_twice(
    standing: Mapping[bytes, int], proposal: DisputeProposal | None, others: Sequence[DisputeProposal]
) -> None:
    now = proposal.amount_micros if proposal else 0
    for dispute_id, amount in standing.items() if others else ():
        if amount != now:
            raise Conflict(
                "some of what is disputed as not revealed was revealed since; by its causes it would be disputed twice",
                expected=f"{show_micros(amount)} not revealed, as disputed",
                got=show_micros(now),
                todo=f"Withdraw or resolve dispute 0x{dispute_id.hex()} first.",
            )


def _on_their_way(connection: Connection, scope: BatchScope, cause: Cause) -> dict[bytes, int]:
    """Our disputes of a cause that the outbox has and the chain may not have yet: id and amount."""
    found = {}
    for row in list_submissions(connection, agreement_id=scope.agreement_id, kind="dispute"):
        if row.calldata and row.state not in (SubmissionState.FINAL, SubmissionState.REVERTED):
            struct = decode_all([kind for _, kind in SETTLEMENT_BOOK_OPEN_DISPUTE.inputs], row.calldata[4:])[0]
            about = (struct.period, struct.creditor, struct.service, struct.reason)
            if about == (scope.period.key, ascii32(scope.creditor), scope.service, ascii32(cause)):
                found[row.subject] = struct.amount_micros
    return found


def _refuse_beside(connection: Connection, scope: BatchScope, cause: Cause, dispute_id: bytes) -> None:
    """One dispute of a cause: what we hold may have changed while the first waits to be mined."""
    others = [each for each in _on_their_way(connection, scope, cause) if each != dispute_id]
    if others:
        raise Conflict(
            f"a dispute of cause {cause} with other figures is on its way",
            expected=f"0x{others[0].hex()}",
            got=f"0x{dispute_id.hex()}",
            todo="Wait until it is on chain; then withdraw or resolve it, or keep it.",
        )


def _open_one(
    gateway: Gateway, held: Partnership, proposal: DisputeProposal, again: bool, dry_run: bool
) -> DisputeAnswer:
    evidence = evidence_of(held, proposal)
    with reading(gateway.engine) as connection:
        on_chain = [
            row
            for row in list_disputes(connection, held.id, proposal.period)
            if (row.creditor, row.service, row.reason) == (held.partner, proposal.service, proposal.cause)
        ]
        agreed = any(row.agreed_at is not None for row in list_statements(connection, held.id, proposal.period))
    if on_chain and (agreed or not _may_follow(on_chain[-1], proposal, keccak256(evidence), again)):
        row = on_chain[-1]
        return _answer(held, proposal, row, row.dispute_id, row.state.name.lower(), None)
    struct = Dispute(
        agreement_id=held.id,
        period=proposal.period.key,
        creditor=ascii32(held.partner),
        service=proposal.service,
        reason=ascii32(proposal.cause),
        amount_micros=proposal.amount_micros,
        evidence_hash=keccak256(evidence),
        nonce=len(on_chain) + 1,
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
    scope = BatchScope(held.id, held.partner, held.partner, proposal.service, proposal.period)
    with writing(gateway.engine) as connection:
        _refuse_beside(connection, scope, proposal.cause, signed.digest)
        if not dry_run:
            name = f"{proposal.period} {held.partner} {proposal.cause}"
            now_ms = gateway.clock.now_ms()
            keep_document(connection, Document(struct.evidence_hash, "evidence", held.id, name, evidence, now_ms))
        submission = submit(gateway, connection, call, dry_run=dry_run)
    return _answer(held, proposal, struct, signed.digest, "to be opened" if dry_run else "opening", submission)


def _may_follow(last: DisputeRow, proposal: DisputeProposal, evidence_hash: bytes, again: bool) -> bool:
    """One dispute of a cause at a time: the next only after we withdrew the last, with other figures or on request."""
    same = (last.amount_micros, last.evidence_hash) == (proposal.amount_micros, evidence_hash)
    return last.state is DisputeState.WITHDRAWN and (again or not same)


def _answer(
    held: Partnership,
    proposal: DisputeProposal,
    opened: DisputeRow | Dispute,
    dispute_id: bytes,
    state: str,
    submission: Submission | None,
) -> DisputeAnswer:
    return DisputeAnswer(
        dispute_id=dispute_id,
        partner=held.partner,
        creditor=held.partner,
        service=proposal.service,
        period=proposal.period,
        reason=proposal.cause,
        amount=Money(held.currency, Micros(opened.amount_micros)),
        count=proposal.count,
        explanation=proposal.explanation,
        rule=proposal.rule,
        evidence_hash=opened.evidence_hash,
        state=state,
        submission=submission,
    )
