"""Does `gsc arbitrage` find games with fees in plain files, and tell bad input?"""

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from gateway.cli.app import run
from ledger.agreement_file import dump_agreement
from ledger.prices.deck import rate_deck
from ledger.prices.deck_file import dump_deck
from tests.reconciliation.arbitrage.selling import CENT, plain_deck, sold
from tests.reconciliation.arbitrage.test_increments import MINUTES, PEOPLE, to_range
from tests.reconciliation.arbitrage.test_peering import others
from tests.reconciliation.arbitrage.test_rate_dates import BACKGROUND, RISE, machine
from tests.reconciliation.records import agreement

Printed = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.toml").write_text(dump_agreement(agreement()))
    decks = {"old": plain_deck(), "new": plain_deck(mobile=3 * CENT), "minutes": plain_deck(first_s=60, next_s=60)}
    for name, rates in decks.items():
        (tmp_path / f"{name}.csv").write_text(dump_deck(rate_deck("USD", rates)))
    return tmp_path


def asked(folder: Path, *arguments: str) -> int:
    return run(["arbitrage", "--agreement", str(folder / "a.toml"), "--us", "GB-B", *arguments])


def test_calls_moved_over_a_rate_change_are_told(folder: Path, capsys: Printed) -> None:
    pq.write_table(sold([*BACKGROUND, *machine(12.1)], RISE).table, folder / "in.parquet")
    decks = ["--deck", str(folder / "old.csv"), "--deck", f"{folder / 'new.csv'}@2026-10-15"]
    assert asked(folder, "--incoming", str(folder / "in.parquet"), *decks, "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)["suspicions"]
    assert (found["kind"], found["creditor"], found["count"]) == ("rate_date_stuffing", "GB-B", 150)
    assert len(found["lines"]) == 150


def test_the_readable_answer_says_why_and_what_is_next(folder: Path, capsys: Printed) -> None:
    pq.write_table(sold([*PEOPLE, *to_range(60, (61,))], MINUTES).table, folder / "in.parquet")
    options = ["--deck", str(folder / "minutes.csv")]
    assert asked(folder, "--incoming", str(folder / "in.parquet"), *options) == 0
    told = capsys.readouterr().out
    assert "1. 60 calls to 44780001* end within 3 s beyond an increment" in told
    assert "1 suspicion in 660 records" in told


def test_others_callers_over_a_peering_are_told_once_numbers_and_routes_are_given(
    folder: Path, capsys: Printed
) -> None:
    pq.write_table(sold([call.but(route="PEER") for call in PEOPLE] + others(150)).table, folder / "in.parquet")
    given = ["--incoming", str(folder / "in.parquet")]
    assert asked(folder, *given) == 0
    assert "0 suspicions" in capsys.readouterr().out
    assert asked(folder, *given, "--own", "CN-T=86", "--peering", "PEER") == 0
    assert "150 of 750 calls on PEER" in capsys.readouterr().out


REGISTERS = '[licences]\n"CN-T" = [[2026-01-01]]\n[igws]\nLON = [[2026-01-01, 2026-10-11]]\n[routes]\nP1 = "LON"\n'
SAMPLES = "a_party,b_party,start,quantity,route,amount\n" + "".join(
    f"CN-T,GB-B,2026-10-{day:02d}T12:00:00Z,1000,{port},0.5\n" for day, port in ((9, "P1"), (11, "P1"), (11, "P2"))
)


def test_samples_without_a_listed_gateway_are_told(folder: Path, capsys: Printed) -> None:
    (folder / "data.csv").write_text(SAMPLES)
    (folder / "r.toml").write_text(REGISTERS)
    options = ["--service", "data", "--registers", str(folder / "r.toml")]
    assert asked(folder, str(folder / "data.csv"), *options, "--json") == 0
    found = json.loads(capsys.readouterr().out)["suspicions"]
    assert [(each["subject"], each["lines"]) for each in found] == [("LON", [3]), ("no gateway", [4])]


def test_octets_of_others_networks_are_told(folder: Path, capsys: Printed) -> None:
    with (folder / "flows.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [["port", "start_ms", "source_as", "octets"], ["P1", 0, 64_500, 6 * 10**9], ["P1", 0, 65_000, 4 * 10**9]]
        )
    (folder / "cone.txt").write_text("AS64500\n")
    options = ["--flows", str(folder / "flows.csv"), "--cone", str(folder / "cone.txt"), "--transit-price", "0.01"]
    assert asked(folder, *options) == 0
    assert "40 % of the octets on P1 come from 1 networks that CN-T does not announce" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{0}/none.csv"], "cannot be read"),
        (["{0}/old.csv"], "lacks columns"),
        (["{0}/empty.csv"], "no records to search"),
        (["{0}/ok.csv", "--own", "CN-T"], "--own names no digits"),
        (["{0}/ok.csv", "--their-deck", "{0}/old.csv@soon"], "not a day"),
        (["{0}/ok.csv", "--service", "data"], "lacks what it works on"),
        (["{0}/ok.csv", "--service", "data", "--registers", "{0}/a.toml"], "unknown table"),
        (["{0}/ok.csv", "--service", "data", "--registers", "{0}/bad.toml"], "has no times"),
        (["--flows", "{0}/ok.csv"], "lacks what it works on"),
        (["--flows", "{0}/ok.csv", "--cone", "{0}/cone"], "not flows"),
        (["--flows", "{0}/ok.csv", "--cone", "{0}/ok.csv"], "not flows"),
    ],
)
def test_bad_input_is_told(folder: Path, capsys: Printed, arguments: list[str], words: str) -> None:
    (folder / "ok.csv").write_text(SAMPLES)
    (folder / "empty.csv").write_text(SAMPLES.split("\n")[0] + "\n")
    (folder / "bad.toml").write_text('[igws]\nLON = "always"\n')
    (folder / "cone").write_text("AS64500\n")
    assert asked(folder, *(each.format(folder) for each in arguments)) == 2
    assert words in capsys.readouterr().err


def test_without_an_agreement_the_refusal_says_so(folder: Path, capsys: Printed) -> None:
    assert run(["arbitrage", str(folder / "ok.csv")]) == 2
    assert "--agreement" in capsys.readouterr().err
