"""May this entry of a peer stand in a dispute's thread? Checked against the chain, its hashes and the thread so far."""

from collections.abc import Sequence

from sqlalchemy import Connection

from gateway.composition import Gateway, partnership_of_id
from gateway.peers import decode, require_key
from gateway.requests import REQUEST_SECONDS
from gateway.thread.entries import (
    FIRST,
    DisputeEntry,
    attachment_of,
    attachments_hash,
    check_words,
    dump_attachments,
    heights_of,
)
from gateway.thread.writing import keep_files
from ledger.errors import Conflict, Malformed, NotFound, Refused, SequenceConflict
from ledger.identity import CarrierCode, text_of_ascii32
from ledger.keccak import keccak256
from ledger.money import Micros, show_micros
from ledger.store.dispute_entries import EntryRow, keep_entry, list_entries
from ledger.store.engine import lock, reading, writing
from ledger.store.settlement import DisputeRow, dispute_of
from ledger.store.states import EntryAct

MAX_ENTRIES = 500
"""Of one author in one dispute."""


class Equivocated(Conflict):
    """A peer signed two entries under one number; both are kept, as proof."""

    slug = "equivocated"


def receive_entry(
    gateway: Gateway, raw: bytes, signature: bytes, text: str, files: Sequence[tuple[str, bytes]]
) -> EntryRow:
    """Check and keep a peer's entry; the same again changes nothing.

    Raises NotFound (also for what is not theirs to see), SignatureRefused, Malformed, Refused (hashes, time),
    SequenceConflict, Equivocated.
    """
    struct = decode(DisputeEntry, raw)
    gateway.catch_up()
    with reading(gateway.engine) as connection:
        dispute = dispute_of(connection, struct.dispute_id)
    author = _author(gateway, dispute, struct)
    require_key(gateway, author, struct, signature)
    row = _row(gateway, dispute, struct, author, signature, text, files)
    with writing(gateway.engine) as connection:
        lock(connection, f"thread {struct.dispute_id.hex()}")
        fault = _fault_of_place(connection, row)
        if fault is None or isinstance(fault, Equivocated):
            keep_files(connection, row, files)
            keep_entry(connection, row)
    if fault is not None:
        raise fault
    return row


def _author(gateway: Gateway, dispute: DisputeRow, struct: DisputeEntry) -> CarrierCode:
    held = partnership_of_id(gateway.settings, dispute.agreement_id)
    if text_of_ascii32(struct.author) != held.partner:
        raise NotFound("no such dispute on the chain", got=struct.dispute_id.hex())
    return held.partner


def _row(
    gateway: Gateway,
    dispute: DisputeRow,
    struct: DisputeEntry,
    author: CarrierCode,
    signature: bytes,
    text: str,
    files: Sequence[tuple[str, bytes]],
) -> EntryRow:
    """The entry, once what came with it is what was signed."""
    words = {each.value: each for each in EntryAct}
    act = words.get(text_of_ascii32(struct.act))
    if act is None:
        raise Malformed("no such act", expected=" or ".join(words), got=text_of_ascii32(struct.act))
    attachments = tuple(attachment_of(name, content) for name, content in files)
    check_words(act, text, struct.credited_micros, attachments)
    _require_same("text", struct.text_hash, keccak256(text.encode("utf-8")))
    _require_same("list of files", struct.attachments_hash, attachments_hash(attachments))
    if struct.credited_micros > dispute.amount_micros:
        raise Malformed(
            "more is credited than is disputed",
            expected=f"at most {show_micros(dispute.amount_micros)}",
            got=show_micros(struct.credited_micros),
        )
    if struct.written_at > gateway.now_s + REQUEST_SECONDS:
        raise Refused(
            "the entry is written in the future",
            expected=f"at most {gateway.now_s + REQUEST_SECONDS}",
            got=struct.written_at,
            todo="Compare the clocks of both gateways.",
        )
    now_ms = gateway.clock.now_ms()
    return EntryRow(
        digest=gateway.signer.digest(struct),
        dispute_id=struct.dispute_id,
        agreement_id=dispute.agreement_id,
        author=author,
        number=struct.number,
        previous=struct.previous,
        act=act,
        credited_micros=Micros(struct.credited_micros),
        text=text,
        attachments=dump_attachments(attachments),
        written_at=struct.written_at,
        signature=signature,
        received_at_ms=now_ms,
        delivered_at_ms=now_ms,
    )


def _fault_of_place(connection: Connection, row: EntryRow) -> Conflict | None:
    """Why the entry cannot stand where it says; None if it can, or stands there already."""
    rows = list_entries(connection, row.dispute_id)
    theirs = [each for each in rows if each.author == row.author]
    same = [each for each in theirs if each.number == row.number]
    if any(each.digest == row.digest for each in same):
        return None
    if same:
        return Equivocated(
            f"{row.author} signed two entries {row.number} in this dispute; both are kept",
            expected=f"0x{same[0].digest.hex()}",
            got=f"0x{row.digest.hex()}",
            todo="Show both to whoever judges between you.",
        )
    expected = max((each.number for each in theirs), default=0) + 1
    if row.number != expected or expected > MAX_ENTRIES:
        return SequenceConflict(
            "entries are counted without a gap",
            expected=f"{expected}, of at most {MAX_ENTRIES}",
            got=row.number,
            todo="Send the missing entries first.",
        )
    heights = heights_of(rows)
    seen = {each.digest: height for each, height in heights.items()} | {FIRST: -1}
    last = max((heights[each] for each in theirs), default=-1)
    if row.previous not in seen or seen[row.previous] < last:
        return SequenceConflict(
            "the entry does not follow the thread",
            expected="an entry both know, not before the author's own last one",
            got=f"0x{row.previous.hex()}",
            todo="Fetch the thread again and write the entry anew.",
        )
    return None


def _require_same(what: str, signed: bytes, came: bytes) -> None:
    if signed != came:
        raise Refused(f"the {what} is not what was signed", expected=f"0x{signed.hex()}", got=f"0x{came.hex()}")
