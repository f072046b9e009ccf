"""What do tests of the API need? A small month between two gateways as processes, settled to its payment."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.client import Client
from gateway.settings import load_settings
from ledger.identity import CarrierCode
from ledger.money import Micros
from ledger.period import Period
from ledger.service import Service
from ledger.store.arbitrages import ArbitrageRow, replace_arbitrages
from ledger.store.engine import open_store, writing
from ledger.store.suspicions import SuspicionRow, replace_suspicions
from tests.scenarios.gateways import (
    CN_T,
    GB_B,
    NOVEMBER,
    PATIENCE_SECONDS,
    SEPTEMBER,
    GatewayProcess,
    Street,
    two_carriers,
    write_calls,
)

PERIOD, AUGUST = "2026-10", Period(2026, 8)
DAYS, CALLS_A_DAY = 2, 4
CLOSED = ("open_on_loopback = true", "open_on_loopback = false")
"""Nobody reads without login, also on this machine."""
ALLOWED = ("allow = []", 'allow = ["127.0.0.1"]')
"""Webhooks may lead to this machine."""


@dataclass(frozen=True, slots=True)
class Settled:
    """CN-T and GB-B after October; CN-T's gateway is the one that tests ask."""

    street: Street
    clients: Mapping[CarrierCode, Client]

    @property
    def process(self) -> GatewayProcess:
        return self.street.gateways[CN_T]

    @property
    def url(self) -> str:
        return str(self.clients[CN_T].url)

    @property
    def token(self) -> str:
        """The operator's."""
        return (self.process.home / "operator.token").read_text("ascii").strip()


@contextmanager
def settled_month(folder: Path) -> Iterator[Settled]:
    """One call differs, its dispute is credited; the bill is accepted, netted and paid at the bank."""
    with two_carriers(folder) as street, ExitStack() as ending:
        clients = {}
        for carrier, process in street.gateways.items():
            settings = process.home / "gsc.toml"
            settings.write_text(settings.read_text("utf-8").replace(*CLOSED).replace(*ALLOWED), "utf-8")
            clients[carrier] = ending.enter_context(process.start())
        _agree(clients)
        street.chain.advance_to(NOVEMBER)
        _declare(clients, folder)
        _settle(clients)
        _keep_what_a_search_would_find(street.gateways[CN_T])
        yield Settled(street, clients)


def _agree(clients: Mapping[CarrierCode, Client]) -> None:
    clients[CN_T].sign_agreement(GB_B)
    clients[GB_B].sign_agreement(CN_T)
    clients[GB_B].wait_all(seconds=PATIENCE_SECONDS)
    for carrier, partner in ((CN_T, GB_B), (GB_B, CN_T)):
        clients[carrier].publish_rates(partner, f"{carrier.lower()}.csv", SEPTEMBER)
        clients[carrier].grant_credit(partner, "1000.00")
    _rest(clients)


def _declare(clients: Mapping[CarrierCode, Client], folder: Path) -> None:
    for carrier, client in clients.items():
        calls = write_calls(folder / f"{carrier}.csv", carrier, days=DAYS, calls_a_day=CALLS_A_DAY)
        if carrier == GB_B:
            calls.write_text(calls.read_text("utf-8").replace(",60000,", ",900000,"), "utf-8")
        with calls.open("a", encoding="utf-8") as stream:
            stream.write("+861390,not a number,2026-10-01T06:00:00+00:00,1,nowhere\n")
        client.import_usage(calls, "csv")
        for verb in (client.rate, client.seal, client.declare):
            verb(period=PERIOD)
    _rest(clients)
    for client in clients.values():
        client.close_period(PERIOD)
    _rest(clients)


def _settle(clients: Mapping[CarrierCode, Client]) -> None:
    for carrier, partner in ((CN_T, GB_B), (GB_B, CN_T)):
        clients[carrier].reveal(partner, PERIOD)
        clients[carrier].reconcile(partner, PERIOD)
        clients[carrier].dispute(partner, PERIOD)
    _rest(clients)
    for dispute in clients[CN_T].disputes():
        for client in clients.values():
            client.resolve(dispute["id"], dispute["amount"]["value"])
    _rest(clients)
    for carrier, partner in ((CN_T, GB_B), (GB_B, CN_T)):
        clients[carrier].accept(partner, PERIOD)
    _rest(clients)
    clients[CN_T].net()
    _rest(clients)
    (payable,) = clients[CN_T].payables()
    clients[payable["creditor"]].confirm(payable["id"], "0.01", "SWIFT 1")
    _rest(clients)


def _keep_what_a_search_would_find(process: GatewayProcess) -> None:
    """One detour and one suspicion of August: a month of sixteen calls has none of its own."""
    detour = ArbitrageRow(
        period=AUGUST,
        number=1,
        scheme="detour",
        cycle="CN-T>GB-B>CN-T",
        loser=CN_T,
        destination="China Mobile",
        codes="861",
        currency="USD",
        gain_nanos=1_000_000,
        count=3,
        minutes=9,
        lost_micros=Micros(9_000),
        exposed_minutes=90,
        at_risk_micros=Micros(90_000),
        creditor=CN_T,
        debtor=GB_B,
        declarer=CN_T,
        evidence_path=None,
        explanation="calls that came back through another",
        found_at_ms=NOVEMBER * 1000,
    )
    suspicion = SuspicionRow(
        period=AUGUST,
        number=1,
        kind="wangiri",
        confidence=80,
        service=Service.VOICE,
        creditor=CN_T,
        debtor=GB_B,
        declarer=CN_T,
        subject="442079460123",
        currency="USD",
        count=3,
        at_risk_micros=Micros(500),
        rule="short calls to many",
        explanation="three calls that rang once",
        evidence_path=None,
        found_at_ms=NOVEMBER * 1000,
    )
    engine = open_store(load_settings(process.home).database_url)
    with writing(engine) as connection:
        replace_arbitrages(connection, AUGUST, [detour])
        replace_suspicions(connection, AUGUST, [suspicion], ["wangiri"])
    engine.dispose()


def _rest(clients: Mapping[CarrierCode, Client]) -> None:
    """Everything on its way has come to rest, and both have read it."""
    for client in clients.values():
        assert {each["state"] for each in client.wait_all(seconds=PATIENCE_SECONDS)} <= {"final"}
    for client in clients.values():
        client.wait_read(seconds=PATIENCE_SECONDS)
