"""What answers under /desk/chain/webhooks? Whom the chain's events are told to; for our own desk only."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from gateway.api.guard import Desk, require_desk
from gateway.composition import Gateway
from gateway.desk.acting import act
from gateway.desk.answering import address_of, answer
from gateway.desk.views.chain.webhooks import webhooks_view
from gateway.desk.wording import Words
from gateway.webhooks.delivering import Deliverer
from ledger.errors import Unavailable
from ledger.store.engine import reading, writing
from ledger.store.webhooks import remove_webhook, resume_webhook, webhook_of

HERE = "/desk/chain/webhooks"
router = APIRouter(prefix="/chain/webhooks", include_in_schema=False, dependencies=[Depends(require_desk)])


@router.get("")
def get_webhooks(request: Request, tested: Annotated[str, Query(max_length=64)] = "") -> Response:
    """Every webhook: how far it was told, what failed last, what to do."""
    origin = address_of(request).origin
    return answer(request, "webhooks.html", lambda gateway, _: webhooks_view(gateway, origin, tested))


@router.post("/{webhook_id}/test")
def post_test(request: Request, _: Desk, webhook_id: str) -> Response:
    """Deliver a message that means nothing; a page says why, if it was not taken."""

    def do(gateway: Gateway, words: Words) -> str:
        with reading(gateway.engine) as connection:
            webhook = webhook_of(connection, webhook_id)
        deliverer = Deliverer(gateway, request.app.state.sender, request.app.state.clock, secrets.randbelow)
        became = deliverer.ping(webhook, f"ping_{secrets.token_hex(16)}")
        if became.failure is not None:
            raise Unavailable(
                words("webhook.not_taken"),
                expected=words("webhook.expected"),
                got=became.failure,
                todo=words("webhook.not_taken.todo"),
            )
        return f"{HERE}?tested={webhook.id}#{webhook.id}"

    return act(request, do)


@router.post("/{webhook_id}/resume")
def post_resume(request: Request, _: Desk, webhook_id: str) -> Response:
    """Try at once what is waiting, from where it stood."""

    def do(gateway: Gateway, words: Words) -> str:
        with writing(gateway.engine) as connection:
            resume_webhook(connection, webhook_id, request.app.state.clock.now_ms())
        return f"{HERE}#{webhook_id}"

    return act(request, do)


@router.post("/{webhook_id}/remove")
def post_remove(request: Request, _: Desk, webhook_id: str) -> Response:
    """Tell it nothing any more."""

    def do(gateway: Gateway, words: Words) -> str:
        with writing(gateway.engine) as connection:
            remove_webhook(connection, webhook_id)
        return HERE

    return act(request, do)
