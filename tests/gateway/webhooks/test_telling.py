"""Which events are told, and how do they look?"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from gateway.composition import Gateway, partnership_with
from gateway.webhooks.telling import TYPES, body_of, circle_of, told_of, type_of
from ledger.agreement_file import dump_agreement
from ledger.chain.bindings import (
    CarrierSuspended,
    CreditLineGranted,
    DisputeOpened,
    DisputeState,
    DisputeStateChanged,
    ItemNetted,
    ItemOpened,
    LimitPolicy,
    NettingCycleExecuted,
    PositionNetted,
    ThresholdChanged,
)
from ledger.chain.bound import Event
from ledger.identity import AgreementId, ascii32
from ledger.service import Service
from ledger.store.engine import reading, writing
from ledger.store.webhooks import Place, events_from
from tests.gateway.chain_rows import said
from tests.gateway.homes import lonely_gateway
from tests.reconciliation.records import GB, agreement

DISPUTE, ITEM, OTHER_ITEM, CYCLE, OTHER_CYCLE = (bytes([at]) * 32 for at in range(1, 6))
HOSTILE = AgreementId(b"x" * 32)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    """CN-T's gateway with an agreement with GB-B."""
    made = lonely_gateway(tmp_path)
    (made.settings.agreements_path / "gb-b.toml").write_text(dump_agreement(agreement()))
    yield made
    made.close()


def told(gateway: Gateway, *events: Event) -> list[Mapping[str, object] | None]:
    """What is told of each of these events."""
    with writing(gateway.engine) as connection:
        said(connection, *events)
    with reading(gateway.engine) as connection:
        logged = events_from(connection, Place(0, 0), 100)
        messages = [told_of(connection, circle_of(gateway), each) for each in logged]
    return [None if each is None else json.loads(body_of(each)) for each in messages]


def test_names_of_solidity_become_types() -> None:
    assert type_of("StatementAgreed") == "statement.agreed"
    assert type_of("NettingCycleExecuted") == "netting_cycle.executed"
    assert type_of("CreditAlert") == "credit.alert"
    assert len(set(TYPES.values())) == len(TYPES)
    assert "ThresholdChanged" not in TYPES


def test_the_docs_list_every_type() -> None:
    page = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text("utf-8")
    assert {each for each in TYPES.values() if f"`{each}`" not in page} == set()


def test_a_dispute_is_told_with_money_words_and_moments(gateway: Gateway) -> None:
    held = partnership_with(gateway.settings, GB)
    rate = ascii32("rate")
    opened = DisputeOpened(DISPUTE, held.id, 202610, ascii32(GB), Service.VOICE, rate, 50_000_000, bytes(32), 2)
    changed = DisputeStateChanged(DISPUTE, DisputeState.PAYMENT_DUE, 20_000_000, 2**100)

    first, second = told(gateway, opened, changed)

    assert first == {
        "type": "dispute.opened",
        "timestamp": "1970-01-01T00:00:01.000Z",
        "data": {
            "block": 1,
            "logIndex": 0,
            "transaction": "0x" + "00" * 32,
            "event": "DisputeOpened",
            "agreementId": f"0x{held.id.hex()}",
            "partner": "GB-B",
            "disputeId": f"0x{DISPUTE.hex()}",
            "period": "2026-10",
            "creditor": "GB-B",
            "service": "voice",
            "reason": "rate",
            "amount": {"unit": "USD", "value": "50.000000"},
            "evidenceHash": "0x" + "00" * 32,
            "openedAt": "1970-01-01T00:00:02.000Z",
        },
    }
    assert second is not None and isinstance(second["data"], dict)
    assert second["data"]["state"] == "payment_due"
    assert second["data"]["credited"] == {"unit": "USD", "value": "20.000000"}
    assert second["data"]["due"]["value"] == f"{2**100 // 10**6}.{2**100 % 10**6:06d}"


def test_numbers_past_2_53_are_text(gateway: Gateway) -> None:
    held = partnership_with(gateway.settings, GB)
    [said_of_it] = told(gateway, CreditLineGranted(held.id, ascii32(GB), 1, LimitPolicy(0), 0, 2**60))
    assert said_of_it is not None and isinstance(said_of_it["data"], dict)
    assert said_of_it["data"]["nonce"] == str(2**60)
    assert said_of_it["data"]["policy"] == LimitPolicy(0).name.lower()


def test_what_others_have_between_them_is_not_told(gateway: Gateway) -> None:
    events = (
        DisputeOpened(DISPUTE, HOSTILE, 202610, ascii32("XX-1"), Service.VOICE, bytes(32), 5, bytes(32), 2),
        DisputeStateChanged(DISPUTE, DisputeState.PAYMENT_DUE, 1, 1),
        CarrierSuspended(ascii32("XX-1"), 3),
        ThresholdChanged(2),
    )
    assert told(gateway, *events) == [None] * 4


def test_a_cycle_is_told_if_it_takes_an_item_of_ours(gateway: Gateway) -> None:
    held = partnership_with(gateway.settings, GB)
    found = told(
        gateway,
        ItemOpened(ITEM, bytes(32), held.id, ascii32(GB), 7, 9),
        ItemOpened(OTHER_ITEM, bytes(32), HOSTILE, ascii32("XX-1"), 7, 9),
        ItemNetted(ITEM, CYCLE),
        ItemNetted(OTHER_ITEM, OTHER_CYCLE),
        PositionNetted(CYCLE, ascii32(GB), -5),
        NettingCycleExecuted(CYCLE, ascii32("USD"), 1, 2_000_000, 1_000_000),
        NettingCycleExecuted(OTHER_CYCLE, ascii32("USD"), 2, 2, 1),
        CarrierSuspended(ascii32(GB), 3),
    )
    types = [None if each is None else each["type"] for each in found]
    assert types == [
        "item.opened",
        None,
        "item.netted",
        None,
        "position.netted",
        "netting_cycle.executed",
        None,
        "carrier.suspended",
    ]
    cycle = found[5]
    assert cycle is not None and isinstance(cycle["data"], dict)
    assert cycle["data"]["gross"] == {"unit": "USD", "value": "2.000000"}
