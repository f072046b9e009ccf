"""Is every event told, in order, at least once, whatever fails in between?"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from gateway.composition import Gateway, partnership_with
from gateway.webhooks import delivering
from gateway.webhooks.delivering import DAY_MS, PAUSES_MS, TURN, Deliverer
from gateway.webhooks.sending import Taken
from ledger.agreement_file import dump_agreement
from ledger.chain.bindings import CreditStopped, StatementAgreed
from ledger.identity import ascii32
from ledger.store.chain_log import roll_back
from ledger.store.engine import reading, writing
from ledger.store.tables import chain_blocks, webhooks
from ledger.store.webhooks import Place, Webhook, add_webhook, remove_webhook, resume_webhook, webhook_of
from tests.gateway.chain_rows import said
from tests.gateway.homes import lonely_gateway
from tests.reconciliation.records import GB, agreement

START_MS = 1_790_000_000_000
TAKEN = Taken(200, None)
FAILED = Taken(500, "HTTP 500")
HOOK = Webhook(
    id="a" * 16,
    url="https://hook.example/",
    secret=b"s" * 32,
    events="",
    next_block=0,
    next_index=0,
    failures=0,
    failing_since_ms=None,
    next_at_ms=0,
    last_failure=None,
    last_failure_at_ms=None,
    delivered=0,
    last_delivered_at_ms=None,
    disabled_at_ms=None,
    created_at_ms=START_MS,
)


@dataclass
class Clock:
    at_ms: int = START_MS

    def now_ms(self) -> int:
        return self.at_ms


@dataclass
class Listener:
    """A receiver that answers as told, and keeps id and content of each message."""

    answer: Callable[[], Taken] = lambda: TAKEN
    ids: list[str] = field(default_factory=list)
    told: list[dict[str, object]] = field(default_factory=list)

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> Taken:
        self.ids.append(headers["webhook-id"])
        self.told.append(json.loads(body))
        return self.answer()

    @property
    def blocks(self) -> list[object]:
        return [each["data"]["block"] for each in self.told]  # type: ignore[index]


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    """CN-T's gateway with an agreement with GB-B."""
    made = lonely_gateway(tmp_path)
    (made.settings.agreements_path / "gb-b.toml").write_text(dump_agreement(agreement()))
    yield made
    made.close()


def stopped(gateway: Gateway, count: int) -> None:
    """The chain says `count` times something about our agreement, and as often of one that is not ours."""
    held = partnership_with(gateway.settings, GB)
    with writing(gateway.engine) as connection:
        for at in range(count):
            said(connection, CreditStopped(held.id, ascii32(GB), 100 + at))
            said(connection, CreditStopped(b"x" * 32, ascii32("XX-1"), 100 + at))  # type: ignore[arg-type]


def hooked(gateway: Gateway, **values: object) -> None:
    with writing(gateway.engine) as connection:
        add_webhook(connection, replace(HOOK, **values))  # type: ignore[arg-type]


def hook(gateway: Gateway) -> Webhook:
    with reading(gateway.engine) as connection:
        return webhook_of(connection, HOOK.id)


def deliverer(gateway: Gateway, listener: Listener, clock: Clock | None = None) -> Deliverer:
    return Deliverer(gateway, listener, clock or Clock(), lambda _: 0)


def test_what_is_ours_is_told_in_the_order_of_the_chain_and_once(gateway: Gateway) -> None:
    stopped(gateway, 3)
    hooked(gateway)
    listener = Listener()
    tell = deliverer(gateway, listener)

    assert [tell.deliver_due(), tell.deliver_due()] == [3, 0]
    assert listener.blocks == [1, 3, 5]
    assert len(set(listener.ids)) == 3
    assert (hook(gateway).place, hook(gateway).delivered) == (Place(7, 0), 3)


def test_only_the_types_that_were_asked_for_are_told(gateway: Gateway) -> None:
    stopped(gateway, 1)
    held = partnership_with(gateway.settings, GB)
    with writing(gateway.engine) as connection:
        said(connection, StatementAgreed(bytes(32), held.id, 202610, bytes(32), False, 11, 12))
    hooked(gateway, events="dispute.opened statement.agreed")
    listener = Listener()
    deliverer(gateway, listener).deliver_due()

    assert [each["type"] for each in listener.told] == ["statement.agreed"]


def test_a_failure_holds_the_order_and_is_tried_again_under_its_id_after_growing_pauses(gateway: Gateway) -> None:
    stopped(gateway, 2)
    hooked(gateway)
    listener, clock = Listener(lambda: FAILED), Clock()
    tell = deliverer(gateway, listener, clock)
    for failures, pause in enumerate(PAUSES_MS[:4], 1):
        tell.deliver_due()
        assert (hook(gateway).failures, hook(gateway).next_at_ms) == (failures, clock.at_ms + pause)
        clock.at_ms += pause - 1
        tell.deliver_due()
        assert len(listener.ids) == failures, "too early"
        clock.at_ms += 1
    assert hook(gateway).last_failure == "HTTP 500"

    listener.answer = lambda: TAKEN
    assert tell.deliver_due() == 2
    assert listener.blocks == [1, 1, 1, 1, 1, 3]
    assert len(set(listener.ids)) == 2
    assert (hook(gateway).failures, hook(gateway).failing_since_ms) == (0, None)


def test_pauses_grow_and_chance_adds_at_most_a_tenth(gateway: Gateway) -> None:
    assert list(PAUSES_MS) == sorted(PAUSES_MS)
    stopped(gateway, 1)
    hooked(gateway)
    asked: list[int] = []
    Deliverer(gateway, Listener(lambda: FAILED), Clock(), lambda below: asked.append(below) or 7).deliver_due()

    assert asked == [PAUSES_MS[0] // 10]
    assert hook(gateway).next_at_ms == START_MS + PAUSES_MS[0] + 7


@pytest.mark.parametrize(("answer", "after_ms"), [(Taken(410, "HTTP 410"), 0), (FAILED, 5 * DAY_MS)])
def test_a_receiver_that_is_gone_is_given_up_and_goes_on_where_it_stood(
    gateway: Gateway, answer: Taken, after_ms: int
) -> None:
    stopped(gateway, 1)
    hooked(gateway, failures=9 if after_ms else 0, failing_since_ms=START_MS if after_ms else None)
    listener, clock = Listener(lambda: answer), Clock(START_MS + after_ms)
    tell = deliverer(gateway, listener, clock)
    tell.deliver_due()
    assert hook(gateway).disabled_at_ms == clock.at_ms

    clock.at_ms += 30 * DAY_MS
    listener.answer = lambda: TAKEN
    assert tell.deliver_due() == 0
    with writing(gateway.engine) as connection:
        resume_webhook(connection, HOOK.id, clock.at_ms)
    assert tell.deliver_due() == 1
    assert listener.blocks == [1, 1]


def test_failures_of_less_than_five_days_disable_nothing(gateway: Gateway) -> None:
    stopped(gateway, 1)
    hooked(gateway, failures=9, failing_since_ms=START_MS)
    deliverer(gateway, Listener(lambda: FAILED), Clock(START_MS + 5 * DAY_MS - 1)).deliver_due()
    assert hook(gateway).disabled_at_ms is None


class Killed(BaseException):
    """The process ends here."""


def killed_after_taking(gateway: Gateway) -> list[object]:
    """The blocks that were told before and after a death between the delivery and what is noted of it."""
    stopped(gateway, 3)
    hooked(gateway)
    listener = Listener()

    def answer() -> Taken:
        if len(listener.ids) == 2:
            raise Killed
        return TAKEN

    listener.answer = answer
    with pytest.raises(Killed):
        while True:
            deliverer(gateway, listener).deliver_due()
    deliverer(gateway, listener).deliver_due()
    return listener.blocks


def test_a_restart_in_the_middle_loses_nothing(gateway: Gateway) -> None:
    assert killed_after_taking(gateway) == [1, 3, 3, 5]


def test_a_place_that_is_stored_before_the_delivery_is_noticed(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The planted fault: the second event is lost."""
    post = Deliverer._post

    def stored_before(self: Deliverer, webhook: Webhook, message_id: str, body: bytes) -> Taken:
        block = json.loads(body)["data"]["block"]
        with writing(self.gateway.engine) as connection:
            connection.execute(update(webhooks).values(next_block=block, next_index=1))
        return post(self, webhook, message_id, body)

    monkeypatch.setattr(delivering.Deliverer, "_post", stored_before)
    blocks = killed_after_taking(gateway)
    assert blocks != [1, 3, 3, 5] and blocks.count(3) == 1


def test_a_reorganisation_moves_the_place_back_and_what_comes_instead_has_another_id(gateway: Gateway) -> None:
    stopped(gateway, 2)
    hooked(gateway)
    listener = Listener()
    tell = deliverer(gateway, listener)
    tell.deliver_due()
    with writing(gateway.engine) as connection:
        roll_back(connection, 2)
    assert hook(gateway).place == Place(3, 0)

    stopped(gateway, 1)
    with writing(gateway.engine) as connection:
        connection.execute(update(chain_blocks).where(chain_blocks.c.number == 3).values(hash=b"r" * 32))
    tell.deliver_due()

    assert listener.blocks == [1, 3, 3]
    assert len(set(listener.ids)) == 3


def test_a_reorganisation_during_a_delivery_is_not_forgotten(gateway: Gateway) -> None:
    stopped(gateway, 2)
    hooked(gateway, next_block=3)
    listener = Listener()

    def reorganised() -> Taken:
        with writing(gateway.engine) as connection:
            roll_back(connection, 0)
        listener.answer = lambda: TAKEN
        return TAKEN

    listener.answer = reorganised
    tell = deliverer(gateway, listener)
    tell.deliver_due()
    assert hook(gateway).place == Place(1, 0)
    stopped(gateway, 1)
    assert tell.deliver_due() == 1
    assert listener.blocks == [3, 1]


def test_what_is_above_a_fork_only_is_told_again(gateway: Gateway) -> None:
    stopped(gateway, 2)
    hooked(gateway)
    listener = Listener()
    deliverer(gateway, listener).deliver_due()
    with writing(gateway.engine) as connection:
        roll_back(connection, 99)
    assert hook(gateway).place == Place(5, 0)


def test_each_webhook_has_its_turn(gateway: Gateway) -> None:
    stopped(gateway, TURN + 1)
    hooked(gateway)
    hooked(gateway, id="b" * 16)
    listener = Listener()
    tell = deliverer(gateway, listener)

    assert [tell.deliver_due(), tell.deliver_due(), tell.deliver_due()] == [2 * TURN, 2, 0]


def test_many_events_that_are_not_ours_are_gone_over(gateway: Gateway) -> None:
    with writing(gateway.engine) as connection:
        for at in range(delivering.READ_AT_ONCE * 2 + 3):
            said(connection, CreditStopped(b"x" * 32, ascii32("XX-1"), at))  # type: ignore[arg-type]
    hooked(gateway)
    listener = Listener()
    assert deliverer(gateway, listener).deliver_due() == 0
    assert (listener.ids, hook(gateway).place) == ([], Place(delivering.READ_AT_ONCE * 2 + 4, 0))


def test_a_webhook_that_is_deleted_meanwhile_is_told_no_more(gateway: Gateway) -> None:
    stopped(gateway, 2)
    hooked(gateway)
    listener = Listener()

    def deleted() -> Taken:
        with writing(gateway.engine) as connection:
            remove_webhook(connection, HOOK.id)
        return TAKEN

    listener.answer = deleted
    assert deliverer(gateway, listener).deliver_due() == 0
    assert listener.blocks == [1]


def test_an_empty_block_moves_nobody_past_what_may_come(gateway: Gateway) -> None:
    with writing(gateway.engine) as connection:
        connection.execute(insert(chain_blocks).values(number=1, hash=bytes(32), timestamp=1))
    hooked(gateway)
    listener = Listener()
    tell = deliverer(gateway, listener)
    tell.deliver_due()
    stopped(gateway, 1)
    tell.deliver_due()
    assert listener.blocks == [2]


def test_a_gateway_that_stops_delivers_nothing_more(gateway: Gateway) -> None:
    stopped(gateway, 3)
    hooked(gateway)
    listener, stop = Listener(), threading.Event()

    def stopping() -> Taken:
        stop.set()
        return TAKEN

    listener.answer = stopping
    assert deliverer(gateway, listener).deliver_due(stop) == 1
    assert listener.blocks == [1]
