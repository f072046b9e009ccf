"""Does a page of the list hold what a filter by hand holds, forwards and backwards, and is a broken file refused?"""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.records import layout, reading, writing
from gateway.records.layout import Match
from gateway.records.reading import Listed, RecordList
from gateway.records.wanted import EVERY, Wanted
from ledger.errors import Malformed
from reconciliation.finding import Cause
from tests.gateway.records.lists import listed
from tests.gateway.records.test_writing import CALLS
from tests.reconciliation.records import NOON_MS, Call

MINUTE_MS = 60_000
WISHES: Sequence[tuple[Wanted, Callable[[Listed], bool]]] = [
    (EVERY, lambda each: True),
    (Wanted(match=Match.MISMATCH), lambda each: each.match is Match.MISMATCH),
    (Wanted(differing=True), lambda each: each.match is not Match.EXACT),
    (Wanted(cause=Cause.MISSING_AT_OURS), lambda each: Cause.MISSING_AT_OURS in each.causes),
    (Wanted(destination="United Kingdom"), lambda each: each.destination == "United Kingdom"),
    (Wanted(destination="Atlantis"), lambda each: False),
    (Wanted(route="T1", differing=True), lambda each: each.match is not Match.EXACT),
    (Wanted(number="8613900000002"), lambda each: each.a_party == "8613900000002"),
    (
        Wanted(from_ms=NOON_MS + MINUTE_MS, to_ms=NOON_MS + 3 * MINUTE_MS),
        lambda each: MINUTE_MS <= each.start_ms - NOON_MS < 3 * MINUTE_MS,
    ),
]


@pytest.fixture
def short_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of four rows, so that pages cross them."""
    for module in (layout, reading, writing):
        monkeypatch.setattr(module, "BATCH_ROWS", 4)


def forwards(found: RecordList, wanted: Wanted, limit: int) -> list[Listed]:
    """All pages, one after the other."""
    records: list[Listed] = []
    page = found.page(wanted, limit=limit)
    while True:
        assert (page.before is None) == (not records)
        records += page.records
        if page.after is None:
            return records
        page = found.page(wanted, after=page.after, limit=limit)


def backwards(found: RecordList, wanted: Wanted, limit: int) -> list[Listed]:
    """The same from the end."""
    records: list[Listed] = []
    page = found.page(wanted, before=found.total + 1, limit=limit)
    while True:
        records = [*page.records, *records]
        if page.before is None:
            return records
        page = found.page(wanted, before=page.before, limit=limit)


@pytest.mark.usefixtures("short_batches")
@pytest.mark.parametrize(("wanted", "fits"), WISHES)
@settings(max_examples=8, deadline=None)
@given(ours=CALLS, theirs=CALLS, limit=st.integers(1, 5))
def test_pages_hold_what_a_filter_by_hand_holds_in_both_ways(
    wanted: Wanted, fits: Callable[[Listed], bool], ours: list[Call], theirs: list[Call], limit: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = listed(Path(folder), ours, theirs)
        by_hand = [each for each in found.page(limit=1_000).records if fits(each)]

        assert forwards(found, wanted, limit) == by_hand
        assert backwards(found, wanted, limit) == by_hand
        assert found.count(wanted) == len(by_hand)
        numbers = [number for table in found.tables(wanted) for number in table["number"].to_pylist()]
        assert numbers == [each.number for each in by_hand]


def test_a_number_that_only_they_wrote_is_found(tmp_path: Path) -> None:
    found = listed(tmp_path, [Call(at=0), Call(at=50)], [Call(at=0, a="8613911111111"), Call(at=50)])

    numbers = [each.number for each in found.page(Wanted(number="8613911111111")).records]

    assert numbers == [1]


def test_numbers_of_one_hash_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "text_hashes", lambda column: writing.np.full(len(column), 7 << 32, "u8"))
    monkeypatch.setattr("gateway.records.wanted.short_hashes", lambda column: [7])
    found = listed(tmp_path, [Call(at=0), Call(at=50, b="447700900002")], [Call(at=0), Call(at=50, b="447700900002")])

    numbers = [each.number for each in found.page(Wanted(number="447700900002")).records]

    assert numbers == [2]


def test_a_record_is_found_by_its_number_and_one_outside_is_none(tmp_path: Path) -> None:
    found = listed(tmp_path, [Call()], [Call()])

    first = found.record(1)

    assert first is not None
    assert first.number == 1
    assert (found.record(0), found.record(2)) == (None, None)


@pytest.mark.parametrize("content", [b"", b"not Arrow at all", b"ARROW1\0\0" * 9])
def test_a_file_that_is_no_list_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "records.arrow"
    path.write_bytes(content)

    with pytest.raises(Malformed, match="not a list of records") as refused:
        RecordList(path)
    assert "gsc reconcile" in str(refused.value.todo)
