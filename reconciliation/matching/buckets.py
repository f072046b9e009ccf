"""How does a month fit a cache? Its keys are cut into buckets, each matched alone: no key lies in two."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from reconciliation.matching.side import Flags, Ints, Words

BUCKET_ROWS = 1 << 16
"""About as many records of one side are in a bucket: their columns fit the cache of a core."""
_MOST_BITS = 16
_FILTER_BITS = 20


class Bucket(NamedTuple):
    """Rows of both sides whose keys begin alike, ascending."""

    ours: Ints
    theirs: Ints


def buckets_of(ours: Words, theirs: Words, bucket_rows: int = BUCKET_ROWS) -> Iterator[Bucket]:
    """Cut both sides' rows by the first bits of their keys; the whole is one bucket if it is small."""
    pieces = max(1, -(-max(len(ours), len(theirs)) // bucket_rows))
    bits = min(_MOST_BITS, (pieces - 1).bit_length())
    (our_rows, our_ends), (their_rows, their_ends) = _in_buckets(ours, bits), _in_buckets(theirs, bits)
    for at in range(1 << bits):
        yield Bucket(our_rows[our_ends[at] : our_ends[at + 1]], their_rows[their_ends[at] : their_ends[at + 1]])


def with_key_of(keys: Words, some: Ints) -> Ints:
    """Rows whose key may be that of one of `some` rows: all that are, and a few by chance."""
    wanted = np.zeros(1 << _FILTER_BITS, np.bool_)
    shift = np.uint64(64 - _FILTER_BITS)
    wanted[keys[some] >> shift] = True
    chosen: Flags = wanted[keys >> shift]
    return np.flatnonzero(chosen)


def _in_buckets(keys: Words, bits: int) -> tuple[Ints, Ints]:
    """Rows in order of bucket, and where each bucket begins and the last ends."""
    if bits == 0:
        return np.arange(len(keys)), np.array([0, len(keys)])
    bucket = (keys >> np.uint64(64 - bits)).astype(np.uint16)
    counts = np.bincount(bucket, minlength=1 << bits)
    return np.argsort(bucket, kind="stable"), np.concatenate([[0], np.cumsum(counts)])
