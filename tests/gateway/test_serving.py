"""Does a gateway end with the process that started it, when it was told to, and lose nothing when it is killed?"""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.bulk.receiving import folder_of, path_of
from gateway.bulk.sweeping import sweep
from gateway.client import Client
from gateway.composition import Gateway
from gateway.keystore import PASSWORD_VARIABLE
from gateway.settings import load_settings, operator_token
from ledger.store.engine import reading
from ledger.store.intakes import list_intakes
from tests.gateway.pair import Pair, pair_on_chain
from tests.scenarios.gateways import CN_T, PASSWORD

pytestmark = pytest.mark.chain
PATIENCE_SECONDS = 60.0
CALLERS, ANSWERS = 8, 60
POST = "/v1/usageIntake?partner=GB-B&direction=in"
PARENT = """
import subprocess, sys
gateway = subprocess.Popen([sys.executable, "-m", "gateway", "serve", *sys.argv[1:]])
print(gateway.pid, flush=True)
gateway.wait()
"""


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with pair_on_chain(tmp_path_factory.mktemp("pair")) as pair:
        yield pair


def test_a_gateway_told_to_ends_when_its_parent_is_killed(pair: Pair) -> None:
    home = pair[CN_T].settings.home
    parent, child = started(home, "--with-parent")
    try:
        parent.send_signal(signal.SIGKILL)
        assert parent.wait(timeout=PATIENCE_SECONDS) == -signal.SIGKILL

        assert is_gone_in_time(child), "the gateway outlives its parent"
        assert not listens(home)
    finally:
        ensure_gone(parent, child)


def test_a_gateway_on_its_own_outlives_its_parent_and_ends_by_sigterm(pair: Pair) -> None:
    """The control: without the option nothing but a signal ends it."""
    home = pair[CN_T].settings.home
    parent, child = started(home)
    try:
        parent.send_signal(signal.SIGKILL)
        parent.wait(timeout=PATIENCE_SECONDS)
        with Client.of_home(home) as client:
            client.wait_until_up(seconds=PATIENCE_SECONDS)
        assert lives(child)

        os.kill(child, signal.SIGTERM)
        assert is_gone_in_time(child)
    finally:
        ensure_gone(parent, child)


def test_every_post_that_was_answered_is_there_whole_after_kill_9(pair: Pair) -> None:
    """Killed amid posts of eight callers; no file is left behind that no intake knows."""
    gateway = pair[CN_T]
    parent, child = started(gateway.settings.home)
    answered: dict[str, bytes] = {}
    try:
        with ThreadPoolExecutor(CALLERS) as pool:
            callers = [pool.submit(posts_until_killed, gateway, each, answered) for each in range(CALLERS)]
            until = time.monotonic() + PATIENCE_SECONDS
            while len(answered) < ANSWERS and time.monotonic() < until:
                time.sleep(0.01)
            os.kill(child, signal.SIGKILL)
            assert all(each.result() for each in callers), "the gateway is killed amid posts"
    finally:
        ensure_gone(parent, child)
    sweep(gateway)
    with reading(gateway.engine) as connection:
        known = {each.id for each in list_intakes(connection)}
    assert len(answered) >= ANSWERS
    assert lost(gateway, answered) == []
    assert {path.name for path in folder_of(gateway).iterdir()} == known

    first, second, *_ = sorted(answered)
    folder_of(gateway).joinpath(first).unlink()
    folder_of(gateway).joinpath(second).write_bytes(answered[second][:-1])
    assert lost(gateway, answered) == [first, second], "planted: a lost body and a torn one show"


def posts_until_killed(gateway: Gateway, caller: int, answered: dict[str, bytes]) -> bool:
    """Post small bodies, no two the same, until nobody answers; what was answered is written down."""
    connection = http.client.HTTPConnection(gateway.settings.listen.host, gateway.settings.listen.port, timeout=60)
    headers = {"Authorization": f"Bearer {operator_token(gateway.settings)}", "Upload-Complete": "?1"}
    try:
        for number in range(10_000):
            body = f'{{"quantity": {caller * 10_000 + number}}}\n'.encode()
            connection.request("POST", POST, body, headers)
            answer = connection.getresponse()
            told = json.loads(answer.read())
            assert answer.status == 201, told
            answered[told["id"]] = body
    except (ConnectionError, http.client.HTTPException):
        return True
    finally:
        connection.close()
    return False


def lost(gateway: Gateway, answered: Mapping[str, bytes]) -> list[str]:
    """Which answers were not true: no row, not complete, or other bytes."""
    with reading(gateway.engine) as connection:
        rows = {each.id: each for each in list_intakes(connection)}
    return sorted(
        each
        for each, body in answered.items()
        if each not in rows
        or not rows[each].complete
        or not (path := path_of(gateway, rows[each])).exists()
        or path.read_bytes() != body
    )


def started(home: Path, *options: str) -> "tuple[subprocess.Popen[str], int]":
    """A parent, and the process id of the gateway it started, which answers."""
    command = [sys.executable, "-c", PARENT, "--home", str(home), *options]
    environment = {**os.environ, PASSWORD_VARIABLE: PASSWORD}
    with (home / "gateway.log").open("ab") as log:
        parent = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    with Client.of_home(home) as client:
        client.wait_until_up(seconds=PATIENCE_SECONDS)
    return parent, child


def is_gone_in_time(pid: int) -> bool:
    until = time.monotonic() + PATIENCE_SECONDS
    while lives(pid):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def lives(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody has asked for yet does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def listens(home: Path) -> bool:
    listen = load_settings(home).listen
    with socket.socket() as probe:
        return probe.connect_ex((listen.host, listen.port)) == 0


def ensure_gone(parent: "subprocess.Popen[str]", child: int) -> None:
    """Leave no process behind, whatever the test did."""
    if parent.poll() is None:
        parent.kill()
        parent.wait(timeout=PATIENCE_SECONDS)
    if parent.stdout is not None:
        parent.stdout.close()
    if lives(child):
        os.kill(child, signal.SIGKILL)
