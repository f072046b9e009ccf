"""Is what a finished period owes beside its events charged once, with what came later, and never left out unseen?"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import pytest

from gateway import month
from gateway.composition import Gateway, partnership_with
from gateway.formats.outages import load_outages
from gateway.month.rating import RatedScope
from gateway.month.telling import Said
from gateway.settings import TrunkDirection, TrunkSetting
from ledger.agreement_file import dump_agreement
from ledger.archive import read_by_root
from ledger.chain.bindings import RateChange, RateDeckPublished
from ledger.errors import Conflict, Malformed
from ledger.identity import CarrierCode, ascii32
from ledger.period import Period
from ledger.prices.circuits import Outage
from ledger.prices.deck import deck_hash
from ledger.prices.service_deck_file import load_service_deck
from ledger.prices.service_terms import CreditedMonth, DataTerms, IplTerms, MissingSamples, OutageCredit
from ledger.service import Service
from ledger.store.batches import list_batches
from ledger.store.engine import reading, writing
from tests.gateway.chain_rows import said
from tests.gateway.formats.workbooks import workbook
from tests.gateway.homes import lonely_gateway
from tests.ledger.prices.service_records import agreed

GB = CarrierCode("GB-B")
OCTOBER = Period(2026, 10)
SEPTEMBER_S = int(datetime(2026, 9, 1, tzinfo=UTC).timestamp())
NOVEMBER_MS = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp()) * 1000
MBPS_SAMPLE = 10**6 * 300 // 8
PORT_DECK = "destination,port,rate,unit\nTransit,p1,3,Mbps\n"
LINE_DECK = "destination,circuit,monthly,install\nLine,C1;C2,3100,500\n"


class Stopped:
    """A clock that shows one time."""

    def __init__(self, at_ms: int) -> None:
        self.at_ms = at_ms

    def now_ms(self) -> int:
        return self.at_ms


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """CN-T's gateway on 1 November; it pays GB-B for a port and two circuits, whose decks are published."""
    monkeypatch.setattr(Gateway, "catch_up", lambda _: None)
    made = lonely_gateway(tmp_path)
    trunks = MappingProxyType({name: TrunkSetting(GB, TrunkDirection.OUT) for name in ("p1", "C1", "C2")})
    made = replace(made, settings=replace(made.settings, trunks=trunks), clock=Stopped(NOVEMBER_MS))
    terms = agreed(
        data=DataTerms(missing=MissingSamples.SKIP),
        ipl=IplTerms(credit=OutageCredit.HOUR, credited_month=CreditedMonth.SAME),
    )
    (made.settings.agreements_path / "gb-b.toml").write_text(dump_agreement(terms))
    for seq, (service, text) in enumerate([(Service.DATA, PORT_DECK), (Service.IPL, LINE_DECK)], start=1):
        _publish(made, service, text, seq)
    yield made
    made.close()


def _publish(gateway: Gateway, service: Service, text: str, seq: int) -> None:
    path = gateway.settings.decks_path / f"{service.word}.csv"
    path.write_text(text)
    held, hashed = partnership_with(gateway.settings, GB), deck_hash(load_service_deck(path, "USD", service))
    times = (SEPTEMBER_S, seq, 1)
    with writing(gateway.engine) as connection:
        said(connection, RateDeckPublished(held.id, ascii32(GB), service, RateChange.INITIAL, hashed, *times))


def samples(gateway: Gateway, name: str, day: int, *mbps: int) -> None:
    """A file of the port's counters: so many Mbps in, none out."""
    start = datetime(2026, 10, day, tzinfo=UTC)
    rows = [
        f"{(start + timedelta(minutes=5 * number)).isoformat()},p1,{rate * MBPS_SAMPLE},0"
        for number, rate in enumerate(mbps, start=1)
    ]
    path = gateway.settings.home / name
    path.write_text("\n".join(["time,port,in_octets,out_octets", *rows]) + "\n")
    month.import_usage(gateway, path, "interface")


def rated(gateway: Gateway) -> RatedScope:
    (scope,) = month.rate(gateway, period=OCTOBER).scopes
    return scope


def charged(gateway: Gateway) -> list[tuple[str, str, int]]:
    """What the sealed charge records say: route, destination, amount."""
    with reading(gateway.engine) as connection:
        roots = [batch.root for batch in list_batches(connection)]
    tables = [read_by_root(gateway.settings.archive_path, root).table for root in roots]
    rows = [row for table in tables for row in table.to_pylist() if row["line"] == 0]
    return [(row["route"], row["destination"], row["amount_micros"]) for row in rows]


def test_ports_are_charged_once_their_period_is_over_and_it_cannot_be_closed_before(gateway: Gateway) -> None:
    samples(gateway, "a.csv", 3, 5, 6)
    early = replace(gateway, clock=Stopped(NOVEMBER_MS - 1))
    assert (rated(early).count, str(rated(early).amount)) == (4, "USD 0.00")
    month.seal(early)
    assert charged(gateway) == []

    with pytest.raises(Conflict, match="owes for data is not charged yet") as refusal:
        month.close(gateway, OCTOBER)
    assert refusal.value.got == "p1"
    for dry_run in (True, True, False):
        (scope,) = month.rate(gateway, dry_run=dry_run).scopes
        assert (scope.count, str(scope.amount)) == (1, "USD 18.00")


def test_rating_again_charges_nothing_twice_and_more_samples_change_a_charge_that_waits(gateway: Gateway) -> None:
    samples(gateway, "a.csv", 3, 5, 6)
    assert str(rated(gateway).amount) == str(rated(gateway).amount) == "USD 18.00"
    samples(gateway, "b.csv", 4, 7)
    assert (rated(gateway).count, str(rated(gateway).amount)) == (7, "USD 21.00")

    month.seal(gateway)
    assert charged(gateway) == [("p1", "Transit: 95th percentile, nearest-rank, max", 21_000_000)]
    assert month.rate(gateway, period=OCTOBER).scopes == ()


def test_samples_after_the_charge_was_sealed_add_what_they_make_dearer_and_tell_what_they_make_cheaper(
    gateway: Gateway,
) -> None:
    samples(gateway, "a.csv", 3, 5, 6)
    month.rate(gateway)
    month.seal(gateway)
    samples(gateway, "b.csv", 4, 9)
    assert str(rated(gateway).amount) == "USD 9.00", "9 Mbps are 27, and 18 are sealed"
    month.seal(gateway)
    assert sorted(amount for _, _, amount in charged(gateway)) == [9_000_000, 18_000_000]

    samples(gateway, "c.csv", 5, *[1] * 80)
    scope = rated(gateway)
    assert (str(scope.amount), scope.refused) == ("USD 0.00", 1)
    assert list(scope.reasons) == ["p1: 24.00 more is sealed than the samples give"]


def test_circuits_are_rated_with_the_outages_of_the_home_and_installed_once(gateway: Gateway) -> None:
    folder = gateway.settings.home / "outages"
    folder.mkdir()
    (folder / "2026-10.csv").write_text("circuit,begin,end\nC1,2026-10-05T00:00:00Z,2026-10-05T03:00:00Z\n")
    path = gateway.settings.home / "circuits.xlsx"
    head = ["Circuit", "A End", "Z End", "From", "To", "Monthly Charge"]
    path.write_bytes(
        workbook([head, ["C1", "LON1", "BJS2", "2025-01-01", "", ""], ["C2", "LON1", "BJS2", "2026-10-22", "", ""]])
    )
    month.import_usage(gateway, path, "ipl_inventory", said=Said(period=OCTOBER))

    assert str(rated(gateway).amount) == "USD 4587.50"  # 3,100 less 12.50, 10 days of 3,100, 500
    month.seal(gateway)
    assert charged(gateway) == [("C2", "installation: Line", 500_000_000)]
    assert month.rate(gateway, period=OCTOBER).scopes == ()


def test_a_circuit_in_two_files_of_a_month_is_charged_once_and_what_the_month_before_had_is_not_new(
    gateway: Gateway,
) -> None:
    head = ["Circuit", "A End", "Z End", "From", "To", "Monthly Charge"]
    path = gateway.settings.home / "circuits.xlsx"
    c1, c2 = (["C1", "LON1", "BJS2", "2025-01-01", "", ""], ["C2", "LON1", "BJS2", "2026-10-01", "", ""])
    for period, rows in ((Period(2026, 9), [c1]), (OCTOBER, [c1, c2]), (OCTOBER, [c2]), (OCTOBER, [c1])):
        path.write_bytes(workbook([head, *rows]))
        month.import_usage(gateway, path, "ipl_inventory", said=Said(period=period))

    scope = rated(gateway)
    assert (str(scope.amount), scope.refused) == ("USD 6700.00", 2), "two circuits, and C2 is new"
    assert all("charged twice" in reason for reason in scope.reasons)
    month.seal(gateway, period=OCTOBER)
    assert charged(gateway) == [("C2", "installation: Line", 500_000_000)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("circuit,from,to\n", "has other columns"),
        ("circuit,begin,end\nC1,2026-10-05,later\n", "line 2 of outages.csv: not a time"),
        ("circuit,begin,end\nC1,2026-10-05T01:00:00Z,2026-10-05T01:00:00Z\n", "ends before it begins"),
        ("circuit,begin,end\n,2026-10-05T00:00:00Z,2026-10-05T01:00:00Z\n", "not a circuit"),
        ("circuit,begin,end\nC1,٢٠٢٦-10-05,2026-10-06\n", "not a time"),
    ],
)
def test_an_outage_that_cannot_be_read_stops_the_file_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "outages.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(Malformed, match=says):
        load_outages(path)


def test_outages_are_moments_with_their_offset_in_utc_without_one(tmp_path: Path) -> None:
    path = tmp_path / "outages.csv"
    path.write_text("circuit,begin,end\nC1,2026-10-05T08:00:00+08:00,2026-10-05T00:00:00.5\n")
    begin = 1_791_158_400_000
    assert load_outages(path) == (Outage("C1", begin, begin + 500),)
