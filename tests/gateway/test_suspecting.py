"""Does a carrier's own gateway find fraud and forgery in what it holds, keep it for the desk, and say nothing else?"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from gateway import month
from gateway.answers import as_json
from gateway.cli import opening
from gateway.cli.app import run
from gateway.composition import Gateway
from gateway.month.suspecting import found_suspicions
from gateway.settings.known import KnownSettings
from ledger.agreement_file import dump_agreement
from ledger.chain.bindings import PeriodClosed
from ledger.errors import NotFound
from ledger.store.batches import list_revealed, record_revealed
from ledger.store.engine import writing
from tests.gateway.chain_rows import said
from tests.gateway.detoured import declared, held_with, us_gateway
from tests.reconciliation.records import GB, OCTOBER, Call, agreement, many

KNOWN = KnownSettings(own=("1212",))


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    made = us_gateway(tmp_path)
    made = replace(made, settings=replace(made.settings, known=KNOWN))
    yield made
    made.close()


def spoofed(count: int = 40) -> list[Call]:
    """Calls that come in from GB-B with our own fixed numbers."""
    return [Call(at=60 * k, a=f"1212555{k:04d}", b=f"1415{k:07d}", route="GBB-9", amount=10_000) for k in range(count)]


def test_before_anything_is_declared_the_verb_says_what_to_do(gateway: Gateway) -> None:
    with pytest.raises(NotFound, match="nothing is declared"):
        month.fraud(gateway)


def test_an_honest_month_stays_silent_and_says_what_it_cannot_tell(gateway: Gateway) -> None:
    declared(gateway, GB, many(300))
    answer = month.fraud(gateway)
    assert [each.kind for each in answer.suspicions if each.kind != "back_dated"] == []
    assert (answer.records, answer.unknown) == (300, ("premium", "test_numbers"))


@pytest.fixture
def spoiled(gateway: Gateway) -> Gateway:
    """40 calls with our own numbers among 300, in the second of two batches."""
    declared(gateway, GB, many(100))
    declared(gateway, GB, [*many(200), *spoofed()], seq=2)
    return gateway


def test_our_own_numbers_from_abroad_are_told_with_their_sealed_records(spoiled: Gateway) -> None:
    found = next(each for each in month.fraud(spoiled).suspicions if each.kind == "bypass")
    assert (found.subject, found.count, str(found.at_risk), found.declarer) == ("GBB-9", 40, "USD 0.40", "US-A")
    path = spoiled.settings.work_path / "fraud" / "2026-10" / f"{found.number}.parquet"
    rows = pq.read_table(path).to_pylist()
    assert [row["leaf"] for row in rows] == list(range(200, 240))
    assert {row["route"] for row in rows} == {"GBB-9"}
    assert found.evidence == f"/desk/fraud/2026-10/{found.number}"


def test_a_dry_run_keeps_nothing_and_a_repeat_replaces(spoiled: Gateway) -> None:
    dry = month.fraud(spoiled, dry_run=True)
    assert (len(dry.suspicions) > 0, found_suspicions(spoiled, OCTOBER)) == (True, ())
    assert not (spoiled.settings.work_path / "fraud").exists()
    for _ in range(2):
        answer = month.fraud(spoiled, OCTOBER)
    assert found_suspicions(spoiled, OCTOBER) == answer.suspicions


def test_the_agreements_thresholds_hold(gateway: Gateway) -> None:
    """They are part of what both signed: with others it is another agreement."""
    path = gateway.settings.agreements_path / "gb-b.toml"
    path.write_text(path.read_text() + "\n[detectors]\nbypass_calls = 41\n")
    declared(gateway, GB, [*many(200), *spoofed()])
    assert all(each.kind != "bypass" for each in month.fraud(gateway).suspicions)


def test_what_the_chain_says_of_declarations_is_read(gateway: Gateway) -> None:
    """The partner's numbers begin at 2, its file was refused, and it declared after its close."""
    declared(gateway, GB, many(20))
    declared(gateway, GB, many(10), seq=2, declarer=GB)
    held = held_with(gateway, GB)
    with writing(gateway.engine) as connection:
        (revealed,) = list_revealed(connection, held.id, OCTOBER)
        record_revealed(connection, replace(revealed, refusal="another root"))
        said(connection, PeriodClosed(held.id, GB.encode().ljust(32, b"\0"), OCTOBER.key, 2, 0, 1))
    found = [each for each in month.fraud(gateway).suspicions if each.declarer == GB]
    assert {each.kind for each in found} == {"sequence_gap", "changed_root", "back_dated"}
    assert {each.subject for each in found} == {"GB-B 2"}
    assert all(each.evidence is None for each in found)


def test_the_command_says_the_same(
    spoiled: Gateway, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "opened", lambda home: spoiled)
    home = str(spoiled.settings.home)
    assert run(["fraud", "--home", home, "--period", "2026-10"]) == 0
    shown = capsys.readouterr().out
    assert "bypass" in shown and "GBB-9" in shown and "not in [known] of gsc.toml" in shown
    assert run(["fraud", "--home", home, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == as_json(month.fraud(spoiled))


def test_plain_files_need_no_home(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = ["a_party,b_party,start_ms,quantity,route,amount_micros"]
    lines += [f"8621{k:08d},447700{k:06d},{1791187200000 + k * 60000},60000,in-1,100" for k in range(30)]
    lines += ["x,y,z,1,1,1"]
    Path("in.csv").write_text("\n".join(lines))
    Path("a.toml").write_text(dump_agreement(agreement()))
    given = ["fraud", "--incoming", "in.csv", "--agreement", "a.toml", "--own", "8621"]
    assert run([*given, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    (found,) = answer["suspicions"]
    assert (found["kind"], found["count"], found["lines"][:3]) == ("bypass", 30, [2, 3, 4])
    assert [row["line"] for row in answer["quarantined"]] == [32]
    assert run(given) == 0
    assert "1 suspicion in 30 records" in capsys.readouterr().out
    assert run(["fraud", "--incoming", "in.csv"]) == 2
    assert run([*given, "--us", "US-A"]) != 0
    assert run(["fraud", "--incoming", "in.csv", "--agreement", "a.toml", "--own", "+86"]) == 2
