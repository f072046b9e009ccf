"""How is each game with settlement fees laid over a month's calls, and each honest decoy?

Every planter adds records to both sides of a direction and answers how many; their lines begin where it is told.
"""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ledger.usage import USAGE_SCHEMA
from reconciliation.arbitrage.circles import Direction
from reconciliation.suspicion import SuspicionKind
from scripts.traffic.carriers import CN_T, GB_B, US_A
from scripts.traffic.prices import CHANGED_DESTINATION, DESTINATIONS, Ints, change_ms
from scripts.traffic.simulation import OCTOBER

DAY_MS = 86_400_000
CN, GB, US = CN_T.code, GB_B.code, US_A.code
CODES = {kind.name: kind.codes for kind in DESTINATIONS}
DIGITS = {code: kind.digits for kind in DESTINATIONS for code in kind.codes}
MONTH_MS = int(np.datetime64(f"{OCTOBER.year:04d}-{OCTOBER.month:02d}-01", "ms").astype(np.int64))
LAST_DAYS_MS = MONTH_MS + 28 * DAY_MS
FIRST_LINE, LINES_EACH = 1_000_000_000, 10_000_000
"""A game's records have lines from FIRST_LINE on, LINES_EACH for each; decoys have those of place DECOY."""
DECOY = 90

Sides = dict[Direction, tuple[pa.Table, pa.Table]]
"""USAGE_SCHEMA of each direction as its creditor and as its debtor wrote it."""
Planter = Callable[[np.random.Generator, Sides, Direction, int], int]


def volume_ms(table: pa.Table, codes: tuple[str, ...]) -> int:
    """Milliseconds of the calls to these codes."""
    return int(pc.sum(table.filter(_to(table, codes))["quantity"]).as_py() or 0)


def _to(table: pa.Table, codes: tuple[str, ...]) -> pa.ChunkedArray:
    hit = pa.chunked_array([np.zeros(len(table), np.bool_)])
    for code in codes:
        hit = pc.or_(hit, pc.starts_with(table["b_party"], code))
    return hit


def _numbers(rng: np.random.Generator, code: str, count: int, digits: int = 12) -> list[str]:
    width = DIGITS.get(code, digits) - len(code)
    return [f"{code}{n:0{width}d}" for n in rng.integers(2 * 10 ** (width - 1), 10**width, count).tolist()]


def _lengths_ms(rng: np.random.Generator, count: int, middle_s: int = 95) -> Ints:
    drawn = np.exp(rng.normal(np.log(middle_s), 1.0, count))
    return np.clip(drawn, 1, 7_200).astype(np.int64) * 1000


def _times_ms(rng: np.random.Generator, begin: int, end: int, count: int) -> Ints:
    return np.sort(rng.integers(begin // 1000, end // 1000, count)) * 1000


def _made(line: int, a: list[str], b: list[str], start_ms: Ints, quantity: Ints, route: str) -> pa.Table:
    columns = [np.arange(line, line + len(a)), a, b, start_ms, quantity, [route] * len(a)]
    return pa.Table.from_arrays([pa.array(column) for column in columns], names=USAGE_SCHEMA.names).cast(USAGE_SCHEMA)


def _add(sides: Sides, way: Direction, ours: pa.Table, theirs: pa.Table | None = None) -> int:
    sides[way] = tuple(
        pa.concat_tables([side, more]).combine_chunks()
        for side, more in zip(sides[way], (ours, ours if theirs is None else theirs), strict=True)
    )
    return len(ours)


def _route(way: Direction, trunk: int = 1) -> str:
    return f"{ {CN: CN_T, GB: GB_B, US: US_A}[way[1]].short }-in-{trunk}"


# GAMES


def _stuffed(
    rng: np.random.Generator,
    sides: Sides,
    way: Direction,
    line: int,
    codes: tuple[str, ...],
    begin: int,
    end: int,
    share: float,
) -> int:
    """Long calls of a few machines to these codes, as much as this share of the month's volume to them."""
    wanted, each = volume_ms(sides[way][0], codes) * share, 600_000
    count = max(30, round(wanted / each))
    home = {CN: "86139", GB: "4477", US: "1212"}[way[1]]
    callers = _numbers(rng, home, max(6, count // 30), 13 if way[1] == CN else 12)
    called = [number for code in codes for number in _numbers(rng, code, 20)]
    quantity = rng.integers(each // 1000 - 200, each // 1000 + 200, count) * 1000
    a, b = rng.choice(callers, count).tolist(), rng.choice(called, count).tolist()
    return _add(sides, way, _made(line, a, b, _times_ms(rng, begin, end, count), quantity, _route(way)))


def rate_date(rng: np.random.Generator, sides: Sides, way: Direction, line: int) -> int:
    """Two days before the price rises the debtor sends twice what it would."""
    at = change_ms(OCTOBER)
    share = rng.uniform(0.06, 0.12)
    return _stuffed(rng, sides, way, line, CODES[CHANGED_DESTINATION], at - 2 * DAY_MS, at, share)


def tier(rng: np.random.Generator, sides: Sides, way: Direction, line: int) -> int:
    """Three days before the month's end the volume is short of a tier by a twentieth."""
    share, end = rng.uniform(0.08, 0.15), MONTH_MS + 31 * DAY_MS - 1_200_000
    return _stuffed(rng, sides, way, line, CODES["United Kingdom Mobile"], LAST_DAYS_MS, end, share)


def balance(rng: np.random.Generator, sides: Sides, way: Direction, line: int) -> int:
    """The last three days of the other direction carry twice what they would."""
    share, end = rng.uniform(0.08, 0.15), MONTH_MS + 31 * DAY_MS - 1_200_000
    return _stuffed(rng, sides, way, line, CODES["China Fixed"], LAST_DAYS_MS, end, share)


def just_beyond(rng: np.random.Generator, sides: Sides, way: Direction, line: int) -> int:
    """A machine in one premium range hangs up a second beyond each minute (60/60)."""
    count = int(rng.integers(60, 120))
    b = [f"864005432{n:03d}" for n in rng.integers(0, 1_000, count).tolist()]
    start = _times_ms(rng, MONTH_MS + DAY_MS, MONTH_MS + 29 * DAY_MS, count)
    quantity = rng.integers(1, 6, count) * 60_000 + rng.integers(1, 3, count) * 1000
    return _add(sides, way, _made(line, _numbers(rng, "4477", count), b, start, quantity, _route(way)))


def moments(rng: np.random.Generator, sides: Sides, way: Direction, line: int) -> int:
    """A dialler's calls of a moment, each charged as half a minute (30/6)."""
    count = int(rng.integers(60, 120))
    start = _times_ms(rng, MONTH_MS + 5 * DAY_MS, MONTH_MS + 9 * DAY_MS, count)
    b, quantity = _numbers(rng, "8613", count), rng.integers(1, 4, count) * 1000
    return _add(sides, way, _made(line, ["447700912345"] * count, b, start, quantity, _route(way)))


def renamed(rng: np.random.Generator, sides: Sides, way: Direction, line: int) -> int:
    """German callers arrive as British ones; the debtor's own records say German."""
    count = int(rng.integers(40, 80))
    start = _times_ms(rng, MONTH_MS + DAY_MS, MONTH_MS + 29 * DAY_MS, count)
    b, quantity = _numbers(rng, "1212", count), _lengths_ms(rng, count)
    sent, kept = _numbers(rng, "4477", count), _numbers(rng, "4915", count)
    ours, theirs = (_made(line, a, b, start, quantity, _route(way)) for a in (sent, kept))
    return _add(sides, way, ours, theirs)


def lines_twice(rng: np.random.Generator, sides: Sides, way: Direction, line: int) -> int:
    """The numbers of CN-T's callers, borrowed while they speak: four calls at once with each one's long call."""
    direct = sides[US, CN][0]
    long_calls = np.flatnonzero((direct["quantity"].to_numpy() > 600_000) & np.array(_named(direct)))
    rows = rng.choice(long_calls, 12, replace=False)
    first, lasts = (direct[name].to_numpy()[rows] for name in ("start_ms", "quantity"))
    a = [each for each in direct["a_party"].take(pa.array(rows)).to_pylist() for _ in range(4)]
    start = np.concatenate([s + 10_000 + np.arange(4) * (q // 5) for s, q in zip(first, lasts, strict=True)])
    quantity = np.repeat(lasts // 6 // 1000 * 1000, 4)
    return _add(sides, way, _made(line, a, _numbers(rng, "1305", len(a)), start, quantity, _route(way)))


def _named(table: pa.Table) -> list[bool]:
    """Rows of callers whose calls never overlap and are few: lines, not switchboards."""
    callers = table["a_party"].to_pylist()
    spans: dict[str, list[tuple[int, int]]] = {}
    for a, start, quantity in zip(callers, *(table[n].to_pylist() for n in ("start_ms", "quantity")), strict=True):
        spans.setdefault(a, []).append((start, start + quantity))
    single = {
        a
        for a, own in spans.items()
        if a and all(x[1] <= y[0] for x, y in zip(sorted(own), sorted(own)[1:], strict=False))
    }
    return [a in single for a in callers]


def nameless(rng: np.random.Generator, sides: Sides, way: Direction, line: int) -> int:
    """A sixth of the direction's calls without a caller: those pay no surcharge for abroad."""
    count = len(sides[way][0]) // 5
    start = _times_ms(rng, MONTH_MS + DAY_MS, MONTH_MS + 30 * DAY_MS, count)
    b, quantity = _numbers(rng, "8610", count), _lengths_ms(rng, count)
    return _add(sides, way, _made(line, [""] * count, b, start, quantity, _route(way, 3)))


def peering(rng: np.random.Generator, sides: Sides, way: Direction, line: int) -> int:
    """Others' callers over the trunk that is for the partner's own."""
    count = max(120, len(sides[way][0]) // 20)
    a = [number for code in ("4915", "8190", "3367", "4479") for number in _numbers(rng, code, count // 4)]
    start = _times_ms(rng, MONTH_MS + DAY_MS, MONTH_MS + 30 * DAY_MS, len(a))
    b, quantity = _numbers(rng, "8613", len(a)), _lengths_ms(rng, len(a))
    return _add(sides, way, _made(line, a, b, start, quantity, _route(way, 3)))


GAMES: tuple[tuple[SuspicionKind, Direction, Planter], ...] = (
    (SuspicionKind.RATE_DATE_STUFFING, (GB, CN), rate_date),
    (SuspicionKind.TIER_STUFFING, (GB, US), tier),
    (SuspicionKind.BALANCED_VOLUME, (CN, US), balance),
    (SuspicionKind.INCREMENT_ARBITRAGE, (CN, GB), just_beyond),
    (SuspicionKind.INCREMENT_ARBITRAGE, (CN, GB), moments),
    (SuspicionKind.REWRITTEN_CALLER, (US, GB), renamed),
    (SuspicionKind.REWRITTEN_CALLER, (US, GB), lines_twice),
    (SuspicionKind.REWRITTEN_CALLER, (CN, GB), nameless),
    (SuspicionKind.PEERING_RESALE, (CN, US), peering),
)
"""Every game with its direction, as (creditor, debtor)."""

# DECOYS


def travellers(rng: np.random.Generator, sides: Sides) -> None:
    """One call in a hundred, on every direction and trunk, has a caller of a fourth country."""
    for way, (ours, _) in list(sides.items()):
        count = len(ours) // 100
        rows = pa.array(rng.choice(len(ours), count, replace=False))
        like = ours.take(rows)
        guests = pa.array(_numbers(rng, "8190", count))
        like = like.set_column(1, USAGE_SCHEMA.field("a_party"), guests)
        like = like.set_column(0, USAGE_SCHEMA.field("line"), _decoy_lines(count))
        _add(sides, way, like.cast(USAGE_SCHEMA))


def overflow(rng: np.random.Generator, sides: Sides) -> None:
    """On one day three in ten calls from CN-T reach US-A through GB-B instead: honest re-routing."""
    begin = MONTH_MS + 19 * DAY_MS
    keep: list[pa.Table] = []
    for side in sides[US, CN]:
        start = side["start_ms"].to_numpy()
        chosen = (start >= begin) & (start < begin + DAY_MS) & (np.array(side["line"].to_numpy()) % 10 < 3)
        moved = side.filter(pa.array(chosen))
        keep.append(moved.set_column(5, USAGE_SCHEMA.field("route"), pa.array([_route((US, GB))] * len(moved))))
        place = len(keep) - 1
        rest = side.filter(pa.array(~chosen))
        sides[US, CN] = (rest, sides[US, CN][1]) if place == 0 else (sides[US, CN][0], rest)
    _add(sides, (US, GB), keep[0].cast(USAGE_SCHEMA), keep[1].cast(USAGE_SCHEMA))


def busy_week(rng: np.random.Generator, sides: Sides) -> None:
    """The last week of one direction carries half as much again, to every destination alike."""
    way = (GB, US)
    ours = sides[way][0]
    late = np.flatnonzero(ours["start_ms"].to_numpy() >= MONTH_MS + 24 * DAY_MS)
    rows = rng.choice(late, len(late) // 2, replace=False)
    like = ours.take(pa.array(rows))
    moved = like["start_ms"].to_numpy() - rng.integers(60, 600, len(rows)) * 1000
    like = like.set_column(3, USAGE_SCHEMA.field("start_ms"), pa.array(moved))
    like = like.set_column(1, USAGE_SCHEMA.field("a_party"), pa.array(_numbers(rng, "1305", len(rows))))
    like = like.set_column(0, USAGE_SCHEMA.field("line"), _decoy_lines(len(rows)))
    _add(sides, way, like.cast(USAGE_SCHEMA))


def lasting_answer(rng: np.random.Generator, sides: Sides) -> None:
    """After the price rose a fifth of the calls to that destination stay away, for good."""
    both = []
    for side in sides[GB, CN]:
        after = pc.and_(_to(side, CODES[CHANGED_DESTINATION]), pc.greater_equal(side["start_ms"], change_ms(OCTOBER)))
        gone = np.asarray(after.to_numpy()) & (side["line"].to_numpy() % 5 == 0)
        both.append(side.filter(pa.array(~gone)))
    sides[GB, CN] = (both[0], both[1])


def terminals(rng: np.random.Generator, sides: Sides) -> None:
    """A till calls in for half a minute, many times a day, to one number."""
    count = 150
    start = _times_ms(rng, MONTH_MS + DAY_MS, MONTH_MS + 30 * DAY_MS, count)
    quantity = rng.integers(20, 45, count) * 1000
    numbers = ["447700954321"] * count, ["8613955512345"] * count
    table = _made(FIRST_LINE + DECOY * LINES_EACH, *numbers, start, quantity, _route((CN, GB)))
    _add(sides, (CN, GB), table)


def transit(rng: np.random.Generator, sides: Sides) -> None:
    """GB-B brings German callers to US-A as German callers: transit, sold as such."""
    count = max(50, len(sides[US, GB][0]) // 25)
    start = _times_ms(rng, MONTH_MS + DAY_MS, MONTH_MS + 30 * DAY_MS, count)
    a, b = _numbers(rng, "4915", count), _numbers(rng, "1415", count)
    line = FIRST_LINE + DECOY * LINES_EACH + 100_000
    _add(sides, (US, GB), _made(line, a, b, start, _lengths_ms(rng, count), _route((US, GB))))


def _decoy_lines(count: int) -> pa.Array:
    line = FIRST_LINE + DECOY * LINES_EACH + 200_000
    return pa.array(np.arange(line, line + count))


DECOYS = (travellers, overflow, busy_week, lasting_answer, terminals, transit)
"""What only looks like a game."""
