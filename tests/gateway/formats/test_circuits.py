"""Is each day of a circuit read once from an inventory?"""

from pathlib import Path

from gateway.formats.preset import load_preset
from gateway.formats.reading import read_cdr
from tests.gateway.formats.test_samples import CONTEXTS
from tests.gateway.formats.workbooks import workbook

HEADER = ("Circuit", "A End", "Z End", "From", "To", "Monthly Charge")


def test_a_circuit_that_is_there_twice_is_quarantined_by_name_and_once_for_days_apart(tmp_path: Path) -> None:
    spans = [
        ("C1", "2026-01-01", ""),
        ("C1", "2026-01-01", ""),
        ("C1", "2026-10-31", ""),
        ("C2", "2026-10-01", "2026-10-11"),
        ("C2", "2026-10-11", ""),
        ("C1", "2026-11-01", ""),
    ]
    path = tmp_path / "inventory.xlsx"
    path.write_bytes(workbook([HEADER, *((name, "LON", "SHA", begin, end, "") for name, begin, end in spans)]))
    found = read_cdr(path, load_preset("ipl_inventory"), CONTEXTS["ipl_inventory"])
    (table,) = found.tables.values()
    assert [(row["route"], row["quantity"]) for row in table.to_pylist()] == [("C1", 31), ("C2", 10), ("C2", 21)]
    reason = "C1 is in service on the same days in line 2: each day is charged once"
    assert [tuple(row.values()) for row in found.quarantined.to_pylist()] == [
        (3, "Circuit", reason),
        (4, "Circuit", reason),
    ]
    assert (found.counts.accepted, found.counts.not_billable, found.counts.quarantined) == (3, 1, 2)
