"""What do tests of disputes and pages need? Two served gateways whose October differs in two ways, both disputable."""

import csv
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from gateway import month
from gateway.api.app import build_app
from gateway.composition import Gateway
from ledger.identity import CarrierCode
from ledger.period import Period
from tests.gateway.pair import Pair, pair_on_chain, settled
from tests.scenarios.gateways import CN_T, GB_B, NOVEMBER

OCTOBER = Period(2026, 10)
DAYS, CALLS_A_DAY = 10, 12
MISSING_EVERY, LONGER_EVERY = 10, 15
"""Of the calls to the United Kingdom: CN-T's file lacks each tenth, and GB-B's counts two minutes more in each 15th."""


@dataclass(frozen=True, slots=True)
class Served:
    """Two carriers, their apps, and where they answer."""

    pair: Pair
    apps: dict[CarrierCode, FastAPI]

    def __getitem__(self, carrier: CarrierCode) -> Gateway:
        return self.pair[carrier]

    def url(self, carrier: CarrierCode) -> str:
        return f"http://127.0.0.1:{self[carrier].settings.listen.port}"

    def settle(self, *carriers: CarrierCode) -> None:
        """Bring what waits in these outboxes on chain; both read what came of it."""
        for carrier in carriers or (CN_T, GB_B):
            settled(self[carrier])
        for carrier in (CN_T, GB_B):
            self[carrier].catch_up()


@contextmanager
def served_pair(folder: Path) -> Iterator[Served]:
    """Declared, closed, revealed and reconciled by both; nothing disputed yet. Nothing submits by itself."""
    with pair_on_chain(folder) as pair, ExitStack() as ending:
        apps = {carrier: ending.enter_context(serving(pair[carrier])) for carrier in (CN_T, GB_B)}
        served = Served(pair, apps)
        pair.chain.advance_to(NOVEMBER)
        for carrier in (CN_T, GB_B):
            calls = write_differing_calls(folder / f"{carrier}.csv", carrier)
            month.import_usage(pair[carrier], calls, "csv")
            month.rate(pair[carrier])
            month.seal(pair[carrier])
            month.declare(pair[carrier])
            settled(pair[carrier])
            month.close(pair[carrier], OCTOBER)
            settled(pair[carrier])
        served.settle()
        for carrier, partner in ((CN_T, GB_B), (GB_B, CN_T)):
            month.reveal(pair[carrier], partner, OCTOBER)
            month.reconcile(pair[carrier], partner, OCTOBER)
        yield served


def write_differing_calls(path: Path, carrier: CarrierCode) -> Path:
    """A CSV for the `csv` preset: the calls both ways, as this carrier's switch counted them."""
    partner = GB_B if carrier == CN_T else CN_T
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["a_number", "b_number", "start", "duration_ms", "trunk"])
        for number in range(DAYS * CALLS_A_DAY):
            start = datetime(2026, 10, 1, 6, tzinfo=UTC) + timedelta(
                days=number // CALLS_A_DAY, minutes=3 * (number % CALLS_A_DAY)
            )
            caller, called = f"+86139{number * 7919 % 10**8:08d}", f"+44207{number * 6101 % 10**7:07d}"
            for creditor, parties in ((GB_B, (caller, called)), (CN_T, (called, caller))):
                longer = creditor == carrier == GB_B and number % LONGER_EVERY == 1
                if creditor == GB_B and carrier == CN_T and number % MISSING_EVERY == 0:
                    continue
                duration = 600_000 + number * 1_000 + (120_000 if longer else 0)
                way = "in" if creditor == carrier else "out"
                writer.writerow([*parties, start.isoformat(), duration, f"{partner.lower()}-{way}"])
    return path


@contextmanager
def serving(gateway: Gateway) -> Iterator[FastAPI]:
    """The gateway's app on its port, in a thread."""
    app = build_app(gateway)
    listen = gateway.settings.listen
    server = uvicorn.Server(
        uvicorn.Config(app, host=listen.host, port=listen.port, log_level="warning", access_log=False, lifespan="off")
    )
    started = threading.Event()
    original = server.startup

    async def startup(sockets: object = None) -> None:
        await original(sockets=sockets)  # type: ignore[arg-type]
        started.set()

    server.startup = startup  # type: ignore[method-assign, assignment]
    thread = threading.Thread(target=server.run, name=f"gateway of {gateway.carrier}")
    thread.start()
    try:
        assert started.wait(60), f"{gateway.carrier} does not listen"
        yield app
    finally:
        server.should_exit = True
        thread.join(60)
