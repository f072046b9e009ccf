"""How do these tests get a list of records? Two short books, paired and explained by the engine itself."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from gateway.records.pairing import Pairs
from gateway.records.reading import RecordList
from gateway.records.writing import Sides, write_list
from reconciliation.reconcile import reconcile
from tests.reconciliation.records import Call, agreement, scope, table


def listed(folder: Path, ours: Sequence[Call], theirs: Sequence[Call], stretch_rows: int = 3) -> RecordList:
    """The list as GB-B, the creditor, makes it; with so few rows to a stretch that there are several."""
    books = table(ours), table(theirs)
    pairs = Pairs(folder, len(ours), len(theirs))
    result = reconcile(*books, scope=scope(), agreement=agreement(), pairs=pairs.hear)
    pairs.explain(result.exceptions)
    starts = pa.concat_tables(books)["start_ms"].to_pylist()
    sides = Sides(
        ours=lambda: [books[0]],
        theirs=lambda: [books[1].slice(0, 1), books[1].slice(1)],
        ours_count=len(ours),
        theirs_count=len(theirs),
        from_ms=min(starts, default=0),
        to_ms=max(starts, default=0),
    )
    path = folder / "records.arrow"
    write_list(path, sides, pairs, stretch_rows)
    pq.write_table(pairs.numbered(result.exceptions), folder / "exceptions.parquet", row_group_size=2)
    return RecordList(path)
