"""How does one instruction of the CPU advance eight keccak states, or sixteen of SHA-256?

Each lane of a vector holds the state of another row. Code is generated for LLVM: no compiler finds this by itself. The
kernels of `ledger.lanes` call it.
"""

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from ledger.hash_constants import KECCAK_ROTATIONS, KECCAK_ROUNDS, SHA256_ROUNDS

KECCAK_LANES = 8
SHA256_LANES = 16
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


permute_lanes: Any = intrinsic(_permute)
"""keccak-f[1600] over 25 rows of 8 lanes of uint64, in place."""


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


compress_lanes: Any = intrinsic(_compress)
"""One SHA-256 compression of 16 lanes: 16 rows of uint32 block into 8 rows of state."""


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
