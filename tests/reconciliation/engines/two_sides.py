"""Which two small files are reconciled on each engine, and what is all of the answer, to the byte?"""

import hashlib
import json
from pathlib import Path

from reconciliation.exceptions import PAIRS_SCHEMA
from reconciliation.plain import reconciliation_plain
from reconciliation.reconcile import reconcile_parquet
from reconciliation.streaming.stream import Runner, Way
from scripts.bench.sides.month import MadeMonth, MonthPlan, made_month
from scripts.bench.sides.ours import AGREEMENT, SCOPE

CALLS = 2_000
"""With every fault of scripts/bench/sides/faults.py, in some thirty buckets."""
BUCKET_ROWS = 64


def small_month(folder: Path) -> MadeMonth:
    return made_month(MonthPlan(CALLS, busy_share=0.02), folder)


def whole_answer(month: MadeMonth, runner: Runner | None, bucket_rows: int = BUCKET_ROWS) -> str:
    """A hash of findings, totals, waterfall, exceptions, and every pair in order of row."""
    pairs: list[dict[str, int]] = []
    answer = reconcile_parquet(
        [month.records("ours")],
        [month.records("theirs")],
        scope=SCOPE,
        agreement=AGREEMENT,
        pairs=lambda piece: pairs.extend(piece.to_pylist()),
        way=Way(bucket_rows=bucket_rows, runner=runner),
    )
    assert answer.pairs == len(pairs) > CALLS * 0.9
    first = PAIRS_SCHEMA.names[0]
    told = [reconciliation_plain(answer), answer.exceptions.to_pylist(), sorted(pairs, key=lambda pair: pair[first])]
    return hashlib.sha256(json.dumps(told, default=str).encode()).hexdigest()
