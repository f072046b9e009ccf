"""Do counters become the octets of each 5 minutes, whether they wrap, are set back, or are read late?"""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.formats import files
from gateway.formats.preset import load_preset
from gateway.formats.reading import Direction, Reading, Stream, read_cdr
from ledger.errors import Malformed
from ledger.service import Service
from tests.gateway.formats.test_samples import CN, LONDON
from tests.ledger.records import OCTOBER_MS

STREAM = Stream(CN, Direction.IN, Service.DATA)
MINUTE = 60_000


def _file(folder: Path, bits: int, rows: list[tuple[int, str, int, int]]) -> Reading:
    """Readings so many milliseconds into October: time, port, octets in, octets out."""
    high = "HC" if bits == 64 else ""
    lines = [f"time,ifName,if{high}InOctets,if{high}OutOctets"]
    for at, port, came, went in rows:
        stamp = f"2026-10-{1 + at // 86_400_000:02d}T{at // 3_600_000 % 24:02d}:{at // 60_000 % 60:02d}"
        lines.append(f"{stamp}:{at // 1000 % 60:02d}Z,{port},{came},{went}")
    path = folder / "counters.csv"
    path.write_text("\n".join(lines))
    return read_cdr(path, load_preset(f"interface_{bits}"), LONDON)


def _came(read: Reading) -> list[tuple[int, int]]:
    """Minute and octets of what the partner sent."""
    rows = read.tables[STREAM].to_pylist() if read.tables else []
    return [((row["start_ms"] - OCTOBER_MS) // MINUTE, row["quantity"]) for row in rows if row["a_party"] == CN]


def _reasons(read: Reading) -> list[tuple[int, str]]:
    return [(row["line"], row["reason"]) for row in read.quarantined.to_pylist()]


def _every(values: list[int], port: str = "cnt-port-1") -> list[tuple[int, str, int, int]]:
    return [(5 * MINUTE * at, port, value, 0) for at, value in enumerate(values)]


@pytest.mark.parametrize("bits", [32, 64])
def test_a_sample_is_the_difference_of_two_readings_and_begins_at_the_first(tmp_path: Path, bits: int) -> None:
    read = _file(tmp_path, bits, _every([100, 350, 350, 1_000]))
    assert _came(read) == [(0, 250), (5, 0), (10, 650)]
    assert read.counts.not_billable == 1, "the first reading ends no sample"


def test_a_32_bit_counter_wraps(tmp_path: Path) -> None:
    read = _file(tmp_path, 32, _every([2**32 - 100, 50, 150]))
    assert _came(read) == [(0, 150), (5, 100)] and not _reasons(read)


@pytest.mark.parametrize(
    ("bits", "values"), [(64, [2**63, 50]), (32, [2**31, 50]), (32, [500, 2**32]), (64, [2**64 - 1, 0])]
)
def test_a_counter_that_was_set_back_gives_no_sample(tmp_path: Path, bits: int, values: list[int]) -> None:
    read = _file(tmp_path, bits, _every([*values, values[1] + 7 if values[1] < 2**32 - 7 else 8]))
    assert (3, "the counter was set back") in _reasons(read)


def test_a_64_bit_counter_may_be_larger_than_63_bits_but_a_sample_may_not(tmp_path: Path) -> None:
    read = _file(tmp_path, 64, _every([2**64 - 1_000, 2**64 - 1]))
    assert _came(read) == [(0, 999)]
    assert _reasons(_file(tmp_path, 64, _every([0, 2**64 - 1]))) == [(3, "more octets than any port carries")]


@pytest.mark.parametrize("octets", ["18446744073709551616", "-1", "1.0", "1e6", "", "٣", "1_000", " 1"])
def test_what_is_no_count_is_quarantined(tmp_path: Path, octets: str) -> None:
    path = tmp_path / "counters.csv"
    path.write_text(f"time,port,in_octets,out_octets\n2026-10-01T00:05:00Z,cnt-port-1,{octets},1\n")
    read = read_cdr(path, load_preset("interface"), LONDON)
    assert _reasons(read) == [(2, "not a number of octets")]


def test_a_missing_reading_leaves_its_octets_unplaced(tmp_path: Path) -> None:
    rows = _every([100, 200, 900, 1_000])
    read = _file(tmp_path, 64, [rows[0], rows[1], rows[3]])
    assert (_came(read), _reasons(read)) == ([(0, 100)], [(4, "the reading before it is missing")])


def test_readings_a_few_seconds_off_belong_to_the_border_they_are_near(tmp_path: Path) -> None:
    rows = [(3_000, "cnt-port-1", 0, 0), (5 * MINUTE - 4_000, "cnt-port-1", 10, 0), (10 * MINUTE + 74_000, "x", 1, 1)]
    read = _file(tmp_path, 64, [*rows, (10 * MINUTE + 150_000, "cnt-port-1", 30, 0)])
    assert _came(read) == [(0, 10)]
    assert _reasons(read) == [(4, "unknown trunk"), (5, "not near the border of a sample")]


def test_a_second_reading_of_the_same_border_is_quarantined(tmp_path: Path) -> None:
    rows = _every([100, 200, 300])
    read = _file(tmp_path, 64, [rows[0], rows[1], rows[1], rows[2], rows[0]])
    assert [line for line, _ in _reasons(read)] == [4, 6]
    assert _came(read) == [(0, 100), (5, 100)]


def test_in_the_repeated_hour_each_port_has_an_order_of_its_own(tmp_path: Path) -> None:
    """London goes back from 02:00 to 01:00 on 2026-10-25; the file holds one port after the other."""
    walls = [f"0{hour}:{minute:02d}" for hour in (0, 1, 1, 2) for minute in range(0, 60, 5)]
    lines = [f"2026-10-25 {wall}:00,{port},7,7" for port in ("cnt-port-1", "cnt-in") for wall in walls]
    path = tmp_path / "octets.csv"
    path.write_text("time,port,in_octets,out_octets\n" + "\n".join(lines))
    table = read_cdr(path, load_preset("interface"), LONDON).tables[STREAM]
    begins = [row["start_ms"] for row in table.to_pylist() if row["a_party"] == CN]
    assert begins == [begins[0] + 5 * MINUTE * at for at in range(len(walls))] * 2


def test_a_sample_without_our_code_is_refused(tmp_path: Path) -> None:
    from dataclasses import replace

    path = tmp_path / "counters.csv"
    path.write_text("time,port,in_octets,out_octets\n")
    with pytest.raises(Malformed, match="needs both carriers"):
        read_cdr(path, load_preset("interface"), replace(LONDON, carrier=None))


@given(
    st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=40),
    st.integers(0, 2**32 - 1),
    st.sampled_from([32, 64]),
    st.integers(60, 4_000),
)
@settings(max_examples=40, deadline=None)
def test_samples_sum_to_what_was_counted_however_the_file_is_cut(
    tmp_path_factory: pytest.TempPathFactory, deltas: list[int], first: int, bits: int, size: int
) -> None:
    counters = [first]
    for delta in deltas:
        counters.append((counters[-1] + delta) % 2**bits)
    folder = tmp_path_factory.mktemp("counters")
    whole = files.CHUNK_BYTES
    try:
        files.CHUNK_BYTES = size
        read = _file(folder, bits, _every(counters))
    finally:
        files.CHUNK_BYTES = whole
    assert [octets for _, octets in _came(read)] == deltas
