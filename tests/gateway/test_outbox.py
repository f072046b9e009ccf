"""Does every submission reach the chain once, in order, or say why not?"""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Engine as Store

from deploy.local_chain import Engine, LocalChain
from gateway.outbox import (
    Submission,
    Submitter,
    enqueue,
    enqueue_declaration,
    enqueue_numbered,
    find_submission,
    retry,
    settle,
    submission_of,
)
from ledger.chain.abi import keccak
from ledger.chain.bindings import UsageDeclared
from ledger.chain.client import ChainClient
from ledger.chain.transaction import Transaction, sign_transaction
from ledger.errors import Conflict, ContractRefused, NodeRefused, RequestConflict, SequenceConflict, Unavailable
from ledger.follow import follow
from ledger.identity import Address, CarrierCode
from ledger.store.engine import open_store, reading, writing
from ledger.store.outbox import AttemptRow, SubmissionRow, attempts_of, list_submissions
from ledger.store.states import SubmissionState
from ledger.store.tables import alarms, chain_blocks, chain_logs
from ledger.typed_data import address_of_key
from tests.contracts import month
from tests.contracts.books import CN, CN_GB, GB, LIMIT, SEPTEMBER, Books, Carrier, agreement_id, deploy_books
from tests.contracts.conftest import with_agreements
from tests.gateway.fake_chain import FakeChain, Faults, calldata
from tests.ledger.store.postgres import create_database, empty_database, running_postgres
from tests.ledger.store.sqlite import fresh_sqlite
from tests.ledger.test_follow import network_of

WITH_GB = agreement_id(CN_GB)
CN_T, GB_B = CarrierCode("CN-T"), CarrierCode("GB-B")
KEY = keccak(b"sending key of the outbox")
LEDGER = Address("0x2222222222222222222222222222222222222222")
PRICE = 10**10
GAS = 500_000
BUILT, SIGNED, QUEUED, SENT = (SubmissionState(word) for word in ("built", "signed", "queued", "sent"))
MINED, FINAL, HELD, REVERTED = (SubmissionState(word) for word in ("mined", "final", "held", "reverted"))
NEEDS_OPERATOR = SubmissionState.NEEDS_OPERATOR


class MachineClock:
    """A clock the test moves."""

    def __init__(self) -> None:
        self.ms = 1_000_000

    def now_ms(self) -> int:
        return self.ms


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


@pytest.fixture(scope="module", params=list(Engine), ids=str)
def agreed(request: pytest.FixtureRequest) -> Iterator[Books]:
    with LocalChain(request.param, start_at=SEPTEMBER) as running:
        books = deploy_books(running)
        with_agreements(books)
        fund(books)
        with ChainClient(running.url) as client:
            open_key(client, KEY)
        yield books


@pytest.fixture
def books(agreed: Books) -> Iterator[Books]:
    before = agreed.chain.snapshot()
    yield agreed
    agreed.chain.revert(before)


@pytest.fixture
def client(books: Books) -> Iterator[ChainClient]:
    with ChainClient(books.chain.url, network_of(books)) as connected:
        yield connected


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(fresh_sqlite(tmp_path))
    yield opened
    opened.dispose()


@pytest.mark.chain
def test_a_call_the_contract_refuses_is_reverted_with_its_typed_error_and_no_nonce(
    books: Books, client: ChainClient, box: Store
) -> None:
    month.close_both(books)
    put_declarations(books, box, CN, [1])
    writer = real_submitter(box, client)
    (row,) = settle(writer, box, [1], 3, pause)
    assert (row.state, row.error) == (REVERTED, "PeriodAlreadyClosed")
    assert row.reason is not None and "202610" in row.reason
    assert client.nonce(writer.sender) == 1


@pytest.mark.chain
def test_declarations_past_the_line_are_held_in_order_and_other_streams_go_on(
    books: Books, client: ChainClient, box: Store
) -> None:
    held = put_declarations(books, box, CN, [LIMIT - 10, 20, 5])
    other = put_declarations(books, box, GB, [7])
    writer = real_submitter(box, client)
    rows = settle(writer, box, [*held, *other], 6, pause)
    assert [row.state for row in rows] == [FINAL, HELD, SIGNED, FINAL]
    assert rows[1].error == "CreditLineExceeded"
    assert client.nonce(writer.sender) == 3
    assert writer.step().moved == 0, "nothing is tried again while the chain stands still"
    line = month.credit_line(CN, limit_micros=LIMIT * 2, nonce=2)
    books.send("CreditBook", month.grant(books, CN, line))
    rows = settle(writer, box, held, 6, pause)
    assert [row.state for row in rows] == [FINAL, FINAL, FINAL]
    assert declared(client) == [LIMIT - 10, 7, 20, 5]


@pytest.mark.chain
def test_the_first_submission_of_a_key_has_no_nonce_that_ganache_would_execute_twice(
    books: Books, client: ChainClient, box: Store
) -> None:
    fresh = keccak(b"a sending key that sent nothing yet")
    fund(books, fresh)
    put_declarations(books, box, CN, [1])
    writer = Submitter(box, client, fresh, MachineClock(), holder="us", confirmations=1, gas_price_wei=PRICE)
    (row,) = settle(writer, box, [1], 500, pause)
    with reading(box) as connection:
        (attempt,) = attempts_of(connection, 1)
    assert (row.state, attempt.nonce) == (FINAL, 1)
    with pytest.raises(NodeRefused):
        client.send_raw(attempt.raw)
    assert declared(client) == [1]


@pytest.mark.chain
def test_a_key_without_funds_says_why_everything_waits(books: Books, client: ChainClient, box: Store) -> None:
    put_declarations(books, box, CN, [1])
    writer = Submitter(box, client, keccak(b"poor"), MachineClock(), holder="us", gas_price_wei=PRICE)
    (row,) = settle(writer, box, [1], 3, pause)
    assert (row.state, row.error) == (HELD, "NodeRefused")
    assert row.reason is not None and "funds" in row.reason.lower()


@pytest.mark.chain
def test_what_fails_in_its_block_is_explained_and_goes_again_under_a_new_nonce(
    books: Books, client: ChainClient, box: Store
) -> None:
    """The race: the preflight passed, then the line was used up by another declaration."""

    class Blind(Submitter):
        def _start_one(self, row: SubmissionRow, head: int) -> bool:
            return self._queue(row)

    put_declarations(books, box, CN, [LIMIT + 1])
    blind = Blind(box, client, KEY, MachineClock(), holder="blind", confirmations=1, gas_price_wei=PRICE)
    (row,) = settle(blind, box, [1], 3, pause)
    assert (row.state, row.error) == (HELD, "CreditLineExceeded")
    books.send("CreditBook", month.grant(books, CN, month.credit_line(CN, limit_micros=LIMIT * 2, nonce=2)))
    (row,) = settle(blind, box, [1], 3, pause)
    with reading(box) as connection:
        attempts = attempts_of(connection, 1)
    assert (row.state, [attempt.nonce for attempt in attempts]) == (FINAL, [1, 2])
    assert row.tx_hash == attempts[1].tx_hash


@pytest.mark.chain
def test_a_call_that_runs_out_of_gas_says_so(books: Books, client: ChainClient, box: Store) -> None:
    class Blind(Submitter):
        def _start_one(self, row: SubmissionRow, head: int) -> bool:
            return self._queue(row)

    (submission_id,) = put_declarations(books, box, CN, [1], gas=60_000)
    blind = Blind(box, client, KEY, MachineClock(), holder="blind", confirmations=1, gas_price_wei=PRICE)
    (row,) = settle(blind, box, [submission_id], 3, pause)
    assert row.state == REVERTED
    assert row.error == "OutOfGas"


@pytest.mark.chain
def test_the_same_bytes_are_sent_again_until_a_block_holds_them(books: Books, client: ChainClient, box: Store) -> None:
    automine(books, on=False)
    try:
        put_declarations(books, box, CN, [1])
        writer = real_submitter(box, client)
        for _ in range(3):
            writer.step()
        assert states(box) == [SENT]
    finally:
        automine(books, on=True)
    books.chain.mine()
    (row,) = settle(writer, box, [1], 5, pause)
    with reading(box) as connection:
        assert len(attempts_of(connection, 1)) == 1
    assert (row.state, declared(client)) == (FINAL, [1])


@pytest.mark.chain
def test_what_a_reorganisation_takes_back_is_sent_again_with_the_same_bytes(
    books: Books, client: ChainClient, box: Store
) -> None:
    put_declarations(books, box, CN, [1, 2])
    writer = real_submitter(box, client, confirmations=3)
    before = books.chain.snapshot()
    writer.step()
    writer.step()
    assert states(box) == [MINED, MINED]
    with reading(box) as connection:
        hashes = [row.tx_hash for row in list_submissions(connection)]
    books.chain.revert(before)
    books.chain.mine()
    writer.step()
    writer.step()
    books.chain.mine(3)
    rows = settle(writer, box, [1, 2], 5, pause)
    assert [row.state for row in rows] == [FINAL, FINAL]
    assert [row.tx_hash for row in rows] == hashes
    assert declared(client) == [1, 2]


@pytest.mark.chain
def test_a_nonce_used_behind_our_back_needs_an_operator_who_lets_it_go_again(
    books: Books, client: ChainClient, box: Store
) -> None:
    class Interrupted(Submitter):
        def _send(self, attempt: AttemptRow, row: SubmissionRow) -> None:
            raise Unavailable("the cable is cut")

    put_declarations(books, box, CN, [1])
    clock = MachineClock()
    with pytest.raises(Unavailable):
        Interrupted(box, client, KEY, clock, holder="us", confirmations=1, gas_price_wei=PRICE).step()
    assert states(box) == [QUEUED]
    writer = real_submitter(box, client)
    stray = sign_transaction(KEY, Transaction(1, writer.sender, b"", 21_000, PRICE), client.chain_id())
    client.send_raw(stray.raw)
    await_receipt(client, stray.hash)
    clock.ms += 10_000
    writer = real_submitter(box, client, clock=clock)
    (row,) = settle(writer, box, [1], 3, pause)
    assert (row.state, row.error) == (NEEDS_OPERATOR, "NonceUsed")
    with writing(box) as connection:
        retry(connection, 1, clock.now_ms())
    (row,) = settle(writer, box, [1], 3, pause)
    assert (row.state, declared(client)) == (FINAL, [1])


@pytest.mark.chain
def test_the_next_seq_counts_the_chain_and_the_outbox(books: Books, client: ChainClient, box: Store) -> None:
    month.post(books, CN, CN, 5)
    follow(client, box)
    submission_ids = put_declarations(books, box, CN, [6, 7])
    with reading(box) as connection:
        assert [submission_of(connection, each).position for each in submission_ids] == [2, 3]
        batch = submission_of(connection, submission_ids[0]).subject
        assert find_submission(connection, "declare", batch) is not None
    rows = settle(real_submitter(box, client), box, submission_ids, 5, pause)
    assert [row.state for row in rows] == [FINAL, FINAL]
    follow(client, box)
    assert put_declarations(books, box, CN, [8]) != submission_ids
    with reading(box) as connection:
        assert list_submissions(connection)[-1].position == 4


def put_declarations(
    books: Books, store: Store, creditor: Carrier, amounts: Sequence[int], gas: int = GAS
) -> list[int]:
    """CN-T declares amounts of a direction, one after the other; the ids of the submissions."""

    def submission(seq: int, amount: int) -> Submission:
        declaration = month.declaration(CN, creditor, seq=seq, amount_micros=amount)
        return Submission(
            kind="declare",
            subject=books.digest(declaration, "UsageLedger"),
            target=books.addresses["UsageLedger"],
            calldata=month.declare(books, declaration),
            gas=gas,
            agreement_id=WITH_GB,
        )

    with writing(store) as connection:
        code = CN_T if creditor is CN else GB_B
        return [
            enqueue_declaration(connection, WITH_GB, CN_T, code, lambda seq, a=amount: submission(seq, a), 0)[0]  # type: ignore[misc]
            for amount in amounts
        ]


def real_submitter(
    store: Store, client: ChainClient, confirmations: int = 1, clock: MachineClock | None = None
) -> Submitter:
    return Submitter(
        store, client, KEY, clock or MachineClock(), holder="us", confirmations=confirmations, gas_price_wei=PRICE
    )


def fund(books: Books, key: bytes = KEY) -> None:
    """Give a sending key something to pay gas with."""
    with ChainClient(books.chain.url) as client:
        payer, nonce = books.chain.funded_keys[5], client.nonce(books.accounts[5])
        gift = Transaction(nonce, address_of_key(key), b"", 21_000, PRICE, value_wei=10**18)
        signed = sign_transaction(payer, gift, client.chain_id())
        client.send_raw(signed.raw)
        await_receipt(client, signed.hash)


def open_key(client: ChainClient, key: bytes) -> None:
    """Use up nonce 0, as the submitter does by itself."""
    signed = sign_transaction(key, Transaction(0, address_of_key(key), b"", 21_000, PRICE), client.chain_id())
    client.send_raw(signed.raw)
    await_receipt(client, signed.hash)


def await_receipt(client: ChainClient, tx_hash: bytes) -> None:
    for _ in range(2_000):
        if client.receipt(tx_hash) is not None:
            return
    raise AssertionError("not mined")


def automine(books: Books, *, on: bool) -> None:
    if books.chain.engine is Engine.ANVIL:
        books.chain.rpc.call("evm_setAutomine", on)
    else:
        books.chain.rpc.call("miner_start" if on else "miner_stop")


def declared(client: ChainClient) -> list[int]:
    """The amounts declared on the chain, in its order."""
    events = client.events(0, client.block_number())
    return [each.event.declaration.amount_micros for each in events if isinstance(each.event, UsageDeclared)]


def pause() -> None:
    """The engines mine at once; nothing to wait for."""


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


def states(store: Store) -> list[SubmissionState]:
    with reading(store) as connection:
        return [row.state for row in list_submissions(connection)]
