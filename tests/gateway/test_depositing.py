"""Is a deposit made, taken back, applied and seized once each, and refused first where the chain would refuse it?"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gateway import month
from gateway.api.app import build_app
from gateway.composition import Gateway, partnership_with
from gateway.month import depositing, payments
from ledger.agreement_file import dump_agreement
from ledger.chain.abi import decode_all
from ledger.chain.bindings import (
    CREDIT_BOOK_APPLY_DEPOSIT,
    CREDIT_BOOK_DEPOSIT,
    CREDIT_BOOK_SEIZE_DEPOSIT,
    CREDIT_BOOK_WITHDRAW_DEPOSIT,
    ArrearsAdvanced,
    ArrearsStage,
    CreditBookDepositOf,
    CreditLineGranted,
    CreditStopped,
    DepositApplied,
    DepositReceived,
    ExposureChanged,
    LimitPolicy,
    PayableOpened,
)
from ledger.chain.bound import Event, Function
from ledger.errors import Conflict, Malformed, NotFound, Refused
from ledger.identity import Address, AgreementId, ascii32
from ledger.money import Micros
from ledger.store.engine import reading, writing
from ledger.store.outbox import SubmissionRow, list_submissions, move
from ledger.store.states import SubmissionState
from tests.gateway.asking import Browser
from tests.gateway.chain_rows import said
from tests.gateway.homes import lonely_gateway
from tests.reconciliation.records import CN, GB, agreement

TOKEN = Address("0x" + "33" * 20)
OWED, EARNED = bytes([4]) * 32, bytes([5]) * 32
DOLLAR = 1_000_000


def dollars(number: int) -> Micros:
    return Micros(number * DOLLAR)


@dataclass
class OnChain:
    """What the contracts answer."""

    deposited: int = 0
    nonce: int = 0
    outstanding: int = 100 * DOLLAR
    funds: int = 6 * DOLLAR


@pytest.fixture
def chain(monkeypatch: pytest.MonkeyPatch) -> OnChain:
    found = OnChain()
    monkeypatch.setattr(Gateway, "catch_up", lambda _: None)
    monkeypatch.setattr(depositing, "outstanding_of", lambda *_: (found.outstanding, 0))
    monkeypatch.setattr(payments, "_allowance", lambda *_: 0)
    monkeypatch.setattr(depositing, "funds_of", lambda *_: found.funds)
    answer = "gateway.month.depositing._held"
    monkeypatch.setattr(answer, lambda *_: CreditBookDepositOf(found.deposited, found.deposited, found.nonce))
    return found


@pytest.fixture
def gateway(tmp_path: Path, chain: OnChain) -> Iterator[Gateway]:
    """CN-T's gateway: GB-B grants it 50.00, it owes a payable of 100.00 and is owed another."""
    made = lonely_gateway(tmp_path)
    made = replace(made, network=replace(made.network, tokens={"USD": TOKEN}))
    (made.settings.agreements_path / "gb-b.toml").write_text(dump_agreement(agreement()))
    chain_says(
        made,
        CreditLineGranted(held_id(made), ascii32(GB), dollars(50), LimitPolicy.REFUSE, 0, 1),
        PayableOpened(OWED, bytes(32), held_id(made), ascii32(GB), ascii32(CN), dollars(100), 2_000),
        PayableOpened(EARNED, bytes(32), held_id(made), ascii32(CN), ascii32(GB), dollars(100), 2_000),
    )
    yield made
    made.close()


def held_id(gateway: Gateway) -> AgreementId:
    return partnership_with(gateway.settings, GB).id


def chain_says(gateway: Gateway, *events: Event) -> None:
    with writing(gateway.engine) as connection:
        said(connection, *events)


def arrived(gateway: Gateway, chain: OnChain, amount: int) -> None:
    chain.deposited += amount
    limit = dollars(50) + chain.deposited
    chain_says(gateway, DepositReceived(held_id(gateway), ascii32(GB), TOKEN, amount, chain.deposited, limit))


def used(gateway: Gateway, amount: int) -> None:
    chain_says(gateway, ExposureChanged(held_id(gateway), ascii32(GB), amount, amount, dollars(50)))


def sent(gateway: Gateway, kind: str) -> list[SubmissionRow]:
    with reading(gateway.engine) as connection:
        return list_submissions(connection, kind=kind)


def arguments(row: SubmissionRow, function: Function) -> tuple[object, ...]:
    assert row.calldata is not None
    assert row.calldata[:4] == function.selector
    return decode_all([kind for _, kind in function.inputs], row.calldata[4:])


def ended(gateway: Gateway, kind: str, state: SubmissionState) -> None:
    with writing(gateway.engine) as connection:
        move(connection, list_submissions(connection, kind=kind)[-1], state, 1)


def test_nothing_can_be_deposited_where_no_token_is_listed_and_no_amount_of_nothing(gateway: Gateway) -> None:
    with pytest.raises(Malformed, match="not an amount"):
        month.deposit(gateway, GB, dollars(0))
    with pytest.raises(NotFound, match="no settlement token"):
        month.deposit(replace(gateway, network=replace(gateway.network, tokens={})), GB, dollars(5))
    assert sent(gateway, "deposit") == []


def test_what_the_sending_key_does_not_hold_cannot_be_deposited(gateway: Gateway, chain: OnChain) -> None:
    with pytest.raises(Conflict, match="holds less") as refusal:
        month.deposit(gateway, GB, Micros(chain.funds + 1))
    assert refusal.value.got == "6.000000"
    assert sent(gateway, "approve") == sent(gateway, "deposit") == []


def test_a_deposit_waits_for_its_approval_and_a_dry_run_sends_neither(gateway: Gateway) -> None:
    month.deposit(gateway, GB, dollars(5), dry_run=True)
    assert sent(gateway, "approve") == sent(gateway, "deposit") == []
    month.deposit(gateway, GB, dollars(5))

    (approval,), (row,) = sent(gateway, "approve"), sent(gateway, "deposit")
    assert (approval.stream, approval.position, row.position) == (row.stream, 1, 2)
    assert arguments(row, CREDIT_BOOK_DEPOSIT) == (held_id(gateway), ascii32(GB), TOKEN, dollars(5))
    assert gateway.network.credit_book[2:].lower() in (approval.calldata or b"").hex(), "the book may take it, no other"


def test_twice_is_once_while_it_is_on_its_way_and_another_one_once_it_has_arrived(
    gateway: Gateway, chain: OnChain
) -> None:
    first, again = month.deposit(gateway, GB, dollars(5)), month.deposit(gateway, GB, dollars(5))
    assert (first.note, len(sent(gateway, "deposit"))) == (None, 1)
    assert again.note is not None
    ended(gateway, "deposit", SubmissionState.FINAL)
    arrived(gateway, chain, dollars(5))
    month.deposit(gateway, GB, dollars(5))
    assert len(sent(gateway, "deposit")) == 2


def test_under_one_key_there_is_one_deposit_for_ever(gateway: Gateway, chain: OnChain) -> None:
    month.deposit(gateway, GB, dollars(5), key="monday")
    ended(gateway, "deposit", SubmissionState.FINAL)
    arrived(gateway, chain, dollars(5))
    assert month.deposit(gateway, GB, dollars(5), key="monday").note
    assert len(sent(gateway, "deposit")) == 1


@pytest.mark.parametrize(
    ("amount", "used_", "told"),
    [(31, 0, "the deposit is smaller"), (11, 70, "exposure needs the deposit")],
)
def test_what_is_not_there_or_is_needed_is_not_taken_back(
    gateway: Gateway, chain: OnChain, amount: int, used_: int, told: str
) -> None:
    arrived(gateway, chain, dollars(30))
    if used_:
        used(gateway, dollars(used_))
    with pytest.raises(Conflict, match=told):
        month.withdraw_deposit(gateway, GB, dollars(amount))
    assert sent(gateway, "deposit_withdrawal") == []


def test_to_the_last_micro_that_the_exposure_does_not_need_it_comes_back(gateway: Gateway, chain: OnChain) -> None:
    arrived(gateway, chain, dollars(30))
    used(gateway, dollars(70))
    with pytest.raises(Conflict) as refusal:
        month.withdraw_deposit(gateway, GB, Micros(dollars(10) + 1))
    answer = month.withdraw_deposit(gateway, GB, dollars(10))

    assert refusal.value.expected == "at most 10.000000"
    assert answer.deposited.micros == dollars(30)
    assert answer.limit.micros == dollars(80)


def test_stopped_credit_keeps_the_deposit_and_lets_it_pay(gateway: Gateway, chain: OnChain) -> None:
    arrived(gateway, chain, dollars(30))
    chain_says(gateway, CreditStopped(held_id(gateway), ascii32(GB), 1))
    with pytest.raises(Conflict, match="stopped") as refusal:
        month.withdraw_deposit(gateway, GB, dollars(1))
    assert "gsc deposit apply" in refusal.value.todo
    assert month.apply_deposit(gateway, OWED).amount.micros == dollars(30)


def test_withdrawals_and_applications_share_gapless_numbers_and_twice_is_once(gateway: Gateway, chain: OnChain) -> None:
    """The planted fault is a number of its own for each kind: two structs would claim the same one."""
    arrived(gateway, chain, dollars(30))
    chain.nonce = 6
    for _ in range(2):
        month.withdraw_deposit(gateway, GB, dollars(5))
        month.apply_deposit(gateway, OWED, dollars(7))
        month.withdraw_deposit(gateway, GB, dollars(6))

    rows = [*sent(gateway, "deposit_withdrawal"), *sent(gateway, "deposit_application")]
    structs = [arguments(row, CREDIT_BOOK_WITHDRAW_DEPOSIT)[0] for row in rows[:2]]
    structs += [arguments(row, CREDIT_BOOK_APPLY_DEPOSIT)[0] for row in rows[2:]]
    figures = [(each.nonce, each.amount_micros) for each in structs]  # type: ignore[attr-defined]
    assert figures == [(7, dollars(5)), (9, dollars(6)), (8, dollars(7))]
    assert {row.stream for row in rows} == {rows[0].stream}


def test_only_the_debtor_applies_its_deposit_and_only_what_both_allow(gateway: Gateway, chain: OnChain) -> None:
    with pytest.raises(Refused, match="not ours to pay"):
        month.apply_deposit(gateway, EARNED)
    with pytest.raises(Conflict, match="nothing to take"):
        month.apply_deposit(gateway, OWED)
    arrived(gateway, chain, dollars(130))
    with pytest.raises(Conflict, match="does not take that much"):
        month.apply_deposit(gateway, OWED, dollars(101))
    assert month.apply_deposit(gateway, OWED).amount.micros == dollars(100)


def test_a_terminated_payable_takes_the_deposit_and_no_other_does(gateway: Gateway, chain: OnChain) -> None:
    chain.deposited = dollars(30)
    with pytest.raises(Conflict, match="only a terminated payable"):
        month.seize_deposit(gateway, EARNED)
    chain_says(
        gateway, *(ArrearsAdvanced(EARNED, ArrearsStage(stage), dollars(100), 0, 3_000 + stage) for stage in (1, 2, 3))
    )
    first, again = month.seize_deposit(gateway, EARNED), month.seize_deposit(gateway, EARNED)

    (row,) = sent(gateway, "seizure")
    assert arguments(row, CREDIT_BOOK_SEIZE_DEPOSIT) == (EARNED, TOKEN)
    assert first.submission == again.submission
    assert (first.debtor, first.amount.micros) == (GB, dollars(30))
    ended(gateway, "seizure", SubmissionState.FINAL)
    taken = DepositApplied(held_id(gateway), ascii32(CN), EARNED, TOKEN, dollars(30), 0, 0)
    chain_says(gateway, taken)
    month.seize_deposit(gateway, EARNED)
    assert len(sent(gateway, "seizure")) == 2, "what was deposited since can be seized too"


def test_the_exposure_says_what_of_the_limit_is_deposited(gateway: Gateway, chain: OnChain) -> None:
    arrived(gateway, chain, dollars(30))
    used(gateway, dollars(70))
    app = build_app(gateway)
    browser = Browser(app)
    browser.headers["Authorization"] = f"Bearer {app.state.token}"
    (told,) = browser.get("/v1/settlementAccount?partner=GB-B&debtor=CN-T").json()

    values = {name: told[name]["value"] for name in ("exposure", "creditLimit", "deposit", "left")}
    assert values == {"exposure": "70.000000", "creditLimit": "80.000000", "deposit": "30.000000", "left": "10.000000"}
    made = browser.post("/v1/deposit", json={"partner": "GB-B", "amount": {"unit": "USD", "value": "5.00"}})
    assert (made.status_code, made.json()["submission"]["state"]) == (200, "signed")
    wrong = browser.post("/v1/depositWithdrawal", json={"partner": "GB-B", "amount": {"unit": "USD", "value": "11.00"}})
    assert (wrong.status_code, wrong.json()["type"]) == (409, "/problems/conflict")
