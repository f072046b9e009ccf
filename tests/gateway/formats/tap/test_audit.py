"""Is what a file declares of itself held against what it carries?"""

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.formats.tap.audit import DELIVERY_LIMIT_MS, Audited, AuditLine, Delivery
from gateway.formats.tap.files import TapReading, read_tap
from gateway.formats.tap.sides import TapContext
from ledger.errors import Malformed
from ledger.identity import CarrierCode
from ledger.service import Service
from tests.gateway.formats.tap.encoding import Batch, NrtrdeFile, call, charges, coded, leaf, node, quick, session

CONTEXT = TapContext(CarrierCode("CN-T"), {"GBRXX": CarrierCode("GB-B"), "FOO01": CarrierCode("GB-B")})
TEN_MS = 1_791_187_200_000  # 2026-10-05 08:00 UTC, 10:00 at +0200
HOUR_MS = 3_600_000


def _read(tmp_path: Path, content: bytes) -> TapReading:
    path = tmp_path / "file"
    path.write_bytes(content)
    return read_tap(path, CONTEXT)


def _audit(read: TapReading) -> dict[Audited, tuple[int | None, int | None]]:
    return {line.what: (line.declared, line.counted) for line in read.file.audit}


def test_a_file_that_says_the_truth_holds(tmp_path: Path) -> None:
    batch = Batch([call(), session()], charge=68_900, earliest="20261005100000", latest="20261005110000")
    read = _read(tmp_path, batch.encoded())
    assert all(line.holds for line in read.file.audit)
    assert _audit(read) == {
        Audited.EVENTS: (2, 2),
        Audited.CHARGE: (68_900, 68_900),
        Audited.REFUND: (None, 0),
        Audited.EARLIEST: (TEN_MS, TEN_MS),
        Audited.LATEST: (TEN_MS + HOUR_MS, TEN_MS + HOUR_MS),
    }


@pytest.mark.parametrize(
    ("batch", "what", "difference"),
    [
        (Batch([call()], charge=2_300, count=2), Audited.EVENTS, 1),
        (Batch([call()], charge=2_300, count=0), Audited.EVENTS, -1),
        (Batch([call()], charge=2_299), Audited.CHARGE, -1),
        (Batch([call()], charge=2_300, earliest="20261005095959"), Audited.EARLIEST, -1_000),
        (Batch([call()], charge=2_300, latest="20261005100001"), Audited.LATEST, 1_000),
        (Batch([], earliest="20261005100001"), Audited.EARLIEST, None),
    ],
)
def test_each_total_that_does_not_hold_is_told_with_its_difference(
    tmp_path: Path, batch: Batch, what: Audited, difference: int | None
) -> None:
    broken = [line for line in _read(tmp_path, batch.encoded()).file.audit if not line.holds]
    assert [(line.what, line.difference) for line in broken] == [(what, difference)]


def test_a_reading_that_loses_charges_is_caught_by_the_files_own_total(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = Batch([call(), session()], charge=68_900).encoded()
    assert all(line.holds for line in _read(tmp_path, honest).file.audit)
    monkeypatch.setattr("gateway.formats.tap.gathering.count_charges", lambda fields, counted: None)
    assert [line.what for line in _read(tmp_path, honest).file.audit if not line.holds] == [Audited.CHARGE]


def test_an_event_left_out_of_the_records_still_counts_in_the_totals(tmp_path: Path) -> None:
    other = node(11, coded(74, "20261005093000"), charges(("00", 50)))
    read = _read(tmp_path, Batch([session(-1, 5), other], charge=66_650, earliest="20261005093000").encoded())
    assert read.reading.counts.accepted == 0
    assert all(line.holds for line in read.file.audit)


def test_other_types_of_charge_repeat_what_type_00_says_and_do_not_count(tmp_path: Path) -> None:
    read = _read(tmp_path, Batch([call(charged=charges(("01", 700), ("00", 2_300), ("50", 9)))]).encoded())
    assert read.file.charges == {1: 2_300}


def test_an_invocation_fee_counts_and_a_refund_counts_apart(tmp_path: Path) -> None:
    start = coded(44, "20261005100000")
    fee = node(9, start, node(57, leaf(422, 40)))
    refund = node(17, start, leaf(344, 1), charges(("00", 500)))
    read = _read(tmp_path, Batch([fee, refund, call()], charge=2_340).encoded())
    assert _audit(read)[Audited.CHARGE] == (2_340, 2_340)
    assert _audit(read)[Audited.REFUND] == (None, 500)
    assert read.file.charges == {None: 40, 1: 2_300}


def test_events_that_are_not_read_still_count_with_their_own_rates(tmp_path: Path) -> None:
    start = coded(447, "20261005080000")
    session_charges = node(448, node(449, leaf(105, 2), node(64, node(63, leaf(71, "00"), leaf(62, 7)))))
    events = [
        node(433, start, leaf(105, 1), leaf(62, 40)),
        node(434, start, leaf(223, 60), session_charges),
        node(12, node(69, leaf(105, 1), node(64, node(63, leaf(71, "00"), leaf(62, 3))))),
        node(9, coded(44, "20261005100000"), node(57, leaf(105, 2), leaf(422, 5)), node(57, leaf(422, 6))),
        node(9, coded(44, "20261005100000"), node(57, leaf(422, 8))),
    ]
    batch = Batch(events, rates=[(1, 1, 0), (2, 2, 0)], charge=69, earliest="20261005080000")
    read = _read(tmp_path, batch.encoded())
    assert all(line.holds for line in read.file.audit)
    assert read.file.charges == {1: 43, 2: 7 + 5 + 6, None: 8}
    reasons = read.reading.quarantined["reason"].to_pylist()
    assert reasons[:2] == [f"event of kind {n}, which is no call, message or data session" for n in (433, 434)]


def test_charges_become_local_money_exactly_by_each_ones_own_rate(tmp_path: Path) -> None:
    """C-29's rate: 71.2 SDR are 82.736536 EUR at 1.16203."""
    groups = [charges(("00", 70_000), rate=1), charges(("00", 1_200), rate=1)]
    read = _read(tmp_path, Batch([call(charged=each) for each in groups]).encoded())
    assert read.file.money is not None
    assert read.file.money.amount(sum(read.file.charges.values())) == Fraction("71.2")
    assert read.file.money.local(read.file.charges) == Fraction("82.736536")
    assert (read.file.money.currency, read.file.money.local_currency) == ("SDR", "EUR")


def test_two_rates_are_kept_apart_and_an_unknown_one_makes_no_sum(tmp_path: Path) -> None:
    rates = [(1, 116_203, 5), (2, 2, 0)]
    events = [call(charged=charges(("00", 1_000), rate=code)) for code in (1, 2)]
    read = _read(tmp_path, Batch(events, rates=rates).encoded())
    assert read.file.money is not None
    assert read.file.money.local(read.file.charges) == Fraction("3.16203")
    read = _read(tmp_path, Batch([*events, call(charged=charges(("00", 1_000), rate=3))], rates=rates).encoded())
    assert read.file.money is not None
    assert read.file.money.local(read.file.charges) is None


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["00", "01"]), st.integers(0, 10**13), st.sampled_from([None, 1, 2]))))
def test_charges_are_summed_exactly(tmp_path: Path, details: list[tuple[str, int, int | None]]) -> None:
    events = [call(charged=charges((kind, units), rate=rate)) for kind, units, rate in details]
    total = sum(units for kind, units, _ in details if kind == "00")
    read = _read(tmp_path, Batch(events, charge=total).encoded())
    assert _audit(read)[Audited.CHARGE] == (total, total)
    for code in (None, 1, 2):
        mine = sum(units for kind, units, rate in details if kind == "00" and rate == code)
        assert read.file.charges.get(code, 0) == mine


def _c09() -> NrtrdeFile:
    voice = [node(46, leaf(43, "11")), leaf(27, "495211065844"), leaf(35, "CAFE01"), leaf(25, 42)]
    message = [node(46, leaf(43, "21")), leaf(22, "1232323"), leaf(35, "CAFE01")]
    packets = [leaf(16, "thenet"), leaf(28, 42_424_242), leaf(29, 84_848_484), leaf(25, 2)]
    events = [
        quick(3, "20160122110102", 43, *voice),
        quick(4, "20160122110103", 0, *message),
        quick(5, "20160122110104", 3_600, *packets),
        quick(3, "20160122120102", 43, *voice),
        quick(4, "20160122120103", 0, *message),
        quick(5, "20160122120104", 3_600, *packets),
        quick(5, "20160122130104", 3_600, *packets),
    ]
    return NrtrdeFile(events, count=10, available="20160123110203")


def test_c09_an_nrtrde_file_declares_ten_events_and_carries_seven(tmp_path: Path) -> None:
    """libxfsx test/in/nrt_2_1: 2 calls from roamers, 2 to them of 0 s, 3 of data; the count says 10."""
    read = _read(tmp_path, _c09().encoded())
    assert read.file.audit == (AuditLine(Audited.EVENTS, 10, 7),)
    assert (read.file.audit[0].holds, read.file.audit[0].difference) == (False, 3)
    assert (str(read.file.name), read.file.name.release) == ("FOO01 to BAR02, number 1", "2.1")
    assert {stream.service: len(table) for stream, table in read.reading.tables.items()} == {
        Service.VOICE: 2,
        Service.DATA: 6,
    }
    assert read.reading.quarantined.to_pylist() == [
        {"line": line, "column": "called", "reason": "the roamer's number is not told"} for line in (2, 5)
    ]


def test_c09_every_event_came_after_the_four_hours_the_procedure_allows(tmp_path: Path) -> None:
    """The first call ends 2016-01-22 11:01:45, the file is there a day later at 11:02:03; the last data 21 h before."""
    read = _read(tmp_path, _c09().encoded())
    shortest, longest = (21 * 3_600 + 59) * 1_000, (24 * 3_600 + 60) * 1_000
    assert read.file.delivery == Delivery(events=7, late=7, shortest_ms=shortest, longest_ms=longest)


@pytest.mark.parametrize(("available", "late"), [("20160122150145", 0), ("20160122150146", 1)])
def test_four_hours_to_the_second_is_in_time(tmp_path: Path, available: str, late: int) -> None:
    first = quick(3, "20160122110102", 43, leaf(49, b"\x68\x31"))
    delivery = _read(tmp_path, NrtrdeFile([first], 1, available).encoded()).file.delivery
    assert delivery is not None
    assert (delivery.late, delivery.longest_ms - DELIVERY_LIMIT_MS) == (late, late * 1_000)


def test_an_nrtrde_file_without_a_readable_time_tells_no_delay(tmp_path: Path) -> None:
    read = _read(tmp_path, NrtrdeFile([quick(3, "20160122110102", 43)], 1, "yesterday").encoded())
    assert (read.file.delivery, read.file.name.available_ms) == (None, None)


def test_a_charge_out_of_all_bounds_puts_the_file_in_doubt(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="a charge of event 2 is no amount"):
        _read(tmp_path, Batch([call(), call(charged=charges(("00", 10**13 + 1)))]).encoded())
