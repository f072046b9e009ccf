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
    ArrearsStage,
    DisputeOpened,
    DisputeState,
    LimitPolicy,
    PayableOpened,
    Resolution,
    UsageDeclared,
)
from ledger.chain.client import ChainClient
from ledger.chain.network import CONTRACTS, Network
from ledger.chain.seen import Log
from ledger.errors import ChainMismatch
from ledger.follow import follow, replay_equals_live
from ledger.identity import Address, BatchId, CarrierCode
from ledger.period import period_of_key
from ledger.sealing import LeafValues
from ledger.service import Service
from ledger.store.agreements import agreement_of, is_key_of, list_agreements, list_carriers, list_rate_notices
from ledger.store.chain_log import checkpoint, list_alarms
from ledger.store.credit import credit_of, list_exposure_changes
from ledger.store.declarations import (
    batches_hash,
    closed_by,
    declared_micros,
    last_seq,
    list_declarations,
    list_inline_leaves,
)
from ledger.store.engine import open_store, reading, writing
from ledger.store.event_tables import EVENT_TABLES
from ledger.store.settlement import (
    list_arrears,
    list_cycles,
    list_disputes,
    list_items,
    list_payables,
    list_payments,
    list_positions,
    list_statement_lines,
    list_statements,
    withheld_micros,
)
from ledger.usage import BatchScope
from tests.contracts import month
from tests.contracts.books import (
    CN,
    CN_GB,
    CN_US,
    DAY,
    GB,
    GB_US,
    LIMIT,
    PERIOD,
    SEPTEMBER,
    Books,
    agreement_id,
    deploy_books,
)
from tests.contracts.conftest import with_agreements
from tests.contracts.inline import header, inline, records
from tests.contracts.test_deposits import deposit, endow, withdrawal
from tests.ledger.store.postgres import create_database, running_postgres
from tests.ledger.store.sqlite import fresh_sqlite

pytestmark = pytest.mark.chain
OCTOBER = period_of_key(PERIOD)
CN_T, GB_B, US_A = (CarrierCode(code) for code in ("CN-T", "GB-B", "US-A"))
WITH_GB = agreement_id(CN_GB)


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


def run_month(books: Books) -> None:
    """GB-B terminates for 10 USD of CN-T's, of which 3 are disputed and 1 credited; the rest is owed, and late."""
    post_both(books)
    month.close_both(books)
    raised = month.dispute(GB, 3_000_000)
    opened = books.send("SettlementBook", month.open_dispute(books, CN, raised))
    dispute_id = opened.only(DisputeOpened).dispute_id
    drawn = month.statement(month.line(GB, 10_000_000, 8_000_000, withheld=3_000_000))
    agreed = books.send("SettlementBook", month.agree(books, drawn))
    resolution = Resolution(dispute_id, 1_000_000, 2_000_000, 2**64 - 1)
    resolved = books.send("SettlementBook", month.resolve(books, GB, CN, resolution))
    assert month.items_of([resolved]), "what a dispute decides enters the next cycle as its own item"
    netting = month.cycle(month.items_of([agreed]), month.leg(CN_GB, GB, 7_000_000))
    netted = books.send("SettlementBook", month.net(books, netting, CN, GB))
    payable = netted.only(PayableOpened).payable_id
    books.send("PaymentBook", month.confirm(books, GB, month.confirmation(payable, 2_000_000)))
    books.chain.advance_to(books.now() + 45 * DAY)
    books.send("PaymentBook", month.advance(payable))


def post_both(books: Books) -> None:
    month.post(books, GB, GB, 10_000_000)
    month.post(books, CN, GB, 8_000_000)


def expect_month(books: Books, store: Store) -> None:
    with reading(store) as connection:
        ours = BatchScope(WITH_GB, GB_B, GB_B, Service.VOICE, OCTOBER)
        assert declared_micros(connection, ours) == 10_000_000
        assert declared_micros(connection, ours._replace(declarer=CN_T)) == 8_000_000
        assert last_seq(connection, WITH_GB, GB_B, GB_B) == 1
        assert closed_by(connection, WITH_GB, OCTOBER) == {CN_T, GB_B}
        ids = sorted(row.batch_id for row in list_declarations(connection, WITH_GB, OCTOBER))
        assert batches_hash(connection, WITH_GB, OCTOBER) == keccak(b"".join(ids))
        (dispute,) = list_disputes(connection, WITH_GB, OCTOBER)
        assert dispute.state in (DisputeState.CREDITED, DisputeState.PAYMENT_DUE, DisputeState.SETTLED)
        assert (dispute.amount_micros, dispute.credited_micros, dispute.due_micros) == (3_000_000, 1_000_000, 2_000_000)
        assert (dispute.reason, dispute.withheld_micros) == ("duration_bias", 0)
        assert withheld_micros(connection, WITH_GB, OCTOBER, GB_B, Service.VOICE) == 0
        (statement,) = list_statements(connection, WITH_GB)
        assert statement.agreed_at is not None and not statement.by_silence
        (line,) = list_statement_lines(connection, statement.statement_id)
        assert (line.creditor_micros, line.debtor_micros) == (10_000_000, 8_000_000)
        assert (line.agreed_micros, line.withheld_micros) == (7_000_000, 3_000_000)
        taken, waiting = list_items(connection, WITH_GB)
        (cycle,) = list_cycles(connection)
        assert (taken.amount_micros, taken.cycle_id) == (7_000_000, cycle.cycle_id)
        assert (waiting.amount_micros, waiting.cycle_id) == (2_000_000, None)
        assert list_items(connection, waiting_only=True) == [waiting]
        positions = {row.carrier: row.position_micros for row in list_positions(connection, cycle.cycle_id)}
        assert positions == {CN_T: -7_000_000, GB_B: 7_000_000}
        (payable,) = list_payables(connection, WITH_GB)
        (payment,) = list_payments(connection, payable.payable_id)
        assert (payment.amount_micros, payable.amount_micros) == (2_000_000, 7_000_000)
        assert (payable.creditor, payable.debtor, payable.outstanding_micros) == (GB_B, CN_T, 5_000_000)
        (step,) = list_arrears(connection, payable.payable_id)
        assert payable.stage == step.stage == ArrearsStage.OVERDUE
        changes = list_exposure_changes(connection, WITH_GB)
        credit = credit_of(connection, WITH_GB, GB_B)
        assert credit.exposure_micros == sum(change.change_micros for change in changes)
        assert credit.exposure_micros == month.exposure(books, GB)
        assert not credit_of(connection, agreement_id(GB_US), US_A).exposure_micros


def network_of(books: Books) -> Network:
    client = ChainClient(books.chain.url)
    genesis = client.block("earliest")
    assert genesis is not None
    codes = {name: keccak(client.code(books.addresses[name])) for name in CONTRACTS}
    client.close()
    return Network(
        name="test",
        chain_id=books.chain.chain_id,
        genesis_hash=genesis.hash,
        first_block=0,
        confirmations=1,
        gas_price_wei=10**10,
        addresses={name: books.addresses[name] for name in CONTRACTS},
        code_hashes=codes,
        tokens={},
    )


def batch_ids(store: Store) -> list[bytes]:
    with reading(store) as connection:
        return [row.batch_id for row in list_declarations(connection)]


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
