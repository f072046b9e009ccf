"""Is a pumped range found by 47 CFR 61.3(bbb)'s ratio, and a hotline or a company's bridge not?"""

import numpy as np
import pytest

from ledger.detector_terms import DetectorTerms
from reconciliation.fraud.pumping import traffic_pumping
from reconciliation.suspicion import Suspicion
from tests.reconciliation.fraud.flows import incoming, outgoing, usual
from tests.reconciliation.records import Call

HUNDRED = DetectorTerms(pumping_minutes=100)


def conference(count: int = 12, lasts: float = 1_200) -> list[Call]:
    return [Call(at=k * 60, lasts=lasts, a=f"861390000{k:04d}", b="161755500001") for k in range(count)]


def found(calls: list[Call], came: list[Call] | None = None, terms: DetectorTerms = HUNDRED) -> list[Suspicion]:
    flow = outgoing([*usual(), *calls], terms)
    return list(traffic_pumping(flow, [incoming(came or usual())], np.zeros(len(flow), np.bool_)))


def test_a_range_that_gets_six_minutes_for_each_it_sends_is_pumped() -> None:
    (suspicion,) = found(conference())
    assert (suspicion.subject, suspicion.count) == ("16175550*", 12)
    assert suspicion.explanation == "240 minutes went to 16175550* and 0 came from it"


def test_the_ratio_is_the_rules_own() -> None:
    """240 minutes against 40: 6:1 is pumping; against 41 it is not."""
    sends = [Call(at=k * 600, lasts=600, a="161755509999", b="8613900000001") for k in range(4)]
    assert len(found(conference(), sends)) == 1
    assert found(conference(), [*sends, Call(lasts=60, a="161755509999")]) == []


@pytest.mark.parametrize(
    ("calls", "terms"),
    [(conference(4), HUNDRED), (conference(60, 240), HUNDRED), (conference(), DetectorTerms())],
    ids=["little", "a hotline of four minutes", "less than the default of 10,000 minutes"],
)
def test_what_is_not_pumped_stays_silent(calls: list[Call], terms: DetectorTerms) -> None:
    assert found(calls, terms=terms) == []


def test_what_is_told_as_another_fraud_is_not_told_again() -> None:
    flow = outgoing(conference(), HUNDRED)
    assert list(traffic_pumping(flow, [], np.ones(len(flow), np.bool_))) == []
