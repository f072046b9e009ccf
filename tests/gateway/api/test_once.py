"""Does a request under one key do its work once, also if two come at the same moment, and does a dry run leave none?"""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from gateway import month
from gateway.api.app import build_app
from gateway.composition import Gateway
from ledger.store.engine import reading
from ledger.store.tables import answers
from tests.gateway.asking import Browser
from tests.gateway.homes import lonely_gateway

PATH, BODY = "/v1/cdrTransaction", {"period": "2026-10"}


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    made = lonely_gateway(tmp_path)
    yield made
    made.close()


@pytest.fixture
def app(gateway: Gateway) -> FastAPI:
    return build_app(gateway)


@pytest.fixture
def desk(app: FastAPI) -> Browser:
    browser = Browser(app)
    browser.headers["Authorization"] = f"Bearer {app.state.token}"
    return browser


def test_two_at_the_same_moment_run_once(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one comes while the first is at work; it waits, and hears what the first one heard."""
    entered, released, runs = threading.Event(), threading.Event(), []
    real = month.seal

    def slow(*args: Any, **named: Any) -> Any:
        runs.append(1)
        entered.set()
        assert released.wait(60)
        return real(*args, **named)

    monkeypatch.setattr(month, "seal", slow)

    async def both() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 5))
        headers = {"Authorization": f"Bearer {app.state.token}", "Idempotency-Key": "one"}
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8100", headers=headers) as client:
            first = asyncio.create_task(client.post(PATH, json=BODY))
            await asyncio.to_thread(entered.wait, 60)
            second = asyncio.create_task(client.post(PATH, json=BODY))
            done, _ = await asyncio.wait({second}, timeout=0.3)
            assert not done, "it had no answer to give yet"
            released.set()
            return [await first, await second]

    first, second = asyncio.run(both())

    assert len(runs) == 1
    assert (first.status_code, second.status_code, second.content) == (200, 200, first.content)
    assert second.headers["Idempotent-Replay"] == "true"


def test_a_dry_run_under_a_key_leaves_the_key_for_the_work(desk: Browser, gateway: Gateway) -> None:
    key = {"Idempotency-Key": "one"}

    tried = desk.post(f"{PATH}?dryRun=true", key, json=BODY)
    with reading(gateway.engine) as connection:
        assert connection.execute(select(answers)).all() == []
    done = desk.post(PATH, key, json=BODY)

    assert (tried.status_code, done.status_code) == (200, 200)
    assert "Idempotent-Replay" not in done.headers


def test_a_key_is_of_the_path_and_the_query_too(desk: Browser) -> None:
    key = {"Idempotency-Key": "one"}
    assert desk.post(PATH, key, json=BODY).status_code == 200

    for path, body in (("/v1/rating", BODY), (f"{PATH}?dryRun=false", BODY), (PATH, {})):
        assert desk.post(path, key, json=body).json()["type"] == "/problems/request-conflict"
