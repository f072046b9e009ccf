import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ledger.errors import Malformed, Refused, RowMalformed
from ledger.identity import CarrierCode
from ledger.period import Period
from ledger.usage import RATED_SCHEMA
from reconciliation.files import net_file, read_records, reconcile_files
from tests.reconciliation.records import CN, GB, NOON_MS, agreement, many, table

HEADER = "a_party,b_party,start,quantity,amount\n"
ROW = "8613900000001,447700900001,2026-10-11T12:00:00Z,60000,0.02\n"


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def parquet(folder: Path, **change: pa.Array) -> Path:
    """One record, with other columns than it should have."""
    columns = dict(zip(RATED_SCHEMA.names, table(many(1)).columns, strict=True)) | change
    pq.write_table(pa.table(columns), folder / "ours.parquet")
    return folder / "ours.parquet"


def test_a_file_without_the_columns_is_refused_with_what_it_has(tmp_path: Path) -> None:
    with pytest.raises(Malformed) as refusal:
        read_records(write(tmp_path, "ours.csv", "from,to\n1,2\n"))
    assert refusal.value.got == "from, to"


@pytest.mark.parametrize(
    ("header", "lacks"),
    [
        ("a_party,b_party,start,quantity", "amount_micros or amount"),
        ("a_party,b_party,quantity,amount", "start_ms or start"),
    ],
)
def test_a_file_that_has_neither_of_two_columns_is_refused_whole(tmp_path: Path, header: str, lacks: str) -> None:
    """Else each of its rows would be refused, and the other side's month would seem to be missing here."""
    with pytest.raises(Malformed, match=f"lacks columns: {lacks};"):
        read_records(write(tmp_path, "ours.csv", f"{header}\n1,2,3,4\n"))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("amount_micros", "says one thing in amount_micros and amount"),
        ("start_ms", "says one thing in start_ms and start"),
        ("b_party", "has a column twice: b_party"),
    ],
)
def test_a_column_that_another_one_contradicts_is_refused_by_name(tmp_path: Path, more: str, words: str) -> None:
    """Nothing says which of the two is right."""
    with pytest.raises(Malformed, match=words):
        read_records(write(tmp_path, "ours.csv", HEADER.replace("\n", f",{more}\n") + ROW.replace("\n", ",1\n")))


def test_an_obligation_has_one_amount(tmp_path: Path) -> None:
    text = "debtor,creditor,currency,amount,amount_micros\nCN-T,GB-B,USD,1.00,9000000\n"
    with pytest.raises(Malformed, match="says one thing in amount_micros and amount"):
        net_file(write(tmp_path, "owed.csv", text))


def test_an_amount_below_nothing_is_read_and_named_by_the_engine(tmp_path: Path) -> None:
    for column, text in (("amount", "-0.5"), ("amount_micros", "-500000")):
        header = HEADER.replace("amount", column)
        row = ROW.rsplit(",", 1)[0] + f",{text}\n"
        assert read_records(write(tmp_path, "ours.csv", header + row)).table["amount_micros"].to_pylist() == [-500_000]


def test_a_file_that_is_not_parquet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="not a Parquet file"):
        read_records(write(tmp_path, "ours.parquet", "no"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"route": pa.array([None], pa.string())}, "empty cells; expected a value in each row; got route"),
        ({"a_party": pa.array([{"number": 86}])}, "is not a Parquet file of rated records"),
        ({"amount_micros": pa.array([0.5])}, "a column is not of its type"),
    ],
)
def test_a_parquet_file_is_judged_as_the_engine_judges_it(
    tmp_path: Path, change: dict[str, pa.Array], words: str
) -> None:
    """Else its columns would break the sketch and the detectors, which read no piece by piece."""
    path = parquet(tmp_path, **change)
    with pytest.raises(Malformed, match=words):
        read_records(path)


def test_a_parquet_file_with_a_column_twice_is_refused_and_one_inside_another_column_is_none(tmp_path: Path) -> None:
    read = table(many(1))
    inside = pa.array([{"start_ms": 0, "line": 7}])
    pq.write_table(read.add_column(0, "more", inside), tmp_path / "more.parquet")
    assert read_records(tmp_path / "more.parquet").table.equals(read)
    pq.write_table(read.append_column("quantity", read["quantity"]), tmp_path / "twice.parquet")
    pq.write_table(read.drop_columns(["line"]).add_column(0, "more", inside), tmp_path / "inside.parquet")
    for name, words in (("twice", "more than one quantity"), ("inside", "without line")):
        with pytest.raises(Malformed, match=words):
            read_records(tmp_path / f"{name}.parquet")


@pytest.mark.parametrize(
    "callers",
    [
        pa.array([8613900000001]),
        pa.array(["8613900000001"]).dictionary_encode(),
        pa.array(["8613900000001"]).cast("large_string"),
    ],
)
def test_a_parquet_file_of_other_but_fitting_types_is_read_as_records(tmp_path: Path, callers: pa.Array) -> None:
    read = read_records(parquet(tmp_path, a_party=callers)).table
    assert read.schema == RATED_SCHEMA
    assert read["a_party"].to_pylist() == ["8613900000001"]


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ours.csv"
    path.write_bytes(b"a_party,b_party,quantity\n\xff\xfe,1,2\n")
    with pytest.raises(Malformed, match="cannot be read as CSV"):
        read_records(path)


@pytest.mark.parametrize(
    "bad",
    [
        "8613900000001,,2026-10-11T12:00:00Z,60000,0.02\n",
        "8613900000001,44x,2026-10-11T12:00:00Z,60000,0.02\n",
        "8613900000001,447700900001,yesterday,60000,0.02\n",
        "8613900000001,447700900001,2026-10-11T12:00:00Z,-1,0.02\n",
        "8613900000001,447700900001,2026-10-11T12:00:00Z,١٢,0.02\n",
        "8613900000001,447700900001,2026-10-11T12:00:00Z,60000,0.0000001\n",
        "8613900000001,447700900001,2026-10-11T12:00:00Z,60000,--1\n",
        "8613900000001,447700900001,2026-10-11T12:00:00Z,60000\n",
        "8613900000001,447700900001,2026-10-11T12:00:00Z,99999999999999999999,1\n",
    ],
)
def test_a_bad_row_is_quarantined_with_its_line_and_the_file_goes_on(tmp_path: Path, bad: str) -> None:
    records = read_records(write(tmp_path, "ours.csv", HEADER + ROW + bad + ROW))
    assert records.table.num_rows == 2
    assert [row.line for row in records.quarantined] == [3]


def test_a_start_without_offset_is_utc_and_with_one_is_moved(tmp_path: Path) -> None:
    text = HEADER + ROW.replace("12:00:00Z", "12:00:00") + ROW.replace("12:00:00Z", "20:00:00+08:00")
    starts = read_records(write(tmp_path, "ours.csv", text)).table["start_ms"].to_pylist()
    assert starts == [1_791_720_000_000, 1_791_720_000_000]


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("start_ms", "9223372036854775807"),
        ("start_ms", "0"),
        ("start_ms", "4102444800000"),
        ("start", "0001-01-01T00:00:00+14:00"),
        ("start", "9999-12-31T23:59:59-14:00"),
    ],
)
def test_a_row_whose_start_no_clock_shows_is_quarantined(tmp_path: Path, column: str, text: str) -> None:
    """Some of these have no day in any calendar, and would stop the whole reconciliation."""
    rows = "".join(
        f"8613900000001,447700900001,{start},60000,0.02\n" for start in (text, "946684800000", "4102444799999")
    )
    if column == "start":
        rows = f"8613900000001,447700900001,{text},60000,0.02\n{ROW}{ROW}"
    read = read_records(write(tmp_path, "ours.csv", HEADER.replace("start", column) + rows))
    assert len(read.table) == 2
    assert [(row.line, "between 2000 and 2100" in row.reason) for row in read.quarantined] == [(2, True)]


@pytest.mark.parametrize("start", [2**63 - 1, -(2**63), 253_402_300_800_000, NOON_MS // 1000])
@pytest.mark.parametrize("with_bounds", [True, False])
def test_a_parquet_file_with_a_start_that_no_clock_shows_is_refused_with_the_bounds(
    tmp_path: Path, start: int, with_bounds: bool
) -> None:
    path, good = parquet(tmp_path, start_ms=pa.array([start])), tmp_path / "theirs.parquet"
    pq.write_table(pq.read_table(path), path, write_statistics=with_bounds)
    pq.write_table(table(many(3)), good)
    for files in ((path, good), (good, path)):
        with pytest.raises(Malformed, match="a start_ms that is not between 2000 and 2100") as refusal:
            reconcile_files(*files, agreement())
        assert refusal.value.got == str(start)
    with pytest.raises(Malformed, match="start_ms"):
        read_records(path)


def test_two_files_reconcile_to_json(tmp_path: Path) -> None:
    ours = write(tmp_path, "ours.csv", HEADER + ROW)
    theirs = write(tmp_path, "theirs.csv", HEADER + ROW + ROW.replace("447700900001", "447700900002"))
    answer = reconcile_files(ours, theirs, agreement())
    (finding,) = json.loads(json.dumps(answer))["findings"]
    assert (answer["ours"], answer["theirs"], answer["creditor"], answer["period"]) == (CN, GB, GB, "2026-10")
    assert (finding["cause"], finding["difference"]) == ("missing_at_ours", "-0.020000")
    assert answer["pairs"] == 1
    assert answer["disputes"] == [
        {
            "cause": "missing_at_ours",
            "creditor": "GB-B",
            "service": "voice",
            "period": "2026-10",
            "amount": "0.020000",
            "count": 1,
            "explanation": "USD 0.02: We are missing 1 call that GB-B has, USD 0.02",
            "rule": "volume disputes reach 1.00 % of the invoice or 1000.00",
        }
    ]


def test_parquet_and_csv_say_the_same(tmp_path: Path) -> None:
    calls = many(40)
    pq.write_table(table(calls), tmp_path / "ours.parquet")
    pq.write_table(table(calls[2:]), tmp_path / "theirs.parquet")
    rows = zip(*(table(calls)[name].to_pylist() for name in table([]).column_names), strict=True)
    lines = [",".join(map(str, row)) for row in rows]
    ours = write(tmp_path, "ours.csv", "\n".join([",".join(table([]).column_names), *lines]) + "\n")
    theirs = tmp_path / "theirs.parquet"
    terms = agreement()
    assert reconcile_files(ours, theirs, terms) == reconcile_files(tmp_path / "ours.parquet", theirs, terms)


def test_side_creditor_and_period_may_be_named(tmp_path: Path) -> None:
    path = write(tmp_path, "ours.csv", HEADER + ROW)
    answer = reconcile_files(path, path, agreement(), ours=GB, creditor=GB, period=Period(2026, 11))
    assert (answer["ours"], answer["creditor"], answer["period"]) == (GB, GB, "2026-11")


def test_a_side_that_is_no_party_is_refused_by_name(tmp_path: Path) -> None:
    path = write(tmp_path, "ours.csv", HEADER + ROW)

    with pytest.raises(Refused) as caught:
        reconcile_files(path, path, agreement(), ours=CarrierCode("XX-X"))

    assert (caught.value.expected, caught.value.got) == ("CN-T or GB-B", "XX-X")


def test_two_empty_files_need_a_period(tmp_path: Path) -> None:
    path = write(tmp_path, "ours.csv", HEADER)
    with pytest.raises(Malformed, match="the files are empty"):
        reconcile_files(path, path, agreement())
    assert reconcile_files(path, path, agreement(), period=Period(2026, 10))["pairs"] == 0


def test_obligations_are_netted_by_currency(tmp_path: Path) -> None:
    text = "debtor,creditor,currency,amount\nCN-T,GB-B,USD,100\nGB-B,CN-T,USD,60.50\nGB-B,CN-T,EUR,1\n"
    answer = json.loads(json.dumps(net_file(write(tmp_path, "owed.csv", text))))
    euro, dollar = answer["cycles"]
    assert euro["legs"] == [{"debtor": "GB-B", "creditor": "CN-T", "amount": "1.000000"}]
    assert dollar["legs"] == [{"debtor": "CN-T", "creditor": "GB-B", "amount": "39.500000"}]
    assert (dollar["gross"], dollar["netted"], dollar["remaining"]) == ("160.500000", "121.000000", "39.500000")


def test_claims_are_passed_on_within_the_lines_of_another_file(tmp_path: Path) -> None:
    header = "debtor,creditor,currency,amount\n"
    owed = write(tmp_path, "owed.csv", header + "CN-T,GB-B,USD,100\nGB-B,US-A,USD,70\n")
    lines = write(tmp_path, "lines.csv", header + "CN-T,US-A,USD,40\n")
    (cycle,) = json.loads(json.dumps(net_file(owed, lines)))["cycles"]
    assert cycle["steps"] == {"offset": "170.000000", "set_off": "170.000000", "novated": "130.000000"}
    assert [leg["amount"] for leg in cycle["legs"]] == ["60.000000", "40.000000", "30.000000"]
    carrier = {"carrier": "GB-B", "amount": "30.000000", "owed": "100.000000", "owes": "70.000000", "statements": 2}
    assert cycle["positions"][1] == carrier


@pytest.mark.parametrize(
    "bad", ["CN-T,GB-B,USD,x", "cn-t,GB-B,USD,1", "CN-T,GB-B,usd,1", "CN-T,GB-B,USD", "CN-T,GB-B,USD,-5"]
)
def test_a_bad_obligation_refuses_the_whole_file_with_its_line(tmp_path: Path, bad: str) -> None:
    path = write(tmp_path, "owed.csv", f"debtor,creditor,currency,amount\nCN-T,GB-B,USD,1\n{bad}\n")
    with pytest.raises(RowMalformed, match="line 3"):
        net_file(path)
