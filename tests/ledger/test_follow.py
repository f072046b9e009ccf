"""Does the store say what the chain says, also after the chain changed its mind?"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine as Store
from sqlalchemy import delete, update

import deploy.local_chain
import ledger.follow
from deploy.engines import ChainOptions, command
from deploy.local_chain import Engine, LocalChain
from ledger.chain.abi import keccak
from ledger.chain.bindings import (
    LimitPolicy,
    UsageDeclared,
)
from ledger.chain.client import ChainClient
from ledger.chain.network import Network
from ledger.chain.seen import Log
from ledger.errors import ChainMismatch
from ledger.follow import follow, replay_equals_live
from ledger.identity import Address, BatchId
from ledger.sealing import LeafValues
from ledger.service import Service
from ledger.store.agreements import agreement_of, is_key_of, list_agreements, list_carriers, list_rate_notices
from ledger.store.chain_log import checkpoint, list_alarms
from ledger.store.credit import credit_of
from ledger.store.declarations import (
    list_declarations,
    list_inline_leaves,
)
from ledger.store.engine import open_store, reading, writing
from ledger.store.event_tables import EVENT_TABLES
from tests.contracts import month
from tests.contracts.books import (
    CN,
    CN_GB,
    CN_US,
    DAY,
    GB,
    LIMIT,
    SEPTEMBER,
    Books,
    agreement_id,
    deploy_books,
)
from tests.contracts.conftest import with_agreements
from tests.contracts.inline import header, inline, records
from tests.contracts.test_deposits import deposit, endow, withdrawal
from tests.ledger.followed import CN_T, GB_B, US_A, WITH_GB, batch_ids, expect_month, network_of, run_month
from tests.ledger.store.postgres import create_database, running_postgres
from tests.ledger.store.sqlite import fresh_sqlite

pytestmark = pytest.mark.chain


@pytest.fixture(scope="module", params=list(Engine), ids=str)
def agreed(request: pytest.FixtureRequest) -> Iterator[Books]:
    """It is November; three agreements and their credit lines stand, nothing is declared."""
    with LocalChain(request.param, start_at=SEPTEMBER) as chain:
        books = deploy_books(chain)
        with_agreements(books)
        yield books


@pytest.fixture
def books(agreed: Books) -> Iterator[Books]:
    """The same, put back after the test."""
    before = agreed.chain.snapshot()
    yield agreed
    agreed.chain.revert(before)


@pytest.fixture
def network(books: Books) -> Network:
    return network_of(books)


@pytest.fixture
def client(books: Books, network: Network) -> Iterator[ChainClient]:
    with ChainClient(books.chain.url, network) as connected:
        yield connected


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(fresh_sqlite(tmp_path))
    yield opened
    opened.dispose()


# REFUSALS AND WHAT IS TAKEN BACK


def test_a_chain_with_another_genesis_is_refused_and_nothing_is_taken_back(
    client: ChainClient, store: Store, network: Network
) -> None:
    follow(client, store)
    with writing(store) as connection:
        for row in EVENT_TABLES[UsageDeclared].metadata.tables["chain_blocks"].columns[1:2]:
            connection.execute(update(row.table).values({row: keccak(b"another chain")}))
    client.network = replace(network, genesis_hash=keccak(b"another genesis"))
    with pytest.raises(ChainMismatch):
        follow(client, store)
    with reading(store) as connection:
        assert len(list_agreements(connection)) == 3


def test_what_a_reverted_chain_takes_back_is_gone_and_what_comes_instead_is_there(
    books: Books, client: ChainClient, store: Store
) -> None:
    before = books.chain.snapshot()
    first = month.post(books, CN, CN, 1_000_000)
    second = month.post(books, CN, CN, 2_000_000)
    assert follow(client, store).logs_taken_back == 0
    assert batch_ids(store) == [first, second]
    books.chain.revert(before)
    third = month.post(books, CN, CN, 5_000_000)
    assert follow(client, store).logs_taken_back >= 2
    assert batch_ids(store) == [third]
    with reading(store) as connection:
        assert credit_of(connection, WITH_GB, CN_T).exposure_micros == 5_000_000
    assert replay_equals_live(store, client) == []


def test_a_reorganisation_of_anvil_is_followed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = [part for part in command(Engine.ANVIL, ChainOptions(0, 1337, 0, None, None)) if "prune" in part]
    assert whole, "anvil reorganises only what it did not prune"
    monkeypatch.setattr(deploy.local_chain, "command", lambda *given: [p for p in command(*given) if p not in whole])
    with LocalChain(Engine.ANVIL, start_at=SEPTEMBER) as chain:
        books = deploy_books(chain)
        with_agreements(books)
        with ChainClient(chain.url, network_of(books)) as client:
            kept = month.post(books, CN, CN, 1_000_000)
            for amount in (2_000_000, 3_000_000):
                month.post(books, CN, CN, amount)
            follow(client, store)
            assert len(batch_ids(store)) == 3
            chain.rpc.call("anvil_reorg", 2, [])
            assert follow(client, store).logs_taken_back == 4
            assert batch_ids(store) == [kept]
            assert replay_equals_live(store, client) == []


def test_blocks_that_are_not_final_yet_are_not_read(books: Books, client: ChainClient, store: Store) -> None:
    client.network = replace(network_of(books), confirmations=3)
    batch = month.post(books, CN, CN, 1_000_000)
    follow(client, store)
    assert batch_ids(store) == []
    books.chain.mine(2)
    follow(client, store)
    assert batch_ids(store) == [batch]


def test_a_chain_that_moves_while_it_is_read_is_read_again(
    books: Books, network: Network, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = books.chain.snapshot()
    month.post(books, CN, CN, 1_000_000)
    moves: list[str] = [before]

    class Moving(ChainClient):
        def logs(self, first: int, last: int, addresses: Sequence[Address] | None = None) -> list[Log]:
            found = super().logs(first, last, addresses)
            if moves:
                books.chain.revert(moves.pop())
                month.post(books, CN, CN, 2_000_000)
            return found

    with Moving(books.chain.url, network) as client:
        follow(client, store)
        assert replay_equals_live(store, client) == []
    with reading(store) as connection:
        assert [row.amount_micros for row in list_declarations(connection)] == [2_000_000]


def test_a_history_of_random_reverts_always_ends_at_what_a_fresh_reading_gives(
    books: Books, client: ChainClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger.follow, "RANGE_BLOCKS", 3)
    rng = random.Random(202610)
    taken_back, snapshots = 0, [books.chain.snapshot()]
    for _ in range(40):
        match rng.randrange(5):
            case 0:
                books.chain.mine(rng.randint(1, 3))
            case 1:
                snapshots.append(books.chain.snapshot())
            case 2:
                del snapshots[rng.randrange(len(snapshots)) + 1 :]
                books.chain.revert(snapshots.pop())
                snapshots.append(books.chain.snapshot())
            case 3:
                month.post(books, CN, rng.choice([CN, GB]), rng.randint(1, 9))
            case _:
                taken_back += follow(client, store).logs_taken_back
    follow(client, store)
    assert taken_back > 0, "no reorganisation was ever seen: the history shows nothing"
    assert replay_equals_live(store, client) == []


def test_a_row_changed_or_lost_behind_our_back_is_a_difference(books: Books, client: ChainClient, store: Store) -> None:
    """The planted fault that shows what `gsc doctor` would say."""
    for amount in (1_000_000, 2_000_000):
        month.post(books, CN, CN, amount)
    follow(client, store)
    declared = EVENT_TABLES[UsageDeclared]
    with writing(store) as connection:
        connection.execute(update(declared).where(declared.c.seq == 1).values(amount_micros=1))
        connection.execute(delete(declared).where(declared.c.seq == 2))
    changed, lost = replay_equals_live(store, client)
    assert "usage_declared" in changed and "differs" in changed
    assert "usage_declared" in lost and "not in the store" in lost


def test_a_declaration_missing_from_the_store_raises_an_alarm_at_the_next(
    books: Books, client: ChainClient, store: Store
) -> None:
    """The planted fault: the second assertion of the rule that sequence numbers have no gap."""
    month.post(books, CN, CN, 1_000_000)
    follow(client, store)
    with writing(store) as connection:
        connection.execute(delete(EVENT_TABLES[UsageDeclared]))
    month.post(books, CN, CN, 1_000_000)
    (alarm,) = follow(client, store).alarms
    assert (alarm.rule, alarm.agreement_id) == ("sequence numbers have no gap", WITH_GB)
    with reading(store) as connection:
        assert list_alarms(connection, WITH_GB) == [alarm]
        assert list_alarms(connection, agreement_id(CN_US)) == []


# THE MONTH


def test_following_again_changes_nothing_and_until_stops(books: Books, client: ChainClient, store: Store) -> None:
    month.post(books, CN, CN, 1_000_000)
    head = client.block_number()
    assert follow(client, store, until=head - 1).checkpoint == head - 1
    assert batch_ids(store) == []
    assert (follow(client, store).checkpoint, len(batch_ids(store))) == (head, 1)
    again = follow(client, store)
    assert (again.checkpoint, again.blocks, again.logs, again.logs_taken_back, again.alarms) == (head, 0, 0, 0, ())
    with reading(store) as connection:
        reached = checkpoint(connection)
    assert reached is not None and reached.timestamp == client.now_ms() // 1000


def test_reading_in_small_ranges_gives_the_same_rows(
    books: Books, client: ChainClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    month.settle_month(books, CN_GB, 7_000_000, 4_000_000)
    monkeypatch.setattr(ledger.follow, "RANGE_BLOCKS", 1)
    follow(client, store)
    monkeypatch.undo()
    assert replay_equals_live(store, client) == []


def test_agreements_carriers_keys_rates_and_lines_stand_in_the_store(
    books: Books, client: ChainClient, store: Store
) -> None:
    books.send("AgreementBook", month.publish(books, GB, month.rate_notice(GB, effective_at=books.now() + 30 * DAY)))
    follow(client, store)
    with reading(store) as connection:
        assert [(row.carrier, row.active) for row in list_carriers(connection)] == [
            (CN_T, True),
            (GB_B, True),
            (US_A, True),
        ]
        assert is_key_of(connection, CN_T, CN.address, books.now())
        assert not is_key_of(connection, CN_T, GB.address, books.now())
        agreement = agreement_of(connection, WITH_GB)
        assert (agreement.carrier_low, agreement.carrier_high, agreement.currency) == (CN_T, GB_B, "USD")
        assert agreement.services == frozenset(Service)
        assert agreement.counterparty(CN_T) == GB_B
        assert len(list_agreements(connection, CN_T)) == 2
        (notice,) = list_rate_notices(connection, WITH_GB, GB_B, Service.VOICE)
        assert (notice.deck_hash, notice.seq) == (keccak(b"deck 1"), 1)
        credit = credit_of(connection, WITH_GB, GB_B)
        assert (credit.limit_micros, credit.policy, credit.nonce) == (LIMIT, LimitPolicy.REFUSE, 1)
        assert (credit.exposure_micros, credit.left_micros, credit.stopped) == (0, LIMIT, False)


def test_a_month_from_declaration_to_arrears_stands_in_the_store(
    books: Books, client: ChainClient, store: Store
) -> None:
    run_month(books)
    followed = follow(client, store)
    assert followed.alarms == ()
    expect_month(books, store)
    assert replay_equals_live(store, client) == []


@pytest.mark.postgres
def test_the_same_month_stands_in_postgresql(books: Books, client: ChainClient) -> None:
    run_month(books)
    with running_postgres() as url:
        store = open_store(create_database(url, "gsc"))
        follow(client, store)
        expect_month(books, store)
        assert replay_equals_live(store, client) == []
        store.dispose()


def test_the_leaves_of_an_inline_declaration_are_told_in_their_order(
    books: Books, client: ChainClient, store: Store
) -> None:
    calls = records(3)
    inlined = books.send("UsageLedger", inline(books, header(calls), calls)).only(UsageDeclared)
    committed = month.post(books, CN, CN, 1_000_000)
    follow(client, store)
    with reading(store) as connection:
        leaves = [LeafValues(*call.values()).hash() for call in calls]
        assert list_inline_leaves(connection, inlined.batch_id) == leaves
        assert list_inline_leaves(connection, BatchId(committed)) == []


def test_a_deposit_raises_the_limit_that_is_told(books: Books, client: ChainClient, store: Store) -> None:
    endow(books, "USD")
    deposit(books, 5_000_000)
    deposit(books, 2_000_000)
    books.send("CreditBook", withdrawal(books, 3_000_000))
    follow(client, store)
    with reading(store) as connection:
        credit = credit_of(connection, WITH_GB, GB_B)
    assert (credit.deposit_micros, credit.limit_micros) == (4_000_000, LIMIT + 4_000_000)
