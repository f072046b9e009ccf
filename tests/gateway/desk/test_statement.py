"""Does the statement page say how far the month is, and what became of each finding?"""

from pathlib import Path

import pytest

from gateway.composition import Gateway, Partnership, partnership_with
from gateway.desk.views.findings import finding_rows, finding_state
from gateway.desk.views.records.sealing import declared_unseen
from gateway.desk.views.statement import statement_view
from ledger.agreement import Agreement
from ledger.agreement_file import dump_agreement
from ledger.chain.bindings import (
    DisputeState,
    ItemNetted,
    ItemOpened,
    PayableOpened,
    PaymentReceived,
    StatementAgreed,
    StatementLineAgreed,
)
from ledger.identity import Address, AgreementId, BatchId, CarrierCode, Root, ascii32
from ledger.money import Micros
from ledger.period import Period
from ledger.service import Service
from ledger.store.declarations import CloseRow, DeclarationRow
from ledger.store.engine import reading, writing
from ledger.store.findings import FindingRow, ReconciliationRow, record_reconciliation
from ledger.usage import BatchScope
from reconciliation.finding import Cause, Finding, Severity
from tests.gateway.chain_rows import said
from tests.gateway.homes import lonely_gateway
from tests.reconciliation.records import agreement

CN_T, GB_B = CarrierCode("CN-T"), CarrierCode("GB-B")
OCTOBER, NOVEMBER = Period(2026, 10), Period(2026, 11)
STATEMENT, ITEM, CYCLE, PAYABLE = (bytes([number]) * 32 for number in (1, 2, 3, 4))


def settled_gateway(home: Path) -> tuple[Gateway, Partnership]:
    """CN-T's gateway; the October statement is agreed: CN-T owes GB-B 90.00, 10.00 are withheld."""
    gateway = lonely_gateway(home)
    terms: Agreement = agreement()
    gateway.settings.agreements_path.mkdir(exist_ok=True)
    (gateway.settings.agreements_path / "gb-b.toml").write_text(dump_agreement(terms))
    held = partnership_with(gateway.settings, GB_B)
    with writing(gateway.engine) as connection:
        said(
            connection,
            StatementAgreed(STATEMENT, held.id, OCTOBER.key, bytes(32), False, 1_000, 2_000),
            StatementLineAgreed(
                STATEMENT, ascii32(GB_B), Service.VOICE, 100_000_000, 70_000_000, 90_000_000, 10_000_000
            ),
            ItemOpened(ITEM, STATEMENT, held.id, ascii32(GB_B), 90_000_000, 2_000),
        )
    return gateway, held


def standing(gateway: Gateway, period: Period = OCTOBER) -> tuple[dict[str, str], str]:
    view = statement_view(gateway, GB_B, period)
    return {step.word: step.standing for step in view.steps}, view.next_command


def test_an_agreed_statement_waits_for_netting(tmp_path: Path) -> None:
    gateway, _ = settled_gateway(tmp_path)

    steps, command = standing(gateway)
    gateway.close()

    assert (steps["accept"], steps["net"], steps["pay"]) == ("done", "now", "todo")
    assert command == "gsc net"


def test_a_cycle_that_leaves_nothing_between_the_two_ends_the_month(tmp_path: Path) -> None:
    gateway, _ = settled_gateway(tmp_path)
    with writing(gateway.engine) as connection:
        said(connection, ItemNetted(ITEM, CYCLE))

    steps, command = standing(gateway)
    gateway.close()

    assert (steps["net"], steps["pay"], command) == ("done", "done", "")


@pytest.mark.parametrize(
    ("debtor", "creditor", "command"), [(CN_T, GB_B, f"gsc pay 0x{PAYABLE.hex()}"), (GB_B, CN_T, "gsc age")]
)
def test_what_a_cycle_left_is_paid_next(tmp_path: Path, debtor: str, creditor: str, command: str) -> None:
    gateway, held = settled_gateway(tmp_path)
    left = PayableOpened(PAYABLE, CYCLE, held.id, ascii32(creditor), ascii32(debtor), 5_000_000, 2_000)
    with writing(gateway.engine) as connection:
        said(connection, ItemNetted(ITEM, CYCLE), left)

    steps, said_next = standing(gateway)
    with writing(gateway.engine) as connection:
        token = Address("0x" + "33" * 20)
        said(connection, PaymentReceived(PAYABLE, token, 5_000_000, 0, 0, bytes(32), 1_500))
    after = standing(gateway)
    gateway.close()

    assert (steps["net"], steps["pay"], said_next) == ("done", "now", command)
    assert (after[0]["pay"], after[1]) == ("done", "")


def test_a_month_without_anything_has_done_nothing_though_another_month_is_paid(tmp_path: Path) -> None:
    gateway, held = settled_gateway(tmp_path)
    left = PayableOpened(PAYABLE, CYCLE, held.id, ascii32(GB_B), ascii32(CN_T), 5_000_000, 2_000)
    with writing(gateway.engine) as connection:
        said(connection, ItemNetted(ITEM, CYCLE), left)

    steps, command = standing(gateway, NOVEMBER)
    gateway.close()

    assert set(steps.values()) == {"now", "todo"}
    assert command == "gsc import FILE --preset PRESET"


def test_an_agreed_statement_shows_the_figures_that_both_signed(tmp_path: Path) -> None:
    gateway, _ = settled_gateway(tmp_path)

    view = statement_view(gateway, GB_B, OCTOBER)
    gateway.close()

    (row,) = view.rows
    assert (row.theirs_micros, row.ours_micros) == (100_000_000, 70_000_000)
    assert (row.agreed_micros, row.withheld_micros, view.net_micros) == (90_000_000, 10_000_000, -90_000_000)


def found(cause: Cause, severity: Severity, theirs: int) -> FindingRow:
    return FindingRow(
        cause, severity, GB_B, Service.VOICE, OCTOBER, 1, Micros(0), Micros(theirs), None, None, None, "because", "rule"
    )


@pytest.mark.parametrize(("signed", "rate"), [(False, "dispute"), (True, "not_disputed")])
def test_findings_below_the_volume_rule_are_let_pass_and_none_is_to_dispute_after_the_statement(
    tmp_path: Path, signed: bool, rate: str
) -> None:
    gateway, held = settled_gateway(tmp_path)
    period = OCTOBER if signed else NOVEMBER
    scope = BatchScope(held.id, CN_T, GB_B, Service.VOICE, period)
    run = ReconciliationRow(scope, Micros(0), Micros(1_000_000_000), 0, 0, 3, None, 1)
    rows = [
        found(Cause.MISSING_AT_OURS, Severity.DISPUTE, 9_000_000),
        found(Cause.RATE, Severity.DISPUTE, 1),
        found(Cause.DURATION_WITHIN_TOLERANCE, Severity.NOTICE, 1),
    ]
    with writing(gateway.engine) as connection:
        record_reconciliation(connection, run, rows)
    with reading(gateway.engine) as connection:
        states = [row.state.word for row in finding_rows(connection, held, period)]
    gateway.close()

    assert states == ["let_pass", rate, "notice"]


def test_a_disputed_finding_shows_its_dispute_also_after_the_statement() -> None:
    finding = Finding(
        Cause.RATE, Severity.DISPUTE, GB_B, Service.VOICE, OCTOBER, 1, Micros(0), Micros(1), None, None, None, "", ""
    )

    state = finding_state(finding, True, DisputeState.CREDITED, agreed=True)

    assert state.word == "credited"


@pytest.mark.parametrize(
    ("declared_in", "closed_in", "unseen"),
    [(5, [], True), (5, [7], True), (8, [7], True), (8, [7, 9], True), (10, [7, 9], False)],
)
def test_a_declaration_is_made_unseen_until_both_have_closed(
    declared_in: int, closed_in: list[int], unseen: bool
) -> None:
    scope = BatchScope(AgreementId(bytes(32)), CN_T, GB_B, Service.VOICE, OCTOBER)
    declared = DeclarationRow(
        batch_id=BatchId(bytes(32)),
        scope=scope,
        seq=1,
        root=Root(bytes(32)),
        count=1,
        from_ms=0,
        to_ms=0,
        quantity=0,
        amount_micros=Micros(0),
        deck_hash=bytes(32),
        corrects=bytes(32),
        igw="",
        deadline=0,
        declared_at=0,
        block_number=declared_in,
        log_index=0,
    )
    closes = [
        CloseRow(scope.agreement_id, carrier, OCTOBER, 1, 1, 0, block)
        for carrier, block in zip((CN_T, GB_B), closed_in, strict=False)
    ]

    assert declared_unseen(declared, closes) is unseen
