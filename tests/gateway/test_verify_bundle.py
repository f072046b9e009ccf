"""Does the stand-alone check find every change to a bundle, and agree with the ledger's own hashes?"""

import ast
import copy
import hmac
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import verify_bundle
from ledger.chain.abi import keccak
from ledger.chain.bindings import Declaration, UsageRecord
from ledger.identity import AgreementId, ascii32
from ledger.merkle import build, leaf_words
from ledger.sealing import LeafValues
from ledger.service import Service
from ledger.typed_data import Domain, address_of_key, digest, recover, sign_digest

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
    return {
        "format": verify_bundle.FORMAT,
        "network": {"name": "test", "chainId": 1337, "registry": "0x00"},
        "domain": {"name": "gsc", "version": "1", "chainId": 1337, "verifyingContract": DOMAIN.verifying_contract},
        "batches": [
            {
                "batchId": hexed(over),
                "declarer": "CN-T",
                "signer": address_of_key(KEY),
                "signature": hexed(sign_digest(KEY, over)),
                "transactionHash": "0x00",
                "blockNumber": 7,
                "secret": hexed(SECRET),
                "declaration": plain,
                "records": [
                    {"leaf": shown_leaf(leaves[at]), "proof": [hexed(step) for step in tree.proof(at)]} for at in shown
                ],
            }
        ],
    }


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


def faults_after(path: tuple[str | int, ...], value: object) -> list[str]:
    changed = copy.deepcopy(bundle())
    at: Any = changed
    for step in path[:-1]:
        at = at[step]
    assert at[path[-1]] != value, "the change changes nothing"
    at[path[-1]] = value
    return verify_bundle.verify(changed)[1]


RECORD = ("batches", 0, "records", 1)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ((*RECORD, "leaf", "amountMicros"), "16001", "record 3 is not under the root"),
        ((*RECORD, "leaf", "quantity"), "60000", "record 3 is not under the root"),
        ((*RECORD, "leaf", "bParty"), hexed(ascii32("442079460124")), "record 3 is not under the root"),
        ((*RECORD, "leaf", "index"), 2, "record 2 is not under the root"),
        ((*RECORD, "leaf", "salt"), hexed(bytes(32)), "a salt that the batch secret does not give"),
        ((*RECORD, "proof"), [], "record 3 is not under the root"),
        (("batches", 0, "declaration", "amountMicros"), "80001", "not the batch id"),
        (("batches", 0, "declaration", "root"), hexed(bytes(32)), "not under the root"),
        (("batches", 0, "declaration", "count"), "3", "lies past the count"),
        (("batches", 0, "signature"), hexed(bytes(64) + b"\x1b"), "lower half"),
        (("batches", 0, "signature"), hexed(sign_digest(KEY, bytes(32))), "signed by"),
        (("batches", 0, "signer"), address_of_key(bytes(31) + b"\x09"), "signed by"),
        (("domain", "chainId"), 1, "not the batch id"),
    ],
)
def test_every_change_is_found_and_named(path: tuple[str | int, ...], value: object, said: str) -> None:
    faults = faults_after(path, value)

    assert any(said in fault for fault in faults), faults


def test_a_true_bundle_holds_and_counts_what_it_shows() -> None:
    proven, faults = verify_bundle.verify(bundle())

    assert faults == []
    assert "2 of its records are under its root" in proven[0]


def test_the_scripts_declaration_type_is_the_contracts() -> None:
    assert verify_bundle.DECLARATION_TYPE == Declaration.TYPE


def test_the_scripts_leaf_fields_are_the_contracts() -> None:
    names = UsageRecord.TYPE[len("UsageRecord(") : -1].split(",")

    assert [name.split(" ")[1] for name in names] == list(verify_bundle.LEAF_FIELDS)


@given(st.binary(max_size=300))
def test_the_scripts_keccak_is_the_ledgers(message: bytes) -> None:
    assert verify_bundle.keccak256(message) == keccak(message)


@settings(max_examples=15)
@given(st.binary(min_size=32, max_size=32), st.integers(min_value=1, max_value=2**255))
def test_the_scripts_recovery_is_the_ledgers(over: bytes, number: int) -> None:
    key = number.to_bytes(32, "big")
    signature = sign_digest(key, over)

    assert verify_bundle.recover_signer(over, signature) == recover(over, signature).lower()


def test_a_stranger_needs_nothing_but_the_standard_library() -> None:
    tree = ast.parse(Path(verify_bundle.__file__).read_text("utf-8"))
    modules = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    assert modules <= set(sys.stdlib_module_names)


def test_the_script_runs_alone_and_its_exit_code_tells(tmp_path: Path) -> None:
    script = tmp_path / "verify.py"
    script.write_bytes(Path(verify_bundle.__file__).read_bytes())
    altered = bundle()
    altered["batches"][0]["records"][0]["leaf"]["amountMicros"] = "1"
    codes = {}
    for name, content in (("true", bundle()), ("altered", altered), ("other", {"format": "x"})):
        path = tmp_path / f"{name}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("bundle.json", json.dumps(content))
        run = subprocess.run([sys.executable, "-I", "-S", str(script), str(path)], capture_output=True, text=True)
        codes[name] = run.returncode
        assert "Traceback" not in run.stderr

    assert codes == {"true": 0, "altered": 1, "other": 2}


def test_addresses_and_hashes_keep_their_sides_of_a_word() -> None:
    assert verify_bundle.word("0x" + "11" * 20) == bytes(12) + b"\x11" * 20
    assert verify_bundle.word("0x" + "22" * 32) == b"\x22" * 32
    assert verify_bundle.word(5) == bytes(31) + b"\x05"
