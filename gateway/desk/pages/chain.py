"""What answers under /desk/chain? Batches, events, gas, the queue, one transaction, and a check of everything."""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.api.guard import Desk
from gateway.composition import Gateway
from gateway.desk.acting import act
from gateway.desk.answering import answer
from gateway.desk.views.chain.batch import batch_view
from gateway.desk.views.chain.events import events_view, hash_of
from gateway.desk.views.chain.standing import batches_view, gas_view, queue_view, transaction_view
from gateway.desk.wording import Words
from gateway.staging.work import Bench, Work
from gateway.verifying import Verdict, steps_of, verify_everything

router = APIRouter(prefix="/chain", include_in_schema=False)
ALL = "everything"


@dataclass(frozen=True, slots=True)
class VerifyView:
    """A check of everything: not begun, on its way, or its verdict."""

    work: Work[Verdict] | None


@router.get("")
def get_batches(request: Request) -> Response:
    """Every sealed batch."""
    return answer(request, "chain.html", lambda gateway, _: batches_view(gateway))


@router.get("/batches/{root}")
def get_batch(request: Request, root: str) -> Response:
    """One sealed batch."""
    return answer(request, "batch.html", lambda gateway, _: batch_view(gateway, hash_of(root)))


@router.get("/events")
def get_events(request: Request) -> Response:
    """What the contracts said, decoded."""
    return answer(request, "events.html", lambda gateway, _: events_view(gateway, dict(request.query_params)))


@router.get("/gas")
def get_gas(request: Request) -> Response:
    """What the calls took."""
    return answer(request, "gas.html", lambda gateway, _: gas_view(gateway))


@router.get("/queue")
def get_queue(request: Request) -> Response:
    """What waits, why, and what to do."""
    return answer(request, "queue.html", lambda gateway, _: queue_view(gateway))


@router.get("/transactions/{tx_hash}")
def get_transaction(request: Request, tx_hash: str) -> Response:
    """One transaction's receipt."""
    return answer(request, "transaction.html", lambda gateway, _: transaction_view(gateway, hash_of(tx_hash)))


@router.get("/verify")
def get_verify(request: Request) -> Response:
    """How a check of everything stands."""
    return answer(request, "verify.html", lambda gateway, _: VerifyView(_bench(request).find(ALL)))


@router.post("/verify")
def post_verify(request: Request, _: Desk) -> Response:
    """Check everything: the home, the chain, and every file of the archive."""

    def do(gateway: Gateway, words: Words) -> str:
        _bench(request).begin(ALL, steps_of(gateway), lambda told: verify_everything(gateway, told))
        return "/desk/chain/verify"

    return act(request, do)


def _bench(request: Request) -> Bench[Verdict]:
    if not hasattr(request.app.state, "verifying"):
        request.app.state.verifying = Bench()
    bench: Bench[Verdict] = request.app.state.verifying
    return bench
