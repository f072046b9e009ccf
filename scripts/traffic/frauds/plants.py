"""Which frauds are planted among calls? Each as it comes in the trade, at random places of the month."""

import numpy as np

from ledger.period import Period
from scripts.traffic.frauds.legs import (
    DAY_MS,
    FROM_GB,
    FROM_US,
    HOUR_MS,
    LABELS,
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
from scripts.traffic.prices import NAMES

TEST_NUMBERS = ("447700900998", "447700900999")
"""Never answered: known to us."""
FALSE_TRUNK, FALSE_DESTINATION = 3, "United Kingdom Mobile"


def planted_calls(rng: np.random.Generator, month: Period) -> Legs:
    """All frauds that are calls of their own."""
    parts = [
        *(_hacked(rng, month, begin, name) for begin, name in _DEAR * 3),
        _chat_lines(rng, month),
        *(_rung(rng, month) for _ in range(3)),
        _tested(rng, month),
        *(_sim_card(rng, month, 44_7700_0000 + int(card)) for card in rng.choice(10_000, 24, replace=False)),
        _bypassed(rng, month),
        *(_pumped(rng, month) for _ in range(2)),
        *_undeterminable(rng, month),
    ]
    return joined(parts)


_DEAR = ((1_907, "United States Alaska"), (1_900, "United States Premium"))


def _hacked(rng: np.random.Generator, month: Period, begin: int, destination: str) -> Legs:
    """A hacked switchboard calls one range for a few nights, another number every few calls."""
    count, callers = int(rng.integers(25, 400)), int(rng.integers(1, 9))
    target = begin * 1_000 + int(rng.integers(200, 999))
    return legs(
        TO_US,
        a=rng.choice(numbers(rng, 8_610, 8, callers), count),
        b=numbers(rng, target, 4, max(4, count // 10))[rng.integers(0, max(4, count // 10), count)],
        destination=destination,
        start_ms=at_ms(rng, month, count, int(rng.integers(2, 24)), int(rng.integers(1, 4)), (14, 22)),
        duration_s=talk_s(rng, count, 420, 0.7),
        label=Label.IRSF,
        trunk=int(rng.integers(1, 4)),
    )


def _chat_lines(rng: np.random.Generator, month: Period) -> Legs:
    """Three callers hang on premium lines of many ranges for hours, on several days."""
    parts = []
    for caller in numbers(rng, 8_613, 9, 3):
        for day in rng.choice(28, 5, replace=False).tolist():
            lasts = rng.integers(900, 2_700, 7)
            begins = at_ms(rng, month, 1, day, 1, (9, 15)) + np.concatenate([[0], np.cumsum(lasts[:-1] + 60)]) * 1_000
            called = numbers(rng, 449, 9, 7)
            parts.append(legs(TO_GB, caller, called, "United Kingdom Premium", begins, lasts, Label.PREMIUM_RANGE))
    return joined(parts)


def _rung(rng: np.random.Generator, month: Period) -> Legs:
    """Numbers of a premium range ring for a moment; two to six in a hundred call back within hours."""
    ringers = numbers(rng, 44_900_000 + int(rng.integers(20_000, 90_000)), 4, 30)
    count = 30 * int(rng.integers(60, 140))
    rung = numbers(rng, 8_613, 9, count)
    at = at_ms(rng, month, count, int(rng.integers(2, 26)), 2, (1, 13))
    calling = ringers[np.arange(count) % 30]
    rings = legs(FROM_GB, calling, rung, "China Mobile", at, rng.choice([0, 0, 0, 1], count), Label.RING)
    back = np.flatnonzero(rng.random(count) < rng.uniform(0.02, 0.06))
    later = at[back] + (rng.exponential(2.0, len(back)) * HOUR_MS).astype(np.int64).clip(20_000, 22 * HOUR_MS)
    lasts = talk_s(rng, len(back), 100, 0.6)
    calls = legs(TO_GB, rung[back], calling[back], "United Kingdom Premium", later, lasts, Label.WANGIRI)
    return joined([rings, calls])


def _tested(rng: np.random.Generator, month: Period) -> Legs:
    """Test calls to numbers that nobody answers, and which the false route charges all the same."""
    called = rng.choice(np.array(TEST_NUMBERS, np.int64), 12)
    at = at_ms(rng, month, 12, 5, 20, (0, 24))
    caller = numbers(rng, 8_610, 8, 1)
    lasts = rng.integers(2, 20, 12)
    return legs(TO_GB, caller, called, FALSE_DESTINATION, at, lasts, Label.FALSE_ANSWER, FALSE_TRUNK)


def answer_falsely(rng: np.random.Generator, drawn: Legs) -> None:
    """Attempts on one route to one destination are charged while it rings: callers hang up, and try again."""
    on_route = (drawn.direction == TO_GB) & (drawn.trunk == FALSE_TRUNK)
    on_route &= drawn.destination == NAMES.index(FALSE_DESTINATION)
    rows = np.flatnonzero(on_route & (drawn.duration_s == 0))
    drawn.duration_s[rows] = rng.integers(2, 10, len(rows))
    drawn.label[rows] = LABELS.index(Label.FALSE_ANSWER)


def _sim_card(rng: np.random.Generator, month: Period, card: int) -> Legs:
    """A SIM card of a box: other people's calls, one after the other, from morning to night, for some weeks."""
    days, calls = int(rng.integers(9, 27)), int(rng.integers(16, 45))
    count = days * calls
    lasts = talk_s(rng, count)
    opening = 14 * HOUR_MS
    begin = at_ms(rng, month, 1, int(rng.integers(0, 30 - days)), 1, (0, 1))[0]
    idle_ms = (rng.dirichlet(np.ones(calls), days) * (opening - 9 * HOUR_MS)).astype(np.int64)
    talked_ms = lasts.reshape(days, calls) * 1_000 + 2_000
    within_day = np.cumsum(idle_ms + np.concatenate([np.zeros((days, 1), np.int64), talked_ms[:, :-1]], axis=1), axis=1)
    at = begin + np.arange(days)[:, None] * DAY_MS + within_day
    called = numbers(rng, 8_613, 9, count)
    return legs(FROM_GB, np.int64(card), called, "China Mobile", at.ravel(), lasts, Label.SIM_BOX)


def _bypassed(rng: np.random.Generator, month: Period) -> Legs:
    """Calls from the United States that show numbers of Chinese fixed lines."""
    count = int(rng.integers(200, 900))
    at = at_ms(rng, month, count, 3, 24, (0, 24))
    calling, called = numbers(rng, 8_621, 8, count), numbers(rng, 8_613, 9, count)
    return legs(FROM_US, calling, called, "China Mobile", at, talk_s(rng, count), Label.BYPASS, 2)


def _pumped(rng: np.random.Generator, month: Period) -> Legs:
    """Free conferences on one range of a rural exchange: the same few hundred people, for an hour."""
    count = int(rng.integers(450, 1_800))
    callers = numbers(rng, 8_613, 9, count // 5)
    called = numbers(rng, 1_617_000 + int(rng.integers(200, 999)), 4, 40)
    at = at_ms(rng, month, count, 0, 31, (0, 23))
    lasts = talk_s(rng, count, 1_500, 0.5)
    return legs(
        TO_US, rng.choice(callers, count), rng.choice(called, count), "United States", at, lasts, Label.TRAFFIC_PUMPING
    )


def _undeterminable(rng: np.random.Generator, month: Period) -> list[Legs]:
    """What no detector can tell from honest calls: kept in the month, so that it is measured and said."""
    slow_at = at_ms(rng, month, 400, 0, 31, (0, 24))
    callers, ranges = numbers(rng, 8_613, 9, 400), numbers(rng, 1_907, 7, 400)
    slow = legs(TO_US, callers, ranges, "United States Alaska", slow_at, talk_s(rng, 400, 300, 0.8), Label.SLOW_IRSF)
    at = at_ms(rng, month, 2_000, 0, 31, (1, 15))
    cards, called = np.repeat(numbers(rng, 44_7733, 6, 20), 100), numbers(rng, 8_613, 9, 2_000)
    rotated = legs(FROM_GB, cards, called, "China Mobile", at, talk_s(rng, 2_000), Label.ROTATED_SIM)
    back_at = at_ms(rng, month, 80, 11, 2, (1, 15))
    ringers, victims = numbers(rng, 44_9123_45, 4, 80), numbers(rng, 8_613, 9, 80)
    lasts = talk_s(rng, 80, 100, 0.6)
    unseen = legs(TO_GB, victims, ringers, "United Kingdom Premium", back_at, lasts, Label.UNSEEN_WANGIRI)
    return [slow, rotated, unseen]
