"""Does what comes after the close reach the ledger in the next open month, once, naming the batch that it corrects?"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pyarrow.compute as pc
import pytest

from gateway import month
from gateway.composition import Gateway, partnership_with
from gateway.month.declaring import declaration_on_chain
from gateway.settings import Switch, TrunkDirection, TrunkSetting
from ledger.agreement_file import dump_agreement
from ledger.archive import read_by_root
from ledger.chain.abi import decode_all
from ledger.chain.bindings import (
    USAGE_LEDGER_DECLARE_ADJUSTMENT,
    Declaration,
    PeriodClosed,
    RateChange,
    RateDeckPublished,
    UsageDeclared,
)
from ledger.errors import Conflict
from ledger.identity import ascii32
from ledger.period import Period
from ledger.prices.deck import deck_hash
from ledger.prices.deck_file import load_deck
from ledger.service import Service
from ledger.store.declarations import DeclarationRow, list_declarations
from ledger.store.engine import reading, writing
from ledger.store.outbox import list_submissions
from tests.gateway.chain_rows import said
from tests.gateway.homes import lonely_gateway
from tests.reconciliation.records import CN, GB, MONTH_START_MS, OCTOBER, agreement

NOVEMBER = Period(2026, 11)
DECK = "destination,code,rate,increment\nUnited Kingdom,44,0.0120,60/60\n"
WIDER = DECK + "Ireland,353,0.0300,1/1\n"


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """CN-T's gateway. It declared two calls of October to GB-B, one more has no price yet; October is closed."""
    monkeypatch.setattr(Gateway, "catch_up", lambda _: None)
    made = lonely_gateway(tmp_path)
    trunks = MappingProxyType({"gb-b-out": TrunkSetting(GB, TrunkDirection.OUT)})
    made = replace(made, settings=replace(made.settings, trunks=trunks, switch=Switch(country="CN")))
    (made.settings.agreements_path / "gb-b.toml").write_text(dump_agreement(agreement()))
    hand_over(made, DECK)
    came(made, "first.csv", "+442070000001", "+442070000002", "+35312345678")
    month.rate(made)
    month.seal(made)
    month.declare(made)
    mined(made)
    close(made, OCTOBER)
    yield made
    made.close()


def hand_over(gateway: Gateway, deck: str) -> None:
    """GB-B's deck, published in September, and its file."""
    path = gateway.settings.decks_path / f"{len(deck)}.csv"
    path.write_text(deck)
    held = partnership_with(gateway.settings, GB)
    hashed = deck_hash(load_deck(path, "USD"))
    change = RateChange.INITIAL if deck == DECK else RateChange.INCREASE
    times = (MONTH_START_MS // 1000, 1 + len(deck), 1)
    with writing(gateway.engine) as connection:
        said(connection, RateDeckPublished(held.id, ascii32(GB), Service.VOICE, change, hashed, *times))


def came(gateway: Gateway, name: str, *called: str, minute: int = 0) -> None:
    """A switch's file of October calls arrives."""
    rows = [f"+8613900000000,{each},2026-10-02T06:{minute:02d}:00Z,60000,gb-b-out" for each in called]
    path = gateway.settings.home / name
    path.write_text("\n".join(["a_number,b_number,start,duration_ms,trunk", *rows]) + "\n")
    month.import_usage(gateway, path, "csv")


def mined(gateway: Gateway) -> None:
    """The chain takes what waits."""
    held = partnership_with(gateway.settings, GB)
    known = {row.batch_id for row in declared(gateway)}
    with writing(gateway.engine) as connection:
        for row in list_submissions(connection, kind="declare"):
            if row.subject not in known:
                said(connection, UsageDeclared(row.subject, held.id, ascii32(CN), argument(row.calldata or b""), 1))


def argument(calldata: bytes) -> Declaration:
    """The declaration that a call begins with: of fixed length, so it stands at the head of the arguments."""
    (declaration,) = decode_all([USAGE_LEDGER_DECLARE_ADJUSTMENT.inputs[0][1]], calldata[4:])
    assert isinstance(declaration, Declaration)
    return declaration


def close(gateway: Gateway, period: Period) -> None:
    held = partnership_with(gateway.settings, GB)
    with writing(gateway.engine) as connection:
        said(connection, PeriodClosed(held.id, ascii32(CN), period.key, 0, 1, 1))


def declared(gateway: Gateway) -> list[DeclarationRow]:
    with reading(gateway.engine) as connection:
        return list_declarations(connection)


def adjustments(gateway: Gateway) -> list[tuple[Declaration, Declaration]]:
    """What waits in the outbox: each adjustment and the declaration it corrects."""
    kinds = [kind for _, kind in USAGE_LEDGER_DECLARE_ADJUSTMENT.inputs]
    with reading(gateway.engine) as connection:
        rows = [row.calldata or b"" for row in list_submissions(connection, kind="declare")]
    own = [raw for raw in rows if raw[:4] == USAGE_LEDGER_DECLARE_ADJUSTMENT.selector]
    return [(arguments[0], arguments[1]) for arguments in (decode_all(kinds, raw[4:]) for raw in own)]


def test_a_file_that_comes_after_the_close_is_declared_in_the_next_month_and_names_what_it_corrects(
    gateway: Gateway,
) -> None:
    (first,) = declared(gateway)
    came(gateway, "late.csv", "+442070000003", minute=30)

    (answer,) = month.correct(gateway).declarations

    ((adjustment, corrected),) = adjustments(gateway)
    assert (answer.period, answer.seq, answer.count, answer.corrects) == (NOVEMBER, 2, 1, first.batch_id)
    assert (adjustment.period, adjustment.corrects) == (NOVEMBER.key, first.batch_id)
    assert corrected == declaration_on_chain(first)
    assert gateway.signer.digest(corrected) == first.batch_id, "as the contract reckons it"
    assert read_by_root(gateway.settings.archive_path, answer.root).scope.period == NOVEMBER


def test_what_gets_its_price_after_the_close_is_declared_too(gateway: Gateway) -> None:
    assert month.correct(gateway).declarations == ()
    hand_over(gateway, WIDER)
    (waiting,) = month.correct(gateway, dry_run=True).waiting
    (answer,) = month.correct(gateway).declarations

    assert (waiting.period, waiting.count, str(waiting.amount)) == (OCTOBER, 1, "USD 0.03")
    assert (answer.period, answer.count, str(answer.amount)) == (NOVEMBER, 1, "USD 0.03")
    batch = read_by_root(gateway.settings.archive_path, answer.root)
    assert pc.unique(batch.table["b_party"]).to_pylist() == ["35312345678"]
    assert month.rate(gateway).left == (), "nothing is left behind"


def test_twice_is_once_and_what_is_on_chain_is_shown_again(gateway: Gateway) -> None:
    came(gateway, "late.csv", "+442070000003", minute=30)
    first = month.correct(gateway)
    again = month.correct(gateway)
    mined(gateway)
    later = month.correct(gateway)

    assert (first.sealed_now, again.sealed_now, later.sealed_now) == (1, 0, 0)
    assert first.declarations == again.declarations
    assert [each.batch_id for each in later.declarations] == [each.batch_id for each in first.declarations]
    assert len(adjustments(gateway)) == 1


def test_a_process_that_dies_between_sealing_and_declaring_loses_nothing(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    came(gateway, "late.csv", "+442070000003", minute=30)
    with monkeypatch.context() as dying:
        dying.setattr("gateway.month.correcting._declare", die)
        with pytest.raises(PowerCut):
            month.correct(gateway)
    assert adjustments(gateway) == []
    month.declare(gateway)

    assert len(adjustments(gateway)) == 1, "the plain verb finds it as well"
    assert month.correct(gateway).sealed_now == 0


class PowerCut(BaseException):
    """The process dies here."""


def die(*_: object) -> None:
    raise PowerCut


def test_a_batch_sealed_for_a_closed_month_is_not_declared_but_sealed_anew(gateway: Gateway) -> None:
    came(gateway, "late.csv", "+442070000003", minute=30)
    month.rate(gateway)
    batches = month.seal(gateway).batches
    sealed = next(each.root for each in batches if each.state == "sealed")

    answer = month.declare(gateway)
    with pytest.raises(Conflict, match="2026-10 is closed") as refusal:
        month.declare_root(gateway, sealed)
    (late,) = month.correct(gateway).declarations

    assert (len(answer.declarations), answer.late) == (1, 1)
    assert "gsc correct --partner GB-B" in refusal.value.todo
    assert (late.period, late.count) == (NOVEMBER, 1)
    assert late.root != sealed
    assert month.declare(gateway).late == 0


def test_while_the_month_is_open_nothing_is_late(gateway: Gateway) -> None:
    """The planted fault is the other way round: November is not closed, so its calls are not corrections."""
    path = gateway.settings.home / "november.csv"
    path.write_text(
        "a_number,b_number,start,duration_ms,trunk\n+8613900000000,+442070000009,2026-11-02T06:00:00Z,60000,gb-b-out\n"
    )
    month.import_usage(gateway, path, "csv")
    assert month.correct(gateway).declarations == ()
    assert month.correct(gateway, dry_run=True).waiting == ()


def test_what_is_late_once_more_goes_on_to_the_month_after(gateway: Gateway) -> None:
    close(gateway, NOVEMBER)
    came(gateway, "late.csv", "+442070000003", minute=30)
    (answer,) = month.correct(gateway, period=OCTOBER).declarations
    assert answer.period == Period(2026, 12)
