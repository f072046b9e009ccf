"""Which honest traffic looks like fraud? Televotes, hotlines, branches, bridges, call centres, couriers, holidays."""

import numpy as np

from ledger.period import Period
from scripts.traffic.frauds.legs import (
    DAY_MS,
    FROM_GB,
    FROM_US,
    HOUR_MS,
    TO_GB,
    TO_US,
    Label,
    Legs,
    at_ms,
    joined,
    legs,
    numbers,
    talk_s,
)

ALASKA, STATES, MOBILE, PREMIUM = (
    "United States Alaska",
    "United States",
    "United Kingdom Mobile",
    "United Kingdom Premium",
)


def decoy_calls(rng: np.random.Generator, month: Period) -> Legs:
    """All of them."""
    makers = (_televote, _tickets, _hotline, _branch, _families, _bridge, _call_centre, _dialler, _couriers, _roamers)
    return joined([maker(rng, month) for maker in makers])


def _televote(rng: np.random.Generator, month: Period) -> Legs:
    """Fans vote on a premium number for an hour; some of them thirty times."""
    fans = numbers(rng, 8_613, 9, 5_000)
    votes = np.minimum(rng.zipf(2.4, 5_000), 30)
    calling = np.repeat(fans, votes)
    called = np.full(len(calling), 44_9012_345678, np.int64)
    at = at_ms(rng, month, len(calling), 17, 1, (12, 14))
    return legs(TO_GB, calling, called, PREMIUM, at, rng.integers(15, 40, len(calling)), Label.DECOY)


def _tickets(rng: np.random.Generator, month: Period) -> Legs:
    """A ticket line tells everybody for four seconds that it is busy, and they dial again at once."""
    callers = numbers(rng, 8_613, 9, 1_500)
    at = at_ms(rng, month, 1_500, 9, 1, (8, 9))
    tries = [
        legs(TO_GB, callers, np.full(1_500, 44_7711_223344), MOBILE, at + again * 20_000, lasts, Label.DECOY, 1)
        for again, lasts in enumerate([np.full(1_500, 4), np.full(1_500, 5), talk_s(rng, 1_500, 120, 0.4)])
    ]
    return joined(tries)


def _hotline(rng: np.random.Generator, month: Period) -> Legs:
    """A maker's service number: many callers, four minutes each, nobody called from it."""
    at = at_ms(rng, month, 4_000, 0, 31, (1, 12))
    called = np.full(4_000, 1_212_555_0100, np.int64)
    return legs(TO_US, numbers(rng, 8_610, 8, 4_000), called, STATES, at, talk_s(rng, 4_000, 240, 0.5), Label.DECOY)


def _branch(rng: np.random.Generator, month: Period) -> Legs:
    """A company's switchboard calls its branch in Alaska a dozen times every day."""
    at = at_ms(rng, month, 360, 0, 31, (1, 9))
    calling, called = numbers(rng, 8_620, 8, 2), numbers(rng, 1_907_555, 4, 25)
    return legs(TO_US, rng.choice(calling, 360), rng.choice(called, 360), ALASKA, at, talk_s(rng, 360), Label.DECOY)


def _families(rng: np.random.Generator, month: Period) -> Legs:
    """A holiday: families call Alaska two to four times, for long."""
    callers, called = numbers(rng, 8_613, 9, 900), numbers(rng, 1_907, 7, 900)
    times = rng.integers(2, 5, 900)
    size = int(times.sum())
    at = at_ms(rng, month, size, 3, 2, (0, 20))
    lasts = talk_s(rng, size, 400, 0.7)
    return legs(TO_US, np.repeat(callers, times), np.repeat(called, times), ALASKA, at, lasts, Label.DECOY)


def _bridge(rng: np.random.Generator, month: Period) -> Legs:
    """A company's conference bridge, and its staff, who call us from the same range."""
    at, lasts = at_ms(rng, month, 900, 0, 31, (1, 12)), talk_s(rng, 900, 1_500, 0.5)
    into = legs(TO_US, numbers(rng, 8_610, 8, 900), np.full(900, 1_415_777_8000), STATES, at, lasts, Label.DECOY)
    staff = rng.choice(numbers(rng, 1_415_777, 4, 300), 2_500)
    out_at = at_ms(rng, month, 2_500, 0, 31, (1, 12))
    called = numbers(rng, 8_610, 8, 2_500)
    out = legs(FROM_US, staff, called, "China Fixed", out_at, talk_s(rng, 2_500, 240, 0.6), Label.DECOY)
    return joined([into, out])


def _call_centre(rng: np.random.Generator, month: Period) -> Legs:
    """One number for a hundred agents: calls at once to everybody; some call back."""
    count, number = 5_000, 44_2079_460100
    called = numbers(rng, 8_613, 9, count)
    at = at_ms(rng, month, count, 0, 31, (1, 10))
    lasts = np.where(rng.random(count) < 0.3, 0, talk_s(rng, count))
    out = legs(FROM_GB, np.int64(number), called, "China Mobile", at, lasts, Label.DECOY)
    return joined([out, _returned(rng, out, 0.05, "United Kingdom Fixed", TO_GB)])


def _dialler(rng: np.random.Generator, month: Period) -> Legs:
    """A dialler that hangs up when no agent is free: pings, of which some are returned, to an ordinary number."""
    count, number = 3_000, 44_2079_460200
    called = numbers(rng, 8_613, 9, count)
    at = at_ms(rng, month, count, 12, 5, (1, 10))
    out = legs(FROM_GB, np.int64(number), called, "China Mobile", at, rng.choice([0, 0, 1, 2], count), Label.DECOY)
    return joined([out, _returned(rng, out, 0.06, "United Kingdom Fixed", TO_GB)])


def _couriers(rng: np.random.Generator, month: Period) -> Legs:
    """People who call somebody else all day from a mobile: one call after the other, and a few are returned."""
    parts = []
    for number in numbers(rng, 44_7811, 6, 12):
        count = 480
        at = at_ms(rng, month, 1, 1, 1, (1, 2)) + np.arange(count) // 16 * DAY_MS + np.arange(count) % 16 * HOUR_MS // 2
        called = numbers(rng, 8_613, 9, count)
        lasts = talk_s(rng, count, 80, 0.5).clip(1, 1_500)
        out = legs(FROM_GB, np.int64(number), called, "China Mobile", at, lasts, Label.DECOY)
        parts += [out, _returned(rng, out, 0.04, MOBILE, TO_GB)]
    return joined(parts)


def _roamers(rng: np.random.Generator, month: Period) -> Legs:
    """Our own subscribers abroad call home with their own mobile numbers."""
    at = at_ms(rng, month, 3_000, 0, 31, (0, 24))
    calling = rng.choice(numbers(rng, 8_613, 9, 800), 3_000)
    return legs(FROM_GB, calling, numbers(rng, 8_613, 9, 3_000), "China Mobile", at, talk_s(rng, 3_000), Label.DECOY)


def _returned(rng: np.random.Generator, calls: Legs, share: float, destination: str, direction: int) -> Legs:
    back = np.flatnonzero(rng.random(len(calls)) < share)
    at = calls.start_ms[back] + rng.integers(60_000, 6 * HOUR_MS, len(back))
    lasts = talk_s(rng, len(back), 60, 0.6)
    return legs(direction, calls.b[back], calls.a[back], destination, at, lasts, Label.DECOY)
