"""Which files were read, what was left out of them and why, and which usage waits to be sealed?"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import Connection, delete, func, insert, select, update

from ledger.errors import Conflict, NotFound
from ledger.identity import AgreementId, Root
from ledger.store.rows import all_of, one_of
from ledger.store.tables import batches, imports, quarantined_rows, usage_tables
from ledger.usage import BatchScope

_ROWS_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Import:
    """One CDR file that was read. Counts are rows of the file."""

    id: int
    file_hash: bytes
    file_name: str
    preset: str
    accepted: int
    quarantined: int
    not_billable: int
    duplicates: int
    imported_at_ms: int
    replay_of: int | None = None
    """The import whose quarantined rows were read again."""


@dataclass(frozen=True, slots=True)
class QuarantinedRow:
    """A row that could not be read; the file went on."""

    line: int
    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class UsageFile:
    """The usage of one scope out of one import: a Parquet file of USAGE_SCHEMA rows."""

    id: int
    import_id: int
    scope: BatchScope
    path: str
    count: int
    """Records it stands for: those of its batch and those still without a price. Not those moved to a later file."""
    quantity: int
    root: Root | None
    """The batch it was sealed into, None while it waits."""


def find_import(connection: Connection, file_hash: bytes) -> Import | None:
    """The import of exactly this content, whatever its name."""
    found = connection.execute(select(imports).where(imports.c.file_hash == file_hash)).one_or_none()
    return None if found is None else one_of(Import, found)


def import_of(connection: Connection, import_id: int) -> Import:
    """The import of a number. Raises NotFound."""
    found = connection.execute(select(imports).where(imports.c.id == import_id)).one_or_none()
    if found is None:
        raise NotFound("no such import", got=import_id, todo="See what was imported: /desk/imports.")
    return one_of(Import, found)


def replay_of(connection: Connection, import_id: int) -> Import | None:
    """The import that read the quarantined rows of another one again."""
    found = connection.execute(select(imports).where(imports.c.replay_of == import_id)).one_or_none()
    return None if found is None else one_of(Import, found)


def list_imports(connection: Connection) -> list[Import]:
    """All imports, the latest first."""
    return all_of(Import, connection.execute(select(imports).order_by(imports.c.id.desc())))


def record_import(
    connection: Connection,
    *,
    file_hash: bytes,
    file_name: str,
    preset: str,
    accepted: int,
    not_billable: int,
    duplicates: int,
    quarantined: Iterable[QuarantinedRow],
    imported_at_ms: int,
    replay_of: int | None = None,
) -> int:
    """Remember an import with the rows it left out, which may be many; its id.

    Raises Conflict if this content was imported before.
    """
    before = find_import(connection, file_hash)
    if before is not None:
        raise Conflict(
            f"this file was imported before, as {before.file_name}",
            expected="a file not imported yet",
            got=f"import {before.id} with {before.accepted} rows",
            todo="Nothing was changed; go on with rating and sealing.",
            import_id=before.id,
        )
    values = {
        "file_hash": file_hash,
        "file_name": file_name,
        "preset": preset,
        "accepted": accepted,
        "quarantined": 0,
        "not_billable": not_billable,
        "duplicates": duplicates,
        "imported_at_ms": imported_at_ms,
        "replay_of": replay_of,
    }
    import_id: int = connection.execute(insert(imports).values(values).returning(imports.c.id)).scalar_one()
    count, waiting = 0, iter(quarantined)
    while some := list(islice(waiting, _ROWS_AT_ONCE)):
        rows = [{"import_id": import_id, "line": q.line, "reason": q.reason, "raw": q.raw} for q in some]
        connection.execute(insert(quarantined_rows), rows)
        count += len(rows)
    connection.execute(update(imports).where(imports.c.id == import_id).values(quarantined=count))
    return import_id


def list_quarantined(connection: Connection, import_id: int) -> list[QuarantinedRow]:
    """The rows an import left out, in file order."""
    columns = (quarantined_rows.c.line, quarantined_rows.c.reason, quarantined_rows.c.raw)
    rows = select(*columns).where(quarantined_rows.c.import_id == import_id).order_by(quarantined_rows.c.id)
    return all_of(QuarantinedRow, connection.execute(rows))


def quarantined_after(connection: Connection, import_id: int, line: int, limit: int) -> list[QuarantinedRow]:
    """At most `limit` rows that an import left out, in file order, of lines above one."""
    columns = (quarantined_rows.c.line, quarantined_rows.c.reason, quarantined_rows.c.raw)
    wanted = (quarantined_rows.c.import_id == import_id) & (quarantined_rows.c.line > line)
    rows = select(*columns).where(wanted).order_by(quarantined_rows.c.line, quarantined_rows.c.id).limit(limit)
    return all_of(QuarantinedRow, connection.execute(rows))


def quarantined_lines(connection: Connection, import_id: int) -> list[int]:
    """The lines of the rows that an import left out, in file order."""
    lines = select(quarantined_rows.c.line).where(quarantined_rows.c.import_id == import_id)
    return list(connection.execute(lines.order_by(quarantined_rows.c.line).distinct()).scalars())


def usage_of_import(connection: Connection, import_id: int) -> list[UsageFile]:
    """What an import left to be sealed, or was sealed of it."""
    rows = select(usage_tables).where(usage_tables.c.import_id == import_id).order_by(usage_tables.c.id)
    return all_of(UsageFile, connection.execute(rows))


def add_usage(
    connection: Connection, import_id: int, scope: BatchScope, *, path: str, count: int, quantity: int
) -> int:
    """Remember the usage file of one scope of an import; its id."""
    values = {"import_id": import_id, "path": path, "count": count, "quantity": quantity, **scope._asdict()}
    added: int = connection.execute(insert(usage_tables).values(values).returning(usage_tables.c.id)).scalar_one()
    return added


def unsealed_usage(connection: Connection, scope: BatchScope | None = None) -> list[UsageFile]:
    """Usage that waits to be sealed, oldest first; of one scope or of all."""
    query = select(usage_tables).where(usage_tables.c.root.is_(None)).order_by(usage_tables.c.id)
    for name, value in (scope._asdict() if scope else {}).items():
        query = query.where(usage_tables.c[name] == value)
    return all_of(UsageFile, connection.execute(query))


def partly_sealed(connection: Connection) -> list[tuple[UsageFile, int]]:
    """Sealed usage with records that are in no batch, oldest first; each with how many they are."""
    query = select(usage_tables, (usage_tables.c.count - batches.c.count).label("left"))
    query = query.join(batches, batches.c.root == usage_tables.c.root).where(usage_tables.c.count > batches.c.count)
    found = connection.execute(query.order_by(usage_tables.c.id)).all()
    usages = connection.execute(select(usage_tables).where(usage_tables.c.id.in_([row.id for row in found])))
    by_id = {usage.id: usage for usage in all_of(UsageFile, usages)}
    return [(by_id[row.id], row.left) for row in found]


def later_usage(connection: Connection, usage: UsageFile) -> list[UsageFile]:
    """Usage of the same import and scope that was added later: what was moved out of this file is there."""
    query = select(usage_tables).where(usage_tables.c.import_id == usage.import_id, usage_tables.c.id > usage.id)
    for name, value in usage.scope._asdict().items():
        query = query.where(usage_tables.c[name] == value)
    return all_of(UsageFile, connection.execute(query.order_by(usage_tables.c.id)))


def move_usage(connection: Connection, usage: UsageFile, *, path: str, count: int, quantity: int) -> int:
    """Let a new usage file stand for some records of another one; its id. Raises Conflict if that one changed."""
    unchanged = (usage_tables.c.id == usage.id) & (usage_tables.c.count == usage.count)
    values = {"count": usage.count - count, "quantity": usage.quantity - quantity}
    if connection.execute(update(usage_tables).where(unchanged).values(values)).rowcount != 1:
        raise Conflict("this usage file was changed meanwhile", got=usage.id, todo="Try again.")
    return add_usage(connection, usage.import_id, usage.scope, path=path, count=count, quantity=quantity)


def mark_sealed(connection: Connection, usage_ids: Iterable[int], root: Root) -> None:
    """Say that usage files went into a batch. Raises NotFound if one is unknown or sealed already."""
    for usage_id in usage_ids:
        waiting = usage_tables.c.root.is_(None) & (usage_tables.c.id == usage_id)
        if connection.execute(update(usage_tables).where(waiting).values(root=root)).rowcount != 1:
            raise NotFound("no such usage waits to be sealed", got=usage_id)


def usage_scopes(connection: Connection) -> list[BatchScope]:
    """Every scope that has usage, sealed or waiting."""
    usages = connection.execute(select(usage_tables).order_by(usage_tables.c.id))
    return list(dict.fromkeys(usage.scope for usage in all_of(UsageFile, usages)))


def usage_of(connection: Connection, scope: BatchScope) -> list[UsageFile]:
    """All usage of a scope, sealed or waiting, oldest first."""
    query = select(usage_tables).order_by(usage_tables.c.id)
    for name, value in scope._asdict().items():
        query = query.where(usage_tables.c[name] == value)
    return all_of(UsageFile, connection.execute(query))


def restate_usage(connection: Connection, usage: UsageFile, count: int) -> None:
    """Say that a waiting file holds another number of records by now; with none it is forgotten. Raises Conflict if it
    was sealed meanwhile."""
    waiting = usage_tables.c.root.is_(None) & (usage_tables.c.id == usage.id)
    change = update(usage_tables).values(count=count) if count else delete(usage_tables)
    if connection.execute(change.where(waiting)).rowcount != 1:
        raise Conflict("this usage file was sealed meanwhile", got=usage.id, todo="Try again.")


def last_import_ms(connection: Connection, agreement_id: AgreementId) -> int | None:
    """When usage under an agreement was last imported, None if never."""
    query = (
        select(func.max(imports.c.imported_at_ms))
        .join(usage_tables, usage_tables.c.import_id == imports.c.id)
        .where(usage_tables.c.agreement_id == agreement_id)
    )
    found = connection.execute(query).scalar_one()
    return None if found is None else int(found)
