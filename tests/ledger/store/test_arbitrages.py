"""Does a search's finding come back as it was kept, and only the latest search's?"""

from dataclasses import replace

from sqlalchemy import Engine

from ledger.identity import CarrierCode
from ledger.money import Micros
from ledger.period import Period
from ledger.store.arbitrages import ArbitrageRow, list_arbitrages, replace_arbitrages
from ledger.store.engine import reading, writing

OCTOBER = Period(2026, 10)
ROW = ArbitrageRow(
    period=OCTOBER,
    number=1,
    scheme="refile",
    cycle="CN-T>GB-B>US-A",
    loser=CarrierCode("US-A"),
    destination="United States Alaska",
    codes="1907",
    currency="USD",
    gain_nanos=60_000_000,
    count=599,
    minutes=1_760,
    lost_micros=Micros(105_650_000),
    exposed_minutes=3_000,
    at_risk_micros=Micros(180_000_000),
    creditor=CarrierCode("US-A"),
    debtor=CarrierCode("GB-B"),
    declarer=CarrierCode("US-A"),
    evidence_path="work/arbitrage/2026-10/1.parquet",
    explanation="because",
    found_at_ms=1,
)
UNSHOWN = replace(ROW, number=2, creditor=None, debtor=None, declarer=None, evidence_path=None)


def test_a_finding_comes_back_as_it_was_kept(engine: Engine) -> None:
    with writing(engine) as connection:
        replace_arbitrages(connection, OCTOBER, [UNSHOWN, ROW])
    with reading(engine) as connection:
        assert list_arbitrages(connection, OCTOBER) == [ROW, UNSHOWN]


def test_a_search_replaces_the_periods_last_one_and_no_other_periods(engine: Engine) -> None:
    november = replace(ROW, period=Period(2026, 11))
    with writing(engine) as connection:
        replace_arbitrages(connection, OCTOBER, [ROW, UNSHOWN])
        replace_arbitrages(connection, november.period, [november])
        replace_arbitrages(connection, OCTOBER, [])
    with reading(engine) as connection:
        assert list_arbitrages(connection, OCTOBER) == []
        assert list_arbitrages(connection, november.period) == [november]
