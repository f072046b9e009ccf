"""How does each side write the same calls down? Clocks, losses, duplicates, split calls, numbers and prices.

What each fault is, how often it happens and what a matcher can know of it stands beside its number.
"""

from dataclasses import dataclass, field

import numpy as np

from scripts.bench.sides.calls import COUNTRIES, DAY_MS, LONG_MS, MONTH_BEGIN_MS, ROUTES, Calls, Flags, Ints

LOST_SHARE = 0.004
"""Records that only one side has, each way."""
LOST_ROUTE, LOST_DAY = 2, 11
"""A route's day that the debtor lost altogether."""
TWICE_SHARE = 0.002
"""Records written twice by one side; the second begins less than TWICE_MS later."""
TWICE_MS = 900
WITHHELD_SHARE, REWRITTEN_SHARE = 0.008, 0.005
"""Calling numbers lost, and replaced by another, on the way to the debtor: whoever needs both numbers finds 98.7 %."""
SETUP_MS, SETUP_MOST_MS = 300, 2_400
"""The debtor's switch answers later."""
SECOND_SHARE, LONGER_SHARE = 0.03, 0.002
"""Durations one second apart (within tolerance), and apart by 5 to 60 s."""
HOUR_MS = 3_600_000
OLD_RATE_COUNTRY, OLD_RATE_DAYS = 12, (5, 9)
"""A destination for which the debtor missed a rate change for some days."""
RATES_MICROS = 8_000 + 1_337 * np.arange(len(COUNTRIES))
"""Micros for a minute to each destination."""
OLD_RATE_PERCENT = 90


@dataclass(frozen=True, slots=True)
class Written:
    """What one side wrote: its records in the order of its own clock."""

    calls: Calls
    """With the side's own numbers, clock and durations."""
    right_ms: Ints
    """Each start by a clock that is right, as the peers get it."""
    amount_micros: Ints = field(repr=False)


def offsets_ms(creditor: bool) -> Ints:
    """By how much the side's clocks run ahead, for each (route, day)."""
    offsets = np.zeros((ROUTES, 64), np.int64)
    if creditor:
        offsets[5, 24:] = -HOUR_MS  # the clock that was set back for winter
        offsets[1] = 47_500
    else:
        offsets[3] = 8 * HOUR_MS  # local time for UTC
        offsets[6] = 2_220_250  # an odd offset: 37 min 0.25 s
        offsets[7] = 900 * (np.arange(64) + 1)  # drifts, and is never set
    return offsets


def write_side(rng: np.random.Generator, calls: Calls, creditor: bool) -> Written:
    """The side's records of these calls."""
    mine = calls.take(_kept(rng, calls, creditor))
    mine = mine._replace(start_ms=mine.start_ms.copy(), a_party=mine.a_party.copy())
    if not creditor:
        mine = _as_debtor(rng, mine)
    mine = _with_duplicates(rng, _with_parts(mine, creditor))
    amount = _amounts(mine, creditor)
    right_ms = mine.start_ms
    day = np.maximum(0, (right_ms - MONTH_BEGIN_MS) // DAY_MS)
    recorded = right_ms + offsets_ms(creditor)[mine.route, day]
    order = np.argsort(recorded, kind="stable")
    return Written(mine._replace(start_ms=recorded).take(order), right_ms[order], amount[order])


def _kept(rng: np.random.Generator, calls: Calls, creditor: bool) -> Flags:
    kept: Flags = rng.random(len(calls.event)) >= LOST_SHARE
    if not creditor:
        day = (calls.start_ms - MONTH_BEGIN_MS) // DAY_MS
        kept &= ~((calls.route == LOST_ROUTE) & (day == LOST_DAY))
    return kept


def _as_debtor(rng: np.random.Generator, calls: Calls) -> Calls:
    """Set-up times, differences of durations, and calling numbers that were lost or rewritten."""
    count = len(calls.event)
    setup = np.clip(rng.normal(SETUP_MS, 250, count), -500, SETUP_MOST_MS).astype(np.int64)
    duration = calls.duration_ms.copy()
    kind = rng.random(count)
    answered = duration > 0
    second = (kind < SECOND_SHARE) & answered
    duration[second] += 1_000 * (1 - 2 * (calls.event[second] & 1))
    longer = (kind > 1 - LONGER_SHARE) & answered
    duration[longer] += 1_000 * rng.integers(5, 60, int(longer.sum()))
    number = rng.random(count)
    a_party = calls.a_party.copy()
    a_party[number < WITHHELD_SHARE] = 0
    rewritten = number > 1 - REWRITTEN_SHARE
    a_party[rewritten] = 8_520_000_000_000 + rng.integers(0, 10**9, int(rewritten.sum()))
    return calls._replace(start_ms=calls.start_ms + setup, duration_ms=duration, a_party=a_party)


def _with_parts(calls: Calls, creditor: bool) -> Calls:
    """The debtor's switch writes a call in a new record after LONG_MS."""
    long = np.flatnonzero(calls.duration_ms > LONG_MS)
    if creditor or len(long) == 0:
        return calls
    rest = calls.take(long)
    rest = rest._replace(start_ms=rest.start_ms + LONG_MS, duration_ms=rest.duration_ms - LONG_MS)
    duration = calls.duration_ms.copy()
    duration[long] = LONG_MS
    return _joined(calls._replace(duration_ms=duration), rest)


def _with_duplicates(rng: np.random.Generator, calls: Calls) -> Calls:
    twice = calls.take(np.flatnonzero(rng.random(len(calls.event)) < TWICE_SHARE))
    later = rng.integers(0, TWICE_MS, len(twice.event))
    return _joined(calls, twice._replace(start_ms=twice.start_ms + later))


def _joined(one: Calls, other: Calls) -> Calls:
    return Calls(*(np.concatenate(both) for both in zip(one, other, strict=True)))


def _amounts(calls: Calls, creditor: bool) -> Ints:
    """Micros: a rate for each minute, charged by the second, half a micro up."""
    rate = RATES_MICROS[calls.country]
    if not creditor:
        day = (calls.start_ms - MONTH_BEGIN_MS) // DAY_MS
        missed = (calls.country == OLD_RATE_COUNTRY) & (day >= OLD_RATE_DAYS[0]) & (day < OLD_RATE_DAYS[1])
        rate = np.where(missed, rate * OLD_RATE_PERCENT // 100, rate)
    micros: Ints = (calls.duration_ms * rate * 2 + 60_000) // 120_000
    return micros
