"""What have the two carriers said to each other about a dispute? Signed entries, kept at both sides."""

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from ledger.identity import AgreementId, CarrierCode
from ledger.money import Micros
from ledger.store.rows import all_of
from ledger.store.states import EntryAct
from ledger.store.tables import dispute_entries


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One signed entry. `digest` is what was signed, `attachments` the canonical bytes of names, sizes and hashes."""

    digest: bytes
    dispute_id: bytes
    agreement_id: AgreementId
    author: CarrierCode
    number: int
    """The author's own count, from 1."""
    previous: bytes
    """The last entry the author had seen, zeros before the first."""
    act: EntryAct
    credited_micros: Micros
    text: str
    attachments: bytes
    written_at: int
    """Seconds, by the author's clock."""
    signature: bytes
    received_at_ms: int
    delivered_at_ms: int | None
    """When the counterparty's gateway took ours, None while it waits; for theirs, when it came."""


def keep_entry(connection: Connection, row: EntryRow) -> bool:
    """Keep a checked entry; False if it is there already."""
    known = select(dispute_entries.c.digest).where(dispute_entries.c.digest == row.digest)
    if connection.execute(known).one_or_none() is not None:
        return False
    names = EntryRow.__dataclass_fields__
    connection.execute(insert(dispute_entries).values({name: getattr(row, name) for name in names}))
    return True


def mark_delivered(connection: Connection, digest: bytes, now_ms: int) -> None:
    """The counterparty's gateway has taken one of ours."""
    table = dispute_entries
    connection.execute(update(table).where(table.c.digest == digest).values(delivered_at_ms=now_ms))


def list_entries(connection: Connection, dispute_id: bytes | None = None) -> list[EntryRow]:
    """Entries of a dispute, or of all, in the order they came here."""
    query = select(dispute_entries).order_by(dispute_entries.c.received_at_ms, dispute_entries.c.number)
    if dispute_id is not None:
        query = query.where(dispute_entries.c.dispute_id == dispute_id)
    return all_of(EntryRow, connection.execute(query))


def list_undelivered(connection: Connection, author: CarrierCode) -> list[EntryRow]:
    """Ours that the counterparty has not taken yet, in the order they were written."""
    table = dispute_entries.c
    query = select(dispute_entries).where((table.author == author) & table.delivered_at_ms.is_(None))
    return all_of(EntryRow, connection.execute(query.order_by(table.dispute_id, table.number)))
