"""Is each verb that writes done once, when the process dies over it, and when it is said again on another day?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gateway import month
from gateway.composition import Gateway, partnership_with
from gateway.month import depositing, paying, payments, sending
from gateway.month.decisions import call_of
from gateway.month.governing import proposal_id_of
from ledger.agreement_file import dump_agreement
from ledger.chain.bindings import (
    ArrearsAdvanced,
    ArrearsStage,
    CreditBookDepositOf,
    CreditLineGranted,
    DepositReceived,
    DisputeOpened,
    LimitPolicy,
    MemberInvited,
    MemberJoined,
    PayableOpened,
    ProposalApproved,
    ProposalMade,
)
from ledger.identity import Address, Root, ascii32
from ledger.money import Micros
from ledger.service import Service
from ledger.store.batches import SealedBatch, record_batch
from ledger.store.engine import reading, writing
from ledger.store.outbox import SubmissionRow, list_submissions
from ledger.typed_data import address_of_key
from ledger.usage import BatchScope
from tests.gateway.chain_rows import said
from tests.gateway.homes import SENDING_KEY, lonely_gateway
from tests.reconciliation.records import CN, GB, MONTH_START_MS, OCTOBER, agreement

NOBODY, TOKEN = Address("0x" + "00" * 20), Address("0x" + "33" * 20)
US = address_of_key(SENDING_KEY)
OTHERS = [address_of_key(bytes(31) + bytes([at])) for at in (101, 102)]
OWED, LATE, EARNED, DISPUTE = (bytes([at]) * 32 for at in (4, 5, 6, 7))
DAY_MS = 86_400_000
DOLLAR = 1_000_000
OPEN_CALL, READY_CALL = call_of("suspend", {"carrier": "GB-B"}), call_of("remove", {"carrier": "GB-B"})
OPEN, READY = proposal_id_of(OPEN_CALL, bytes(32)), proposal_id_of(READY_CALL, bytes(32))


@dataclass
class Clock:
    at_ms: int = MONTH_START_MS + 40 * DAY_MS

    def now_ms(self) -> int:
        return self.at_ms


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """CN-T's gateway in November: a member that owes, is owed, has deposited, disputes, and has a batch to declare."""
    monkeypatch.setattr(Gateway, "catch_up", lambda _: None)
    monkeypatch.setattr(payments, "_allowance", lambda *_: payments.MOST_APPROVED)
    monkeypatch.setattr(depositing, "funds_of", lambda *_: 9 * DOLLAR)
    for module in (paying, depositing):
        monkeypatch.setattr(module, "outstanding_of", lambda *_: (100 * DOLLAR, 0))
    monkeypatch.setattr(depositing, "_held", lambda *_: CreditBookDepositOf(9 * DOLLAR, 9 * DOLLAR, 2))
    made = lonely_gateway(tmp_path)
    made = replace(made, network=replace(made.network, tokens={"USD": TOKEN}), clock=Clock())
    (made.settings.agreements_path / "gb-b.toml").write_text(dump_agreement(agreement()))
    deck = "destination,code,rate,increment\nChina,86,0.0300,1/1\n"
    (made.settings.decks_path / "cn-t.csv").write_text(deck)
    held = partnership_with(made.settings, GB).id
    gb, cn, hundred = ascii32(GB), ascii32(CN), 100 * DOLLAR
    with writing(made.engine) as connection:
        said(
            connection,
            *(MemberJoined(each, NOBODY, 2) for each in (US, OTHERS[0])),
            ProposalMade(OPEN, OTHERS[0], OPEN_CALL),
            ProposalApproved(OPEN, OTHERS[0], 1, 0),
            ProposalMade(READY, OTHERS[0], READY_CALL),
            ProposalApproved(READY, OTHERS[0], 2, 1),
            MemberInvited(OTHERS[1], NOBODY, 2),
            CreditLineGranted(held, gb, 50 * DOLLAR, LimitPolicy.REFUSE, 0, 1),
            DepositReceived(held, gb, TOKEN, 9 * DOLLAR, 9 * DOLLAR, 59 * DOLLAR),
            PayableOpened(OWED, bytes(32), held, gb, cn, hundred, 2_000),
            PayableOpened(EARNED, bytes(32), held, cn, gb, hundred, 2_000),
            PayableOpened(LATE, bytes(32), held, cn, gb, hundred, 2_000),
            *(ArrearsAdvanced(LATE, ArrearsStage(stage), hundred, 0, 2_000 + stage) for stage in (1, 2, 3)),
            DisputeOpened(DISPUTE, held, OCTOBER.key, gb, Service.VOICE, ascii32("rate"), DOLLAR, bytes(32), 9),
        )
        record_batch(
            connection,
            SealedBatch(
                scope=BatchScope(held, CN, GB, Service.VOICE, OCTOBER),
                root=Root(b"r" * 32),
                count=1,
                from_ms=MONTH_START_MS,
                to_ms=MONTH_START_MS,
                quantity=1,
                amount_micros=Micros(5),
                deck_hash=bytes(32),
                archive_path="",
                sealed_at_ms=1,
            ),
        )
    yield made
    made.close()


def joining(gateway: Gateway) -> object:
    return month.join(replace(gateway, sending_key=bytes(31) + bytes([102])))


VERBS: dict[str, Callable[[Gateway], object]] = {
    "rates": lambda g: month.publish_rates(g, GB, "cn-t.csv", 1_900_000_000),
    "credit_line": lambda g: month.grant_credit(g, GB, Micros(7)),
    "declare": month.declare,
    "close": lambda g: month.close(g, OCTOBER.after),
    "resolution": lambda g: month.withdraw(g, DISPUTE),
    "payee": lambda g: month.set_payee(g, TOKEN),
    "pay": lambda g: month.pay(g, OWED),
    "confirmation": lambda g: month.confirm(g, EARNED, Micros(7), "bank 7"),
    "arrears": month.age,
    "deposit": lambda g: month.deposit(g, GB, Micros(7)),
    "deposit_withdrawal": lambda g: month.withdraw_deposit(g, GB, Micros(7)),
    "deposit_application": lambda g: month.apply_deposit(g, OWED, Micros(7)),
    "seizure": lambda g: month.seize_deposit(g, LATE),
    "proposal": lambda g: month.propose(g, "reinstate", {"carrier": "GB-B"}),
    "approval": lambda g: month.approve(g, OPEN),
    "execution": lambda g: month.execute(g, READY),
    "membership": joining,
}
"""By the kind of submission that each makes."""


class PowerCut(BaseException):
    """The process dies here."""


def sent(gateway: Gateway) -> list[SubmissionRow]:
    with reading(gateway.engine) as connection:
        return list_submissions(connection)


@pytest.mark.parametrize("kind", VERBS)
def test_a_verb_over_which_the_process_died_is_done_once_however_often_and_whenever_it_is_said_again(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """The outbox has taken it, and the power fails before the transaction commits."""
    enqueue = sending.enqueue

    def dies(*arguments: object) -> int:
        enqueue(*arguments)  # type: ignore[arg-type]
        raise PowerCut

    with monkeypatch.context() as dying:
        dying.setattr(sending, "enqueue", dies)
        with pytest.raises(PowerCut):
            VERBS[kind](gateway)
    assert sent(gateway) == []
    VERBS[kind](gateway)
    (row,) = sent(gateway)
    VERBS[kind](gateway)
    VERBS[kind](replace(gateway, clock=Clock(MONTH_START_MS + 43 * DAY_MS)))

    assert sent(gateway) == [row], "the same call, byte for byte, also under another day's deadline"
    assert (row.kind, row.gas) == (kind, sending.GAS[kind])
