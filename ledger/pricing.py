"""Which rate does each of a million numbers fall under, and what does each call cost? The numba kernels of rating.

Numbers are scaled to 15 digits, so that a dial code is an interval. Nested intervals are flattened to disjoint ones,
sorted; a direct index over the first digits leaves at most a short bisection. A kernel that cannot be sure of a row
(values near 2^61, a number shorter than the code that claims it) says ASK: the caller prices that row in plain Python.
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

_OWNER_BITS = 24
_OWNER_MASK = 2**24 - 1
_BLOCK = 512
_FILL = 10 ** np.arange(DIGITS + 1, dtype=np.int64)


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
def index_cells(starts: Int64s, owners: Int32s, cell: int, index: Int32s, entries: Int64s, used: int) -> int:
    """Direct access to the intervals: what each cell of `cell` numbers holds. Returns how many entries are used.

    A cell inside one interval holds -2 - owner. Any other holds a place in entries: a count, then so many pairs of
    (begin within the cell, owner + 1) packed into one integer. entries needs room for 3 × intervals more.
    """
    interval = 0
    for place in range(len(index)):
        low, high = place * cell, (place + 1) * cell
        while interval + 1 < len(starts) and starts[interval + 1] <= low:
            interval += 1
        last = interval
        while last + 1 < len(starts) and starts[last + 1] < high:
            last += 1
        if last == interval:
            index[place] = -2 - owners[interval]
            continue
        index[place] = used
        entries[used] = last - interval + 1
        for which in range(interval, last + 1):
            begin = max(starts[which] - low, 0)
            entries[used + 1 + which - interval] = (begin << _OWNER_BITS) | (owners[which] + 1)
        used += last - interval + 2
        interval = last
    return used


@kernel
def _in_cell(entries: Int64s, place: int, within: int) -> int:
    """The owner of a number in a cell of several intervals."""
    key = (within << _OWNER_BITS) | _OWNER_MASK
    first, last = place + 1, place + entries[place]
    while first < last:
        middle = (first + last + 1) >> 1
        if entries[middle] <= key:
            first = middle
        else:
            last = middle - 1
    return int(entries[first] & _OWNER_MASK) - 1


@kernel
def _scaled(text: NDArray[np.uint8], begin: int, end: int) -> int:
    """A number's digits filled up to 15, or NOT_A_NUMBER."""
    digits = end - begin
    if not 0 < digits <= DIGITS:
        return NOT_A_NUMBER
    number = np.int64(0)
    for at in range(begin, end):
        digit = np.int64(text[at]) - 48
        if not 0 <= digit <= 9:
            return NOT_A_NUMBER
        number = number * 10 + digit
    return int(number * _FILL[DIGITS - digits])


@kernel
def find_rates(
    offsets: Int32s,
    text: NDArray[np.uint8],
    start_ms: Int64s,
    quantity: Int64s,
    moments: Int64s,
    cell: int,
    index: Int32s,
    entries: Int64s,
    code_digits: NDArray[np.int8],
    longest_code: int,
    out: Int32s,
) -> None:
    """The rate's number for each row, or why there is none (negative); index has a line for each moment.

    Blocks of rows go through the passes together, so that waits for memory overlap.
    """
    numbers, cells, held = np.empty(_BLOCK, np.int64), np.empty(_BLOCK, np.int64), np.empty(_BLOCK, np.int64)
    width = index.shape[1]
    flat = index.reshape(-1)
    for base in range(0, len(out), _BLOCK):
        rows = min(_BLOCK, len(out) - base)
        for at in range(rows):
            row = base + at
            number = _scaled(text, offsets[row], offsets[row + 1])
            moment = len(moments) - 1
            while moment >= 0 and moments[moment] > start_ms[row]:
                moment -= 1
            if quantity[row] < 0:
                number = NEGATIVE
            elif number >= 0 and moment < 0:
                number = TOO_EARLY
            place = number // cell if number >= 0 else 0
            numbers[at] = number - place * cell
            cells[at] = moment * width + place if number >= 0 else 0
        for at in range(rows):
            held[at] = flat[cells[at]]
        for at in range(rows):
            within = numbers[at]
            if within < 0:
                out[base + at] = within
                continue
            owner = -2 - held[at] if held[at] < 0 else _in_cell(entries, held[at], within)
            digits = offsets[base + at + 1] - offsets[base + at]
            shorter = digits < longest_code and owner >= 0 and code_digits[owner] > digits
            out[base + at] = ASK if shorter else owner


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
    plan_of: Int32s,
    plans: Int64s,
    rounding: int,
    charged: Int64s,
    amount: Int64s,
) -> None:
    """Charged quantity and micros of each row with a rate. plan_of gives a rate's line of plans:
    nanos, per, first, next, connect_nanos, limit, after, later_nanos, later_increment; after 0 means no later step.

    Rows whose quantity passes their plan's limit become ASK.
    """
    for row in range(len(found)):
        which = found[row]
        if which < 0 or quantity[row] == 0:
            charged[row] = 0
            amount[row] = 0
            continue
        plan = plan_of[which]
        if quantity[row] > plans[plan, 5]:
            found[row] = ASK
            continue
        after = plans[plan, 6]
        beyond = quantity[row] - after if after > 0 else np.int64(0)
        near = after if beyond > 0 else quantity[row]
        units = _round_up(near, plans[plan, 2], plans[plan, 3])
        nanos = units * plans[plan, 0]
        if beyond > 0:
            increment = plans[plan, 8]
            more = (beyond + increment - 1) // increment * increment
            units += more
            nanos += more * plans[plan, 7]
        divisor = plans[plan, 1] * 1000
        nanos += plans[plan, 4] * plans[plan, 1]
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
