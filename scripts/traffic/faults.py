"""What did each side's switch write of the true calls, and which faults were planted there?"""

from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from ledger.period import Period
from scripts.traffic.calls import Calls
from scripts.traffic.carriers import CN_T, DIRECTIONS, GB_B, US_A, direction_index
from scripts.traffic.prices import (
    CHANGED_DESTINATION,
    CHANGED_DIRECTION,
    NAMES,
    UNRATED,
    US_PREMIUM,
    Ints,
    change_ms,
)

Flags = npt.NDArray[np.bool_]


class Planted(StrEnum):
    """What is wrong with a leg; the first that applies, in this order."""

    NOTHING = "nothing"
    """Both sides tell the same (start times within a second)."""
    UNRATED = "unrated"
    """No deck has a price for the called number."""
    INVENTED = "invented"
    """Only the creditor has it, and it never happened."""
    MISSING_AT_CREDITOR = "missing_at_creditor"
    """The debtor's record has no partner."""
    MISSING_AT_DEBTOR = "missing_at_debtor"
    """The creditor's record has no partner."""
    ZERO_AT_DEBTOR = "zero_at_debtor"
    """The debtor's switch shows an unanswered attempt."""
    PERIOD_CROSSING = "period_crossing"
    """One side's clock puts it into the month, the other's out of it."""
    DUPLICATE_AT_CREDITOR = "duplicate_at_creditor"
    """The creditor's switch wrote it twice, mostly under two ids."""
    SHADED = "shaded"
    """The creditor lengthened the call before sealing."""
    SECONDS = "seconds"
    """Durations differ by one or two seconds."""
    DURATION_BIAS = "duration_bias"
    """The creditor's trunk counts nine seconds too many on every call."""
    TIME_ZONE = "time_zone"
    """The creditor's trunk ran on another zone that day."""
    CLOCK_OFFSET = "clock_offset"
    """The creditor's trunk runs 47 seconds ahead."""
    RATE = "rate"
    """The debtor missed the rate change."""


KINDS = tuple(Planted)
MISSING_AT_CREDITOR_SHARE = (0.0012, 0.0008, 0.0010, 0.0009, 0.0011, 0.0007)
MISSING_AT_DEBTOR_SHARE = (0.0016, 0.0010, 0.0012, 0.0011, 0.0170, 0.0013)
"""GB-B lost so many of its calls to US-A that the desk must dispute them."""
SECONDS_SHARE = 0.02
CROSSING_CALLS = 6
SHADED_SHARE, SHADED_FROM_S, SHADED_BY = 0.02, 240, 0.30
DUPLICATE_SHARE = 0.002
ZERO_SHARE = 0.0012
BIAS_S, OFFSET_S, ZONE_S = 9, 47, -3600
ZONE_DAYS = (10, 14)
"""First and last UTC day of the month on which the trunk ran on another zone."""
FAULTY_TRUNK = 2
INVENTED_SHARE, INVENTED_S, INVENTED_CALLERS = 0.01, 600, 12
INVENTED_RANGE = 19_001_550_000
"""All invented calls go to one block of a hundred numbers from here."""
JITTER_MS = 420

SHADED_DIRECTION = OFFSET_DIRECTION = direction_index(US_A, CN_T)
BIAS_DIRECTION = DUPLICATE_DIRECTION = direction_index(GB_B, CN_T)
ZONE_DIRECTION = TRANSIT_DIRECTION = direction_index(GB_B, US_A)
ZERO_DIRECTION = direction_index(US_A, GB_B)
INVENTED_DIRECTION = direction_index(CN_T, US_A)


@dataclass(frozen=True, slots=True)
class SideView:
    """What one side's switch wrote of each leg; all arrays have one length."""

    copies: Ints
    """Rows it wrote: 0, 1 or 2."""
    start_s: Ints
    """UTC second of its answer stamp."""
    duration_s: Ints
    """0: it shows an unanswered attempt."""
    ended_s: Ints
    """When it really wrote the row: the file's order."""


@dataclass(frozen=True, slots=True)
class Books:
    """The true calls, both sides' views of them, and what was planted in each."""

    calls: Calls
    debtor: SideView
    creditor: SideView
    planted: Ints
    """Index into KINDS."""


def plant(rng: np.random.Generator, calls: Calls, month: Period) -> Books:
    """Both sides write every call down with their own jitter; then the faults of this module are planted."""
    calls = _with_invented(rng, calls, month)
    books = Books(calls, _view(rng, calls), _view(rng, calls), np.zeros(len(calls), np.int64))
    free = _inside(calls, month) & (calls.duration_s > 0) & ~_special(calls)
    for step in (_missing, _crossing, _duplicates, _zeros, _shaded, _seconds):
        step(rng, books, free, month)
    _whole_trunks(books, month)
    _special_kinds(books, month)
    return books


def _view(rng: np.random.Generator, calls: Calls) -> SideView:
    start_s = (calls.answer_ms + rng.integers(0, JITTER_MS, len(calls))) // 1000
    rang = np.where(calls.duration_s > 0, calls.duration_s, calls.ring_s)
    return SideView(np.ones(len(calls), np.int64), start_s, calls.duration_s.copy(), start_s + rang)


def _special(calls: Calls) -> Flags:
    """Invented, unrated and tromboned legs: no drawn fault falls on them."""
    legs = np.bincount(calls.call)[calls.call]
    special: Flags = _invented(calls) | (calls.destination == UNRATED) | (legs > 1)
    return special


def _invented(calls: Calls) -> Flags:
    """True numbers never have 0 or 1 after their code, so no true call is in the range."""
    found: Flags = (calls.b >= INVENTED_RANGE) & (calls.b < INVENTED_RANGE + 100)
    return found


def _with_invented(rng: np.random.Generator, calls: Calls, month: Period) -> Calls:
    """Calls of regular length to one range of premium numbers, on few and overlapping callers, in four nights."""
    count = round((calls.direction == INVENTED_DIRECTION).sum() * INVENTED_SHARE)
    start_ms = month.bounds_ms(ZoneInfo("UTC"))[0]
    night_ms = start_ms + (20 + rng.integers(0, 4, count)) * 86_400_000 + 18 * 3_600_000
    callers = 8_613_900_000_000 + rng.integers(1_000, 9_999, INVENTED_CALLERS) * 7
    new = Calls(
        direction=np.full(count, INVENTED_DIRECTION, np.int64),
        call=calls.call.max() + 1 + np.arange(count),
        a=rng.choice(callers, count),
        b=INVENTED_RANGE + rng.integers(0, 100, count),
        destination=np.full(count, US_PREMIUM, np.int64),
        trunk=np.full(count, 1, np.int64),
        answer_ms=night_ms + rng.integers(0, 4 * 3_600_000, count),
        ring_s=np.full(count, 3, np.int64),
        duration_s=np.full(count, INVENTED_S, np.int64),
    )
    return Calls(**{name: np.concatenate([getattr(calls, name), getattr(new, name)]) for name in Calls.__slots__})


def _inside(calls: Calls, month: Period) -> Flags:
    """Well inside the month, so that no fault moves a call across its bounds by accident."""
    start_ms, end_ms = month.bounds_ms(ZoneInfo("UTC"))
    inside: Flags = (calls.answer_ms > start_ms + 4_000_000) & (calls.answer_ms < end_ms - 4_000_000)
    return inside


def _take(rng: np.random.Generator, books: Books, free: Flags, direction: int, share: float, kind: Planted) -> Ints:
    """Choose rows of a direction that bear no fault yet, and mark them."""
    candidates = np.flatnonzero(free & (books.calls.direction == direction))
    wanted = max(3, round((books.calls.direction == direction).sum() * share))
    rows: Ints = rng.choice(candidates, min(wanted, len(candidates)), replace=False)
    free[rows] = False
    books.planted[rows] = KINDS.index(kind)
    return rows


def _missing(rng: np.random.Generator, books: Books, free: Flags, month: Period) -> None:
    for d in range(len(DIRECTIONS)):
        lost = _take(rng, books, free, d, MISSING_AT_CREDITOR_SHARE[d], Planted.MISSING_AT_CREDITOR)
        books.creditor.copies[lost] = 0
        lost = _take(rng, books, free, d, MISSING_AT_DEBTOR_SHARE[d], Planted.MISSING_AT_DEBTOR)
        books.debtor.copies[lost] = 0


def _crossing(rng: np.random.Generator, books: Books, free: Flags, month: Period) -> None:
    """Calls answered in the last second of the month on one side and the first of the next on the other."""
    for d in range(len(DIRECTIONS)):
        rows = _take(rng, books, free, d, 0.0, Planted.PERIOD_CROSSING)
        extra = _take(rng, books, free, d, 0.0, Planted.PERIOD_CROSSING)
        start_ms, end_ms = month.bounds_ms(ZoneInfo("UTC"))
        for chosen, bound_s in ((rows, end_ms // 1000), (extra, start_ms // 1000)):
            books.calls.answer_ms[chosen] = bound_s * 1000 - 300
            books.calls.trunk[chosen] = 1
            for view, at in ((books.debtor, bound_s - 1), (books.creditor, bound_s)):
                view.start_s[chosen] = at
                view.ended_s[chosen] = at + view.duration_s[chosen]


def _duplicates(rng: np.random.Generator, books: Books, free: Flags, month: Period) -> None:
    rows = _take(rng, books, free, DUPLICATE_DIRECTION, DUPLICATE_SHARE, Planted.DUPLICATE_AT_CREDITOR)
    books.creditor.copies[rows] = 2


def _zeros(rng: np.random.Generator, books: Books, free: Flags, month: Period) -> None:
    rows = _take(rng, books, free, ZERO_DIRECTION, ZERO_SHARE, Planted.ZERO_AT_DEBTOR)
    books.debtor.duration_s[rows] = 0


def _shaded(rng: np.random.Generator, books: Books, free: Flags, month: Period) -> None:
    long_calls = free & (books.calls.duration_s >= SHADED_FROM_S)
    rows = _take(rng, books, long_calls, SHADED_DIRECTION, SHADED_SHARE, Planted.SHADED)
    free[rows] = False
    longer = (books.calls.duration_s[rows] * (1 + SHADED_BY)).astype(np.int64)
    books.creditor.duration_s[rows] = longer


def _seconds(rng: np.random.Generator, books: Books, free: Flags, month: Period) -> None:
    free = free & (books.calls.duration_s > 10) & ~_biased(books)
    for d in range(len(DIRECTIONS)):
        rows = _take(rng, books, free, d, SECONDS_SHARE, Planted.SECONDS)
        books.creditor.duration_s[rows] += rng.choice(np.array((-2, -1, 1, 2)), len(rows), p=(0.15, 0.25, 0.35, 0.25))


def _biased(books: Books) -> Flags:
    biased: Flags = (books.calls.direction == BIAS_DIRECTION) & (books.calls.trunk == FAULTY_TRUNK)
    return biased


def _whole_trunks(books: Books, month: Period) -> None:
    """The trunks whose clock, zone or counter is wrong: every answered call on them, other faults included."""
    calls, creditor = books.calls, books.creditor
    on_trunk = calls.trunk == FAULTY_TRUNK
    biased = _biased(books) & (creditor.duration_s > 0)
    creditor.duration_s[biased] += BIAS_S
    ahead = on_trunk & (calls.direction == OFFSET_DIRECTION)
    creditor.start_s[ahead] += OFFSET_S
    day = (calls.answer_ms - month.bounds_ms(ZoneInfo("UTC"))[0]) // 86_400_000 + 1
    elsewhere = on_trunk & (calls.direction == ZONE_DIRECTION) & (day >= ZONE_DAYS[0]) & (day <= ZONE_DAYS[1])
    creditor.start_s[elsewhere] += ZONE_S
    for rows, kind in ((biased, "DURATION_BIAS"), (ahead, "CLOCK_OFFSET"), (elsewhere, "TIME_ZONE")):
        clean = rows & (books.planted == 0) & (calls.duration_s > 0)
        books.planted[clean] = KINDS.index(Planted[kind])


def _special_kinds(books: Books, month: Period) -> None:
    """Mark what is not drawn: the missed rate change, invented calls, unrated destinations."""
    calls = books.calls
    dearer = (calls.direction == CHANGED_DIRECTION) & (calls.destination == NAMES.index(CHANGED_DESTINATION))
    late = dearer & (books.creditor.start_s * 1000 >= change_ms(month)) & (calls.duration_s > 0)
    books.planted[late & (books.planted == 0)] = KINDS.index(Planted.RATE)
    books.planted[calls.destination == UNRATED] = KINDS.index(Planted.UNRATED)
    invented = _invented(calls)
    books.planted[invented] = KINDS.index(Planted.INVENTED)
    books.debtor.copies[invented] = 0
    start_ms, end_ms = month.bounds_ms(ZoneInfo("UTC"))
    ours, theirs = (
        (v.start_s >= start_ms // 1000) & (v.start_s < end_ms // 1000) for v in (books.debtor, books.creditor)
    )
    both = (books.debtor.copies > 0) & (books.creditor.copies > 0) & (calls.duration_s > 0)
    books.planted[(ours != theirs) & both] = KINDS.index(Planted.PERIOD_CROSSING)
