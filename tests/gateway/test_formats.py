"""Is docs/formats.md true? Every file on it is read and every command on it is run."""

import tomllib
from pathlib import Path

from gateway.settings import parse_settings
from ledger.agreement_file import parse_agreement
from scripts.run_docs import PAGE, run_page


def test_every_command_on_the_page_says_what_the_page_says(tmp_path: Path) -> None:
    text = PAGE.read_text("utf-8")

    assert text.count("\n$ gsc ") >= 6, "the page has lost its examples"
    assert run_page(text, tmp_path) == text, "run `python -m scripts.run_docs` and look at what changed"


def test_a_page_that_says_something_else_is_noticed(tmp_path: Path) -> None:
    file = "```csv a.csv\ndebtor,creditor,currency,amount\nCN-T,GB-B,USD,1\n```\n"
    page = file + "```console\n$ gsc net a.csv\nnothing\n```\n"

    said = run_page(page, tmp_path)

    assert "USD: gross 1.000000" in said
    assert "nothing" not in said


def test_the_settings_on_the_page_are_read(tmp_path: Path) -> None:
    text = PAGE.read_text("utf-8")
    raw = tomllib.loads(text.split("```toml gsc.toml\n")[1].split("```")[0])

    settings = parse_settings(tmp_path, raw)

    assert settings.capacity == {"gbb-in-1": 60}
    assert settings.trunks["gbb-out-1"].direction == "out"


def test_the_agreement_on_the_page_is_read() -> None:
    text = PAGE.read_text("utf-8")

    agreement = parse_agreement(text.split("```toml agreement.toml\n")[1].split("```")[0])

    assert (agreement.low, agreement.high, agreement.payment.interest_bps) == ("CN-T", "GB-B", 150)
