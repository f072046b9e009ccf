"""How does a bulk body become usage? One more source beside presets and roaming files (gateway/month/sources.py)."""

import io
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa

from gateway.bulk.bodies import SCHEMA, Block, Form, Packing, blocks_of, plain_bytes
from gateway.bulk.judging import judge
from gateway.formats.files import MAX_SHOWN_BYTES, Told
from gateway.formats.reading import Piece
from gateway.formats.rows import QUARANTINE_SCHEMA
from gateway.formats.tally import Counts, FileValue
from gateway.formats.tap.audit import AuditLine
from gateway.formats.trunks import Stream
from gateway.month.sources import FieldSource

PRESET = "bulk"
"""What an import says it was read with."""


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
        usage, bad = judge(block, self._stream.service)
        refused = [(each.line, each.column, each.reason) for each in sorted([*block.bad, *bad])]
        told = [pa.array(column) for column in zip(*refused, strict=True)] if refused else []
        quarantined = pa.Table.from_arrays(told, schema=QUARANTINE_SCHEMA) if told else QUARANTINE_SCHEMA.empty_table()
        return Piece({self._stream: usage} if len(usage) else {}, quarantined)
