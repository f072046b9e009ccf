"""Do two desks find where they differ with sketches alone, and hear what is wrong with a sketch?"""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from gateway.cli.app import run

HEADER = "a_party,b_party,start,quantity,amount\n"
CALLS = [f"861390000{n:04},4477009{n:05},2026-10-11T08:00:{n % 60:02}Z,61000,0.0250\n" for n in range(100)]
SEED = "0123456789abcdef"


@pytest.fixture
def months(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("ours.csv").write_text(HEADER + "".join(CALLS))
    Path("theirs.csv").write_text(HEADER + "".join(CALLS[7:]))
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sketch", "ours.csv", "--out", "o", "--seed", "12"], "16 hexadecimal digits"),
        (["sketch", "ours.csv", "--out", "o", "--seed", "0x23456789abcdef"], "16 hexadecimal digits"),
        (["sketch", "ours.csv", "--out", "o", "--seed", SEED, "--of", "calls"], "counts or charges"),
        (["sketch", "ours.csv", "--out", "o", "--seed", SEED, "--cells", "7"], "a multiple of 4"),
        (["sketch", "ours.csv", "--out", "no/o", "--seed", SEED], "a file in a folder we may write"),
        (["reconcile", "ours.csv", "--sketch", "theirs.csv"], "a file made by `gsc sketch`"),
    ],
)
def test_what_is_wrong_is_said(
    arguments: list[str], said: str, months: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) != 0
    assert said in capsys.readouterr().err


def test_only_the_records_of_the_keys_that_differ_are_revealed(
    months: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["sketch", "theirs.csv", "--out", "theirs.sketch", "--seed", SEED, "--differences", "20"]) == 0
    capsys.readouterr()
    assert run(["reconcile", "ours.csv", "--sketch", "theirs.sketch", "--out", "reveal.parquet", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer == {
        "keys": 7,
        "oursMore": 7,
        "theirsMore": 0,
        "reveal": 7,
        "records": 100,
        "theirRecords": 93,
        "quarantined": 0,
    }
    revealed = pq.read_table("reveal.parquet")
    assert sorted(revealed["b_party"].to_pylist()) == [f"4477009{n:05}" for n in range(7)]


def test_rows_that_were_quarantined_are_told(months: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Path("ours.csv").open("a") as file:
        file.write("861390000000,44x,2026-10-11T08:00:00Z,61000,0.0250\n")
    assert run(["sketch", "ours.csv", "--out", "ours.sketch", "--seed", SEED]) == 0
    assert "1 row of ours was quarantined and left out" in capsys.readouterr().out
    assert run(["reconcile", "ours.csv", "--sketch", "ours.sketch"]) == 0
    assert "1 row of ours was quarantined and left out" in capsys.readouterr().out
    run(["reconcile", "ours.csv", "--sketch", "ours.sketch", "--json"])
    assert json.loads(capsys.readouterr().out)["quarantined"] == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--sketch", "s.sketch", "--out", "rev.csv"], "--out is Parquet"),
        (["--sketch", "s.sketch", "--out", "rev"], "--out is Parquet"),
        (["--sketch", "s.sketch", "--period", "2026-10"], "--period means nothing with --sketch"),
        (["theirs.csv", "--out", "rev.parquet"], "--out means nothing with two files"),
    ],
)
def test_what_would_be_written_as_something_else_is_refused(
    months: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    run(["sketch", "theirs.csv", "--out", "s.sketch", "--seed", SEED])
    capsys.readouterr()
    assert run(["reconcile", "ours.csv", *options]) == 2
    assert said in capsys.readouterr().err
    assert not list(months.glob("rev*"))


def test_a_dry_run_reveals_nothing(months: Path) -> None:
    run(["sketch", "theirs.csv", "--out", "s.sketch", "--seed", SEED])
    assert run(["reconcile", "ours.csv", "--sketch", "s.sketch", "--out", "reveal.parquet", "--dry-run"]) == 0
    assert not Path("reveal.parquet").exists()


MESSAGES = [f",4477009{n:05},2026-10-11T08:00:{n % 60:02}Z,1,0.0250\n" for n in range(20)]
CIRCUITS = [f"circuit {n},Beijing,2026-10-{n + 1:02}T00:00:00Z,1,9.5\n" for n in range(20)]


@pytest.mark.parametrize(("service", "rows"), [("sms", MESSAGES), ("ipl", CIRCUITS)])
def test_a_sketch_is_of_the_service_that_is_named(
    months: Path, capsys: pytest.CaptureFixture[str], service: str, rows: list[str]
) -> None:
    Path("ours.csv").write_text(HEADER + "".join(rows))
    Path("theirs.csv").write_text(HEADER + "".join(rows[3:]))
    named = ["--service", service]
    assert run(["sketch", "theirs.csv", "--out", "t.sketch", "--seed", SEED, *named]) == 0
    assert f"--sketch THEIRS --service {service}" in capsys.readouterr().out
    assert run(["reconcile", "ours.csv", "--sketch", "t.sketch", *named, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["keys"], answer["records"], answer["theirRecords"]) == (3, 20, 17)


def test_a_file_of_another_service_is_refused_and_not_found_equal(
    months: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No record on either side would be no difference."""
    Path("ours.csv").write_text(HEADER + "".join(CIRCUITS))
    Path("none.csv").write_text(HEADER)
    assert run(["sketch", "ours.csv", "--out", "o.sketch", "--seed", SEED]) == 2
    refusal = capsys.readouterr().err
    assert "no row of ours.csv is a record of voice" in refusal
    assert "line 2: a_party" in refusal
    assert "--service" in refusal
    assert not Path("o.sketch").exists()
    assert run(["sketch", "none.csv", "--out", "none.sketch", "--seed", SEED]) == 0, "a month without traffic is one"
    assert run(["reconcile", "ours.csv", "--sketch", "none.sketch"]) == 2
    assert "no row of ours.csv is a record of voice" in capsys.readouterr().err


def test_equal_months_reveal_nothing(months: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["sketch", "ours.csv", "--out", "same.sketch", "--seed", SEED, "--of", "charges"])
    assert run(["reconcile", "ours.csv", "--sketch", "same.sketch"]) == 0
    assert "no key differs in charges" in capsys.readouterr().out
