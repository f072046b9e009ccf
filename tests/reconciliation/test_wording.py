"""Does a finding's sentence read as a clerk would write it?"""

import pytest

from reconciliation.finding import Cause
from reconciliation.reconcile import reconcile
from tests.reconciliation.records import agreement, many, scope, table


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
