"""Would schemathesis notice a fault of ours? Each is planted into a gateway that is asked as the settled one is."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI

from gateway.api.app import build_app
from gateway.api.guard import require_desk, require_reader
from gateway.api.login.session import Session
from gateway.api.verbs import members
from gateway.composition import Gateway
from gateway.settings import Desk
from ledger.store.states import Role
from tests.gateway.homes import lonely_gateway

CONFIG = Path(__file__).parent / "schemathesis.toml"
ONE = ("--checks", "all", "--phases", "coverage,fuzzing", "--max-examples", "1", "--no-color")
"""One operation has no links to follow."""
SCHEMATHESIS = (sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG))


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    made = lonely_gateway(tmp_path / "home")
    yield replace(made, settings=replace(made.settings, desk=Desk(open_on_loopback=False)))
    made.close()


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The app's address on a free port of this machine."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{taken.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def asked(app: FastAPI, folder: Path) -> subprocess.CompletedProcess[str]:
    """What schemathesis says of /v1/health."""
    with served(app) as url:
        return subprocess.run(
            [
                *SCHEMATHESIS,
                "run",
                f"{url}/openapi.json",
                "--include-path",
                "/v1/health",
                *ONE,
            ],
            cwd=folder,
            env={**os.environ, "GSC_TOKEN": app.state.token},
            capture_output=True,
            text=True,
            check=False,
        )


def test_a_gateway_without_a_fault_passes(gateway: Gateway, tmp_path: Path) -> None:
    done = asked(build_app(gateway), tmp_path)

    assert done.returncode == 0, done.stdout


def test_a_5xx_is_noticed(gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def mistaken(_: Gateway) -> None:
        raise RuntimeError("planted")

    monkeypatch.setattr(members, "health_of", mistaken)

    done = asked(build_app(gateway), tmp_path)

    assert (done.returncode, "Server error" in done.stdout) == (1, True), done.stdout


def test_an_answer_that_is_not_as_described_is_noticed(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "health_of", lambda _: {"carrier": 7})

    done = asked(build_app(gateway), tmp_path)

    assert (done.returncode, "Response violates schema" in done.stdout) == (1, True), done.stdout


def test_a_route_that_forgot_who_may_ask_is_noticed(gateway: Gateway, tmp_path: Path) -> None:
    app = build_app(gateway)

    def anybody() -> Session:
        return Session(Role.DESK, None, None, "")

    described: dict[str, Any] = app.openapi()
    assert described["paths"]["/v1/health"]["get"]["security"]
    for guard in (require_reader, require_desk):
        app.dependency_overrides[guard] = anybody

    done = asked(app, tmp_path)

    assert (done.returncode, "without authentication" in done.stdout) == (1, True), done.stdout
