"""What does a call cost by each side's deck? The simulator's own arithmetic, independent of the product's."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ledger.period import Period
from scripts.traffic.carriers import CN_T, DIRECTIONS, GB_B, US_A, Direction, direction_index

Ints = npt.NDArray[np.int64]

RATE_CHANGE_DAY = 15
"""Of the month: from here the creditor of CHANGED_DIRECTION asks CHANGED_NANOS for CHANGED_DESTINATION."""
CHANGED_DIRECTION = direction_index(CN_T, GB_B)
CHANGED_DESTINATION = "United Kingdom Mobile"
CHANGED_NANOS = 26_000_000


@dataclass(frozen=True, slots=True)
class Destination:
    """A named group of dial codes with the shape of its numbers."""

    name: str
    codes: tuple[str, ...]
    digits: int
    """Length of the whole E.164 number."""


@dataclass(frozen=True, slots=True)
class Price:
    """One line of a deck: nanos of USD for 60 s, charged in increments, plus a fee on answer."""

    nanos: int
    first_s: int = 1
    next_s: int = 1
    connect_nanos: int = 0


DESTINATIONS = (
    Destination("China Fixed", ("8610", "8620", "8621", "8628"), 12),
    Destination("China Mobile", ("8613", "8615", "8618"), 13),
    Destination("China Premium", ("86400",), 12),
    Destination("United Kingdom Fixed", ("441", "442"), 12),
    Destination("United Kingdom Mobile", ("4474", "4477", "4478"), 12),
    Destination("United Kingdom Premium", ("449",), 12),
    Destination("United States", ("1202", "1212", "1305", "1415", "1617"), 11),
    Destination("United States Alaska", ("1907",), 11),
    Destination("United States Premium", ("1900",), 11),
    Destination("United Kingdom Non-Geographic", ("4484",), 12),
)
"""The last one stands in no deck: its calls must be refused by rating, never priced at zero."""
NAMES = tuple(d.name for d in DESTINATIONS)
UNRATED = NAMES.index("United Kingdom Non-Geographic")
ALASKA = NAMES.index("United States Alaska")
US_PREMIUM = NAMES.index("United States Premium")

_CENT = 10_000_000


def _china(fixed: int, mobile: int) -> dict[str, Price]:
    return {
        "China Fixed": Price(fixed),
        "China Mobile": Price(mobile, 30, 6),
        "China Premium": Price(9 * _CENT, 60, 60, 5 * _CENT),
    }


def _kingdom(fixed: int, mobile: int) -> dict[str, Price]:
    return {
        "United Kingdom Fixed": Price(fixed),
        "United Kingdom Mobile": Price(mobile),
        "United Kingdom Premium": Price(14 * _CENT, 60, 60, 5 * _CENT),
    }


def _states(fixed: int, alaska: int) -> dict[str, Price]:
    return {
        "United States": Price(fixed, 6, 6),
        "United States Alaska": Price(alaska),
        "United States Premium": Price(12 * _CENT, 60, 60),
    }


DECKS: tuple[dict[str, Price], ...] = (
    # Alaska through GB-B is cheaper for CN-T than US-A's own price to CN-T: the planted arbitrage triangle
    {**_kingdom(12_300_000, 21_000_000), "United States Alaska": Price(50_000_000)},
    _china(17_500_000, 19_200_000),
    _states(9_800_000, 90_000_000),
    _china(18_300_000, 20_100_000),
    _states(8_700_000, 30_000_000),
    _kingdom(11_900_000, 22_400_000),
)
"""What the creditor of each of DIRECTIONS asks at the beginning of the month."""


def change_ms(month: Period) -> int:
    """UTC milliseconds at which the missed rate change takes effect."""
    return int(np.datetime64(f"{month.year:04d}-{month.month:02d}-{RATE_CHANGE_DAY:02d}", "ms").astype(np.int64))


def home_destinations(direction: Direction) -> tuple[int, ...]:
    """Destinations of the creditor's own country: ordinary traffic of the direction goes there."""
    words = {CN_T.code: "China", GB_B.code: "United Kingdom", US_A.code: "United States"}
    return tuple(i for i, n in enumerate(NAMES) if n.startswith(words[direction.creditor.code]) and i != UNRATED)


def amounts_micros(
    direction: Ints, destination: Ints, start_s: Ints, duration_s: Ints, month: Period, *, creditor: bool
) -> Ints:
    """Price calls as one side does: integer arithmetic, rounded once per call, half to even.

    All arrays have one length. Unrated destinations and unanswered calls cost 0 here (the truth excludes them).
    The debtor of CHANGED_DIRECTION never heard of the change.
    """
    price = _price_table()[direction, destination]
    nanos, first, after, connect = (price[:, i].copy() for i in range(4))
    if creditor:
        changed = (direction == CHANGED_DIRECTION) & (destination == NAMES.index(CHANGED_DESTINATION))
        nanos[changed & (start_s * 1000 >= change_ms(month))] = CHANGED_NANOS
    extra = np.maximum(duration_s - first, 0)
    charged = first + -(-extra // after) * after
    numerator = charged * nanos + connect * 60
    quotient, rest = np.divmod(numerator, 60_000)
    rounded = quotient + ((2 * rest > 60_000) | ((2 * rest == 60_000) & (quotient % 2 == 1)))
    priced = (duration_s > 0) & (nanos > 0)
    return np.where(priced, rounded, 0).astype(np.int64)


def _price_table() -> Ints:
    """nanos, first, next, connect for each (direction, destination); nanos 0 where the deck has no price."""
    table = np.zeros((len(DIRECTIONS), len(DESTINATIONS), 4), np.int64)
    table[:, :, 1:3] = 1
    for d, deck in enumerate(DECKS):
        for name, price in deck.items():
            table[d, NAMES.index(name)] = (price.nanos, price.first_s, price.next_s, price.connect_nanos)
    return table
