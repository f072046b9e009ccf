"""Which calls happen in a month, before anybody writes them down? Numbers, moments and durations as a network has them.

Numbers come up as they do in networks: by a power law, a few call all day and most once or twice; a call that fails is
tried again within seconds. Everything is drawn from one seed, slice after slice of the month, in bounded memory.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

MONTH_BEGIN_MS = 1_790_812_800_000
"""2026-10-01 00:00 UTC."""
DAYS = 31
DAY_MS = 86_400_000
MONTH_MS = DAYS * DAY_MS
COUNTRIES = np.array([1, 7, 20, 27, 30, 31, 33, 34, 36, 39, 40, 41, 44, 46, 48, 49, 52, 55, 61, 66, 81, 82, 90, 91])
"""Calling codes; each is a destination of its own in the deck."""
ROUTES = 8
"""Trunks between the two carriers; each side has its own names for them."""
REDIAL_SHARE, REDIAL_LEAST_MS, REDIAL_MOST_MS = 0.06, 4_000, 40_000
ATTEMPT_SHARE = 0.02
"""Unanswered: duration 0."""
LONG_SHARE, LONG_MS = 0.0005, 3 * 3_600_000
"""Calls longer than a switch keeps in one record."""
CONTACTS = 40
"""Numbers that one caller calls, some more than others."""
BUSY = (8_613_900_000_000, 44_800_000_000)
"""The pair of numbers that a busy key has."""
_CALLERS_PER_CALL = 0.35
_NUMBER_DIGITS = 10**9
_SCATTER = 0x9E3779B97F4A7C15


class Calls(NamedTuple):
    """Calls in order of start; one entry each."""

    event: Ints
    """Which call, from 0 in the month; a redial is a call of its own."""
    a_party: Ints
    """E.164 as an integer."""
    b_party: Ints
    country: Ints
    """Place of the called number in COUNTRIES."""
    route: Ints
    """0..ROUTES-1."""
    start_ms: Ints
    """UTC, by a clock that is right."""
    duration_ms: Ints
    """Whole seconds."""

    def take(self, rows: Ints | Flags) -> "Calls":
        return Calls(*(column[rows] for column in self))


def calls_between(
    rng: np.random.Generator, first_event: int, count: int, bounds_ms: tuple[int, int], pool: int, busy_share: float
) -> Calls:
    """That many calls that begin within the bounds; `pool` is the month's count, by which numbers repeat.

    `busy_share` of them have one pair of numbers: a call centre's trunk, or a test that never ends.
    """
    again = int(count * REDIAL_SHARE)
    fresh = count - again
    start = rng.integers(*bounds_ms, fresh)
    duration = _durations(rng, fresh)
    caller = _by_power_law(rng, fresh, max(16, int(pool * _CALLERS_PER_CALL)))
    contact = (CONTACTS * rng.random(fresh) ** 3).astype(np.int64)
    redialled = rng.integers(0, fresh, again)
    duration[redialled] = rng.integers(0, 3, again) * 1_000
    follows = rng.integers(REDIAL_LEAST_MS, REDIAL_MOST_MS, again)
    origin = np.concatenate([np.arange(fresh), redialled])
    a_party, country, b_party = _numbers(caller[origin], contact[origin])
    calls = Calls(
        event=np.zeros(count, np.int64),
        a_party=a_party,
        b_party=b_party,
        country=country,
        route=(caller[origin] + contact[origin] * 3) % ROUTES,
        start_ms=np.concatenate([start, start[redialled] + duration[redialled] + follows]),
        duration_ms=np.concatenate([duration, _durations(rng, again)]),
    )
    if busy_share:
        _make_busy(rng, calls, busy_share)
    calls = calls.take(np.argsort(calls.start_ms, kind="stable"))
    return calls._replace(event=first_event + np.arange(count))


def _durations(rng: np.random.Generator, count: int) -> Ints:
    """Whole seconds, two minutes in the middle; some unanswered, a few very long."""
    seconds = np.clip(rng.lognormal(4.3, 1.1, count), 1, 7_000).astype(np.int64)
    kind = rng.random(count)
    seconds[kind < ATTEMPT_SHARE] = 0
    long = kind > 1 - LONG_SHARE
    seconds[long] = LONG_MS // 1_000 + rng.integers(600, 6_000, int(long.sum()))
    return seconds * 1_000


def _by_power_law(rng: np.random.Generator, count: int, pool: int) -> Ints:
    """Ranks below `pool`; the share of the first k is (k / pool)^0.4."""
    ranks: Ints = (pool * rng.random(count) ** 2.5).astype(np.int64)
    return ranks


def _numbers(caller: Ints, contact: Ints) -> tuple[Ints, Ints, Ints]:
    """Calling number, country and number called, the same for the same caller and contact."""
    a_party = 8_613_000_000_000 + (caller * 7_919 + 1_234_567) % 10**10
    word = (caller.astype(np.uint64) * np.uint64(CONTACTS) + contact.astype(np.uint64)) * np.uint64(_SCATTER)
    word ^= word >> np.uint64(29)
    country = ((word >> np.uint64(8)) % np.uint64(len(COUNTRIES))).astype(np.int64)
    subscriber = ((word >> np.uint64(20)) % np.uint64(_NUMBER_DIGITS)).astype(np.int64)
    return a_party, country, COUNTRIES[country] * _NUMBER_DIGITS + subscriber


def _make_busy(rng: np.random.Generator, calls: Calls, share: float) -> None:
    """Give one pair of numbers to a share of the calls."""
    busy = rng.random(len(calls.event)) < share
    calls.a_party[busy], calls.b_party[busy] = BUSY
    calls.country[busy] = int(np.flatnonzero(COUNTRIES == 44)[0])
    calls.route[busy] = 0
