"""Where do the fields of each event stand in a file, and which elements were not read?

A rule names a field by its own tag and the tag it stands in; the rest of its path is free, so that a release may wrap
it anew. Every path seen is counted; those no rule names are what was not read.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gateway.formats.tap.ber import APPLICATION, MAX_DEPTH, Elements, Int32s, Int64s, Whole
from gateway.formats.tap.tree import path_of
from ledger.errors import Malformed
from ledger.kernel import kernel

EVENT_DEPTH = 2
"""Root, list, event: the same in every file we read."""
MAX_PATHS = 2_048
_BUCKETS = 8_192
BROKEN, EVENT, UNREAD, OUTSIDE = -1, 0, -2, -3
"""What an element is besides a field: damage in an event, the event itself, not read, not in the list of events."""
_EVENTS, _PATHS, _PICKS, _OUTSIDE = range(4)


class Picks(NamedTuple):
    """Fields found, in the order of the file. Event numbers count from 1."""

    event: Int64s
    slot: Int32s
    tag: Int32s
    begin: Int64s
    end: Int64s

    @classmethod
    def room(cls, size: int) -> "Picks":
        """Room for so many, to be filled."""
        wide, narrow = np.empty((3, size), np.int64), np.empty((2, size), np.int32)
        return cls(wide[0], narrow[0], narrow[1], wide[1], wide[2])

    def then(self, after: "Picks") -> "Picks":
        """These, and those of a later piece."""
        return Picks(
            np.concatenate([self.event, after.event]),
            np.concatenate([self.slot, after.slot]),
            np.concatenate([self.tag, after.tag]),
            np.concatenate([self.begin, after.begin]),
            np.concatenate([self.end, after.end]),
        )

    def take(self, rows: Int64s | slice) -> "Picks":
        """Those at some places."""
        return Picks(self.event[rows], self.slot[rows], self.tag[rows], self.begin[rows], self.end[rows])


@dataclass(frozen=True, slots=True)
class Unread:
    """Elements that no rule reads."""

    path: str
    """Tag numbers from the root: "1/3/9/138"."""
    count: int
    first_byte: int
    """Where the content of the first of them begins."""


Rules = Mapping[tuple[int, int], int]
"""Parent's (0: any) and own tag number, both of class application, to a field's slot (from 1)."""


class Picker:
    """Takes a file's elements piece by piece; what it holds does not grow with the file."""

    def __init__(self, list_number: int, rules: Rules) -> None:
        keys = [(parent | APPLICATION, own | APPLICATION, slot) for (parent, own), slot in sorted(rules.items())]
        self._rules = np.array(keys, np.int32).reshape(-1, 3)
        self._list_tag = list_number | APPLICATION
        self._state = np.zeros(4, np.int64)
        self._stack = np.zeros(MAX_DEPTH + 1, np.int32)
        self._buckets = np.full(_BUCKETS, -1, np.int32)
        self._parent, self._tag = np.full(MAX_PATHS, -1, np.int32), np.zeros(MAX_PATHS, np.int32)
        self._slot, self._first = np.zeros(MAX_PATHS, np.int32), np.zeros(MAX_PATHS, np.int64)
        self._count = np.zeros(MAX_PATHS, np.int64)

    @property
    def events(self) -> int:
        """Events begun so far."""
        return int(self._state[_EVENTS])

    def take(self, elements: Elements) -> tuple[Picks, Elements]:
        """Fields among these elements, and the elements outside the list of events. Raises Malformed."""
        size = len(elements.tag)
        picks = Picks.room(size)
        paths = (self._stack, self._buckets, self._parent, self._tag, self._slot, self._first, self._count)
        outside = np.empty(size, np.int64)
        if not pick(elements, self._list_tag, self._rules, self._state, *paths, picks, outside):
            raise Malformed("the file has too many kinds of elements", expected=f"at most {MAX_PATHS:,}", got="more")
        return picks.take(slice(self._state[_PICKS])), elements.take(outside[: self._state[_OUTSIDE]])

    def unread(self) -> tuple[Unread, ...]:
        """What no rule reads in events, by path; what stands in an element not read is its path's alone."""
        return tuple(self._unread())

    def _unread(self) -> Iterator[Unread]:
        inner = {int(self._parent[path]) for path in range(self._state[_PATHS])}
        for path in range(self._state[_PATHS]):
            if self._slot[path] == UNREAD and path not in inner:
                yield Unread(path_of(self._tags(path)), int(self._count[path]), int(self._first[path]))

    def _tags(self, path: int) -> tuple[int, ...]:
        above = int(self._parent[path])
        return (*(self._tags(above) if above >= 0 else ()), int(self._tag[path]))


@kernel
def _path_of(above: int, tag: int, state: Int64s, buckets: Int32s, parent: Int32s, tags: Int32s) -> Whole:
    """The number of a path by the one above it and its tag; a new one is the last number, -1 if there is no room."""
    mixed = (np.uint64(above + 1) * np.uint64(0x9E3779B97F4A7C15)) ^ (np.uint64(tag) * np.uint64(0xC2B2AE3D27D4EB4F))
    bucket = np.int64((mixed >> np.uint64(40)) % np.uint64(len(buckets)))
    while buckets[bucket] >= 0:
        path = np.int64(buckets[bucket])
        if parent[path] == above and tags[path] == tag:
            return path
        bucket = (bucket + 1) % len(buckets)
    if state[1] == len(parent):
        return -1
    path = np.int64(state[1])
    buckets[bucket], parent[path], tags[path] = path, above, tag
    state[1] += 1
    return path


@kernel
def _slot_of(
    path: Whole, depth: int, list_tag: int, rules: Int32s, parent: Int32s, tags: Int32s, slots: Int32s
) -> Whole:
    """What elements of a new path are."""
    if depth < 2 or parent[path] < 0:
        return OUTSIDE
    above = parent[path]
    if depth == 2:
        return EVENT if tags[above] == list_tag else OUTSIDE
    if slots[above] == OUTSIDE:
        return OUTSIDE
    for rule in range(len(rules)):
        anywhere = rules[rule, 0] == APPLICATION
        if (anywhere or rules[rule, 0] == tags[above]) and rules[rule, 1] == tags[path]:
            return np.int64(rules[rule, 2])
    return UNREAD


@kernel
def pick(
    elements: Elements,
    list_tag: int,
    rules: Int32s,
    state: Int64s,
    stack: Int32s,
    buckets: Int32s,
    parent: Int32s,
    tags: Int32s,
    slots: Int32s,
    first: Int64s,
    counts: Int64s,
    picks: Picks,
    outside: Int64s,
) -> bool:
    """The fields of events, and the places of elements outside; stack has the path of each open depth.

    False: too many paths.
    """
    picked, out = 0, 0
    for row in range(len(elements.tag)):
        tag, depth = elements.tag[row], elements.depth[row]
        if tag < 0:
            picks.event[picked], picks.slot[picked], picks.tag[picked] = state[0], BROKEN, tag
            picks.begin[picked], picks.end[picked] = elements.begin[row], elements.end[row]
            picked += 1
            continue
        known = state[1]
        path = _path_of(stack[depth - 1] if depth > 0 else -1, tag, state, buckets, parent, tags)
        if path < 0:
            return False
        if path == known and state[1] > known:
            first[path] = elements.begin[row]
            slots[path] = _slot_of(path, depth, list_tag, rules, parent, tags, slots)
        counts[path] += 1
        stack[depth] = path
        slot = slots[path]
        if slot == EVENT:
            state[0] += 1
        if slot >= 0:
            picks.event[picked], picks.slot[picked], picks.tag[picked] = state[0], slot, tag
            picks.begin[picked], picks.end[picked] = elements.begin[row], elements.end[row]
            picked += 1
        elif slot == OUTSIDE:
            outside[out] = row
            out += 1
    state[2], state[3] = picked, out
    return True
