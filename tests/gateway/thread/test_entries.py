"""Do both sides come to the same thread, and is saying two things under one number seen?"""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.thread.entries import (
    FIRST,
    MAX_FILES_BYTES,
    Attachment,
    attachment_of,
    attachments_hash,
    check_words,
    dump_attachments,
    equivocations,
    in_order,
    load_attachments,
)
from ledger.errors import Malformed
from ledger.identity import AgreementId, CarrierCode
from ledger.keccak import keccak256
from ledger.money import Micros
from ledger.store.dispute_entries import EntryRow
from ledger.store.states import EntryAct

CN_T, GB_B = CarrierCode("CN-T"), CarrierCode("GB-B")


def entry(author: CarrierCode, number: int, previous: bytes, text: str = "") -> EntryRow:
    return EntryRow(
        digest=keccak256(f"{author} {number} {text}".encode() + previous),
        dispute_id=bytes(32),
        agreement_id=AgreementId(bytes(32)),
        author=author,
        number=number,
        previous=previous,
        act=EntryAct.NOTE,
        credited_micros=Micros(0),
        text=text,
        attachments=b"[]",
        written_at=0,
        signature=bytes(65),
        received_at_ms=0,
        delivered_at_ms=0,
    )


@settings(deadline=None)
@given(st.data())
def test_the_thread_has_one_order_however_its_entries_came(data: st.DataObject) -> None:
    rows: list[EntryRow] = []
    for author in data.draw(st.lists(st.sampled_from([CN_T, GB_B]), max_size=12)):
        rows.append(entry(author, sum(row.author == author for row in rows) + 1, rows[-1].digest if rows else FIRST))

    assert in_order(data.draw(st.permutations(rows))) == rows


def test_entries_written_at_the_same_time_stand_alike_at_both_sides() -> None:
    first = entry(CN_T, 1, FIRST)
    ours, theirs = entry(CN_T, 2, first.digest), entry(GB_B, 1, first.digest)

    assert in_order([theirs, ours, first]) == in_order([first, ours, theirs]) == [first, ours, theirs]


def test_two_entries_of_one_number_are_told_and_one_entry_is_not() -> None:
    one, other = entry(GB_B, 1, FIRST, "half"), entry(GB_B, 1, FIRST, "nothing")

    (found,) = equivocations([one, other, entry(CN_T, 1, one.digest)])

    assert (found.author, found.number, set(found.digests)) == (GB_B, 1, {one.digest, other.digest})
    assert equivocations([one, replace(one, delivered_at_ms=7)]) == []


@pytest.mark.parametrize("name", ["", "a/b", "..\\x", "x" * 121, "line\nbreak", "\u202eexe"])
def test_a_name_that_is_no_file_name_is_refused(name: str) -> None:
    with pytest.raises(Malformed):
        attachment_of(name, b"")


@pytest.mark.parametrize(
    ("act", "text", "credited", "files"),
    [
        (EntryAct.NOTE, " \n", 0, ()),
        (EntryAct.NOTE, "x" * 4001, 0, ()),
        (EntryAct.NOTE, "\x00", 0, ()),
        (EntryAct.KEEP, "", 1, ()),
        (EntryAct.NOTE, "see", 0, [Attachment("log", 1, bytes(32))] * 6),
        (EntryAct.NOTE, "see", 0, [Attachment("log", MAX_FILES_BYTES + 1, bytes(32))]),
    ],
)
def test_an_entry_out_of_bounds_is_refused(act: EntryAct, text: str, credited: int, files: list[Attachment]) -> None:
    with pytest.raises(Malformed):
        check_words(act, text, credited, files)


def test_the_hash_binds_names_sizes_contents_and_their_order() -> None:
    log, map_ = attachment_of("log.txt", b"log"), attachment_of("map.txt", b"map")
    hashes = {
        attachments_hash(files)
        for files in ([], [log], [log, map_], [map_, log], [log._replace(name="x")], [log._replace(size=4)])
    }

    assert len(hashes) == 6
    assert load_attachments(dump_attachments([log, map_])) == (log, map_)
