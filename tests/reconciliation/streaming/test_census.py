"""Does a pass over the packed records answer what counting by hand would?"""

from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.agreement import Tolerance
from ledger.service import Service
from reconciliation.matching.keys import SUFFIX_BITS, called_hashes, party_hashes
from reconciliation.streaming.census import Asked, Census
from reconciliation.streaming.exchange import scan
from reconciliation.streaming.packing import WIDE
from reconciliation.streaming.plan import Plan, plan_of, wide
from reconciliation.streaming.sources import table_source
from tests.reconciliation.records import MONTH_END_MS, MONTH_START_MS, NOON_MS, Call, table

UTC = ZoneInfo("UTC")
TOLERANCE = Tolerance()
CALLS = [
    Call(at=at, lasts=60 + at % 3, a=f"86139{at % 5:08d}", b=f"4477009{at % 7:05d}", code=("447", "4477")[at % 2])
    for at in range(40)
]

moments = st.lists(st.tuples(st.sampled_from(["447", "4477", "44"]), st.integers(-20, 20)), min_size=1, max_size=15)


def taken(calls: list[Call], *, is_wide: bool = False) -> tuple[Census, Plan]:
    source = table_source(table(calls))
    plan = plan_of(source, source, Service.VOICE, (MONTH_START_MS, MONTH_END_MS), UTC, bucket_rows=4)
    plan = wide(plan) if is_wide else plan
    return Census(scan(source, plan, UTC).exchange, plan.layout), plan


@pytest.mark.parametrize("is_wide", [False, True])
def test_values_are_counted_over_all_records(is_wide: bool) -> None:
    census, plan = taken(CALLS, is_wide=is_wide)
    assert (plan.layout.words == WIDE) == is_wide
    callers = np.sort(party_hashes(table(CALLS[:5])["a_party"]))
    assert census.counts(Asked.CALLER, callers).tolist() == [8] * 5
    assert census.counts(Asked.QUANTITY, np.array([60_000, 60_001, 62_000], np.uint64)).tolist() == [14, 0, 13]
    assert census.counts(Asked.CODE, np.array([0, 1], np.uint64)).tolist() == [20, 20]
    assert census.counts(Asked.ROUTE, np.empty(0, np.uint64)).tolist() == []


def test_a_block_is_a_called_number_without_its_last_two_digits() -> None:
    census, _ = taken([Call(b="447700900101"), Call(b="447700900199"), Call(b="447700900201")])
    blocks = np.unique(
        called_hashes(table([Call(b="447700900155"), Call(b="447700900255")])["b_party"]) >> np.uint64(SUFFIX_BITS)
    )
    assert sorted(census.counts(Asked.BLOCK, blocks).tolist()) == [1, 2]


def test_records_come_in_order_of_row_with_all_they_say() -> None:
    census, plan = taken(CALLS)
    found = census.records(Asked.QUANTITY, np.array([61_000], np.uint64))
    assert found.row.tolist() == [at for at, call in enumerate(CALLS) if call.lasts == 61]
    assert found.start_ms.tolist() == [NOON_MS + round(CALLS[at].at * 1000) for at in found.row.tolist()]
    assert [plan.vocabulary.codes[code] for code in found.code.tolist()] == [
        CALLS[at].code for at in found.row.tolist()
    ]


@settings(max_examples=100, deadline=None)
@given(moments, moments, st.booleans())
def test_the_nearest_records_of_a_code_are_found_on_both_sides(
    held: list[tuple[str, int]], asked: list[tuple[str, int]], leave_first: bool
) -> None:
    census, plan = taken([Call(code=code, at=at) for code, at in [*held, ("447", 0), ("4477", 0), ("44", 0)]])
    places = np.array([plan.vocabulary.codes.index(code) for code, _ in asked], np.int64)
    start_ms = np.array([NOON_MS + at * 1000 for _, at in asked], np.int64)
    left_out = len(held) if leave_first else 0
    before, after = census.nearest(places, start_ms, np.arange(left_out))
    known = [*held, ("447", 0), ("4477", 0), ("44", 0)][left_out:]
    for at, (code, moment) in enumerate(asked):
        mine = [NOON_MS + other * 1000 for each, other in known if each == code]
        assert before[at] == max((each for each in mine if each <= start_ms[at]), default=-1), (code, moment)
        assert after[at] == min((each for each in mine if each > start_ms[at]), default=-1), (code, moment)


def test_the_few_of_each_code_are_the_same_however_the_records_lie() -> None:
    def few(calls: list[Call]) -> set[Call]:
        census, _ = taken(calls)
        return {calls[row] for row in census.least(np.array([0, 1]), 3, np.empty(0, np.int64)).row.tolist()}

    assert few(CALLS) == few(CALLS[::-1])
    assert len(few(CALLS)) == 6
