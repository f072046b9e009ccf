"""Is a file's preset found from its first rows, and is doubt said aloud?"""

import gzip
from pathlib import Path

import pytest

from gateway.formats.sniffing import sniff
from ledger.errors import Malformed
from tests.gateway.formats.test_reading import asterisk, freeswitch

MILLIS = '"u","1","2","1790812799000","0","1790812861250","62250","0","NO_ANSWER","cnt-in","inbound"\n'
HEADED = "a_number,b_number,start,duration_ms,trunk,more\n1,2,2026-10-01T00:00:00Z,5,cnt-in,x\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("asterisk", asterisk() * 3 + asterisk(answer="", billsec="0", disposition="BUSY")),
        ("freeswitch", freeswitch("2026-10-01 00:01:00", 60, "2026-10-01 00:00:00")),
        ("freeswitch_b", MILLIS),
        ("csv", HEADED),
    ],
)
def test_each_kind_of_file_is_recognised(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / "cdr.csv"
    path.write_text(content)
    found = sniff(path)
    assert (found.preset.name, found.sure_percent) == (name, 100)


def test_rows_that_do_not_fit_make_it_less_sure(tmp_path: Path) -> None:
    path = tmp_path / "cdr.csv"
    path.write_text(asterisk() * 3 + "garbage\n")
    found = sniff(path)
    assert (found.preset.name, found.sure_percent, found.sampled) == ("asterisk", 75, 4)


@pytest.mark.parametrize("content", [b"", b"hello\n", b"\n\n", b'"' * 1000, b"x" * 70_000, b"PK\x03\x04bad", b"PAR1"])
def test_what_fits_no_preset_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cdr.csv"
    path.write_bytes(content)
    with pytest.raises(Malformed, match="no preset fits"):
        sniff(path)


def test_only_whole_lines_of_a_long_file_are_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "cdr.csv"
    path.write_text(asterisk() * 2_000)
    assert (sniff(path).sure_percent, sniff(path).sampled) == (100, 200)


@pytest.mark.parametrize("content", ["a,b\n".encode("utf-16"), b"\0" * 70_000])
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cdr.csv"
    path.write_bytes(content)
    with pytest.raises(Malformed, match="not in UTF-8"):
        sniff(path)


def test_a_packed_file_is_looked_into(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv.gz"
    path.write_bytes(gzip.compress((asterisk() * 3).encode()))
    assert sniff(path).preset.name == "asterisk"


def test_a_file_that_lies_about_being_packed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv.gz"
    path.write_bytes(gzip.compress((asterisk() * 3).encode())[:-30])
    with pytest.raises(Malformed, match="cannot be read"):
        sniff(path)
