"""Does every submission reach the chain once, in order, or say why not?"""

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Engine as Store

from gateway.outbox import (
    Submission,
    Submitter,
    enqueue,
    enqueue_numbered,
    retry,
    submission_of,
)
from ledger.chain.abi import keccak
from ledger.errors import Conflict, ContractRefused, NodeRefused, RequestConflict, SequenceConflict
from ledger.identity import Address
from ledger.store.engine import open_store, reading, writing
from ledger.store.outbox import SubmissionRow, attempts_of, list_submissions, take_lease
from ledger.store.tables import alarms, chain_blocks, chain_logs
from tests.contracts import month
from tests.contracts.books import agreement_id
from tests.gateway.fake_chain import FakeChain, Faults, calldata
from tests.gateway.sending import (
    BUILT,
    FINAL,
    GAS,
    HELD,
    KEY,
    NEEDS_OPERATOR,
    PRICE,
    REVERTED,
    SIGNED,
    WITH_GB,
    MachineClock,
    states,
)
from tests.ledger.store.postgres import create_database, empty_database, running_postgres
from tests.ledger.store.sqlite import fresh_sqlite

LEDGER = Address("0x2222222222222222222222222222222222222222")


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with running_postgres() as url:
        gsc = create_database(url, "gsc")
        open_store(gsc).dispose()
        yield gsc


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store on each database."""
    if request.param == "sqlite":
        url = fresh_sqlite(tmp_path)
    else:
        url = request.getfixturevalue("postgres")
        empty_database(url)
    opened = open_store(url)
    yield opened
    opened.dispose()


@pytest.fixture
def chain() -> FakeChain:
    """In memory, without faults."""
    return FakeChain(Random(1), Faults(0, 0, 0, 0, 0, 0)).open()


# PUTTING IN


def test_a_submission_and_the_row_it_belongs_to_stand_or_fall_together(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), writing(store) as connection:
        enqueue(connection, plain("x"), 0)
        raise ZeroDivisionError
    assert states(store) == []


def test_the_same_submission_again_is_the_same_row(store: Store) -> None:
    with writing(store) as connection:
        assert enqueue(connection, plain("x"), 0) == enqueue(connection, plain("x"), 1)
    assert states(store) == [SIGNED]


def test_a_subject_submitted_with_another_call_is_refused(store: Store) -> None:
    with writing(store) as connection:
        enqueue(connection, plain("x"), 0)
        for other in ({"target": Address("0x" + "33" * 20)}, {"calldata": b"other"}, {"agreement_id": WITH_GB}):
            with pytest.raises(RequestConflict):
                enqueue(connection, replace(plain("x"), **other), 0)  # type: ignore[arg-type]


def test_one_without_its_last_signature_waits_and_blocks_its_stream(store: Store, chain: FakeChain) -> None:
    with writing(store) as connection:
        first = enqueue(connection, replace(numbered("a", 1, 1), calldata=None, stream="s"), 0)
        enqueue(connection, replace(numbered("b", 1, 2), stream="s"), 0)
    submitter(store, chain).step()
    assert states(store) == [BUILT, SIGNED]
    with writing(store) as connection:
        assert enqueue(connection, replace(numbered("a", 1, 1), stream="s"), 1) == first
    finish(store, chain)
    assert states(store) == [FINAL, FINAL]


def test_numbers_have_no_gap_and_a_refused_ones_number_is_given_again(store: Store) -> None:
    with writing(store) as connection:
        given = [number_next(connection, name, last_on_chain=3) for name in ("a", "b", "c")]
        assert [number for _, number in given] == [4, 5, 6]
        refuse(connection, given[1][0])
        assert [number_next(connection, name, last_on_chain=3)[1] for name in ("d", "e")] == [5, 7]


def test_a_number_that_is_taken_is_refused(store: Store) -> None:
    with writing(store) as connection:
        enqueue(connection, replace(numbered("a", 1, 1), stream="s"), 0)
        with pytest.raises(SequenceConflict):
            enqueue(connection, replace(numbered("b", 1, 1), stream="s"), 0)


def test_what_comes_after_a_refused_number_is_held_until_the_number_is_filled(store: Store, chain: FakeChain) -> None:
    with writing(store) as connection:
        first, _ = (number_next(connection, name, last_on_chain=0) for name in ("a", "b"))
        refuse(connection, first[0])
    finish(store, chain)
    with reading(store) as connection:
        assert [(row.state, row.error) for row in list_submissions(connection)] == [
            (REVERTED, None),
            (HELD, "SequenceUnexpected"),
        ]
    with writing(store) as connection:
        assert number_next(connection, "a", last_on_chain=0) == (first[0], 1), "the same digest gets its turn again"
    finish(store, chain)
    assert states(store) == [FINAL, FINAL]


def test_two_threads_never_get_one_number(store: Store) -> None:
    given: list[int] = []

    def work(thread: int) -> None:
        for turn in range(10):
            with writing(store) as connection:
                given.append(number_next(connection, f"{thread} {turn}", last_on_chain=0)[1])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given) == list(range(1, 41))


def test_a_submission_that_may_still_be_mined_is_not_retried(store: Store, chain: FakeChain) -> None:
    with writing(store) as connection:
        submission_id = enqueue(connection, plain("x"), 0)
    submitter(store, chain).step()
    with writing(store) as connection, pytest.raises(Conflict):
        retry(connection, submission_id, 0)


# THE LEASE


def test_a_second_writer_waits_for_the_end_of_the_lease_and_then_takes_over(store: Store, chain: FakeChain) -> None:
    clock = MachineClock()
    first, second = (submitter(store, chain, clock, holder=name) for name in ("first", "second"))
    assert first.step().leads
    assert not second.step().leads
    clock.ms += 4_000
    assert first.step().leads, "it renewed its lease"
    clock.ms += 4_000
    assert not second.step().leads
    clock.ms += 2_000
    assert second.step().leads
    assert not first.step().leads


def test_a_writer_that_slept_past_its_lease_gets_no_nonce(store: Store, chain: FakeChain) -> None:
    """The zombie: it has looked, sleeps, and wakes up when another one has taken over."""
    clock = MachineClock()
    with writing(store) as connection:
        submission_id = enqueue(connection, plain("x"), 0)

    class Sleepy(Submitter):
        def _alarm_for(self, row: SubmissionRow) -> ContractRefused | None:
            clock.ms += 6_000
            assert submitter(store, chain, clock, holder="second").step().leads
            return None

    Sleepy(store, chain, KEY, clock, holder="first", confirmations=1, gas_price_wei=PRICE).step()
    with reading(store) as connection:
        assert [attempt.nonce for attempt in attempts_of(connection, submission_id)] == [1]
    finish(store, chain, clock, holder="second")
    assert chain.succeeded() == Counter([keccak(b"x")])


def test_a_writer_that_slept_between_its_lease_and_the_nonce_gets_none(store: Store, chain: FakeChain) -> None:
    """The same a moment later: it has just renewed its lease when it falls asleep."""
    clock = MachineClock()
    with writing(store) as connection:
        submission_id = enqueue(connection, plain("x"), 0)

    class Sleepy(Submitter):
        renewed = 0

        def _lead(self) -> bool:
            leads = super()._lead()
            self.renewed += 1
            if self.renewed == 2:
                clock.ms += 6_000
                with writing(store) as connection:
                    assert take_lease(connection, self.sender, "second", clock.ms, 60_000)
            return leads

    sleepy = Sleepy(store, chain, KEY, clock, holder="first", confirmations=1, gas_price_wei=PRICE)
    sleepy.step()
    with reading(store) as connection:
        assert sleepy.renewed == 2
        assert list(attempts_of(connection, submission_id)) == []


def test_a_chain_slower_than_the_lease_is_still_written_to(store: Store, chain: FakeChain) -> None:
    """Every question takes longer than the lease: it is renewed before a nonce is taken, as nobody else holds it."""
    clock = MachineClock()
    with writing(store) as connection:
        enqueue(connection, plain("x"), 0)

    class Slow(Submitter):
        def _alarm_for(self, row: SubmissionRow) -> ContractRefused | None:
            clock.ms += 6_000
            return super()._alarm_for(row)

    slow = Slow(store, chain, KEY, clock, holder="us", confirmations=1, gas_price_wei=PRICE)
    for _ in range(10):
        slow.step()
        chain.mine()
    assert chain.succeeded() == Counter([keccak(b"x")])


def test_a_writer_that_stops_lets_the_next_one_start_at_once(store: Store, chain: FakeChain) -> None:
    first, second = (submitter(store, chain, holder=name) for name in ("first", "second"))
    first.step()
    first.stop()
    assert second.step().leads


# THE NODE'S REFUSALS


def test_a_breach_of_a_rule_holds_what_moves_money_of_its_agreement(store: Store, chain: FakeChain) -> None:
    with writing(store) as connection:
        enqueue(connection, replace(plain("x"), agreement_id=WITH_GB), 0)
        enqueue(connection, replace(plain("y"), agreement_id=agreement_id(month.CN_US)), 0)
        raise_alarm(connection)
    finish(store, chain)
    with reading(store) as connection:
        held, other = list_submissions(connection)
    assert (held.state, held.error, other.state) == (HELD, "Alarm", FINAL)
    with writing(store) as connection:
        connection.execute(alarms.delete())
    chain.mine()
    finish(store, chain)
    assert states(store) == [FINAL, FINAL]


def test_a_node_that_refuses_for_want_of_funds_is_reported_and_tried_again(store: Store, chain: FakeChain) -> None:
    poor = True

    class Poor(FakeChain):
        def send_raw(self, raw: bytes) -> bytes:
            if poor:
                raise NodeRefused("eth_sendRawTransaction", "insufficient funds for gas * price + value")
            return super().send_raw(raw)

    node = Poor(Random(1), chain.faults).open()
    with writing(store) as connection:
        enqueue(connection, plain("x"), 0)
    writer = submitter(store, node)
    writer.step()
    with reading(store) as connection:
        (row,) = list_submissions(connection)
    assert (row.state, row.error) == (NEEDS_OPERATOR, "NodeRefused")
    assert row.reason is not None and "insufficient funds" in row.reason
    poor = False
    writer.step()
    node.mine()
    writer.step()
    assert states(store) == [FINAL]
    assert node.succeeded() == Counter([keccak(b"x")])


# ON REAL CHAINS


def submitter(store: Store, chain: FakeChain, clock: MachineClock | None = None, holder: str = "us") -> Submitter:
    return Submitter(store, chain, KEY, clock or MachineClock(), holder=holder, confirmations=1, gas_price_wei=PRICE)


def finish(store: Store, chain: FakeChain, clock: MachineClock | None = None, holder: str = "us") -> None:
    """Step and mine until nothing moves."""
    writer = submitter(store, chain, clock, holder)
    for _ in range(8):
        writer.step()
        chain.mine()


def plain(name: str) -> Submission:
    item = keccak(name.encode())
    return Submission("pay", item, LEDGER, calldata(0, 0, item), GAS)


def numbered(name: str, stream: int, seq: int) -> Submission:
    item = keccak(name.encode())
    return Submission("declare", item, LEDGER, calldata(stream, seq, item), GAS, position=seq)


def number_next(connection: object, name: str, last_on_chain: int) -> tuple[int, int]:
    make = lambda seq: numbered(name, 1, seq)  # noqa: E731
    return enqueue_numbered(connection, "s", last_on_chain, make, 0)  # type: ignore[arg-type]


def refuse(connection: object, submission_id: int) -> None:
    from ledger.store.outbox import move

    move(connection, submission_of(connection, submission_id), REVERTED, 1)  # type: ignore[arg-type]


def raise_alarm(connection: object) -> None:
    """An alarm of one agreement, as the indexer stores it."""
    execute = connection.execute  # type: ignore[attr-defined]
    execute(chain_blocks.insert().values(number=1, hash=bytes(32), timestamp=1))
    at = {"block_number": 1, "log_index": 0}
    execute(chain_logs.insert().values(tx_hash=bytes(32), address="", event="", topics=b"", data=b"", **at))
    execute(alarms.insert().values(rule="no gap", agreement_id=WITH_GB, detail="3 follows 1", **at))
