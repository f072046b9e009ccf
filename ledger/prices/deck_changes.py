"""What does a new rate deck change, and which of it needs notice? Increases, decreases, new codes, closures, moves."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from ledger.agreement import DAY_SECONDS
from ledger.prices.charging import Stretch, price
from ledger.prices.deck import Rate, RateDeck, RateStatus

_DURATIONS_MS = (0, 1_000, 30_000, 60_000, 61_000, 180_000, 3_600_000)
"""Two prices are compared where they could differ: attempts, first increments, fees, minutes, bounds."""
_DAY_MS = DAY_SECONDS * 1000


class Change(StrEnum):
    """What happens to the calls of one code."""

    INCREASE = "increase"
    """Some call costs more."""
    DECREASE = "decrease"
    """No call costs more, some less."""
    SAME = "same"
    """All calls cost what they cost."""
    NEW = "new"
    """Calls that had no price have one."""
    CLOSED = "closed"
    """Calls that had a price have none."""


@dataclass(frozen=True, slots=True)
class CodeChange:
    """One code, origin and band under two decks."""

    code: str
    origin: str
    band: str
    change: Change
    before: Rate | None
    after: Rate | None
    from_ms: int
    """When it takes effect."""

    @property
    def is_moved(self) -> bool:
        """Whether the code goes to another destination."""
        return self.before is not None and self.after is not None and self.before.destination != self.after.destination

    def is_short(self, notice_days: int, announced_ms: int) -> bool:
        """Whether it comes before the notice it needs is over: increases and closures need one."""
        needs = self.change in (Change.INCREASE, Change.CLOSED)
        return needs and self.from_ms < announced_ms + notice_days * _DAY_MS


def deck_changes(before: RateDeck, after: RateDeck, effective_ms: int) -> tuple[CodeChange, ...]:
    """Every code of either deck, once the new one is in force altogether; in the order of codes.

    A code that left the deck has the price of the next shorter one, as its calls will have.
    """
    olds, news = _last(before), _last(after)
    return tuple(_changes(olds, news, effective_ms))


def _changes(
    olds: Mapping[tuple[str, str, str], Rate], news: Mapping[tuple[str, str, str], Rate], effective_ms: int
) -> Iterator[CodeChange]:
    for code, origin, band in sorted(olds.keys() | news.keys()):
        old, new = (_applies(rates, code, origin, band) for rates in (olds, news))
        if old is None and new is None:
            continue
        begin = effective_ms if new is None else max(effective_ms, new.effective_ms or 0)
        closing = news.get((code, origin, band))
        if new is None and closing is not None:
            begin = max(effective_ms, closing.effective_ms or 0)
        yield CodeChange(code, origin, band, _compare(old, new), old, new, begin)


def _last(deck: RateDeck) -> Mapping[tuple[str, str, str], Rate]:
    """What a deck comes to: rates are ordered by date, so the last of a code stays."""
    return {(rate.code, rate.origin, rate.band): rate for rate in deck.rates}


def _applies(rates: Mapping[tuple[str, str, str], Rate], code: str, origin: str, band: str) -> Rate | None:
    """The rate of the longest code that begins this one and is open; None if there is none, or it is closed."""
    for length in range(len(code), 0, -1):
        for key in ((origin, band), (origin, ""), ("", band), ("", "")):
            rate = rates.get((code[:length], *key))
            if rate is not None and rate.status is not RateStatus.REMOVED:
                return None if rate.status is RateStatus.BLOCKED else rate
    return None


def _compare(old: Rate | None, new: Rate | None) -> Change:
    if old is None:
        return Change.NEW
    if new is None:
        return Change.CLOSED
    steps = [price(each, [Stretch(0, new)]).micros - price(each, [Stretch(0, old)]).micros for each in _DURATIONS_MS]
    if any(step > Fraction(0) for step in steps):
        return Change.INCREASE
    return Change.DECREASE if any(steps) else Change.SAME
