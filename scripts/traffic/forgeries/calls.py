"""Which calls does a creditor invent, and what does an honest debtor lose that looks like it?"""

from dataclasses import dataclass, fields
from enum import StrEnum
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ledger.period import Period
from ledger.usage import RATED_SCHEMA
from scripts.traffic.calls import draw_calls
from scripts.traffic.carriers import CN_T, GB_B, direction_index
from scripts.traffic.frauds.legs import at_ms, numbers, talk_s
from scripts.traffic.prices import UNRATED, Ints

Flags = npt.NDArray[np.bool_]
WAY = direction_index(CN_T, GB_B)
ROUTES = ("cnt-in-1", "cnt-in-2", "cnt-in-3")
UNALLOCATED = ("44700",)
UTC = ZoneInfo("UTC")
LOSS = 0.0012
"""Share of calls that the debtor's collector loses blindly."""


class Ghost(StrEnum):
    """How a record was invented."""

    HONEST = "honest"
    CLUSTER = "one called range"
    CALLER = "one calling number"
    CAPACITY = "over a trunk's capacity"
    OVERLAP = "overlapping calls of one number"
    UNALLOCATED = "unallocated range"
    REGULAR = "one duration"
    BLIND = "no pattern"
    """Spread like honest traffic: not determinable, and missing at the debtor as if it had been lost there."""


GHOSTS = tuple(Ghost)


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls of one direction; all arrays have one length."""

    a: Ints
    b: Ints
    trunk: Ints
    start_ms: Ints
    lasts_s: Ints
    ghost: Ints
    """Index into GHOSTS."""

    def __len__(self) -> int:
        return len(self.a)


@dataclass(frozen=True, slots=True)
class TwoBooks:
    """What creditor and debtor hold of a month, and what is known beside it."""

    creditor: pa.Table
    debtor: pa.Table
    ghost: Ints
    """Of each of the creditor's records, whose line is its place."""
    capacity: dict[str, int]


def draw_books(seed: int, calls: int, month: Period, *, ghosts: bool = True) -> TwoBooks:
    """About so many calls of CN-T to GB-B, honest losses that look like forgery, and GB-B's ghosts."""
    rng = np.random.default_rng([seed, 11])
    honest = _joined([_honest(rng, calls, month), *_decoys(rng, month)])
    lost = _lost(rng, honest, month)
    full = _fullest(honest)
    parts = [honest, *(_ghosts(rng, month, full) if ghosts else [])]
    held = _joined(parts)
    kept = np.flatnonzero(np.concatenate([~lost, np.zeros(len(held) - len(honest), np.bool_)]))
    jitter = rng.integers(-400, 400, len(held))
    creditor, debtor = _table(held, np.arange(len(held)), 0 * jitter), _table(held, kept, jitter)
    return TwoBooks(creditor, debtor, held.ghost, {ROUTES[0]: full.circuits})


@dataclass(frozen=True, slots=True)
class _Full:
    """When the first trunk is busiest, and with how many calls."""

    at_ms: int
    circuits: int


def _honest(rng: np.random.Generator, calls: int, month: Period) -> Calls:
    drawn = draw_calls(rng, round(calls / 0.54), month)
    rows = np.flatnonzero((drawn.direction == WAY) & (drawn.duration_s > 0) & (drawn.destination != UNRATED))
    start_ms, end_ms = month.bounds_ms(UTC)
    rows = rows[(drawn.answer_ms[rows] > start_ms + 8_000_000) & (drawn.answer_ms[rows] < end_ms - 8_000_000)]
    columns = (drawn.a, drawn.b, drawn.trunk, drawn.answer_ms, drawn.duration_s)
    return Calls(*[*(column[rows] for column in columns), np.zeros(len(rows), np.int64)])


def _decoys(rng: np.random.Generator, month: Period) -> list[Calls]:
    """Switchboards whose calls overlap, a hotline, a voice mail that hangs up after 30 s, machines that dial daily."""
    boards = [
        _calls(rng, month, 1_500, a=numbers(rng, 8_610, 8, 1), b=numbers(rng, 44_20, 8, 1_500), hours=(1, 10))
        for _ in range(4)
    ]
    hotline = _calls(rng, month, 3_000, a=numbers(rng, 8_613, 9, 3_000), b=np.full(1, 44_8001_111111), hours=(0, 23))
    mail = _calls(rng, month, 4_000, a=numbers(rng, 8_613, 9, 4_000), b=numbers(rng, 44_77, 8, 4_000), lasts_s=30)
    meters = _calls(rng, month, 2_000, a=numbers(rng, 8_614, 9, 65), b=np.full(1, 44_2079_469999), lasts_s=7)
    return [*boards, hotline, mail, meters]


def _lost(rng: np.random.Generator, calls: Calls, month: Period) -> Flags:
    """A blind share, and one trunk's whole day."""
    lost = rng.random(len(calls)) < LOSS
    day = (calls.start_ms - month.bounds_ms(UTC)[0]) // 86_400_000
    stretch: Flags = lost | ((calls.trunk == 3) & (day == int(rng.integers(3, 27))))
    return stretch


def _fullest(calls: Calls) -> _Full:
    """The most calls at once on the first trunk: just as many circuits it has."""
    mine = np.flatnonzero(calls.trunk == 1)
    begin, end = calls.start_ms[mine], calls.start_ms[mine] + calls.lasts_s[mine] * 1_000
    moments = np.concatenate([begin, end])
    order = np.lexsort((np.concatenate([np.ones(len(begin)), -np.ones(len(end))]), moments))
    busy = np.cumsum(np.concatenate([np.ones(len(begin), np.int64), -np.ones(len(end), np.int64)])[order])
    return _Full(int(moments[order][int(busy.argmax())]), int(busy.max()))


def _ghosts(rng: np.random.Generator, month: Period, full: _Full) -> list[Calls]:
    """Six patterns and one without any."""
    many = int(rng.integers(40, 120))
    anyone = numbers(rng, 8_613, 9, 4 * many)
    block = 44_7_900_0000 + int(rng.integers(1_000, 9_000))
    cluster = _calls(rng, month, many, a=anyone, b=numbers(rng, block, 2, many), ghost=Ghost.CLUSTER)
    caller = _calls(rng, month, many, a=anyone[:1], b=numbers(rng, 44_77, 8, many), ghost=Ghost.CALLER, apart=True)
    nobody = _calls(rng, month, many, a=anyone, b=numbers(rng, 44_700, 7, many), ghost=Ghost.UNALLOCATED)
    regular = _calls(rng, month, many, a=anyone, b=numbers(rng, 44_78, 8, many), ghost=Ghost.REGULAR, lasts_s=601)
    blind = _calls(rng, month, many, a=anyone, b=numbers(rng, 44_78, 8, many), ghost=Ghost.BLIND)
    return [cluster, caller, nobody, regular, blind, _overlapping(rng, month), _crowd(rng, full)]


def _overlapping(rng: np.random.Generator, month: Period) -> Calls:
    """Ten numbers in six calls at once."""
    begins = np.repeat(at_ms(rng, month, 10, 1, 28, (2, 20)), 6) + rng.integers(0, 60_000, 60)
    callers = np.repeat(numbers(rng, 8_613, 9, 10), 6)
    what = np.full(60, GHOSTS.index(Ghost.OVERLAP), np.int64)
    lasts = rng.integers(120, 900, 60)
    return Calls(callers, numbers(rng, 44_77, 8, 60), rng.integers(1, 4, 60), begins, lasts, what)


def _crowd(rng: np.random.Generator, full: _Full) -> Calls:
    """Fifteen calls in the fullest minute of a trunk."""
    begins = full.at_ms - rng.integers(0, 20_000, 15)
    what = np.full(15, GHOSTS.index(Ghost.CAPACITY), np.int64)
    ones, lasts = np.ones(15, np.int64), rng.integers(60, 400, 15)
    return Calls(numbers(rng, 8_613, 9, 15), numbers(rng, 44_77, 8, 15), ones, begins, lasts, what)


def _calls(
    rng: np.random.Generator,
    month: Period,
    count: int,
    *,
    a: Ints,
    b: Ints,
    hours: tuple[int, int] = (0, 23),
    lasts_s: int = 0,
    ghost: Ghost = Ghost.HONEST,
    apart: bool = False,
) -> Calls:
    """Calls of any of these numbers, all month; of one length if it is given, an hour `apart` if asked for."""
    start = at_ms(rng, month, count, 1, 28, hours)
    if apart:
        start = start.min() + np.arange(count) * 5 * 3_600_000
    lasts = np.full(count, lasts_s, np.int64) if lasts_s else talk_s(rng, count)
    what = np.full(count, GHOSTS.index(ghost), np.int64)
    return Calls(rng.choice(a, count), rng.choice(b, count), rng.integers(1, 4, count), start, lasts, what)


def _joined(parts: list[Calls]) -> Calls:
    return Calls(*(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(Calls)))


def _table(calls: Calls, rows: Ints, jitter_ms: Ints) -> pa.Table:
    """A RatedTable of some of the calls; lines are places among all of them. Two cents a minute, floored."""
    lasts_ms = calls.lasts_s[rows] * 1_000
    calling = pa.array(calls.a[rows], mask=calls.a[rows] == 0).cast(pa.string()).fill_null("")
    columns = {
        "line": rows,
        "a_party": calling,
        "b_party": pa.array(calls.b[rows]).cast(pa.string()),
        "start_ms": calls.start_ms[rows] + jitter_ms[rows],
        "quantity": lasts_ms,
        "route": pa.array(ROUTES).take(pa.array(calls.trunk[rows] - 1)),
        "destination": pa.repeat("United Kingdom", len(rows)),
        "code": pa.repeat("44", len(rows)),
        "charged_quantity": lasts_ms,
        "amount_micros": lasts_ms * 20_000 // 60_000,
    }
    return pa.table(columns).cast(RATED_SCHEMA)
