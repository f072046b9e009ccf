"""Does a home price a month with a deal once it is over, among all of it, and charge the shortfall?"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from gateway import month
from gateway.composition import Gateway, partnership_with
from gateway.month.rating import RatedScope
from gateway.settings import TrunkDirection, TrunkSetting
from ledger.agreement_file import dump_agreement
from ledger.chain.bindings import RateChange, RateDeckPublished
from ledger.identity import ascii32
from ledger.money import Micros, parse_nanos
from ledger.prices.deal_terms import Deal, Tier
from ledger.prices.deck import deck_hash
from ledger.prices.deck_file import load_deck
from ledger.service import Service
from ledger.store.engine import writing
from ledger.usage import USAGE_SCHEMA
from tests.gateway.chain_rows import said
from tests.gateway.homes import lonely_gateway
from tests.gateway.test_charging import GB, NOVEMBER_MS, OCTOBER, SEPTEMBER_S, Stopped, charged
from tests.ledger.prices.service_records import agreed

MINUTE = 60_000
DEAL = Deal("UK", GB, tiers=(Tier(0, parse_nanos("3")), Tier(10 * MINUTE, parse_nanos("1"))))


def _home(tmp_path: Path, deal: Deal) -> Gateway:
    """CN-T's gateway on 1 November, which hands calls to GB-B and takes some."""
    made = lonely_gateway(tmp_path)
    ways = {"out-1": TrunkDirection.OUT, "in-1": TrunkDirection.IN}
    trunks = MappingProxyType({name: TrunkSetting(GB, way) for name, way in ways.items()})
    settings = replace(made.settings, trunks=trunks, switch=replace(made.settings.switch, country="CN"))
    made = replace(made, settings=settings, clock=Stopped(NOVEMBER_MS))
    (made.settings.agreements_path / "gb-b.toml").write_text(dump_agreement(replace(agreed(), deals=(deal,))))
    path = made.settings.decks_path / "voice.csv"
    path.write_text("destination,code,rate,increment,currency\nUK,44,9,1/1,USD\nChina,86,9,1/1,USD\n")
    held, hashed = partnership_with(made.settings, GB), deck_hash(load_deck(path))
    with writing(made.engine) as connection:
        for creditor in (GB, made.carrier):
            notice = (held.id, ascii32(creditor), Service.VOICE, RateChange.INITIAL, hashed, SEPTEMBER_S, 1, 1)
            said(connection, RateDeckPublished(*notice))
    return made


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    monkeypatch.setattr(Gateway, "catch_up", lambda _: None)
    made = _home(tmp_path, replace(DEAL, committed_micros=Micros(50_000_000)))
    yield made
    made.close()


def _calls(
    gateway: Gateway, name: str, *calls: tuple[int, int], trunk: str = "out-1", to: str = "442079460000"
) -> None:
    """A file of calls: on a day of October, so many minutes."""
    rows = [f"8613800138000,{to},2026-10-{day:02d}T12:00:00Z,{minutes * MINUTE},{trunk}" for day, minutes in calls]
    path = gateway.settings.home / name
    path.write_text("\n".join(["a_number,b_number,start,duration_ms,trunk", *rows]) + "\n")
    month.import_usage(gateway, path, "csv")


def _rated(gateway: Gateway) -> RatedScope:
    return next(scope for scope in month.rate(gateway, period=OCTOBER).scopes if scope.creditor == GB)


def test_nothing_of_the_month_has_a_price_before_it_is_over(gateway: Gateway) -> None:
    _calls(gateway, "a.csv", (3, 6))
    early = replace(gateway, clock=Stopped(NOVEMBER_MS - 1))
    scope = _rated(early)
    assert (scope.count, scope.refused) == (0, 1)
    assert list(scope.reasons) == ["priced when the month is over: the agreement counts all of it"]
    assert month.seal(early).sealed_now == 0


def test_each_file_is_priced_among_all_of_the_month_and_the_shortfall_is_charged(gateway: Gateway) -> None:
    _calls(gateway, "later.csv", (20, 6))
    _calls(gateway, "earlier.csv", (3, 6))
    scope = _rated(gateway)
    # 10 minutes at 3 and 2 at 1 are 32; 50 are committed
    assert (scope.count, str(scope.amount)) == (3, "USD 50.00")
    month.seal(gateway)
    assert charged(gateway) == [("UK", "UK: short of 50.00", 18_000_000)]


def test_the_other_directions_month_is_what_balances(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Gateway, "catch_up", lambda _: None)
    gateway = _home(tmp_path, replace(DEAL, unbalanced=(Tier(0, parse_nanos("7")),)))
    try:
        _calls(gateway, "out.csv", (3, 6), (4, 6))
        _calls(gateway, "in.csv", (5, 8), trunk="in-1", to="8613800138000")
        assert str(_rated(gateway).amount) == f"USD {8 * 3 + 4 * 7}.00"
    finally:
        gateway.close()


def test_a_planted_fault_that_forgets_the_other_files_shows(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    _calls(gateway, "later.csv", (20, 6))
    _calls(gateway, "earlier.csv", (3, 6))
    honest = _rated(gateway)
    monkeypatch.setattr("gateway.month.pricing.month_usage", lambda *asked, without=None: USAGE_SCHEMA.empty_table())
    assert _rated(gateway).amount != honest.amount
