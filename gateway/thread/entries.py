"""What is an entry of a dispute's thread, and in which order do entries stand? Signed structs of ours, never on chain.

Each author counts its own entries without a gap and names the last entry it had seen, so both sides come to the same
order, nobody can slip an entry in later, and two entries of one number are proof that their author says different
things to different readers.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import msgspec

from ledger.canonical import canonical_hash
from ledger.chain.abi import FixedBytes, Integer, keccak
from ledger.chain.bound import Fields, Struct
from ledger.errors import Malformed
from ledger.identity import CarrierCode
from ledger.keccak import keccak256
from ledger.money import show_micros
from ledger.store.dispute_entries import EntryRow
from ledger.store.states import EntryAct

FIRST = bytes(32)
"""What the first entry of a thread names as the one before."""
MAX_TEXT = 4_000
MAX_FILES = 5
MAX_FILE_NAME = 120
MAX_FILES_BYTES = 512 * 1024
"""Of all files of one entry; longer evidence goes in several."""

_ENTRY_TYPE = (
    "DisputeEntry(bytes32 disputeId,bytes32 author,uint64 number,bytes32 previous,bytes32 act,"
    "uint128 creditedMicros,bytes32 textHash,bytes32 attachmentsHash,uint64 writtenAt)"
)


@dataclass(frozen=True, slots=True)
class DisputeEntry(Struct):
    """One entry, as its author signs it."""

    TYPE: ClassVar[str] = _ENTRY_TYPE
    TYPEHASH: ClassVar[bytes] = keccak(_ENTRY_TYPE.encode("ascii"))
    FIELDS: ClassVar[Fields] = (
        ("dispute_id", FixedBytes(32)),
        ("author", FixedBytes(32)),
        ("number", Integer(64)),
        ("previous", FixedBytes(32)),
        ("act", FixedBytes(32)),
        ("credited_micros", Integer(128)),
        ("text_hash", FixedBytes(32)),
        ("attachments_hash", FixedBytes(32)),
        ("written_at", Integer(64)),
    )

    dispute_id: bytes
    author: bytes
    number: int
    previous: bytes
    act: bytes
    credited_micros: int
    text_hash: bytes
    attachments_hash: bytes
    written_at: int


class Attachment(NamedTuple):
    """A file of an entry: its name, its size in bytes and the keccak256 of its content."""

    name: str
    size: int
    hash: bytes


class Equivocation(NamedTuple):
    """Two entries of one author under one number, both signed."""

    author: CarrierCode
    number: int
    digests: tuple[bytes, ...]


def attachment_of(name: str, content: bytes) -> Attachment:
    """A file as an entry names it. Raises Malformed for a name no line can show."""
    if not 0 < len(name) <= MAX_FILE_NAME or not name.isprintable() or "/" in name or "\\" in name:
        raise Malformed(
            "not a file's name",
            expected=f"1 to {MAX_FILE_NAME} printable characters without a path",
            got=repr(name[:MAX_FILE_NAME]),
            todo="Rename the file.",
        )
    return Attachment(name, len(content), keccak256(content))


def attachments_hash(attachments: Sequence[Attachment]) -> bytes:
    """What an entry's signature binds of its files: names, sizes and contents, in their order."""
    return canonical_hash("attachments", [[each.name, each.size, each.hash] for each in attachments])


def dump_attachments(attachments: Sequence[Attachment]) -> bytes:
    """The list of an entry's files as the store keeps it."""
    return msgspec.json.encode([[each.name, each.size, each.hash.hex()] for each in attachments])


def load_attachments(raw: bytes) -> tuple[Attachment, ...]:
    """What `dump_attachments` wrote."""
    return tuple(Attachment(name, size, bytes.fromhex(hashed)) for name, size, hashed in msgspec.json.decode(raw))


def check_words(act: EntryAct, text: str, credited_micros: int, attachments: Sequence[Attachment]) -> None:
    """An entry says something, in bounds, and only an offer names money. Raises Malformed."""
    if len(text) > MAX_TEXT or any(not (each.isprintable() or each in "\n\r\t") for each in text):
        raise Malformed(
            "the text is too long, or not plain text",
            expected=f"at most {MAX_TEXT} printable characters",
            got=f"{len(text)} characters",
            todo="Shorten it, or attach it as a file.",
        )
    if act is EntryAct.NOTE and not text.strip() and not attachments:
        raise Malformed("an entry without words or files", expected="some text, or a file", todo="Write something.")
    if act is not EntryAct.OFFER and credited_micros:
        raise Malformed("only an offer names an amount", expected="0", got=show_micros(credited_micros))
    size = sum(each.size for each in attachments)
    if len(attachments) > MAX_FILES or size > MAX_FILES_BYTES:
        raise Malformed(
            "more files than one entry carries",
            expected=f"at most {MAX_FILES} files and {MAX_FILES_BYTES // 1024} kB together",
            got=f"{len(attachments)} files, {size // 1024} kB",
            todo="Send the rest in a second entry.",
        )


def in_order(rows: Iterable[EntryRow]) -> list[EntryRow]:
    """The thread: each entry after the one it names; entries written at the same time by author, number, digest."""
    heights = heights_of(rows)
    return sorted(heights, key=lambda row: (heights[row], row.author, row.number, row.digest))


def equivocations(rows: Iterable[EntryRow]) -> list[Equivocation]:
    """Numbers under which an author has signed more than one entry: whoever holds both can show it to anybody."""
    said: defaultdict[tuple[CarrierCode, int], set[bytes]] = defaultdict(set)
    for row in rows:
        said[row.author, row.number].add(row.digest)
    return [
        Equivocation(author, number, tuple(sorted(digests)))
        for (author, number), digests in sorted(said.items())
        if len(digests) > 1
    ]


def heights_of(rows: Iterable[EntryRow]) -> dict[EntryRow, int]:
    """How many entries lie before each, along the ones they name."""
    by_digest = {row.digest: row for row in rows}
    heights: dict[EntryRow, int] = {}
    for row in by_digest.values():
        path = [row]
        while (before := by_digest.get(path[-1].previous)) is not None and before not in heights:
            path.append(before)
        base = -1 if before is None else heights[before]
        for step, each in enumerate(reversed(path), 1):
            heights[each] = base + step
    return heights
