"""What do the three carriers need before the month: a chain, its contracts, and each a home, keys and a gateway?"""

import secrets
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from deploy.deployment import DeploymentPlan, deploy_network
from deploy.engines import Engine
from deploy.local_chain import LocalChain
from gateway.keystore import PASSWORD_VARIABLE, KeyUse, create_key
from gateway.settings import (
    ClockKind,
    Listen,
    Settings,
    Switch,
    TrunkDirection,
    TrunkSetting,
    init_home,
    write_atomically,
)
from ledger.chain.client import ChainClient
from ledger.chain.network import Network
from ledger.identity import Address, CarrierCode
from ledger.typed_data import address_of_key
from scripts.demo.processes import Folder, Guarded, await_health, free_ports
from scripts.traffic import SimulationFiles
from scripts.traffic.carriers import CARRIERS, CarrierPlan, trunks_of

CHAIN_BEGINS = int(datetime(2026, 9, 1, tzinfo=UTC).timestamp())
COUNTRIES = {"CN-T": "CN", "GB-B": "GB", "US-A": "US"}
NUMBERS = {CarrierCode("CN-T"): ("86",), CarrierCode("GB-B"): ("44",), CarrierCode("US-A"): ("1",)}
MEMBERS_DELAY_S = 86_400
NETWORK_FILE = "network.toml"
_DEPLOYER, _FIRST_SENDER, _FIRST_MEMBER = 0, 1, 5
"""Positions among the local chain's funded keys."""


@dataclass(frozen=True, slots=True)
class CarrierHome:
    """One carrier's folder and gateway."""

    plan: CarrierPlan
    home: Path
    url: str
    signing: Address
    sending: Address
    password_file: Path

    @property
    def code(self) -> CarrierCode:
        return self.plan.code


@dataclass(frozen=True, slots=True)
class House:
    """The running chain, its network and the carriers' homes; gateways not yet started."""

    chain: LocalChain
    network: Network
    homes: Mapping[CarrierCode, CarrierHome]


def start_chain(folder: Folder, engine: Engine) -> LocalChain:
    """A chain that begins on 1 September and keeps its state in the folder. The caller stops it."""
    return LocalChain(engine, state_dir=folder.path / "chain", start_at=CHAIN_BEGINS).start()


def build_house(folder: Folder, chain: LocalChain, port: int | None) -> House:
    """Make every carrier's keys and home, and deploy the contracts with the three as founding carriers and members."""
    homes = _homes(folder, chain, port)
    member_keys = chain.funded_keys[_FIRST_MEMBER : _FIRST_MEMBER + len(CARRIERS)]
    plan = DeploymentPlan(
        members=[address_of_key(key) for key in member_keys],
        threshold=2,
        delay_seconds=MEMBERS_DELAY_S,
        carriers={code: home.signing for code, home in homes.items()},
    )
    path = folder.path / NETWORK_FILE
    with ChainClient(chain.url) as client:
        network = deploy_network(client, chain.funded_keys[_DEPLOYER], plan, path)
    for home in homes.values():
        shutil.copy(path, home.home / NETWORK_FILE)
    return House(chain, network, MappingProxyType(homes))


def start_gateways(folder: Folder, house: House) -> Mapping[CarrierCode, Guarded]:
    """Start every carrier's gateway as a process of its own and wait until each answers."""
    started = {code: start_gateway(folder, home) for code, home in house.homes.items()}
    for code, process in started.items():
        await_health(process, house.homes[code].url)
    return started


def start_gateway(folder: Folder, home: CarrierHome) -> Guarded:
    """Start one carrier's gateway; it may not answer yet."""
    command = [sys.executable, "-m", "gateway", "serve", "--home", str(home.home)]
    return folder.start(home.code, command, {PASSWORD_VARIABLE: home.password_file.read_text("ascii")})


def hand_out_papers(house: House, files: SimulationFiles) -> None:
    """Put agreements and rate decks into the homes, as mail does; the debtor's desk loses one deck."""
    for (low, high), path in files.papers.agreements.items():
        for code in (low, high):
            shutil.copy(path, house.homes[code].home / "agreements" / path.name)
    for deck in files.papers.decks:
        holders = [deck.creditor] if deck.missed_by_debtor else [deck.creditor, deck.debtor]
        for code in holders:
            shutil.copy(deck.path, house.homes[code].home / "decks" / deck.path.name)


def _homes(folder: Folder, chain: LocalChain, port: int | None) -> dict[CarrierCode, CarrierHome]:
    ports = free_ports(len(CARRIERS))
    if port is not None:
        ports[0] = port
    urls = {plan.code: f"http://127.0.0.1:{each}" for plan, each in zip(CARRIERS, ports, strict=True)}
    homes = {}
    for number, plan in enumerate(CARRIERS):
        home = folder.path / "carriers" / plan.code.lower()
        init_home(_settings(plan, home, chain.url, ports[number], urls))
        keys, password = home / "keys", secrets.token_urlsafe(16)
        password_file = home / "password"
        write_atomically(password_file, password.encode("ascii"), mode=0o600)
        sending_key = chain.funded_keys[_FIRST_SENDER + number]
        signing = create_key(keys, KeyUse.SIGNING, password, demo=True)
        sending = create_key(keys, KeyUse.SENDING, password, demo=True, key=sending_key)
        homes[plan.code] = CarrierHome(plan, home, urls[plan.code], signing, sending, password_file)
    return homes


def _settings(plan: CarrierPlan, home: Path, chain_url: str, port: int, urls: Mapping[CarrierCode, str]) -> Settings:
    trunks = {name: TrunkSetting(partner, TrunkDirection(way)) for name, (partner, way) in trunks_of(plan).items()}
    return Settings(
        home=home,
        carrier=plan.code,
        chain_url=chain_url,
        clock=ClockKind.CHAIN,
        listen=Listen(port=port),
        switch=Switch(zone=plan.zone, country=COUNTRIES[plan.code]),
        peers={code: url for code, url in urls.items() if code != plan.code},
        trunks=trunks,
        numbers={code: ranges for code, ranges in NUMBERS.items() if code != plan.code},
    )
