"""How does a dispute's thread leave the house? Every signed entry of both sides, and the files they attached."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.answers import as_json
from gateway.composition import Gateway
from gateway.thread.entries import in_order, load_attachments
from gateway.verify_bundle import ATTACHMENTS
from ledger.store.dispute_entries import EntryRow, list_entries
from ledger.store.documents import document
from ledger.store.engine import reading
from ledger.typed_data import recover


@dataclass(frozen=True, slots=True)
class LeavingThread:
    """A thread as a bundle holds it."""

    content: Mapping[str, object]
    files: Mapping[str, bytes]
    """By their name in the bundle."""


def thread_of(gateway: Gateway, dispute_id: bytes) -> LeavingThread:
    """What both have written about a dispute, in the thread's order."""
    with reading(gateway.engine) as connection:
        rows = in_order(list_entries(connection, dispute_id))
        hashes = {each.hash for row in rows for each in load_attachments(row.attachments)}
        files = {f"{ATTACHMENTS}{_hex(each)}": document(connection, each).content for each in sorted(hashes)}
    domain = gateway.network.domain("SettlementBook")
    return LeavingThread({"domain": as_json(domain), "entries": [_entry(row) for row in rows]}, files)


def _entry(row: EntryRow) -> dict[str, object]:
    return {
        "digest": _hex(row.digest),
        "disputeId": _hex(row.dispute_id),
        "author": row.author,
        "number": str(row.number),
        "previous": _hex(row.previous),
        "act": row.act,
        "creditedMicros": str(row.credited_micros),
        "text": row.text,
        "attachments": [
            {"name": each.name, "size": each.size, "hash": _hex(each.hash)}
            for each in load_attachments(row.attachments)
        ],
        "writtenAt": str(row.written_at),
        "signer": recover(row.digest, row.signature),
        "signature": _hex(row.signature),
    }


def _hex(raw: bytes) -> str:
    return f"0x{raw.hex()}"
