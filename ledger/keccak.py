"""What is the keccak256 of this? One message, or a million rows of one length at once."""

from importlib import import_module
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from ledger.cores import in_parallel
from ledger.hash_constants import KECCAK_ROTATIONS, KECCAK_ROUNDS

lanes: ModuleType | None
"""The numba kernels; None where numba is absent: the plain forms give the same bytes."""
try:
    lanes = import_module("ledger.lanes")
except ImportError:
    lanes = None

Words = NDArray[np.uint64]
"""Rows of little-endian 64-bit words, which is how keccak sees bytes."""

_RATE = 136
_PLAIN_ROWS = 4096
_NODES_AT_ONCE = 1 << 15
"""What a core hashes in one go."""


def keccak256(message: bytes) -> bytes:
    """The 32-byte hash of one message."""
    padded = bytearray(message + bytes(_RATE - len(message) % _RATE))
    padded[len(message)] ^= 0x01
    padded[-1] ^= 0x80
    words = np.frombuffer(padded, np.uint64)
    if lanes is None:
        return _absorbed(words[None, :]).tobytes()
    out = np.empty(4, np.uint64)
    lanes.absorb(words, out)
    return out.tobytes()


def hash_rows(rows: Words, *, twice: bool = False) -> Words:
    """keccak256 of each row: (n, w) words in, (n, 4) words out; `twice` hashes the hash once more."""
    if lanes is None:
        return hash_rows_plainly(rows, twice=twice)
    out = np.empty((len(rows), 4), np.uint64)
    lanes.hash_rows(np.require(rows, np.uint64, ["C", "W"]), twice, out)
    return out


def hash_level(nodes: Words, low: int, high: int) -> None:
    """Fill nodes [low, high) of a heap of hashes with the hash of their two children, the smaller first."""
    if lanes is not None:
        kernel, begins = lanes.hash_level, range(low, high, _NODES_AT_ONCE)
        in_parallel(lambda begin: kernel(nodes, begin, min(begin + _NODES_AT_ONCE, high)), begins)
        return
    left, right = nodes[2 * low + 1 : 2 * high : 2], nodes[2 * low + 2 : 2 * high + 1 : 2]
    swap = _greater(left, right)[:, None]
    pairs = np.concatenate([np.where(swap, right, left), np.where(swap, left, right)], axis=1)
    nodes[low:high] = hash_rows_plainly(pairs)


def hash_rows_plainly(rows: Words, *, twice: bool = False) -> Words:
    """`hash_rows` in numpy alone."""
    out = np.empty((len(rows), 4), np.uint64)
    for first in range(0, len(rows), _PLAIN_ROWS):
        part = _hash_columns(rows[first : first + _PLAIN_ROWS])
        out[first : first + _PLAIN_ROWS] = _hash_columns(part) if twice else part
    return out


def _hash_columns(rows: Words) -> Words:
    words = rows.shape[1]
    padded = np.zeros((len(rows), (words // 17 + 1) * 17), np.uint64)
    padded[:, :words] = rows
    padded[:, words] ^= np.uint64(1)
    padded[:, -1] ^= np.uint64(1 << 63)
    return _absorbed(padded)


def _absorbed(padded: Words) -> Words:
    state = [np.zeros(len(padded), np.uint64) for _ in range(25)]
    for block in range(0, padded.shape[1], 17):
        for word in range(17):
            state[word] = state[word] ^ padded[:, block + word]
        state = _permuted(state)
    return np.stack(state[:4], axis=1)


def _permuted(a: list[Words]) -> list[Words]:
    for constant in KECCAK_ROUNDS:
        column = [a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20] for x in range(5)]
        theta = [column[(x + 4) % 5] ^ _turned(column[(x + 1) % 5], 1) for x in range(5)]
        moved = list(a)
        for x in range(5):
            for y in range(5):
                moved[y + 5 * ((2 * x + 3 * y) % 5)] = _turned(a[x + 5 * y] ^ theta[x], KECCAK_ROTATIONS[x][y])
        a = [
            moved[x + 5 * y] ^ (~moved[(x + 1) % 5 + 5 * y] & moved[(x + 2) % 5 + 5 * y])
            for y in range(5)
            for x in range(5)
        ]
        a[0] = a[0] ^ np.uint64(constant)
    return a


def _turned(word: Words, bits: int) -> Words:
    return word if bits == 0 else (word << np.uint64(bits)) | (word >> np.uint64(64 - bits))


def _greater(left: Words, right: Words) -> NDArray[np.bool_]:
    """Row by row: is left the larger as 32 bytes?"""
    result = np.zeros(len(left), np.bool_)
    for word in (3, 2, 1, 0):
        ours, theirs = left[:, word].byteswap(), right[:, word].byteswap()
        result = np.where(ours == theirs, result, ours > theirs)
    return result
