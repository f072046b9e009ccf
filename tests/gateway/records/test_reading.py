"""Does a page of the list hold what a filter by hand holds, forwards and backwards, and is a broken file refused?"""

import tempfile
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.records import layout, reading, sorting, writing
from gateway.records.exceptions import shares_of_finding, shares_of_record
from gateway.records.layout import Match
from gateway.records.leaving import reader_of
from gateway.records.reading import Listed, RecordList
from gateway.records.sorting import sorted_page
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


def test_another_order_is_that_of_the_amounts_and_goes_on_page_by_page(tmp_path: Path) -> None:
    ours = [Call(at=at * 100, amount=amount) for at, amount in enumerate([5, 9, 1, 7])]
    found = listed(tmp_path, ours, [each.but(amount=4) for each in ours])

    first, after = sorted_page(found, EVERY, "difference", downwards=True, limit=3)
    rest, end = sorted_page(found, EVERY, "difference", downwards=True, after=after or 0, limit=3)

    assert [each.difference_micros for each in (*first, *rest)] == [5, 3, 1, -3]
    assert (after, end) == (3, None)


def test_an_order_there_is_none_of_and_too_many_records_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = listed(tmp_path, [Call(), Call(at=90)], [])

    with pytest.raises(Malformed, match="no such order"):
        sorted_page(found, EVERY, "colour", downwards=False)
    monkeypatch.setattr(sorting, "SORTED_MOST", 1)
    with pytest.raises(Malformed, match="too many") as refused:
        sorted_page(found, EVERY, "ours", downwards=False)
    assert "Narrow" in str(refused.value.todo)


def test_the_list_leaves_whole_with_what_it_says(tmp_path: Path) -> None:
    found = listed(tmp_path, [Call(at=0), Call(at=90, b="447700900009")], [Call(at=1, lasts=90)])

    rows = reader_of(found, EVERY).read_all().to_pylist()

    assert [(row["number"], row["class"], row["causes"]) for row in rows] == [
        (1, "mismatch", "duration"),
        (2, "missing_at_theirs", "missing_at_theirs"),
    ]
    assert [row["difference"] for row in rows] == [Decimal("-0.01"), Decimal("0.02")]
    assert (rows[0]["rule"], rows[0]["offset_ms"]) == ("both numbers, start within the window", 1_000)
    assert (rows[1]["rule"], rows[1]["theirs_start"], rows[1]["theirs_amount"]) == (None, None, None)
    assert rows[1]["ours_quantity"] == 60_000


def test_the_records_of_a_finding_and_the_findings_of_a_record_point_at_each_other(tmp_path: Path) -> None:
    ours = [Call(at=at * 100) for at in range(6)]
    theirs = [Call(at=0), *(Call(at=at * 100, lasts=90) for at in range(1, 5))]
    found = listed(tmp_path, ours, theirs)
    path = tmp_path / "exceptions.parquet"

    (mine,) = shares_of_record(path, 3)
    pages = [shares_of_finding(path, mine.finding, after, 3) for after in (0, 3, 6)]
    numbers = [share.number for shares, _ in pages for share in shares]

    assert {total for _, total in pages} == {4}
    assert numbers == [2, 3, 4, 5]
    for number in range(1, 7):
        listed_causes = {cause.value for cause in (found.record(number) or pytest.fail()).causes}
        assert bool(shares_of_record(path, number)) == bool(listed_causes)
    assert mine.difference_micros == -10_000
