"""How does a bulk body become usage? One more source beside presets and roaming files (gateway/month/sources.py)."""

import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gateway.bulk.bodies import SCHEMA, Bad, Block, Form, Packing, blocks_of, moments, plain_bytes
from gateway.formats.files import MAX_SHOWN_BYTES, Told
from gateway.formats.reading import Piece
from gateway.formats.rows import QUARANTINE_SCHEMA, Bools
from gateway.formats.tally import Counts, FileValue
from gateway.formats.tap.audit import AuditLine
from gateway.formats.trunks import MAX_ROUTE, Stream
from gateway.month.sources import FieldSource
from ledger.service import Service
from ledger.usage import USAGE_SCHEMA

PRESET = "bulk"
"""What an import says it was read with."""
MOST_QUANTITY = 2**53
FIRST_MS, LAST_MS = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 1000 for year in (2000, 2100))
_NUMBER = r"^[1-9][0-9]{0,14}$"
_TEXT = rf"^[ -~]{{1,{MAX_ROUTE}}}$"
_NUMBERED = (Service.VOICE, Service.SMS)


class BulkSource:
    """One body of one stream, on its way in."""

    preset = PRESET
    sure_percent: int | None = None
    mapping = tuple(FieldSource(name, name) for name in SCHEMA.names)

    def __init__(self, path: Path, form: Form, packing: Packing, stream: Stream) -> None:
        self._path, self._form, self._packing, self._stream = path, form, packing, stream
        self._accepted = self._refused = 0

    def pieces(self, told: Told | None) -> Iterator[Piece]:
        """Its usage, block by block. Raises Malformed."""
        for block in blocks_of(self._path, self._form, self._packing):
            piece = self._piece(block)
            self._accepted += sum(map(len, piece.tables.values()))
            self._refused += len(piece.quarantined)
            yield piece
            if told:
                told(self._accepted + self._refused)

    def counts(self) -> Counts:
        """What became of its rows; copies of a row are left for the engine to find."""
        return Counts(self._accepted + self._refused, self._accepted, 0, self._refused, 0, 0)

    def value(self) -> FileValue | None:
        return None

    def raw(self, lines: Iterable[int]) -> Iterator[str]:
        """Rows as they stand, by their numbers in ascending order; "" for those of columns."""
        if self._form in (Form.ARROW, Form.PARQUET):
            yield from ("" for _ in lines)
            return
        with plain_bytes(self._path, self._packing) as stream:
            numbered = enumerate(io.BufferedReader(stream), 1)
            for line in lines:
                text = next(text for number, text in numbered if number == line)
                yield text[:MAX_SHOWN_BYTES].decode("utf-8", "replace").rstrip("\r\n").replace("\0", "\ufffd")

    def audit(self) -> tuple[AuditLine, ...]:
        return ()

    def notes(self) -> tuple[str, ...]:
        return ()

    def _piece(self, block: Block) -> Piece:
        start, both = moments(block.rows)
        fine, bad = _judged(block, start, both, self._stream.service)
        columns = {
            "line": block.lines,
            "a_party": pc.fill_null(block.rows["a_party"], ""),
            "b_party": block.rows["b_party"],
            "start_ms": start,
            "quantity": block.rows["quantity"],
            "route": block.rows["route"],
        }
        table = pa.Table.from_pydict(columns).filter(fine).cast(USAGE_SCHEMA)
        refused = [(each.line, each.column, each.reason) for each in sorted([*block.bad, *bad])]
        told = [pa.array(column) for column in zip(*refused, strict=True)] if refused else []
        quarantined = pa.Table.from_arrays(told, schema=QUARANTINE_SCHEMA) if told else QUARANTINE_SCHEMA.empty_table()
        return Piece({self._stream: table} if len(table) else {}, quarantined)


def _judged(block: Block, start: pa.Array, both: pa.Array, service: Service) -> tuple[pa.Array, list[Bad]]:
    """Which rows become usage, and why the others do not: the first reason of each counts."""
    number = _NUMBER if service in _NUMBERED else _TEXT
    rows = block.rows
    a_party = pc.fill_null(rows["a_party"], "")
    checks = [
        ("start", "start and start_ms are both there", both),
        ("start", "no moment with its offset, as 2026-10-05T09:30:00Z", pc.is_null(start)),
        ("start", "not between 2000 and 2100", pc.or_(pc.less(start, FIRST_MS), pc.greater_equal(start, LAST_MS))),
        ("quantity", "missing", pc.is_null(rows["quantity"])),
        ("quantity", "not between 0 and 2^53", _outside(rows["quantity"], 0, MOST_QUANTITY)),
        ("a_party", "not a number of digits, nor empty", pc.invert(_like(a_party, number, empty=True))),
        ("b_party", "not a number of digits", pc.invert(_like(rows["b_party"], number))),
        ("route", f"not 1 to {MAX_ROUTE} characters of ASCII", pc.invert(_like(rows["route"], _TEXT))),
    ]
    lines = block.lines.to_numpy()
    fine = np.ones(len(rows), np.bool_)
    bad: list[Bad] = []
    for column, reason, wrong in checks:
        hit = _flags(wrong) & fine
        if hit.any():
            bad += [Bad(line, column, reason) for line in lines[hit].tolist()]
            fine &= ~hit
    return pa.array(fine), bad


def _outside(values: pa.ChunkedArray, low: int, high: int) -> pa.ChunkedArray:
    return pc.or_(pc.less(values, low), pc.greater(values, high))


def _like(texts: pa.ChunkedArray, pattern: str, *, empty: bool = False) -> pa.ChunkedArray:
    matched = pc.fill_null(pc.match_substring_regex(texts, pattern), False)
    return pc.or_(matched, pc.equal(texts, "")) if empty else matched


def _flags(wrong: pa.Array | pa.ChunkedArray) -> Bools:
    flags: Bools = (
        np.asarray(pa.chunked_array([pc.fill_null(wrong, False)]).to_numpy(), np.bool_)
        if isinstance(wrong, pa.Array)
        else np.asarray(pc.fill_null(wrong, False).to_numpy(), np.bool_)
    )
    return flags
