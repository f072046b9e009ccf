"""Is what stands on chain already taken for done, and something else in its place for what it is?"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy import Engine as Store

from deploy.engines import Engine
from deploy.local_chain import LocalChain
from gateway.outbox import Submission, Submitter, enqueue, settle
from gateway.submitter import STANDS, STANDS_SOON
from ledger.chain import bindings as b
from ledger.chain.abi import keccak
from ledger.chain.client import ChainClient
from ledger.follow import follow
from ledger.store.engine import open_store, reading, writing
from ledger.store.outbox import SubmissionRow, attempts_of
from ledger.store.states import SubmissionState
from tests.contracts import month
from tests.contracts.books import CN, CN_GB, GB, NEVER, SEPTEMBER, Books, agreement_id, deploy_books, terms
from tests.gateway.sending import PRICE, MachineClock, automine, fund, open_key, pause
from tests.ledger.followed import network_of
from tests.ledger.store.sqlite import fresh_sqlite

pytestmark = pytest.mark.chain
KEYS = (keccak(b"sending key of CN-T"), keccak(b"sending key of GB-B"))
GAS = 2_000_000
FINAL, HELD, REVERTED = SubmissionState.FINAL, SubmissionState.HELD, SubmissionState.REVERTED


@pytest.fixture(scope="module")
def agreed() -> Iterator[Books]:
    with LocalChain(Engine.GANACHE, start_at=SEPTEMBER) as running:
        books = deploy_books(running)
        month.with_agreements(books)
        with ChainClient(running.url) as client:
            for key in KEYS:
                fund(books, key)
                open_key(client, key)
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
def boxes(tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    """The outboxes of two gateways."""
    opened = []
    for name in ("cn-t", "gb-b"):
        (tmp_path / name).mkdir()
        opened.append(open_store(fresh_sqlite(tmp_path / name)))
    yield opened[0], opened[1]
    for each in opened:
        each.dispose()


def agreement(books: Books) -> Submission:
    other = terms(CN, GB, document_hash=keccak(b"the next agreement"))
    signatures = (books.signed(CN, other, "AgreementBook"), books.signed(GB, other, "AgreementBook"))
    calldata = b.calldata_agreement_book_sign(other, *signatures)
    return call(books, "agreement", "AgreementBook", other.struct_hash(), calldata)


def declaration(books: Books, amount_micros: int = 5) -> Submission:
    declared = month.declaration(CN, CN, amount_micros=amount_micros)
    subject = books.digest(declared, "UsageLedger")
    return call(books, "declare", "UsageLedger", subject, month.declare(books, declared))


def close(books: Books, deadline: int = NEVER) -> Submission:
    closing = month.period_close(books, CN, deadline=deadline)
    return call(books, "close", "UsageLedger", books.digest(closing, "UsageLedger"), month.close(books, closing))


def statement(books: Books, batches: bytes = b"batches") -> Submission:
    """Of a month in which CN-T is owed 7; declared and closed the first time."""
    if b.result_usage_ledger_closed_at(books.call("UsageLedger", closed_by_gb())) == 0:
        for declarer in (CN, GB):
            month.post(books, declarer, CN, 7)
        month.close_both(books)
    drawn = month.statement(month.line(CN, 7, 7), batches_hash=keccak(batches))
    return call(books, "statement", "SettlementBook", books.digest(drawn, "SettlementBook"), month.agree(books, drawn))


def netting_cycle(books: Books) -> Submission:
    items = month.items_of([month.settle_month(books, CN_GB, 0, 9)])
    cycle = month.cycle(items, month.leg(CN_GB, GB, 9))
    subject = books.digest(cycle, "SettlementBook")
    return call(books, "netting_cycle", "SettlementBook", subject, month.net(books, cycle, CN, GB))


def resolution(books: Books, credited_micros: int = 2) -> Submission:
    raised = month.dispute(CN, 3)
    dispute_id = books.digest(raised, "SettlementBook")
    state = books.call("SettlementBook", b.calldata_settlement_book_dispute_of(dispute_id))
    if b.result_settlement_book_dispute_of(state).state is b.DisputeState.NONE:
        for declarer in (CN, GB):
            month.post(books, declarer, CN, 7)
        month.close_both(books)
        books.send("SettlementBook", month.open_dispute(books, GB, raised))
    agreed = b.Resolution(dispute_id, credited_micros, 3 - credited_micros, NEVER)
    subject = books.digest(agreed, "SettlementBook")
    return call(books, "resolution", "SettlementBook", subject, month.resolve(books, CN, GB, agreed))


SAID_TWICE: Mapping[str, Callable[[Books], Submission]] = {
    "agreement": agreement,
    "declare": declaration,
    "close": close,
    "statement": statement,
    "netting_cycle": netting_cycle,
    "resolution": resolution,
}


def something_else(books: Books, kind: str) -> tuple[Submission, Submission]:
    """Two that exclude each other."""
    match kind:
        case "declare":
            return declaration(books, 5), declaration(books, 6)
        case "statement":
            return statement(books), statement(books, b"other batches")
    return resolution(books, 2), resolution(books, 1)


@pytest.mark.parametrize("kind", list(SAID_TWICE))
def test_what_the_other_side_put_there_first_is_done_and_uses_no_nonce(
    books: Books, client: ChainClient, boxes: tuple[Store, Store], kind: str
) -> None:
    same = SAID_TWICE[kind](books)
    first, second = put(boxes[0], same), put(boxes[1], same)
    assert run(boxes[0], client, 0, first).state == FINAL
    follow(client, boxes[1])

    row = run(boxes[1], client, 1, second)

    assert (row.state, row.error, row.reason, row.tx_hash) == (FINAL, None, STANDS, None)
    with reading(boxes[1]) as connection:
        assert attempts_of(connection, second) == []


@pytest.mark.parametrize("kind", ["declare", "statement", "resolution"])
def test_something_else_in_its_place_is_refused(
    books: Books, client: ChainClient, boxes: tuple[Store, Store], kind: str
) -> None:
    one, other = something_else(books, kind)
    assert run(boxes[0], client, 0, put(boxes[0], one)).state == FINAL
    follow(client, boxes[1])

    row = run(boxes[1], client, 1, put(boxes[1], other))

    assert row.state == REVERTED
    assert row.error in ("SequenceUnexpected", "StatementAlreadyAgreed", "DisputeStateUnexpected")


def test_a_period_closed_by_a_close_with_other_numbers_is_refused(
    books: Books, client: ChainClient, boxes: tuple[Store, Store]
) -> None:
    early = close(books)
    month.post(books, CN, CN, 4)
    assert run(boxes[0], client, 0, put(boxes[0], close(books))).state == FINAL
    second = put(boxes[1], early)

    unread = run(boxes[1], client, 1, second)
    follow(client, boxes[1])
    read = run(boxes[1], client, 1, second)

    assert (unread.state, unread.reason) == (HELD, STANDS_SOON), "our store does not know the close yet"
    assert (read.state, read.error) == (REVERTED, "PeriodAlreadyClosed")


def test_two_in_one_block_are_both_done(books: Books, client: ChainClient, boxes: tuple[Store, Store]) -> None:
    """The race: both preflights pass, one call fails in its block."""
    same = statement(books)
    ids = put(boxes[0], same), put(boxes[1], same)
    writers = [submitter(box, client, at) for at, box in enumerate(boxes)]
    automine(books, on=False)
    try:
        for writer in writers:
            writer.step()
    finally:
        automine(books, on=True)
    books.chain.mine()

    rows = [settle(writer, box, [each], 5, pause)[0] for writer, box, each in zip(writers, boxes, ids, strict=True)]

    assert [row.state for row in rows] == [FINAL, FINAL]
    assert [row.reason for row in rows].count(STANDS) == 1
    assert [len(tried(box, each)) for box, each in zip(boxes, ids, strict=True)] == [1, 1]


def test_it_is_not_done_before_the_block_is_final(
    books: Books, client: ChainClient, boxes: tuple[Store, Store]
) -> None:
    same = statement(books)
    books.send("SettlementBook", same.calldata or b"")
    second = put(boxes[1], same)

    early = run(boxes[1], client, 1, second, confirmations=3)
    books.chain.mine(2)
    late = run(boxes[1], client, 1, second, confirmations=3)

    assert (early.state, early.reason) == (HELD, STANDS_SOON)
    assert (late.state, late.reason) == (FINAL, STANDS)


def call(books: Books, kind: str, contract: str, subject: bytes, calldata: bytes) -> Submission:
    return Submission(kind, subject, books.addresses[contract], calldata, GAS, agreement_id=agreement_id(CN_GB))


def closed_by_gb() -> bytes:
    return b.calldata_usage_ledger_closed_at(agreement_id(CN_GB), GB.id, 202610)


def put(box: Store, submission: Submission) -> int:
    with writing(box) as connection:
        return enqueue(connection, submission, 0)


def tried(box: Store, submission_id: int) -> list[object]:
    with reading(box) as connection:
        return list(attempts_of(connection, submission_id))


def submitter(box: Store, client: ChainClient, at: int, confirmations: int = 1) -> Submitter:
    clock = MachineClock()
    return Submitter(box, client, KEYS[at], clock, holder="us", confirmations=confirmations, gas_price_wei=PRICE)


def run(box: Store, client: ChainClient, at: int, submission_id: int, confirmations: int = 1) -> SubmissionRow:
    return settle(submitter(box, client, at, confirmations), box, [submission_id], 4, pause)[0]
