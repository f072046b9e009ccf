"""Which engine matches the buckets of a month? Threads of this process, unless another is asked for by name."""

from enum import StrEnum
from importlib.util import find_spec

from ledger.errors import Refused, Unavailable
from reconciliation.engines.on_duckdb import by_duckdb
from reconciliation.engines.on_ray import on_ray
from reconciliation.engines.on_spark import on_spark
from reconciliation.streaming.stream import Runner, in_threads


class Engine(StrEnum):
    """Where a bucket is matched; the answer is the same."""

    THREADS = "threads"
    """In this process."""
    DUCKDB = "duckdb"
    """In this process, without compiled code: what is chosen where numba is not installed."""
    RAY = "ray"
    """By the workers of a Ray cluster."""
    SPARK = "spark"
    """By the executors of a Spark cluster."""


_PACKAGES = {Engine.RAY: "ray", Engine.SPARK: "pyspark"}


def runner_of(name: str | None, address: str | None = None) -> Runner | None:
    """The runner of an engine's name, on the cluster at `address`; None: whatever is usual here.

    Raises Refused (no such engine, or an address where there is no cluster), Unavailable (it is not installed).
    """
    if name is None and address is None:
        return None
    if name not in list(Engine):
        expected = ", ".join(Engine)
        raise Refused("no such engine", expected=expected, got=name or f"an address without engine: {address}")
    engine = Engine(name)
    package = _PACKAGES.get(engine)
    if package is None:
        if address is not None:
            raise Refused(f"{engine} has no address", expected=" or ".join(_PACKAGES), got=f"{engine} at {address}")
        return by_duckdb if engine is Engine.DUCKDB else in_threads
    if find_spec(package) is None:
        raise Unavailable(
            f"{engine} is not installed",
            expected=f"the Python package {package}",
            got="none",
            todo=f"pip install {package}, here and on each worker (docs/clusters.md).",
        )
    return on_ray(address) if engine is Engine.RAY else on_spark(address)
