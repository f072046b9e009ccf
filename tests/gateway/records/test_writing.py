"""Does every record of both books stand in the list once, in order of time, beside its partner?"""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.records.layout import Match
from reconciliation.finding import Cause
from reconciliation.matching.match import Rule
from tests.gateway.records.lists import listed
from tests.reconciliation.records import NOON_MS, Call

CALLS = st.lists(
    st.builds(
        Call,
        at=st.integers(0, 500),
        lasts=st.sampled_from([30.0, 60.0, 61.0, 90.0]),
        a=st.sampled_from(["8613900000001", "8613900000002", ""]),
        b=st.sampled_from(["447700900001", "447700900002"]),
        destination=st.sampled_from(["United Kingdom", "United Kingdom Mobile"]),
    ),
    max_size=12,
)


def test_a_record_that_only_they_have_stands_where_it_began(tmp_path: Path) -> None:
    found = listed(tmp_path, [Call(at=0), Call(at=900, b="447700900002")], [Call(at=0), Call(at=400, b="447700900009")])

    records = found.page().records

    assert [each.match for each in records] == [Match.EXACT, Match.MISSING_AT_OURS, Match.MISSING_AT_THEIRS]
    assert [each.start_ms - NOON_MS for each in records] == [0, 400_000, 900_000]
    assert [(each.ours is None, each.theirs is None) for each in records] == [
        (False, False),
        (True, False),
        (False, True),
    ]
    assert [each.causes for each in records] == [(), (Cause.MISSING_AT_OURS,), (Cause.MISSING_AT_THEIRS,)]
    assert [each.difference_micros for each in records] == [0, -20_000, 20_000]


def test_classes_and_differing_fields_are_told(tmp_path: Path) -> None:
    ours = [Call(at=at * 100) for at in range(5)]
    theirs = [
        Call(at=0),
        Call(at=101, lasts=61),
        Call(at=200, lasts=90),
        Call(at=300, amount=1),
        Call(at=400, a="8613900000009", destination="United Kingdom"),
    ]

    records = listed(tmp_path, ours, theirs).page().records

    assert [each.match.word for each in records] == ["exact", "partial", "mismatch", "mismatch", "exact"]
    assert [sorted(each.differing) for each in records] == [
        [],
        ["amount_micros", "charged_quantity", "quantity", "start_ms"],
        ["amount_micros", "charged_quantity", "quantity"],
        ["amount_micros"],
        ["a_party", "destination"],
    ]
    assert [each.rule for each in records] == [Rule.BOTH_NUMBERS] * 4 + [Rule.CALLED_NUMBER]
    assert [each.offset_ms for each in records] == [0, 1_000, 0, 0, 0]


def test_a_pair_stays_together_where_their_clock_puts_it_into_other_hours(tmp_path: Path) -> None:
    ours = [Call(at=at * 60, a=f"86139000{at:05}") for at in range(200)]
    theirs = [each.but(at=each.at + 28_800) for each in ours]

    records = listed(tmp_path, ours, theirs, stretch_rows=20).page(limit=1_000).records

    assert len(records) == 200
    assert {each.match for each in records} == {Match.EXACT}
    assert all(each.theirs is not None and each.ours is not None for each in records)


def test_nothing_declared_is_an_empty_list(tmp_path: Path) -> None:
    found = listed(tmp_path, [], [])

    assert (found.total, found.page().records) == (0, ())


@settings(max_examples=60, deadline=None)
@given(CALLS, CALLS)
def test_every_record_stands_in_it_once_and_the_amounts_are_those_of_the_books(
    ours: list[Call], theirs: list[Call]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        records = listed(Path(folder), ours, theirs).page(limit=1_000).records

    assert sorted(each.ours.row for each in records if each.ours) == list(range(len(ours)))
    assert sorted(each.theirs.row for each in records if each.theirs) == list(range(len(theirs)))
    assert [each.start_ms for each in records] == sorted(each.start_ms for each in records)
    assert [each.number for each in records] == list(range(1, len(records) + 1))
    for each in records:
        for side, book in ((each.ours, ours), (each.theirs, theirs)):
            if side:
                assert (side.start_ms - NOON_MS, side.quantity) == (
                    book[side.row].at * 1000,
                    book[side.row].lasts_ms,
                )
        assert (each.match is Match.EXACT) <= (each.difference_micros == 0)
