"""How is the gateway's HTTP door put together? API, peers' door and desk on one app."""

from fastapi import FastAPI
from fastapi.responses import RedirectResponse

from gateway.api import document_routes, peer_routes, problem_pages, webhook_routes
from gateway.api.bounds import BoundedBody, PrivateAnswers
from gateway.api.bulk import intakes, jobs
from gateway.api.login import pages as login_pages
from gateway.api.login import routes as login_routes
from gateway.api.login.challenge import challenge_secret
from gateway.api.login.failing import Failures
from gateway.api.once import Turns
from gateway.api.openapi import install_openapi
from gateway.api.problems import install_problems
from gateway.api.resources import routes as resource_routes
from gateway.api.resources import usage
from gateway.api.resources.paging import cursor_secret
from gateway.api.verbs import before, counting, deposits, members, settling
from gateway.composition import Gateway, SystemClock
from gateway.desk.acting import install_pages
from gateway.desk.routes import router as desk_router
from gateway.settings import operator_token
from gateway.staging.work import Bench
from gateway.webhooks.sending import Sender
from ledger.clock import Clock


def build_app(gateway: Gateway, clock: Clock | None = None) -> FastAPI:
    """The app of one carrier's gateway. Sessions live by this machine's clock, whatever the chain's says."""
    app = FastAPI(
        title=f"gsc gateway of {gateway.carrier}",
        description="Inter-carrier settlement: sealed usage, reconciliation, netting and payment.",
        version="0.1.0",
        docs_url=None,
        redoc_url=None,
    )
    app.state.gateway = gateway
    app.state.clock = clock or SystemClock()
    app.state.token = operator_token(gateway.settings)
    app.state.secret = challenge_secret(app.state.token)
    app.state.cursor_secret = cursor_secret(app.state.token)
    app.state.failures = Failures()
    app.state.turns = Turns()
    app.state.jobs = Bench()
    app.state.sender = Sender(gateway.settings.webhooks.networks)
    install_problems(app)
    install_openapi(app)
    install_pages(app)
    app.include_router(intakes.router)  # asked for most often, and routes are tried in order
    for verbs in (before, counting, settling, deposits, members):
        app.include_router(verbs.router)
    for router in (members.reads, resource_routes.router, usage.router, document_routes.router, peer_routes.router):
        app.include_router(router)
    for bulk in (intakes.steps, jobs.router, webhook_routes.router):
        app.include_router(bulk)
    for pages in (login_routes.router, login_pages.router, problem_pages.router):
        app.include_router(pages)
    app.include_router(desk_router)
    app.add_api_route("/", _home, include_in_schema=False)
    app.add_api_route("/health", _alive, include_in_schema=False)
    app.add_middleware(BoundedBody)
    app.add_middleware(PrivateAnswers)
    return app


def _home() -> RedirectResponse:
    return RedirectResponse("/desk")


def _alive() -> dict[str, str]:
    """For watchdogs: the process answers. What stands is at /v1/health."""
    return {"status": "up"}
