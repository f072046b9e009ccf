"""Is a file of no known preset mapped by its header and first rows, and does the saved mapping read it?"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gateway.cli import app as cli
from gateway.formats.mapping import NO_HELP, Help, guessed, needed_fields, propose
from gateway.formats.partner_deck.cells import DayOrder
from gateway.formats.preset import parse_preset, read_preset
from gateway.formats.reading import Reading, read_cdr
from ledger.errors import Malformed
from ledger.period import Period
from tests.gateway.formats.test_samples import CONTEXTS, LONDON, sample_of
from tests.ledger.records import OCTOBER_MS

DAY_FIRST = (
    "Call Start;Caller;Called;Duration;Disposition;Carrier;Cost;Note\n"
    "01/10/2026 09:00:02;+8613800138000;+442079460000;00:01:01;ANSWERED;cnt-in;0.0123;x\n"
    "25/10/2026 13:05:59;+8613800138001;+442079460000;00:00:00;NO ANSWER;cnt-in;0.0000;x\n"
)
AMERICAN = (
    "start_time,caller_id_number,dialed_number,minutes,trunk\n"
    "10/1/2026 9:00:02 AM,+8613800138000,02079460000,2,cnt-in\n"
)
JSON_LINES = (
    '{"a":{"src":"+8613800138000"},"dst":"+442079460000","answered_at":"2026-10-01T08:00:02.250+00:00","billsec":61.5,'
    '"trunk":"cnt-in"}\n'
    '{"a":{"src":"+8613800138000"},"dst":"+442079460000","answered_at":null,"billsec":0,"trunk":"cnt-in"}\n'
)
UNIX = "src\tdst\tanswer\tbillsec\ttrunk\n+8613800138000\t+442079460000\t1790841602.25\t61\tcnt-in\n"
EIGHT = OCTOBER_MS + 8 * 3_600_000


def _read(path: Path, help_: Help = NO_HELP) -> Reading:
    proposal = propose(path, "voice", help_)
    assert proposal.sure_percent == 100
    return read_cdr(path, parse_preset(proposal.toml, "proposed"), LONDON)


@pytest.mark.parametrize(
    ("content", "start_ms", "quantity"),
    [
        (DAY_FIRST, EIGHT + 2_000, 61_000),
        (AMERICAN, EIGHT + 2_000, 120_000),
        (JSON_LINES, EIGHT + 2_250, 61_500),
        (UNIX, EIGHT + 2_250, 61_000),
    ],
)
def test_what_is_proposed_reads_the_file(tmp_path: Path, content: str, start_ms: int, quantity: int) -> None:
    path = tmp_path / "vendor.csv"
    path.write_text(content)
    read = _read(path, Help(dates=DayOrder.MDY) if content is AMERICAN else NO_HELP)
    (table,) = read.tables.values()
    assert [tuple(row.values())[1:5] for row in table.to_pylist()] == [
        ("8613800138000", "442079460000", start_ms, quantity)
    ]
    assert not len(read.quarantined)


def _file(tmp_path: Path, start: str, heading: str = "Minutes", quantity: str = "1.5") -> Path:
    path = tmp_path / "vendor.csv"
    header = f"Caller,Called,Start,{heading},Trunk,Price USD\n"
    path.write_text(header + f"+8613800138000,+442079460000,{start},{quantity},cnt-in,0.01\n")
    return path


def _first(read: Reading) -> tuple[int, int]:
    (row,) = next(iter(read.tables.values())).to_pylist()
    return row["start_ms"], row["quantity"]


@pytest.mark.parametrize("day", ["05/10/2026", "5-10-2026"])
def test_days_that_can_be_read_in_two_ways_are_refused_until_their_order_is_said(tmp_path: Path, day: str) -> None:
    path = _file(tmp_path, f"{day} 09:00:00")
    with pytest.raises(Malformed, match="two ways") as refusal:
        propose(path, "voice")
    assert "--dates dmy" in refusal.value.todo
    assert _first(_read(path, Help(dates=DayOrder.DMY)))[0] == EIGHT + 4 * 86_400_000


def test_dots_say_that_the_day_stands_first(tmp_path: Path) -> None:
    assert _first(_read(_file(tmp_path, "05.10.2026 09:00:00")))[0] == EIGHT + 4 * 86_400_000


@pytest.mark.parametrize("heading", ["Minutes", "Billed Min", "Duration (min)"])
def test_decimal_minutes_are_read_where_the_heading_says_so(tmp_path: Path, heading: str) -> None:
    path = _file(tmp_path, "2026-10-01 09:00:00", heading)
    assert _first(_read(path))[1] == 90_000
    assert propose(path, "voice").remarks == ()
    assert 'column = "Price USD"' in propose(path, "voice").toml


def test_a_unit_that_no_heading_names_is_called_a_guess_until_it_is_said(tmp_path: Path) -> None:
    path = _file(tmp_path, "2026-10-01 09:00:00", "Duration", "61")
    proposal = propose(path, "voice")
    assert "a guess" in proposal.toml and "--unit" in proposal.remarks[0]
    assert propose(path, "voice", Help(unit="min")).remarks == ()
    assert [_first(_read(path, Help(unit=unit)))[1] for unit in ("s", "ms", "min")] == [61_000, 61, 3_660_000]


def test_a_person_says_which_column_a_field_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = _file(tmp_path, "2026-10-01 09:00:00", "Laskutus", "1.5")
    told = ["mapping", str(path), "--map", "quantity=Laskutus", "--unit", "min"]
    assert cli.run(["mapping", str(path)]) == 2
    assert cli.run(told) == 0
    assert "# 100 % of 1 rows" in capsys.readouterr().out
    for wrong in ("quantity=Laskut", "length=Laskutus", "Laskutus"):
        assert cli.run(["mapping", str(path), "--map", wrong]) == 2
    assert cli.run([*told, "--unit", "h"]) == 2
    assert "not a unit" in capsys.readouterr().err


def test_a_parquet_file_is_mapped_by_its_schema(tmp_path: Path) -> None:
    columns: Mapping[str, object] = {
        "caller": ["+8613800138000", None],
        "callee": ["+442079460000", "+442079460001"],
        "answered_at": pa.array([EIGHT, EIGHT + 60_000], pa.timestamp("ms", "UTC")),
        "duration_ms": [61_000, 30_500],
        "trunk": pa.array(["cnt-in", "cnt-out"]).dictionary_encode(),
    }
    path = tmp_path / "calls.parquet"
    pq.write_table(pa.table(columns), path)
    read = _read(path)
    assert [table.to_pylist()[0]["start_ms"] for table in read.tables.values()] == [EIGHT, EIGHT + 60_000]


def test_an_inventory_is_mapped(tmp_path: Path) -> None:
    path = sample_of("ipl_inventory")
    preset = parse_preset(propose(path, "ipl").toml, "proposed")
    read = read_cdr(path, preset, replace(CONTEXTS["ipl_inventory"], period=Period(2026, 10)))
    assert read.counts.accepted == 3


def test_counters_are_mapped() -> None:
    proposal = propose(sample_of("interface_64"), "data")
    assert 'octets_in = "ifHCInOctets"' in proposal.toml and proposal.sure_percent == 100


@pytest.mark.parametrize(
    ("content", "service", "says"),
    [
        ("a,b,c\n1,2,3\n", "voice", "no column looks like b_party"),
        ("+8613800138000,2026-10-01 08:00:00,x,y\n", "voice", "names no columns"),
        ("", "voice", "names no columns"),
        ("{}\n", "voice", "no column looks like"),
        ("a,b,c\n", "fax", "no such service"),
        ("PAR1", "voice", "cannot be read"),
        ("PK\x03\x04", "ipl", "cannot be read"),
    ],
)
def test_what_cannot_be_mapped_is_refused(tmp_path: Path, content: str, service: str, says: str) -> None:
    path = tmp_path / "vendor.csv"
    path.write_text(content)
    with pytest.raises(Malformed, match=says):
        propose(path, service)


def test_the_command_saves_a_mapping_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = tmp_path / "vendor.csv", tmp_path / "mapping.toml"
    path.write_text(DAY_FIRST)
    assert cli.run(["mapping", str(path), "--out", str(out)]) == 0
    assert "not used: Note" in capsys.readouterr().out
    assert read_preset(out).file.delimiter == ";"
    assert cli.run(["mapping", str(path), "--out", str(out)]) == 1
    assert "exists" in capsys.readouterr().err


def test_what_the_headings_tell_is_guessed_though_something_needed_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    path.write_text("Caller;Callee;When;Seconds;Route\n+8613800138000;+442079460000;2026-10-01 09:00:02;61;cnt-in\n")

    found = guessed(path, "voice")

    assert found == {"a_party": "Caller", "b_party": "Callee", "quantity": "Seconds", "route": "Route"}
    assert [field for field in needed_fields("voice") if field not in found] == ["start"]
    with pytest.raises(Malformed, match="no column looks like start"):
        propose(path, "voice")
