"""Is each of the seven wrong inputs refused by name, with what was expected and what came, and is nothing changed?

The contracts' own doors stand in tests/contracts; here are API and command line, and how a contract's refusal is told.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.api.problems import problem_of
from gateway.cli import opening
from gateway.cli.app import run
from gateway.composition import Gateway, Partnership
from gateway.month import revealing
from gateway.outbox import Submission, enqueue
from ledger import archive
from ledger.chain import bindings as b
from ledger.chain.bindings import Statement
from ledger.chain.client import ChainClient
from ledger.errors import ContractRefused, SequenceConflict
from ledger.identity import Address, AgreementId, ascii32
from ledger.sealing import seal
from ledger.store.batches import list_revealed
from ledger.store.engine import reading, writing
from ledger.store.outbox import list_submissions
from tests.gateway import test_hostile_callers as door
from tests.gateway.asking import Browser
from tests.gateway.homes import NETWORK
from tests.gateway.test_hostile_callers import CN, GB, OCTOBER, kept, offered
from tests.gateway.test_revealing import Partner, declared
from tests.ledger.records import SCOPE, SECRET, rated

gateway, held, october = door.gateway, door.held, door.october
operator, stranger = door.operator, door.stranger
FILES = {
    "usage.csv": "a_party,b_party,start,quantity\n1,44,2026-10-05T08:00:00Z,1000\n1,99,2026-10-05T08:00:00Z,1000\n",
    "deck.csv": "destination,code,rate,increment\nUnited Kingdom,44,0.0080,1/1\n",
    "euro.csv": "destination,code,rate,increment,currency\nUnited Kingdom,44,0.0080,1/1,EUR\n",
    "agreement.toml": 'carriers = ["CN-T", "GB-B"]\ncurrency = "USD"\nservices = ["voice"]\nzone = "UTC"\n'
    "valid_from = 2026-09-01\n",
}


@pytest.fixture
def files(tmp_path: Path) -> Callable[[str], list[str]]:
    """The arguments of `gsc rate` over plain files, under the deck of that name."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)

    def arguments(deck: str) -> list[str]:
        found = [str(tmp_path / name) for name in ("usage.csv", deck, "agreement.toml", "rated.csv")]
        return ["rate", found[0], "--deck", found[1], "--agreement", found[2], "--out", found[3]]

    return arguments


def refused(answer: httpx.Response, slug: str, status: int) -> dict[str, Any]:
    """The problem document of a refusal, with what was expected and what came."""
    problem: dict[str, Any] = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (problem["type"], problem["status"], answer.status_code) == (f"/problems/{slug}", status, status)
    assert problem["expected"] != problem["got"]
    return problem


def submitted(gateway: Gateway) -> int:
    with reading(gateway.engine) as connection:
        return len(list_submissions(connection))


def test_a_wrong_signature(
    stranger: Browser, gateway: Gateway, october: Statement, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ChainClient, "view", lambda *_: False)

    problem = refused(stranger.post("/peer/v1/proposals", json=offered(gateway, october)), "signature-refused", 403)

    assert (problem["expected"], problem["got"]) == ("a key of GB-B in the registry", gateway.signer.address)
    assert kept(gateway) == []


@pytest.mark.parametrize("path", ["customerBill?period=9999-12", "document/statement?partner=GB-B&period=9999-12"])
def test_a_month_beyond_the_calendar(operator: Browser, held: Partnership, path: str) -> None:
    answer = operator.get(f"/v1/{path}")
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/malformed")
    assert "a month of the years 2000 to 2199" in answer.text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/agreement", {"partner": "US-A"}),
        ("/v1/deposit", {"partner": "US-A", "amount": {"unit": "USD", "value": "1"}}),
        ("/v1/reveal", {"partner": "US-A", "period": "2026-10"}),
        ("/v1/reconciliation", {"partner": "US-A", "period": "2026-10"}),
    ],
)
def test_an_unknown_carrier(
    operator: Browser, gateway: Gateway, held: Partnership, path: str, body: dict[str, object]
) -> None:
    problem = refused(operator.post(path, json=body), "not-found", 404)

    assert problem["got"] == "agreements with GB-B"
    assert "CN-T and US-A" in problem["expected"]
    assert submitted(gateway) == 0


def test_an_unknown_carrier_at_the_command_line(
    gateway: Gateway, held: Partnership, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "opened", lambda _: gateway)

    assert run(["reveal", "--partner", "US-A", "--period", "2026-10"]) == 2

    said = capsys.readouterr().err
    assert "no agreement with US-A" in said
    assert "got       agreements with GB-B" in said
    assert submitted(gateway) == 0


def test_a_period_that_is_not_closed_reveals_nothing(
    operator: Browser, gateway: Gateway, held: Partnership, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Gateway, "catch_up", lambda _: None)

    refused(operator.post("/v1/reveal", json={"partner": "GB-B", "period": "2026-10"}), "period-still-open", 409)

    with reading(gateway.engine) as connection:
        assert list_revealed(connection, held.id, OCTOBER) == []


def test_a_repeated_sequence_with_another_content(gateway: Gateway) -> None:
    first = Submission("declare", b"a" * 32, NETWORK.usage_ledger, b"one", 1, stream="CN-T", position=1)
    with writing(gateway.engine) as connection:
        enqueue(connection, first, 0)

    with writing(gateway.engine) as connection, pytest.raises(SequenceConflict) as refusal:
        enqueue(connection, replace(first, subject=b"b" * 32, calldata=b"two"), 0)

    problem = problem_of(refusal.value)
    assert (problem["type"], problem["status"]) == ("/problems/sequence-conflict", 409)
    assert (problem["expected"], problem["got"]) == ("a number that is free", "1")
    assert submitted(gateway) == 1


def test_an_unknown_destination_is_never_rated_at_zero(
    files: Callable[[str], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*files("deck.csv"), "--json"]) == 0

    answer = json.loads(capsys.readouterr().out)
    assert answer["rated"] == 1
    (row,) = answer["quarantined"]
    assert (row["line"], row["reason"]) == (3, "unknown destination")


@pytest.mark.parametrize("unit", ["EUR", "CNY"])
def test_a_currency_that_is_not_the_agreements(
    operator: Browser, gateway: Gateway, held: Partnership, unit: str
) -> None:
    body = {"partner": "GB-B", "amount": {"unit": unit, "value": "1"}}

    problem = refused(operator.post("/v1/deposit", json=body), "currency-mismatch", 422)

    assert (problem["expected"], problem["got"]) == ("USD", unit)
    assert submitted(gateway) == 0


def test_a_deck_in_another_currency_at_the_command_line(
    files: Callable[[str], list[str]], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(files("euro.csv")) == 2

    streams = capsys.readouterr()
    assert [line.strip() for line in streams.err.splitlines()[1:3]] == ["expected  USD", "got       EUR"]
    assert not (tmp_path / "rated.csv").exists()


@pytest.fixture
def forged(gateway: Gateway, held: Partnership, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """GB-B gives another file than the one it declared."""
    scope = SCOPE._replace(agreement_id=held.id, declarer=GB)
    batch = seal(rated(3), scope, SECRET)
    other = archive.write(replace(seal(rated(4), scope, SECRET), root=batch.root), tmp_path / "other").read_bytes()
    monkeypatch.setattr(Gateway, "catch_up", lambda _: None)
    monkeypatch.setattr(revealing, "closed_by", lambda *_: frozenset({CN, GB}))
    monkeypatch.setattr(revealing, "list_declarations", lambda *_: [declared(batch, 1)])
    monkeypatch.setattr(revealing, "peer_of", lambda *_: Partner({batch.root: other}))


@pytest.mark.usefixtures("forged")
def test_a_file_that_does_not_match_its_root(operator: Browser, gateway: Gateway) -> None:
    answer = operator.post("/v1/reveal", json={"partner": "GB-B", "period": "2026-10"})

    problem = refused(answer, "root-mismatch", 409)
    assert len(problem["refused"]) == 1
    assert list(gateway.settings.archive_path.glob("*.parquet")) == []


@pytest.mark.usefixtures("forged")
def test_a_file_that_does_not_match_its_root_at_the_command_line(
    gateway: Gateway, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "opened", lambda _: gateway)

    assert run(["reveal", "--partner", "GB-B", "--period", "2026-10"]) == 1

    assert "1 of GB-B's 1 files are not what was declared" in capsys.readouterr().err
    assert list(gateway.settings.archive_path.glob("*.parquet")) == []


@pytest.mark.parametrize(
    ("refusal", "slug", "told"),
    [
        (b.SignerNotAuthorised(ascii32(CN), Address("0x" + "11" * 20)), "signer-not-authorised", "signer"),
        (b.CarrierUnknown(ascii32("XX-X")), "carrier-unknown", "carrier"),
        (b.PeriodAlreadyClosed(AgreementId(bytes(32)), ascii32(CN), 202610), "period-already-closed", "period"),
        (b.SequenceUnexpected(2, 1), "sequence-unexpected", "expected"),
        (b.CurrencyMismatch(ascii32("USD"), ascii32("EUR")), "currency-mismatch", "expected"),
        (b.RootMismatch(bytes(32), b"r" * 32), "root-mismatch", "got"),
    ],
)
def test_the_contracts_own_refusals_are_told_by_name(refusal: ContractRefused, slug: str, told: str) -> None:
    problem = problem_of(refusal)

    assert (problem["type"], problem["status"]) == (f"/problems/{slug}", 409)
    assert problem[told]
