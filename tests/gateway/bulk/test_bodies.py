"""Do the bytes of a body become the rows that were meant, and what is none of them a reason with its line?"""

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gateway.bulk.bodies
from gateway.bulk.bodies import Form, Packing, blocks_of, moments
from gateway.bulk.source import BulkSource
from gateway.formats.trunks import Direction, Stream
from ledger.errors import Malformed
from ledger.identity import CarrierCode
from ledger.service import Service

ROW = {
    "a_party": "442079460123",
    "b_party": "8613912345678",
    "start_ms": 1_790_000_000_000,
    "quantity": 5,
    "route": "t",
}
STREAM = Stream(CarrierCode("GB-B"), Direction.IN, Service.VOICE)
HEADING = b"a_party,b_party,start_ms,quantity,route"
values = (
    st.none()
    | st.integers(-5, 5)
    | st.integers(2**63 - 2, 2**64 + 1)
    | st.text("0123x", max_size=3)
    | st.floats(0, 2)
    | st.booleans()
)


def read(folder: Path, content: bytes, form: Form = Form.NDJSON, packing: Packing = Packing.NONE) -> Any:
    """Rows by line, and what is bad."""
    path = folder / "body"
    path.write_bytes(content)
    rows, bad = {}, []
    for block in blocks_of(path, form, packing):
        rows.update(zip(block.lines.to_pylist(), block.rows.to_pylist(), strict=True))
        bad += block.bad
    return rows, bad


def refused(folder: Path, **changes: Any) -> list[tuple[int, str, str]]:
    """What becomes of one changed row between two good ones."""
    rows = [ROW, {**ROW, **changes}, ROW]
    (folder / "body").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    source = BulkSource(folder / "body", Form.NDJSON, Packing.NONE, STREAM)
    pieces = list(source.pieces(None))
    assert sum(len(table) for piece in pieces for table in piece.tables.values()) == 2
    return [tuple(row.values()) for piece in pieces for row in piece.quarantined.to_pylist()]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("form", "content"),
    [
        (Form.PARQUET, b"PAR1 no"),
        (Form.ARROW, b"\x00\x01"),
        (Form.CSV, b"who,when\n1,2\n"),
        (Form.CSV, b""),
        (Form.CSV, b"a_party,b_party,route,quantity\n1,2,3,4\n"),
    ],
)
def test_a_body_that_is_no_such_body_is_refused(form: Form, content: bytes, tmp_path: Path) -> None:
    with pytest.raises(Malformed) as refusal:
        read(tmp_path, content, form)
    assert "b_party" in str(refusal.value.expected)


@pytest.mark.parametrize("packing", [Packing.NONE, Packing.GZIP])
@pytest.mark.parametrize(
    ("form", "content", "got"),
    [
        (Form.NDJSON, b"", "none"),
        (Form.NDJSON, b"\n \n", "none"),
        (Form.CSV, b"\r\n", "no line"),
        (Form.CSV, HEADING, "a heading only"),
        (Form.CSV, HEADING + b"\r\n", "a heading only"),
        (Form.ARROW, b"", "none"),
        (Form.PARQUET, b"", "none"),
    ],
)
def test_a_body_without_a_record_is_refused_in_our_words(
    form: Form, content: bytes, got: str, packing: Packing, tmp_path: Path
) -> None:
    if form in (Form.ARROW, Form.PARQUET):
        content = _columns(form, [])
    packing = Packing.NONE if form is Form.PARQUET else packing
    with pytest.raises(Malformed) as refusal:
        read(tmp_path, _packed(content, packing), form, packing)
    assert (refusal.value.message, refusal.value.got) == ("the body holds no record", got)
    assert "b_party" in str(refusal.value.expected)
    assert refusal.value.todo


@pytest.mark.parametrize("coding", ["utf-16", "latin-1"])
def test_a_heading_in_another_coding_than_utf_8_is_refused_in_our_words(coding: str, tmp_path: Path) -> None:
    body = f"{HEADING.decode()},größe\n1,2,3,4,5,6\n".encode(coding)
    with pytest.raises(Malformed, match="no text in UTF-8") as refusal:
        read(tmp_path, body, Form.CSV)
    assert refusal.value.expected == "CSV in UTF-8"
    assert refusal.value.todo == "Write it in UTF-8."


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 2**64, 10**30])
@pytest.mark.parametrize("column", ["quantity", "start_ms"])
def test_a_number_beyond_63_bits_waits_and_its_neighbours_do_not(column: str, number: int, tmp_path: Path) -> None:
    ((line, _, reason),) = refused(tmp_path, **{column: number})
    assert line == 2
    assert reason


def test_a_packed_body_that_holds_out_of_proportion_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="out of proportion"):
        read(tmp_path, gzip.compress(b" \n" * (20 << 20)), packing=Packing.GZIP)


def test_a_broken_pack_is_refused(tmp_path: Path) -> None:
    whole = gzip.compress(json.dumps(ROW).encode() * 100)
    with pytest.raises(Malformed):
        read(tmp_path, whole[:-30], packing=Packing.GZIP)


def test_a_line_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway.bulk.bodies, "BLOCK_BYTES", 1 << 16)
    with pytest.raises(Malformed, match="too long"):
        read(tmp_path, b"{" + b" " * (1 << 18))


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"start_ms": None}, "start"),
        ({"start": "2026-10-05T08:00:00Z"}, "start"),
        ({"start_ms": None, "start": "2026-10-05T08:00:00"}, "start"),
        ({"start_ms": None, "start": "2026-13-05T08:00:00Z"}, "start"),
        ({"start_ms": 1}, "start"),
        ({"quantity": -1}, "quantity"),
        ({"quantity": 2**60}, "quantity"),
        ({"b_party": "+8613912345678"}, "b_party"),
        ({"b_party": ""}, "b_party"),
        ({"a_party": "anonymous"}, "a_party"),
        ({"route": "é"}, "route"),
        ({"route": "r" * 33}, "route"),
    ],
)
def test_a_row_that_says_nothing_we_know_waits_with_its_line(
    changes: dict[str, Any], column: str, tmp_path: Path
) -> None:
    ((line, where, reason),) = refused(tmp_path, **changes)
    assert (line, where) == (2, column)
    assert reason


@pytest.mark.parametrize(
    "changes", [{"quantity": "5"}, {"quantity": 1.5}, {"more": 1}, {"route": None}, {"b_party": 86}]
)
def test_a_row_of_other_types_waits_and_its_neighbours_do_not(changes: dict[str, Any], tmp_path: Path) -> None:
    ((line, _, reason),) = refused(tmp_path, **changes)
    assert (line, bool(reason)) == (2, True)


def test_a_withheld_calling_number_and_any_offset_are_read(tmp_path: Path) -> None:
    rows, bad = read(tmp_path, json.dumps({**ROW, "a_party": "", "start_ms": None, "start": "x"}).encode())
    assert (rows[1]["a_party"], bad) == ("", [])
    texts = ["2026-10-05T08:00:00Z", "2026-10-05T16:00:00.250+08:00", "2026-10-05T08:00:00+0000"]
    (tmp_path / "body").write_text(
        "".join(json.dumps({**ROW, "start_ms": None, "start": text}) + "\n" for text in texts)
    )
    (block,) = blocks_of(tmp_path / "body", Form.NDJSON, Packing.NONE)
    assert moments(block.rows)[0].to_pylist() == [1_791_187_200_000, 1_791_187_200_250, 1_791_187_200_000]


@pytest.mark.parametrize("packing", Packing)
def test_all_forms_give_the_same_rows(packing: Packing, tmp_path: Path) -> None:
    rows = [{**ROW, "quantity": n} for n in range(300)]
    csv = ",".join(ROW) + "\n" + "".join(",".join(map(str, row.values())) + "\n" for row in rows)
    bodies = {
        Form.NDJSON: "".join(f"{json.dumps(row)}\n" for row in rows).encode(),
        Form.CSV: csv.encode(),
        Form.ARROW: _columns(Form.ARROW, rows),
    }
    told = [read(tmp_path, _packed(content, packing), form, packing)[0] for form, content in bodies.items()]
    told.append(read(tmp_path, _columns(Form.PARQUET, rows), Form.PARQUET)[0])
    counted = [[row["quantity"] for row in each.values()] for each in told]
    assert counted[0] == list(range(300))
    assert counted.count(counted[0]) == 4
    assert list(told[0]) == list(range(1, 301))
    assert [row["b_party"] for row in told[1].values()] == ["8613912345678"] * 300


@given(st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(ROW, values)), min_size=1, max_size=6))
@settings(max_examples=150, deadline=None)
def test_every_line_is_a_row_or_has_a_reason(
    tmp_path_factory: pytest.TempPathFactory, changes: list[dict[str, Any]]
) -> None:
    lines = [json.dumps({**ROW, **each}) for each in changes]
    folder = tmp_path_factory.mktemp("body")
    rows, bad = read(folder, "\n".join(lines).encode())
    assert sorted([*rows, *(each.line for each in bad)]) == list(range(1, len(lines) + 1))


def test_a_reader_that_forgets_what_it_cannot_read_would_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: the slow way tells no bad rows."""
    honest = gateway.bulk.bodies._one_by_one
    monkeypatch.setattr(gateway.bulk.bodies, "_one_by_one", lambda lines, first: honest(lines, first)._replace(bad=()))
    rows, bad = read(tmp_path, b'{"quantity": "x"}\n' + json.dumps(ROW).encode())
    assert sorted([*rows, *(each.line for each in bad)]) != [1, 2]


def _columns(form: Form, rows: list[dict[str, Any]]) -> bytes:
    """Rows as Arrow or Parquet."""
    kinds = {name: pa.string() if isinstance(value, str) else pa.int64() for name, value in ROW.items()}
    table, sink = pa.Table.from_pylist(rows, pa.schema(kinds)), io.BytesIO()
    if form is Form.PARQUET:
        pq.write_table(table, sink)
    else:
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    return sink.getvalue()


def _packed(content: bytes, packing: Packing) -> bytes:
    if packing is Packing.NONE:
        return content
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, packing.value) as stream:
        stream.write(content)
    return bytes(sink.getvalue())
