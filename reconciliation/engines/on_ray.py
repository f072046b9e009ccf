"""How does a Ray cluster match a month? Some buckets are a task; the answers come back as they are done.

This process reads, packs and deals the records; the cluster's workers, which need this package, run `match_bucket`.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from reconciliation.streaming.sifting import Bucket, BucketAnswer, Conditions, match_bucket, together
from reconciliation.streaming.stream import Load, Runner

BUCKETS_A_TASK = 16
TASKS_A_CORE = 2
"""Waiting at once: more would only hold memory."""
OWN_WORKERS = 2


def on_ray(address: str | None = None) -> Runner:
    """A runner on the cluster at `address` ("ray://head:10001", "auto"); None: a cluster of its own on this machine."""

    def run(buckets: int, load: Load, conditions: Conditions) -> Iterator[BucketAnswer]:
        import ray

        began = not ray.is_initialized()
        if began:
            _begin(ray, address)
        try:
            yield from _matched(ray, buckets, load, conditions)
        finally:
            if began:
                ray.shutdown()

    return run


def _begin(ray: Any, address: str | None) -> None:
    quiet = {"log_to_driver": False, "configure_logging": False}
    if address is None:
        ray.init(num_cpus=OWN_WORKERS, **quiet)
    else:
        ray.init(address=address, **quiet)


def _matched(ray: Any, buckets: int, load: Load, conditions: Conditions) -> Iterator[BucketAnswer]:
    task, known = ray.remote(_match_some), ray.put(conditions)
    most = TASKS_A_CORE * max(1, int(ray.cluster_resources().get("CPU", 1)))
    waiting: list[Any] = []
    for first in range(0, buckets, BUCKETS_A_TASK):
        if len(waiting) >= most:
            done, waiting = ray.wait(waiting)
            yield ray.get(done[0])
        places = range(first, min(buckets, first + BUCKETS_A_TASK))
        waiting.append(task.remote([load(at) for at in places], known))
    for each in waiting:
        yield ray.get(each)


def _match_some(buckets: Sequence[Bucket], conditions: Conditions) -> BucketAnswer:
    return together([match_bucket(bucket, conditions) for bucket in buckets])
