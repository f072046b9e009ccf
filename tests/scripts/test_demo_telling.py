"""Does the telling keep what it says, and does its last line say whether every step held?"""

import io
import json

import pytest
from rich.console import Console

from gateway.cli.app import run
from scripts.demo.__main__ import what_next
from scripts.demo.telling import StepFailed, Telling, usd


@pytest.fixture
def page() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def telling(page: io.StringIO) -> Telling:
    return Telling(Console(file=page, width=112))


def test_a_check_that_fails_names_what_was_expected_and_what_came(telling: Telling) -> None:
    with pytest.raises(StepFailed, match=r"batches: expected 60, got 59"), telling.step("seal", "roots"):
        telling.expect("batches", 60, 59)
    summary = json.loads(telling.summary())
    assert summary["ok"] is False
    assert summary["steps"] == [{"step": "seal", "ok": False, "seconds": summary["steps"][0]["seconds"], "checks": 1}]


def test_a_run_without_steps_did_not_settle_anything(telling: Telling) -> None:
    assert json.loads(telling.summary())["ok"] is False


def test_the_summary_holds_facts_checks_and_problems(telling: Telling, page: io.StringIO) -> None:
    with telling.step("declare", "claims go on chain") as step:
        telling.expect("exposure", 5, 5)
        telling.problem("credit limits", "a batch waits")
        step.facts |= {"declarations": 60}
    summary = json.loads(telling.summary(seed=7))
    assert (summary["ok"], summary["seed"], summary["checks"]) == (True, 7, 1)
    assert summary["problems"] == {"credit limits": "a batch waits"}
    assert summary["steps"][0]["declarations"] == 60
    assert "1  declare  claims go on chain" in page.getvalue()


def test_a_long_line_is_not_broken_for_a_pipe(telling: Telling, page: io.StringIO) -> None:
    with telling.step("say", "much"):
        telling.say("x" * 300)
    assert "x" * 300 in page.getvalue()


def test_a_table_shows_its_numbers_whole(telling: Telling, page: io.StringIO) -> None:
    with telling.step("rate", "prices"):
        telling.table(["direction", "USD"], [["CN-T owes GB-B", usd(1_781_870_000)]])
    assert "CN-T owes GB-B  1,781.87" in page.getvalue()


@pytest.mark.parametrize(
    ("amount_micros", "text"),
    [(0, "0.00"), (5_000, "0.00"), (15_000, "0.02"), (-95_940_000, "-95.94"), (8_383_820_000, "8,383.82")],
)
def test_money_is_shown_to_the_cent(amount_micros: int, text: str) -> None:
    assert usd(amount_micros) == text


def test_every_command_it_proposes_is_one_and_takes_these_options() -> None:
    for line in what_next(".venv/bin/gsc", "homes/cn-t", "2026-10")[:3]:
        assert run([*line.split()[1:], "--help"]) == 0, line
    assert run(["evidence", "--home", "homes/cn-t", "--help"]) != 0, "a command that there is no more is noticed"
