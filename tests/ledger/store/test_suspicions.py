"""Does a suspicion come back as it was kept, and only the latest search's?"""

from dataclasses import replace

from sqlalchemy import Engine

from ledger.identity import CarrierCode
from ledger.money import Micros
from ledger.period import Period
from ledger.service import Service
from ledger.store.engine import reading, writing
from ledger.store.suspicions import SuspicionRow, list_suspicions, replace_suspicions

OCTOBER = Period(2026, 10)
ROW = SuspicionRow(
    period=OCTOBER,
    number=1,
    kind="irsf",
    confidence=90,
    service=Service.VOICE,
    creditor=CarrierCode("US-A"),
    debtor=CarrierCode("CN-T"),
    declarer=CarrierCode("CN-T"),
    subject="1900155*",
    currency="USD",
    count=320,
    at_risk_micros=Micros(105_650_000),
    rule="a rule",
    explanation="because",
    evidence_path="work/fraud/2026-10/1.parquet",
    found_at_ms=1,
)
KINDS = ("irsf", "wangiri")
UNSHOWN = replace(ROW, number=2, declarer=None, evidence_path=None, service=Service.SMS)


def test_a_suspicion_comes_back_as_it_was_kept(engine: Engine) -> None:
    with writing(engine) as connection:
        replace_suspicions(connection, OCTOBER, [UNSHOWN, ROW], KINDS)
    with reading(engine) as connection:
        assert list_suspicions(connection, OCTOBER) == [ROW, UNSHOWN]


def test_a_search_replaces_the_periods_last_one_and_no_other_periods(engine: Engine) -> None:
    november = replace(ROW, period=Period(2026, 11))
    with writing(engine) as connection:
        replace_suspicions(connection, OCTOBER, [ROW, UNSHOWN], KINDS)
        replace_suspicions(connection, november.period, [november], KINDS)
        replace_suspicions(connection, OCTOBER, [], KINDS)
    with reading(engine) as connection:
        assert list_suspicions(connection, OCTOBER) == []
        assert list_suspicions(connection, november.period) == [november]


def test_a_search_leaves_what_another_search_found_and_numbers_all_anew(engine: Engine) -> None:
    dearer = replace(ROW, kind="tier_stuffing", at_risk_micros=Micros(200_000_000))
    with writing(engine) as connection:
        replace_suspicions(connection, OCTOBER, [ROW], KINDS)
        (stored,) = replace_suspicions(connection, OCTOBER, [dearer], ["tier_stuffing"])
    with reading(engine) as connection:
        assert list_suspicions(connection, OCTOBER) == [stored, replace(ROW, number=2)]
    assert stored == dearer
