"""Where do sealed records stay, and is this file what was sealed?

A batch is one Parquet file named by its root; its rows are in leaf order, its scope and secret are in the file's
metadata. It is what a carrier keeps, and what it reveals to the one counterparty.
"""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ledger.errors import Conflict, Malformed, RootMismatch
from ledger.identity import AgreementId, Root, carrier_code
from ledger.period import parse_period
from ledger.pieces import file_options
from ledger.sealing import MAX_COUNT, UsageBatch, seal
from ledger.service import Service
from ledger.usage import RATED_SCHEMA, BatchScope

_FORMAT = b"gsc.batch.1"
_INLINE = b"inline"
"""Under "leaves" in the metadata: keyed hashes of the parties and no salt; without it, salted leaves."""
_TEXTS = tuple(field.name for field in RATED_SCHEMA if field.type == pa.string())
_MOST_TEXT_BYTES = 256
"""Of one text; what a leaf holds has at most 32."""
_ROW_BYTES = 1024
_FOOTER_BYTES = 2**20
_MOST_BYTES = 2**31


@dataclass(frozen=True, slots=True)
class DeclaredTotals:
    """What a declaration says of a batch."""

    root: Root
    count: int
    quantity: int
    amount_micros: int
    from_ms: int
    to_ms: int


def archive_name(root: bytes) -> str:
    """The file's name: the root in hexadecimal."""
    return f"{root.hex()}.parquet"


def write(batch: UsageBatch, folder: Path) -> Path:
    """Write the batch to the folder, whole or not at all; a repeat changes nothing. Raises Conflict."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / archive_name(batch.root)
    if path.exists():
        _check_same_scope(path, batch)
        return path
    part = folder / f".{batch.root.hex()}.{secrets.token_hex(4)}.part"
    try:
        _write_durably(batch, part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    _sync_folder(folder)
    return path


def read(path: Path, most: int = MAX_COUNT) -> UsageBatch:
    """Read a file of at most that many rows and seal them again, whatever the file's name says. Raises Malformed.

    The file may come from a carrier that means harm: its columns, rows and the length of its texts are checked before
    they take memory, and texts are UTF-8 or refused.
    """
    try:
        with pq.ParquetFile(path) as file:
            if file.metadata.num_rows > most:
                raise Malformed("the archive file is too long", expected=f"{most} rows", got=file.metadata.num_rows)
            found, metadata = file.schema_arrow.remove_metadata(), file.schema_arrow.metadata or {}
        scope, secret = _scope_and_secret(metadata, path)
        inline = metadata.get(b"leaves") == _INLINE
        if found != RATED_SCHEMA:
            raise Malformed("the archive file has other columns", expected=RATED_SCHEMA.names, got=found.names[:20])
        plain = _rows_of(path)
    except (OSError, pa.ArrowException) as error:
        raise Malformed("the archive file cannot be read", expected="a Parquet file", got=str(error)[:200]) from None
    return seal(plain, scope, secret, inline=inline)


def is_inline(path: Path) -> bool:
    """Whether a file of ours was sealed for an inline declaration."""
    return (pq.read_schema(path).metadata or {}).get(b"leaves") == _INLINE


def most_bytes(count: int) -> int:
    """How long a file of that many rows can be: what asks another carrier for one reads no further."""
    return min(_FOOTER_BYTES + count * _ROW_BYTES, _MOST_BYTES)


def read_by_root(folder: Path, root: Root) -> UsageBatch:
    """Read our own batch of that root. Raises Malformed, RootMismatch if the file changed."""
    batch = read(folder / archive_name(root))
    if batch.root != root:
        raise RootMismatch("the archive file is not what was sealed", expected=root.hex(), got=batch.root.hex())
    return batch


def check_against(batch: UsageBatch, declared: DeclaredTotals) -> None:
    """Refuse a batch that is not what was declared. Raises RootMismatch naming the first difference."""
    found = totals_of(batch)
    for name in ("count", "quantity", "amount_micros", "from_ms", "to_ms", "root"):
        expected, got = getattr(declared, name), getattr(found, name)
        if expected != got:
            raise RootMismatch(
                f"the records are not what was declared: {name} differs",
                expected=expected.hex() if name == "root" else expected,
                got=got.hex() if name == "root" else got,
                todo="Ask the declarer for the file it sealed; the declaration stands.",
                field=name,
            )


def totals_of(batch: UsageBatch) -> DeclaredTotals:
    """What a truthful declaration of the batch says."""
    return DeclaredTotals(batch.root, batch.count, batch.quantity, batch.amount_micros, batch.from_ms, batch.to_ms)


def _rows_of(path: Path) -> pa.Table:
    """The rows. Texts come as dictionaries first: one long text repeated a million times is a few bytes of file."""
    with pq.ParquetFile(path, read_dictionary=_TEXTS) as file:
        table = file.read().replace_schema_metadata(None)
    for name in _TEXTS:
        for chunk in table[name].chunks:
            longest = pc.max(pc.binary_length(chunk.dictionary)).as_py() or 0
            if longest > _MOST_TEXT_BYTES:
                raise Malformed(f"{name} is too long", expected=f"at most {_MOST_TEXT_BYTES} bytes", got=longest)
    plain = table.cast(RATED_SCHEMA)
    plain.validate(full=True)
    return plain


def _metadata(batch: UsageBatch) -> dict[bytes, bytes]:
    scope = batch.scope
    leaves = {b"leaves": _INLINE} if batch.inline else {}
    return leaves | {
        b"format": _FORMAT,
        b"root": batch.root.hex().encode(),
        b"secret": batch.secret.hex().encode(),
        b"agreement_id": scope.agreement_id.hex().encode(),
        b"declarer": scope.declarer.encode(),
        b"creditor": scope.creditor.encode(),
        b"service": scope.service.word.encode(),
        b"period": str(scope.period).encode(),
    }


def _scope_and_secret(metadata: dict[bytes, bytes], path: Path) -> tuple[BatchScope, bytes]:
    if metadata.get(b"format") != _FORMAT:
        raise Malformed(
            "not an archive file", expected=_FORMAT.decode(), got=repr(metadata.get(b"format")), file=path.name
        )
    try:
        text = {key.decode(): value.decode("ascii") for key, value in metadata.items() if not key.startswith(b"ARROW")}
        agreement_id = bytes.fromhex(text["agreement_id"])
        secret = bytes.fromhex(text["secret"])
        service = Service[text["service"].upper()]
        sides = carrier_code(text["declarer"]), carrier_code(text["creditor"])
        period = parse_period(text["period"])
    except (KeyError, ValueError) as error:
        raise Malformed("the archive file's metadata is broken", expected="scope and secret", got=repr(error)) from None
    if len(agreement_id) != 32:
        raise Malformed("the archive file's metadata is broken", expected="32 bytes of agreement id", got=agreement_id)
    return BatchScope(AgreementId(agreement_id), *sides, service, period), secret


def _check_same_scope(path: Path, batch: UsageBatch) -> None:
    held, _ = _scope_and_secret(pq.read_schema(path).metadata or {}, path)
    if held != batch.scope:
        raise Conflict("this root is archived under another scope", expected=held, got=batch.scope)


def _write_durably(batch: UsageBatch, part: Path) -> None:
    """Only its owner may read it: it holds numbers and the secret."""
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        pq.write_table(batch.table.replace_schema_metadata(_metadata(batch)), file, **file_options(RATED_SCHEMA))
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
