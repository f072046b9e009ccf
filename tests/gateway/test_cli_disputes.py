"""Do the commands that end a dispute say which command, complete, comes next?"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.cli import opening
from gateway.cli.app import run
from gateway.composition import Gateway, partnership_with
from gateway.peers import Peer
from ledger.agreement_file import dump_agreement
from ledger.chain.bindings import DisputeOpened, DisputeState, DisputeStateChanged
from ledger.identity import ascii32
from ledger.service import Service
from ledger.store.engine import reading, writing
from ledger.store.outbox import list_submissions
from tests.gateway.chain_rows import said
from tests.gateway.homes import lonely_gateway
from tests.reconciliation.records import GB, agreement

DISPUTE = bytes([9]) * 32
ID = f"0x{DISPUTE.hex()}"
NEXT = "next: gsc accept --partner GB-B --period 2026-10"


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """CN-T's gateway; the chain says that CN-T disputes 50.00 of what it owes GB-B."""
    monkeypatch.setattr(Gateway, "catch_up", lambda _: None)
    made = lonely_gateway(tmp_path)
    (made.settings.agreements_path / "gb-b.toml").write_text(dump_agreement(agreement()))
    held = partnership_with(made.settings, GB)
    rate = ascii32("rate")
    with writing(made.engine) as connection:
        said(
            connection,
            DisputeOpened(DISPUTE, held.id, 202610, ascii32(GB), Service.VOICE, rate, 50_000_000, bytes(32), 2),
        )
    monkeypatch.setattr(opening, "opened", lambda _: made)
    yield made
    made.close()


def test_what_is_no_dispute_is_not_withdrawn(gateway: Gateway, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["withdraw", "0x00"]) == 2
    assert run(["withdraw", f"0x{bytes(32).hex()}"]) == 2

    assert "no such dispute on the chain" in capsys.readouterr().err
    with reading(gateway.engine) as connection:
        assert list_submissions(connection) == []


def test_a_withdrawn_dispute_waits_in_the_outbox(gateway: Gateway, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["withdraw", ID]) == 0

    assert capsys.readouterr().out.splitlines() == [f"dispute {ID} withdrawn: signed", NEXT]
    with reading(gateway.engine) as connection:
        assert len(list_submissions(connection)) == 1


def test_a_resolution_ends_with_the_command_that_comes_next(
    gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["resolve", ID, "--credited", "20", "--dry-run"]) == 0

    assert capsys.readouterr().out.splitlines()[-1] == NEXT


def test_a_resolution_that_the_partner_has_not_signed_is_its_turn(
    gateway: Gateway, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Peer, "propose", lambda *_: None)

    assert run(["resolve", ID, "--credited", "20"]) == 0

    assert capsys.readouterr().out.splitlines()[-1] == f"next: at GB-B: gsc resolve {ID} --credited 20"


def test_a_resolution_that_stands_already_ends_the_same(gateway: Gateway, capsys: pytest.CaptureFixture[str]) -> None:
    with writing(gateway.engine) as connection:
        said(connection, DisputeStateChanged(DISPUTE, DisputeState.PAYMENT_DUE, 20_000_000, 30_000_000))

    assert run(["resolve", ID, "--credited", "20"]) == 0

    assert capsys.readouterr().out.splitlines()[-1] == NEXT
