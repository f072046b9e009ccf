"""Which rate does each of a million numbers fall under, and what does each call cost? The numba kernels of rating.

Numbers are scaled to 15 digits, so that a dial code is an interval. Nested intervals are flattened to disjoint ones,
sorted; a direct index over the first digits leaves at most a short bisection. A kernel that cannot be sure of a row
(values near 2^61, a number shorter than the code that claims it) says ASK: the caller prices that row in plain Python.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ledger.kernel import are_digits, eight_digits, fetch_early, kernel, multiply_high, put_word, word_at

Bytes = NDArray[np.uint8]
Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
Words = NDArray[np.uint64]
Whole: TypeAlias = int | np.int64

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
_NAME_AT, _CODE_AT, _NUMBER_MASK = 24, 48, 2**24 - 1
_BLOCK = 512
_ZEROS = np.uint64(0x3030303030303030)
_MOST = np.uint64(2**64 - 1)
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
    first, left = place + 1, entries[place]
    while left > 1:
        half = left >> 1
        first += half if entries[first + half] <= key else 0
        left -= half
    return int(entries[first] & _OWNER_MASK) - 1


def pack(plan: Sequence[int], name: Sequence[int], code_digits: Sequence[int]) -> Int64s:
    """What the kernels ask of a rate, in one number, so that memory is asked once: 24 bits, 24 bits, the rest."""
    return np.asarray(plan, np.int64) | np.asarray(name, np.int64) << _NAME_AT | np.asarray(code_digits) << _CODE_AT


@kernel
def _divided(number: Whole, divisor: Whole, reciprocal: np.uint64) -> Whole:
    """number // divisor for 0 <= number < 2^61, exactly; reciprocal is (2^64 - 1) // divisor.

    Its product with the number is the quotient or one less, and costs a fifth of a division.
    """
    quotient = np.int64(multiply_high(np.uint64(number), reciprocal))
    return quotient + 1 if number - quotient * divisor >= divisor else quotient


@kernel
def _scaled(text: Bytes, begin: int, end: int) -> int:
    """A number's digits filled up to 15, or NOT_A_NUMBER; one digit after the other."""
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
def _scaled_at_once(text: Bytes, begin: int, end: int) -> int:
    """`_scaled`, where 16 bytes can be read from `begin` on: as two words, zeros written behind the number."""
    digits = end - begin
    if not 0 < digits <= DIGITS:
        return NOT_A_NUMBER
    low, high = word_at(text, begin), word_at(text, begin + 8)
    if digits < 8:
        mine = (np.uint64(1) << np.uint64(8 * digits)) - np.uint64(1)
        low, high = (low & mine) | (_ZEROS & ~mine), _ZEROS
    else:
        mine = (np.uint64(1) << np.uint64(8 * (digits - 8))) - np.uint64(1)
        high = (high & mine) | (_ZEROS & ~mine)
    if not (are_digits(low) and are_digits(high)):
        return NOT_A_NUMBER
    last_seven = (high << np.uint64(8)) | np.uint64(48)
    return int(eight_digits(low) * 10**7 + eight_digits(last_seven))


@kernel
def find_rates(
    offsets: Int32s,
    text: Bytes,
    start_ms: Int64s,
    quantity: Int64s,
    moments: Int64s,
    cell: int,
    index: Int32s,
    entries: Int64s,
    facts: Int64s,
    longest_code: int,
    out: Int32s,
) -> None:
    """The rate's number for each row, or why there is none (negative); index has a line for each moment.

    Blocks of rows go through the passes together, so that waits for memory overlap.
    """
    numbers, cells, held = np.empty(_BLOCK, np.int64), np.empty(_BLOCK, np.int64), np.empty(_BLOCK, np.int64)
    width = index.shape[1]
    flat = index.reshape(-1)
    each_cell = _MOST // np.uint64(cell)
    for base in range(0, len(out), _BLOCK):
        rows = min(_BLOCK, len(out) - base)
        for at in range(rows):
            row = base + at
            begin, end = offsets[row], offsets[row + 1]
            number = _scaled_at_once(text, begin, end) if begin + 16 <= len(text) else _scaled(text, begin, end)
            moment = len(moments) - 1
            while moment >= 0 and moments[moment] > start_ms[row]:
                moment -= 1
            if quantity[row] < 0:
                number = NEGATIVE
            elif number >= 0 and moment < 0:
                number = TOO_EARLY
            place = _divided(number, cell, each_cell) if number >= 0 else 0
            numbers[at] = number - place * cell
            cells[at] = moment * width + place if number >= 0 else 0
            fetch_early(flat, cells[at])
        for at in range(rows):
            held[at] = flat[cells[at]]
            fetch_early(entries, max(held[at], 0))
        for at in range(rows):
            within = numbers[at]
            if within < 0:
                out[base + at] = within
                continue
            owner = -2 - held[at] if held[at] < 0 else _in_cell(entries, held[at], within)
            digits = offsets[base + at + 1] - offsets[base + at]
            shorter = digits < longest_code and owner >= 0 and facts[owner] >> _CODE_AT > digits
            out[base + at] = ASK if shorter else owner


def reciprocals(plans: Int64s) -> Words:
    """What `price` divides by, turned round once: (2^64 - 1) // each plan's next, per × 1000 and later_increment."""
    divisors = np.stack([plans[:, 3], plans[:, 1] * 1000, plans[:, 8]], axis=1)
    return np.ascontiguousarray(_MOST // divisors.astype(np.uint64))


@kernel
def price(
    found: Int32s,
    quantity: Int64s,
    facts: Int64s,
    plans: Int64s,
    inverses: Words,
    rounding: int,
    of_row: Int64s,
    charged: Int64s,
    amount: Int64s,
) -> None:
    """Facts, charged quantity and micros of each row with a rate. A line of plans:
    nanos, per, first, next, connect_nanos, limit, after, later_nanos, later_increment; after 0 means no later step;
    inverses are the plans' `reciprocals`.

    Rows whose quantity passes their plan's limit become ASK.
    """
    for row in range(len(found)):
        which = found[row]
        if which >= 0:
            of_row[row] = facts[which]
        if which < 0 or quantity[row] == 0:
            charged[row] = 0
            amount[row] = 0
            continue
        plan = facts[which] & _NUMBER_MASK
        if quantity[row] > plans[plan, 5]:
            found[row] = ASK
            continue
        after = plans[plan, 6]
        beyond = quantity[row] - after if after > 0 else np.int64(0)
        near = after if beyond > 0 else quantity[row]
        first, following = plans[plan, 2], plans[plan, 3]
        units = first + _divided(max(near - first, 0) + following - 1, following, inverses[plan, 0]) * following
        nanos = units * plans[plan, 0] + plans[plan, 4] * plans[plan, 1]
        if beyond > 0:
            increment = plans[plan, 8]
            more = _divided(beyond + increment - 1, increment, inverses[plan, 2]) * increment
            units += more
            nanos += more * plans[plan, 7]
        divisor = plans[plan, 1] * 1000
        micros = _divided(nanos, divisor, inverses[plan, 1])
        rest = nanos - micros * divisor
        if rounding == CEILING:
            micros += rest > 0
        elif rounding == HALF_UP:
            micros += rest >= divisor - rest
        elif rounding == HALF_EVEN:
            micros += rest > divisor - rest or (rest == divisor - rest and micros % 2 == 1)
        charged[row] = units
        amount[row] = micros


@kernel
def measure_names(of_row: Int64s, names: Int32s, out: Int32s) -> Whole:
    """Where each row's destination begins when they stand one after the other (rows + 1 places); returns their size."""
    size = np.int64(0)
    for row in range(len(of_row)):
        which = (of_row[row] >> _NAME_AT) & _NUMBER_MASK
        out[row] = size
        size += names[which + 1] - names[which]
    out[len(of_row)] = size
    return size


@kernel
def copy_names(of_row: Int64s, names: Int32s, text: Bytes, begins: Int32s, out: Bytes) -> None:
    """Destinations to where `measure_names` put them, by words: text and out are eight bytes longer than needed."""
    for row in range(len(of_row)):
        source, target = names[(of_row[row] >> _NAME_AT) & _NUMBER_MASK], begins[row]
        for at in range(0, begins[row + 1] - target, 8):
            put_word(out, target + at, word_at(text, source + at))


@kernel
def measure_codes(of_row: Int64s, out: Int32s) -> Whole:
    """The same for each row's code."""
    size = np.int64(0)
    for row in range(len(of_row)):
        out[row] = size
        size += of_row[row] >> _CODE_AT
    out[len(of_row)] = size
    return size


@kernel
def copy_codes(offsets: Int32s, text: Bytes, begins: Int32s, out: Bytes) -> None:
    """A code is the beginning of the number that was called."""
    for row in range(len(begins) - 1):
        source, target = offsets[row], begins[row]
        length = begins[row + 1] - target
        if source + 16 <= len(text):
            for at in range(0, length, 8):
                put_word(out, target + at, word_at(text, source + at))
        else:
            for at in range(length):
                out[target + at] = text[source + at]
