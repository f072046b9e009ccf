"""How is a loop over columns compiled, and which instructions of the machine may it use?"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic, register_jitable

_KERNEL = TypeVar("_KERNEL", bound=Callable[..., Any])
_I8, _I64, _I128 = ir.IntType(8), ir.IntType(64), ir.IntType(128)


def kernel(function: _KERNEL) -> _KERNEL:
    """Compile for columns: cached on disk, without the interpreter lock, integers that wrap, no bounds checked.

    The cache knows only the file a kernel stands in, so a kernel calls none of another file; the instructions below,
    which never change, are the exception.
    """
    return cast(_KERNEL, numba.njit(cache=True, nogil=True, boundscheck=False)(function))


def _multiply_high(typing_context: Any, left: Any, right: Any) -> Any:
    """The upper 64 bits of the product of two uint64."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        wide = builder.mul(*(builder.zext(each, _I128) for each in arguments))
        return builder.trunc(builder.lshr(wide, ir.Constant(_I128, 64)), _I64)

    return types.uint64(types.uint64, types.uint64), generate


def _first_bit(typing_context: Any, word: Any) -> Any:
    """The place of the lowest bit that is set, from 0; of a word that is not 0."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), generate


def _word_at(typing_context: Any, text: Any, at: Any) -> Any:
    """Eight bytes of a uint8 array from any place on, as a little-endian uint64; the caller knows they are there."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(context, builder, signature, arguments)
        return builder.load(builder.bitcast(place, _I64.as_pointer()), align=1, typ=_I64)

    return types.uint64(text, types.int64), generate


def _put_word(typing_context: Any, text: Any, at: Any, word: Any) -> Any:
    """Write eight bytes, as `word_at` reads them."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(context, builder, signature, arguments)
        builder.store(arguments[2], builder.bitcast(place, _I64.as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(text, types.int64, types.uint64), generate


def _fetch_early(typing_context: Any, values: Any, index: Any) -> Any:
    """Ask memory for values[index], which is wanted soon."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = builder.bitcast(builder.gep(array.data, [arguments[1]]), _I8.as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [_I8.as_pointer(), *[ir.IntType(32)] * 3])
        fetch = builder.module.declare_intrinsic("llvm.prefetch", [_I8.as_pointer()], kind)
        builder.call(fetch, [place, *(ir.Constant(ir.IntType(32), each) for each in (0, 3, 1))])
        return context.get_dummy_value()

    return types.void(values, types.int64), generate


def _place(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    return builder.gep(array.data, [arguments[1]])


multiply_high: Any = intrinsic(_multiply_high)
first_bit: Any = intrinsic(_first_bit)
word_at: Any = intrinsic(_word_at)
put_word: Any = intrinsic(_put_word)
fetch_early: Any = intrinsic(_fetch_early)


def _instruction(function: _KERNEL) -> _KERNEL:
    """Compile into each kernel that calls it."""
    compiled: _KERNEL = register_jitable(function)
    return compiled


_TENS, _HUNDREDS, _MYRIADS = np.uint64(10 * 2**8 + 1), np.uint64(100 * 2**16 + 1), np.uint64(10_000 * 2**32 + 1)


@_instruction
def are_digits(word: np.uint64) -> bool:
    """Do eight bytes hold eight ASCII digits? 0x30 to 0x39: the upper half is 3, and stays 3 when 6 is added."""
    upper = word & np.uint64(0xF0F0F0F0F0F0F0F0)
    more = ((word + np.uint64(0x0606060606060606)) & np.uint64(0xF0F0F0F0F0F0F0F0)) >> np.uint64(4)
    return bool((upper | more) == np.uint64(0x3333333333333333))


@_instruction
def eight_digits(word: np.uint64) -> np.int64:
    """The number that eight ASCII digits write: neighbours are joined to pairs, fours, eight."""
    pairs = ((word & np.uint64(0x0F0F0F0F0F0F0F0F)) * _TENS) >> np.uint64(8)
    fours = ((pairs & np.uint64(0x00FF00FF00FF00FF)) * _HUNDREDS) >> np.uint64(16)
    return np.int64(((fours & np.uint64(0x0000FFFF0000FFFF)) * _MYRIADS) >> np.uint64(32))
