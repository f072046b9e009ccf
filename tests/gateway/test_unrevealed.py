"""Can a debtor dispute what its creditor declared and does not show, on request, once, and never above the declared?"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from gateway import month
from gateway.answers import as_json
from gateway.api.app import build_app
from gateway.cli import opening
from gateway.cli.app import run
from gateway.composition import Gateway, partnership_with
from gateway.month.disputing import DisputesAnswer
from ledger import archive
from ledger.agreement_file import dump_agreement
from ledger.chain.abi import decode_all
from ledger.chain.bindings import (
    SETTLEMENT_BOOK_OPEN_DISPUTE,
    Declaration,
    DisputeOpened,
    DisputeState,
    DisputeStateChanged,
    PeriodClosed,
    StatementAgreed,
    UsageDeclared,
)
from ledger.errors import Conflict, PeriodStillOpen
from ledger.identity import BatchId, CarrierCode, ascii32
from ledger.sealing import seal
from ledger.service import Service
from ledger.store.batches import RevealedBatch, record_revealed
from ledger.store.declarations import list_declarations
from ledger.store.engine import reading, writing
from ledger.store.outbox import list_submissions, move
from ledger.store.states import SubmissionState
from ledger.usage import BatchScope
from tests.gateway.asking import Browser
from tests.gateway.chain_rows import said
from tests.gateway.homes import lonely_gateway
from tests.reconciliation.records import CN, GB, OCTOBER, Call, agreement, table

MINUTE = 20_000
"""Micros of one call."""


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """CN-T's gateway. It owes GB-B 10 calls, and both have closed October."""
    monkeypatch.setattr(Gateway, "catch_up", lambda _: None)
    made = lonely_gateway(tmp_path)
    (made.settings.agreements_path / "gb-b.toml").write_text(dump_agreement(agreement()))
    declared(made, CN, calls(0, 10))
    closed(made, CN, GB)
    yield made
    made.close()


def calls(first: int, last: int) -> list[Call]:
    return [Call(at=600 * k, b=f"4477009{k:05d}") for k in range(first, last)]


def closed(gateway: Gateway, *carriers: CarrierCode) -> None:
    held = partnership_with(gateway.settings, GB)
    with writing(gateway.engine) as connection:
        said(connection, *(PeriodClosed(held.id, ascii32(carrier), OCTOBER.key, 9, 9, 1) for carrier in carriers))


def declared(gateway: Gateway, declarer: CarrierCode, sealed: Iterable[Call], *, seq: int = 1) -> Declaration:
    """A batch of what CN-T owes GB-B, on chain and, if it is ours, in the archive."""
    scope = BatchScope(partnership_with(gateway.settings, GB).id, declarer, GB, Service.VOICE, OCTOBER)
    batch = seal(table(sealed), scope, bytes([seq, *declarer.encode()]).ljust(32, b"\0"))
    if declarer == CN:
        archive.write(batch, gateway.settings.archive_path)
    declaration = Declaration(
        agreement_id=scope.agreement_id,
        declarer=ascii32(declarer),
        creditor=ascii32(GB),
        seq=seq,
        service=Service.VOICE,
        period=OCTOBER.key,
        root=batch.root,
        count=batch.count,
        from_ms=batch.from_ms,
        to_ms=batch.to_ms,
        quantity=batch.quantity,
        amount_micros=batch.amount_micros,
        deck_hash=bytes(32),
        corrects=bytes(32),
        igw=bytes(32),
        deadline=2**40,
    )
    batch_id = BatchId(declaration.struct_hash())
    with writing(gateway.engine) as connection:
        said(connection, UsageDeclared(batch_id, scope.agreement_id, ascii32(declarer), declaration, 1))
    return declaration


def revealed(gateway: Gateway, sealed: Iterable[Call], seq: int, refusal: str | None = None) -> None:
    """GB-B's batch came: as declared, or refused."""
    scope = BatchScope(partnership_with(gateway.settings, GB).id, GB, GB, Service.VOICE, OCTOBER)
    batch = seal(table(sealed), scope, bytes([seq, *GB.encode()]).ljust(32, b"\0"))
    name = "" if refusal else archive.write(batch, gateway.settings.archive_path).name
    with reading(gateway.engine) as connection:
        rows = list_declarations(connection, scope.agreement_id, OCTOBER, GB)
    batch_id = next(row.batch_id for row in rows if row.seq == seq)
    with writing(gateway.engine) as connection:
        record_revealed(connection, RevealedBatch(batch_id, batch.root, scope, name, 1, refusal))


def disputes(
    gateway: Gateway, *, unrevealed: bool = True, again: bool = False, dry_run: bool = False
) -> DisputesAnswer:
    return month.dispute(gateway, GB, OCTOBER, unrevealed=unrevealed, again=again, dry_run=dry_run)


def told(answer: DisputesAnswer) -> list[tuple[str, int, int]]:
    return [(each.reason, each.amount.micros, each.count) for each in answer.disputes]


def submitted(gateway: Gateway) -> int:
    with reading(gateway.engine) as connection:
        return len(list_submissions(connection, kind="dispute"))


def opened(gateway: Gateway, answer: DisputesAnswer) -> None:
    """The chain says so."""
    held = partnership_with(gateway.settings, GB)
    with writing(gateway.engine) as connection:
        for each in answer.disputes:
            subject = (ascii32(GB), Service.VOICE, ascii32(each.reason), each.amount.micros, each.evidence_hash, 9)
            said(connection, DisputeOpened(each.dispute_id, held.id, OCTOBER.key, *subject))


def test_what_was_never_asked_for_is_not_disputed_by_mistake(gateway: Gateway) -> None:
    declared(gateway, GB, calls(0, 10))

    with pytest.raises(Conflict, match="not revealed") as caught:
        disputes(gateway, unrevealed=False)
    assert "gsc reveal" in caught.value.todo and "--unrevealed" in caught.value.todo
    assert submitted(gateway) == 0


def test_nothing_is_disputed_as_unrevealed_before_both_have_closed(tmp_path: Path, gateway: Gateway) -> None:
    other = lonely_gateway(tmp_path / "open")
    (other.settings.agreements_path / "gb-b.toml").write_text(dump_agreement(agreement()))
    declared(other, GB, calls(0, 10))
    closed(other, GB)

    with pytest.raises(PeriodStillOpen):
        disputes(other)
    other.close()


def test_a_partner_that_never_reveals_is_disputed_in_full_and_once(gateway: Gateway) -> None:
    declared(gateway, GB, calls(0, 10))
    declared(gateway, GB, calls(10, 14), seq=2)

    assert told(disputes(gateway, dry_run=True)) == [("not_revealed", 14 * MINUTE, 14)]
    assert submitted(gateway) == 0
    first, again = disputes(gateway), disputes(gateway)
    opened(gateway, first)
    on_chain = disputes(gateway)

    assert told(first) == told(again) == told(on_chain) == [("not_revealed", 14 * MINUTE, 14)]
    assert (submitted(gateway), on_chain.disputes[0].state) == (1, "generated")
    assert "GB-B declared 2 batches whose records it did not reveal" in first.disputes[0].explanation


def test_a_refused_file_is_as_good_as_none_and_its_refusal_is_evidence(gateway: Gateway) -> None:
    declared(gateway, GB, calls(0, 10))
    before = disputes(gateway, dry_run=True)
    revealed(gateway, calls(0, 10), 1, refusal="the root is another one")
    after = disputes(gateway, dry_run=True)

    assert told(before) == told(after) == [("not_revealed", 10 * MINUTE, 10)]
    assert before.disputes[0].evidence_hash != after.disputes[0].evidence_hash
    assert "1 of their files came and are not what was declared" in after.disputes[0].explanation


def test_what_was_revealed_is_still_disputed_by_its_causes(gateway: Gateway) -> None:
    """Of the first batch we lack 5 calls; our calls whose batch is hidden are no dispute of ours."""
    declared(gateway, GB, calls(5, 15))
    declared(gateway, GB, calls(0, 5), seq=2)
    revealed(gateway, calls(5, 15), 1)

    assert told(disputes(gateway)) == [("missing_at_ours", 5 * MINUTE, 5), ("not_revealed", 5 * MINUTE, 5)]


def test_all_disputes_together_stay_within_what_was_declared(gateway: Gateway) -> None:
    """A dispute of another cause stands over 12 of the 14."""
    declared(gateway, GB, calls(0, 14))
    held = partnership_with(gateway.settings, GB)
    with writing(gateway.engine) as connection:
        subject = (ascii32(GB), Service.VOICE, ascii32("by_hand"), 12 * MINUTE, bytes(32), 9)
        said(connection, DisputeOpened(bytes(32), held.id, OCTOBER.key, *subject))

    assert told(disputes(gateway)) == [("not_revealed", 2 * MINUTE, 14)]


def test_what_comes_later_is_not_disputed_twice(gateway: Gateway) -> None:
    declared(gateway, GB, calls(0, 20))
    opened(gateway, disputes(gateway))
    revealed(gateway, calls(0, 20), 1)

    for unrevealed in (False, True):
        with pytest.raises(Conflict, match="disputed twice"):
            disputes(gateway, unrevealed=unrevealed)
    assert submitted(gateway) == 1


def withdrawn(gateway: Gateway, answer: DisputesAnswer) -> None:
    """The chain says that we took it back."""
    with writing(gateway.engine) as connection:
        for each in answer.disputes:
            amount = each.amount.micros
            said(connection, DisputeStateChanged(each.dispute_id, DisputeState.WITHDRAWN, 0, amount))
        for row in list_submissions(connection, kind="dispute"):
            move(connection, row, SubmissionState.FINAL, 1)


def test_what_is_left_after_a_withdrawal_is_disputed_anew_under_the_next_number(gateway: Gateway) -> None:
    """Half of what was not revealed comes: the dispute over all of it has to go first."""
    declared(gateway, GB, calls(0, 10))
    declared(gateway, GB, calls(10, 14), seq=2)
    first = disputes(gateway)
    opened(gateway, first)
    revealed(gateway, calls(0, 10), 1)
    withdrawn(gateway, first)
    second, again = disputes(gateway), disputes(gateway)
    opened(gateway, second)

    assert told(second) == told(again) == [("not_revealed", 4 * MINUTE, 4)]
    assert [each.dispute_id for each in second.disputes] == [each.dispute_id for each in again.disputes]
    assert nonces(gateway) == [1, 2]
    assert disputes(gateway).disputes[0].state == "generated"


def test_what_we_withdrew_stays_so_unless_it_is_disputed_again_on_purpose(gateway: Gateway) -> None:
    declared(gateway, GB, calls(0, 10))
    first = disputes(gateway)
    opened(gateway, first)
    withdrawn(gateway, first)

    assert disputes(gateway).disputes[0].state == "withdrawn"
    assert submitted(gateway) == 1
    assert disputes(gateway, again=True).disputes[0].state == "opening"
    assert nonces(gateway) == [1, 2]


def test_once_the_statement_is_agreed_nothing_withdrawn_comes_back(gateway: Gateway) -> None:
    declared(gateway, GB, calls(0, 10))
    first = disputes(gateway)
    opened(gateway, first)
    withdrawn(gateway, first)
    held = partnership_with(gateway.settings, GB)
    with writing(gateway.engine) as connection:
        said(connection, StatementAgreed(bytes(32), held.id, OCTOBER.key, bytes(32), False, 11, 12))

    assert disputes(gateway, again=True).disputes[0].state == "withdrawn"
    assert nonces(gateway) == [1]


def nonces(gateway: Gateway) -> list[int]:
    kinds = [kind for _, kind in SETTLEMENT_BOOK_OPEN_DISPUTE.inputs]
    with reading(gateway.engine) as connection:
        rows = list_submissions(connection, kind="dispute")
    return [decode_all(kinds, (row.calldata or b"")[4:])[0].nonce for row in rows]


def test_while_a_dispute_waits_to_be_mined_no_second_one_is_opened_beside_it(gateway: Gateway) -> None:
    """First one of two batches comes, and then the other one too."""
    declared(gateway, GB, calls(0, 10))
    declared(gateway, GB, calls(10, 20), seq=2)
    disputes(gateway)
    revealed(gateway, calls(0, 10), 1)
    with pytest.raises(Conflict, match="with other figures is on its way"):
        disputes(gateway)
    revealed(gateway, calls(10, 20), 2)
    with pytest.raises(Conflict, match="disputed twice"):
        disputes(gateway, unrevealed=False)
    assert submitted(gateway) == 1


def test_api_and_command_dispute_it_on_request_only(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    declared(gateway, GB, calls(0, 10))
    app = build_app(gateway)
    browser = Browser(app)
    browser.headers["Authorization"] = f"Bearer {app.state.token}"
    body = {"partner": GB, "period": str(OCTOBER)}

    assert browser.post("/v1/dispute", json=body).status_code == 409
    answer = browser.post("/v1/dispute", json=body | {"unrevealed": True}).json()
    monkeypatch.setattr(opening, "opened", lambda _: gateway)
    assert run(["dispute", "--partner", GB, "--period", str(OCTOBER), "--unrevealed", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)

    assert [each["reason"] for each in answer["disputes"]] == ["not_revealed"]
    assert shown == as_json(disputes(gateway))
