"""Which records could be the same event? Those with one key: a keyed hash of calling and called number."""

from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ledger.kernel import are_digits, eight_digits, kernel, word_at
from ledger.pieces import text_parts

Words = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]
Places = npt.NDArray[np.int32]
Octets = npt.NDArray[np.uint8]

LAST_DIGITS = 8
"""Of a called number as they are: two that share so many may be one number, written in two ways."""
SUFFIX_BITS = 7
"""The last two digits."""
DIGITS_BITS = 27
"""All of them: a number below 10^6, and the last two."""
_BLOCKS = 10**6
_SPARE = 0x7FFF
"""A block beyond is of no digits: so many bits of the hash tell those apart."""
SEED = 0x243F6A8885A308D3
"""Digits of pi: a key nobody chose. Give another to keep hashes unpredictable for whoever writes the numbers."""


def text_hashes(column: pa.ChunkedArray, seed: int = SEED) -> Words:
    """A 64-bit keyed hash of each text, read straight from the Arrow buffers."""
    return _hash_texts(*_parts(column), np.uint64(seed))


def party_hashes(column: pa.ChunkedArray | pa.Array) -> Words:
    """A 64-bit hash of each number or name."""
    return _hash_numbers(*_parts(column), np.uint64(SEED), False)


def called_hashes(column: pa.ChunkedArray | pa.Array) -> Words:
    """A 64-bit hash of each called number, in which its last digits can be read (`last_digits`).

    Without the lower SUFFIX_BITS it is a hash of the number's block of 100.
    """
    return _hash_numbers(*_parts(column), np.uint64(SEED), True)


@cache
def withheld_hash() -> np.uint64:
    """What `party_hashes` makes of a calling number that is not told."""
    hashed: np.uint64 = party_hashes(pa.array([""], pa.string()))[0]
    return hashed


def last_digits(called: Words) -> Ints:
    """The LAST_DIGITS of each number of `called_hashes`; -1 if it is shorter, or ends in something else."""
    blocks = (called >> np.uint64(SUFFIX_BITS)) & np.uint64((1 << (DIGITS_BITS - SUFFIX_BITS)) - 1)
    last_two = called & np.uint64((1 << SUFFIX_BITS) - 1)
    return np.where(blocks < _BLOCKS, blocks * np.uint64(100) + last_two, np.uint64(2**64 - 1)).view(np.int64)


def pair_hashes(a_hash: Words, b_hash: Words) -> Words:
    """The key of each record: one hash from those of its two numbers, where (A, B) is not (B, A)."""
    return mixed(a_hash * np.uint64(0x9E3779B97F4A7C15) + b_hash)


def mixed(words: Words) -> Words:
    """Scatter each word over all 64 bits (the finaliser of splitmix64)."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def among(column: Words | Ints, values: Words | Ints) -> npt.NDArray[np.bool_]:
    """Which are one of the values (ascending)."""
    if len(values) == 0:
        return np.zeros(len(column), np.bool_)
    at = np.minimum(np.searchsorted(values, column), len(values) - 1)
    found: npt.NDArray[np.bool_] = values[at] == column
    return found


def sorted_words(hashes: Words, row_bits: int) -> tuple[Ints, Ints]:
    """Keys in ascending order and the rows they belong to.

    A sort word holds the hash's upper bits and the row, so that a plain sort does an argsort's work.
    """
    rows_mask = np.uint64((1 << row_bits) - 1)
    words = (hashes & ~rows_mask) | np.arange(len(hashes), dtype=np.uint64)
    words.sort()
    return (words >> np.uint64(row_bits)).astype(np.int64), (words & rows_mask).astype(np.int64)


def row_bits(*lengths: int) -> int:
    """Bits that hold any row of tables with these lengths; keys of two sides compare only under the same number."""
    return max(1, max(lengths).bit_length())


def _parts(column: pa.ChunkedArray | pa.Array) -> tuple[Places, Octets]:
    if isinstance(column, pa.Array):
        return text_parts(column)
    if column.num_chunks == 1:
        return text_parts(column.chunk(0))  # joining chunks would copy this one
    joined = column.combine_chunks()
    return text_parts(pa.concat_arrays(joined.chunks) if isinstance(joined, pa.ChunkedArray) else joined)


@kernel
def _hash_texts(offsets: npt.NDArray[np.int32], octets: npt.NDArray[np.uint8], seed: np.uint64) -> Words:
    hashes = np.empty(len(offsets) - 1, np.uint64)
    for k in range(len(hashes)):
        word = seed
        for at in range(offsets[k], offsets[k + 1]):
            word = (word ^ np.uint64(octets[at])) * np.uint64(0x100000001B3)
            word ^= word >> np.uint64(29)
        word *= np.uint64(0xBF58476D1CE4E5B9)
        hashes[k] = word ^ (word >> np.uint64(31))
    return hashes


@kernel
def _hash_numbers(offsets: Places, octets: Octets, seed: np.uint64, with_digits: bool) -> Words:
    """Eight octets at a time; the length goes in, too, so that zeros at the end count.

    With digits: the upper bits are of what comes before the last digits and the lower ones are these; where a number
    does not end in so many, the lower bits say so, and its last two if these are digits. All in one loop: to pass the
    octets to another would take longer than to hash them.
    """
    hashes = np.empty(len(offsets) - 1, np.uint64)
    high = ~((np.uint64(1) << np.uint64(DIGITS_BITS)) - np.uint64(1))
    for k in range(len(hashes)):
        at = np.int64(offsets[k])
        end = np.int64(offsets[k + 1])
        cut = end
        block = np.uint64(_BLOCKS)
        last_two = np.uint64((1 << SUFFIX_BITS) - 1)
        if with_digits:
            last = word_at(octets, end - 8) if end - at >= 8 else np.uint64(0)
            if are_digits(last):
                cut = end - 8
                number = np.uint64(eight_digits(last))
                block = number // np.uint64(100)
                last_two = number % np.uint64(100)
            elif end - at >= 2 and 48 <= octets[end - 2] <= 57 and 48 <= octets[end - 1] <= 57:
                cut = end - 2
                last_two = np.uint64(octets[cut] - 48) * np.uint64(10) + np.uint64(octets[cut + 1] - 48)
        word = seed ^ np.uint64(end - at)
        while at + 8 <= cut:
            word = (word ^ word_at(octets, at)) * np.uint64(0x9E3779B97F4A7C15)
            word ^= word >> np.uint64(32)
            at += 8
        tail = np.uint64(0)
        if at + 8 <= len(octets):
            if at < cut:
                tail = word_at(octets, at) & ((np.uint64(1) << np.uint64(8 * (cut - at))) - np.uint64(1))
        else:
            for place in range(at, cut):
                tail |= np.uint64(octets[place]) << np.uint64(8 * (place - at))
        word = (word ^ tail) * np.uint64(0xBF58476D1CE4E5B9)
        word = (word ^ (word >> np.uint64(29))) * np.uint64(0x94D049BB133111EB)
        word ^= word >> np.uint64(32)
        if with_digits:
            if block == np.uint64(_BLOCKS):
                block += word & np.uint64(_SPARE)
            word = (word & high) | (block << np.uint64(SUFFIX_BITS)) | last_two
        hashes[k] = word
    return hashes
