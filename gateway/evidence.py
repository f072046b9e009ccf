"""What does a stranger need to check a dispute or a statement offline? One zip: records, proofs, signatures, a script.

The bundle shows no record but those it is about; each is opened with its own salt, so its neighbours stay hidden.
"""

import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway import verify_bundle
from gateway.composition import Gateway, Partnership, partnership_of_id, partnership_with
from gateway.month.books import Book, book_of, revealed_book, unrevealed_batches
from gateway.month.parts import Direction, directions
from gateway.month.reconciling import compare
from gateway.month.versions import of_period
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
from ledger.money import show_micros
from ledger.period import Period
from ledger.sealing import UsageBatch, open_leaf
from ledger.store.chain_log import checkpoint
from ledger.store.declarations import DeclarationRow
from ledger.store.engine import reading
from ledger.store.settlement import DisputeRow, dispute_of, list_statements
from ledger.store.tables import chain_logs
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
    about = {
        "kind": "dispute",
        "disputeId": _hex(row.dispute_id),
        "reason": row.reason,
        "creditor": row.creditor,
        "debtor": direction.debtor,
        "amount": {"unit": held.currency, "value": show_micros(row.amount_micros)},
        "evidenceHash": _hex(row.evidence_hash),
        "openedAt": row.opened_at,
    }
    return _bundle(gateway, held, row.period, about, wanted)


def statement_bundle(gateway: Gateway, partner: CarrierCode, period: Period) -> bytes:
    """The zip of one month: every declaration of both sides with its signature. Raises NotFound."""
    gateway.catch_up()
    held = of_period(gateway, partnership_with(gateway.settings, partner), period)
    books = [
        book_of(gateway, direction, declarer, period) for direction in directions(held) for declarer in held.carriers
    ]
    with reading(gateway.engine) as connection:
        agreed = [row for row in list_statements(connection, held.id, period) if row.agreed_at is not None]
    about: dict[str, object] = {"kind": "statement"}
    if agreed:
        about |= {"statementId": _hex(agreed[-1].statement_id), "agreedAt": agreed[-1].agreed_at}
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
) -> bytes:
    network = gateway.network
    domain = network.domain("UsageLedger")
    with reading(gateway.engine) as connection:
        last = checkpoint(connection)
    content = {
        "format": verify_bundle.FORMAT,
        "about": {**about, "agreementId": _hex(held.id), "period": str(period), "currency": held.currency},
        "network": {
            "name": network.name,
            "chainId": network.chain_id,
            "genesisHash": _hex(network.genesis_hash),
            "registry": network.carrier_registry,
            "settlementBook": network.settlement_book,
            "drawnAtBlock": last.number if last else 0,
        },
        "domain": {
            "name": domain.name,
            "version": domain.version,
            "chainId": domain.chain_id,
            "verifyingContract": domain.verifying_contract,
        },
        "batches": [_batch(gateway, row, indices) for row, indices in wanted],
    }
    return _zip(
        {
            "bundle.json": json.dumps(content, indent=1, ensure_ascii=True).encode("ascii"),
            "verify.py": SCRIPT.read_bytes(),
            "README.txt": _README.encode("ascii"),
        }
    )


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
        "declaration": _plain(posted.declaration),
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
        query = chain_logs.select().where(
            (chain_logs.c.block_number == row.block_number) & (chain_logs.c.log_index == row.log_index)
        )
        tx_hash = connection.execute(query).one().tx_hash
    found = gateway.client.rpc.call("eth_getTransactionByHash", _hex(tx_hash))
    data = bytes.fromhex(str((found or {}).get("input", "0x"))[2:])
    declare = _DECLARE.get(data[:4])
    if declare is None:
        raise NotFound("the declaration's transaction is not a single declaration", got=_hex(tx_hash))
    declaration, *_, signature = decode_all([kind for _, kind in declare.inputs], data[4:])
    signer = recover(gateway.signer.digest(declaration), signature)
    return Posted(declaration, signature, signer, tx_hash)


def _plain(declaration: Declaration) -> dict[str, Any]:
    """The struct's fields under Solidity's names; integers as text, bytes in hex."""
    names = [part.split(" ")[1] for part in verify_bundle.DECLARATION_TYPE[len("Declaration(") : -1].split(",")]
    return {
        name: _hex(value) if isinstance(value, bytes) else str(int(value))
        for name, value in zip(names, declaration.values(), strict=True)
    }


def _zip(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive_:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _FIXED_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive_.writestr(entry, content)
    return stream.getvalue()


def _hex(raw: bytes) -> str:
    return f"0x{raw.hex()}"


_README = """Evidence from a settlement ledger.

    python verify.py THIS-FILE.zip

checks, with Python's standard library alone, that every record here is under a Merkle root, that the root stands in a
declaration, and that the declaration was signed. It prints the transactions in which anyone with a node of the named
chain finds the declarations, and the registry that says whose the keys are.
"""
