"""How does a verb's decision get into the outbox, in the transaction of what it says, and what became of it?"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.composition import Gateway
from gateway.month.parts import Submission
from gateway.outbox import Submission as Enqueued
from gateway.outbox import enqueue, find_submission
from ledger.identity import Address, AgreementId
from ledger.store.engine import lock, reading
from ledger.store.outbox import SubmissionRow, list_submissions, positions_taken
from ledger.store.outbox import submission_of as row_of_id

DRY_RUN = "dry run"
GAS: Mapping[str, int] = {
    "agreement": 700_000,
    "amendment": 700_000,
    "rates": 300_000,
    "credit_line": 300_000,
    "declare": 450_000,
    "close": 300_000,
    "dispute": 600_000,
    "resolution": 700_000,
    "statement": 2_000_000,
    "netting_cycle": 8_000_000,
    "approve": 100_000,
    "pay": 600_000,
    "confirmation": 600_000,
    "arrears": 400_000,
    "payee": 200_000,
    "deposit": 400_000,
    "deposit_withdrawal": 400_000,
    "deposit_application": 900_000,
    "seizure": 900_000,
    "proposal": 700_000,
    "approval": 200_000,
    "execution": 700_000,
    "membership": 300_000,
}
"""Fixed limits, several times what each call takes: estimating costs more than it saves."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of one of the network's contracts, or of the token at `target`."""

    kind: str
    subject: bytes
    contract: str
    calldata: bytes
    stream: str
    agreement_id: AgreementId | None = None
    position: int | None = None
    """In the stream; None is the next free one."""
    target: Address | None = None
    gas: int | None = None
    """Fixed limit; None is the kind's."""


def submit(gateway: Gateway, connection: Connection, call: Call, *, dry_run: bool = False) -> Submission:
    """Put a call into the outbox; the same again changes nothing."""
    if dry_run:
        return Submission(None, call.kind, call.subject, DRY_RUN)
    enqueued = Enqueued(
        kind=call.kind,
        subject=call.subject,
        target=call.target or gateway.network.address(call.contract),
        calldata=call.calldata,
        gas=call.gas or GAS[call.kind],
        stream=call.stream,
        position=call.position,
        agreement_id=call.agreement_id,
    )
    submission_id = enqueue(connection, enqueued, gateway.clock.now_ms())
    return shown(row_of_id(connection, submission_id))


def next_number(connection: Connection, stream: str, last_on_chain: int) -> int:
    """The next number of a gapless sequence: after what is on chain and what waits in the outbox."""
    lock(connection, f"stream {stream}")
    return max([last_on_chain, *positions_taken(connection, stream)]) + 1


def submission_of(connection: Connection, kind: str, subject: bytes) -> Submission | None:
    """Where the submission of a subject stands, None if there is none."""
    row = find_submission(connection, kind, subject)
    return None if row is None else shown(row)


def submissions(gateway: Gateway, kind: str | None = None) -> list[Submission]:
    """Everything in the outbox, oldest first."""
    with reading(gateway.engine) as connection:
        return [shown(row) for row in list_submissions(connection, kind=kind)]


def submission_by_id(gateway: Gateway, submission_id: int) -> Submission:
    """One submission. Raises NotFound."""
    with reading(gateway.engine) as connection:
        return shown(row_of_id(connection, submission_id))


def shown(row: SubmissionRow) -> Submission:
    """A row of the outbox as answers show it."""
    reason = row.reason or row.error
    return Submission(row.id, row.kind, row.subject, row.state, reason, row.tx_hash, row.block_number)
