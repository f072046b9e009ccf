"""How does the desk say which of its systems are told what the chain says?"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from gateway.api.guard import require_desk
from gateway.api.models import Strict
from gateway.api.once import OnceRoute
from gateway.api.resources.kind import Asked, Kind, add_routes
from gateway.api.resources.shapes import Moment, Resource
from gateway.api.times import utc_of_ms
from gateway.api.verbs.parts import DryRun, Key, TheGateway
from gateway.composition import Gateway
from gateway.webhooks.addresses import MAX_URL_CHARACTERS
from gateway.webhooks.delivering import Deliverer
from gateway.webhooks.sending import Sender
from gateway.webhooks.signature import SECRET_BYTES, show_secret
from gateway.webhooks.telling import TYPES
from ledger.errors import Conflict, Malformed
from ledger.store.engine import reading, writing
from ledger.store.webhooks import (
    Place,
    Webhook,
    add_webhook,
    end_of_log,
    list_webhooks,
    remove_webhook,
    resume_webhook,
    webhook_of,
)

router = APIRouter(prefix="/v1", route_class=OnceRoute, tags=["webhooks"], dependencies=[Depends(require_desk)])
MAX_WEBHOOKS = 100
NOT_SENT = "not sent: a dry run"
WebhookId = Annotated[str, Path(pattern="^[0-9a-f]{16}$", examples=["0" * 16])]
StateWord = Literal["active", "failing", "disabled"]
EventType = Annotated[str, Field(json_schema_extra={"enum": sorted(TYPES.values())}, examples=["statement.agreed"])]


class WebhooksTooMany(Conflict):
    """As many webhooks as a gateway tells are there already."""

    slug = "webhooks-too-many"


class WebhookBody(Strict):
    """Whom to tell what."""

    url: Annotated[str, Field(max_length=MAX_URL_CHARACTERS, examples=["https://example.com/gsc"])]
    events: Annotated[list[EventType], Field(max_length=len(TYPES), default_factory=list)]
    """Types of events; none for all."""


class WebhookShape(Resource):
    """An address that is told what the chain says."""

    type: Literal["webhook"] = Field(default="webhook", serialization_alias="@type")
    url: str
    events: list[str]
    state: StateWord
    nextBlock: int  # noqa: N815
    """With nextIndex: where on the chain the next event may stand."""
    nextIndex: int  # noqa: N815
    delivered: int
    lastDeliveredAt: Moment | None  # noqa: N815
    failures: int
    """In a row."""
    lastFailure: str | None  # noqa: N815
    lastFailureAt: Moment | None  # noqa: N815
    nextAt: Moment | None  # noqa: N815
    """When it is tried again; null unless it fails."""
    createdAt: Moment  # noqa: N815


class AskedWebhook(Asked):
    """Filters of webhooks."""

    url: Annotated[str, Field(max_length=MAX_URL_CHARACTERS)] | None = None
    event: EventType | None = None
    """One that the webhook is told, by name or with all others."""
    state: StateWord | None = None


class NewWebhookShape(WebhookShape):
    """A webhook with its secret, which is told this once."""

    model_config = ConfigDict(json_schema_extra={})

    secret: Annotated[str, Field(pattern="^whsec_[A-Za-z0-9+/]+=*$")] | None
    """Null in a dry run, of which nothing is kept."""


class PingShape(BaseModel):
    """What became of a test message."""

    model_config = ConfigDict(extra="forbid")

    messageId: str  # noqa: N815
    taken: bool
    status: int | None
    """Of the receiver's answer."""
    failure: str | None


@router.post(
    "/webhook",
    status_code=201,
    operation_id="post_webhook",
    responses={200: {"model": NewWebhookShape, "description": "What a dry run would make"}},
)
def post_webhook(
    request: Request,
    response: Response,
    gateway: TheGateway,
    body: WebhookBody,
    key: Key = None,
    dry_run: DryRun = False,
) -> NewWebhookShape:
    """Tell an address from now on; the answer has the secret that signs, once."""
    _check_types(body.events)
    _sender(request).check(body.url)
    webhook = _made(gateway, body, key, request.app.state.clock.now_ms(), dry_run=dry_run)
    if dry_run:
        response.status_code = 200
        return NewWebhookShape(**_shape(webhook).model_dump(by_alias=False), secret=None)
    response.headers["Location"] = f"/v1/webhook/{webhook.id}"
    return NewWebhookShape(**_shape(webhook).model_dump(by_alias=False), secret=show_secret(webhook.secret))


@router.delete("/webhook/{id}", status_code=204, operation_id="delete_webhook")
def delete_webhook(gateway: TheGateway, id: WebhookId, key: Key = None, dry_run: DryRun = False) -> Response:
    """Tell it nothing any more."""
    with writing(gateway.engine) as connection:
        webhook_of(connection, id)
        if not dry_run:
            remove_webhook(connection, id)
    return Response(status_code=204)


@router.post("/webhook/{id}/resume", operation_id="resume_webhook")
def post_resume(
    request: Request, gateway: TheGateway, id: WebhookId, key: Key = None, dry_run: DryRun = False
) -> WebhookShape:
    """Try at once what is waiting, also if the webhook was disabled: it goes on where it stood."""
    now_ms: int = request.app.state.clock.now_ms()
    with writing(gateway.engine) as connection:
        if dry_run:
            return _shape(replace(webhook_of(connection, id), disabled_at_ms=None, failures=0, next_at_ms=now_ms))
        resume_webhook(connection, id, now_ms)
        return _shape(webhook_of(connection, id))


@router.post("/webhook/{id}/test", operation_id="test_webhook")
def post_test(
    request: Request, gateway: TheGateway, id: WebhookId, key: Key = None, dry_run: DryRun = False
) -> PingShape:
    """Deliver a `ping` now and say what became of it."""
    with reading(gateway.engine) as connection:
        webhook = webhook_of(connection, id)
    message_id = f"ping_{secrets.token_hex(16)}"
    if dry_run:
        _sender(request).check(webhook.url)
        return PingShape(messageId=message_id, taken=False, status=None, failure=NOT_SENT)
    deliverer = Deliverer(gateway, _sender(request), request.app.state.clock, secrets.randbelow)
    became = deliverer.ping(webhook, message_id)
    return PingShape(messageId=message_id, taken=became.failure is None, status=became.status, failure=became.failure)


def _webhooks(gateway: Gateway, asked: AskedWebhook) -> list[WebhookShape]:
    """Those that are told the event, if one is asked for."""
    _check_types([] if asked.event is None else [asked.event])
    with reading(gateway.engine) as connection:
        known = list_webhooks(connection)
    return [_shape(each) for each in known if asked.event is None or asked.event in (each.types or (asked.event,))]


def _check_types(events: Sequence[str]) -> None:
    unknown = sorted(set(events) - set(TYPES.values()))
    if unknown:
        raise Malformed("no such type of event", expected="one of docs/webhooks.md", got=", ".join(unknown)[:200])


def _made(gateway: Gateway, body: WebhookBody, key: str | None, now_ms: int, *, dry_run: bool) -> Webhook:
    """A new webhook; under a key the one that an answer was lost of."""
    webhook_id = secrets.token_hex(8) if key is None else hashlib.sha256(f"webhook {key}".encode()).hexdigest()[:16]
    with writing(gateway.engine) as connection:
        known = list_webhooks(connection)
        before = [each for each in known if each.id == webhook_id]
        if before:
            return before[0]
        if len(known) >= MAX_WEBHOOKS:
            raise WebhooksTooMany("no more webhooks", expected=f"at most {MAX_WEBHOOKS}", todo="Delete one first.")
        webhook = _drawn(webhook_id, body, end_of_log(connection), now_ms)
        if not dry_run:
            add_webhook(connection, webhook)
    return webhook


def _drawn(webhook_id: str, body: WebhookBody, place: Place, now_ms: int) -> Webhook:
    return Webhook(
        id=webhook_id,
        url=body.url,
        secret=secrets.token_bytes(SECRET_BYTES),
        events=" ".join(sorted(set(body.events))),
        next_block=place.block,
        next_index=place.log_index,
        failures=0,
        failing_since_ms=None,
        next_at_ms=now_ms,
        last_failure=None,
        last_failure_at_ms=None,
        delivered=0,
        last_delivered_at_ms=None,
        disabled_at_ms=None,
        created_at_ms=now_ms,
    )


def _sender(request: Request) -> Sender:
    sender: Sender = request.app.state.sender
    return sender


def _shape(webhook: Webhook) -> WebhookShape:
    failing = "failing" if webhook.failures else "active"
    return WebhookShape(
        id=webhook.id,
        href=f"/v1/webhook/{webhook.id}",
        url=webhook.url,
        events=list(webhook.types),
        state="disabled" if webhook.disabled_at_ms is not None else failing,  # type: ignore[arg-type]
        nextBlock=webhook.next_block,
        nextIndex=webhook.next_index,
        delivered=webhook.delivered,
        lastDeliveredAt=_moment(webhook.last_delivered_at_ms),
        failures=webhook.failures,
        lastFailure=webhook.last_failure,
        lastFailureAt=_moment(webhook.last_failure_at_ms),
        nextAt=_moment(webhook.next_at_ms) if webhook.failures and webhook.disabled_at_ms is None else None,
        createdAt=utc_of_ms(webhook.created_at_ms),
    )


def _moment(ms: int | None) -> str | None:
    return None if ms is None else utc_of_ms(ms)


WEBHOOK = Kind("webhook", WebhookShape, AskedWebhook, _webhooks, "0" * 16)
add_routes(router, WEBHOOK, require_desk)
