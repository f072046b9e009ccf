"""Does every submission reach a real chain once, in order, or say why not?"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine as Store

from deploy.local_chain import Engine, LocalChain
from gateway.outbox import (
    Submitter,
    find_submission,
    retry,
    settle,
    submission_of,
)
from ledger.chain.abi import keccak
from ledger.chain.client import ChainClient
from ledger.chain.transaction import Transaction, sign_transaction
from ledger.errors import NodeRefused, Unavailable
from ledger.follow import follow
from ledger.store.engine import open_store, reading, writing
from ledger.store.outbox import AttemptRow, SubmissionRow, attempts_of, list_submissions
from tests.contracts import month
from tests.contracts.books import CN, GB, LIMIT, SEPTEMBER, Books, deploy_books
from tests.contracts.conftest import with_agreements
from tests.gateway.sending import (
    FINAL,
    HELD,
    KEY,
    MINED,
    NEEDS_OPERATOR,
    PRICE,
    QUEUED,
    REVERTED,
    SENT,
    SIGNED,
    MachineClock,
    automine,
    await_receipt,
    declared,
    fund,
    open_key,
    pause,
    put_declarations,
    real_submitter,
    states,
)
from tests.ledger.followed import network_of
from tests.ledger.store.sqlite import fresh_sqlite


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
