"""How does the outbox reach the chain, when the node, the network and we ourselves may die at any moment?

One pass looks after what is on its way, then starts what waits. Whatever is uncertain is looked up by the receipts of
the stored attempts, and what no block holds is sent again, byte for byte.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from gateway.refusals import passes, stands
from ledger.chain.seen import Block, Receipt
from ledger.chain.transaction import Transaction, sign_transaction
from ledger.clock import Clock
from ledger.errors import ContractRefused, GscError, NodeRefused
from ledger.identity import Address
from ledger.store.chain_log import list_alarms
from ledger.store.engine import reading, writing
from ledger.store.outbox import (
    AttemptRow,
    SubmissionRow,
    add_attempt,
    close_attempt,
    give_up_lease,
    heads_of_streams,
    move,
    on_their_way,
    open_attempts,
    submission_of,
    take_lease,
    take_nonce,
)
from ledger.store.states import SubmissionState
from ledger.typed_data import address_of_key

LEASE_MS = 5_000
"""A writer that died is replaced after this long."""
OPENING_GAS = 21_000
"""A plain transfer."""
IN_FLIGHT_MOST = 32
"""Open raw transactions of one sending key."""
STANDS = "it stands on chain already; nothing is left to do"
"""Why a submission is final that no transaction of ours carried there."""
STANDS_SOON = "it stands on chain already, in a block that is not final"
NOWHERE = {"tx_hash": None, "block_number": None, "block_hash": None, "gas_used": None}
ENDED = (SubmissionState.FINAL, SubmissionState.REVERTED, SubmissionState.HELD, SubmissionState.NEEDS_OPERATOR)
"""States in which nothing more happens without a new block or a person."""


class Chain(Protocol):
    """What the submitter needs of a node; ledger.chain.client.ChainClient is one."""

    def chain_id(self) -> int: ...
    def block_number(self) -> int: ...
    def block(self, at: int) -> Block | None: ...
    def nonce(self, address: Address) -> int: ...
    def call(
        self, to: Address, data: bytes, *, sender: Address | None, block: int | Literal["latest"], gas: int
    ) -> bytes: ...
    def send_raw(self, raw: bytes) -> bytes: ...
    def knows(self, tx_hash: bytes) -> bool: ...
    def receipt(self, tx_hash: bytes) -> Receipt | None: ...


@dataclass(frozen=True, slots=True)
class Step:
    """What one pass did."""

    leads: bool
    """Whether this writer holds the lease; without it nothing was done."""
    head: int
    """The chain's latest block."""
    moved: int
    """Submissions that changed their state."""


class Submitter:
    """The one ordered writer of a sending key. Not shared between threads."""

    def __init__(
        self,
        engine: Engine,
        client: Chain,
        sender_key: bytes,
        clock: Clock,
        *,
        holder: str,
        confirmations: int = 1,
        gas_price_wei: int = 0,
        lease_ms: int = LEASE_MS,
    ) -> None:
        """`clock` is the machine's, not the chain's: a lease must end while the chain stands still.

        `holder` names this process and no other: host, process id and something random.
        """
        self.sender = address_of_key(sender_key)
        self._engine = engine
        self._chain = client
        self._key = sender_key
        self._clock = clock
        self._holder = holder
        self._confirmations = confirmations
        self._gas_price_wei = gas_price_wei
        self._lease_ms = lease_ms
        self._lease_until_ms = 0
        self._moved = 0

    def step(self) -> Step:
        """Look after what is on its way, then start what waits. Raises Unavailable; another step goes on."""
        self._moved = 0
        if not self._lead():
            return Step(leads=False, head=0, moved=0)
        head = self._chain.block_number()
        opened = self._open()
        self._watch(head)
        if opened and self._start(head):
            self._watch(self._chain.block_number())
        return Step(leads=True, head=head, moved=self._moved)

    def run(self, stop: threading.Event, poll_seconds: float = 0.25) -> None:
        """Step until told to stop; a chain or a store that does not answer is asked again."""
        while not stop.is_set():
            try:
                moved = self.step().moved
            except (GscError, OperationalError):  # the edge of a process: whatever it was, look again
                moved = 0
            if not moved:
                stop.wait(poll_seconds)
        self.stop()

    def stop(self) -> None:
        """Give up the lease, so that the next writer need not wait for its end."""
        self._lease_until_ms = 0
        with writing(self._engine) as connection:
            give_up_lease(connection, self.sender, self._holder)

    # LEASE

    def _lead(self) -> bool:
        now_ms = self._clock.now_ms()
        if now_ms < self._lease_until_ms - self._lease_ms // 2:
            return True
        with writing(self._engine) as connection:
            leads = take_lease(connection, self.sender, self._holder, now_ms, self._lease_ms)
        self._lease_until_ms = now_ms + self._lease_ms if leads else 0
        return leads

    def _open(self) -> bool:
        """Use nonce 0 for a transfer of nothing to ourselves; whether the chain holds it.

        Ganache executes a raw transaction of nonce 0 as often as it is sent, so none of ours may have it. [measured
        with 7.9.2; every other nonce, and every other engine, is safe]
        """
        if self._chain.nonce(self.sender) > 0:
            return True
        opening = Transaction(0, self.sender, b"", OPENING_GAS, self._gas_price_wei)
        signed = sign_transaction(self._key, opening, self._chain.chain_id())
        try:
            self._chain.send_raw(signed.raw)
        except NodeRefused as refusal:
            if not self._chain.knows(signed.hash):
                self._hold_all(refusal)
        return self._chain.nonce(self.sender) > 0

    def _hold_all(self, refusal: NodeRefused) -> None:
        """Say of everything that waits why it does: the sending key cannot even open."""
        with reading(self._engine) as connection:
            waiting = heads_of_streams(connection)
        for row in waiting:
            self._move(row, SubmissionState.HELD, error="NodeRefused", reason=refusal.reason, tried_at_block=None)

    # WHAT IS ON ITS WAY

    def _watch(self, head: int) -> None:
        """Look up every open attempt in order of nonce; send again what no block holds."""
        with reading(self._engine) as connection:
            found = on_their_way(connection, self.sender)
        for attempt, row in found:
            receipt = self._chain.receipt(attempt.tx_hash)
            if receipt is None:
                self._send(attempt, self._orphan(row))
            else:
                self._note(attempt, row, receipt, head)

    def _orphan(self, row: SubmissionRow) -> SubmissionRow:
        """Its block vanished."""
        if row.state == SubmissionState.MINED:
            return self._move(row, SubmissionState.ORPHANED, error=None, reason=None, **NOWHERE)
        return row

    def _send(self, attempt: AttemptRow, row: SubmissionRow) -> None:
        try:
            self._chain.send_raw(attempt.raw)
        except NodeRefused as refusal:
            self._refused(attempt, row, refusal)
        else:
            self._sent(row)

    def _refused(self, attempt: AttemptRow, row: SubmissionRow, refusal: NodeRefused) -> None:
        """No two nodes say "already known" or "nonce too low" alike: what counts is what they hold."""
        if self._chain.nonce(self.sender) > attempt.nonce:
            if self._chain.receipt(attempt.tx_hash) is None:
                reason = f"nonce {attempt.nonce} was used by another transaction of {self.sender}"
                self._move(row, SubmissionState.NEEDS_OPERATOR, error="NonceUsed", reason=reason)
        elif self._chain.knows(attempt.tx_hash):
            self._sent(row)
        else:
            self._move(row, SubmissionState.NEEDS_OPERATOR, error="NodeRefused", reason=refusal.reason)

    def _sent(self, row: SubmissionRow) -> None:
        if row.state != SubmissionState.SENT:
            self._move(row, SubmissionState.SENT, error=None, reason=None)

    def _note(self, attempt: AttemptRow, row: SubmissionRow, receipt: Receipt, head: int) -> None:
        """A block holds it: mined, and final when deep enough on the chain that is still the chain."""
        deep = head - receipt.block_number + 1 >= self._confirmations
        block = self._chain.block(receipt.block_number) if deep else None
        if deep and (block is None or block.hash != receipt.block_hash):
            return
        where = {
            "tx_hash": attempt.tx_hash,
            "block_number": receipt.block_number,
            "block_hash": receipt.block_hash,
            "gas_used": receipt.gas_used,
        }
        if deep and receipt.succeeded:
            self._end(attempt, row, SubmissionState.FINAL, error=None, reason=None, **where)
        elif deep:
            self._failed(attempt, row, receipt, where)
        elif row.state != SubmissionState.MINED or row.block_hash != receipt.block_hash:
            error = None if receipt.succeeded else "Reverted"
            self._move(row, SubmissionState.MINED, error=error, reason=None, **where)

    def _failed(self, attempt: AttemptRow, row: SubmissionRow, receipt: Receipt, where: Mapping[str, object]) -> None:
        """A final block says that the call failed: what we wanted stands already, or may pass later, or is refused."""
        refusal = self._why(row, receipt)
        there = self._stands(row, refusal, receipt.block_number)
        if there:
            self._end(attempt, row, SubmissionState.FINAL, error=None, reason=STANDS, **NOWHERE)
        elif there is not None:
            state = SubmissionState.HELD if passes(refusal) else SubmissionState.REVERTED
            self._end(attempt, row, state, error=_name_of(refusal), reason=str(refusal), **where)

    def _why(self, row: SubmissionRow, receipt: Receipt) -> ContractRefused:
        """What the contract said at the block that holds the failure, or at the one before."""
        for number in (receipt.block_number, receipt.block_number - 1):
            try:
                refusal = self._preflight(row, number)
            except NodeRefused:  # it no longer keeps the state of that block
                refusal = None
            if refusal is not None and _name_of(refusal):
                return refusal
        if receipt.gas_used >= row.gas:
            return ContractRefused("the call ran out of gas", expected=f"more than {row.gas}", error="OutOfGas")
        return ContractRefused("the call failed, and would succeed now", error="Unknown")

    # WHAT WAITS

    def _start(self, head: int) -> int:
        """Give a nonce to every submission whose turn it is and whose preflight passes; how many."""
        with reading(self._engine) as connection:
            waiting = heads_of_streams(connection)
            in_flight = len(open_attempts(connection, self.sender)) if waiting else 0
        started = 0
        for row in waiting:
            if in_flight + started >= IN_FLIGHT_MOST:
                break
            if row.tried_at_block != head:
                started += self._start_one(row, head)
        return started

    def _start_one(self, row: SubmissionRow, head: int) -> bool:
        alarm = self._alarm_for(row)
        refusal = alarm or self._preflight(row, "latest")
        if refusal is None:
            return self._queue(row)
        held = alarm is not None or passes(refusal)
        if not held and self._already(row, refusal, head):
            return False
        state = SubmissionState.HELD if held else SubmissionState.REVERTED
        self._move(row, state, error=_name_of(refusal), reason=str(refusal), tried_at_block=head)
        return False

    def _already(self, row: SubmissionRow, refusal: ContractRefused, head: int) -> bool:
        """Whether the refusal says that it is done; then it is final as soon as the block that says so is."""
        there = self._stands(row, refusal, "latest")
        if there is False:
            return False
        final = there and self._stood(row, head - self._confirmations + 1)
        state = SubmissionState.FINAL if final else SubmissionState.HELD
        error = None if final else _name_of(refusal)
        self._move(row, state, error=error, reason=STANDS if final else STANDS_SOON, tried_at_block=None)
        return True

    def _stood(self, row: SubmissionRow, block: int) -> bool:
        """Whether it stood in the state of a block that is final."""
        if block < 0:
            return False
        try:
            refusal = self._preflight(row, block)
        except NodeRefused:  # it no longer keeps the state of that block
            return False
        return refusal is not None and self._stands(row, refusal, block) is True

    def _stands(self, row: SubmissionRow, refusal: ContractRefused, block: int | Literal["latest"]) -> bool | None:
        def view(asked: bytes) -> bytes:
            return self._chain.call(row.target, asked, sender=self.sender, block=block, gas=row.gas)

        with reading(self._engine) as connection:
            return stands(row, refusal, view, connection)

    def _alarm_for(self, row: SubmissionRow) -> ContractRefused | None:
        """A breach of a rule stops what moves money, for its agreement."""
        if row.agreement_id is None:
            return None
        with reading(self._engine) as connection:
            raised = list_alarms(connection, row.agreement_id)
        if not raised:
            return None
        todo = "Run `gsc doctor` and settle the breach first."
        return ContractRefused(
            f"breach of the rule that {raised[0].rule}", got=raised[0].detail, todo=todo, error="Alarm"
        )

    def _preflight(self, row: SubmissionRow, block: int | Literal["latest"]) -> ContractRefused | None:
        assert row.calldata is not None, "a submission without calldata has no turn"
        try:
            self._chain.call(row.target, row.calldata, sender=self.sender, block=block, gas=row.gas)
        except ContractRefused as refusal:
            return refusal
        return None

    def _queue(self, row: SubmissionRow) -> bool:
        """Take a nonce and store the raw transaction, in one transaction under the lease; then send it."""
        assert row.calldata is not None
        chain_nonce, chain_id = self._chain.nonce(self.sender), self._chain.chain_id()
        if not self._lead():  # a slow chain may have outlasted the lease
            return False
        now_ms = self._clock.now_ms()
        with writing(self._engine) as connection:
            current = submission_of(connection, row.id)
            if current != row:
                return False
            nonce = take_nonce(connection, self.sender, self._holder, now_ms, chain_nonce)
            if nonce is None:
                self._lease_until_ms = 0
                return False
            call = Transaction(nonce, row.target, row.calldata, row.gas, self._gas_price_wei)
            signed = sign_transaction(self._key, call, chain_id)
            attempt = AttemptRow(signed.hash, row.id, self.sender, nonce, signed.raw, now_ms, open=True)
            add_attempt(connection, attempt)
            move(connection, row, SubmissionState.QUEUED, now_ms, error=None, reason=None, tried_at_block=None)
            queued = submission_of(connection, row.id)
        self._moved += 1
        self._send(attempt, queued)
        return True

    # CHANGES

    def _move(self, row: SubmissionRow, state: SubmissionState, **columns: object) -> SubmissionRow:
        """Store a change, unless it is none; the row as it stands."""
        if row.state == state and all(getattr(row, name) == value for name, value in columns.items()):
            return row
        with writing(self._engine) as connection:
            self._moved += move(connection, row, state, self._clock.now_ms(), **columns)
            return submission_of(connection, row.id)

    def _end(self, attempt: AttemptRow, row: SubmissionRow, state: SubmissionState, **columns: object) -> None:
        """Store an outcome that is final, and close its attempt with it."""
        with writing(self._engine) as connection:
            if move(connection, row, state, self._clock.now_ms(), **columns):
                close_attempt(connection, attempt.tx_hash)
                self._moved += 1


def _name_of(refusal: ContractRefused) -> str:
    """The error's name, "" for a refusal without a reason."""
    return str(refusal.members.get("error", type(refusal).__name__))


def settle(
    submitter: Submitter, engine: Engine, submission_ids: list[int], steps: int, pause: Callable[[], None]
) -> list[SubmissionRow]:
    """Step until every submission ended (final, reverted, held or needing a person), at most `steps` times."""
    rows: list[SubmissionRow] = []
    for _ in range(steps):
        submitter.step()
        with reading(engine) as connection:
            rows = [submission_of(connection, each) for each in submission_ids]
        if all(row.state in ENDED for row in rows):
            break
        pause()
    return rows
