"""What does a stranger need to check a dispute or a statement offline? One zip: records, proofs, signatures, a script.

The bundle shows no record but those it is about; each is opened with its own salt, so its neighbours stay hidden.
"""

import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from gateway import verify_bundle
from gateway.answers import as_json
from gateway.composition import Gateway, Partnership, partnership_of_id, partnership_with
from gateway.desk.wording import LANGUAGES
from gateway.documents.on_chain import calldata_of, plain_struct, receipt_of, signed_dispute, transaction_at
from gateway.documents.statement.content import statement_content
from gateway.documents.statement.pdf import statement_pdf
from gateway.month.books import Book, book_of, revealed_book, unrevealed_batches
from gateway.month.parts import Direction, directions
from gateway.month.reconciling import compare
from gateway.month.versions import of_period
from gateway.thread.leaving import thread_of
from ledger import archive
from ledger.chain.abi import decode_all
from ledger.chain.bindings import (
    USAGE_LEDGER_DECLARE,
    USAGE_LEDGER_DECLARE_ADJUSTMENT,
    USAGE_LEDGER_DECLARE_INLINE,
    Declaration,
)
from ledger.errors import Conflict, NotFound
from ledger.identity import Address, CarrierCode
from ledger.period import Period
from ledger.sealing import UsageBatch, open_leaf
from ledger.store.chain_log import checkpoint
from ledger.store.declarations import DeclarationRow
from ledger.store.engine import reading
from ledger.store.settlement import DisputeRow, dispute_of
from ledger.typed_data import recover
from reconciliation.finding import Cause
from reconciliation.settling.disputes import dispute_proposals

SCRIPT = Path(verify_bundle.__file__)
_DECLARE = {
    each.selector: each for each in (USAGE_LEDGER_DECLARE, USAGE_LEDGER_DECLARE_ADJUSTMENT, USAGE_LEDGER_DECLARE_INLINE)
}
"""The calls that carry one declaration: it comes first, its signature last."""
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)
"""Zip entries carry no clock: the same evidence gives the same bytes."""


@dataclass(frozen=True, slots=True)
class Posted:
    """A declaration as it stands in its transaction."""

    declaration: Declaration
    signature: bytes
    signer: Address
    tx_hash: bytes


def dispute_bundle(gateway: Gateway, dispute_id: bytes) -> bytes:
    """The zip of one dispute: both sides' records behind it. Raises NotFound, Conflict."""
    gateway.catch_up()
    with reading(gateway.engine) as connection:
        row = dispute_of(connection, dispute_id)
    held = of_period(gateway, partnership_of_id(gateway.settings, row.agreement_id), row.period)
    direction = Direction(held, row.creditor, row.service)
    wanted = _disputed_leaves(gateway, direction, row)
    about = {"kind": "dispute", "disputeId": _hex(row.dispute_id)}
    return _bundle(gateway, held, row.period, about, wanted, row)


def statement_bundle(gateway: Gateway, partner: CarrierCode, period: Period) -> bytes:
    """The zip of one month: every declaration of both sides with its signature. Raises NotFound."""
    gateway.catch_up()
    held = of_period(gateway, partnership_with(gateway.settings, partner), period)
    books = [
        book_of(gateway, direction, declarer, period) for direction in directions(held) for declarer in held.carriers
    ]
    about = {"kind": "statement"}
    return _bundle(gateway, held, period, about, [(batch, []) for book in books for batch in book.batches])


def _disputed_leaves(gateway: Gateway, direction: Direction, row: DisputeRow) -> list[tuple[DeclarationRow, list[int]]]:
    """The leaves of both sides that the disputed findings are about, by batch; of what is not revealed none."""
    if row.reason == Cause.NOT_REVEALED:
        return _unrevealed_declarations(gateway, direction, row)
    result = compare(gateway, direction, row.period, unrevealed=True)
    proposals = dispute_proposals(result, direction.held.agreement) if result is not None else ()
    rows = next((each.rows for each in proposals if each.cause == row.reason), None)
    if rows is None:
        raise Conflict(
            "the records do not give this dispute any more",
            expected=f"findings of cause {row.reason}",
            got=", ".join(each.cause for each in proposals) or "none",
        )
    ours = book_of(gateway, direction, gateway.carrier, row.period)
    theirs = revealed_book(gateway, direction, row.period)
    return [
        *_by_batch(ours, rows["ours_row"].drop_null().to_pylist()),
        *_by_batch(theirs, rows["theirs_row"].drop_null().to_pylist()),
    ]


def _unrevealed_declarations(
    gateway: Gateway, direction: Direction, row: DisputeRow
) -> list[tuple[DeclarationRow, list[int]]]:
    batch_ids = {batch.batch_id for batch in unrevealed_batches(gateway, direction, row.period)}
    book = book_of(gateway, direction, direction.creditor, row.period)
    if not batch_ids:
        raise Conflict(
            "all that was disputed as not revealed was revealed since",
            expected="a batch without records",
            got="none",
            todo="Withdraw or resolve the dispute.",
        )
    return [(batch, []) for batch in book.batches if batch.batch_id in batch_ids]


def _by_batch(book: Book, rows: Iterable[int]) -> list[tuple[DeclarationRow, list[int]]]:
    found: dict[bytes, tuple[DeclarationRow, list[int]]] = {}
    for row in sorted(set(rows)):
        batch, index = book.leaf_of(row)
        found.setdefault(batch.root, (batch, []))[1].append(index)
    return list(found.values())


def _bundle(
    gateway: Gateway,
    held: Partnership,
    period: Period,
    about: Mapping[str, object],
    wanted: Iterable[tuple[DeclarationRow, list[int]]],
    disputed: DisputeRow | None = None,
) -> bytes:
    network = gateway.network
    with reading(gateway.engine) as connection:
        last = checkpoint(connection)
    statement = statement_content(gateway, held.partner, period)
    content = {
        "format": verify_bundle.FORMAT,
        "about": {**about, "agreementId": _hex(held.id), "period": str(period), "currency": held.currency},
        "network": {
            "name": network.name,
            "chainId": network.chain_id,
            "genesisHash": _hex(network.genesis_hash),
            "registry": network.carrier_registry,
            "drawnAtBlock": last.number if last else 0,
        },
        "domain": as_json(network.domain("UsageLedger")),
        "batches": [_batch(gateway, row, indices) for row, indices in wanted],
        "statement": statement,
        "dispute": None if disputed is None else _dispute(gateway, disputed),
    }
    thread = None if disputed is None else thread_of(gateway, disputed.dispute_id)
    content["thread"] = None if thread is None else thread.content
    content["receipts"] = _receipts(gateway, content)
    pages = [statement_pdf(statement, language) for language in LANGUAGES]
    return _zip(
        {
            "bundle.json": json.dumps(content, indent=1, ensure_ascii=True).encode("ascii"),
            "verify.py": SCRIPT.read_bytes(),
            "README.txt": _README.encode("ascii"),
            **{page.name: page.content for page in pages},
            **({} if thread is None else thread.files),
        }
    )


def _dispute(gateway: Gateway, row: DisputeRow) -> dict[str, object] | None:
    """What its debtor signed, and where; None if that cannot be read from the transaction."""
    found = signed_dispute(gateway, row.block_number, row.dispute_id)
    if found is None:
        return None
    dispute, signed, tx_hash = found
    return {
        "dispute": plain_struct(dispute),
        "domain": as_json(gateway.network.domain("SettlementBook")),
        "carrier": signed.carrier,
        "signer": signed.signer,
        "signature": _hex(signed.signature),
        "transactionHash": _hex(tx_hash),
        "blockNumber": row.block_number,
    }


def _receipts(gateway: Gateway, content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The receipt of every transaction that the content names, each once."""
    standing, opened = content["statement"]["standing"], content["dispute"]
    named = [*content["batches"], *([standing] if standing else []), *([opened] if opened else [])]
    hashes = sorted({str(each["transactionHash"]) for each in named})
    return [receipt_of(gateway, bytes.fromhex(each[2:])) for each in hashes]


def _batch(gateway: Gateway, row: DeclarationRow, indices: list[int]) -> dict[str, object]:
    posted = posted_declaration(gateway, row)
    batch = archive.read_by_root(gateway.settings.archive_path, row.root) if indices else None
    return {
        "batchId": _hex(row.batch_id),
        "declarer": row.scope.declarer,
        "signer": posted.signer,
        "signature": _hex(posted.signature),
        "transactionHash": _hex(posted.tx_hash),
        "blockNumber": row.block_number,
        "declaration": plain_struct(posted.declaration),
        "records": [_record(batch, index) for index in indices if batch is not None],
    }


def _record(batch: UsageBatch, index: int) -> dict[str, object]:
    opened = open_leaf(batch, index)
    leaf = opened.leaf
    row = batch.table.slice(index, 1).to_pylist()[0]
    return {
        "leaf": {
            "index": leaf.index,
            "salt": _hex(leaf.salt),
            "aParty": _hex(leaf.a_party),
            "bParty": _hex(leaf.b_party),
            "startMs": str(leaf.start_ms),
            "quantity": str(leaf.quantity),
            "route": _hex(leaf.route),
            "amountMicros": str(leaf.amount_micros),
        },
        "shown": {name: row[name] for name in _shown_of(batch)},
        "proof": [_hex(step) for step in opened.proof],
    }


def _shown_of(batch: UsageBatch) -> tuple[str, ...]:
    """The texts beside a leaf; an inline one holds keyed hashes, which show no number."""
    parties = () if batch.inline else ("a_party", "b_party")
    return ("line", *parties, "route", "destination", "code")


def posted_declaration(gateway: Gateway, row: DeclarationRow) -> Posted:
    """A declaration with its signature, from the transaction that carries it. Raises NotFound."""
    with reading(gateway.engine) as connection:
        tx_hash = transaction_at(connection, row.block_number, row.log_index)
    data = calldata_of(gateway, tx_hash)
    declare = _DECLARE.get(data[:4])
    if declare is None:
        raise NotFound("the declaration's transaction is not a single declaration", got=_hex(tx_hash))
    declaration, *_, signature = decode_all([kind for _, kind in declare.inputs], data[4:])
    signer = recover(gateway.signer.digest(declaration), signature)
    return Posted(declaration, signature, signer, tx_hash)


def _zip(files: Mapping[str, bytes]) -> bytes:
    """The files, and a manifest with the SHA-256 of each."""
    named = {name: sha256(content).hexdigest() for name, content in sorted(files.items())}
    manifest = json.dumps({"sha256": named}, indent=1).encode("ascii")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive_:
        for name, content in {**files, verify_bundle.MANIFEST: manifest}.items():
            entry = zipfile.ZipInfo(name, _FIXED_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive_.writestr(entry, content)
    return stream.getvalue()


def _hex(raw: bytes) -> str:
    return f"0x{raw.hex()}"


_README = """Evidence from a settlement ledger.

    python verify.py THIS-FILE.zip

checks, with Python's standard library alone: that every file is the one of manifest.json (SHA-256); that every record
in bundle.json is under a Merkle root, that the root stands in a declaration, and that the declaration was signed; that
the statement's hash is that of its own lines, who signed it, and in the bundle of a month that it is of these batches;
in the bundle of a dispute, who signed that, and what both wrote about it: whose key signed each entry, that it follows
one that is here, that no number is left out, and that attachments/ holds the files it names. Entries left out at a
thread's end leave no gap: the other carrier has them too. It prints the transactions in which anyone with a node of
the named chain finds all of it again, and the registry that says whose the keys are.

The PDFs show the statement, in English and Chinese; each carries the statement's content as an attachment.
"""
