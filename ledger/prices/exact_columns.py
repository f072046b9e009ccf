"""What does each row of a usage table cost before it is rounded? Columns of exact quotients, and their rounding.

A row's price in micros is numerator / divisor in 63 bits, or a fraction where that is too narrow.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import accumulate
from math import lcm

import numpy as np
from numpy.typing import NDArray

from ledger.money import MAX_AMOUNT_MICROS, NANOS_PER_MICRO, Rounding, divide
from ledger.prices.charging import MICRO_DECIMALS, rounded
from ledger.prices.deck import MaxRule, Rate
from ledger.prices.rating_terms import RoundingPlace

Int64s = NDArray[np.int64]

_SAFE = 2**61
_LONGEST = 2**53
_NARROW = _SAFE // 10**MICRO_DECIMALS
"""Divisors below it can be multiplied by a unit of any decimal place."""


@dataclass(slots=True, eq=False)
class ExactColumns:
    """Prices of rows, filled part by part by whoever makes them."""

    charged: Int64s
    """After increments, in the service's unit."""
    numerator: Int64s
    divisor: Int64s
    which: NDArray[np.int32]
    """The place of each row's rate in `rates`; -1: no price."""
    rates: list[Rate] = field(default_factory=list)
    exact: dict[int, Fraction] = field(default_factory=dict)
    """Micros of the rows that the columns do not hold."""
    wide: dict[int, int] = field(default_factory=dict)
    """Charged quantities beyond 63 bits: such a row is refused in the end."""
    refused: dict[int, str] = field(default_factory=dict)
    """Why a row has no price."""

    def micros(self, row: int) -> Fraction:
        """The exact price of one row."""
        found = self.exact.get(row)
        return Fraction(int(self.numerator[row]), int(self.divisor[row])) if found is None else found


def empty_columns(rows: int) -> ExactColumns:
    """No row has a price yet."""
    zeros = np.zeros(rows, np.int64)
    return ExactColumns(zeros, zeros.copy(), np.ones(rows, np.int64), np.full(rows, -1, np.int32))


def price_columns(
    columns: ExactColumns,
    rows: Int64s,
    quantity: Int64s,
    which: NDArray[np.int32],
    rates: Sequence[Rate],
    own: Rounding | None,
    decimals: int,
) -> Int64s:
    """Fill in the price of rows of one stretch each, as `charging.price` does; which are places in `rates`.

    Returns the rows that are too wide for columns.
    """
    lines = np.array([_plan(rate, own, decimals) for rate in rates], np.int64).reshape(len(rates), 13)
    plans = np.ascontiguousarray(lines.T)[:, which]
    first, following, after, increment, first_price, next_price, later_price = plans[:7]
    fee, attempt, least, most, divisor, limit = plans[7:]
    near = np.where(after > 0, np.minimum(quantity, after), quantity)
    beyond = np.where(after > 0, np.maximum(quantity - after, 0), 0)
    fits = quantity <= limit
    near, beyond = np.where(fits, near, 0), np.where(fits, beyond, 0)
    more = (np.maximum(near - first, 0) + following - 1) // following
    later = (beyond + increment - 1) // increment
    cost = np.clip(fee + first_price + more * next_price + later * later_price, least, most)
    used = quantity > 0
    columns.charged[rows] = np.where(used, first + more * following + later * increment, 0)
    columns.numerator[rows] = np.where(used, cost, attempt)
    columns.divisor[rows] = divisor
    columns.which[rows] = which + len(columns.rates)
    columns.rates += rates
    too_wide: Int64s = rows[~fits]
    return too_wide


def scale(columns: ExactColumns, rows: Int64s, factor: Fraction) -> None:
    """Multiply the prices of rows by a factor above 0."""
    if len(rows) == 0 or factor == 1:
        return
    exact = sorted(columns.exact.keys() & set(rows.tolist()))
    top, bottom = factor.numerator, factor.denominator
    fits = int(columns.numerator[rows].max()) < _SAFE // top and int(columns.divisor[rows].max()) < _NARROW // bottom
    wide = exact if fits else rows.tolist()
    columns.exact |= {row: columns.micros(row) * factor for row in wide}
    if fits:
        columns.numerator[rows] *= top
        columns.divisor[rows] *= bottom


def round_columns(
    columns: ExactColumns, rounding: Rounding, place: RoundingPlace, decimals: int, order: Int64s
) -> Int64s:
    """Micros of each row, 0 where it has none; order are the rows in the order of their events.

    Refuses what is out of bounds.
    """
    amount = (
        _running(columns, rounding, order)
        if place is RoundingPlace.STATEMENT
        else _each(columns, rounding, 10 ** (MICRO_DECIMALS - decimals))
    )
    for row in columns.wide:
        _refuse(columns, row)
    return amount


def exact_total(columns: ExactColumns) -> Fraction:
    """The sum of all prices before any rounding of records."""
    priced = columns.which >= 0
    priced[list(columns.exact)] = False
    total = sum((columns.exact[row] for row in columns.exact if columns.which[row] >= 0), Fraction(0))
    for divisor in np.unique(columns.divisor[priced]).tolist():
        total += Fraction(_wide_sum(columns.numerator[priced & (columns.divisor == divisor)]), divisor)
    return total


def _each(columns: ExactColumns, rounding: Rounding, unit: int) -> Int64s:
    divisor = columns.divisor * unit
    quotient = columns.numerator // divisor
    rest = columns.numerator - quotient * divisor
    amount = (quotient + _upwards(quotient, rest, divisor, rounding)) * unit
    amount[columns.which < 0] = 0
    decimals = MICRO_DECIMALS - (len(str(unit)) - 1)
    for row, micros in columns.exact.items():
        _put(columns, amount, row, rounded(micros, rounding, decimals))
    return amount


def _running(columns: ExactColumns, rounding: Rounding, order: Int64s) -> Int64s:
    """Each row has what the running total of events grows by when it is rounded, so that all add up to its rounding."""
    priced = order[columns.which[order] >= 0]
    divisors = [*np.unique(columns.divisor[priced]).tolist(), *(each.denominator for each in columns.exact.values())]
    common = lcm(*divisors)
    if columns.exact or common * max(len(priced), 1) > _SAFE:
        micros = (columns.micros(int(row)) for row in priced)
        totals: list[int] = [rounded(total, rounding) for total in accumulate(micros)]
    else:
        quotient, rest = np.divmod(columns.numerator[priced], columns.divisor[priced])
        rests = np.cumsum(rest * (common // columns.divisor[priced]))
        totals_ = np.cumsum(quotient) + rests // common
        totals = (totals_ + _upwards(totals_, rests % common, np.full(len(priced), common), rounding)).tolist()
    amount = np.zeros(len(columns.which), np.int64)
    for row, before, after in zip(priced.tolist(), [0, *totals], totals, strict=False):
        _put(columns, amount, row, after - before)
    return amount


def _upwards(quotient: Int64s, rest: Int64s, divisor: Int64s, rounding: Rounding) -> NDArray[np.bool_]:
    """Whether a quotient of 0 or more is rounded up."""
    up = np.zeros(len(rest), np.bool_)
    match rounding:
        case Rounding.FLOOR:
            pass
        case Rounding.CEILING:
            up |= rest > 0
        case Rounding.HALF_UP:
            up |= rest >= divisor - rest
        case Rounding.HALF_EVEN:
            up |= (rest > divisor - rest) | ((rest == divisor - rest) & (quotient % 2 == 1))
    return up


def _put(columns: ExactColumns, amount: Int64s, row: int, micros: int) -> None:
    if micros > MAX_AMOUNT_MICROS:
        amount[row] = 0
        _refuse(columns, row)
    elif columns.which[row] >= 0:
        amount[row] = micros


def _refuse(columns: ExactColumns, row: int) -> None:
    columns.which[row] = -1
    columns.refused[row] = "amount out of bounds"


def _wide_sum(values: Int64s) -> int:
    """The sum in 128 bits."""
    return int((values >> 32).sum()) * 2**32 + int((values & 0xFFFFFFFF).sum())


def _plan(rate: Rate, own: Rounding | None, decimals: int) -> tuple[int, ...]:
    """A line of `price_columns`: lengths, prices over one divisor, the longest quantity that stays in 63 bits."""
    later = rate.later
    after, increment, later_nanos = (later.after, later.increment, later.nanos) if later else (0, 1, 0)
    prices = [length * nanos for length, nanos in ((rate.first, rate.nanos), (rate.next, rate.nanos))]
    prices.append(increment * later_nanos)
    fixed = [rate.connect_nanos, rate.attempt_nanos, rate.min_nanos]
    capped = rate.max_nanos is not None and rate.max_rule is MaxRule.FREE
    most = rate.max_nanos if capped and rate.max_nanos is not None else _SAFE
    divisor = rate.per * NANOS_PER_MICRO
    if own is None:
        fixed_prices = [nanos * rate.per for nanos in fixed]
        most = min(most * rate.per, _SAFE)
    else:
        unit = 10 ** (MICRO_DECIMALS - decimals)
        prices = [divide(each, divisor * unit, own) * unit for each in prices]
        fixed_prices = [divide(nanos, NANOS_PER_MICRO * unit, own) * unit for nanos in fixed]
        most, divisor = min(divide(most, NANOS_PER_MICRO * unit, own) * unit, _SAFE) if capped else _SAFE, 1
    room = _SAFE - sum(prices) - sum(fixed_prices)
    each = -(-prices[1] // rate.next) + -(-prices[2] // increment)
    limit = min(_LONGEST, room // max(each, 1)) if room > 0 else -1
    if divisor * 10**MICRO_DECIMALS > _SAFE or max(rate.first, rate.next, increment, after) > _LONGEST:
        limit = -1
    if limit < 0:
        return 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, -1
    return rate.first, rate.next, after, increment, *prices, *fixed_prices, most, divisor, limit
