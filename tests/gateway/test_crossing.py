"""Do data and private lines name an igw, and are igw and licence that do not cover them refused before sending?"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import month
from gateway.composition import Gateway, partnership_with
from ledger.agreement_file import dump_agreement
from ledger.chain.abi import decode_all
from ledger.chain.bindings import (
    USAGE_LEDGER_DECLARE,
    Declaration,
    IgwDelisted,
    IgwKind,
    IgwListed,
    LicenceGranted,
    LicenceRevoked,
)
from ledger.chain.bound import Event
from ledger.errors import CrossingRefused
from ledger.identity import CarrierCode, Root, ascii32
from ledger.money import Micros
from ledger.service import Service
from ledger.store.batches import SealedBatch, record_batch
from ledger.store.crossings import Validity, covers, list_igws, list_licences
from ledger.store.engine import reading, writing
from ledger.store.outbox import list_submissions
from ledger.usage import BatchScope
from tests.gateway.chain_rows import said
from tests.gateway.homes import lonely_gateway
from tests.reconciliation.records import CN, GB, MONTH_END_MS, MONTH_START_MS, OCTOBER, agreement

START, END = MONTH_START_MS // 1000, MONTH_END_MS // 1000
BEIJING, ERENHOT = "GLOBAL-BEIJING", "BORDER-ERENHOT"
FIRST_OF_NEXT = END


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """CN-T's gateway; Beijing's bureau is listed, and GB-B is licensed, from September on."""
    monkeypatch.setattr(Gateway, "catch_up", lambda _: None)
    made = lonely_gateway(tmp_path)
    (made.settings.agreements_path / "gb-b.toml").write_text(dump_agreement(agreement()))
    chain_says(made, listed(BEIJING, START - 1_000), licensed(GB, START - 1_000))
    yield made
    made.close()


def chain_says(gateway: Gateway, *events: Event) -> None:
    with writing(gateway.engine) as connection:
        said(connection, *events)


def listed(igw: str, valid_from: int, valid_until: int = 0) -> IgwListed:
    return IgwListed(ascii32(igw), IgwKind.GLOBAL_BUREAU, valid_from, valid_until)


def licensed(carrier: CarrierCode, valid_from: int, valid_until: int = 0, licence: str = "BASIC-INTL") -> Event:
    return LicenceGranted(ascii32(carrier), ascii32(licence), valid_from, valid_until)


def sealed(gateway: Gateway, service: Service, name: bytes = b"1", to_ms: int = MONTH_END_MS - 1) -> Root:
    """A batch of October that CN-T owes GB-B for."""
    held = partnership_with(gateway.settings, GB)
    batch = SealedBatch(
        scope=BatchScope(held.id, CN, GB, service, OCTOBER),
        root=Root(name.ljust(32, b"\1")),
        count=1,
        from_ms=MONTH_START_MS,
        to_ms=to_ms,
        quantity=1,
        amount_micros=Micros(5),
        deck_hash=bytes(32),
        archive_path="",
        sealed_at_ms=1,
    )
    with writing(gateway.engine) as connection:
        record_batch(connection, batch)
    return batch.root


def sent(gateway: Gateway) -> list[Declaration]:
    """What waits in the outbox."""
    kinds = [kind for _, kind in USAGE_LEDGER_DECLARE.inputs]
    with reading(gateway.engine) as connection:
        return [decode_all(kinds, (row.calldata or b"")[4:])[0] for row in list_submissions(connection)]


def test_data_that_names_no_igw_is_refused_before_anything_is_sent_and_the_usable_ones_are_named(
    gateway: Gateway,
) -> None:
    chain_says(gateway, listed(ERENHOT, END))
    sealed(gateway, Service.DATA)
    with pytest.raises(CrossingRefused, match="names no international gateway") as refusal:
        month.declare(gateway)

    assert refusal.value.expected == BEIJING, "the one that is listed too late is not offered"
    assert "--igw" in refusal.value.todo
    assert sent(gateway) == []


@pytest.mark.parametrize(
    ("events", "igw", "told"),
    [
        ([], "GLOBAL-ATLANTIS", "no such igw"),
        ([listed(ERENHOT, START + 1)], ERENHOT, "from 2026-10-01 00:00:01"),
        ([listed(ERENHOT, START, END - 1)], ERENHOT, "2026-10-01 to 2026-10-31 23:59:59"),
        ([IgwDelisted(ascii32(BEIJING), END - 60)], BEIJING, "to 2026-10-31 23:59"),
        ([LicenceRevoked(ascii32(GB), ascii32("BASIC-INTL"), END - 1)], BEIJING, "BASIC-INTL: 2026-09-30 23:43:20 to"),
        ([LicenceRevoked(ascii32(GB), ascii32("BASIC-INTL"), START - 2_000)], BEIJING, "BASIC-INTL: never"),
    ],
)
def test_an_igw_or_a_licence_that_does_not_cover_all_events_is_refused(
    gateway: Gateway, events: list[Event], igw: str, told: str
) -> None:
    chain_says(gateway, *events)
    sealed(gateway, Service.IPL)
    with pytest.raises(CrossingRefused) as refusal:
        month.declare(gateway, igw=igw)

    assert told in str(refusal.value.got)
    assert sent(gateway) == []


def test_a_licence_of_another_class_or_carrier_covers_no_crossing(gateway: Gateway) -> None:
    """The planted fault: GB-B's own licence is taken away, CN-T's and a domestic one stay."""
    revoked = LicenceRevoked(ascii32(GB), ascii32("BASIC-INTL"), START)
    chain_says(gateway, revoked, licensed(CN, 0), licensed(GB, 0, licence="A24-1"))
    sealed(gateway, Service.DATA)
    with pytest.raises(CrossingRefused, match="GB-B has no licence"):
        month.declare(gateway, igw=BEIJING)


@pytest.mark.parametrize("service", [Service.DATA, Service.IPL])
def test_the_declaration_names_the_igw_that_was_asked_for(gateway: Gateway, service: Service) -> None:
    sealed(gateway, service)
    (declared,) = month.declare(gateway, igw=BEIJING).declarations
    again = month.declare(gateway, igw="GLOBAL-SHANGHAI")

    assert [each.igw for each in sent(gateway)] == [ascii32(BEIJING)]
    assert declared.igw == BEIJING
    assert again.declarations == (declared,), "what is on its way is not signed anew"


def test_the_settings_name_the_igw_of_a_partner(gateway: Gateway) -> None:
    sealed(gateway, Service.DATA)
    named = replace(gateway, settings=replace(gateway.settings, igw=MappingProxyType({GB: BEIJING})))
    assert [each.igw for each in month.declare(named, dry_run=True).declarations] == [BEIJING]
    assert sent(gateway) == []


def test_voice_names_none_whatever_was_asked_for(gateway: Gateway) -> None:
    sealed(gateway, Service.VOICE)
    assert [each.igw for each in month.declare(gateway, igw=BEIJING).declarations] == [None]
    assert [each.igw for each in sent(gateway)] == [bytes(32)]


def test_a_refused_batch_does_not_hold_up_the_others(gateway: Gateway) -> None:
    sealed(gateway, Service.DATA, b"1", to_ms=MONTH_END_MS - 1)
    sealed(gateway, Service.VOICE, b"2")
    with pytest.raises(CrossingRefused, match="names no") as refusal:
        month.declare(gateway)

    assert [(each.service, each.seq) for each in sent(gateway)] == [(Service.VOICE, 1)]
    assert "The other 1 declaration(s) are in the outbox" in refusal.value.todo


def test_the_histories_are_those_of_the_registry(gateway: Gateway) -> None:
    chain_says(
        gateway,
        listed(ERENHOT, 100, 200),
        listed(ERENHOT, 200, 300),
        listed(ERENHOT, 400),
        IgwDelisted(ascii32(ERENHOT), 350),
    )
    with reading(gateway.engine) as connection:
        igws = {row.igw: row.validities for row in list_igws(connection)}
        licences = list_licences(connection, CN)

    assert igws[ERENHOT] == (Validity(100, 300),), "what follows prolongs, what has not begun is taken back"
    assert licences == []


@given(st.lists(st.integers(0, 40), min_size=2, max_size=8, unique=True), st.integers(0, 40), st.integers(0, 12))
def test_a_stretch_covers_exactly_when_every_second_lies_in_it(bounds: list[int], first: int, length: int) -> None:
    ordered = sorted(bounds)[: len(bounds) // 2 * 2]
    stretches = [Validity(begin, end) for begin, end in zip(ordered[::2], ordered[1::2], strict=True)]
    inside = any(
        all(each.begin <= second < (each.end or 0) for second in range(first, first + length + 1)) for each in stretches
    )
    assert covers(stretches, first, first + length) == inside
