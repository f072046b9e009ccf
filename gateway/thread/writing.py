"""How does our desk write into a dispute's thread? Signed, kept, then brought to the counterparty's gateway."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.composition import Gateway, Partnership, partnership_of_id
from gateway.month.resolving import resolve
from gateway.peers import peer_of
from gateway.thread.entries import (
    FIRST,
    Attachment,
    DisputeEntry,
    attachment_of,
    attachments_hash,
    check_words,
    dump_attachments,
    in_order,
    load_attachments,
)
from ledger.errors import Conflict, GscError, Malformed
from ledger.identity import ascii32
from ledger.keccak import keccak256
from ledger.money import Micros, show_micros
from ledger.store.dispute_entries import EntryRow, keep_entry, list_entries, list_undelivered, mark_delivered
from ledger.store.documents import Document, document, keep_document
from ledger.store.engine import lock, reading, writing
from ledger.store.settlement import CLOSED_DISPUTES, DisputeRow, dispute_of
from ledger.store.states import EntryAct


@dataclass(frozen=True, slots=True)
class Draft:
    """What our desk wants to say: seen before it is signed."""

    act: EntryAct
    text: str = ""
    credited_micros: int = 0
    files: Sequence[tuple[str, bytes]] = ()


def next_place(connection: Connection, gateway: Gateway, dispute_id: bytes) -> tuple[int, bytes]:
    """The number our next entry has, and the entry it names as the one before."""
    rows = in_order(list_entries(connection, dispute_id))
    ours = [row.number for row in rows if row.author == gateway.carrier]
    return max(ours, default=0) + 1, rows[-1].digest if rows else FIRST


def write_entry(gateway: Gateway, dispute_id: bytes, draft: Draft, place: tuple[int, bytes]) -> EntryRow:
    """Sign an entry at the place the desk saw, keep it and try to deliver it; sent twice it is written once.

    An offer signs the resolution too, which ends the dispute on chain as soon as both have signed the same.
    Raises Malformed, NotFound, Conflict if the thread has moved on since.
    """
    gateway.catch_up()
    attachments = [attachment_of(name, content) for name, content in draft.files]
    check_words(draft.act, draft.text, draft.credited_micros, attachments)
    with writing(gateway.engine) as connection:
        lock(connection, f"thread {dispute_id.hex()}")
        dispute = dispute_of(connection, dispute_id)
        held = partnership_of_id(gateway.settings, dispute.agreement_id)
        row = _written_before(connection, gateway, dispute_id, draft, attachments, place[0])
        if row is None:
            check_act(dispute, draft)
            row = _signed(gateway, connection, dispute, draft, attachments, place)
    deliver_entries(gateway, held)
    return row


def check_act(dispute: DisputeRow, draft: Draft) -> None:
    """Offers part what is disputed, while it is open. Raises Malformed, Conflict."""
    if draft.act is not EntryAct.NOTE and dispute.state in CLOSED_DISPUTES:
        raise Conflict(
            "this dispute is over",
            expected="an open dispute",
            got=dispute.state.name.lower().replace("_", " "),
            todo="Write a note, or see what became payable.",
        )
    if draft.credited_micros > dispute.amount_micros or draft.credited_micros < 0:
        raise Malformed(
            "more is credited than is disputed",
            expected=f"0 to {show_micros(dispute.amount_micros)}",
            got=show_micros(draft.credited_micros),
        )


def deliver_entries(gateway: Gateway, held: Partnership) -> str:
    """Bring what waits to the counterparty, each thread in order; why it still waits, or nothing."""
    with reading(gateway.engine) as connection:
        waiting = [row for row in list_undelivered(connection, gateway.carrier) if row.agreement_id == held.id]
    try:
        for row in waiting:
            _deliver(gateway, held, row)
    except GscError as error:
        return str(error)
    return ""


def _written_before(
    connection: Connection,
    gateway: Gateway,
    dispute_id: bytes,
    draft: Draft,
    attachments: Sequence[Attachment],
    number: int,
) -> EntryRow | None:
    """The entry that a second click asks for again. Raises Conflict if its place is taken by another."""
    rows = list_entries(connection, dispute_id)
    found = next((row for row in rows if (row.author, row.number) == (gateway.carrier, number)), None)
    if found is None:
        return None
    said = (found.act, found.text, found.credited_micros, load_attachments(found.attachments))
    if said != (draft.act, draft.text, draft.credited_micros, tuple(attachments)):
        raise _moved_on(f"your entry {number}", f"another entry {number}, 0x{found.digest.hex()}")
    return found


def _signed(
    gateway: Gateway,
    connection: Connection,
    dispute: DisputeRow,
    draft: Draft,
    attachments: Sequence[Attachment],
    place: tuple[int, bytes],
) -> EntryRow:
    now = next_place(connection, gateway, dispute.dispute_id)
    if place != now:
        raise _moved_on(f"an entry after 0x{place[1].hex()}", f"the last entry is 0x{now[1].hex()}")
    struct = DisputeEntry(
        dispute_id=dispute.dispute_id,
        author=ascii32(gateway.carrier),
        number=place[0],
        previous=place[1],
        act=ascii32(draft.act),
        credited_micros=draft.credited_micros,
        text_hash=keccak256(draft.text.encode("utf-8")),
        attachments_hash=attachments_hash(attachments),
        written_at=gateway.now_s,
    )
    signed = gateway.signer.sign(struct)
    row = EntryRow(
        digest=signed.digest,
        dispute_id=dispute.dispute_id,
        agreement_id=dispute.agreement_id,
        author=gateway.carrier,
        number=struct.number,
        previous=struct.previous,
        act=draft.act,
        credited_micros=Micros(draft.credited_micros),
        text=draft.text,
        attachments=dump_attachments(attachments),
        written_at=struct.written_at,
        signature=signed.signature,
        received_at_ms=gateway.clock.now_ms(),
        delivered_at_ms=None,
    )
    keep_files(connection, row, draft.files)
    keep_entry(connection, row)
    return row


def keep_files(connection: Connection, row: EntryRow, files: Sequence[tuple[str, bytes]]) -> None:
    """The contents of an entry's files, under their hashes."""
    for name, content in files:
        kept = Document(keccak256(content), "attachment", row.agreement_id, name, content, row.received_at_ms)
        keep_document(connection, kept)


def struct_of_row(row: EntryRow) -> DisputeEntry:
    """What the author signed."""
    return DisputeEntry(
        dispute_id=row.dispute_id,
        author=ascii32(row.author),
        number=row.number,
        previous=row.previous,
        act=ascii32(row.act),
        credited_micros=row.credited_micros,
        text_hash=keccak256(row.text.encode("utf-8")),
        attachments_hash=attachments_hash(load_attachments(row.attachments)),
        written_at=row.written_at,
    )


def _deliver(gateway: Gateway, held: Partnership, row: EntryRow) -> None:
    with reading(gateway.engine) as connection:
        files = [(each.name, document(connection, each.hash).content) for each in load_attachments(row.attachments)]
    peer_of(gateway, held.partner).deliver_entry(struct_of_row(row), row.signature, row.text, files)
    if row.act is EntryAct.OFFER:
        _exchange_resolutions(gateway, row)
    with writing(gateway.engine) as connection:
        mark_delivered(connection, row.digest, gateway.clock.now_ms())


def _exchange_resolutions(gateway: Gateway, row: EntryRow) -> None:
    """Sign what the offer says; with both signatures it goes on chain. An offer overtaken by an end binds nobody."""
    with reading(gateway.engine) as connection:
        over = dispute_of(connection, row.dispute_id).state in CLOSED_DISPUTES
    if not over:
        resolve(gateway, row.dispute_id, row.credited_micros)


def _moved_on(expected: str, got: str) -> Conflict:
    return Conflict(
        "the thread has moved on since you looked",
        expected=expected,
        got=got,
        todo="Read what was written meanwhile, then send yours again.",
    )
