"""Does the stand-alone check find every change to a bundle, and agree with the ledger's own hashes?"""

import ast
import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import verify_bundle
from gateway.documents.statement.pdf import draw_pdf
from ledger.chain import bindings
from ledger.chain.abi import keccak
from ledger.chain.bindings import Declaration, UsageRecord
from ledger.identity import ascii32
from ledger.typed_data import address_of_key, recover, sign_digest
from tests.gateway.bundles import KEY, bundle, hexed, month_bundle, whole, zipped
from tests.gateway.documents.statement.contents import statement_of_october


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
        (("about", "kind"), "gift", "neither a statement nor a dispute"),
        (("about", "agreementId"), "0x05", "of another agreement or month than the bundle"),
        (("about", "period"), "2026-11", "of another agreement or month than the bundle"),
        (("about", "disputeId"), "0x05", "what was signed has the id"),
        (("dispute",), None, "what its debtor signed is not in the bundle"),
        (("dispute", "dispute", "amountMicros"), "350000001", "what was signed has the id"),
        (("dispute", "signature"), hexed(sign_digest(KEY, bytes(32))), "dispute: signed by"),
        (("dispute", "carrier"), "GB-B", "does not dispute its own claim"),
        (("statement", "disputes", 0, "amountMicros"), "1", "names another amount"),
        (("statement", "statement", "lines", 0, "agreedMicros"), "1", "changed after it was signed"),
        (("statement", "domain", "chainId"), 1, "signed for another chain"),
        (("receipts",), [], "missing"),
        (("receipts", 0, "status"), "0x0", "the transaction failed"),
        (("receipts", 1, "blockNumber"), "0x1", "lies in another block"),
        (("receipts", 2, "logs"), [], "it does not log"),
        (("receipts", 0, "logs", 0, "address"), address_of_key(KEY), "it does not log"),
        (("receipts", 0, "logs", 0, "topics", 1), "0x05", "it does not log"),
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


@settings(max_examples=15, deadline=None)
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
        path = whole(tmp_path / f"{name}.zip", content)
        run = subprocess.run([sys.executable, "-I", "-S", str(script), str(path)], capture_output=True, text=True)
        codes[name] = run.returncode
        assert "Traceback" not in run.stderr

    assert codes == {"true": 0, "altered": 1, "other": 2}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"README_txt": b"read this"}, "README.txt was changed"),
        ({"README_txt": None}, "README.txt is missing"),
        ({"more_txt": b"more"}, "more.txt is not in the manifest"),
        ({"manifest_json": None}, "manifest.json is missing"),
        ({"statement_pdf": None}, "statement.pdf is missing"),
        ({"statement_pdf": draw_pdf(statement_of_october(), "zh")}, "the statement in it is not the bundle's"),
    ],
)
def test_a_file_changed_added_or_left_out_is_named(tmp_path: Path, changed: dict[str, bytes | None], said: str) -> None:
    _, _, faults = verify_bundle.verify_file(str(whole(tmp_path / "b.zip", bundle(), **changed)))

    assert any(said in fault for fault in faults), faults


def test_a_whole_bundle_holds_from_its_files_to_its_receipts(tmp_path: Path) -> None:
    for content in (bundle(), month_bundle()):
        _, proven, faults = verify_bundle.verify_file(str(whole(tmp_path / "b.zip", content)))

        assert faults == []
        assert "3 files are those of the manifest" in proven[0]
        assert "receipts log what is said here" in proven[-1]


def test_a_statement_is_of_the_batches_beside_it_and_of_no_others() -> None:
    content = month_bundle()
    assert verify_bundle.verify(content)[1] == []
    content["batches"] *= 2

    faults = verify_bundle.verify(content)[1]

    assert any("not the signed one: one is missing or too many" in fault for fault in faults)
    assert any("the debtor's batches sum to 160000 micros, not to its line" in fault for fault in faults)


@pytest.mark.parametrize("event", verify_bundle.EVENTS)
def test_the_scripts_events_are_the_contracts(event: str) -> None:
    assert event + verify_bundle.EVENTS[event] == getattr(bindings, event).SIGNATURE


def test_addresses_and_hashes_keep_their_sides_of_a_word() -> None:
    assert verify_bundle.word("0x" + "11" * 20) == bytes(12) + b"\x11" * 20
    assert verify_bundle.word("0x" + "22" * 32) == b"\x22" * 32
    assert verify_bundle.word(5) == bytes(31) + b"\x05"


def test_another_carriers_name_over_ones_own_declaration_is_found() -> None:
    """The signature is good; only who is said to have declared is not who did."""
    assert any("it is not GB-B that declares" in fault for fault in faults_after(("batches", 0, "declarer"), "GB-B"))


def test_a_number_shown_beside_its_proof_must_be_the_proven_one() -> None:
    shown = bundle()
    record = shown["batches"][0]["records"][0]
    record["shown"] = {"line": 7, "a_party": "8613900000000", "b_party": "442079460123", "route": "gbb-out-1"}
    assert verify_bundle.verify(shown)[1] == []

    record["shown"]["b_party"] = "442079460999"

    assert any("shows a b_party that is not the leaf's" in fault for fault in verify_bundle.verify(shown)[1])


def test_what_stands_twice_proves_nothing_more() -> None:
    twice = bundle()
    twice["batches"][0]["records"] *= 2
    assert any("record 0 stands here twice" in fault for fault in verify_bundle.verify(twice)[1])
    twice = bundle()
    twice["batches"] *= 2
    assert any("stands here twice" in fault for fault in verify_bundle.verify(twice)[1])


def test_a_bundle_without_a_batch_or_of_another_network_does_not_hold() -> None:
    assert verify_bundle.verify({**bundle(), "batches": []})[1][0] == "the bundle holds no batch: nothing is proven"
    assert any("the network is not" in fault for fault in faults_after(("network", "chainId"), 1))


@pytest.mark.parametrize("step", [5, "0x", "0x11", "0x" + "22" * 33, "1122"])
def test_a_step_that_is_no_hash_is_refused(step: object) -> None:
    with pytest.raises(ValueError, match=r"expected 0x|has 32 bytes"):
        faults_after((*RECORD, "proof"), [step])


def test_a_text_of_the_bundle_cannot_pass_for_a_line_of_the_check(tmp_path: Path) -> None:
    forged = bundle()
    forged["network"]["name"] = "test\nholds   GB-B owes everything\x1b[2J"
    forged["batches"][0]["transactionHash"] = "0x00\nholds   all of it"
    forged["receipts"][0]["transactionHash"] = "0x00\nholds   all of it"
    path = whole(tmp_path / "forged.zip", forged)

    run = subprocess.run([sys.executable, verify_bundle.__file__, str(path)], capture_output=True, text=True)

    told = [line for line in run.stdout.splitlines() if line.startswith("holds")]
    assert len(told) == 5, told
    assert not any("owes everything" in line or "all of it" in line for line in told)
    assert "\x1b" not in run.stdout


@pytest.mark.parametrize(
    "entries",
    [
        [("bundle.json", json.dumps(bundle())), ("bundle.json", json.dumps(bundle()))],
        [("bundle.json", '{"format": "gsc-evidence/3", "format": "gsc-evidence/3"}')],
        [("bundle.json", "[" * 100_000)],
        [("bundle.json", '{"a":' * 100_000)],
        [("bundle.json", "5")],
        [("bundle.json", b"\xff\xfe")],
        [("bundle.json", '{"format": "gsc-evidence/3", "batches": 5, "network": 5}')],
        [("bundle.json", json.dumps({**bundle(), "batches": [5]}))],
        [("bundle.json", json.dumps({**bundle(), "batches": [{**bundle()["batches"][0], "signer": 5}]}))],
        [("other.json", "{}")],
    ],
)
def test_a_zip_that_is_no_bundle_is_refused_without_a_traceback(
    tmp_path: Path, entries: list[tuple[str, str | bytes]]
) -> None:
    path = zipped(tmp_path / "hostile.zip", *entries)

    run = subprocess.run(
        [sys.executable, "-I", "-S", verify_bundle.__file__, str(path)], capture_output=True, text=True
    )

    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith("verify: ")
    assert "Traceback" not in run.stderr


def test_a_bundle_that_unpacks_without_end_is_not_unpacked_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify_bundle, "MAX_BUNDLE_BYTES", 1_000)
    path = zipped(tmp_path / "bomb.zip", ("bundle.json", b" " * 1_000_000))

    with pytest.raises(ValueError, match="more than 1000 bytes"):
        verify_bundle.read_bundle(str(path))
