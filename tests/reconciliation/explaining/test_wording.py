"""Does a finding's sentence read as a clerk would write it?"""

import pytest

from ledger.money import show_micros
from reconciliation.explaining.wording import _places
from reconciliation.finding import Cause
from reconciliation.reconcile import reconcile
from tests.reconciliation.records import agreement, many, scope, table


@pytest.mark.parametrize(
    ("difference", "places"), [(0, 2), (10_000, 2), (-10_000, 2), (9_999, 4), (100, 4), (-99, 6), (1, 6)]
)
def test_amounts_have_as_many_places_as_show_their_difference(difference: int, places: int) -> None:
    assert _places(difference) == places
    ours, theirs = show_micros(5_000_000 + difference, places), show_micros(5_000_000, places)
    assert (ours != theirs) == (difference != 0)


@pytest.mark.parametrize(
    ("longer", "said"),
    [(1, "1 call differs in duration beyond tolerance"), (2, "2 calls differ in duration beyond tolerance")],
)
def test_one_call_differs_and_two_differ(longer: int, said: str) -> None:
    calls = many(20)
    ours = [call.but(lasts=call.lasts + 30) if at < longer else call for at, call in enumerate(calls)]

    answer = reconcile(table(ours), table(calls), scope=scope(), agreement=agreement())

    (finding,) = [each for each in answer.findings if each.cause is Cause.DURATION]
    assert finding.explanation.startswith(said)
