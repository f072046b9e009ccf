"""Which calls took a way round that somebody's decks pay for, and which honest ones crossed the same carriers?

Honest: guests with a foreign number in a partner's network, a day on which a way was down and others carried its calls,
transit that earns, people who call back at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from ledger.identity import CarrierCode
from ledger.money import Nanos
from ledger.period import Period
from ledger.prices.deck import DeckHistory, Rate, deck_history, rate_deck
from reconciliation.arbitrage.circles import ArbitrageFinding, Direction, Scheme, Traffic
from reconciliation.arbitrage.detours import find_detours
from scripts.traffic.carriers import CARRIERS, CN_T, GB_B, US_A
from scripts.traffic.counting import Counted, count_rows, rated_table
from scripts.traffic.forgeries.calls import UTC
from scripts.traffic.frauds.legs import at_ms, numbers, talk_s
from scripts.traffic.prices import Ints

CN, GB, US = CN_T.code, GB_B.code, US_A.code
HOMES: Mapping[CarrierCode, tuple[str, ...]] = {carrier.code: (carrier.country_code,) for carrier in CARRIERS}
OWN = {CN: (8_613, 9), GB: (4_477, 8), US: (1_212, 7)}
"""Beginning and free digits of each carrier's own numbers."""
ALASKA, SATELLITE = (1_907, 7), (8_816, 8)
NAMES = {"86": "China", "44": "United Kingdom", "1": "United States", "1907": "Alaska", "8816": "Satellite"}
PRICES: Mapping[Direction, Mapping[str, int]] = {
    (GB, CN): {"44": 12_300_000, "1907": 50_000_000, "8816": 700_000_000},
    (GB, US): {"44": 11_900_000, "8816": 900_000_000},
    (CN, GB): {"86": 17_500_000, "8816": 950_000_000},
    (CN, US): {"86": 18_300_000},
    (US, CN): {"1": 9_800_000, "1907": 90_000_000},
    (US, GB): {"1": 8_700_000, "1907": 30_000_000, "8816": 820_000_000},
}
"""Nanos a minute. Alaska costs CN-T 90 direct and 50 through GB-B; satellites cost GB-B more of US-A than CN-T pays."""
CALLS, GUESTS, ROUND = 3_000, 25, 120


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls of people; all arrays have one length."""

    a: Ints
    b: Ints
    start_ms: Ints
    lasts_s: Ints


class Plant(NamedTuple):
    """Calls on a way round that one carrier must see."""

    kind: str
    us: CarrierCode
    scheme: Scheme
    way: Direction
    rows: Ints
    """Of the table of `way`."""


@dataclass(frozen=True, slots=True)
class DetourMonth:
    """The creditors' records of all directions, and what must be told to whom."""

    month: Period
    tables: Mapping[Direction, pa.Table]
    decks: Mapping[Direction, DeckHistory]
    planted: tuple[Plant, ...]


def draw_detours(seed: int, month: Period) -> DetourMonth:
    """Three carriers' month: a refile, a trombone that costs its middle, one that returns where it came from."""
    rng = np.random.default_rng([seed, 23])
    drawn = {way: [_people(rng, month, OWN[way[1]], OWN[way[0]], CALLS)] for way in PRICES}
    _honest(rng, month, drawn)
    _, refiled = _through(rng, month, drawn, ALASKA, ((GB, CN), (US, GB)))
    dear, _ = _through(rng, month, drawn, SATELLITE, ((GB, CN), (US, GB)))
    out, back = _through(rng, month, drawn, SATELLITE, ((GB, US), (US, GB)))
    planted = (
        Plant("refile, the middle's deck unknown", US, Scheme.REFILE, (US, GB), refiled),
        Plant("tromboning that costs the middle", GB, Scheme.TROMBONE, (GB, CN), dear),
        Plant("tromboning back again", GB, Scheme.TROMBONE, (GB, US), out),
        Plant("tromboning back again, at the other end", US, Scheme.TROMBONE, (US, GB), back),
    )
    tables = {way: _table(way, parts) for way, parts in drawn.items()}
    decks = {way: deck_history([(0, rate_deck("USD", _rates(way)))]) for way in PRICES}
    return DetourMonth(month, tables, decks, planted)


def count_detours(drawn: DetourMonth, decks: Mapping[Direction, DeckHistory] | None = None) -> tuple[Counted, ...]:
    """What GB-B and US-A find with their own decks and records; `decks` stand in for those of the drawn month."""
    found = {us: _searched(drawn, us, drawn.decks if decks is None else decks) for us in (GB, US)}
    counted = []
    for kind, us, scheme, way, rows in drawn.planted:
        told = [each for each in found[us] if (each.scheme, each.direction) == (scheme, way)]
        counted.append(count_rows(kind, len(drawn.tables[way]), rows, told))
    expected = {(plant.us, plant.scheme, plant.way) for plant in drawn.planted}
    others = [each for us in found for each in found[us] if (us, each.scheme, each.direction) not in expected]
    records = sum(len(table) for table in drawn.tables.values())
    return (*counted, count_rows("any other detour", records, np.empty(0, np.int64), others))


def _searched(drawn: DetourMonth, us: CarrierCode, decks: Mapping[Direction, DeckHistory]) -> list[ArbitrageFinding]:
    tables = {way: table for way, table in drawn.tables.items() if us in way}
    ours = {way: each for way, each in decks.items() if us in way}
    found = find_detours(us, ours, Traffic(tables, HOMES), *drawn.month.bounds_ms(UTC))
    return [each for each in found if len(each.rows)]


def _honest(rng: np.random.Generator, month: Period, drawn: dict[Direction, list[Calls]]) -> None:
    """Guests, overflow, call backs and transit."""
    for creditor, debtor in PRICES:
        guest = next(each for each in OWN if each not in (creditor, debtor))
        drawn[creditor, debtor].append(_people(rng, month, OWN[guest], OWN[creditor], GUESTS))
        back = drawn[debtor, creditor][0]
        rows = rng.choice(CALLS, GUESTS, replace=False)
        soon = back.start_ms[rows] + back.lasts_s[rows] * 1_000 + 2_000
        drawn[creditor, debtor].append(Calls(back.b[rows], back.a[rows], soon, talk_s(rng, GUESTS)))
    drawn[US, GB].append(_people(rng, month, OWN[CN], OWN[US], 30, day=19, days=1))
    drawn[US, CN].append(_people(rng, month, OWN[CN], ALASKA, ROUND))
    _through(rng, month, drawn, (4_420, 8), ((GB, CN), (CN, GB)), onward=(8_610, 8))


def _through(
    rng: np.random.Generator,
    month: Period,
    drawn: dict[Direction, list[Calls]],
    to: tuple[int, int],
    ways: tuple[Direction, Direction],
    onward: tuple[int, int] | None = None,
) -> tuple[Ints, Ints]:
    """Calls that come in on one direction and go out on the other within seconds; their rows in each.

    `onward` is where a called number is forwarded to: then the two legs are to two numbers.
    """
    calls = _people(rng, month, OWN[ways[0][1]], to, ROUND)
    called = calls.b if onward is None else numbers(rng, *onward, ROUND)
    later = calls.start_ms + rng.integers(200, 6_000, ROUND)
    lasts = np.maximum(1, calls.lasts_s - rng.integers(0, 3, ROUND))
    rows = []
    for way, leg in zip(ways, (calls, Calls(calls.a, called, later, lasts)), strict=True):
        before = sum(len(part.a) for part in drawn[way])
        drawn[way].append(leg)
        rows.append(np.arange(before, before + ROUND))
    return rows[0], rows[1]


def _people(
    rng: np.random.Generator,
    month: Period,
    of: tuple[int, int],
    to: tuple[int, int],
    count: int,
    day: int = 1,
    days: int = 28,
) -> Calls:
    start = at_ms(rng, month, count, day, days, (0, 23))
    return Calls(numbers(rng, *of, count), numbers(rng, *to, count), start, talk_s(rng, count))


def _table(way: Direction, parts: list[Calls]) -> pa.Table:
    a, b, start, lasts_s = (
        np.concatenate([getattr(part, each) for part in parts]) for each in ("a", "b", "start_ms", "lasts_s")
    )
    called = pa.array(b).cast(pa.string())
    codes = [max((code for code in NAMES if each.startswith(code)), key=len) for each in called.to_pylist()]
    nanos = np.array([PRICES[way].get(code, 0) for code in codes], np.int64)
    return rated_table(
        a_party=pa.array(a).cast(pa.string()),
        b_party=called,
        start_ms=start,
        quantity=lasts_s * 1_000,
        route=pa.repeat(f"{way[1]}-in-1", len(a)),
        destination=[NAMES[code] for code in codes],
        code=codes,
        amount_micros=lasts_s * nanos // 60_000,
    )


def _rates(way: Direction) -> list[Rate]:
    return [Rate(NAMES[code], code, Nanos(nanos)) for code, nanos in PRICES[way].items()]
