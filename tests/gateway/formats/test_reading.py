"""Does a CDR file become the usage records it means, whatever else stands in it?"""

import random
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.formats import fields, files, text_rows
from gateway.formats.preset import load_preset
from gateway.formats.reading import Direction, Reading, ReadingContext, Stream, Trunk, read_cdr
from ledger.errors import Malformed
from ledger.identity import CarrierCode
from ledger.numbers import Numbering
from ledger.service import Service
from tests.ledger.records import OCTOBER_MS

CN, US = CarrierCode("CN-T"), CarrierCode("US-A")
TRUNKS = {
    "cnt-in": Trunk(CN, Direction.IN),
    "cnt-out": Trunk(CN, Direction.OUT),
    "usa-in": Trunk(US, Direction.IN),
    "usa-out": Trunk(US, Direction.OUT, Numbering("1", "011", "1", 10)),
}
LONDON = ReadingContext(ZoneInfo("Europe/London"), "GB", TRUNKS)
UTC = replace(LONDON, zone=ZoneInfo("UTC"))
IN, OUT = Stream(CN, Direction.IN, Service.VOICE), Stream(CN, Direction.OUT, Service.VOICE)


def asterisk(
    src: str = "+8613800138000",
    dst: str = "02079460000",
    channel: str = "PJSIP/cnt-in-00000a1f",
    dstchannel: str = "PJSIP/1001-00000a20",
    start: str = "2026-10-01 00:00:00",
    answer: str = "2026-10-01 00:00:02",
    end: str = "2026-10-01 00:01:03",
    duration: str = "63",
    billsec: str = "61",
    disposition: str = "ANSWERED",
) -> str:
    """A line of Master.csv as cdr_csv writes it."""
    texts = ["", src, dst, "from-cnt", '""Ann"" <1>', channel, dstchannel, "Dial", "PJSIP/1001,60", start, answer, end]
    quoted = ",".join(f'"{text}"' for text in texts)
    return f'{quoted},{duration},{billsec},"{disposition}","DOCUMENTATION","1790812800.1",""\n'


def freeswitch(end: str, billsec: int, start: str, gateway: str = "cnt-in") -> str:
    cells = ["Ann", "+8613800138000", "+442079460000", "public", start, start, end, str(billsec), str(billsec)]
    cells += ["NORMAL_CLEARING", "5d2c", "", "", "PCMA", "PCMA", gateway]
    return ",".join(f'"{cell}"' for cell in cells) + "\n"


def _read(tmp_path: Path, content: str | bytes, preset: str = "asterisk", context: ReadingContext = UTC) -> Reading:
    path = tmp_path / "Master.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_cdr(path, load_preset(preset), context)


def _rows(read: Reading, stream: Stream = IN) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in read.tables[stream].to_pylist()]


def _quarantined(read: Reading) -> list[tuple[int, str, str]]:
    return [(row["line"], row["column"], row["reason"]) for row in read.quarantined.to_pylist()]


def test_a_call_that_came_in_and_one_that_went_out(tmp_path: Path) -> None:
    out = asterisk("02079460000", "008613800138000", "PJSIP/1001-00000001", "PJSIP/cnt-out-00000002")
    read = _read(tmp_path, asterisk() + out)
    assert _rows(read, IN) == [(1, "8613800138000", "442079460000", OCTOBER_MS + 2_000, 61_000, "cnt-in")]
    assert _rows(read, OUT) == [(2, "442079460000", "8613800138000", OCTOBER_MS + 2_000, 61_000, "cnt-out")]
    assert (read.counts.rows, read.counts.accepted, read.counts.quarantined) == (2, 2, 0)


def test_a_transit_call_is_a_record_of_both_its_trunks(tmp_path: Path) -> None:
    transit = asterisk(dst="0012125550123", dstchannel="SIP/usa-out-00000002")
    read = _read(tmp_path, transit.replace("0012125550123", "12125550123"))
    assert [row[2] for row in _rows(read, IN)] == ["12125550123"]
    assert [row[2] for row in _rows(read, Stream(US, Direction.OUT, Service.VOICE))] == ["12125550123"]
    assert read.counts.accepted == 1


def test_numbers_are_written_as_the_trunk_writes_them(tmp_path: Path) -> None:
    national = asterisk("02079460000", "2125550123", "PJSIP/1001-00000001", "PJSIP/usa-out-00000002")
    read = _read(tmp_path, national)
    assert [row[2] for row in _rows(read, Stream(US, Direction.OUT, Service.VOICE))] == ["12125550123"]


@pytest.mark.parametrize(
    ("source", "start", "answer", "end", "duration", "billsec"),
    [
        ("C-10 Asterisk 2018", "2018-06-30 14:45:02", "2018-06-30 14:45:14", "2018-06-30 14:46:38", 95, 83),
        ("C-10 Asterisk 2020", "2020-08-27 11:02:16", "2020-08-27 11:02:20", "2020-08-27 11:02:25", 8, 5),
        ("C-10 CUCM", "2023-09-05 09:46:40", "2023-09-05 09:46:45", "2023-09-05 09:47:00", 20, 15),
    ],
)
def test_published_rows_off_by_a_second_are_no_anomaly_and_the_duration_column_holds(
    tmp_path: Path, source: str, start: str, answer: str, end: str, duration: int, billsec: int
) -> None:
    line = asterisk(start=start, answer=answer, end=end, duration=str(duration), billsec=str(billsec))
    read = _read(tmp_path, line)
    assert [row[4] for row in _rows(read)] == [billsec * 1000], source
    assert read.counts.inconsistent == 0


def test_times_that_say_another_duration_are_counted_and_the_row_is_kept(tmp_path: Path) -> None:
    read = _read(tmp_path, asterisk(billsec="59"))
    assert (read.counts.inconsistent, read.counts.accepted) == (1, 1)
    assert [row[4] for row in _rows(read)] == [59_000]


def test_calls_without_an_answer_or_a_duration_are_not_billable(tmp_path: Path) -> None:
    lines = [
        asterisk(billsec="0"),
        asterisk(answer="", billsec="0", disposition="NO ANSWER"),
        asterisk(answer="", billsec="0", disposition="BUSY"),
        asterisk(disposition="FAILED", channel="PJSIP/nobody-1"),
    ]
    read = _read(tmp_path, "".join(lines))
    assert (read.counts.not_billable, read.counts.accepted, read.counts.quarantined) == (4, 0, 0)


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        (asterisk(channel="PJSIP/zzz-in-00000001"), "channel", "unknown trunk"),
        (asterisk(channel="PJSIP/cnt-out-00000001"), "channel", "unknown trunk"),
        (asterisk(channel="PJSIP/cnt-in"), "channel", "unknown trunk"),
        (asterisk(channel=""), "channel", "unknown trunk"),
        (asterisk(dst="*97"), "dst", "not a number in E.164"),
        (asterisk(dst=""), "dst", "not a number in E.164"),
        (asterisk(dst="٠٢٠٧٩٤٦٠٠٠٠"), "dst", "not a number in E.164"),
        (asterisk(billsec="-5"), "billsec", "not a duration"),
        (asterisk(billsec="٦١"), "billsec", "not a duration"),
        (asterisk(billsec="6e1"), "billsec", "not a duration"),
        (asterisk(billsec="6_1"), "billsec", "not a duration"),
        (asterisk(billsec=""), "billsec", "not a duration"),
        (asterisk(billsec="9" * 13), "billsec", "not a duration"),
        (asterisk(answer="2026-02-29 00:00:00"), "answer", "not a time"),
        (asterisk(answer="2026-10-01 24:00:00"), "answer", "not a time"),
        (asterisk(answer="2026-13-01 00:00:00"), "answer", "not a time"),
        (asterisk(answer="2026-10-01T00:00:00Z"), "answer", "not a time"),
        (asterisk(answer="0000-00-00 00:00:00"), "answer", "not a time"),
        (asterisk(answer="yesterday"), "answer", "not a time"),
        (asterisk(answer=""), "answer", "not a time"),
        ('"a","b"\n', "src", "too few columns"),
        (asterisk().replace("\n", ",1\n"), "userfield", "too many columns"),
        (asterisk().replace('"from-cnt"', '"from-cnt'), "dcontext", "text after a closing quote"),
        (asterisk().replace('1790812800.1",""', '1790812800.1","'), "userfield", "unclosed quote"),
        (asterisk().replace("from-cnt", "from\0cnt"), "dcontext", "control character"),
        (asterisk().replace("63,", "6\0003,"), "duration", "control character"),
        (asterisk().replace("from-cnt", "from\rcnt"), "dcontext", "carriage return inside a line"),
        (asterisk().replace("63,", "63\r,"), "duration", "carriage return inside a line"),
        (asterisk(src="1" * 5_000), "src", "field longer than 4096 bytes"),
        (asterisk().replace("\n", ",a" * 40_000 + "\n"), "userfield", "line longer than 65536 bytes"),
    ],
)
def test_a_malformed_row_is_quarantined_with_line_column_and_reason_and_the_file_goes_on(
    tmp_path: Path, line: str, column: str, reason: str
) -> None:
    read = _read(tmp_path, asterisk() + line + asterisk())
    assert _quarantined(read) == [(2, column, reason)]
    assert [row[0] for row in _rows(read)] == [1, 3]
    assert (read.counts.rows, read.counts.accepted, read.counts.quarantined) == (3, 2, 1)


def test_what_is_not_a_calling_number_does_not_spoil_a_row(tmp_path: Path) -> None:
    written = ["anonymous", "", "1234", "Zoë", "x" * 33]
    read = _read(tmp_path, "".join(asterisk(src=src) for src in written))
    assert [row[1] for row in _rows(read)] == ["", "", "1234", "", ""]


def test_rows_that_repeat_a_line_are_counted_and_kept(tmp_path: Path) -> None:
    read = _read(tmp_path, asterisk() * 3 + asterisk(billsec="62"))
    assert (read.counts.duplicates, read.counts.accepted) == (2, 4)
    assert len(_rows(read)) == 4


def test_local_time_is_read_in_the_switchs_zone(tmp_path: Path) -> None:
    read = _read(tmp_path, asterisk(answer="2026-10-01 01:00:02"), context=LONDON)
    assert [row[3] for row in _rows(read)] == [OCTOBER_MS + 2_000]


def test_the_repeated_hour_is_told_apart_by_the_order_in_which_calls_ended(tmp_path: Path) -> None:
    """London goes from 01:59:59 back to 01:00:00 on 2026-10-25; midnight UTC is 01:00 by the first pass."""
    midnight = OCTOBER_MS + 24 * 86_400_000
    lines = [
        freeswitch("2026-10-25 00:50:00", 60, "2026-10-25 00:49:00"),
        freeswitch("2026-10-25 01:30:00", 60, "2026-10-25 01:29:00"),
        freeswitch("2026-10-25 01:55:00", 60, "2026-10-25 01:54:00"),
        freeswitch("2026-10-25 01:05:00", 60, "2026-10-25 01:04:00"),
        freeswitch("2026-10-25 01:10:00", 1_200, "2026-10-25 01:50:00"),
        freeswitch("2026-10-25 01:30:00", 60, "2026-10-25 01:29:00"),
        freeswitch("2026-10-25 02:10:00", 60, "2026-10-25 02:09:00"),
    ]
    read = _read(tmp_path, "".join(lines), "freeswitch", LONDON)
    minutes = [(int(row[3]) - midnight) // 60_000 for row in _rows(read)]  # type: ignore[call-overload]
    assert minutes == [-11, 29, 54, 64, 50, 89, 129]
    assert read.counts.inconsistent == 0


def test_the_order_of_rows_matters_in_the_repeated_hour_only(tmp_path: Path) -> None:
    late, early = (freeswitch(f"2026-10-25 0{hour}:30:00", 60, f"2026-10-25 0{hour}:29:00") for hour in (5, 3))
    starts = [row[3] for row in _rows(_read(tmp_path, late + early, "freeswitch", LONDON))]
    assert starts[0] - starts[1] == 7_200_000  # type: ignore[operator]


def test_a_time_that_the_wall_skipped_is_quarantined(tmp_path: Path) -> None:
    read = _read(tmp_path, asterisk(answer="2026-03-29 01:30:00"), context=LONDON)
    assert _quarantined(read) == [(1, "answer", "no such time in Europe/London: skipped by daylight saving")]


def test_freeswitch_in_milliseconds(tmp_path: Path) -> None:
    answered = '"5d2c","8613800138000","+442079460000","1790812799000","1790812800250","1790812861250","62250","61000"'
    missed = '"5d2d","8613800138000","+442079460000","1790812799000","0","1790812861250","62250","0"'
    tail = ',"NORMAL_CLEARING","cnt-in","inbound"\n'
    read = _read(tmp_path, answered + tail + missed + tail, "freeswitch_b")
    assert _rows(read) == [(1, "8613800138000", "442079460000", OCTOBER_MS + 250, 61_000, "cnt-in")]
    assert read.counts.not_billable == 1


def test_a_csv_with_a_header_in_any_order_and_zone(tmp_path: Path) -> None:
    text = (
        "Trunk,ignored,start,duration_ms,b_number,a_number\r\n"
        "cnt-in,x,2026-10-01T00:00:01.5Z,1500,+442079460000,+8613800138000\r\n"
        "cnt-in,x,2026-10-01T08:00:01+08:00,1500,+442079460000,+8613800138000\r\n"
        "cnt-in,x,2026-10-01 01:00:01,1500,+442079460000,+8613800138000"
    )
    read = _read(tmp_path, "\ufeff" + text, "csv", LONDON)
    assert [(row[0], row[3]) for row in _rows(read)] == [
        (2, OCTOBER_MS + 1_500),
        (3, OCTOBER_MS + 1_000),
        (4, OCTOBER_MS + 1_000),
    ]


def test_a_header_that_lacks_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="header line lacks columns"):
        _read(tmp_path, "a_number,b_number,start\n", "csv")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_file_in_utf_16_is_refused_as_a_whole(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(Malformed, match="not in UTF-8 or ASCII"):
        _read(tmp_path, (asterisk() * 3).encode(encoding))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="cannot be read"):
        read_cdr(tmp_path / "absent.csv", load_preset("asterisk"), UTC)


def test_a_trunk_name_that_no_leaf_can_hold_is_refused(tmp_path: Path) -> None:
    context = replace(UTC, trunks={"x" * 33: Trunk(CN, Direction.IN)})
    with pytest.raises(Malformed, match="not a trunk name"):
        _read(tmp_path, asterisk(), context=context)


def test_empty_files_blank_lines_and_a_missing_last_line_end(tmp_path: Path) -> None:
    assert _read(tmp_path, "").counts.rows == 0
    read = _read(tmp_path, "\n\r\n" + asterisk() + "\n" + asterisk().rstrip("\n"))
    assert [row[0] for row in _rows(read)] == [3, 5]
    assert read.counts.rows == 2


def test_without_known_trunks_everything_is_quarantined(tmp_path: Path) -> None:
    read = _read(tmp_path, asterisk(), context=replace(UTC, trunks={}))
    assert _quarantined(read) == [(1, "channel", "unknown trunk")]


def test_a_file_read_in_small_pieces_reads_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [asterisk(billsec=str(n), channel=f"PJSIP/{('cnt', 'usa', 'zzz')[n % 3]}-in-{n:08x}") for n in range(1, 60)]
    text = "".join([*lines[:30], '"unclosed\n', "\n", *lines[20:]])
    whole = _read(tmp_path, text)
    for size in (1, 100, 1_000, 7_777):
        monkeypatch.setattr(files, "CHUNK_BYTES", size)
        pieces = _read(tmp_path, text)
        assert pieces.counts == whole.counts
        assert pieces.quarantined == whole.quarantined
        assert {stream: table.to_pylist() for stream, table in pieces.tables.items()} == {
            stream: table.to_pylist() for stream, table in whole.tables.items()
        }


def test_a_line_without_end_is_quarantined_and_never_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "CHUNK_BYTES", 50_000)
    held: list[int] = []
    honest = text_rows.TextRows.cut
    monkeypatch.setattr(
        text_rows.TextRows, "cut", lambda self, piece: (held.append(len(piece)), honest(self, piece))[1]
    )
    read = _read(tmp_path, asterisk() + "x" * 1_000_000 + "\n" + asterisk())
    assert _quarantined(read) == [(2, "", "line longer than 65536 bytes")]
    assert [row[0] for row in _rows(read)] == [1, 3]
    assert max(held) < 200_000


def _mutated(chooser: random.Random, content: bytes) -> bytes:
    out = bytearray(content)
    for _ in range(chooser.randint(1, 12)):
        at = chooser.randrange(len(out))
        match chooser.randrange(3):
            case 0:
                out[at] = chooser.choice(b'"\r\n\0,\xff 09')
            case 1:
                del out[at : at + chooser.randint(1, 40)]
            case _:
                out[at:at] = chooser.choice([b'"', b"\n", b"\r", b"\0", b"\xd9\xa3", b",", b"9" * 30])
    return bytes(out)


@given(st.integers(0, 2**32))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_mutation_of_a_file_does_more_than_quarantine_rows(tmp_path: Path, seed: int) -> None:
    content = _mutated(random.Random(seed), (asterisk() * 12).encode())
    try:
        read = _read(tmp_path, content)
    except Malformed as error:
        assert "UTF-8" in error.message
        return
    counts = read.counts
    assert counts.rows == counts.accepted + counts.not_billable + counts.quarantined
    lines = content.replace(b"\r\n", b"\n").removesuffix(b"\n").split(b"\n")
    assert counts.rows == sum(line != b"" for line in lines)
    for table in read.tables.values():
        for row in table.to_pylist():
            assert row["quantity"] > 0 and row["b_party"].isdigit() and len(row["a_party"]) <= 32


def test_a_planted_fault_in_the_splitting_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = fields.split_lines

    def loses_a_row(text, size, delimiter, slots, exact, begins, ends, status, *rest):  # type: ignore[no-untyped-def]
        taken = honest(text, size, delimiter, slots, exact, begins, ends, status, *rest)
        status[-1] = fields.EMPTY
        return taken

    monkeypatch.setattr(fields, "split_lines", loses_a_row)
    assert _read(tmp_path, asterisk() * 3).counts.accepted != 3


def test_presets_agree_with_the_names_used_here() -> None:
    columns = load_preset("freeswitch").file.columns
    assert columns[-1] == "sip_gateway_name" and len(columns) == 16
