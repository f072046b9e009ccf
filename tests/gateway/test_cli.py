"""Is the command line instant, and does every refusal end in one message and the right exit code?"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.cli.app import run
from ledger.numbers import NUMBERING

HEAVY = {"web3", "numba", "pyarrow", "sqlalchemy", "fastapi", "ortools", "numpy", "httpx", "eth_account"}


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; from gateway.cli.app import run; run(['--help']); print(*sorted(sys.modules))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    modules = {name.split(".")[0] for name in done.stdout.split()}
    assert "typer" in modules, "the list of modules was not printed"
    assert modules & HEAVY == set()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["rate", "nothing.csv", "--deck", "d.csv", "--agreement", "a.toml"], 2, "agreement file cannot be read"),
        (["rate", "nothing.csv"], 2, "USAGE with --deck and --agreement"),
        (["reconcile"], 2, "--partner and --period"),
        (["close"], 2, "Missing option"),
        (["nonsense"], 2, "No such command"),
        (["serve", "--home", "."], 2, "gsc init"),
        (["verify", "nothing.zip"], 2, "does not exist"),
    ],
)
def test_a_refusal_is_one_message_on_stderr(
    arguments: list[str],
    code: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)

    assert run(arguments) == code
    streams = capsys.readouterr()
    assert said in streams.err.replace("\n", " ")
    assert "Traceback" not in streams.err
    assert streams.out == ""


def test_a_file_that_cannot_be_written_is_refused_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = {
        "usage.csv": "a_party,b_party,start,quantity\n1,44,2026-10-05T08:00:00Z,1000\n",
        "deck.csv": "destination,code,rate,increment\nUnited Kingdom,44,0.0080,1/1\n",
        "agreement.toml": 'carriers = ["CN-T", "GB-B"]\ncurrency = "USD"\nservices = ["voice"]\nzone = "UTC"\n'
        "valid_from = 2026-09-01\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    usage, deck, agreement = (str(tmp_path / name) for name in texts)
    out = str(tmp_path / "nowhere" / "rated.csv")

    assert run(["rate", usage, "--deck", deck, "--agreement", agreement, "--out", out]) == 2

    said = capsys.readouterr().err
    assert "the file cannot be written" in said
    assert "nowhere" in said


def test_a_home_is_made_once_and_made_again_without_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GSC_PASSWORD", "x")
    home = tmp_path / "cn-t"
    arguments = [
        "init",
        "--carrier",
        "CN-T",
        "--home",
        str(home),
        "--peer",
        "GB-B=http://127.0.0.1:8200",
        "--local-demo",
    ]

    assert run(arguments) == 0
    first = capsys.readouterr().out
    assert run(arguments) == 0

    assert capsys.readouterr().out == first
    assert "signing key  0x" in first
    assert "next: " in first
    assert run(["init", "--carrier", "US-A", "--home", str(home), "--local-demo"]) == 1


def test_keys_without_a_password_are_not_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GSC_PASSWORD", raising=False)

    assert run(["init", "--carrier", "CN-T", "--home", str(tmp_path)]) == 1
    assert "GSC_PASSWORD" in capsys.readouterr().err
    assert not (tmp_path / "keys" / "signing.json").exists()


def test_a_country_without_a_numbering_is_refused_with_those_that_have_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GSC_PASSWORD", "x")

    assert run(["init", "--carrier", "CN-T", "--home", str(tmp_path / "home"), "--country", "ZZ", "--local-demo"]) == 2

    said = " ".join(capsys.readouterr().err.split())
    assert "no numbering is known for this country" in said
    assert ", ".join(NUMBERING) in said
    assert "ZZ" in said
    assert not (tmp_path / "home").exists()


def test_netting_a_file_gives_json_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "obligations.csv"
    file.write_text("debtor,creditor,currency,amount\nA,B,USD,3.00\nB,A,USD,5.00\n")

    assert run(["net", str(file), "--json"]) == 0

    cycle = json.loads(capsys.readouterr().out)["cycles"][0]
    assert cycle["legs"] == [{"debtor": "B", "creditor": "A", "amount": "2.000000"}]


def test_a_file_without_an_obligation_leaves_nothing_to_net_and_leads_nowhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "obligations.csv"
    file.write_text("debtor,creditor,currency,amount\n")

    assert run(["net", str(file)]) == 0

    assert capsys.readouterr().out == "nothing to net: obligations.csv has a heading and no obligation\n"


def test_every_command_of_the_month_is_there_in_its_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0

    said = capsys.readouterr().out
    month = ["import", "rate", "seal", "declare", "close", "reveal", "reconcile", "dispute", "accept", "net", "pay"]
    places = [said.index(f"│ {verb} ") for verb in month]
    assert places == sorted(places)
    for verb in ("verify", "serve", "doctor", "deploy", "demo", "chain", "init"):
        assert f"│ {verb} " in said
