"""Verb *replay*: what becomes of the rows an import left out, once the mapping or a trunk says more?

The file is read again as a whole, from the copy that was kept, and only those rows are taken: what was accepted before
stays as it is, and each record keeps its line of the file.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from gateway.composition import Gateway
from gateway.formats.files import Told
from gateway.formats.reading import Counts, Piece
from gateway.formats.tally import FileValue
from gateway.formats.tap.audit import AuditLine
from gateway.month.importing import ImportAnswer, quarantined_rows, read_source, record, repeated
from gateway.month.sources import Source, open_source
from gateway.month.telling import NOTHING_SAID, Said
from ledger.errors import Conflict
from ledger.store.engine import reading
from ledger.store.imports import import_of, list_quarantined, quarantined_lines, replay_of


def replay(
    gateway: Gateway,
    import_id: int,
    preset: str,
    *,
    dry_run: bool = False,
    said: Said = NOTHING_SAID,
    told: Told | None = None,
) -> ImportAnswer:
    """Read the quarantined rows of an import again, as an import of their own; a repeat gives the same answer.

    Raises NotFound, Malformed, and Conflict where none of them can be read yet: then nothing is kept.
    """
    with reading(gateway.engine) as connection:
        before = import_of(connection, import_id)
        done = replay_of(connection, import_id)
        if done is not None:
            return repeated(done, list_quarantined(connection, done.id))
        lines = quarantined_lines(connection, import_id)
    if not lines:
        raise Conflict("this import left no row out", expected="an import with quarantined rows", got=import_id)
    path = gateway.settings.inbox_path / f"{before.file_hash.hex()}.cdr"
    source = _Some(open_source(gateway, path, preset, said), lines)
    name = f"{before.file_name} ({len(lines)} rows again)"
    again = _hash_of(before.file_hash, lines)
    answer, refused, kept = read_source(gateway, source, name, again, dry_run=dry_run, told=told)
    if dry_run:
        return answer
    if not answer.accepted:
        raise Conflict(
            f"none of the {len(lines)} rows can be read this way either",
            expected="a mapping or trunk under which some can",
            got="; ".join(f"{each.reason}: {each.rows}" for each in answer.reasons[:3]),
            todo="Change the mapping, or name the trunk in gsc.toml, and try again.",
        )
    _link(path, path.with_name(f"{again.hex()}.cdr"))
    number = record(gateway, answer, quarantined_rows(refused, source), kept, replay_of=import_id)
    return replace(answer, import_id=number)


class _Some:
    """Some lines of a source."""

    def __init__(self, source: Source, lines: list[int]) -> None:
        self.preset, self.sure_percent, self.mapping = source.preset, source.sure_percent, source.mapping
        self._source, self._lines = source, pa.array(lines, pa.int64())
        self._accepted = self._quarantined = 0

    def pieces(self, told: Told | None) -> Iterator[Piece]:
        for piece in self._source.pieces(told):
            tables = {stream: self._of(table) for stream, table in piece.tables.items()}
            quarantined = self._of(piece.quarantined)
            self._accepted += sum(map(len, tables.values()))
            self._quarantined += len(quarantined)
            yield Piece({stream: table for stream, table in tables.items() if len(table)}, quarantined)

    def counts(self) -> Counts:
        rows = len(self._lines)
        left = max(0, rows - self._accepted - self._quarantined)
        return Counts(rows, self._accepted, left, self._quarantined, 0, 0)

    def value(self) -> FileValue | None:
        return None

    def raw(self, lines: Iterable[int]) -> Iterator[str]:
        return self._source.raw(lines)

    def audit(self) -> tuple[AuditLine, ...]:
        return ()

    def notes(self) -> tuple[str, ...]:
        return self._source.notes()

    def _of(self, table: pa.Table) -> pa.Table:
        return table.filter(pc.is_in(table["line"], value_set=self._lines.cast(table["line"].type)))


def _hash_of(file_hash: bytes, lines: list[int]) -> bytes:
    """What names these lines of this file."""
    return hashlib.sha256(b"replay" + file_hash + b",".join(str(line).encode() for line in lines)).digest()


def _link(path: Path, name: Path) -> None:
    """The raw file under a second name: its bytes stay once on the disk."""
    if not name.exists():
        os.link(path, name)
