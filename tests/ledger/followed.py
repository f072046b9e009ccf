"""What do tests of the follower need? A month on three agreements, and what the store must then say."""

from sqlalchemy import Engine as Store

from ledger.chain.abi import keccak
from ledger.chain.bindings import (
    ArrearsStage,
    DisputeOpened,
    DisputeState,
    PayableOpened,
    Resolution,
)
from ledger.chain.client import ChainClient
from ledger.chain.network import CONTRACTS, Network
from ledger.identity import CarrierCode
from ledger.period import period_of_key
from ledger.service import Service
from ledger.store.credit import credit_of, list_exposure_changes
from ledger.store.declarations import (
    batches_hash,
    closed_by,
    declared_micros,
    last_seq,
    list_declarations,
)
from ledger.store.engine import reading
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
    DAY,
    GB,
    GB_US,
    PERIOD,
    Books,
    agreement_id,
)

OCTOBER = period_of_key(PERIOD)
CN_T, GB_B, US_A = (CarrierCode(code) for code in ("CN-T", "GB-B", "US-A"))
WITH_GB = agreement_id(CN_GB)


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
