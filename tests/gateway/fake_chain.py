"""A chain in memory with everything that goes wrong on real ones: for the seeded simulation of the outbox.

It executes what it mines: two kinds of calls, *numbered* ones which the contract takes in order only and under a credit
line, and *plain* ones which it takes as often as they come, so that a doubled one shows.
"""

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, Self

import rlp

from ledger.chain.abi import keccak
from ledger.chain.bindings import CreditLineExceeded, SequenceUnexpected
from ledger.chain.seen import Block, Receipt
from ledger.errors import NodeRefused, Unavailable
from ledger.identity import Address, AgreementId

LINE_STEP = 3
"""How many numbered calls one raise of the line makes room for."""


class Crash(BaseException):
    """The process dies here."""


@dataclass(frozen=True, slots=True)
class Tx:
    hash: bytes
    nonce: int
    stream: int
    """0 for a plain call."""
    seq: int
    item: bytes


@dataclass(frozen=True, slots=True)
class Mined:
    block: Block
    txs: tuple[tuple[Tx, bool], ...]
    line: int
    """The credit line after this block."""


@dataclass(slots=True)
class Faults:
    """How often things go wrong; each that happens is counted."""

    lost_requests: float
    lost_answers: float
    crashes: float
    reorgs: float
    evictions: float
    most_reorg: int
    counts: Counter[str] = field(default_factory=Counter)


class FakeChain:
    """The node the submitter talks to. `calm` ends the faults, so that all must come to an end."""

    def __init__(self, rng: random.Random, faults: Faults) -> None:
        self.rng, self.faults, self.calm = rng, faults, False
        self.mined: list[Mined] = [Mined(_block(0, bytes(32), 0), (), LINE_STEP)]
        self.pool: dict[int, Tx] = {}
        self.line = LINE_STEP
        self._salt = 0

    # WHAT THE SUBMITTER SEES

    def chain_id(self) -> int:
        return 1337

    def block_number(self) -> int:
        self._maybe_lose()
        return self.mined[-1].block.number

    def block(self, at: int) -> Block | None:
        self._maybe_lose()
        return self.mined[at].block if at < len(self.mined) else None

    def nonce(self, address: Address) -> int:
        self._maybe_lose()
        return self._nonce()

    def call(
        self, to: Address, data: bytes, *, sender: Address | None, block: int | Literal["latest"], gas: int
    ) -> bytes:
        self._maybe_lose()
        upto = len(self.mined) if block == "latest" else block + 1
        self._execute(
            _tx(bytes(32), 0, data), self._state(upto), self.line if block == "latest" else self.mined[block].line
        )
        return b""

    def send_raw(self, raw: bytes) -> bytes:
        self._maybe_lose()
        fields = rlp.decode(raw)
        tx = _tx(keccak(raw), int.from_bytes(fields[0], "big"), fields[5])
        if tx.nonce < self._nonce():
            raise NodeRefused("eth_sendRawTransaction", "nonce too low")
        if self.pool.get(tx.nonce) == tx:
            raise NodeRefused("eth_sendRawTransaction", "already known")
        if tx.nonce in self.pool:
            self.faults.counts["two transactions of one nonce"] += 1
            raise NodeRefused("eth_sendRawTransaction", "replacement transaction underpriced")
        self.pool[tx.nonce] = tx
        self._maybe_lose_answer()
        return tx.hash

    def knows(self, tx_hash: bytes) -> bool:
        return any(tx.hash == tx_hash for tx in self.pool.values()) or self.receipt(tx_hash) is not None

    def receipt(self, tx_hash: bytes) -> Receipt | None:
        self._maybe_lose()
        for mined in reversed(self.mined):
            for tx, succeeded in mined.txs:
                if tx.hash == tx_hash:
                    return Receipt(tx_hash, mined.block.number, mined.block.hash, succeeded, 21_000)
        return None

    # WHAT HAPPENS BY ITSELF

    def open(self) -> Self:
        """As after the first transfer of the sending key."""
        self.pool[0] = Tx(keccak(b"opening"), 0, 0, 0, b"")
        self.mine()
        return self

    def mine(self) -> None:
        txs: list[tuple[Tx, bool]] = []
        state, nonce = self._state(len(self.mined)), self._nonce()
        while nonce in self.pool and len(txs) < 3:
            tx = self.pool.pop(nonce)
            try:
                self._execute(tx, state, self.line)
                txs.append((tx, True))
            except (SequenceUnexpected, CreditLineExceeded):
                txs.append((tx, False))
                self.faults.counts["mined in vain"] += 1
            nonce += 1
        self._salt += 1
        parent = self.mined[-1].block
        self.mined.append(Mined(_block(parent.number + 1, parent.hash, self._salt), tuple(txs), self.line))

    def reorganise(self) -> None:
        """Drop some blocks and put empty ones in their place; what they held is forgotten or waits in the pool."""
        depth = min(self.rng.randint(1, self.faults.most_reorg), len(self.mined) - 1)
        if depth == 0:
            return
        dropped = [tx for mined in self.mined[-depth:] for tx, _ in mined.txs]
        del self.mined[-depth:]
        self.line = max(self.line, self.mined[-1].line)
        back = dropped if self.rng.random() < 0.5 else []
        waiting, self.pool = {**{tx.nonce: tx for tx in back}, **self.pool}, {}
        for _ in range(depth + self.rng.randint(0, 1)):
            self.mine()
        self.pool = {nonce: tx for nonce, tx in waiting.items() if nonce >= self._nonce()}
        self.faults.counts["reorganisation"] += 1
        self.faults.counts["transaction taken back"] += len(dropped)

    def evict(self) -> None:
        if self.pool:
            del self.pool[self.rng.choice(sorted(self.pool))]
            self.faults.counts["eviction"] += 1

    def raise_line(self) -> None:
        self.line += LINE_STEP

    def succeeded(self) -> Counter[bytes]:
        """How often each item was executed on the chain as it is."""
        return Counter(tx.item for mined in self.mined for tx, succeeded in mined.txs if succeeded and tx.item)

    # INSIDE

    def _nonce(self) -> int:
        return sum(len(mined.txs) for mined in self.mined)

    def _state(self, upto: int) -> Counter[int]:
        """The last number of each stream."""
        done = (tx for mined in self.mined[:upto] for tx, succeeded in mined.txs if succeeded)
        return Counter(tx.stream for tx in done)

    def _execute(self, tx: Tx, state: Counter[int], line: int) -> None:
        if tx.stream and tx.seq != state[tx.stream] + 1:
            raise SequenceUnexpected(state[tx.stream] + 1, tx.seq)
        if tx.stream and sum(state.values()) - state[0] >= line:
            raise CreditLineExceeded(AgreementId(bytes(32)), bytes(32), line + 1, line)
        state[tx.stream] += 1

    def _maybe_lose(self) -> None:
        if self._happens(self.faults.crashes, "crash"):
            raise Crash
        if self._happens(self.faults.lost_requests, "lost request"):
            raise Unavailable("the request was lost")

    def _maybe_lose_answer(self) -> None:
        if self._happens(self.faults.crashes, "crash after sending"):
            raise Crash
        if self._happens(self.faults.lost_answers, "lost answer"):
            raise Unavailable("the answer was lost")

    def _happens(self, share: float, what: str) -> bool:
        happens = not self.calm and self.rng.random() < share
        self.faults.counts[what] += happens
        return happens


def calldata(stream: int, seq: int, item: bytes) -> bytes:
    """What the fake contract reads."""
    return stream.to_bytes(8, "big") + seq.to_bytes(8, "big") + item


def _tx(hash_: bytes, nonce: int, data: bytes) -> Tx:
    return Tx(hash_, nonce, int.from_bytes(data[:8], "big"), int.from_bytes(data[8:16], "big"), data[16:48])


def _block(number: int, parent: bytes, salt: int) -> Block:
    return Block(number, keccak(parent + number.to_bytes(8, "big") + salt.to_bytes(8, "big")), parent, number)
