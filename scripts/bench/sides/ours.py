"""What does our own matching take, what its limit, and what its first call? One question in one process.

`python -m ...ours WHAT OURS THEIRS [PAIRS]`: `reconcile` goes from two Parquet files to findings; `limit` decodes the
same columns, hashes both numbers and sorts the keys, nothing more; `first` is a first call of a small month and a
second one: what the first takes longer is compiling, or reading the compiled code.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ledger.agreement import Agreement
from ledger.cores import in_parallel
from ledger.identity import AgreementId, CarrierCode
from ledger.period import Period
from ledger.service import Service
from ledger.usage import RATED_SCHEMA, BatchScope
from reconciliation.exceptions import PAIRS_SCHEMA
from reconciliation.matching.keys import pair_hashes, text_hashes
from reconciliation.matching.side import Words
from reconciliation.reconcile import reconcile, reconcile_parquet
from scripts.bench.sides.calls import MONTH_BEGIN_MS
from scripts.bench.sides.measuring import Spent, spend, tell

CREDITOR, DEBTOR = CarrierCode("CN-T"), CarrierCode("GB-B")
AGREEMENT = Agreement(CREDITOR, DEBTOR, "USD", frozenset({Service.VOICE}), ZoneInfo("UTC"), MONTH_BEGIN_MS)
SCOPE = BatchScope(AgreementId(bytes(32)), CREDITOR, CREDITOR, Service.VOICE, Period(2026, 10))
PART_BITS = 6
FEW = 5_000


def settle(ours: Path, theirs: Path, pairs: Callable[[pa.Table], None] | None = None) -> int:
    """Reconcile two files; how many findings."""
    return len(reconcile_parquet([ours], [theirs], scope=SCOPE, agreement=AGREEMENT, pairs=pairs).findings)


def reach_limit(ours: Path, theirs: Path) -> int:
    """Decode, hash, sort; how many keys."""
    return sum(_sorted_keys(path) for path in (ours, theirs))


def _sorted_keys(path: Path) -> int:
    """Row groups side by side; keys dealt by their first bits, so that each part is sorted in the cache."""
    with pq.ParquetFile(path) as file:
        groups = range(file.num_row_groups)
    keys = np.concatenate(in_parallel(lambda group: _keys(path, group), groups))
    part = (keys >> np.uint64(64 - PART_BITS)).astype(np.uint8)
    order = np.argsort(part, kind="stable")
    ends = np.concatenate([[0], np.cumsum(np.bincount(part, minlength=1 << PART_BITS))])
    keys = keys[order]
    in_parallel(lambda at: keys[ends[at] : ends[at + 1]].sort(), range(1 << PART_BITS))
    return len(keys)


def _keys(path: Path, group: int) -> Words:
    names = [name for name in RATED_SCHEMA.names if name != "line"]
    with pq.ParquetFile(path, read_dictionary=["route", "destination", "code"]) as file:
        table = file.read_row_group(group, columns=names, use_threads=False)
    return pair_hashes(text_hashes(table["a_party"]), text_hashes(table["b_party"]))


def main(what: str, ours: Path, theirs: Path, pairs: Path | None = None) -> None:
    """Answer one question; with `pairs`, every pair is written there as well, by the clock."""
    match what:
        case "reconcile" if pairs is None:
            load_compiled(ours, theirs)
            _, spent = spend(lambda: settle(ours, theirs))
        case "reconcile":
            load_compiled(ours, theirs)
            with pq.ParquetWriter(pairs, PAIRS_SCHEMA) as writer:
                _, spent = spend(lambda: settle(ours, theirs, writer.write_table))
        case "limit":
            load_compiled(ours, theirs)
            _, spent = spend(lambda: reach_limit(ours, theirs))
        case "first":
            _, first = spend(lambda: settle(ours, theirs))
            _, second = spend(lambda: settle(ours, theirs))
            more = first.seconds - second.seconds, first.core_seconds - second.core_seconds
            spent = Spent(*more, first.most_bytes)
        case _:
            raise ValueError(f"no such question: {what}")
    tell(spent)


def load_compiled(ours: Path, theirs: Path) -> None:
    """Reconcile the first few records: what is imported and loaded once is no work, as with the peers."""
    few = [next(pq.ParquetFile(path).iter_batches(FEW, columns=RATED_SCHEMA.names)) for path in (ours, theirs)]
    reconcile(*(pa.Table.from_batches([batch]) for batch in few), scope=SCOPE, agreement=AGREEMENT)


if __name__ == "__main__":
    main(sys.argv[1], *(Path(each) for each in sys.argv[2:5]))
