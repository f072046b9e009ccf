"""Which records make a finding, and which findings touch a record? From the exceptions that a reconciliation kept."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from gateway.records.pairing import NUMBER


@dataclass(frozen=True, slots=True)
class Share:
    """A record's part in a finding."""

    number: int
    """In the list of records."""
    finding: int
    """Its position among the findings of the reconciliation."""
    ours_micros: int
    """What the cause explains of the record's amount."""
    theirs_micros: int

    @property
    def difference_micros(self) -> int:
        return self.ours_micros - self.theirs_micros


_COLUMNS = [NUMBER.name, "finding", "ours_micros", "theirs_micros"]


def shares_of_finding(path: Path, finding: int, after: int, limit: int) -> tuple[list[Share], int]:
    """At most `limit` records of a finding, in order of their start, from the place `after` on; and how many it has.

    The rows of a finding lie together: of the rest only the numbers of their findings are read.
    """
    with pq.ParquetFile(path) as file:
        findings = file.read(columns=["finding"])["finding"].to_numpy()
        first, end = np.searchsorted(findings, [finding, finding + 1]).tolist()
        low, high = min(first + after, end), min(first + after + limit, end)
        return _shares(file, low, high), end - first


def shares_of_record(path: Path, number: int) -> list[Share]:
    """What findings have in a record of the list."""
    table = pq.read_table(path, columns=_COLUMNS, filters=[(NUMBER.name, "=", number)])
    return [Share(**row) for row in table.to_pylist()]


def _shares(file: pq.ParquetFile, low: int, high: int) -> list[Share]:
    shares, begin = [], 0
    for group in range(file.num_row_groups):
        end = begin + file.metadata.row_group(group).num_rows
        if begin < high and end > low:
            table = file.read_row_group(group, columns=_COLUMNS)
            chosen = table.slice(max(low - begin, 0), min(high, end) - max(low, begin))
            shares += [Share(**row) for row in chosen.to_pylist()]
        begin = end
    return shares
