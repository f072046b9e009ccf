"""Does a hostile usage file get more than a typed refusal, with row and column, in bounded memory and time?"""

import gzip
import random
import tracemalloc
import zlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gateway.formats import files, table_rows, text_rows
from gateway.formats.layout import FileKind
from gateway.formats.preset import load_preset, parse_preset
from gateway.formats.reading import Reading, read_cdr
from gateway.formats.workbook import read_sheet
from ledger.errors import Malformed
from tests.gateway.formats import mutations
from tests.gateway.formats.test_reading import asterisk
from tests.gateway.formats.test_samples import CONTEXTS, LONDON, sample_of
from tests.gateway.formats.workbooks import sheet_of, workbook

HEADER = ("Circuit", "A End", "Z End", "From", "To", "Monthly Charge")
JSON = """
name = "calls"
title = "calls"
service = "voice"
[file]
kind = "ndjson"
columns = ["a", "b", "at", "x.s", "t"]
[fields]
a_party = "a"
b_party = "b"
start = "at"
quantity = "x.s"
[time]
format = "iso"
zone = "utc"
[quantity]
unit = "s"
[trunk]
any = "t"
"""
CALL = '{"a":"+8613800138000","b":"+442079460000","at":"2026-10-01T08:00:00Z","x":{"s":61},"t":"cnt-in"}\n'


def _read(tmp_path: Path, content: bytes, preset: str = "asterisk") -> Reading:
    path = tmp_path / "usage"
    path.write_bytes(content)
    return read_cdr(path, load_preset(preset), CONTEXTS.get(preset, LONDON))


def _quarantined(found: Reading) -> list[tuple[int, str, str]]:
    return [(row["line"], row["column"], row["reason"]) for row in found.quarantined.to_pylist()]


@pytest.mark.parametrize("name", list(mutations.text_presets()))
def test_a_mutated_row_spoils_no_other_row(tmp_path: Path, name: str) -> None:
    assert mutations.mutate_rows(tmp_path, name, 300, random.Random(name)) > 30


@pytest.mark.parametrize("name", list(mutations.text_presets()))
def test_a_mutated_file_is_refused_or_read(tmp_path: Path, name: str) -> None:
    assert mutations.mutate_files(tmp_path, name, 15, random.Random(name)) < 15


def test_a_planted_fault_is_seen_by_the_mutations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A splitter that lets an unclosed quote run on into the next line."""
    honest = text_rows.TextRows.cut

    def joins_lines(self: text_rows.TextRows, piece: bytes) -> object:
        return honest(self, piece.replace(b'"\n', b'"'))

    monkeypatch.setattr(text_rows.TextRows, "cut", joins_lines)
    with pytest.raises(AssertionError):
        mutations.mutate_rows(tmp_path, "asterisk", 300, random.Random(1))


def test_a_mutated_workbook_is_refused_or_read(tmp_path: Path) -> None:
    chooser, path = random.Random(5), tmp_path / "inventory.xlsx"
    rows = [HEADER, ("LON-1", "LON", "SHA", "2026-01-01", "", 100), ("LON-2", "LON", "SHA", "=A1", "", 2.5)]
    refused = 0
    for _ in range(150):
        sheet = mutations.mutated(chooser, sheet_of(rows).encode()).decode("utf-8", "replace")
        path.write_bytes(workbook([], sheet=sheet))
        try:
            mutations.check(read_cdr(path, load_preset("ipl_inventory"), CONTEXTS["ipl_inventory"]), 3)  # type: ignore[arg-type]
        except Malformed:
            refused += 1
    assert 0 < refused < 150


def test_a_packed_file_reads_like_the_file(tmp_path: Path) -> None:
    plain = asterisk() * 3 + "garbage\n"
    packed, unpacked = _read(tmp_path, gzip.compress(plain.encode())), _read(tmp_path, plain.encode())
    assert (packed.counts, _quarantined(packed)) == (unpacked.counts, _quarantined(unpacked))


@pytest.mark.parametrize("filling", [b"\0", b"\n", b"x", b'"', b","])
def test_a_packed_bomb_is_refused_before_it_fills_the_memory(
    tmp_path: Path, filling: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "FREE_EXPANSION_BYTES", 5 << 20)
    packer, bomb = zlib.compressobj(9, zlib.DEFLATED, 31), b""
    for _ in range(32):
        bomb += packer.compress(filling * (1 << 20))
    bomb += packer.flush()
    path = tmp_path / "Master.csv.gz"
    path.write_bytes(bomb)
    tracemalloc.start()
    try:
        with pytest.raises(Malformed, match=r"holds more than|not in UTF-8"):
            read_cdr(path, load_preset("csv" if filling == b"," else "asterisk"), LONDON)
        assert tracemalloc.get_traced_memory()[1] < 96 << 20
    except Malformed as error:
        assert "lacks columns" in str(error)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "content", [b"\x1f\x8b\x08", gzip.compress(b"a" * 9_999, mtime=0)[:-12], b"\x1f\x8b" + bytes(50)]
)
def test_a_broken_pack_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(Malformed, match="cannot be read"):
        _read(tmp_path, content)


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        ("[" * 60_000, "", "no JSON object"),
        ('{"a":' * 9_000 + "1", "", "no JSON object"),
        ("not JSON", "", "no JSON object"),
        ("[1, 2]", "", "no JSON object"),
        (CALL.replace('"t":"cnt-in"', '"u":1').strip(), "t", "no such member"),
        (CALL.replace('{"s":61}', "[61]").strip(), "x.s", "no such member"),
        (CALL.replace('{"s":61}', '{"s":{"s":61}}').strip(), "x.s", "no such member"),
        (CALL.replace("61", "9" * 6_000).strip(), "", "no JSON object"),
        (CALL.replace("61", "-61").strip(), "x.s", "not a duration"),
        (CALL.replace("61", "6.1e1").strip(), "x.s", "not a duration"),
        (CALL.replace("61", "true").strip(), "x.s", "not a duration"),
        (CALL.replace("+442079460000", "+44٢٠٧٩٤٦٠٠٠٠").strip(), "b", "not a number in E.164"),
        (CALL.replace("+442079460000", "\\ud800").strip(), "", "no JSON object"),
        (CALL.replace("cnt-in", "x" * 5_000).strip(), "t", "no such member"),
        (CALL.replace("cnt-in", "c\tnt\x01-in").strip(), "", "control character"),
        (CALL.replace("cnt-in", "cnt\r-in").strip(), "", "carriage return inside a line"),
        ("x" * 70_000, "", "line longer than 65536 bytes"),
    ],
)
def test_a_bad_line_of_json_is_quarantined_and_the_file_goes_on(
    tmp_path: Path, line: str, column: str, reason: str
) -> None:
    path = tmp_path / "calls.ndjson"
    path.write_text(CALL + line + "\n" + CALL, newline="")
    found = read_cdr(path, parse_preset(JSON, "calls"), LONDON)
    assert _quarantined(found) == [(2, column, reason)]
    assert found.counts.accepted == 2


def test_a_null_is_as_good_as_nothing(tmp_path: Path) -> None:
    path = tmp_path / "calls.ndjson"
    path.write_text(CALL.replace('"2026-10-01T08:00:00Z"', "null"))
    assert read_cdr(path, parse_preset(JSON, "calls"), LONDON).counts.not_billable == 1


FIXED = """
name = "fixed"
title = "fixed positions"
service = "voice"
[file]
kind = "fixed"
columns = ["a", "b", "at", "s", "t"]
widths = [15, 15, 19, 6, 8]
[fields]
a_party = "a"
b_party = "b"
start = "at"
quantity = "s"
[time]
format = "stamp"
zone = "utc"
[quantity]
unit = "s"
[trunk]
any = "t"
"""


def test_fixed_positions(tmp_path: Path) -> None:
    row = f"{'8613800138000':<15}{'442079460000':>15}2026-10-01 08:00:00{'61':>6}{'cnt-in':<8}"
    path = tmp_path / "calls.txt"
    path.write_text(f"{row}\n{row[:-9]}\n{row}trailer\r\n")
    found = read_cdr(path, parse_preset(FIXED, "fixed"), LONDON)
    assert (found.counts.accepted, _quarantined(found)) == (2, [(2, "", "not as the preset's pattern says")])
    with pytest.raises(Malformed, match="a width for each column"):
        parse_preset(FIXED.replace("widths = [15, ", "widths = ["), "fixed")


def test_a_preset_may_use_no_pattern_that_takes_time_out_of_proportion() -> None:
    catastrophic = JSON.replace('kind = "ndjson"', "kind = \"lines\"\npattern = '(?P<a>(x+x+)+y)\\\\1'")
    with pytest.raises(Malformed, match="is broken"):
        parse_preset(catastrophic, "calls")


PARQUET = JSON.replace("ndjson", "parquet").replace("x.s", "s")


def _parquet(tmp_path: Path, **columns: object) -> Reading:
    honest = {"a": ["1"], "b": ["+442079460000"], "at": ["2026-10-01T08:00:00Z"], "s": [61], "t": ["cnt-in"]}
    path = tmp_path / "calls.parquet"
    pq.write_table(pa.table(honest | columns), path)
    return read_cdr(path, parse_preset(PARQUET, "calls"), LONDON)


def test_a_parquet_file_is_read_by_its_schema(tmp_path: Path) -> None:
    assert _parquet(tmp_path, s=[61.5]).counts.accepted == 1
    assert _quarantined(_parquet(tmp_path, t=["x" * 5_000])) == [(1, "t", "field longer than 4096 bytes")]
    with pytest.raises(Malformed, match="no plain values"):
        _parquet(tmp_path, s=[[61]])


def test_a_parquet_file_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_rows, "MAX_GROUP_BYTES", 100)
    with pytest.raises(Malformed, match="too large"):
        _parquet(tmp_path)


def test_a_long_value_that_a_parquet_file_repeats_is_held_once(tmp_path: Path) -> None:
    indices = pa.array([0] * 50_000, pa.int32())
    long = pa.DictionaryArray.from_arrays(indices, pa.array(["x" * (1 << 20)]))
    columns = {"a": long} | {name: ["1"] * 50_000 for name in ("b", "at", "t")} | {"s": [1] * 50_000}
    assert _parquet(tmp_path, **columns).counts.quarantined == 50_000, "decoded as it stands it would be 50 GB"


def test_a_mutated_parquet_file_is_refused_or_read(tmp_path: Path) -> None:
    _parquet(tmp_path)
    path, chooser = tmp_path / "calls.parquet", random.Random(3)
    content = path.read_bytes()
    for _ in range(200):
        path.write_bytes(mutations.mutated(chooser, content))
        try:
            mutations.check(read_cdr(path, parse_preset(PARQUET, "calls"), LONDON), 0)  # type: ignore[arg-type]
        except Malformed:
            continue


def test_a_formula_is_no_value(tmp_path: Path) -> None:
    row = ["LON-1", "LON", "SHA", "2026-01-01", "", 100]
    content = workbook([HEADER, row, ["LON-2", "LON", "SHA", "=DATE(2026,1,1)", "", 100], ["=A2", *row[1:]]])
    found = _read(tmp_path, content, "ipl_inventory")
    assert _quarantined(found) == [(3, "From", "a formula, not a value"), (4, "Circuit", "a formula, not a value")]


def test_samples_are_what_they_seem() -> None:
    assert load_preset("ipl_inventory").file.kind is FileKind.XLSX
    assert read_sheet(sample_of("ipl_inventory")).rows[2][0] == "Circuit"
