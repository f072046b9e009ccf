"""Do voice, SMS, data and private lines go from both carriers' own files to one statement that both sign?

GB-B terminates CN-T's calls and messages, sells it transit at a port and two private lines. Three differences are
planted in GB-B's files: a delivery receipt that CN-T has not, a sample of two megabits more, a circuit two days longer
in service. Both know of the same outage.
"""

import csv
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from gateway.client import Client, GatewayRefused
from gateway.composition import Gateway, open_gateway, partnership_with
from gateway.month.books import revealed_book, table_of
from gateway.month.parts import Direction
from gateway.settings import SETTINGS_FILE, TrunkDirection, TrunkSetting, dump_settings, load_settings
from ledger.agreement import Agreement
from ledger.agreement_file import dump_agreement
from ledger.identity import CarrierCode
from ledger.money import show_micros
from ledger.period import parse_period
from ledger.prices.data_rating import recompute_charge, wrong_charges
from ledger.prices.deck import deck_history
from ledger.prices.service_deck_file import load_service_deck
from ledger.prices.service_terms import (
    CreditedMonth,
    DataTerms,
    IplTerms,
    MissingSamples,
    OutageCredit,
    SmsBasis,
    SmsTerms,
    SmsUnit,
)
from ledger.service import Service
from tests.gateway.formats.workbooks import workbook
from tests.scenarios.gateways import (
    CN_T,
    GB_B,
    NOVEMBER,
    PASSWORD,
    PATIENCE_SECONDS,
    SEPTEMBER,
    Street,
    two_carriers,
    write_calls,
)

PERIOD = "2026-10"
OCTOBER = parse_period(PERIOD)
IGW = "GLOBAL-BEIJING"
PORT, CIRCUITS = "lon-pop1-te0", ("LON-BJS-1", "LON-BJS-2")
MBPS_SAMPLE = 10**6 * 300 // 8
"""Octets that one Mbps carries in five minutes."""
AGREEMENT = Agreement(
    CN_T,
    GB_B,
    "USD",
    frozenset(Service),
    ZoneInfo("UTC"),
    SEPTEMBER * 1000,
    sms=SmsTerms(SmsUnit.SEGMENT, SmsBasis.DELIVERY),
    data=DataTerms(missing=MissingSamples.SKIP),
    ipl=IplTerms(credit=OutageCredit.HOUR, credited_month=CreditedMonth.SAME),
)
DECKS = {
    "sms": "destination,mcc,mnc,rate\nUnited Kingdom,234,15,0.0300\n",
    "data": "destination,port,rate,unit,commit,overage_rate\nTransit,lon-pop1-te0,3,Mbps,10,4.50\n",
    "ipl": "destination,circuit,monthly,install\nPrivate line 1G,LON-BJS-1;LON-BJS-2,3100,500\n",
}
OUTAGES = "circuit,begin,end\nLON-BJS-1,2026-10-05T00:00:00Z,2026-10-05T03:00:00Z\n"
CLAIMED = {"voice": "0.084000", "sms": "0.180000", "data": "93.000000", "ipl": "5987.500000"}
"""Of GB-B: 4 calls of 7 minutes at 0.012; 6 messages at 0.03; 10 Mbps at 3 and 14 at 4.50; 31 days of 3,100 less 3 of
744 hours, 24 days of 3,100 and an installation."""
COUNTED = {"voice": "0.084000", "sms": "0.150000", "data": "88.500000", "ipl": "5787.500000"}
"""By CN-T: 5 messages, 13 Mbps of overage, 22 days."""

pytestmark = pytest.mark.chain


def test_four_services_of_one_month_are_agreed_in_one_statement(tmp_path: Path) -> None:
    with two_carriers(tmp_path, carriers_decide=True) as street, ExitStack() as stack:
        for carrier in (CN_T, GB_B):
            _furnish(street, carrier)
        clients = {carrier: stack.enter_context(each.start()) for carrier, each in street.gateways.items()}
        _prepare(street, clients)
        for carrier, client in clients.items():
            _import_october(client, carrier, tmp_path)
            _seal_october(client, CLAIMED if carrier == GB_B else COUNTED)
        _declare_close_and_reveal(clients)

        _assert_findings_explain_each_difference(clients)
        ours = open_gateway(load_settings(street.gateways[CN_T].home), PASSWORD)
        stack.callback(ours.close)
        _assert_the_port_can_be_charged_again_from_revealed_samples(ours)
        _assert_one_statement_holds_all_lines(clients)


def _furnish(street: Street, carrier: CarrierCode) -> None:
    """Agreement, decks, outages and trunks of all services."""
    home = street.gateways[carrier].home
    (home / "agreements" / "cn-t_gb-b.toml").write_text(dump_agreement(AGREEMENT))
    for name, text in DECKS.items():
        (home / "decks" / f"gb-b-{name}.csv").write_text(text)
    (home / "outages").mkdir()
    (home / "outages" / "2026-10.csv").write_text(OUTAGES)
    settings = load_settings(home)
    way = TrunkDirection.OUT if carrier == CN_T else TrunkDirection.IN
    partner = GB_B if carrier == CN_T else CN_T
    further = {name: TrunkSetting(partner, way) for name in ("sms-bind", PORT, *CIRCUITS)}
    changed = replace(settings, trunks={**settings.trunks, **further}, igw={partner: IGW})
    (home / SETTINGS_FILE).write_text(dump_settings(changed))


def _prepare(street: Street, clients: Mapping[CarrierCode, Client]) -> None:
    """On chain before the month: agreement, decks of all services, credit, and GB-B's licence, which both decide."""
    clients[CN_T].sign_agreement(GB_B)
    clients[GB_B].sign_agreement(CN_T)
    proposed = clients[CN_T].propose("grant-licence", carrier="GB-B", licence="BASIC-INTL", from_="2026-09-01")
    _settle(clients)
    clients[GB_B].approve(proposed["proposalId"])
    for carrier, partner in ((CN_T, GB_B), (GB_B, CN_T)):
        clients[carrier].publish_rates(partner, f"{carrier.lower()}.csv", SEPTEMBER)
        clients[carrier].grant_credit(partner, "20000.00")
    for name in DECKS:
        clients[GB_B].publish_rates(CN_T, f"gb-b-{name}.csv", SEPTEMBER, service=name)
    _settle(clients)
    street.chain.advance_to(NOVEMBER)
    clients[CN_T].execute(proposed["proposalId"])
    _settle(clients)


def _settle(clients: Mapping[CarrierCode, Client]) -> None:
    for client in clients.values():
        assert {each["state"] for each in client.wait_all(seconds=PATIENCE_SECONDS)} <= {"final"}


def _import_october(client: Client, carrier: CarrierCode, folder: Path) -> None:
    calls = write_calls(folder / f"{carrier}-calls.csv", carrier, days=2, calls_a_day=2)
    client.import_usage(calls, "csv")
    client.import_usage(_receipts(folder / f"{carrier}-receipts.csv", carrier), "smpp_receipts")
    client.import_usage(_samples(folder / f"{carrier}-samples.csv", carrier), "interface")
    inventory = _inventory(folder / f"{carrier}-circuits.xlsx", carrier)
    client.import_usage(inventory, "ipl_inventory", period=PERIOD)


def _receipts(path: Path, carrier: CarrierCode) -> Path:
    """Five delivered messages and one that was not; GB-B has a sixth that CN-T never sent."""
    rows = [
        (f"4477009001{number:02d}", f"id:{number:010d} sub:001 dlvrd:001 submit date:26100109{number:02d} "
         f"done date:26100109{number:02d}30 stat:DELIVRD err:000 text:")
        for number in range(6 if carrier == GB_B else 5)
    ]  # fmt: skip
    rows.append(("447700900199", rows[0][1].replace("DELIVRD", "UNDELIV")))
    head = ["system_id", "source_addr", "destination_addr", "mcc_mnc", "short_message"]
    return _csv(path, [head, *(["sms-bind", recipient, "GSCBANK", "234-15", text] for recipient, text in rows)])


def _samples(path: Path, carrier: CarrierCode) -> Path:
    """24 samples of 1 to 24 Mbps to CN-T and 2 Mbps from it; in GB-B's the one of 23 has 25."""
    mbps = [25 if (carrier, number) == (GB_B, 23) else number for number in range(1, 25)]
    start = datetime(2026, 10, 3, tzinfo=UTC)
    rows: list[list[object]] = [["time", "port", "in_octets", "out_octets"]]
    for number, rate in enumerate(mbps, start=1):
        octets = [rate * MBPS_SAMPLE, 2 * MBPS_SAMPLE]
        told = (start + timedelta(minutes=5 * number)).isoformat()
        rows.append([told, PORT, *(octets if carrier == CN_T else octets[::-1])])
    return _csv(path, rows)


def _inventory(path: Path, carrier: CarrierCode) -> Path:
    """Two lines; the second is in service from the 10th, in GB-B's inventory from the 8th."""
    begins = "2026-10-08" if carrier == GB_B else "2026-10-10"
    rows = [
        ["Circuit", "A End", "Z End", "From", "To", "Monthly Charge"],
        [CIRCUITS[0], "LON1", "BJS2", "2025-01-01", "", "3100"],
        [CIRCUITS[1], "LON1", "BJS2", begins, "", "3100"],
    ]
    path.write_bytes(workbook(rows))
    return path


def _csv(path: Path, rows: Sequence[Sequence[object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(rows)
    return path


def _seal_october(client: Client, amounts: Mapping[str, str]) -> None:
    """Before it is rated, the month can neither be sealed nor closed."""
    with pytest.raises(GatewayRefused, match="have no rated records"):
        client.seal(period=PERIOD)
    rated = client.rate(period=PERIOD)
    assert {each["service"]: each["amount"]["value"] for each in _of_gb_b(rated["scopes"])} == amounts
    assert {each["refused"] for each in rated["scopes"]} == {0}
    again = client.rate(period=PERIOD)
    assert sorted(map(str, again["scopes"])) == sorted(map(str, rated["scopes"])), "a repeat charges nothing twice"
    sealed = client.seal(period=PERIOD)["batches"]
    assert len([each for each in sealed if each["service"] == "data"]) == 2, "the samples, and what they are charged"
    assert client.rate(period=PERIOD)["scopes"] == []


def _declare_close_and_reveal(clients: Mapping[CarrierCode, Client]) -> None:
    for client in clients.values():
        client.declare(period=PERIOD)
    _settle(clients)
    for client in clients.values():
        client.close_period(PERIOD)
    _settle(clients)
    for carrier, partner in ((CN_T, GB_B), (GB_B, CN_T)):
        assert {batch["refusal"] for batch in clients[carrier].reveal(partner, PERIOD)["batches"]} == {None}


def _assert_findings_explain_each_difference(clients: Mapping[CarrierCode, Client]) -> None:
    found = {each["service"]: each for each in _of_gb_b(clients[CN_T].reconcile(GB_B, PERIOD)["directions"])}

    assert {name: each["theirs"]["value"] for name, each in found.items()} == CLAIMED
    assert {name: each["ours"]["value"] for name, each in found.items()} == COUNTED
    told = {
        name: {(finding["cause"], finding["count"], finding["difference"]["value"]) for finding in each["findings"]}
        for name, each in found.items()
    }
    assert told == {
        "voice": set(),
        "sms": {("missing_at_ours", 1, "-0.030000")},
        "data": {("samples", 1, "0.000000"), ("samples", 1, "-4.500000")},
        "ipl": {("circuit_dates", 1, "-200.000000")},
    }
    (charge,) = [each for each in found["data"]["findings"] if each["difference"]["value"] != "0.000000"]
    assert "GB-B's follows from its samples, CN-T's follows from its samples" in charge["explanation"]
    assert found["data"]["pairs"] == found["data"]["oursCount"] == 49, "24 samples each way and the charge"
    assert found["ipl"]["pairs"] == found["ipl"]["oursCount"] == 3, "two circuits and an installation"
    mirror = {each["service"]: each for each in _of_gb_b(clients[GB_B].reconcile(CN_T, PERIOD)["directions"])}
    assert {name: each["difference"]["value"] for name, each in mirror.items()} == {
        name: each["difference"]["value"].removeprefix("-") for name, each in found.items()
    }


def _of_gb_b(directions: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [each for each in directions if each["creditor"] == GB_B]


def _assert_the_port_can_be_charged_again_from_revealed_samples(ours: Gateway) -> None:
    """CN-T computes GB-B's charge from GB-B's samples: it follows from them; with one sample altered it does not."""
    held = partnership_with(ours.settings, GB_B)
    direction = Direction(held, GB_B, Service.DATA)
    records = table_of(ours, revealed_book(ours, direction, OCTOBER))
    deck = load_service_deck(ours.settings.decks_path / "gb-b-data.csv", "USD", Service.DATA)
    history = deck_history([(SEPTEMBER * 1000, deck)])

    charge = recompute_charge(records, PORT, history, held.agreement, GB_B, OCTOBER)
    assert show_micros(charge.amount_micros) == CLAIMED["data"]
    assert wrong_charges(records, history, held.agreement, GB_B, OCTOBER) == {}
    quantity = [each + MBPS_SAMPLE if each == 24 * MBPS_SAMPLE else each for each in records["quantity"].to_pylist()]
    at = records.schema.get_field_index("quantity")
    altered = records.set_column(at, records.schema.field(at), pa.array(quantity))
    assert list(wrong_charges(altered, history, held.agreement, GB_B, OCTOBER)) == [PORT]


def _assert_one_statement_holds_all_lines(clients: Mapping[CarrierCode, Client]) -> None:
    disputes = clients[CN_T].dispute(GB_B, PERIOD)["disputes"]
    assert {(each["service"], each["reason"], each["amount"]["value"]) for each in disputes} == {
        ("sms", "missing_at_ours", "0.030000"),
        ("data", "samples", "4.500000"),
        ("ipl", "circuit_dates", "200.000000"),
    }
    _settle(clients)
    assert clients[CN_T].accept(GB_B, PERIOD)["signedBy"] == [CN_T]
    agreed = clients[GB_B].accept(CN_T, PERIOD)
    assert agreed["signedBy"] == [CN_T, GB_B]
    _settle(clients)
    lines = {line["service"]: line for line in agreed["lines"] if line["creditor"] == GB_B}
    assert {name: line["creditorAmount"]["value"] for name, line in lines.items()} == CLAIMED
    assert {name: line["debtorAmount"]["value"] for name, line in lines.items()} == COUNTED
    assert {name: line["agreed"]["value"] for name, line in lines.items()} == COUNTED, "all that differs is withheld"
