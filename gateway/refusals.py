"""What does a contract's refusal mean for a submission: may it pass, is it done already, or must the content change?

Both desks may submit one statement at the same moment; the contract takes the first and refuses the second. What then
stands on chain is what we wanted: that is an end, not an error. What stands in its place and is something else is one.
"""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from ledger.chain.abi import decode_all
from ledger.chain.bindings import (
    AGREEMENT_BOOK_AMEND,
    SETTLEMENT_BOOK_RESOLVE_DISPUTE,
    AgreementAlreadySigned,
    AlreadyApproved,
    Amendment,
    CreditIsStopped,
    CreditLineExceeded,
    CycleAlreadyExecuted,
    DepositNonceUnexpected,
    DisputeAlreadyOpen,
    DisputeStateChanged,
    DisputeStateUnexpected,
    LineNonceUnexpected,
    NonceUnexpected,
    PayeeNonceUnexpected,
    PeriodAlreadyClosed,
    PeriodClose,
    ProposalAlreadyExecuted,
    ProposalAlreadyMade,
    ProposalNotReady,
    RateSequenceUnexpected,
    Resolution,
    SequenceUnexpected,
    StatementAlreadyAgreed,
    VersionUnexpected,
    calldata_settlement_book_agreed_statement,
    calldata_usage_ledger_root_of,
    result_settlement_book_agreed_statement,
)
from ledger.chain.bound import Struct
from ledger.errors import ContractRefused
from ledger.identity import AgreementId, BatchId, text_of_ascii32
from ledger.period import period_of_key
from ledger.store.agreements import list_amendments
from ledger.store.declarations import list_closes
from ledger.store.latest import rows_of, table_of
from ledger.store.outbox import SubmissionRow

S = TypeVar("S", bound=Struct)
HOLDS = (CreditLineExceeded, CreditIsStopped, ProposalNotReady)
"""Refusals that pass by themselves: a line is raised, arrears are paid, a delay is over."""
SEQUENCES = (
    SequenceUnexpected,
    RateSequenceUnexpected,
    LineNonceUnexpected,
    NonceUnexpected,
    PayeeNonceUnexpected,
    DepositNonceUnexpected,
)
"""Refusals that pass when an earlier number arrives."""
View = Callable[[bytes], bytes]
"""Calls a view of the submission's contract, at the block whose state refused it. Raises ContractRefused."""


def passes(refusal: ContractRefused) -> bool:
    """Whether a refusal may pass without other content."""
    if isinstance(refusal, SEQUENCES):
        expected, got = refusal.expected, refusal.got
        return isinstance(expected, int) and isinstance(got, int) and got > expected
    return isinstance(refusal, HOLDS)


def stands(row: SubmissionRow, refusal: ContractRefused, view: View, connection: Connection) -> bool | None:
    """Whether the refusal says that exactly this was done before; None while our store has not read it yet."""
    match row.kind, refusal:
        case "agreement", AgreementAlreadySigned():
            return refusal.agreement_id == row.subject
        case "netting_cycle", CycleAlreadyExecuted():
            return refusal.cycle_id == row.subject
        case "dispute", DisputeAlreadyOpen():
            return refusal.dispute_id == row.subject
        case "statement", StatementAlreadyAgreed():
            asked = calldata_settlement_book_agreed_statement(refusal.agreement_id, refusal.period)
            return result_settlement_book_agreed_statement(view(asked)) == row.subject
        case "declare", SequenceUnexpected() | PeriodAlreadyClosed():
            return _is_declared(row, view)
        case "close", PeriodAlreadyClosed():
            return _is_closed_alike(row, connection)
        case "proposal", ProposalAlreadyMade():
            return refusal.proposal_id == row.subject
        case "approval", AlreadyApproved():
            return refusal.proposal_id == row.subject
        case "execution", ProposalAlreadyExecuted():
            return refusal.proposal_id == row.subject
        case "amendment", VersionUnexpected():
            return _is_amended_alike(row, connection)
        case "resolution", DisputeStateUnexpected():
            return _is_resolved_alike(row, connection)
    return False


def _is_declared(row: SubmissionRow, view: View) -> bool:
    try:
        view(calldata_usage_ledger_root_of(BatchId(row.subject)))
    except ContractRefused:
        return False
    return True


def _is_closed_alike(row: SubmissionRow, connection: Connection) -> bool | None:
    wanted = _argument(row, PeriodClose)
    declarer = text_of_ascii32(wanted.declarer)
    for close in list_closes(connection, AgreementId(wanted.agreement_id), period_of_key(wanted.period)):
        if close.declarer == declarer:
            return (close.creditor_seq, close.debtor_seq) == (wanted.creditor_seq, wanted.debtor_seq)
    return None


def _is_resolved_alike(row: SubmissionRow, connection: Connection) -> bool | None:
    """A withdrawal is our own alone, so nobody else says it."""
    if row.calldata is None or row.calldata[:4] != SETTLEMENT_BOOK_RESOLVE_DISPUTE.selector:
        return False
    wanted = _argument(row, Resolution)
    table = table_of(DisputeStateChanged)
    changes = rows_of(connection, DisputeStateChanged, table.dispute_id == wanted.dispute_id)
    ends = [(each.credited_micros, each.due_micros) for each in changes]
    return (wanted.credited_micros, wanted.due_micros) in ends if ends else None


def _is_amended_alike(row: SubmissionRow, connection: Connection) -> bool | None:
    """Both desks may put the same amendment on chain; what stands under its number tells."""
    assert row.calldata is not None
    wanted: Amendment = decode_all([kind for _, kind in AGREEMENT_BOOK_AMEND.inputs], row.calldata[4:])[0]
    versions = {each.version: each for each in list_amendments(connection, wanted.agreement_id)}
    if wanted.version not in versions:
        return None if wanted.version == len(versions) + 2 else False
    return versions[wanted.version].document_hash == wanted.terms.document_hash


def _argument(row: SubmissionRow, kind: type[S]) -> S:
    """The struct a call begins with, if all its fields are of fixed length."""
    assert row.calldata is not None
    return kind(*decode_all([each for _, each in kind.FIELDS], row.calldata[4:]))
