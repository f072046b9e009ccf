"""Which of our systems are told what the chain says, how far, and what stands in the way?"""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.composition import Gateway
from gateway.desk.views.moods import Mood, State
from ledger.store.engine import reading
from ledger.store.webhooks import Webhook, end_of_log, list_webhooks


@dataclass(frozen=True, slots=True)
class WebhookRow:
    """One address that is told."""

    id: str
    url: str
    types: Sequence[str]
    """None for all."""
    state: State
    next_block: int
    blocks_behind: int
    """Read, and not told yet: of many of their events there may be nothing to tell."""
    delivered: int
    last_delivered_at_ms: int | None
    failures: int
    """In a row."""
    last_failure: str
    last_failure_at_ms: int | None
    next_at_ms: int | None
    """When it is tried again; None unless it fails."""
    todo: str
    """Key of what a person should do."""
    took_test: bool


@dataclass(frozen=True, slots=True)
class WebhooksView:
    """Every webhook, the oldest first."""

    rows: Sequence[WebhookRow]
    origin: str


def webhooks_view(gateway: Gateway, origin: str, tested: str = "") -> WebhooksView:
    """The page of webhooks; `tested` is the one whose test message was taken just now."""
    with reading(gateway.engine) as connection:
        end = end_of_log(connection)
        found = list_webhooks(connection)
    return WebhooksView([_row(each, end.block, tested) for each in found], origin)


def webhook_state(webhook: Webhook) -> State:
    """How a webhook stands."""
    if webhook.disabled_at_ms is not None:
        return State("disabled", Mood.BAD)
    return State("failing", Mood.WARN) if webhook.failures else State("active", Mood.GOOD)


def _row(webhook: Webhook, end: int, tested: str) -> WebhookRow:
    state = webhook_state(webhook)
    return WebhookRow(
        id=webhook.id,
        url=webhook.url,
        types=webhook.types,
        state=state,
        next_block=webhook.next_block,
        blocks_behind=max(0, end - webhook.next_block),
        delivered=webhook.delivered,
        last_delivered_at_ms=webhook.last_delivered_at_ms,
        failures=webhook.failures,
        last_failure=webhook.last_failure or "",
        last_failure_at_ms=webhook.last_failure_at_ms,
        next_at_ms=webhook.next_at_ms if state.word == "failing" else None,
        todo=f"webhook.todo.{state.word}",
        took_test=webhook.id == tested,
    )
