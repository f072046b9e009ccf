"""Which elements does a BER file hold, in order, and where does the content of each begin and end?

ITU-T X.690: definite and indefinite lengths, tags of several bytes. The file stays mapped, elements come in pieces of a
fixed size, and nesting is bounded: memory does not grow with the file, whatever the file says.
"""

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ledger.errors import Malformed
from ledger.kernel import kernel

Bytes = NDArray[np.uint8]
Int64s = NDArray[np.int64]
Int32s = NDArray[np.int32]
Whole: TypeAlias = int | np.int64

MAX_DEPTH = 48
"""Elements in elements; TAP nests about a dozen."""
MAX_TAG_BYTES = 4
"""After the first; numbers stay below 2^28."""
ROOM = 65_536
"""Elements in a piece."""

GOOD, DONE, TRUNCATED, OVERRUN, LONG_TAG, LONG_LENGTH, PRIMITIVE_INDEFINITE, NO_END, STRAY_END, DEEP = range(10)
"""What came of reading an element."""

PROBLEMS = {
    TRUNCATED: "the file ends inside an element",
    OVERRUN: "an element runs past the end of the one it is in",
    LONG_TAG: f"a tag of more than {MAX_TAG_BYTES + 1} bytes",
    LONG_LENGTH: "a length of more than 8 bytes",
    PRIMITIVE_INDEFINITE: "an element without elements has no length",
    NO_END: "an element of indefinite length has no end",
    STRAY_END: "an end of contents where nothing is open",
    DEEP: f"elements nest deeper than {MAX_DEPTH}",
}

APPLICATION = 1 << 28
"""The class of all TAP tags; a tag is its class (two bits) and its number (28 bits)."""
_POSITION, _LEVEL, _PROBLEM, _ROOTS = range(4)
_INDEFINITE = -1


class Elements(NamedTuple):
    """Elements in the order of the file, each before the ones in it. Good until the next piece is asked for.

    A tag below 0 stands for what could not be read: minus the problem, at `begin`; the reading goes on after the
    guarded element.
    """

    tag: Int32s
    constructed: NDArray[np.bool_]
    """Whether it holds elements, or bytes."""
    depth: Int32s
    """How many elements it is in."""
    begin: Int64s
    end: Int64s
    """Of its content; -1 if its length is indefinite."""

    def then(self, after: "Elements") -> "Elements":
        """These, and those of a later piece."""
        return Elements(
            np.concatenate([self.tag, after.tag]),
            np.concatenate([self.constructed, after.constructed]),
            np.concatenate([self.depth, after.depth]),
            np.concatenate([self.begin, after.begin]),
            np.concatenate([self.end, after.end]),
        )

    def take(self, rows: Int64s) -> "Elements":
        """Those at some places."""
        return Elements(self.tag[rows], self.constructed[rows], self.depth[rows], self.begin[rows], self.end[rows])


def bytes_of(path: Path) -> Bytes:
    """A file's bytes, mapped and not read. Raises Malformed."""
    try:
        with path.open("rb") as file:
            return np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)
    except (OSError, ValueError) as error:
        raise Malformed("the file cannot be read", expected="a readable file", got=str(error)) from None


def walk(data: Bytes, *, guard: int = MAX_DEPTH, room: int = ROOM) -> Iterator[Elements]:
    """The elements of a file with one root, in pieces of at most `room`; only zeros may follow the root.

    Damage inside an element of depth `guard` and definite length costs that element only. Raises Malformed.
    """
    state = np.zeros(4, np.int64)
    ends, limits = np.zeros(MAX_DEPTH + 1, np.int64), np.full(MAX_DEPTH + 1, len(data), np.int64)
    tag, depth = np.empty(room, np.int32), np.empty(room, np.int32)
    constructed, begin, end = np.empty(room, np.bool_), np.empty(room, np.int64), np.empty(room, np.int64)
    while state[_PROBLEM] == GOOD:
        count = scan(data, state, ends, limits, guard, tag, constructed, depth, begin, end)
        if count:
            yield Elements(tag[:count], constructed[:count], depth[:count], begin[:count], end[:count])
    position, problem = int(state[_POSITION]), int(state[_PROBLEM])
    if problem != DONE:
        raise Malformed(PROBLEMS[problem], expected="BER as in ITU-T X.690", got=f"byte {position} of {len(data)}")
    if data[position:].any():
        raise Malformed("bytes follow the file's one element", expected="the end", got=f"byte {position} on")


@kernel
def _head(text: Bytes, at: Whole, limit: int, head: Int64s) -> int:
    """Tag, whether constructed, length (-1: indefinite) and begin of the content of the element at `at`."""
    if at >= limit:
        return OVERRUN
    first = np.int64(text[at])
    at += 1
    number = first & 31
    if number == 31:
        number = np.int64(0)
        for place in range(MAX_TAG_BYTES + 1):
            if place == MAX_TAG_BYTES:
                return LONG_TAG
            if at >= limit:
                return OVERRUN
            byte = np.int64(text[at])
            at += 1
            number = (number << 7) | (byte & 127)
            if byte < 128:
                break
    if at >= limit:
        return OVERRUN
    length = np.int64(text[at])
    at += 1
    if length == 128:
        if not first & 32:
            return PRIMITIVE_INDEFINITE
        length = np.int64(_INDEFINITE)
    elif length > 128:
        width = length & 127
        if width > 8:
            return LONG_LENGTH
        if at + width > limit:
            return OVERRUN
        length = np.int64(0)
        for place in range(width):
            if length >> 47:
                return OVERRUN
            length = (length << 8) | np.int64(text[at + place])
        at += width
    if length > limit - at:
        return OVERRUN
    head[0] = ((first >> 6) << 28) | number
    head[1] = first & 32
    head[2] = length
    head[3] = at
    return GOOD


@kernel
def scan(
    text: Bytes,
    state: Int64s,
    ends: Int64s,
    limits: Int64s,
    guard: int,
    tag: Int32s,
    constructed: NDArray[np.bool_],
    depth: Int32s,
    begin: Int64s,
    end: Int64s,
) -> int:
    """Elements from where `state` stands, until the arrays are full, the file is done or something is wrong."""
    position, level, roots = state[0], state[1], state[3]
    head = np.empty(4, np.int64)
    count, problem = 0, GOOD
    while count < len(tag):
        while level > 0 and position == ends[level]:
            level -= 1
        if level == 0 and roots == 1:
            problem = DONE
            break
        limit = limits[level]
        if position == limit and level > 0:
            problem = NO_END
        elif position + 1 < limit and text[position] == 0:
            problem = GOOD if text[position + 1] == 0 and level > 0 and ends[level] == _INDEFINITE else STRAY_END
            if problem == GOOD:
                level -= 1
                position += 2
                continue
        else:
            problem = _head(text, position, limit, head)
        if problem == GOOD and head[1] and level == MAX_DEPTH:
            problem = DEEP
        if problem != GOOD:
            if level > guard and ends[guard + 1] != _INDEFINITE:
                tag[count], constructed[count], depth[count] = -problem, False, guard + 1
                begin[count], end[count] = position, position
                count += 1
                level = np.int64(guard)
                position = ends[guard + 1]
                problem = GOOD
                continue
            break
        length, content = head[2], head[3]
        tag[count], constructed[count], depth[count] = head[0], head[1] != 0, level
        begin[count], end[count] = content, -1 if length == _INDEFINITE else content + length
        if level == 0:
            roots = np.int64(1)
        if head[1]:
            level += 1
            ends[level] = end[count]
            limits[level] = limit if length == _INDEFINITE else content + length
            position = content
        else:
            position = content + length
        count += 1
    if problem == OVERRUN and (ends[1 : level + 1] == _INDEFINITE).all():
        problem = TRUNCATED
    state[0], state[1], state[2], state[3] = position, level, problem, roots
    return count
