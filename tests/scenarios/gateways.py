"""What do scenarios with real gateway processes need? Two homes on one chain, and processes that can be killed."""

import csv
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

from deploy.deployment import DeploymentPlan, deploy_network
from deploy.local_chain import LocalChain
from gateway.client import Client
from gateway.keystore import PASSWORD_VARIABLE, KeyUse, create_key
from gateway.settings import ClockKind, Listen, Settings, Switch, TrunkDirection, TrunkSetting, init_home
from ledger.agreement import Agreement
from ledger.agreement_file import dump_agreement
from ledger.chain.client import ChainClient
from ledger.chain.network import Network
from ledger.identity import CarrierCode
from ledger.service import Service
from ledger.typed_data import address_of_key

CN_T, GB_B = CarrierCode("CN-T"), CarrierCode("GB-B")
SEPTEMBER = int(datetime(2026, 9, 1, tzinfo=UTC).timestamp())
NOVEMBER = int(datetime(2026, 11, 1, 0, 10, tzinfo=UTC).timestamp())
PASSWORD = "of the scenario"
PATIENCE_SECONDS = 120.0
DECKS = {
    CN_T: "destination,code,rate,increment\nChina,86,0.0300,1/1\n",
    GB_B: "destination,code,rate,increment\nUnited Kingdom,44,0.0120,60/60\n",
}


@dataclass
class GatewayProcess:
    """One carrier's gateway as a process of its own."""

    carrier: CarrierCode
    home: Path
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> Client:
        """Start it and wait until it answers."""
        with (self.home / "gateway.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gateway", "serve", "--home", str(self.home), "--with-parent"],
                env={**os.environ, PASSWORD_VARIABLE: PASSWORD},
                stdout=log,
                stderr=log,
            )
        client = Client.of_home(self.home)
        client.wait_until_up(seconds=PATIENCE_SECONDS)
        return client

    def kill(self) -> None:
        """kill -9: no word to it, no time to tidy up."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        assert self.process.wait(timeout=PATIENCE_SECONDS) == -signal.SIGKILL

    def stop(self) -> int:
        """SIGTERM, and its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(timeout=PATIENCE_SECONDS)

    def ensure_gone(self) -> None:
        """Leave no process behind, whatever the test did."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(timeout=PATIENCE_SECONDS)


@dataclass(frozen=True)
class Street:
    """One chain and two carriers' homes on it."""

    chain: LocalChain
    network: Network
    gateways: Mapping[CarrierCode, GatewayProcess]


@contextmanager
def two_carriers(folder: Path, *, carriers_decide: bool = False) -> Iterator[Street]:
    """A chain with contracts and two homes with keys, agreement and decks; gateways not started.

    The two members are strangers; or the carriers' sending keys, if `carriers_decide`.
    """
    with LocalChain(state_dir=folder / "chain", start_at=SEPTEMBER) as chain:
        ports = {carrier: _free_port() for carrier in (CN_T, GB_B)}
        homes = {carrier: _home(folder, chain, carrier, ports, at) for at, carrier in enumerate(ports)}
        with ChainClient(chain.url) as client:
            plan = DeploymentPlan(
                members=[
                    address_of_key(key) for key in chain.funded_keys[slice(1, 3) if carriers_decide else slice(5, 7)]
                ],
                threshold=2,
                delay_seconds=86_400,
                carriers={carrier: signing for carrier, (_, signing) in homes.items()},
            )
            network = deploy_network(client, chain.funded_keys[0], plan, folder / "network.toml")
        gateways = {}
        for carrier, (home, _) in homes.items():
            shutil.copy(folder / "network.toml", home / "network.toml")
            gateways[carrier] = GatewayProcess(carrier, home)
        try:
            yield Street(chain, network, MappingProxyType(gateways))
        finally:
            for gateway in gateways.values():
                gateway.ensure_gone()


def write_calls(path: Path, carrier: CarrierCode, *, days: int, calls_a_day: int) -> Path:
    """A CSV for the `csv` preset: calls both ways each day of October; the two carriers write the same calls."""
    partner = GB_B if carrier == CN_T else CN_T
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["a_number", "b_number", "start", "duration_ms", "trunk"])
        for number in range(days * calls_a_day):
            start = datetime(2026, 10, 1, 6, tzinfo=UTC) + timedelta(
                days=number // calls_a_day, minutes=number % calls_a_day
            )
            caller, called = f"+86139{number:08d}", f"+44207{number:07d}"
            for creditor, parties in ((GB_B, (caller, called)), (CN_T, (called, caller))):
                way = "in" if creditor == carrier else "out"
                row = [*parties, start.isoformat(), 60_000 + number * 1_000, f"{partner.lower()}-{way}"]
                writer.writerow(row)
    return path


def _home(
    folder: Path, chain: LocalChain, carrier: CarrierCode, ports: Mapping[CarrierCode, int], at: int
) -> tuple[Path, str]:
    partner = next(code for code in ports if code != carrier)
    home = folder / carrier.lower()
    init_home(
        Settings(
            home=home,
            carrier=carrier,
            chain_url=chain.url,
            clock=ClockKind.CHAIN,
            listen=Listen(port=ports[carrier]),
            switch=Switch(country=carrier[:2]),
            peers={partner: f"http://127.0.0.1:{ports[partner]}"},
            trunks={f"{partner.lower()}-{way.value}": TrunkSetting(partner, way) for way in TrunkDirection},
        )
    )
    signing = create_key(home / "keys", KeyUse.SIGNING, PASSWORD, demo=True)
    create_key(home / "keys", KeyUse.SENDING, PASSWORD, demo=True, key=chain.funded_keys[1 + at])
    agreement = Agreement(CN_T, GB_B, "USD", frozenset({Service.VOICE}), _utc(), SEPTEMBER * 1000)
    (home / "agreements" / "cn-t_gb-b.toml").write_text(dump_agreement(agreement))
    for creditor, deck in DECKS.items():
        (home / "decks" / f"{creditor.lower()}.csv").write_text(deck)
    return home, signing


def _utc() -> ZoneInfo:
    return ZoneInfo("UTC")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
