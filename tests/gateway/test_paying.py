"""Is a payment made once, whatever is lost between the work and its answer, and twice only on purpose?"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway import month
from gateway.api import once
from gateway.api.app import build_app
from gateway.composition import Gateway, partnership_with
from gateway.month import paying, payments
from ledger.agreement_file import dump_agreement
from ledger.chain.bindings import PayableOpened, PaymentReceived
from ledger.errors import Malformed, RequestConflict
from ledger.identity import Address, ascii32
from ledger.money import Micros
from ledger.store.engine import reading, writing
from ledger.store.outbox import SubmissionRow, list_submissions, move
from ledger.store.settlement import list_payables
from ledger.store.states import SubmissionState
from tests.gateway.asking import Browser
from tests.gateway.chain_rows import said
from tests.gateway.homes import lonely_gateway
from tests.reconciliation.records import CN, GB, agreement

OWED, OTHER, EARNED = (bytes([number]) * 32 for number in (4, 5, 6))
"""Two payables that CN-T owes GB-B, and one that it is owed: 100.00 each."""
TOKEN = Address("0x" + "33" * 20)
FORTY = Micros(40_000_000)
HUNDRED = Micros(100_000_000)
PAYMENTS = "/v1/payment"
FORTY_DOLLARS = {"payable": f"0x{OWED.hex()}", "amount": {"unit": "USD", "value": "40.00"}}


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """CN-T's gateway: what its store says is outstanding, the chain says too; the token is approved."""

    def outstanding(made: Gateway, payable_id: bytes) -> tuple[int, int]:
        with reading(made.engine) as connection:
            return next(
                (row.outstanding_micros, 0) for row in list_payables(connection) if row.payable_id == payable_id
            )

    monkeypatch.setattr(Gateway, "catch_up", lambda _: None)
    monkeypatch.setattr(paying, "outstanding_of", outstanding)
    monkeypatch.setattr(payments, "_allowance", lambda *_: payments.MOST_APPROVED)
    made = lonely_gateway(tmp_path)
    made = replace(made, network=replace(made.network, tokens={"USD": TOKEN}))
    (made.settings.agreements_path / "gb-b.toml").write_text(dump_agreement(agreement()))
    held = partnership_with(made.settings, GB)
    with writing(made.engine) as connection:
        for payable_id, creditor, debtor in ((OWED, GB, CN), (OTHER, GB, CN), (EARNED, CN, GB)):
            said(
                connection,
                PayableOpened(payable_id, bytes(32), held.id, ascii32(creditor), ascii32(debtor), HUNDRED, 2_000),
            )
    yield made
    made.close()


def paid_by(gateway: Gateway) -> list[SubmissionRow]:
    with reading(gateway.engine) as connection:
        return list_submissions(connection, kind="pay")


def ended(gateway: Gateway, state: SubmissionState, paid: int = 0) -> None:
    """The last payment ends so; what it paid, in all so far, is on the chain."""
    with writing(gateway.engine) as connection:
        move(connection, list_submissions(connection, kind="pay")[-1], state, 1)
        if paid:
            said(connection, PaymentReceived(OWED, TOKEN, FORTY, 0, HUNDRED - paid, bytes(32), 1_500))


def operator(gateway: Gateway) -> Browser:
    app = build_app(gateway)
    browser = Browser(app)
    browser.headers["Authorization"] = f"Bearer {app.state.token}"
    return browser


@pytest.mark.parametrize("key", [None, "monday"])
def test_an_answer_lost_between_the_work_and_its_record_pays_once(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    """The gateway dies after the payment is in the outbox and before its answer is kept; with key also after mining."""

    def died(*_: Any) -> None:
        raise OSError("the power failed")

    browser = operator(gateway)
    headers = {"Idempotency-Key": key} if key else {}
    if key:
        with monkeypatch.context() as dying:
            dying.setattr(once, "_keep", died)
            assert browser.post(PAYMENTS, json=FORTY_DOLLARS, headers=headers).status_code == 500
        ended(gateway, SubmissionState.FINAL, paid=FORTY)
    else:
        browser.post(PAYMENTS, json=FORTY_DOLLARS)

    again = browser.post(PAYMENTS, json=FORTY_DOLLARS, headers=headers)

    (payment,) = paid_by(gateway)
    assert (again.status_code, again.json()["submission"]["id"]) == (200, payment.id)
    assert again.json()["amount"]["value"] == "40.000000"
    assert again.json()["note"]


def test_the_same_again_without_a_key_waits_for_the_first_and_says_how_to_pay_twice(gateway: Gateway) -> None:
    first = month.pay(gateway, OWED, FORTY)
    again = month.pay(gateway, OWED, FORTY)
    other = month.pay(gateway, OWED, Micros(30_000_000))
    on_purpose = month.pay(gateway, OWED, FORTY, key="a second one")

    assert first.note is None and first.submission is not None and again.submission is not None
    assert again.submission.id == first.submission.id
    assert again.note is not None and "on its way already" in again.note and "--key" in again.note
    assert (other.note, on_purpose.note, len(paid_by(gateway))) == (None, None, 3)


def test_all_that_is_outstanding_is_not_paid_while_a_part_of_it_is_on_its_way(gateway: Gateway) -> None:
    month.pay(gateway, OWED, FORTY)
    whole = month.pay(gateway, OWED)
    elsewhere = month.pay(gateway, OTHER)

    assert (whole.amount.micros, whole.note is None) == (FORTY, False)
    assert (elsewhere.amount.micros, elsewhere.note) == (HUNDRED, None)
    assert len(paid_by(gateway)) == 2


def test_once_the_first_is_paid_the_same_amount_is_another_payment(gateway: Gateway) -> None:
    month.pay(gateway, OWED, FORTY)
    ended(gateway, SubmissionState.FINAL, paid=FORTY)
    second = month.pay(gateway, OWED, FORTY)

    assert (second.note, second.outstanding.micros, len(paid_by(gateway))) == (None, HUNDRED - FORTY, 2)


@pytest.mark.parametrize("key", [None, "monday"])
def test_a_refused_payment_is_tried_again_in_its_own_place(gateway: Gateway, key: str | None) -> None:
    month.pay(gateway, OWED, FORTY, key=key)
    ended(gateway, SubmissionState.REVERTED)
    again = month.pay(gateway, OWED, FORTY, key=key)

    assert again.submission is not None and again.submission.state == SubmissionState.SIGNED
    assert (again.note, len(paid_by(gateway))) == (None, 1)


@pytest.mark.parametrize(("payable_id", "amount"), [(OWED, Micros(1)), (OTHER, FORTY), (OTHER, None)])
def test_a_key_stands_for_one_payment_only(gateway: Gateway, payable_id: bytes, amount: Micros | None) -> None:
    month.pay(gateway, OWED, FORTY, key="monday")

    with pytest.raises(RequestConflict, match="another payment"):
        month.pay(gateway, payable_id, amount, key="monday")
    assert len(paid_by(gateway)) == 1


def test_a_key_without_amount_means_what_was_outstanding_then(gateway: Gateway) -> None:
    month.pay(gateway, OWED, key="all")
    ended(gateway, SubmissionState.FINAL, paid=HUNDRED)
    again = month.pay(gateway, OWED, key="all")

    assert (again.amount.micros, again.outstanding.micros, len(paid_by(gateway))) == (HUNDRED, 0, 1)
    assert month.pay(gateway, OWED).submission is None, "nothing is left to pay"


def test_a_confirmation_repeated_after_a_lost_answer_is_the_same_one(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def died(*_: Any) -> None:
        raise OSError("the power failed")

    path, browser = "/v1/paymentConfirmation", operator(gateway)
    body, headers = (
        FORTY_DOLLARS | {"payable": f"0x{EARNED.hex()}", "bankReference": "SWIFT 1"},
        {"Idempotency-Key": "monday"},
    )
    with monkeypatch.context() as dying:
        dying.setattr(once, "_keep", died)
        assert browser.post(path, json=body, headers=headers).status_code == 500
    assert browser.post(path, json=body, headers=headers).status_code == 200
    assert month.confirm(gateway, EARNED, FORTY, "SWIFT 1").submission is not None

    with reading(gateway.engine) as connection:
        assert len(list_submissions(connection, kind="confirmation")) == 1


@pytest.mark.parametrize("amount", [0, -1])
@pytest.mark.parametrize("dry_run", [False, True])
def test_an_amount_that_is_none_is_refused_also_in_a_dry_run(gateway: Gateway, amount: int, dry_run: bool) -> None:
    with pytest.raises(Malformed, match="not an amount"):
        month.pay(gateway, OWED, Micros(amount), dry_run=dry_run)
    with pytest.raises(Malformed, match="not an amount"):
        month.confirm(gateway, EARNED, Micros(amount), "SWIFT 1", dry_run=dry_run)
