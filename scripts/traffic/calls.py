"""Which calls were truly made? Drawn from a seed, before anybody's switch wrote them down."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from ledger.period import Period
from scripts.traffic.carriers import (
    CN_T,
    DIRECTIONS,
    GB_B,
    TRUNK_SHARES,
    US_A,
    CarrierPlan,
    Direction,
    direction_index,
)
from scripts.traffic.prices import ALASKA, DESTINATIONS, NAMES, UNRATED, Ints, home_destinations

MARGIN_S = 1800
"""Traffic is drawn from half an hour before the month to half an hour after it."""
MARGIN_CALLS = 1.005
"""So many more are drawn for the half hours around the month and for redials that leave it."""
UNANSWERED_SHARE = 0.16
REDIAL_SHARE = 0.05
WITHHELD_SHARE = 0.003
TROMBONED_SHARE = 0.012
UNRATED_CALLS = 4
"""Calls to a destination that stands in no deck, for each direction to GB-B."""
MEDIAN_DURATION_S = 95
DURATION_SIGMA = 1.05
LONGEST_CALL_S = 7_200
QUARTER_S = 900
PROFILE_STEP_S = 300
"""Seconds of one step of the arrival profile."""

_HOURLY = (9, 5, 3, 2, 2, 3, 8, 22, 48, 78, 96, 98, 84, 78, 88, 94, 97, 96, 90, 84, 76, 62, 40, 20)
_WEEKEND = 0.62


@dataclass(frozen=True, slots=True)
class Calls:
    """True calls, one row for each leg between two carriers; all arrays have one length.

    A tromboned call is two legs with one `call` id. `duration_s` 0 is an attempt nobody answered.
    """

    direction: Ints
    call: Ints
    a: Ints
    """E.164 digits as a number; 0 if withheld."""
    b: Ints
    destination: Ints
    trunk: Ints
    """From 1."""
    answer_ms: Ints
    """UTC; of an unanswered attempt, when it began to ring."""
    ring_s: Ints
    duration_s: Ints

    def __len__(self) -> int:
        return len(self.direction)


def draw_calls(rng: np.random.Generator, calls_per_pair: int, month: Period) -> Calls:
    """Draw the month of all six directions; `calls_per_pair` answered ones for each pair inside it, and more around."""
    parts = [_draw_direction(rng, d, math.ceil(calls_per_pair * d.share * MARGIN_CALLS), month) for d in DIRECTIONS]
    parts.append(_tromboned(rng, parts[direction_index(CN_T, US_A)], round(calls_per_pair * TROMBONED_SHARE), month))
    return _joined(parts)


def _draw_direction(rng: np.random.Generator, direction: Direction, count: int, month: Period) -> Calls:
    """`count` answered calls with redials, plus unanswered attempts and a few to an unrated destination."""
    a, b, destination = _parties(rng, direction, count)
    answer_ms = _arrivals(rng, direction, count, month)
    duration = np.exp(rng.normal(np.log(MEDIAN_DURATION_S), DURATION_SIGMA, count))
    duration_s = np.clip(duration, 1, LONGEST_CALL_S).astype(np.int64)
    redialled = rng.permutation(count)[: 2 * int(count * REDIAL_SHARE)].reshape(2, -1)
    first, again = redialled
    a[again], b[again], destination[again] = a[first], b[first], destination[first]
    answer_ms[again] = answer_ms[first] + duration_s[first] * 1000 + rng.integers(9_000, 70_000, len(first))
    tried = rng.integers(0, count, int(count * UNANSWERED_SHARE))
    attempts_ms = answer_ms[tried] - rng.integers(25_000, 180_000, len(tried))
    unrated = rng.integers(0, count, UNRATED_CALLS if direction.creditor == GB_B else 0)
    b_unrated = 448_450_000_000 + rng.integers(0, 10_000_000, len(unrated))
    of = np.concatenate([np.arange(count), tried, unrated])
    ordinary = count + len(tried)
    return Calls(
        direction=np.full(len(of), DIRECTIONS.index(direction), np.int64),
        call=np.full(len(of), -1, np.int64),
        a=np.where(rng.random(len(of)) < WITHHELD_SHARE, 0, a[of]),
        b=np.concatenate([b[of[:ordinary]], b_unrated]),
        destination=np.concatenate([destination[of[:ordinary]], np.full(len(unrated), UNRATED, np.int64)]),
        trunk=_trunks(rng, len(of)),
        answer_ms=np.concatenate([answer_ms, attempts_ms, answer_ms[unrated] + 4_000_000]),
        ring_s=rng.integers(2, 24, len(of)),
        duration_s=np.concatenate([duration_s, np.zeros(len(tried), np.int64), duration_s[unrated]]),
    )


def _parties(rng: np.random.Generator, direction: Direction, count: int) -> tuple[Ints, Ints, Ints]:
    """A-number, B-number and destination: few callers make many calls, each to a few contacts."""
    callers = max(count // 6, 20)
    home = _own_destinations(direction.debtor)
    common = 0.4 if direction.debtor != US_A else 0.96
    numbers = _numbers(rng, home[(rng.random(callers) >= common).astype(np.int64)])
    weight = (1 + np.arange(callers)) ** -0.45
    who = rng.choice(callers, count, p=weight / weight.sum())
    away = np.array(home_destinations(direction), np.int64)
    shares = np.array((0.47, 0.50, 0.03) if direction.creditor != US_A else (0.93, 0.04, 0.03))
    contacts = 5
    where = away[rng.choice(len(away), callers * contacts, p=shares)]
    book = _numbers(rng, where)
    entry = who * contacts + np.minimum(rng.geometric(0.45, count) - 1, contacts - 1)
    return numbers[who], book[entry], where[entry]


def _own_destinations(carrier: CarrierPlan) -> Ints:
    """The two ordinary destinations of a carrier's own country: whence its subscribers call."""
    words = {CN_T.code: "China", GB_B.code: "United Kingdom", US_A.code: "United States"}
    own = [i for i, n in enumerate(NAMES) if n.startswith(words[carrier.code])]
    return np.array(own[:2], np.int64)


def _numbers(rng: np.random.Generator, destination: Ints) -> Ints:
    """A random number of each destination, as an integer of its E.164 digits."""
    numbers = np.zeros(len(destination), np.int64)
    for i, kind in enumerate(DESTINATIONS):
        rows = np.flatnonzero(destination == i)
        code = np.array(kind.codes, np.str_)[rng.integers(0, len(kind.codes), len(rows))]
        rest = kind.digits - np.char.str_len(code)
        # the digit after the code is never 0 or 1: no number looks like another with a prefix
        leading = rng.integers(2, 10, len(rows)) * 10 ** (rest - 1)
        numbers[rows] = code.astype(np.int64) * 10**rest + leading + rng.integers(0, 10 ** (rest - 1))
    return numbers


def _arrivals(rng: np.random.Generator, direction: Direction, count: int, month: Period) -> Ints:
    """Answer times in UTC milliseconds: both ends awake, weekends quieter."""
    start_ms, end_ms = month.bounds_ms(ZoneInfo("UTC"))
    grid = np.arange(start_ms // 1000 - MARGIN_S, end_ms // 1000 + MARGIN_S, PROFILE_STEP_S)
    weight = _wakefulness(grid, direction.debtor) * np.sqrt(_wakefulness(grid, direction.creditor) + 4)
    edges = np.concatenate([grid, [grid[-1] + PROFILE_STEP_S]]).astype(np.float64)
    drawn = rng.random(count) * weight.sum()
    seconds = np.interp(drawn, np.concatenate([[0.0], np.cumsum(weight)]), edges)
    answer_ms: Ints = (seconds * 1000).astype(np.int64)
    return answer_ms


def _wakefulness(grid_s: Ints, carrier: CarrierPlan) -> npt.NDArray[np.float64]:
    """How busy the carrier's country is at each UTC second of the grid."""
    local_s = grid_s + utc_offsets_s(grid_s, carrier.zone)
    hour = (local_s // 3600 % 24).astype(np.int64)
    weekend = (local_s // 86_400 + 3) % 7 >= 5  # 1970-01-01 was a Thursday
    busy: npt.NDArray[np.float64] = np.array(_HOURLY, np.float64)[hour]
    return busy * np.where(weekend, _WEEKEND, 1.0)


def utc_offsets_s(utc_s: Ints, zone: ZoneInfo) -> Ints:
    """Seconds to add to UTC for local time, for each UTC second; zones change on whole quarter hours."""
    quarters, inverse = np.unique(utc_s // QUARTER_S, return_inverse=True)
    return np.array([_offset_s(zone, int(quarter)) for quarter in quarters], np.int64)[inverse]


@lru_cache(maxsize=16_384)
def _offset_s(zone: ZoneInfo, quarter: int) -> int:
    """The zone's offset in a quarter hour counted since 1970."""
    offset = datetime.fromtimestamp(quarter * QUARTER_S, UTC).astimezone(zone).utcoffset()
    return int(offset.total_seconds()) if offset else 0


def _trunks(rng: np.random.Generator, count: int) -> Ints:
    return 1 + rng.choice(len(TRUNK_SHARES), count, p=TRUNK_SHARES).astype(np.int64)


def _tromboned(rng: np.random.Generator, direct: Calls, count: int, month: Period) -> Calls:
    """CN-T's calls to Alaska handed to GB-B and from there to US-A: two legs of one call each."""
    model = rng.choice(np.flatnonzero((direct.duration_s > 0) & (direct.a > 0)), count)
    b = _numbers(rng, np.full(count, ALASKA, np.int64))
    answer_ms = _arrivals(rng, DIRECTIONS[direction_index(CN_T, US_A)], count, month)

    def leg(direction: int) -> Calls:
        return Calls(
            direction=np.full(count, direction, np.int64),
            call=np.arange(count, dtype=np.int64),
            a=direct.a[model],
            b=b,
            destination=np.full(count, ALASKA, np.int64),
            trunk=_trunks(rng, count),
            answer_ms=answer_ms,
            ring_s=direct.ring_s[model],
            duration_s=direct.duration_s[model],
        )

    return _joined([leg(direction_index(CN_T, GB_B)), leg(direction_index(GB_B, US_A))])


def _joined(parts: list[Calls]) -> Calls:
    """One table; calls without an id get the next free ones."""
    columns = {name: np.concatenate([getattr(p, name) for p in parts]) for name in Calls.__slots__}
    nameless = np.flatnonzero(columns["call"] < 0)
    columns["call"][nameless] = columns["call"].max(initial=-1) + 1 + np.arange(len(nameless))
    return Calls(**columns)
