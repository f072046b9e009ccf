"""Which records could be the same event? Those with one key: a keyed hash of calling and called number."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ledger.kernel import kernel
from ledger.pieces import text_parts

Words = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]

SEED = 0x243F6A8885A308D3
"""Digits of pi: a key nobody chose. Give another to keep hashes unpredictable for whoever writes the numbers."""


def text_hashes(column: pa.ChunkedArray, seed: int = SEED) -> Words:
    """A 64-bit keyed hash of each text, read straight from the Arrow buffers."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks)
    return _hash_texts(*text_parts(array), np.uint64(seed))


def pair_hashes(a_hash: Words, b_hash: Words) -> Words:
    """The key of each record: one hash from those of its two numbers, where (A, B) is not (B, A)."""
    return mixed(a_hash * np.uint64(0x9E3779B97F4A7C15) + b_hash)


def mixed(words: Words) -> Words:
    """Scatter each word over all 64 bits (the finaliser of splitmix64)."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


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
