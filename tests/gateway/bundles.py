"""What is a bundle that holds? One of a dispute and one of a month, made by hand with keys of the tests."""

import hashlib
import hmac
import json
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gateway import verify_bundle
from gateway.documents.on_chain import plain_struct
from gateway.documents.statement.pdf import draw_pdf
from ledger.chain.abi import keccak
from ledger.chain.bindings import Declaration, Dispute, Statement, StatementLine
from ledger.identity import AgreementId, ascii32
from ledger.merkle import build, leaf_words
from ledger.sealing import LeafValues
from ledger.service import Service
from ledger.typed_data import Domain, address_of_key, digest, sign_digest
from tests.gateway.documents.statement.contents import KEYS, statement_of_october

KEY = bytes(31) + b"\x07"
SECRET = bytes(range(32))
DOMAIN = Domain(chain_id=1337, verifying_contract=address_of_key(bytes(31) + b"\x01"))


def leaf(index: int) -> LeafValues:
    salt = hmac.digest(SECRET, index.to_bytes(8, "big"), "sha256")
    parties = ascii32(f"86139{index:08d}"), ascii32("442079460123")
    return LeafValues(index, salt, *parties, 1_791_187_200_000 + index, 61_000, ascii32("gbb-out-1"), 16_000)


def bundle(count: int = 5, shown: tuple[int, ...] = (0, 3)) -> dict[str, Any]:
    leaves = [leaf(index) for index in range(count)]
    tree = build(leaf_words([each.hash() for each in leaves]))
    declaration = Declaration(
        agreement_id=AgreementId(bytes(31) + b"\x05"),
        declarer=ascii32("CN-T"),
        creditor=ascii32("GB-B"),
        seq=1,
        service=Service.VOICE,
        period=202610,
        root=tree.root,
        count=count,
        from_ms=leaves[0].start_ms,
        to_ms=leaves[-1].start_ms,
        quantity=61_000 * count,
        amount_micros=16_000 * count,
        deck_hash=bytes(32),
        corrects=bytes(32),
        igw=bytes(32),
        deadline=1_800_000_000,
    )
    over = digest(declaration, DOMAIN)
    names = [part.split(" ")[1] for part in verify_bundle.DECLARATION_TYPE[len("Declaration(") : -1].split(",")]
    plain = {
        name: hexed(value) if isinstance(value, bytes) else str(int(value))
        for name, value in zip(names, declaration.values(), strict=True)
    }
    opened = disputed()
    statement = statement_of_october()
    statement["disputes"][0]["disputeId"] = opened["id"]
    content = {
        "format": verify_bundle.FORMAT,
        "about": {
            "kind": "dispute",
            "disputeId": opened["id"],
            "agreementId": plain["agreementId"],
            "period": "2026-10",
        },
        "network": {"name": "test", "chainId": 1337, "registry": "0x00"},
        "domain": {"name": "gsc", "version": "1", "chainId": 1337, "verifyingContract": DOMAIN.verifying_contract},
        "batches": [
            {
                "batchId": hexed(over),
                "declarer": "CN-T",
                "signer": address_of_key(KEY),
                "signature": hexed(sign_digest(KEY, over)),
                "transactionHash": "0x07",
                "blockNumber": 7,
                "secret": hexed(SECRET),
                "declaration": plain,
                "records": [
                    {"leaf": shown_leaf(leaves[at]), "proof": [hexed(step) for step in tree.proof(at)]} for at in shown
                ],
            }
        ],
        "statement": statement,
        "dispute": opened["part"],
        "thread": None,
    }
    return {**content, "receipts": receipts_of(content)}


def disputed() -> dict[str, Any]:
    """CN-T's dispute of what the statement withholds, and its id."""
    dispute = Dispute(
        agreement_id=AgreementId(bytes(31) + b"\x05"),
        period=202610,
        creditor=ascii32("GB-B"),
        service=Service.VOICE,
        reason=ascii32("missing_at_ours"),
        amount_micros=350_000_000,
        evidence_hash=bytes(range(32)),
        nonce=1,
        deadline=1_800_000_000,
    )
    over = digest(dispute, DOMAIN)
    part = {
        "dispute": plain_struct(dispute),
        "domain": {"name": "gsc", "version": "1", "chainId": 1337, "verifyingContract": DOMAIN.verifying_contract},
        "carrier": "CN-T",
        "signer": address_of_key(KEY),
        "signature": hexed(sign_digest(KEY, over)),
        "transactionHash": "0x09",
        "blockNumber": 9,
    }
    return {"id": hexed(over), "part": part}


def receipts_of(content: dict[str, Any]) -> list[dict[str, Any]]:
    """As a node gives them: each transaction logs what the content says of it."""
    return [
        {
            "transactionHash": transaction,
            "status": "0x1",
            "blockNumber": hex(block),
            "logs": [
                {"address": contract, "topics": [hexed(keccak((event + verify_bundle.EVENTS[event]).encode())), id_]}
            ],
        }
        for event, id_, transaction, block, contract in verify_bundle._logged(content)
    ]


def month_bundle() -> dict[str, Any]:
    """The bundle of a month whose one batch is GB-B's claim; CN-T declared nothing."""
    content = bundle()
    batch = content["batches"][0]
    declaration = batch["declaration"]
    statement = Statement(
        agreement_id=AgreementId(bytes(31) + b"\x05"),
        period=202610,
        lines=(StatementLine(ascii32("GB-B"), Service.VOICE, 0, int(declaration["amountMicros"]), 0, 0),),
        batches_hash=keccak(bytes.fromhex(batch["batchId"][2:])),
        deadline=1_800_000_000,
    )
    over = digest(statement, DOMAIN)
    signed = [
        {"carrier": each, "signer": address_of_key(key), "signature": hexed(sign_digest(key, over))}
        for each, key in KEYS.items()
    ]
    content["statement"] |= {
        "statementId": hexed(over),
        "statement": plain_struct(statement),
        "signatures": signed,
        "counts": [],
        "causes": [],
        "disputes": [],
    }
    content["about"], content["dispute"] = {**content["about"], "kind": "statement"}, None
    return {**content, "receipts": receipts_of(content)}


def shown_leaf(each: LeafValues) -> dict[str, object]:
    return {
        "index": each.index,
        "salt": hexed(each.salt),
        "aParty": hexed(each.a_party),
        "bParty": hexed(each.b_party),
        "startMs": str(each.start_ms),
        "quantity": str(each.quantity),
        "route": hexed(each.route),
        "amountMicros": str(each.amount_micros),
    }


def hexed(raw: bytes) -> str:
    return f"0x{raw.hex()}"


def whole(
    path: Path, content: dict[str, Any], more: Mapping[str, bytes] = MappingProxyType({}), **changed: bytes | None
) -> Path:
    """A bundle's zip with its manifest and `more` files; then some changed, added, or (None) left out, by name with
    "_" for "."."""
    files = {"bundle.json": json.dumps(content).encode(), "README.txt": b"read me", **more}
    if "statement" in content:
        files["statement.pdf"] = draw_pdf(content["statement"], "en")
    named = {name: hashlib.sha256(each).hexdigest() for name, each in files.items()}
    files["manifest.json"] = json.dumps({"sha256": named}).encode()
    files |= {name.replace("_", "."): each for name, each in changed.items() if each is not None}
    left = {name: each for name, each in files.items() if changed.get(name.replace(".", "_"), b"") is not None}
    return zipped(path, *left.items())


def zipped(path: Path, *entries: tuple[str, str | bytes]) -> Path:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore", UserWarning)  # zipfile warns of the name that stands twice
        for name, content in entries:
            archive.writestr(name, content)
    return path
