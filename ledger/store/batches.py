"""Which batches did we seal and sign for, and which did the partner reveal to us?"""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from ledger.errors import Conflict, NotFound
from ledger.identity import AgreementId, BatchId, Root
from ledger.money import Micros
from ledger.period import Period
from ledger.store.rows import all_of, one_of
from ledger.store.states import BatchState
from ledger.store.tables import batches, revealed_batches, usage_tables
from ledger.usage import BatchScope


@dataclass(frozen=True, slots=True)
class SealedBatch:
    """One of our usage batches; `archive_path` is the Parquet file named by its root."""

    scope: BatchScope
    root: Root
    count: int
    from_ms: int
    to_ms: int
    quantity: int
    amount_micros: Micros
    deck_hash: bytes
    archive_path: str
    sealed_at_ms: int
    corrects: BatchId | None = None
    igw: str | None = None
    secret: bytes | None = None
    """Encrypted by the keystore; None if only the archive holds it."""
    state: BatchState = BatchState.SEALED
    batch_id: BatchId | None = None
    seq: int | None = None
    deadline: int | None = None
    signature: bytes | None = None


@dataclass(frozen=True, slots=True)
class RevealedBatch:
    """A partner's batch that was revealed to us; `refusal` says why its file is not what was declared."""

    batch_id: BatchId
    root: Root
    scope: BatchScope
    archive_path: str
    revealed_at_ms: int
    refusal: str | None


def record_batch(connection: Connection, batch: SealedBatch) -> None:
    """Remember a sealed batch. Raises Conflict if its root is known."""
    if connection.execute(select(batches.c.root).where(batches.c.root == batch.root)).one_or_none() is not None:
        raise Conflict("this batch is sealed already", got=batch.root.hex(), todo="Declare it.")
    connection.execute(insert(batches).values(_columns(batch)))


def declare_batch(
    connection: Connection,
    root: Root,
    *,
    batch_id: BatchId,
    seq: int,
    deadline: int,
    signature: bytes,
    igw: str | None = None,
) -> None:
    """Remember the signed declaration of a batch, in the transaction that puts it into the outbox.

    A batch whose declaration was refused may be declared again. Raises NotFound.
    """
    values = {
        "state": BatchState.DECLARED,
        "batch_id": batch_id,
        "seq": seq,
        "deadline": deadline,
        "signature": signature,
        "igw": igw,
    }
    if connection.execute(update(batches).where(batches.c.root == root).values(values)).rowcount != 1:
        raise NotFound("no batch with this root", got=root.hex(), todo="Seal it first.")


def release_batch(connection: Connection, root: Root) -> None:
    """Forget a batch that can never be declared as it is sealed; its usage waits to be sealed anew. Raises NotFound."""
    connection.execute(update(usage_tables).where(usage_tables.c.root == root).values(root=None))
    if connection.execute(delete(batches).where(batches.c.root == root)).rowcount != 1:
        raise NotFound("no batch with this root", got=root.hex())


def replace_batch(connection: Connection, root: Root, by: SealedBatch) -> None:
    """Let the same records, sealed otherwise, take the place of a batch that was never sent. Raises NotFound."""
    record_batch(connection, by)
    connection.execute(update(usage_tables).where(usage_tables.c.root == root).values(root=by.root))
    if connection.execute(delete(batches).where(batches.c.root == root)).rowcount != 1:
        raise NotFound("no batch with this root", got=root.hex())


def batch_of_root(connection: Connection, root: Root) -> SealedBatch:
    """Our batch with this root. Raises NotFound."""
    found = connection.execute(select(batches).where(batches.c.root == root)).one_or_none()
    if found is None:
        raise NotFound("no batch with this root", got=root.hex())
    return one_of(SealedBatch, found)


def batch_of_id(connection: Connection, batch_id: BatchId) -> SealedBatch:
    """Our batch with this batch id. Raises NotFound."""
    found = connection.execute(select(batches).where(batches.c.batch_id == batch_id)).one_or_none()
    if found is None:
        raise NotFound("no batch of ours with this id", got=batch_id.hex())
    return one_of(SealedBatch, found)


def list_batches(
    connection: Connection,
    agreement_id: AgreementId | None = None,
    period: Period | None = None,
    state: BatchState | None = None,
) -> list[SealedBatch]:
    """Our batches, oldest first."""
    query = select(batches).order_by(batches.c.sealed_at_ms, batches.c.root)
    if agreement_id is not None:
        query = query.where(batches.c.agreement_id == agreement_id)
    if period is not None:
        query = query.where(batches.c.period == period)
    if state is not None:
        query = query.where(batches.c.state == state)
    return all_of(SealedBatch, connection.execute(query))


def record_revealed(connection: Connection, batch: RevealedBatch) -> None:
    """Remember a partner's batch and whether its file is what was declared; a new file replaces the one before."""
    known = revealed_batches.c.batch_id == batch.batch_id
    values = _columns(batch)
    if connection.execute(update(revealed_batches).where(known).values(values)).rowcount == 0:
        connection.execute(insert(revealed_batches).values(values))


def list_revealed(connection: Connection, agreement_id: AgreementId, period: Period) -> list[RevealedBatch]:
    """The partner's batches of one agreement and period, refused ones too."""
    wanted = (revealed_batches.c.agreement_id == agreement_id) & (revealed_batches.c.period == period)
    query = select(revealed_batches).where(wanted).order_by(revealed_batches.c.batch_id)
    return all_of(RevealedBatch, connection.execute(query))


def good_reveals(connection: Connection) -> set[BatchId]:
    """The partners' batches that were revealed and are what was sealed."""
    good = select(revealed_batches.c.batch_id).where(revealed_batches.c.refusal.is_(None))
    return {BatchId(each) for each in connection.execute(good).scalars()}


def _columns(batch: SealedBatch | RevealedBatch) -> dict[str, object]:
    names = [name for name in type(batch).__dataclass_fields__ if name != "scope"]
    return {name: getattr(batch, name) for name in names} | batch.scope._asdict()
