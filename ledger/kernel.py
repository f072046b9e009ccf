"""How does a loop over columns run at the speed of the machine?"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

_KERNEL = TypeVar("_KERNEL", bound=Callable[..., Any])
_I8, _I64, _I128 = ir.IntType(8), ir.IntType(64), ir.IntType(128)


def kernel(function: _KERNEL) -> _KERNEL:
    """Compile for columns: cached on disk, without the interpreter lock, integers that wrap, no bounds checked.

    The cache knows only the file a kernel stands in, so a kernel calls none of another file; the instructions below,
    which never change, are the exception.
    """
    return cast(_KERNEL, numba.njit(cache=True, nogil=True, boundscheck=False)(function))


def _high_product(typing_context: Any, left: Any, right: Any) -> Any:
    """The upper 64 bits of the product of two uint64."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        wide = builder.mul(*(builder.zext(each, _I128) for each in arguments))
        return builder.trunc(builder.lshr(wide, ir.Constant(_I128, 64)), _I64)

    return types.uint64(types.uint64, types.uint64), generate


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


high_product: Any = intrinsic(_high_product)
word_at: Any = intrinsic(_word_at)
put_word: Any = intrinsic(_put_word)
fetch_early: Any = intrinsic(_fetch_early)
