"""Does the archive keep what was sealed, and does it notice what was not?"""

import stat
from dataclasses import fields, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ledger import archive
from ledger.archive import (
    DeclaredTotals,
    archive_name,
    check_against,
    most_bytes,
    read,
    read_by_root,
    totals_of,
    write,
)
from ledger.errors import Conflict, Malformed, RootMismatch
from ledger.identity import CarrierCode, Root
from ledger.sealing import seal
from ledger.usage import RATED_SCHEMA
from tests.ledger.records import SCOPE, SECRET, rated


def _rewrite(path: Path, **columns: pa.Array) -> None:
    """Forge a file: other columns under the same metadata."""
    table = pq.read_table(path)
    for name, values in columns.items():
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.schema.field(place), values)
    pq.write_table(table, path)


def test_a_batch_read_back_is_the_batch_written(tmp_path: Path) -> None:
    batch = seal(rated(200), SCOPE, SECRET)
    path = write(batch, tmp_path / "archive")
    assert path.name == f"{batch.root.hex()}.parquet"
    back = read_by_root(tmp_path / "archive", batch.root)
    assert (back.root, back.scope, back.secret, back.table) == (batch.root, SCOPE, SECRET, batch.table)
    check_against(back, totals_of(batch))


def test_only_its_owner_can_read_a_file_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = write(seal(rated(2), SCOPE, SECRET), tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_writing_again_changes_nothing(tmp_path: Path) -> None:
    batch = seal(rated(2), SCOPE, SECRET)
    first = write(batch, tmp_path).stat()
    assert write(batch, tmp_path).stat().st_mtime_ns == first.st_mtime_ns
    other = replace(batch, scope=SCOPE._replace(creditor=CarrierCode("CN-T")))
    with pytest.raises(Conflict, match="another scope"):
        write(other, tmp_path)


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def disk_full(*_: object, **__: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(archive.pq, "write_table", disk_full)
    with pytest.raises(OSError, match="no space left"):
        write(seal(rated(2), SCOPE, SECRET), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_altered_record_no_longer_has_the_root(tmp_path: Path) -> None:
    batch = seal(rated(50), SCOPE, SECRET)
    path = write(batch, tmp_path)
    amounts = batch.table["amount_micros"].to_pylist()
    _rewrite(path, amount_micros=pa.array([amounts[1], amounts[0], *amounts[2:]]))
    with pytest.raises(RootMismatch, match=batch.root.hex()):
        read_by_root(tmp_path, batch.root)
    with pytest.raises(RootMismatch, match="root differs") as caught:
        check_against(read(path), totals_of(batch))
    assert caught.value.expected == batch.root.hex()


@pytest.mark.parametrize("name", [field.name for field in fields(DeclaredTotals)])
def test_each_declared_value_that_differs_is_named(name: str) -> None:
    batch = seal(rated(5), SCOPE, SECRET)
    wrong = Root(bytes(32)) if name == "root" else getattr(totals_of(batch), name) + 1
    with pytest.raises(RootMismatch, match=f"{name} differs") as caught:
        check_against(batch, replace(totals_of(batch), **{name: wrong}))
    assert caught.value.members["field"] == name
    assert caught.value.got is not None and caught.value.expected != caught.value.got


def test_files_that_are_no_archive_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.parquet").write_text("line,a_party\n")
    pq.write_table(rated(1), tmp_path / "bare.parquet")
    for name, says in (("text", "cannot be read"), ("absent", "cannot be read"), ("bare", "not an archive file")):
        with pytest.raises(Malformed, match=says):
            read(tmp_path / f"{name}.parquet")


def test_a_file_with_more_rows_than_declared_is_not_even_loaded(tmp_path: Path) -> None:
    path = write(seal(rated(50), SCOPE, SECRET), tmp_path)
    with pytest.raises(Malformed, match="too long; expected 49 rows; got 50"):
        read(path, most=49)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("secret", "zz"),
        ("secret", "00"),
        ("agreement_id", "00"),
        ("service", "fax"),
        ("period", "2026"),
        ("declarer", "?"),
    ],
)
def test_broken_metadata_is_refused(tmp_path: Path, key: str, value: str) -> None:
    path = write(seal(rated(2), SCOPE, SECRET), tmp_path)
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata(table.schema.metadata | {key.encode(): value.encode()}), path)
    with pytest.raises(Malformed):
        read(path)


def test_other_columns_are_refused(tmp_path: Path) -> None:
    path = write(seal(rated(2), SCOPE, SECRET), tmp_path)
    pq.write_table(pq.read_table(path).drop_columns("code"), path)
    with pytest.raises(Malformed, match="other columns"):
        read(path)


def test_the_files_name_is_the_root_in_hexadecimal() -> None:
    assert archive_name(bytes(31) + b"\x0f") == "00" * 31 + "0f.parquet"


def _forged(path: Path, table: pa.Table, **written: object) -> Path:
    """A file with the metadata of a sealed one and whatever rows a hostile carrier likes."""
    sealed = write(seal(rated(3), SCOPE, SECRET), path / "sealed")
    metadata = pq.read_schema(sealed).metadata
    pq.write_table(table.replace_schema_metadata(metadata), path / "forged.parquet", **written)
    return path / "forged.parquet"


@pytest.mark.parametrize("column", ["a_party", "destination", "code"])
def test_one_long_text_repeated_is_refused_before_it_fills_the_memory(tmp_path: Path, column: str) -> None:
    """Here 20 MB in a few kilobytes of file; with a million rows it would be a terabyte."""
    place = RATED_SCHEMA.get_field_index(column)
    long = pa.array(["7" * 100_000]).dictionary_encode().take(pa.array([0] * 200))
    table = rated(200).set_column(place, pa.field(column, long.type, nullable=False), long)
    path = _forged(tmp_path, table.cast(RATED_SCHEMA), compression="zstd")
    assert path.stat().st_size < 100_000

    with pytest.raises(Malformed, match=f"{column} is too long"):
        read(path)


def test_a_text_that_is_not_utf8_is_refused_when_it_is_read_and_not_when_it_is_shown(tmp_path: Path) -> None:
    place = RATED_SCHEMA.get_field_index("destination")
    broken = pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff\xfe"], pa.binary()).buffers())
    path = _forged(tmp_path, rated(1).set_column(place, RATED_SCHEMA.field(place), broken))

    with pytest.raises(Malformed, match="cannot be read"):
        read(path)


@pytest.mark.parametrize(
    "table",
    [
        rated(3).drop_columns(["code"]),
        rated(3).append_column("extra", pa.array([1, 2, 3])),
        rated(3).set_column(3, "start_ms", pa.array([1.0, 2.0, 3.0])),
        rated(3).set_column(1, "a_party", pa.array(["1", None, "3"])),
        rated(3).set_column(1, "a_party", pa.array([["1"], ["2"], ["3"]])),
    ],
    ids=["one missing", "one more", "floats", "nulls", "lists"],
)
def test_a_file_with_other_columns_is_refused(tmp_path: Path, table: pa.Table) -> None:
    with pytest.raises(Malformed, match="other columns"):
        read(_forged(tmp_path, table))


def test_how_long_a_file_may_be_grows_with_its_rows_and_has_an_end(tmp_path: Path) -> None:
    path = write(seal(rated(500), SCOPE, SECRET), tmp_path)

    assert path.stat().st_size < most_bytes(500) < most_bytes(501) < 2**21
    assert most_bytes(2**32 - 1) == 2**31
