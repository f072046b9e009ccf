"""When is each webhook told what? In the order of the chain, at least once, again after growing pauses.

The place moves after an event was taken, so whatever kills us in between, it is sent again under the same id.
"""

import logging
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.composition import Gateway, SystemClock
from gateway.webhooks.sending import GONE, Send, Sender, Taken
from gateway.webhooks.signature import signed_headers
from gateway.webhooks.telling import PING, TYPES, Circle, body_of, circle_of, id_of, message, told_of
from ledger.clock import Clock
from ledger.errors import GscError, NotFound
from ledger.store.engine import reading, writing
from ledger.store.webhooks import (
    LoggedEvent,
    Place,
    Webhook,
    due_webhooks,
    end_of_log,
    events_from,
    move_place,
    note_delivery,
    note_failure,
    webhook_of,
)

SECOND_MS, DAY_MS = 1_000, 86_400_000
PAUSES_MS = tuple(seconds * SECOND_MS for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400))
"""After the first failure, the second, …; the last for all that follow. As the specification proposes."""
GIVE_UP_AFTER_MS = 5 * DAY_MS
"""Of nothing but failures."""
READ_AT_ONCE = 100
TURN = 20
"""Deliveries to one webhook before the next one's turn."""
CONTENT = {"Content-Type": "application/json", "User-Agent": "gsc-webhooks"}
ROUND_SECONDS = 0.5
Jitter = Callable[[int], int]
"""A whole number below its argument, any of them."""
_log = logging.getLogger("gsc.webhooks")


@dataclass(frozen=True, slots=True)
class Deliverer:
    """Tells the webhooks of one gateway."""

    gateway: Gateway
    send: Send
    clock: Clock
    jitter: Jitter

    def deliver_due(self, stop: threading.Event | None = None) -> int:
        """One turn for each webhook whose time has come, until `stop` is set; how many events were taken."""
        with reading(self.gateway.engine) as connection:
            due = due_webhooks(connection, self.clock.now_ms())
            end = end_of_log(connection)
        waiting = [webhook for webhook in due if webhook.place < end]
        if not waiting:
            return 0
        circle = circle_of(self.gateway)
        stopped = stop or threading.Event()
        return sum(self._turn(webhook.id, circle, stopped) for webhook in waiting)

    def ping(self, webhook: Webhook, message_id: str) -> Taken:
        """Send a message that means nothing; the webhook's place and pauses stay."""
        said = message(PING, self.clock.now_ms() // SECOND_MS, {"webhook": webhook.id})
        return self._post(webhook, message_id, body_of(said))

    def _turn(self, webhook_id: str, circle: Circle, stop: threading.Event) -> int:
        taken = 0
        while taken < TURN and not stop.is_set() and self._step(webhook_id, circle):
            taken += 1
        return taken

    def _step(self, webhook_id: str, circle: Circle) -> bool:
        """Tell the next event; whether it was taken."""
        found = self._next(webhook_id, circle)
        if found is None:
            return False
        webhook, event, body = found
        became = self._post(webhook, id_of(event), body)
        now_ms = self.clock.now_ms()
        with writing(self.gateway.engine) as connection:
            if became.failure is None:
                return note_delivery(connection, webhook, _after(event), now_ms)
            self._put_off(connection, webhook, became, now_ms)
        return False

    def _next(self, webhook_id: str, circle: Circle) -> tuple[Webhook, LoggedEvent, bytes] | None:
        """The next event to tell, None at the end of the log; what is not told is gone over for good."""
        while True:
            with reading(self.gateway.engine) as connection:
                try:
                    webhook = webhook_of(connection, webhook_id)
                except NotFound:
                    return None
                end = end_of_log(connection)
                events = events_from(connection, webhook.place, READ_AT_ONCE)
                for event in events:
                    said = told_of(connection, circle, event) if _wants(webhook, event) else None
                    if said is not None:
                        return webhook, event, body_of(said)
            to = _after(events[-1]) if len(events) == READ_AT_ONCE else end
            with writing(self.gateway.engine) as connection:
                if webhook.place >= to or not move_place(connection, webhook, to) or to == end:
                    return None

    def _post(self, webhook: Webhook, message_id: str, body: bytes) -> Taken:
        headers = signed_headers(webhook.secret, message_id, self.clock.now_ms() // SECOND_MS, body)
        return self.send(webhook.url, {**CONTENT, **headers}, body)

    def _put_off(self, connection: Connection, webhook: Webhook, became: Taken, now_ms: int) -> None:
        since = now_ms if webhook.failing_since_ms is None else webhook.failing_since_ms
        pause = PAUSES_MS[min(webhook.failures, len(PAUSES_MS) - 1)]
        note_failure(
            connection,
            webhook,
            became.failure or "",
            now_ms=now_ms,
            next_at_ms=now_ms + pause + self.jitter(pause // 10),
            disable=became.status == GONE or now_ms - since >= GIVE_UP_AFTER_MS,
        )


def deliverer_of(gateway: Gateway) -> Deliverer:
    """By this machine's clock and network."""
    sender = Sender(gateway.settings.webhooks.networks)
    return Deliverer(gateway, sender, SystemClock(), secrets.randbelow)


def run(deliverer: Deliverer, stop: threading.Event) -> None:
    """Deliver until `stop` is set; a store that is busy is asked again."""
    while not stop.wait(ROUND_SECONDS):
        try:
            deliverer.deliver_due(stop)
        except GscError as error:
            _log.warning("telling webhooks: %s", error)


def _wants(webhook: Webhook, event: LoggedEvent) -> bool:
    return not webhook.events or TYPES.get(event.name) in webhook.types


def _after(event: LoggedEvent) -> Place:
    return Place(event.place.block, event.place.log_index + 1)
