"""What stands in for compiled loops where numba is not installed? The same loops in Python: as right, and slower.

Integers are numpy's, of 64 bits, and wrap as the machine's do.
"""

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np

_KERNEL = TypeVar("_KERNEL", bound=Callable[..., Any])
_OCTETS = 8


def kernel(function: _KERNEL) -> _KERNEL:
    """Run a loop as it is written; an overflow is meant, and no warning."""

    @functools.wraps(function)
    def run(*arguments: Any) -> Any:
        with np.errstate(over="ignore"):
            return function(*arguments)

    return cast(_KERNEL, run)


def multiply_high(left: Any, right: Any) -> Any:
    """The upper 64 bits of the product of two uint64."""
    return np.uint64(int(left) * int(right) >> 64)


def first_bit(word: Any) -> Any:
    """The place of the lowest bit that is set, from 0; of a word that is not 0."""
    return np.int64((int(word) & -int(word)).bit_length() - 1)


def word_at(text: Any, at: Any) -> Any:
    """Eight bytes of a uint8 array from any place on, as a little-endian uint64."""
    return np.uint64(int.from_bytes(text[at : at + _OCTETS].tobytes(), "little"))


def put_word(text: Any, at: Any, word: Any) -> None:
    """Write eight bytes, as `word_at` reads them."""
    text[at : at + _OCTETS] = np.frombuffer(int(word).to_bytes(_OCTETS, "little"), np.uint8)


def fetch_early(values: Any, index: Any) -> None:
    """Nothing: there is no time to win."""


def are_digits(word: Any) -> bool:
    """Do eight bytes hold eight ASCII digits?"""
    return int(word).to_bytes(_OCTETS, "little").isdigit()


def eight_digits(word: Any) -> Any:
    """The number that eight ASCII digits write."""
    return np.int64(int(int(word).to_bytes(_OCTETS, "little")))
