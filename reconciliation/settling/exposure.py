"""How much of a credit line is used, which alerts are due, and when will it be full?"""

from dataclasses import dataclass

from ledger.errors import Conflict
from ledger.money import Micros

ALERT_BPS = (5_000, 7_500, 9_000, 10_000)
"""Shares of the line at which the desk is told; the same as contracts/interfaces/ICreditBook.sol."""
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Exposure:
    """One debtor's use of one credit line."""

    declared_micros: Micros
    credited_micros: Micros
    """Given up: disputes credited, statements agreed below what was declared."""
    paid_micros: Micros
    limit_micros: Micros
    netted_micros: Micros
    """What netting put into the direction less what it took from it; negative where it sets off."""

    @property
    def used_micros(self) -> Micros:
        return Micros(self.declared_micros - self.credited_micros - self.paid_micros + self.netted_micros)

    @property
    def left_micros(self) -> Micros:
        """What may still be declared; negative past a flagged line."""
        return Micros(self.limit_micros - self.used_micros)

    @property
    def alerts(self) -> tuple[int, ...]:
        """The shares of ALERT_BPS that are reached. A line of zero is reached by any use."""
        return alerts_at(self.used_micros, self.limit_micros)


@dataclass(frozen=True, slots=True)
class Forecast:
    """When the line is full if usage goes on as it did."""

    daily_micros: Micros
    full_at_ms: int | None
    """None: never at this pace."""


def exposure(declared: int, credited: int, paid: int, limit: int, netted: int = 0) -> Exposure:
    """The used part of a line. Raises Conflict if more was credited and paid than declared and netted into it."""
    if credited + paid > declared + netted or min(declared, credited, paid, limit) < 0:
        raise Conflict(
            "exposure would be negative",
            expected=f"at most {declared + netted} micros credited and paid",
            got=credited + paid,
            todo="Replay the chain's events: a declaration is missing.",
        )
    return Exposure(Micros(declared), Micros(credited), Micros(paid), Micros(limit), Micros(netted))


def alerts_at(used_micros: int, limit_micros: int) -> tuple[int, ...]:
    """The alert shares that a use of the line has reached."""
    if used_micros <= 0:
        return ()
    return tuple(share for share in ALERT_BPS if used_micros * 10_000 >= limit_micros * share)


def forecast(current: Exposure, declared_lately: int, days: int, now_ms: int) -> Forecast:
    """Extend the mean daily declaration of the last `days` to the limit."""
    daily = declared_lately // days
    if current.left_micros <= 0:
        return Forecast(Micros(daily), now_ms)
    if daily <= 0:
        return Forecast(Micros(daily), None)
    return Forecast(Micros(daily), now_ms + current.left_micros * DAY_MS // daily)
