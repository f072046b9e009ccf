"""Is nothing lost and nothing doubled, whatever fails in between? The real outbox in a simulated, seeded world."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from sqlalchemy import Engine, delete, event

from gateway.outbox import Submission, Submitter, enqueue, enqueue_numbered
from ledger.chain.abi import keccak
from ledger.chain.transaction import Transaction, sign_transaction
from ledger.errors import NodeRefused, Unavailable
from ledger.identity import Address
from ledger.store.engine import engine_of, reading, writing
from ledger.store.event_tables import EVENT_TABLES
from ledger.store.outbox import SubmissionRow, list_submissions
from ledger.store.states import SubmissionState
from ledger.store.tables import metadata
from tests.gateway.fake_chain import Crash, FakeChain, Faults, calldata

CONFIRMATIONS = 4
KEY = keccak(b"sending key of the simulation")
LEDGER = Address("0x2222222222222222222222222222222222222222")
CHUNKS, SEEDS_OF_CHUNK = 6, 50
CALM_AFTER = 250
"""Turns after which nothing fails any more; then all must come to an end ..."""
TURNS = 600
"""... within this many."""
NUMBERED, PLAIN = 4, 2


class SimulatedClock:
    """Moves a little every time somebody looks; looking may be the last thing a process does."""

    def __init__(self, chain: FakeChain) -> None:
        self.ms, self._chain = 0, chain

    def now_ms(self) -> int:
        if self._chain._happens(self._chain.faults.crashes, "crash at the clock"):
            raise Crash
        self.ms += 1
        return self.ms


class Counting(Submitter):
    """The real one; counts the blocks that vanished under a submission."""

    def _orphan(self, row: SubmissionRow) -> SubmissionRow:
        after = super()._orphan(row)
        counts: Counter[str] = cast(FakeChain, self._chain).faults.counts
        counts["orphaned"] += after.state == SubmissionState.ORPHANED
        return after


class SendsThenMarks(Submitter):
    """The planted bug: the raw transaction is sent first, and what was sent is noted when the node has answered."""

    def _queue(self, row: SubmissionRow) -> bool:
        chain: Any = self._chain
        assert row.calldata is not None
        nonce = chain.nonce(self.sender) + len(chain.pool)
        sent = Transaction(nonce, row.target, row.calldata, row.gas, gas_price_wei=1)
        chain.send_raw(sign_transaction(self._key, sent, chain.chain_id()).raw)
        self._move(row, SubmissionState.FINAL)
        return True


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """One store in memory for all seeds."""
    made = engine_of("sqlite://")
    with writing(made) as connection:
        metadata.create_all(connection)
    assert EVENT_TABLES
    yield made
    made.dispose()


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_nothing_is_lost_and_nothing_doubled_in_any_seed(engine: Engine, chunk: int) -> None:
    total: Counter[str] = Counter()
    for seed in range(chunk * SEEDS_OF_CHUNK, (chunk + 1) * SEEDS_OF_CHUNK):
        executed, states, faults = simulate(engine, seed, Counting)
        assert executed == Counter(items()), f"seed {seed}: {wrong(executed)}"
        assert states == {SubmissionState.FINAL: NUMBERED + PLAIN}, f"seed {seed}: {states}"
        total += faults.counts
    print(dict(total))
    assert total["two transactions of one nonce"] == 0
    for happened in (
        "crash",
        "crash after sending",
        "crash at the clock",
        "crash before commit",
        "lost request",
        "lost answer",
        "reorganisation",
        "transaction taken back",
        "eviction",
        "mined in vain",
        "held",
        "orphaned",
    ):
        assert total[happened] > 0, f"{happened} never happened: the simulation shows nothing"


def test_the_planted_bug_of_sending_before_storing_is_caught(engine: Engine) -> None:
    assert any(wrong(simulate(engine, seed, SendsThenMarks)[0]) for seed in range(40))


def test_reorganisations_deeper_than_the_confirmations_lose_what_was_final(engine: Engine) -> None:
    """Why confirmations must cover the network's reorganisations: the simulation can tell."""
    deeper = CONFIRMATIONS + 4
    assert any(wrong(simulate(engine, seed, Counting, most_reorg=deeper)[0]) for seed in range(60))


def simulate(
    engine: Engine, seed: int, kind: type[Submitter], most_reorg: int = CONFIRMATIONS - 1
) -> tuple[Counter[bytes], Counter[SubmissionState], Faults]:
    """One history: what was executed how often, the states of the outbox, the faults that happened."""
    rng = random.Random(seed)
    faults = Faults(
        lost_requests=rng.choice([0, 0.02, 0.1]),
        lost_answers=rng.choice([0, 0.1, 0.3]),
        crashes=rng.choice([0, 0.005, 0.02]),
        reorgs=rng.choice([0, 0.02, 0.05]),
        evictions=rng.choice([0, 0.02, 0.05]),
        most_reorg=most_reorg,
    )
    chain = FakeChain(rng, faults)
    clock = SimulatedClock(chain)
    empty(engine)
    put_in(engine)
    dies = dying_at_commit(engine, chain)
    try:
        states = live(engine, chain, clock, kind, rng)
    finally:
        event.remove(engine, "commit", dies)
    return chain.succeeded(), states, faults


def live(
    engine: Engine, chain: FakeChain, clock: SimulatedClock, kind: type[Submitter], rng: random.Random
) -> Counter[SubmissionState]:
    """Turn by turn until all is final, the writer being replaced whenever it dies."""
    lives = 0
    writer = new_writer(engine, chain, clock, kind, lives)
    states: Counter[SubmissionState] = Counter()
    for turn in range(TURNS):
        chain.calm = turn > CALM_AFTER
        happen(chain, rng)
        moved = leads = True
        try:
            step = writer.step()
            moved, leads = step.moved > 0, step.leads
        except (Unavailable, NodeRefused):
            pass
        except Crash:
            lives += 1
            clock.ms += rng.choice([0, 3_000, 8_000])
            writer = new_writer(engine, chain, clock, kind, lives)
        clock.ms += 100 if leads else 1_500
        if not moved:
            continue
        states = states_of(engine)
        chain.faults.counts["held"] += states[SubmissionState.HELD]
        if states[SubmissionState.FINAL] == NUMBERED + PLAIN:
            break
    return states


def happen(chain: FakeChain, rng: random.Random) -> None:
    if rng.random() < 0.6:
        chain.mine()
    if rng.random() < 0.1:
        chain.raise_line()
    if not chain.calm and rng.random() < chain.faults.reorgs:
        chain.reorganise()
    if not chain.calm and rng.random() < chain.faults.evictions:
        chain.evict()


def new_writer(engine: Engine, chain: FakeChain, clock: SimulatedClock, kind: type[Submitter], lives: int) -> Submitter:
    return kind(
        engine, chain, KEY, clock, holder=f"life {lives}", confirmations=CONFIRMATIONS, gas_price_wei=1, lease_ms=5_000
    )


def items() -> list[bytes]:
    return [keccak(f"item {number}".encode()) for number in range(NUMBERED + PLAIN)]


def put_in(engine: Engine) -> None:
    """Two streams of numbered calls, and plain calls that wait for nobody."""
    with writing(engine) as connection:
        for number, item in enumerate(items()):
            stream = number % 2 + 1
            if number < NUMBERED:
                enqueue_numbered(
                    connection, f"stream {stream}", 0, lambda seq, item=item, stream=stream: call(item, stream, seq), 0
                )
            else:
                enqueue(connection, call(item, 0, 0), 0)


def call(item: bytes, stream: int, seq: int) -> Submission:
    return Submission("declare", item, LEDGER, calldata(stream, seq, item), gas=100_000)


def dying_at_commit(engine: Engine, chain: FakeChain) -> Callable[[object], None]:
    def die(_: object) -> None:
        if chain._happens(chain.faults.crashes, "crash before commit"):
            raise Crash

    event.listen(engine, "commit", die)
    return die


def states_of(engine: Engine) -> Counter[SubmissionState]:
    with reading(engine) as connection:
        return Counter(row.state for row in list_submissions(connection))


def empty(engine: Engine) -> None:
    with writing(engine) as connection:
        for name in ("attempts", "outbox", "sending_keys", "locks"):
            connection.execute(delete(metadata.tables[name]))


def wrong(executed: Counter[bytes]) -> dict[str, int]:
    """Items that were not executed exactly once."""
    return {item.hex()[:8]: executed[item] for item in items() if executed[item] != 1}
