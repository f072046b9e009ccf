"""How do many fixed-size rows get hashed at once? The numba kernels: vectors of the CPU as lanes of one hash each.

Every lane works on another row, so one instruction advances eight keccak states or sixteen SHA-256 states. The callers
(`ledger.keccak`, `ledger.sealing`) have a plain form that gives the same bytes where numba is absent.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from ledger.hash_constants import KECCAK_ROTATIONS, KECCAK_ROUNDS, SHA256_ROUNDS
from ledger.kernel import kernel

Words = NDArray[np.uint64]

KECCAK_LANES = 8
SHA256_LANES = 16
RATE_WORDS = 17
"""Keccak-256 takes in 136 bytes at a time."""

_PAD_FIRST = np.uint64(1)
_PAD_LAST = np.uint64(0x8000000000000000)
_I32 = ir.IntType(32)
_I64 = ir.IntType(64)


class _Lanes:
    """Vectors of `count` integers of one width, with the few operations a hash needs."""

    def __init__(self, builder: Any, width: int, count: int) -> None:
        self.builder, self.width, self.count = builder, width, count
        self.element = ir.IntType(width)
        self.vector = ir.VectorType(self.element, count)

    def constant(self, value: int) -> Any:
        return ir.Constant(self.vector, [value] * self.count)

    def pointer(self, array: Any) -> Any:
        return self.builder.bitcast(array.data, self.vector.as_pointer())

    def load(self, pointer: Any, index: int) -> Any:
        row = self.builder.gep(pointer, [ir.Constant(_I64, index)], source_etype=self.vector)
        return self.builder.load(row, align=self.width // 8, typ=self.vector)

    def store(self, value: Any, pointer: Any, index: int) -> None:
        row = self.builder.gep(pointer, [ir.Constant(_I64, index)], source_etype=self.vector)
        self.builder.store(value, row, align=self.width // 8)

    def splat(self, scalar: Any) -> Any:
        first = self.builder.insert_element(ir.Constant(self.vector, ir.Undefined), scalar, ir.Constant(_I32, 0))
        everywhere = ir.Constant(ir.VectorType(_I32, self.count), [0] * self.count)
        return self.builder.shuffle_vector(first, ir.Constant(self.vector, ir.Undefined), everywhere)

    def rotate_left(self, value: Any, bits: int) -> Any:
        if bits % self.width == 0:
            return value
        up = self.builder.shl(value, self.constant(bits % self.width))
        return self.builder.or_(up, self.builder.lshr(value, self.constant(self.width - bits % self.width)))

    def xor(self, *values: Any) -> Any:
        result = values[0]
        for value in values[1:]:
            result = self.builder.xor(result, value)
        return result

    def add(self, *values: Any) -> Any:
        result = values[0]
        for value in values[1:]:
            result = self.builder.add(result, value)
        return result


def _keccak_round(lanes: _Lanes, a: Sequence[Any], constant: Any) -> list[Any]:
    """One round of keccak-f[1600] (FIPS 202, section 3.2); word (x, y) stands at x + 5 y."""
    builder = lanes.builder
    column = [lanes.xor(a[x], a[x + 5], a[x + 10], a[x + 15], a[x + 20]) for x in range(5)]
    theta = [lanes.xor(column[(x + 4) % 5], lanes.rotate_left(column[(x + 1) % 5], 1)) for x in range(5)]
    moved: list[Any] = [None] * 25
    for x in range(5):
        for y in range(5):
            turned = lanes.rotate_left(lanes.xor(a[x + 5 * y], theta[x]), KECCAK_ROTATIONS[x][y])
            moved[y + 5 * ((2 * x + 3 * y) % 5)] = turned
    out = []
    for y in range(5):
        for x in range(5):
            other = builder.and_(builder.not_(moved[(x + 1) % 5 + 5 * y]), moved[(x + 2) % 5 + 5 * y])
            out.append(lanes.xor(moved[x + 5 * y], other))
    out[0] = lanes.xor(out[0], lanes.splat(constant))
    return out


def _permute(typing_context: Any, state: Any) -> Any:
    """keccak-f[1600] over a state of 25 rows of 8 lanes, in place."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lanes = _Lanes(builder, 64, KECCAK_LANES)
        pointer = lanes.pointer(context.make_array(signature.args[0])(context, builder, arguments[0]))
        cells: Any = cgutils
        words = [cells.alloca_once(builder, lanes.vector) for _ in range(25)]
        for index, word in enumerate(words):
            builder.store(lanes.load(pointer, index), word)
        table_type = ir.ArrayType(_I64, len(KECCAK_ROUNDS))
        constants = ir.Constant(table_type, [ir.Constant(_I64, constant) for constant in KECCAK_ROUNDS])
        table = cells.global_constant(builder, "keccak_rounds", constants)
        with cells.for_range(builder, ir.Constant(_I64, len(KECCAK_ROUNDS))) as loop:
            place = builder.gep(table, [ir.Constant(_I64, 0), loop.index], source_etype=table_type)
            before = [builder.load(word, typ=lanes.vector) for word in words]
            for word, value in zip(words, _keccak_round(lanes, before, builder.load(place, typ=_I64)), strict=True):
                builder.store(value, word)
        for index, word in enumerate(words):
            lanes.store(builder.load(word, typ=lanes.vector), pointer, index)
        return context.get_dummy_value()

    return types.void(state), generate


_permute_inline: Any = intrinsic(_permute)


def _compress(typing_context: Any, state: Any, block: Any) -> Any:
    """One SHA-256 compression (FIPS 180-4, section 6.2.2) of 16 lanes: 16 rows of block into 8 rows of state."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lanes = _Lanes(builder, 32, SHA256_LANES)
        held = lanes.pointer(context.make_array(signature.args[0])(context, builder, arguments[0]))
        taken = lanes.pointer(context.make_array(signature.args[1])(context, builder, arguments[1]))
        before = [lanes.load(held, index) for index in range(8)]
        after = _sha256_rounds(lanes, before, [lanes.load(taken, index) for index in range(16)])
        for index in range(8):
            lanes.store(lanes.add(before[index], after[index]), held, index)
        return context.get_dummy_value()

    return types.void(state, block), generate


_compress_inline: Any = intrinsic(_compress)


def _sha256_rounds(lanes: _Lanes, state: Sequence[Any], schedule: list[Any]) -> list[Any]:
    builder = lanes.builder

    def right(value: Any, *turns: int) -> Any:
        return lanes.xor(*(lanes.rotate_left(value, 32 - turn) for turn in turns))

    for t in range(16, 64):
        early, late = schedule[t - 15], schedule[t - 2]
        small0 = lanes.xor(right(early, 7, 18), builder.lshr(early, lanes.constant(3)))
        small1 = lanes.xor(right(late, 17, 19), builder.lshr(late, lanes.constant(10)))
        schedule.append(lanes.add(schedule[t - 16], small0, schedule[t - 7], small1))
    a, b, c, d, e, f, g, h = state
    for t in range(64):
        choose = lanes.xor(g, builder.and_(e, lanes.xor(f, g)))
        majority = builder.or_(builder.and_(a, b), builder.and_(c, builder.or_(a, b)))
        first = lanes.add(h, right(e, 6, 11, 25), choose, lanes.constant(SHA256_ROUNDS[t]), schedule[t])
        second = lanes.add(right(a, 2, 13, 22), majority)
        a, b, c, d, e, f, g, h = lanes.add(first, second), a, b, c, lanes.add(d, first), e, f, g
    return [a, b, c, d, e, f, g, h]


@kernel
def permute(state: Words) -> None:
    """keccak-f[1600] over 25 rows of 8 lanes, in place; compiled once, called from everywhere."""
    _permute_inline(state)


@kernel
def compress(state: NDArray[np.uint32], block: NDArray[np.uint32]) -> None:
    """One SHA-256 compression of 16 lanes: 16 rows of block into 8 rows of state."""
    _compress_inline(state, block)


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
def _not_after(nodes: Words, left: int, right: int) -> bool:
    for word in range(4):
        if nodes[left, word] != nodes[right, word]:
            return bool(_swap(nodes[left, word]) < _swap(nodes[right, word]))
    return True


@kernel
def hash_level(nodes: Words, low: int, high: int) -> None:
    """Fill nodes [low, high) of a heap with the hash of their two children, the smaller child first."""
    state = np.empty((25, KECCAK_LANES), np.uint64)
    for base in range(low, high, KECCAK_LANES):
        state[:] = 0
        for lane in range(KECCAK_LANES):
            node = min(base + lane, high - 1)
            left, right = 2 * node + 1, 2 * node + 2
            if not _not_after(nodes, left, right):
                left, right = right, left
            for word in range(4):
                state[word, lane] = nodes[left, word]
                state[4 + word, lane] = nodes[right, word]
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
def put_text(
    offsets: NDArray[np.int32], text: NDArray[np.uint8], first: int, rows: NDArray[np.uint8], column: int
) -> bool:
    """Left-align strings `first`... in 32 bytes at byte `column` of each row; False if one is longer or not ASCII."""
    fits = True
    for row in range(rows.shape[0]):
        begin, end = offsets[first + row], offsets[first + row + 1]
        length = end - begin
        if length > 32:
            fits = False
            length = 32
        for at in range(length):
            byte = text[begin + at]
            fits = fits and 0 < byte < 128
            rows[row, column + at] = byte
        for at in range(length, 32):
            rows[row, column + at] = 0
    return fits


@kernel
def put_number(values: NDArray[np.int64], first: int, rows: Words, word: int) -> None:
    """Write values `first`... as 256-bit big-endian numbers at words [word, word + 4) of each row; values >= 0."""
    for row in range(rows.shape[0]):
        rows[row, word] = 0
        rows[row, word + 1] = 0
        rows[row, word + 2] = 0
        rows[row, word + 3] = _swap(np.uint64(values[first + row]))
