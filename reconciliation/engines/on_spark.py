"""How does a Spark cluster match a month? Both sides' buckets are cogrouped, and each pair is matched by an executor.

This process reads, packs and deals the records; the executors' Python, which needs this package, runs `match_bucket`.
"""

import os
import pickle
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from reconciliation.matching.side import Words
from reconciliation.streaming.sifting import Bucket, BucketAnswer, Conditions, match_bucket
from reconciliation.streaming.stream import Load, Runner

BUCKETS_A_JOB = 256
"""Of which this process holds the records at once."""
OWN = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1", "spark.ui.enabled": "false"}
"""Settings of a session on this machine alone."""


def on_spark(address: str | None = None) -> Runner:
    """A runner on the master at `address` ("spark://host:7077"); None: two threads of this machine."""

    def run(buckets: int, load: Load, conditions: Conditions) -> Iterator[BucketAnswer]:
        session = _session(address)
        for first in range(0, buckets, BUCKETS_A_JOB):
            places = range(first, min(buckets, first + BUCKETS_A_JOB))
            yield from _matched(session, [load(at) for at in places], conditions)

    return run


def _session(address: str | None) -> Any:
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder: Any = SparkSession.builder
    return builder.config(map={} if address else OWN).master(address or "local[2]").getOrCreate()


def _matched(session: Any, loaded: list[Bucket], conditions: Conditions) -> Iterator[BucketAnswer]:
    words = conditions.plan.layout.words

    def packed(side: pa.Table) -> Words:
        return np.frombuffer(side["records"][0].as_buffer(), np.uint64).reshape(-1, words)

    def match(ours: pa.Table, theirs: pa.Table) -> pa.Table:
        return pa.table({"answer": [pickle.dumps(match_bucket(Bucket(packed(ours), packed(theirs)), conditions))]})

    def grouped(records: list[Words]) -> Any:
        table = pa.table({"bucket": range(len(records)), "records": [each.tobytes() for each in records]})
        return session.createDataFrame(table).groupBy("bucket")

    ours, theirs = grouped([each.ours for each in loaded]), grouped([each.theirs for each in loaded])
    for row in ours.cogroup(theirs).applyInArrow(match, "answer binary").toLocalIterator():
        yield pickle.loads(row.answer)
