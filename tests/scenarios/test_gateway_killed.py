"""A gateway dies by kill -9 while it submits, and is started again: is anything lost, is anything doubled?"""

import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from deploy.engines import Engine
from gateway.client import Client, Json
from ledger.identity import CarrierCode
from scripts.demo import before, counting
from scripts.demo.expecting import expect
from scripts.demo.house import build_house, hand_out_papers, start_chain, start_gateway, start_gateways
from scripts.demo.processes import Folder, Guarded, await_health
from scripts.demo.stage import Stage
from scripts.demo.telling import Telling
from scripts.traffic import simulate, write

CN_T = CarrierCode("CN-T")
PERIOD = "2026-10"


@dataclass(frozen=True, slots=True)
class Running:
    """Three carriers with sealed batches, and their gateways' processes."""

    folder: Folder
    stage: Stage
    processes: dict[CarrierCode, Guarded]


@pytest.fixture(params=list(Engine))
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    with contextlib.ExitStack() as ending:
        folder = ending.enter_context(Folder(tmp_path / "demo"))
        simulation = simulate(3, 900)
        files = write(simulation, folder.path / "traffic")
        chain = start_chain(folder, request.param)
        ending.callback(chain.stop)
        house = build_house(folder, chain, None)
        hand_out_papers(house, files)
        processes = dict(start_gateways(folder, house))
        desks = {code: ending.enter_context(Client.of_home(home.home)) for code, home in house.homes.items()}
        stage = Stage(Telling(Console(quiet=True)), house, files, expect(simulation), desks)
        for step in (before.agree, counting.import_files, counting.rate_usage, counting.seal_batches):
            step(stage)
        yield Running(folder, stage, processes)


@pytest.mark.chain
def test_a_gateway_killed_while_submitting_loses_nothing_and_doubles_nothing(running: Running) -> None:
    stage, desk = running.stage, running.stage.desks[CN_T]
    desk.declare(period=PERIOD)
    _until(lambda: 0 < _states(desk)["final"] < _all(desk))
    assert _states(desk)["signed"] > 0, "it was killed too late to be in the middle"
    os.kill(running.processes[CN_T].pid, signal.SIGKILL)
    running.processes[CN_T].guard.wait()
    home = stage.home(CN_T)
    await_health(start_gateway(running.folder, home), home.url)
    _until(lambda: _states(desk)["final"] == _all(desk))
    desk.declare(period=PERIOD)  # saying it again changes nothing
    stage.settle()
    for partner in ("GB-B", "US-A"):
        _check_declared(stage, CarrierCode(partner))


def _check_declared(stage: Stage, partner: CarrierCode) -> None:
    """The partner's gateway, which was never killed, has read each of CN-T's batches once, in gapless order."""
    sealed = {batch["id"] for batch in stage.desks[CN_T].batches(partner, PERIOD)}
    seen = [row for row in _declared(stage, partner) if row["declarer"] == CN_T]
    assert len(sealed) == 10
    assert Counter(row["root"] for row in seen) == Counter(sealed)
    for creditor in (CN_T, partner):
        assert sorted(row["sequenceNumber"] for row in seen if row["creditor"] == creditor) == [1, 2, 3, 4, 5]
    ours = stage.desks[CN_T].declarations(partner, PERIOD)
    assert [row["id"] for row in _declared(stage, partner)] == [row["id"] for row in ours]


def _declared(stage: Stage, partner: CarrierCode) -> list[Json]:
    return list(stage.desks[partner].declarations(CN_T, PERIOD))


def _states(desk: Client) -> Counter[str]:
    return Counter(each["state"] for each in desk.submissions("declare"))


def _all(desk: Client) -> int:
    return len(desk.submissions("declare"))


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 90
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
