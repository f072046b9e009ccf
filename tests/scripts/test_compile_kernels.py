"""Is every kernel of usage compiled by the installation, so that nobody waits for it later?"""

from types import ModuleType

import pytest
from numba.core.dispatcher import Dispatcher

from gateway.formats import fields
from gateway.formats.tap import ber, picking, values
from ledger import lanes, numbers
from ledger.prices import pricing
from reconciliation.forgery import concurrency
from reconciliation.matching import clock_samples, clocks, keys, sweep, ties
from reconciliation.streaming import census, packing, sifting, tallying
from scripts import compile_kernels

MODULES = (
    *(ber, concurrency, fields, lanes, numbers, picking, pricing, values),
    *(census, clock_samples, clocks, keys, packing, sifting, sweep, tallying, ties),
)


def _kernels(module: ModuleType) -> dict[str, Dispatcher]:
    return {name: value for name, value in vars(module).items() if isinstance(value, Dispatcher)}


def test_every_kernel_is_compiled_by_the_script() -> None:
    compile_kernels.main()
    kernels = {f"{module.__name__}.{name}": kernel for module in MODULES for name, kernel in _kernels(module).items()}
    assert len(kernels) > 25
    waiting = [name for name, kernel in kernels.items() if not kernel.signatures and not _inside(kernel)]
    assert waiting == []


@pytest.mark.parametrize("module", MODULES)
def test_kernels_call_none_of_another_file_whose_change_the_cache_would_not_see(module: ModuleType) -> None:
    for kernel in _kernels(module).values():
        assert kernel.py_func.__module__ == module.__name__


def _inside(kernel: Dispatcher) -> bool:
    """A kernel that only other kernels call comes out of the cache with its caller."""
    return kernel.py_func.__name__.startswith("_") or kernel.py_func.__name__ in ("permute", "compress")
