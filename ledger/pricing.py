"""Which rate does each of a million numbers fall under, and what does each call cost? The numba kernels of rating.

Numbers are scaled to 15 digits, so that a dial code is an interval. Nested intervals are flattened to disjoint ones,
sorted; a direct index over the first digits leaves a short bisection. A kernel that cannot be sure of a row (values
near 2^62, a number shorter than the code that claims it) says ASK, and the caller prices that row in plain Python.
"""

import numpy as np
from numpy.typing import NDArray

from ledger.kernel import kernel

Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]

DIGITS = 15
UNKNOWN = -1
NOT_A_NUMBER = -2
TOO_EARLY = -3
NEGATIVE = -4
ASK = -5

FLOOR, CEILING, HALF_UP, HALF_EVEN = 0, 1, 2, 3
"""Roundings, as the kernels name them."""

_SAFE = 2**61


@kernel
def flatten(low: Int64s, high: Int64s, rate: Int32s, starts: Int64s, owners: Int32s) -> int:
    """Disjoint intervals of nested ones, which come ordered by (low, widest first). Returns how many.

    Interval i begins at starts[i] and belongs to rate owners[i] (UNKNOWN: to none). Both need room for 2n + 1.
    """
    stack = np.empty(DIGITS + 1, np.int64)
    depth, count = 0, 1
    starts[0] = 0
    owners[0] = UNKNOWN
    for index in range(len(low) + 1):
        reached = low[index] if index < len(low) else np.int64(10**DIGITS)
        while depth > 0 and high[stack[depth - 1]] <= reached:
            depth -= 1
            end = high[stack[depth]]
            if starts[count - 1] != end:
                count += 1
            starts[count - 1] = end
            owners[count - 1] = rate[stack[depth - 1]] if depth > 0 else UNKNOWN
        if index < len(low):
            if starts[count - 1] != reached:
                count += 1
            starts[count - 1] = reached
            owners[count - 1] = rate[index]
            stack[depth] = index
            depth += 1
    return count


@kernel
def find_rates(
    offsets: Int32s,
    text: NDArray[np.uint8],
    start_ms: Int64s,
    quantity: Int64s,
    moments: Int64s,
    starts: Int64s,
    owners: Int32s,
    index: Int32s,
    cell: int,
    code_digits: NDArray[np.int8],
    out: Int32s,
) -> None:
    """The rate's number for each row, or why there is none (negative).

    index is (moments, cells + 1) into starts and owners, which hold the intervals of every moment one after another.
    """
    for row in range(len(start_ms)):
        begin, end = offsets[row], offsets[row + 1]
        digits = end - begin
        if quantity[row] < 0:
            out[row] = NEGATIVE
            continue
        number = np.int64(0)
        valid = 0 < digits <= DIGITS
        for at in range(begin, end if valid else begin):
            digit = np.int64(text[at]) - 48
            valid = valid and 0 <= digit <= 9
            number = number * 10 + digit
        if not valid:
            out[row] = NOT_A_NUMBER
            continue
        for _ in range(DIGITS - digits):
            number *= 10
        moment = len(moments) - 1
        while moment >= 0 and moments[moment] > start_ms[row]:
            moment -= 1
        if moment < 0:
            out[row] = TOO_EARLY
            continue
        place = number // cell
        first, last = index[moment, place], index[moment, place + 1]
        while first < last:
            middle = (first + last + 1) >> 1
            if starts[middle] <= number:
                first = middle
            else:
                last = middle - 1
        owner = owners[first]
        out[row] = ASK if owner >= 0 and code_digits[owner] > digits else owner


@kernel
def _round_up(quantity: int, first: int, following: int) -> int:
    """A quantity in whole increments; later ones count from the end of the first."""
    if quantity <= first:
        return first
    return first + (quantity - first + following - 1) // following * following


@kernel
def price(
    found: Int32s,
    quantity: Int64s,
    rates: Int64s,
    rounding: int,
    charged: Int64s,
    amount: Int64s,
) -> None:
    """Charged quantity and micros of each row with a rate. rates has a row for each rate:
    nanos, per, first, next, connect_nanos, limit, after, later_nanos, later_increment; after 0 means no later step.

    Rows whose quantity passes their rate's limit become ASK.
    """
    for row in range(len(found)):
        which = found[row]
        if which < 0 or quantity[row] == 0:
            charged[row] = 0
            amount[row] = 0
            continue
        if quantity[row] > rates[which, 5]:
            found[row] = ASK
            continue
        after = rates[which, 6]
        beyond = quantity[row] - after if after > 0 else np.int64(0)
        near = after if beyond > 0 else quantity[row]
        units = _round_up(near, rates[which, 2], rates[which, 3])
        nanos = units * rates[which, 0]
        if beyond > 0:
            increment = rates[which, 8]
            more = (beyond + increment - 1) // increment * increment
            units += more
            nanos += more * rates[which, 7]
        divisor = rates[which, 1] * 1000
        nanos += rates[which, 4] * rates[which, 1]
        micros = nanos // divisor
        rest = nanos - micros * divisor
        if rounding == CEILING:
            micros += rest > 0
        elif rounding == HALF_UP:
            micros += rest >= divisor - rest
        elif rounding == HALF_EVEN:
            micros += rest > divisor - rest or (rest == divisor - rest and micros % 2 == 1)
        charged[row] = units
        amount[row] = micros
