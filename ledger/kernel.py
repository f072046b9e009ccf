"""How does a loop over columns run at the speed of the machine?"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

_KERNEL = TypeVar("_KERNEL", bound=Callable[..., Any])


def kernel(function: _KERNEL) -> _KERNEL:
    """Compile for columns: cached on disk, without the interpreter lock, integers that wrap, no bounds checked.

    The cache knows only the file a kernel stands in, so a kernel calls none of another file.
    """
    return cast(_KERNEL, numba.njit(cache=True, nogil=True, boundscheck=False)(function))
