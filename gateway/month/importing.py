"""Verb *import*: how does a raw CDR file become usage that waits to be rated?"""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from gateway.composition import Gateway, HomeFolder, partnership_with
from gateway.formats.files import Told
from gateway.formats.reading import Direction, Stream
from gateway.formats.tap.audit import AuditLine
from gateway.month.repeats import forget, held_before
from gateway.month.slicing import Agreed, NotAgreed, Slice, SliceKey, Slices
from gateway.month.sources import ROAMING, FieldSource, Source, open_source
from gateway.month.telling import NOTHING_SAID, Said
from gateway.settings import Settings
from ledger.cores import ahead
from ledger.errors import NotFound
from ledger.identity import CarrierCode
from ledger.period import Period
from ledger.service import Service
from ledger.store.engine import reading, writing
from ledger.store.imports import (
    Import,
    QuarantinedRow,
    add_usage,
    find_import,
    list_quarantined,
    record_import,
)
from ledger.usage import BatchScope

SHOWN_QUARANTINE = 20
SHOWN_FIRST = 3
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WRITE_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


@dataclass(frozen=True, slots=True)
class ImportedUsage:
    """What one direction and period got out of the file."""

    partner: CarrierCode
    creditor: CarrierCode
    service: Service
    period: Period
    count: int
    quantity: int


class ReasonCount(NamedTuple):
    """How many rows were left out for a reason."""

    reason: str
    rows: int


@dataclass(frozen=True, slots=True)
class FirstRecord:
    """One of the first records, as it will be rated."""

    line: int
    direction: Direction
    a_party: str
    b_party: str
    start: datetime
    quantity: int
    route: str


@dataclass(frozen=True, slots=True)
class ImportAnswer:
    """What became of a CDR file. One whose bytes or records were imported before names that import: `repeated`."""

    import_id: int | None
    file_name: str
    file_hash: bytes
    preset: str
    sure_percent: int | None
    """How sure it is that the preset is the right one; None: the caller named it."""
    mapping: tuple[FieldSource, ...]
    accepted: int
    quarantined: int
    not_billable: int
    duplicates: int
    value: str | None
    """What the file itself says the accepted rows cost; shown, never settled on."""
    first: tuple[FirstRecord, ...]
    usage: tuple[ImportedUsage, ...]
    reasons: tuple[ReasonCount, ...]
    """Why rows were left out, the most frequent first."""
    quarantine: tuple[QuarantinedRow, ...]
    """The first rows left out, with line and reason."""
    audit: tuple[AuditLine, ...]
    """A roaming file's own totals against what it holds."""
    notes: tuple[str, ...]
    """What else a roaming file says of itself."""
    repeated: bool
    dry_run: bool


def import_usage(
    gateway: Gateway | HomeFolder,
    path: Path,
    preset: str,
    *,
    name: str | None = None,
    batch_days: int = 7,
    dry_run: bool = False,
    said: Said = NOTHING_SAID,
    told: Told | None = None,
) -> ImportAnswer:
    """Read a usage file and keep its records in slices of `batch_days`, each to become one sealed batch.

    The file may be of any length: it is read, cut into slices and written piece by piece. Malformed rows are
    quarantined with line and reason. A file whose records an earlier import holds is that import. Raises Malformed for
    a file that is none, NotFound for a trunk's partner without agreement; a dry run, for which a home folder is enough,
    notes that.
    """
    content_hash = _hash_of(path, said)
    with reading(gateway.engine) as connection:
        before = find_import(connection, content_hash)
        if before is not None:
            return repeated(before, list_quarantined(connection, before.id))
    source = open_source(gateway, path, preset, said)
    answer, refused, kept = read_source(
        gateway, source, name or path.name, content_hash, batch_days=batch_days, dry_run=dry_run, told=told
    )
    if dry_run or isinstance(gateway, HomeFolder):
        return answer
    return keep(gateway, path, source, answer, refused, kept)


def keep(
    gateway: Gateway,
    path: Path,
    source: Source,
    answer: ImportAnswer,
    refused: pa.Table,
    kept: Mapping[SliceKey, Slice],
) -> ImportAnswer:
    """What was read becomes an import, with its raw file; records that an earlier import holds stay that import.

    Roaming files are told apart by numbers of their own.
    """
    with reading(gateway.engine) as connection:
        numbered = answer.preset == ROAMING
        before = None if numbered else held_before(connection, gateway.settings.home, kept)
    if before is not None:
        forget(kept)
        notes = [f"its records are those of import {before.id}, {before.file_name}: nothing was added"]
        if answer.quarantined:
            notes.append("its rows left out are not kept: a file of these rows alone can be imported")
        return replace(answer, import_id=before.id, notes=(*answer.notes, *notes), usage=(), repeated=True)
    keep_raw(path, gateway.settings.inbox_path / f"{answer.file_hash.hex()}.cdr")
    return replace(answer, import_id=record(gateway, answer, quarantined_rows(refused, source), kept))


def read_source(
    gateway: Gateway | HomeFolder,
    source: Source,
    name: str,
    content_hash: bytes,
    *,
    batch_days: int = 7,
    dry_run: bool = False,
    told: Told | None = None,
) -> tuple[ImportAnswer, pa.Table, Mapping[SliceKey, Slice]]:
    """What a source holds, its rows left out (QUARANTINE_SCHEMA, by line), and the slices that were written."""
    first: list[FirstRecord] = []
    folder = None if dry_run else gateway.settings.work_path / "usage" / content_hash.hex()
    lacking: list[str] = []
    agreed = partial(_noted if dry_run else _agreed, gateway.settings, lacking)
    with Slices(gateway.carrier, agreed, batch_days, folder) as slices:
        refusals = []
        for piece in ahead(source.pieces(told)):
            slices.add(piece.tables)
            first += _first_of(piece.tables, SHOWN_FIRST - len(first))
            refusals.append(piece.quarantined)
        kept = slices.finish()
    counts, refused, value = source.counts(), pa.concat_tables(refusals).sort_by("line"), source.value()
    answer = ImportAnswer(
        import_id=None,
        file_name=name,
        file_hash=content_hash,
        preset=source.preset,
        sure_percent=source.sure_percent,
        mapping=source.mapping,
        accepted=counts.accepted,
        quarantined=counts.quarantined,
        not_billable=counts.not_billable,
        duplicates=counts.duplicates,
        value=None if value is None else f"{value.amount:f} {value.currency}".rstrip(),
        first=tuple(first),
        usage=_usage(kept),
        reasons=_reasons(refused),
        quarantine=tuple(quarantined_rows(refused.slice(0, SHOWN_QUARANTINE), source)),
        audit=source.audit(),
        notes=(*source.notes(), *lacking),
        repeated=False,
        dry_run=dry_run,
    )
    return answer, refused, kept


def _agreed(settings: Settings, _: list[str], partner: CarrierCode) -> Agreed:
    return partnership_with(settings, partner)


def _noted(settings: Settings, lacking: list[str], partner: CarrierCode) -> Agreed:
    """The agreement, or a note that there is none and months in UTC."""
    try:
        return partnership_with(settings, partner)
    except NotFound as error:
        lacking.append(f"{error.message}: months are those of UTC, and nothing can be imported before it is there")
        return NotAgreed()


def record(
    gateway: Gateway,
    answer: ImportAnswer,
    quarantined: Iterable[QuarantinedRow],
    kept: Mapping[SliceKey, Slice],
    replay_of: int | None = None,
) -> int:
    """Remember an import, its usage and what it left out; its number."""
    with writing(gateway.engine) as connection:
        import_id = record_import(
            connection,
            file_hash=answer.file_hash,
            file_name=answer.file_name,
            preset=answer.preset,
            accepted=answer.accepted,
            not_billable=answer.not_billable,
            duplicates=answer.duplicates,
            quarantined=quarantined,
            imported_at_ms=gateway.clock.now_ms(),
            replay_of=replay_of,
        )
        for key, each in kept.items():
            (path,) = each.paths
            relative = path.relative_to(gateway.settings.home).as_posix()
            add_usage(connection, import_id, key.scope, path=relative, count=each.count, quantity=each.quantity)
    return import_id


def keep_raw(path: Path, kept: Path) -> None:
    """A copy of the raw file as it came, the whole or none; only its owner may read it."""
    if kept.exists():
        return
    part = kept.with_suffix(".part")
    with path.open("rb") as source, os.fdopen(os.open(part, _WRITE_NEW, 0o600), "wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
        target.flush()
        os.fsync(target.fileno())
    part.replace(kept)


def _usage(kept: Mapping[SliceKey, Slice]) -> tuple[ImportedUsage, ...]:
    sums: dict[tuple[CarrierCode, BatchScope], list[int]] = {}
    for key, each in kept.items():
        total = sums.setdefault((key.partner, key.scope), [0, 0])
        total[0] += each.count
        total[1] += each.quantity
    return tuple(
        ImportedUsage(partner, scope.creditor, scope.service, scope.period, count, quantity)
        for (partner, scope), (count, quantity) in sums.items()
    )


def repeated(before: Import, quarantined: list[QuarantinedRow]) -> ImportAnswer:
    """What an import answered, from what is kept of it."""
    return ImportAnswer(
        import_id=before.id,
        file_name=before.file_name,
        file_hash=before.file_hash,
        preset=before.preset,
        sure_percent=None,
        mapping=(),
        accepted=before.accepted,
        quarantined=before.quarantined,
        not_billable=before.not_billable,
        duplicates=before.duplicates,
        value=None,
        first=(),
        usage=(),
        reasons=(),
        quarantine=tuple(quarantined[:SHOWN_QUARANTINE]),
        audit=(),
        notes=(),
        repeated=True,
        dry_run=False,
    )


def _first_of(tables: Mapping[Stream, pa.Table], wanted: int) -> list[FirstRecord]:
    """The first records of a piece, in the order of the file."""
    rows = [(stream, row) for stream, table in tables.items() for row in table.slice(0, wanted).to_pylist()]
    rows.sort(key=lambda pair: int(pair[1]["line"]))
    return [
        FirstRecord(
            line=row["line"],
            direction=stream.direction,
            a_party=row["a_party"],
            b_party=row["b_party"],
            start=_EPOCH + timedelta(milliseconds=row["start_ms"]),
            quantity=row["quantity"],
            route=row["route"],
        )
        for stream, row in rows[:wanted]
    ]


def _reasons(refused: pa.Table) -> tuple[ReasonCount, ...]:
    counted = refused.group_by(["column", "reason"]).aggregate([([], "count_all")])
    reasons = (ReasonCount(_reason(row), row["count_all"]) for row in counted.to_pylist())
    return tuple(sorted(reasons, key=lambda each: (-each.rows, each.reason)))


def quarantined_rows(refused: pa.Table, source: Source) -> Iterator[QuarantinedRow]:
    """Rows left out (QUARANTINE_SCHEMA, by line), each with its raw line, in one pass over the file."""
    raw = source.raw(line for batch in refused.to_batches() for line in batch["line"].to_pylist())
    for batch in refused.to_batches():
        for row in batch.to_pylist():
            yield QuarantinedRow(row["line"], _reason(row), next(raw))


def _reason(row: dict[str, str]) -> str:
    return f"{row['column']}: {row['reason']}" if row["column"] else row["reason"]


def _hash_of(path: Path, said: Said) -> bytes:
    """SHA-256 of the file; an inventory, which is read again for each month, has one for each."""
    with path.open("rb") as stream:
        content_hash = hashlib.file_digest(stream, "sha256").digest()
    return content_hash if said.period is None else hashlib.sha256(content_hash + str(said.period).encode()).digest()
