"""Does a bundle's check find every change to what both carriers wrote about a dispute, and what was left out of it?"""

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import verify_bundle
from gateway.thread.entries import FIRST, Attachment, DisputeEntry, attachment_of, attachments_hash
from ledger.identity import ascii32
from ledger.keccak import keccak256
from ledger.typed_data import address_of_key, digest, sign_digest
from tests.gateway.bundles import DOMAIN, KEY, bundle, hexed, whole
from tests.gateway.documents.statement.contents import KEYS

LOG = b"2026-10-05 09:00:00 lost\n"
NAMED = f"attachments/0x{keccak256(LOG).hex()}"


def written(
    dispute_id: str, author: str, number: int, previous: bytes, text: str = "", credited: int = 0, file: bytes = b""
) -> dict[str, Any]:
    """An entry as its author's gateway signs it and a bundle holds it."""
    files = [attachment_of("lost.log", file)] if file else []
    struct = DisputeEntry(
        dispute_id=bytes.fromhex(dispute_id[2:]),
        author=ascii32(author),
        number=number,
        previous=previous,
        act=ascii32("offer" if credited else "note"),
        credited_micros=credited,
        text_hash=keccak256(text.encode()),
        attachments_hash=attachments_hash(files),
        written_at=1_793_000_000,
    )
    over = digest(struct, DOMAIN)
    return {
        "digest": hexed(over),
        "disputeId": dispute_id,
        "author": author,
        "number": str(number),
        "previous": hexed(previous),
        "act": "offer" if credited else "note",
        "creditedMicros": str(credited),
        "text": text,
        "attachments": [{"name": each.name, "size": each.size, "hash": hexed(each.hash)} for each in files],
        "writtenAt": "1793000000",
        "signer": address_of_key(KEYS[author]),
        "signature": hexed(sign_digest(KEYS[author], over)),
    }


def argued() -> dict[str, Any]:
    """A dispute's bundle in which CN-T wrote, GB-B offered, and CN-T answered."""
    content = bundle()
    about = content["about"]["disputeId"]
    first = written(about, "CN-T", 1, FIRST, "十二次通话我方没有。", file=LOG)
    offered = written(about, "GB-B", 1, bytes.fromhex(first["digest"][2:]), "Half of them.", credited=175_000_000)
    answered = written(about, "CN-T", 2, bytes.fromhex(offered["digest"][2:]), "No: all.")
    return {**content, "thread": {"domain": dict(content["domain"]), "entries": [first, offered, answered]}}


def faults_after(change: Any) -> list[str]:
    changed = copy.deepcopy(argued())
    change(changed["thread"]["entries"])
    return verify_bundle._thread_of_bundle(changed)[1]


def test_a_true_thread_holds_and_says_who_signed_how_many() -> None:
    proven, faults = verify_bundle.verify(argued())

    assert faults == []
    assert any(line.startswith("CN-T signed 2 entries of the thread if 0x") for line in proven)
    assert any(line.startswith("GB-B signed 1 entries of the thread if 0x") for line in proven)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("text", "All of them.", "something in it was changed after it was signed"),
        ("creditedMicros", "175000001", "something in it was changed after it was signed"),
        ("act", "keep", "something in it was changed after it was signed"),
        ("writtenAt", "1793000001", "something in it was changed after it was signed"),
        ("number", "2", "entry 1 of GB-B is missing"),
        ("author", "CN-T", "something in it was changed after it was signed"),
        ("author", "US-A", "its author is none of the two carriers"),
        ("disputeId", hexed(bytes(32)), "it is about another dispute"),
        ("previous", hexed(b"\7" * 32), "the entry it follows is not here"),
        ("signer", address_of_key(KEY), "signed by"),
        ("signature", hexed(sign_digest(KEY, bytes(32))), "signed by"),
        ("attachments", [{"name": "more", "size": 1, "hash": hexed(bytes(32))}], "changed after it was signed"),
    ],
)
def test_a_changed_entry_is_found_and_named(field: str, value: object, said: str) -> None:
    faults = faults_after(lambda entries: entries[1].update({field: value}))

    assert any(said in fault for fault in faults), faults
    assert all("thread" in fault for fault in faults)


def test_an_entry_left_out_put_in_twice_or_of_another_chain_is_found() -> None:
    first = faults_after(lambda entries: entries.pop(0))
    middle = faults_after(lambda entries: entries.pop(1))
    twice = faults_after(lambda entries: entries.append(entries[0]))
    foreign = argued()
    foreign["thread"]["domain"]["chainId"] = 1

    assert {"thread: entry 1 of CN-T is missing"} < set(first)
    assert middle == ["thread, entry 2 of CN-T: the entry it follows is not here"]
    assert twice == ["thread: an entry stands here twice"]
    assert (
        "thread: its entries are signed for another chain than the bundle's"
        in verify_bundle._thread_of_bundle(foreign)[1]
    )


def test_two_entries_of_one_number_are_proof_against_their_author() -> None:
    content = argued()
    other = written(content["about"]["disputeId"], "GB-B", 1, FIRST, "Nothing at all.")
    content["thread"]["entries"].append(other)
    proven, faults = verify_bundle._thread_of_bundle(content)

    assert faults == []
    assert "GB-B signed two entries of number 1: it says different things" in proven


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({NAMED: LOG}, ""),
        ({}, "is missing: an entry names it"),
        ({NAMED: LOG + b"more"}, "is not the file that an entry names"),
        ({NAMED: LOG, "attachments/0x00": b"more"}, "is named by no entry"),
    ],
)
def test_the_files_an_entry_names_lie_beside_it(tmp_path: Path, files: dict[str, bytes], said: str) -> None:
    _, _, faults = verify_bundle.verify_file(str(whole(tmp_path / "b.zip", argued(), more=files)))

    assert [said in fault for fault in faults] == ([True] if said else [])


def test_the_script_alone_finds_a_changed_entry(tmp_path: Path) -> None:
    changed = argued()
    changed["thread"]["entries"][1]["text"] = "Nothing."
    run = {}
    for name, content in (("true", argued()), ("changed", changed)):
        path = whole(tmp_path / f"{name}.zip", json.loads(json.dumps(content)), more={NAMED: LOG})
        run[name] = subprocess.run(
            [sys.executable, "-I", "-S", verify_bundle.__file__, str(path)], capture_output=True, text=True
        )

    assert (run["true"].returncode, run["changed"].returncode) == (0, 1)
    assert "BROKEN  thread, entry 1 of GB-B: its digest is" in run["changed"].stdout
    assert "is a key of GB-B" in run["true"].stdout


def test_the_scripts_entry_type_is_the_gateways() -> None:
    assert verify_bundle.ENTRY_TYPE == DisputeEntry.TYPE


@given(
    st.lists(st.tuples(st.text(max_size=12), st.integers(0, 2**40), st.binary(min_size=32, max_size=32)), max_size=4)
)
def test_the_scripts_hash_of_files_is_the_gateways(files: list[tuple[str, int, bytes]]) -> None:
    told = [{"name": name, "size": size, "hash": hexed(hashed)} for name, size, hashed in files]

    assert verify_bundle.attachments_hash(told) == attachments_hash([Attachment(*each) for each in files])
