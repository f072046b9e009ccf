"""Does a person read what a roaming file is worth, and only that?"""

from pathlib import Path

import pytest

from gateway.formats.tap.audit import Audited, AuditLine
from gateway.formats.tap.files import read_tap
from gateway.formats.tap.sides import TapContext
from gateway.formats.tap.wording import audit_text, lines_of
from ledger.identity import CarrierCode
from tests.gateway.formats.tap.encoding import (
    Batch,
    NrtrdeFile,
    call,
    charges,
    leaf,
    node,
    quick,
    rap_file,
    returned,
    stamped,
    wrong,
)

CONTEXT = TapContext(CarrierCode("CN-T"), {"GBRXX": CarrierCode("GB-B"), "FOO01": CarrierCode("GB-B")})


def _lines(tmp_path: Path, content: bytes) -> list[str]:
    (tmp_path / "file").write_bytes(content)
    return list(lines_of(read_tap(tmp_path / "file", CONTEXT).file))


def test_a_file_that_holds_is_one_line(tmp_path: Path) -> None:
    batch = Batch([call(charged=charges(("00", 71_200)))], charge=71_200, earliest="20261005100000")
    told = "TAP 3.12, GBRXX to CHNYY, number 00042: charges SDR 71.2, EUR 82.736536 at 1.16203"
    assert _lines(tmp_path, batch.encoded()) == [told]


def test_every_total_that_does_not_hold_is_a_line(tmp_path: Path) -> None:
    batch = Batch([call()], count=10, charge=1, earliest="20261005095958", latest="20261005110001")
    assert _lines(tmp_path, batch.encoded())[1:] == [
        "the file's own total does not hold: events declared 10, counted 1: 9 too many",
        "the file's own total does not hold: charges declared 0.001, counted 2.3: 2.299 too little",
        "the file's own total does not hold: first moment charged declared 2026-10-05T07:59:58Z, "
        "counted 2026-10-05T08:00:00Z: 0:00:02 too early",
        "the file's own total does not hold: last moment charged declared 2026-10-05T09:00:01Z, "
        "counted 2026-10-05T08:00:00Z: 1:00:01 too late",
    ]


def test_each_rate_that_was_used_is_told_and_a_code_may_be_0(tmp_path: Path) -> None:
    events = [call(charged=charges(("00", 1_000), rate=code)) for code in (0, 7)]
    batch = Batch(events, charge=2_000, rates=[(0, 2, 0), (7, 105, 2), (8, 9, 0)])
    told = "TAP 3.12, GBRXX to CHNYY, number 00042: charges SDR 2, EUR 3.05 at 2 and 1.05"
    assert _lines(tmp_path, batch.encoded()) == [told]


def test_a_rate_that_is_not_known_leaves_the_local_money_out(tmp_path: Path) -> None:
    batch = Batch([call(charged=charges(("00", 5), rate=None))], charge=5)
    assert _lines(tmp_path, batch.encoded()) == ["TAP 3.12, GBRXX to CHNYY, number 00042: charges SDR 0.005"]


def test_late_events_are_told_with_the_longest_wait(tmp_path: Path) -> None:
    late = NrtrdeFile([quick(3, "20160122110102", 43)], 1, "20160123110203")
    assert _lines(tmp_path, late.encoded()) == [
        "NRTRDE 2.1, FOO01 to BAR02, number 1",
        "1 of 1 events came more than 4 h after they ended; the last after 24:00:18",
    ]


def test_returns_are_told_by_the_file_they_name(tmp_path: Path) -> None:
    returns = [
        returned(538, leaf(532, "00040"), leaf(518, "00041")),
        returned(539, leaf(109, "00042"), node(542, wrong(32, 1))),
        returned(540, leaf(109, "00042"), call(), wrong(261, 1, 3, 9, 147), wrong(10)),
    ]
    assert _lines(tmp_path, rap_file(*returns)) == [
        "RAP 1.5, CHNYY to GBRXX, number 00007",
        "missing: GBRXX to CHNYY, number 00040 to 00041: never came",
        "fatal: GBRXX to CHNYY, number 00042: the whole file, error 32 at 1",
        "severe: GBRXX to CHNYY, number 00042: an event, error 261 at 1/3/9/147, error 10",
    ]


def test_a_notification_and_a_receipt_say_what_they_are(tmp_path: Path) -> None:
    who = [leaf(196, "GBRXX"), leaf(182, "CHNYY")]
    note = node(2, *who, leaf(109, "00043"), stamped(107, "20261005120000"), leaf(201, 3), leaf(189, 12))
    assert _lines(tmp_path, note) == ["TAP notification 3.12, GBRXX to CHNYY, number 00043"]
    receipt = node(535, *who, leaf(181, "00007"))
    assert _lines(tmp_path, receipt) == ["receipt of RAP, GBRXX to CHNYY, number 00007"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (AuditLine(Audited.EVENTS, None, 7), "events declared none, counted 7"),
        (AuditLine(Audited.EVENTS, 6, 7), "events declared 6, counted 7: 1 too few"),
        (AuditLine(Audited.REFUND, 6, 0), "refunds declared 6, counted 0: 6 too much"),
        (AuditLine(Audited.LATEST, 0, None), "last moment charged declared 1970-01-01T00:00:00Z, counted none"),
    ],
)
def test_a_total_is_told_as_declared_and_as_counted(line: AuditLine, told: str) -> None:
    assert audit_text(line) == told
