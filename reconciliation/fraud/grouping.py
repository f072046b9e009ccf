"""Which records belong together? Sorts once, then counts and sums each group without a loop over records."""

from dataclasses import dataclass

import numpy as np

from reconciliation.matching.keys import mixed
from reconciliation.matching.side import Flags, Ints


@dataclass(frozen=True, slots=True)
class Groups:
    """Rows by a key, ascending; groups are numbered from 0."""

    order: Ints
    """Rows, those of one group beside each other."""
    starts: Ints
    """Where each group begins in `order`."""
    keys: Ints
    """The key of each group."""
    of: Ints
    """The group of each row."""

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def sizes(self) -> Ints:
        return np.diff(np.append(self.starts, len(self.order)))

    def sums(self, values: Ints) -> Ints:
        """The sum of a column over each group; the caller knows that it fits 63 bits."""
        return np.add.reduceat(values[self.order], self.starts) if len(self) else self.starts

    def least(self, values: Ints) -> Ints:
        return np.minimum.reduceat(values[self.order], self.starts) if len(self) else self.starts

    def most(self, values: Ints) -> Ints:
        return np.maximum.reduceat(values[self.order], self.starts) if len(self) else self.starts

    def distinct(self, values: Ints) -> Ints:
        """How many different values of a column each group has."""
        order = np.lexsort((values, self.of))
        of, ordered = self.of[order], values[order]
        new = np.ones(len(order), np.bool_)
        new[1:] = (of[1:] != of[:-1]) | (ordered[1:] != ordered[:-1])
        return np.bincount(of[new], minlength=len(self))

    def rows(self, group: int) -> Ints:
        """The rows of one group."""
        ends = np.append(self.starts, len(self.order))
        return self.order[ends[group] : ends[group + 1]]


def grouped(keys: Ints) -> Groups:
    """Rows by their key; within a group they keep their order."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    new = np.ones(len(order), np.bool_)
    new[1:] = ordered[1:] != ordered[:-1]
    starts = np.flatnonzero(new)
    of = np.empty(len(order), np.int64)
    of[order] = np.cumsum(new) - 1
    return Groups(order, starts, ordered[starts], of)


def pairs(one: Ints, other: Ints) -> Ints:
    """One key for two columns: equal for equal pairs, and (but for one chance in 2^64) only for them."""
    words = one.view(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return mixed(mixed(words) + other.view(np.uint64)).view(np.int64)


def within(of: Ints, at_ms: Ints, amounts: Ints, span_ms: int) -> Ints:
    """For each row the sum of `amounts` over the rows of its group in the `span_ms` that end with it."""
    order = np.lexsort((at_ms, of))
    moments = _moments(of[order], at_ms[order] - at_ms.min(initial=0), span_ms)
    first = np.searchsorted(moments, moments - span_ms, side="right")
    sums = np.concatenate([[0], np.cumsum(amounts[order])])
    found = np.empty(len(order), np.int64)
    found[order] = sums[1:] - sums[first]
    return found


def reached(of: Ints, at_ms: Ints, flags: Flags, span_ms: int) -> Flags:
    """Which rows lie in the `span_ms` before a flagged row of their group, or are one."""
    order = np.lexsort((at_ms, of))
    moments = _moments(of[order], at_ms[order] - at_ms.min(initial=0), span_ms)
    chosen = np.flatnonzero(flags[order])
    first = np.searchsorted(moments, moments[chosen] - span_ms, side="right")
    depth = np.zeros(len(order) + 1, np.int64)
    np.add.at(depth, first, 1)
    np.add.at(depth, chosen + 1, -1)
    found = np.zeros(len(order), np.bool_)
    found[order] = np.cumsum(depth[:-1]) > 0
    return found


def _moments(of: Ints, since_ms: Ints, span_ms: int) -> Ints:
    """Ascending moments in which groups lie further apart than the span."""
    width = int(since_ms.max(initial=0)) + span_ms + 1
    return of * width + since_ms
