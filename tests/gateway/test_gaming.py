"""Does a home's search find games with fees in what it holds, and keep them beside other suspicions?"""

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from gateway import month
from gateway.cli import opening
from gateway.cli.app import run
from gateway.composition import Gateway
from ledger.store.engine import reading
from ledger.store.suspicions import list_suspicions
from tests.gateway.detoured import declared, to_alaska, us_gateway
from tests.reconciliation.records import CN, GB, OCTOBER, US, Call

LINES = [f"8613900000{k:02d}" for k in range(6)]
DIRECT = [
    Call(at=20_000 * k + 4_000 * j, lasts=1_800, a=a, b=f"1212{k}{j}00000", code="1212", destination="United States")
    for k, a in enumerate(LINES)
    for j in range(3)
]
BORROWED = [
    Call(at=20_000 * k + at, lasts=120, a=a, b=f"1212{k:02d}{at:05d}", code="1212", destination="United States")
    for k, a in enumerate(LINES)
    for at in (100, 400, 700, 1_000)
]


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    made = us_gateway(tmp_path)
    yield made
    made.close()


@pytest.fixture
def borrowed(gateway: Gateway) -> Gateway:
    """CN-T's lines speak to US-A directly, and are in calls from GB-B at once."""
    declared(gateway, CN, DIRECT)
    declared(gateway, GB, [*BORROWED, *to_alaska(4, a="447700900001")])
    return gateway


def test_direct_calls_alone_are_no_game(gateway: Gateway) -> None:
    declared(gateway, CN, DIRECT)
    declared(gateway, GB, to_alaska(4, a="447700900001"))
    assert month.arbitrage(gateway).games == ()


def test_borrowed_numbers_are_told_with_their_sealed_records(borrowed: Gateway) -> None:
    (found,) = month.arbitrage(borrowed).games
    assert (found.kind, found.creditor, found.debtor, found.declarer) == ("rewritten_caller", US, GB, US)
    assert found.count == len(BORROWED)
    with reading(borrowed.engine) as connection:
        (row,) = list_suspicions(connection, OCTOBER)
    assert row.evidence_path == "work/games/2026-10/1.parquet"
    shown = pq.read_table(borrowed.settings.home / row.evidence_path)
    assert shown["leaf"].to_pylist() == list(range(len(BORROWED)))


def test_a_dry_run_keeps_nothing(borrowed: Gateway) -> None:
    assert len(month.arbitrage(borrowed, dry_run=True).games) == 1
    with reading(borrowed.engine) as connection:
        assert list_suspicions(connection, OCTOBER) == []
    assert not (borrowed.settings.work_path / "games").exists()


def test_a_search_for_fraud_leaves_the_games(borrowed: Gateway) -> None:
    month.arbitrage(borrowed)
    month.fraud(borrowed)
    with reading(borrowed.engine) as connection:
        assert "rewritten_caller" in {row.kind for row in list_suspicions(connection, OCTOBER)}


def test_the_command_shows_games_beside_detours(
    borrowed: Gateway, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "opened", lambda home: borrowed)
    assert run(["arbitrage", "--home", str(borrowed.settings.home)]) == 0
    told = capsys.readouterr().out
    assert "rewritten_caller" in told
    assert "6 numbers of CN-T arrive through GB-B while they are in calls that come direct" in told
    assert run(["arbitrage", "--home", str(borrowed.settings.home), "--json"]) == 0
    assert [each["kind"] for each in json.loads(capsys.readouterr().out)["games"]] == ["rewritten_caller"]
