"""Verb *import*: how does a raw CDR file become usage that waits to be rated?"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gateway.composition import Gateway, Partnership, partnership_with
from gateway.preset import Preset, load_preset, read_preset
from gateway.reading import Direction, Reading, ReadingContext, Trunk, read_cdr
from gateway.settings import Settings, write_atomically
from gateway.sniffing import sniff
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

DAY_MS = 86_400_000
AUTO = "auto"
"""Instead of a preset's name: the one that fits the file best."""
SHOWN_QUARANTINE = 20
MAX_RAW_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class ImportedUsage:
    """What one direction and period got out of the file."""

    partner: CarrierCode
    creditor: CarrierCode
    service: Service
    period: Period
    count: int
    quantity: int


@dataclass(frozen=True, slots=True)
class ImportAnswer:
    """What became of a CDR file. A file imported before gives the same answer, with `repeated`."""

    import_id: int | None
    file_name: str
    file_hash: bytes
    accepted: int
    quarantined: int
    not_billable: int
    duplicates: int
    usage: tuple[ImportedUsage, ...]
    quarantine: tuple[QuarantinedRow, ...]
    """The first rows left out, with line and reason."""
    repeated: bool
    dry_run: bool


class _Slice(NamedTuple):
    scope: BatchScope
    partner: CarrierCode
    number: int
    table: pa.Table


def import_usage(
    gateway: Gateway, path: Path, preset: str, *, name: str | None = None, batch_days: int = 7, dry_run: bool = False
) -> ImportAnswer:
    """Read a CDR file and keep its usage in slices of `batch_days`, each to become one sealed batch.

    Malformed rows are quarantined with line and reason. Raises Malformed for a file that is none, NotFound for a
    trunk's partner without agreement.
    """
    content_hash = _hash_of(path)
    with reading(gateway.engine) as connection:
        before = find_import(connection, content_hash)
        if before is not None:
            return _repeated(before, list_quarantined(connection, before.id))
    chosen = choose_preset(preset, path)
    read = read_cdr(path, chosen, reading_context(gateway.settings))
    slices = list(_slices(gateway, read, batch_days))
    quarantined = _quarantine(read, path)
    answer = _answer(name or path.name, content_hash, read, quarantined, slices, dry_run)
    if dry_run:
        return answer
    kept = gateway.settings.inbox_path / f"{content_hash.hex()}.cdr"
    if not kept.exists():
        write_atomically(kept, path.read_bytes(), mode=0o600)
    return _record(gateway, answer, chosen.name, read, quarantined, slices)


def reading_context(settings: Settings) -> ReadingContext:
    """What the settings say of the switch that wrote the files."""
    trunks = {name: Trunk(trunk.partner, Direction(trunk.direction.value)) for name, trunk in settings.trunks.items()}
    return ReadingContext(zone=settings.switch.zone, country=settings.switch.country, trunks=trunks)


def _record(
    gateway: Gateway,
    answer: ImportAnswer,
    preset: str,
    read: Reading,
    quarantined: list[QuarantinedRow],
    slices: list[_Slice],
) -> ImportAnswer:
    folder = gateway.settings.work_path / "usage" / answer.file_hash.hex()
    folder.mkdir(parents=True, exist_ok=True)
    paths = [_write_slice(folder, part) for part in slices]
    with writing(gateway.engine) as connection:
        import_id = record_import(
            connection,
            file_hash=answer.file_hash,
            file_name=answer.file_name,
            preset=preset,
            accepted=read.counts.accepted,
            not_billable=read.counts.not_billable,
            duplicates=read.counts.duplicates,
            quarantined=quarantined,
            imported_at_ms=gateway.clock.now_ms(),
        )
        for part, path in zip(slices, paths, strict=True):
            relative = path.relative_to(gateway.settings.home).as_posix()
            quantity = pc.sum(part.table["quantity"]).as_py()
            add_usage(connection, import_id, part.scope, path=relative, count=len(part.table), quantity=quantity)
    values = {each: getattr(answer, each) for each in answer.__dataclass_fields__}
    return ImportAnswer(**(values | {"import_id": import_id}))


def _write_slice(folder: Path, part: _Slice) -> Path:
    scope = part.scope
    path = folder / f"{scope.period}-{part.partner}-{scope.creditor}-{scope.service.word}-{part.number}.parquet"
    partial = path.with_suffix(".part")
    pq.write_table(part.table, partial, compression="zstd")
    partial.replace(path)
    return path


def _slices(gateway: Gateway, read: Reading, batch_days: int) -> Iterator[_Slice]:
    for (partner, direction, service), table in sorted(read.tables.items()):
        held = partnership_with(gateway.settings, partner)
        creditor = gateway.carrier if direction is Direction.IN else partner
        for period, start_ms, monthly in _months(held, table):
            scope = BatchScope(held.id, gateway.carrier, creditor, service, period)
            numbers = pc.divide(pc.subtract(monthly["start_ms"], start_ms), batch_days * DAY_MS)
            for number in sorted(pc.unique(numbers).to_pylist()):
                yield _Slice(scope, partner, number, monthly.filter(pc.equal(numbers, number)))


def _months(held: Partnership, table: pa.Table) -> Iterator[tuple[Period, int, pa.Table]]:
    """The table by accounting month of the agreement's zone, with the month's first millisecond."""
    if len(table) == 0:
        return
    last_ms = pc.max(table["start_ms"]).as_py()
    period = _period_at(held, pc.min(table["start_ms"]).as_py())
    while True:
        start_ms, end_ms = period.bounds_ms(held.agreement.zone)
        inside = pc.and_(pc.greater_equal(table["start_ms"], start_ms), pc.less(table["start_ms"], end_ms))
        monthly = table.filter(inside)
        if len(monthly):
            yield period, start_ms, monthly
        if end_ms > last_ms:
            return
        period = Period(period.year + period.month // 12, period.month % 12 + 1)


def _period_at(held: Partnership, at_ms: int) -> Period:
    local = datetime.fromtimestamp(at_ms // 1000, held.agreement.zone)
    return Period(local.year, local.month)


def _answer(
    name: str,
    content_hash: bytes,
    read: Reading,
    quarantined: list[QuarantinedRow],
    slices: list[_Slice],
    dry_run: bool,
) -> ImportAnswer:
    sums: dict[tuple[CarrierCode, BatchScope], list[int]] = {}
    for part in slices:
        total = sums.setdefault((part.partner, part.scope), [0, 0])
        total[0] += len(part.table)
        total[1] += pc.sum(part.table["quantity"]).as_py()
    usage = tuple(
        ImportedUsage(partner, scope.creditor, scope.service, scope.period, count, quantity)
        for (partner, scope), (count, quantity) in sums.items()
    )
    return ImportAnswer(
        import_id=None,
        file_name=name,
        file_hash=content_hash,
        accepted=read.counts.accepted,
        quarantined=len(quarantined),
        not_billable=read.counts.not_billable,
        duplicates=read.counts.duplicates,
        usage=usage,
        quarantine=tuple(quarantined[:SHOWN_QUARANTINE]),
        repeated=False,
        dry_run=dry_run,
    )


def _repeated(before: Import, quarantined: list[QuarantinedRow]) -> ImportAnswer:
    return ImportAnswer(
        import_id=before.id,
        file_name=before.file_name,
        file_hash=before.file_hash,
        accepted=before.accepted,
        quarantined=before.quarantined,
        not_billable=before.not_billable,
        duplicates=before.duplicates,
        usage=(),
        quarantine=tuple(quarantined[:SHOWN_QUARANTINE]),
        repeated=True,
        dry_run=False,
    )


def choose_preset(name: str, path: Path) -> Preset:
    """A preset by name, by its own TOML file, or "auto": the one that fits best. Raises NotFound, Malformed."""
    if name == AUTO:
        return sniff(path).preset
    return read_preset(Path(name)) if name.endswith(".toml") else load_preset(name)


def _quarantine(read: Reading, path: Path) -> list[QuarantinedRow]:
    """Rows left out, each with its raw line, found in one pass over the file."""
    rows = read.quarantined.to_pylist()
    wanted = {row["line"] for row in rows}
    raw: dict[int, str] = {}
    if wanted:
        with path.open("rb") as stream:
            for number, line in enumerate(stream, start=1):
                if number in wanted:
                    raw[number] = line[:MAX_RAW_BYTES].decode("utf-8", "replace").rstrip("\r\n").replace("\0", "�")
    return [QuarantinedRow(row["line"], _reason(row), raw.get(row["line"], "")) for row in rows]


def _reason(row: dict[str, str]) -> str:
    return f"{row['column']}: {row['reason']}" if row["column"] else row["reason"]


def _hash_of(path: Path) -> bytes:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()
