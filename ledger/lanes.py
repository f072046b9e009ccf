"""How do many fixed-size rows get hashed at once? The numba kernels: vectors of the CPU as lanes of one hash each.

Every lane works on another row (`ledger.vectors`). The callers (`ledger.keccak`, `ledger.sealing`) have a plain form
that gives the same bytes where numba is absent.
"""

import numpy as np
from numpy.typing import NDArray

from ledger.kernel import kernel, word_at
from ledger.vectors import KECCAK_LANES, SHA256_LANES, compress_lanes, permute_lanes

Bytes = NDArray[np.uint8]
Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
Words = NDArray[np.uint64]

RATE_WORDS = 17
"""Keccak-256 takes in 136 bytes at a time."""

_PAD_FIRST = np.uint64(1)
_PAD_LAST = np.uint64(0x8000000000000000)
_ONES = np.uint64(0x0101010101010101)
_HIGHEST = np.uint64(0x8080808080808080)
_KEEP = np.array([2 ** (8 * count) - 1 for count in range(9)], np.uint64)
"""Of a word, the bytes that belong to a text of which 0 to 8 are left."""


@kernel
def permute(state: Words) -> None:
    """keccak-f[1600] over 25 rows of 8 lanes, in place; compiled once, called from everywhere."""
    permute_lanes(state)


@kernel
def compress(state: NDArray[np.uint32], block: NDArray[np.uint32]) -> None:
    """One SHA-256 compression of 16 lanes: 16 rows of block into 8 rows of state."""
    compress_lanes(state, block)


@kernel
def _absorb(state: Words, rows: Words, base: int, first_word: int, last_word: int) -> None:
    last_row = rows.shape[0] - 1
    for lane in range(KECCAK_LANES):
        row = min(base + lane, last_row)
        for word in range(first_word, last_word):
            state[word - first_word, lane] ^= rows[row, word]


@kernel
def _finish(state: Words, at: int) -> None:
    for lane in range(KECCAK_LANES):
        state[at, lane] ^= _PAD_FIRST
        state[RATE_WORDS - 1, lane] ^= _PAD_LAST
    permute(state)


@kernel
def hash_rows(rows: Words, twice: bool, out: Words) -> None:
    """keccak256 of each row (n × w little-endian words) into out (n × 4); `twice` hashes the hash again."""
    count, words = rows.shape
    state = np.empty((25, KECCAK_LANES), np.uint64)
    for base in range(0, count, KECCAK_LANES):
        state[:] = 0
        done = 0
        while words - done >= RATE_WORDS:
            _absorb(state, rows, base, done, done + RATE_WORDS)
            permute(state)
            done += RATE_WORDS
        _absorb(state, rows, base, done, words)
        _finish(state, words - done)
        if twice:
            state[4:] = 0
            _finish(state, 4)
        for lane in range(min(KECCAK_LANES, count - base)):
            for word in range(4):
                out[base + lane, word] = state[word, lane]


@kernel
def absorb(padded: Words, out: Words) -> None:
    """keccak256 of one message already padded to whole blocks of 17 words, into out (4 words)."""
    state = np.zeros((25, KECCAK_LANES), np.uint64)
    for block in range(0, len(padded), RATE_WORDS):
        for word in range(RATE_WORDS):
            state[word, 0] ^= padded[block + word]
        permute(state)
    for word in range(4):
        out[word] = state[word, 0]


@kernel
def _swap(word: np.uint64) -> np.uint64:
    x = word
    x = ((x & np.uint64(0x00FF00FF00FF00FF)) << np.uint64(8)) | ((x >> np.uint64(8)) & np.uint64(0x00FF00FF00FF00FF))
    x = ((x & np.uint64(0x0000FFFF0000FFFF)) << np.uint64(16)) | ((x >> np.uint64(16)) & np.uint64(0x0000FFFF0000FFFF))
    return (x << np.uint64(32)) | (x >> np.uint64(32))


@kernel
def _greater(nodes: Words, left: int, right: int) -> bool:
    """Is node left the greater one as 32 bytes? Random hashes nearly always differ in their first word."""
    for word in range(4):
        if nodes[left, word] != nodes[right, word]:
            return bool(_swap(nodes[left, word]) > _swap(nodes[right, word]))
    return False


@kernel
def hash_level(nodes: Words, low: int, high: int) -> None:
    """Fill nodes [low, high) of a heap with the hash of their two children, the smaller child first.

    Which child is smaller is a toss-up that no branch predictor foresees, so both are written through a mask.
    """
    state = np.empty((25, KECCAK_LANES), np.uint64)
    for base in range(low, high, KECCAK_LANES):
        state[8:] = 0
        for lane in range(KECCAK_LANES):
            node = min(base + lane, high - 1)
            left, right = 2 * node + 1, 2 * node + 2
            other = np.uint64(0) - np.uint64(_greater(nodes, left, right))
            for word in range(4):
                ours, theirs = nodes[left, word], nodes[right, word]
                change = (ours ^ theirs) & other
                state[word, lane] = ours ^ change
                state[4 + word, lane] = theirs ^ change
        _finish(state, 8)
        for lane in range(min(KECCAK_LANES, high - base)):
            for word in range(4):
                nodes[base + lane, word] = state[word, lane]


@kernel
def hmac_of_indices(inner: NDArray[np.uint32], outer: NDArray[np.uint32], first: int, out: Words, column: int) -> None:
    """HMAC-SHA256 of each index from `first` on, as 8 bytes big-endian, into words [column, column + 4) of out's rows.

    `inner` and `outer` (8 words) are the SHA-256 states after the key's two padded blocks, so that two compressions a
    row remain.
    """
    count = out.shape[0]
    state = np.empty((8, SHA256_LANES), np.uint32)
    block = np.empty((16, SHA256_LANES), np.uint32)
    for base in range(0, count, SHA256_LANES):
        block[:] = 0
        for lane in range(SHA256_LANES):
            index = np.uint64(first + base + lane)
            block[0, lane] = np.uint32(index >> np.uint64(32))
            block[1, lane] = np.uint32(index & np.uint64(0xFFFFFFFF))
            block[2, lane] = np.uint32(0x80000000)
            block[15, lane] = np.uint32(8 * (64 + 8))
            for word in range(8):
                state[word, lane] = inner[word]
        compress(state, block)
        block[:] = 0
        for lane in range(SHA256_LANES):
            for word in range(8):
                block[word, lane] = state[word, lane]
                state[word, lane] = outer[word]
            block[8, lane] = np.uint32(0x80000000)
            block[15, lane] = np.uint32(8 * (64 + 32))
        compress(state, block)
        for lane in range(min(SHA256_LANES, count - base)):
            for word in range(4):
                high, low = np.uint64(state[2 * word, lane]), np.uint64(state[2 * word + 1, lane])
                out[base + lane, column + word] = _swap((high << np.uint64(32)) | low)


@kernel
def _text_word(text: Bytes, at: int, left: int) -> np.uint64:
    """The next at most eight of `left` bytes, zeros behind them."""
    if left <= 0:
        return np.uint64(0)
    if at + 8 <= len(text):
        return np.uint64(word_at(text, at) & _KEEP[min(left, 8)])
    word = np.uint64(0)
    for byte in range(min(left, 8)):
        word |= np.uint64(text[at + byte]) << np.uint64(8 * byte)
    return word


@kernel
def _put_text(offsets: Int32s, text: Bytes, row: int, state: Words, at: int, lane: int) -> np.uint64:
    """Add a text, left-aligned in 32 bytes, to words [at, at + 4); not 0 if it is longer, or not ASCII without NUL."""
    begin, length = offsets[row], offsets[row + 1] - offsets[row]
    wrong = np.uint64(length > 32)
    for word in range(4):
        value = _text_word(text, begin + 8 * word, length - 8 * word)
        filled = value | (_ONES & ~_KEEP[min(max(length - 8 * word, 0), 8)])
        wrong |= (value | ((filled - _ONES) & ~filled)) & _HIGHEST
        state[at + word, lane] ^= value
    return wrong


@kernel
def hash_leaves(
    inner: NDArray[np.uint32],
    outer: NDArray[np.uint32],
    a_offsets: Int32s,
    a_text: Bytes,
    b_offsets: Int32s,
    b_text: Bytes,
    start_ms: Int64s,
    quantity: Int64s,
    route_offsets: Int32s,
    route_text: Bytes,
    amount_micros: Int64s,
    first: int,
    out: Words,
) -> bool:
    """Leaf hashes of the columns' rows into out (n × 4); False if a text does not fit a leaf. first: index of row 0.

    A leaf's 32 words go straight into the state that takes them in (17, then 15 of them and the padding), salts by
    `hmac_of_indices`; numbers are >= 0.
    """
    state = np.empty((25, KECCAK_LANES), np.uint64)
    salted = np.empty((SHA256_LANES, 4), np.uint64)
    wrong = np.uint64(0)
    for base in range(0, len(out), KECCAK_LANES):
        half = base % SHA256_LANES
        if half == 0:
            hmac_of_indices(inner, outer, first + base, salted, 0)
        state[:] = 0
        for lane in range(KECCAK_LANES):
            row = min(base + lane, len(out) - 1)
            state[3, lane] = _swap(np.uint64(first + row))
            for word in range(4):
                state[4 + word, lane] = salted[half + lane, word]
            wrong |= _put_text(a_offsets, a_text, row, state, 8, lane)
            wrong |= _put_text(b_offsets, b_text, row, state, 12, lane)
        permute(state)
        for lane in range(KECCAK_LANES):
            row = min(base + lane, len(out) - 1)
            state[19 - RATE_WORDS, lane] ^= _swap(np.uint64(start_ms[row]))
            state[23 - RATE_WORDS, lane] ^= _swap(np.uint64(quantity[row]))
            wrong |= _put_text(route_offsets, route_text, row, state, 24 - RATE_WORDS, lane)
            state[31 - RATE_WORDS, lane] ^= _swap(np.uint64(amount_micros[row]))
        _finish(state, 32 - RATE_WORDS)
        state[4:] = 0
        _finish(state, 4)
        for lane in range(min(KECCAK_LANES, len(out) - base)):
            for word in range(4):
                out[base + lane, word] = state[word, lane]
    return bool(wrong == 0)
