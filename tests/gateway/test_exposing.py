"""Is the chain's exposure counted a second time, from the store's own rows, and does a wrong one show?"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine

from gateway.exposing import broken_exposures, exposures_of, forecast_of
from ledger.chain.bindings import (
    CreditLineGranted,
    CreditLineOverrun,
    Declaration,
    DisputeOpened,
    DisputeState,
    DisputeStateChanged,
    ExposureChanged,
    ItemNetted,
    ItemOpened,
    LimitPolicy,
    PayableOpened,
    PaymentReceived,
    UsageDeclared,
)
from ledger.chain.bound import Event
from ledger.errors import Conflict
from ledger.identity import Address, AgreementId, BatchId, CarrierCode, Root, ascii32
from ledger.service import Service
from ledger.store.credit import credit_of
from ledger.store.engine import open_store, reading, writing
from tests.gateway.chain_rows import said
from tests.ledger.store.sqlite import fresh_sqlite

CN, GB = CarrierCode("CN-T"), CarrierCode("GB-B")
HELD = AgreementId(b"a" * 32)
DAY_MS = 86_400_000
LINE = CreditLineGranted(HELD, ascii32(GB), 1_000, LimitPolicy.REFUSE, 0, 1)
DISPUTE, ITEM, CYCLE, PAYABLE = (bytes([number]) * 32 for number in (1, 2, 3, 4))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Engine]:
    opened = open_store(fresh_sqlite(tmp_path))
    yield opened
    opened.dispose()


def declared(amount: int, declarer: CarrierCode = GB, seq: int = 1, at: int = 1) -> UsageDeclared:
    nothing = bytes(32)
    declaration = Declaration(
        agreement_id=HELD,
        declarer=ascii32(declarer),
        creditor=ascii32(GB),
        seq=seq,
        service=Service.VOICE,
        period=202610,
        root=Root(bytes([seq]) * 32),
        count=1,
        from_ms=0,
        to_ms=1,
        quantity=1,
        amount_micros=amount,
        deck_hash=nothing,
        corrects=nothing,
        igw=nothing,
        deadline=2,
    )
    batch = BatchId(bytes([seq]) * 31 + ascii32(declarer)[:1])
    return UsageDeclared(batch, HELD, ascii32(declarer), declaration, at)


def rise(change: int, exposure: int, limit: int = 1_000) -> ExposureChanged:
    return ExposureChanged(HELD, ascii32(GB), change, exposure, limit)


def broken(store: Engine, *events: Event) -> list[str]:
    with writing(store) as connection:
        said(connection, *events)
    with reading(store) as connection:
        return broken_exposures(connection)


def test_an_exposure_that_is_not_what_was_declared_is_told(store: Engine) -> None:
    (told,) = broken(store, LINE, declared(600), rise(599, 599))

    assert told.startswith("what is owed to GB-B under 0x6161")
    assert told.endswith("is 599 micros on the chain, 600 by the engine")


def test_a_declaration_that_no_exposure_follows_is_told(store: Engine) -> None:
    assert broken(store, declared(600))[0].endswith("is 0 micros on the chain, 600 by the engine")


def test_what_passes_a_line_without_a_flag_is_told(store: Engine) -> None:
    (told,) = broken(store, LINE, declared(1_001), rise(1_001, 1_001))

    assert told.endswith("rose to 1001 micros, past its line of 1000")


def test_a_flag_elsewhere_excuses_nothing(store: Engine) -> None:
    overrun = CreditLineOverrun(HELD, ascii32(GB), 1_001, 1_000)

    assert len(broken(store, LINE, declared(1_001), rise(1_001, 1_001), overrun)) == 1


def test_more_paid_than_declared_is_a_conflict(store: Engine) -> None:
    late = PayableOpened(PAYABLE, CYCLE, HELD, ascii32(GB), ascii32(CN), 5, 9)
    token = Address("0x" + "33" * 20)
    with writing(store) as connection:
        said(connection, LINE, ItemOpened(ITEM, DISPUTE, HELD, ascii32(GB), 9, 9), ItemNetted(ITEM, CYCLE))
        said(connection, late, PaymentReceived(PAYABLE, token, 5, 0, 0, bytes(32), 3))

    with reading(store) as connection, pytest.raises(Conflict, match="negative"):
        exposures_of(connection)


def test_a_whole_month_counts_to_what_the_chain_says(store: Engine) -> None:
    """Declared 900 (CN-T's word counts for nothing), 100 credited, 800 netted to a leg of 300, 120 of it paid."""
    gb, token = ascii32(GB), Address("0x" + "33" * 20)
    opened = DisputeOpened(DISPUTE, HELD, 202610, gb, Service.VOICE, ascii32("rate"), 100, bytes(32), 2)

    told = broken(
        store,
        LINE,
        declared(900),
        rise(900, 900),
        declared(700, declarer=CN),
        opened,
        DisputeStateChanged(DISPUTE, DisputeState.PAYMENT_DUE, 100, 0),
        DisputeStateChanged(DISPUTE, DisputeState.SETTLED, 0, 0),
        rise(-100, 800),
        ItemOpened(ITEM, DISPUTE, HELD, gb, 800, 9),
        ItemNetted(ITEM, CYCLE),
        rise(-800, 0),
        PayableOpened(PAYABLE, CYCLE, HELD, gb, ascii32(CN), 300, 9),
        rise(300, 300),
        PaymentReceived(PAYABLE, token, 125, 5, 180, bytes(32), 3),
        rise(-120, 180),
    )

    assert told == []
    with reading(store) as connection:
        assert exposures_of(connection)[HELD, GB].used_micros == 180


def test_a_line_is_full_when_the_last_thirty_days_go_on(store: Engine) -> None:
    now_ms = 100 * DAY_MS
    events = [declared(300, at=10), rise(300, 300), declared(300, seq=2, at=90 * 86_400), rise(300, 600)]

    ahead = forecast_at(store, now_ms, LINE, *events)

    assert ahead == (10, now_ms + 40 * DAY_MS)
    assert forecast_at(store, 200 * DAY_MS) == (0, None)


def forecast_at(store: Engine, now_ms: int, *events: Event) -> tuple[int, int | None]:
    with writing(store) as connection:
        said(connection, *events)
    with reading(store) as connection:
        found = _forecast(connection, now_ms)
    return found


def _forecast(connection: Connection, now_ms: int) -> tuple[int, int | None]:
    ahead = forecast_of(connection, credit_of(connection, HELD, GB), now_ms)
    return ahead.daily_micros, ahead.full_at_ms
