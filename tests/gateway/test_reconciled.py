"""Does the report of `gsc reconcile` on plain files say totals, waterfall, findings and days, however narrow it is?"""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from gateway.cli.app import run
from gateway.cli.pure_verbs import MOST_TOLD
from gateway.cli.reconciled import DAYS, NARROWEST
from gateway.cli.reconciled import lines_of as drawn_lines
from ledger.agreement import Agreement
from ledger.agreement_file import dump_agreement
from ledger.money import parse_micros, show_micros
from ledger.prices.deck import DeckHistory, deck_history
from ledger.prices.fx import Conversion, FxTerms, conversion, parse_fx, rates_hash
from ledger.prices.rating import rate
from ledger.prices.service_deck_file import load_service_deck
from ledger.service import Service
from ledger.usage import USAGE_SCHEMA
from reconciliation.files import reconcile_files
from tests.reconciliation.records import CN, GB, Call, agreement, many, table

RECORDS = "a_party,b_party,start,quantity,amount\n"
PEOPLE = many(300)
THEIRS = [call.but(amount=call.lasts_ms // 2) if k < 20 else call for k, call in enumerate(PEOPLE) if k < 20 or k % 17]
THIRD = date(2026, 10, 3)


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str, str]:
    return written(tmp_path, PEOPLE, THEIRS)


def written(folder: Path, ours: list[Call], theirs: list[Call]) -> tuple[str, str, str]:
    paths = folder / "ours.parquet", folder / "theirs.parquet", folder / "a.toml"
    pq.write_table(table(ours), paths[0])
    pq.write_table(table(theirs), paths[1])
    paths[2].write_text(dump_agreement(agreement()))
    return str(paths[0]), str(paths[1]), str(paths[2])


def lines_of(files: tuple[str, str, str], columns: int = 100) -> list[str]:
    ours, theirs, _ = files
    return drawn_lines(reconcile_files(Path(ours), Path(theirs), agreement(), ours=CN), columns)


def test_the_waterfall_leads_from_our_amount_to_theirs(files: tuple[str, str, str]) -> None:
    lines = lines_of(files)
    begin = lines.index("from our amount to theirs")
    steps = lines[begin + 1 : lines.index("", begin)]
    amounts = [parse_micros(step.split()[1].replace(",", "").removeprefix("+")) for step in steps]
    assert abs(sum(amounts[:-1]) - amounts[-1]) <= 20_000, "two places are shown of each"
    assert [step.split()[0] for step in steps] == ["CN-T", "missing_at_theirs", "rate", "GB-B"]
    assert steps[1].split()[1].startswith("-")
    assert set(steps[2].split()[2]) == {"+"}


def test_totals_say_the_verdict_for_the_days_and_in_all(files: tuple[str, str, str]) -> None:
    lines = lines_of(files)
    assert any("in total beyond the agreement's tolerance; " in line for line in lines)
    days = lines[lines.index("days that differ, to be sent first") + 2 :]
    assert days[0].endswith("beyond")
    assert days[DAYS].startswith("  and ")


def test_every_dispute_is_named_with_its_rule(files: tuple[str, str, str]) -> None:
    assert lines_of(files)[-2] == "1 cause to dispute"
    assert lines_of(files)[-1].startswith("  rate: ")


def test_a_narrow_terminal_has_no_line_beyond_it_but_a_days(files: tuple[str, str, str]) -> None:
    lines = lines_of(files, 20)
    days = lines.index("days that differ, to be sent first")
    assert max(map(len, lines[10:days])) <= NARROWEST + 12
    assert all(line.isascii() for line in lines)


def test_two_equal_files_have_nothing_to_tell(tmp_path: Path) -> None:
    lines = lines_of(written(tmp_path, PEOPLE, PEOPLE))
    assert "no findings: both sides say the same" in lines
    assert lines[-1] == "0 causes to dispute"


def test_rows_that_could_not_be_read_are_not_said_to_be_the_same(tmp_path: Path) -> None:
    good, bad = "8613900000001,447700900001,2026-10-11T12:00:00Z,60000,0.02\n", "8613,4477,yesterday,60000,0.02\n"
    ours, theirs = tmp_path / "ours.csv", tmp_path / "theirs.csv"
    ours.write_text(RECORDS + good + bad)
    theirs.write_text(RECORDS + good)
    lines = lines_of((str(ours), str(theirs), ""))
    assert "no findings in what could be read; 1 row of ours could not" in lines
    assert lines[1].endswith("  and 1 row that could not be read")


MARGIN = [PEOPLE[0].but(lasts=PEOPLE[0].lasts + 60), *PEOPLE[1:]]


def test_what_is_below_the_volume_that_is_raised_is_said_to_be_so_and_leads_nowhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, theirs, paper = written(tmp_path, PEOPLE, MARGIN)
    assert run(["reconcile", ours, theirs, "--agreement", paper]) == 0
    told = capsys.readouterr().out
    assert "1. duration, 1 record, " in told
    assert told.splitlines()[-1] == (
        "0 causes to dispute: what is charged too much is below the volume that the agreement raises disputes from"
    )


def test_who_is_owed_is_not_sent_to_dispute(files: tuple[str, str, str], capsys: pytest.CaptureFixture[str]) -> None:
    theirs, ours, paper = files
    given = ["reconcile", ours, theirs, "--agreement", paper, "--us", "GB-B", "--creditor", "GB-B"]
    assert run(given) == 0
    assert "gsc dispute" not in capsys.readouterr().out
    assert run(["reconcile", theirs, ours, "--agreement", paper]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("next: gsc dispute")


def test_a_difference_of_a_few_micros_is_not_shown_as_nothing(tmp_path: Path) -> None:
    lines = lines_of(written(tmp_path, PEOPLE, [PEOPLE[0].but(amount=10_003), *PEOPLE[1:]]))
    assert any("-0.000003" in line or "+0.000003" in line for line in lines), show_micros(3)


def test_the_command_prints_the_report_and_json_has_it_all(
    files: tuple[str, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    ours, theirs, paper = files
    assert run(["reconcile", ours, theirs, "--agreement", paper]) == 0
    assert "from our amount to theirs" in capsys.readouterr().out
    assert run(["reconcile", ours, theirs, "--agreement", paper, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert {"totals", "waterfall", "findings", "disputes", "quarantined"} <= answer.keys()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({0: "none.parquet"}, "none.parquet"),
        ({1: "a.toml"}, "lacks columns"),
        ({2: "ours.parquet"}, "the agreement file cannot be read"),
    ],
)
def test_bad_input_is_told(
    files: tuple[str, str, str], capsys: pytest.CaptureFixture[str], change: dict[int, str], words: str
) -> None:
    given = [str(Path(files[0]).parent / change[at]) if at in change else path for at, path in enumerate(files)]
    assert run(["reconcile", given[0], given[1], "--agreement", given[2]]) == 2
    assert words in capsys.readouterr().err


def test_who_is_owed_hears_what_the_other_may_dispute(files: tuple[str, str, str]) -> None:
    theirs, ours, _ = files
    answer = reconcile_files(Path(ours), Path(theirs), agreement(), ours=GB, creditor=GB)
    assert drawn_lines(answer, 100)[-2] == "1 cause that CN-T may dispute"


def test_rows_that_could_not_be_read_stand_beside_the_total_and_the_first_are_told(
    files: tuple[str, str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = "8613900000001,447700900001,2026-10-11T12:00:00Z,60000,0.02\n", "8613,4477,yesterday,60000,0.02\n"
    ours = tmp_path / "rows.csv"
    ours.write_text("a_party,b_party,start,quantity,amount\n" + good + bad * (MOST_TOLD + 3))
    assert run(["reconcile", str(ours), files[1], "--agreement", files[2]]) == 0
    told = capsys.readouterr()
    assert "and 23 rows that could not be read" in told.out
    assert told.err.splitlines()[0].startswith("quarantined ours line 3: ")
    assert told.err.splitlines()[MOST_TOLD:] == ["quarantined ours: 3 rows more; --json has all"]


def test_the_month_that_is_named_is_reconciled_and_not_the_one_most_records_are_of(
    files: tuple[str, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    ours, theirs, paper = files
    for period in ("2026-10", "2026-11"):
        assert run(["reconcile", ours, theirs, "--agreement", paper, "--period", period]) == 0
        assert capsys.readouterr().out.startswith(f"voice of {period}, ")
    assert run(["reconcile", ours, theirs, "--agreement", paper, "--period", "last"]) == 2
    assert "last" in capsys.readouterr().err


@pytest.mark.parametrize("option", [["--partner", "GB-B"], ["--home", "."]])
def test_an_option_of_a_home_folder_is_refused_by_name_with_plain_files(
    files: tuple[str, str, str], capsys: pytest.CaptureFixture[str], option: list[str]
) -> None:
    ours, theirs, paper = files
    assert run(["reconcile", ours, theirs, "--agreement", paper, *option]) == 2
    assert f"{option[0]} means nothing with plain files" in capsys.readouterr().err


def test_a_home_that_the_environment_names_does_not_stop_plain_files(
    files: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs, paper = files
    monkeypatch.setenv("GSC_HOME", str(Path(ours).parent))
    assert run(["reconcile", ours, theirs, "--agreement", paper, "--dry-run"]) == 0


@pytest.mark.parametrize(("verb", "whose"), [("rate", ""), ("fraud", " rows.csv"), ("arbitrage", "")])
def test_of_many_rows_left_out_the_first_are_told_and_the_rest_counted(
    files: tuple[str, str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str, whose: str
) -> None:
    rows, deck = tmp_path / "rows.csv", tmp_path / "deck.csv"
    header, amount = (
        ("a_party,b_party,start,quantity,route", "") if verb == "rate" else (RECORDS.strip() + ",route", "0.02,")
    )
    bad, good = (f"8613,447700900001,{at},60000,{amount}r\n" for at in ("yesterday", "2026-10-11T12:00:00Z"))
    rows.write_text(f"{header}\n{bad * (MOST_TOLD + 1)}{good}")
    deck.write_text("destination,code,rate,increment,currency\nUnited Kingdom Mobile,447,0.02,1/1,USD\n")
    priced = ["--deck", str(deck)] if verb == "rate" else []
    assert run([verb, str(rows), "--agreement", files[2], *priced]) == 0
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith(f"quarantined{whose} line 2: ")
    assert told[MOST_TOLD:] == ["quarantined: 1 row more; --json has all"]


@pytest.mark.parametrize(("name", "words"), [("none.parquet", "no such file"), ("none.csv", "no such file")])
def test_a_file_that_is_not_there_is_told_as_such(
    files: tuple[str, str, str], capsys: pytest.CaptureFixture[str], name: str, words: str
) -> None:
    assert run(["reconcile", str(Path(files[0]).parent / name), files[1], "--agreement", files[2]]) == 2
    assert words in capsys.readouterr().err


def test_a_deck_lets_the_rule_be_named_that_makes_the_other_price(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    minutes = [call.but(amount=-(-call.lasts_ms // 60_000) * 20_000) for call in PEOPLE]
    seconds = [call.but(amount=round(call.lasts_ms / 3)) for call in PEOPLE]
    ours, theirs, paper = written(tmp_path, seconds, minutes)
    deck = tmp_path / "deck.csv"
    deck.write_text("destination,code,rate,increment,currency\nUnited Kingdom Mobile,447,0.02,1/1,USD\n")
    assert run(["reconcile", ours, theirs, "--agreement", paper]) == 0
    assert "increments" not in capsys.readouterr().out
    assert run(["reconcile", ours, theirs, "--agreement", paper, "--deck", str(deck)]) == 0
    assert "GB-B's amounts on these codes follow from increments of 60/60 s" in " ".join(
        capsys.readouterr().out.split()
    )
    assert run(["reconcile", ours, theirs, "--agreement", paper, "--deck", ours]) == 2


def test_exchange_rates_name_the_day_whose_rate_the_other_side_took(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rates, deck = tmp_path / "rates.csv", tmp_path / "deck.csv"
    days = "".join(f"2026-10-{day:02d},EUR,USD,1.{100 + 7 * day},ECB\n" for day in range(1, 32))
    rates.write_text(f"date,base,quote,rate,source\n{days}")
    deck.write_text("destination,code,rate,increment,currency\nUnited Kingdom Mobile,447,0.02,1/1,EUR\n")
    known = parse_fx(rates.read_text())
    agreed = replace(agreement(), fx=FxTerms("ECB", rates_hash=rates_hash(known)))
    priced = deck_history([(0, load_service_deck(deck, None, Service.VOICE))])
    sides = [_converted(priced, agreed, replace(conversion(known, agreed, "EUR"), day=day)) for day in (None, THIRD)]
    ours, theirs, paper = written(tmp_path, *sides)
    Path(paper).write_text(dump_agreement(agreed))
    given = ["reconcile", ours, theirs, "--agreement", paper]
    assert run([*given, "--deck", str(deck)]) == 2
    assert "the rate deck is in another currency" in capsys.readouterr().err
    assert run([*given, "--fx", str(rates)]) == 2
    assert "--deck with the rate deck whose currency they convert" in capsys.readouterr().err
    assert run([*given, "--deck", str(deck), "--fx", str(rates)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "GB-B's amounts on these codes follow from the exchange rate of 2026-10-03" in said


def _converted(decks: DeckHistory, agreed: Agreement, into: Conversion) -> list[Call]:
    rows = rate(table(PEOPLE).select(USAGE_SCHEMA.names), decks, agreed, into).rated.to_pylist()
    return [call.but(amount=row["amount_micros"]) for call, row in zip(PEOPLE, rows, strict=True)]
