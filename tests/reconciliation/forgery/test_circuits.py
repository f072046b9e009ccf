"""Are private lines that cannot be in service found, by reconciling and by a search, and honest ones not?"""

from zoneinfo import ZoneInfo

import pytest

from ledger.agreement import Agreement
from ledger.identity import AgreementId
from ledger.service import Service
from ledger.usage import BatchScope
from reconciliation.finding import Cause, Finding, Severity
from reconciliation.forgery.circuits import ghost_circuits
from reconciliation.forgery.suspects import Evidence
from reconciliation.reconcile import reconcile
from tests.reconciliation.records import CN, GB, MONTH_START_MS, NOON_MS, OCTOBER, Call, table

FIRST_S = (MONTH_START_MS - NOON_MS) / 1000
DAY_S = 86_400


def line(name: str, first_day: int = 1, days: int = 31, amount: int = 3_100_000_000) -> Call:
    """A circuit's days in October, from a day of it."""
    at = FIRST_S + (first_day - 1) * DAY_S
    return Call(at=at, lasts=days / 1000, a="LON1", b="BJS2", route=name, code=name, amount=amount)


def findings(ours: list[Call], theirs: list[Call], *ceased: str) -> list[Finding]:
    """We are CN-T and owe; GB-B claims."""
    terms = Agreement(CN, GB, "USD", frozenset({Service.IPL}), ZoneInfo("UTC"), MONTH_START_MS)
    scope = BatchScope(AgreementId(bytes(32)), CN, GB, Service.IPL, OCTOBER)
    return list(reconcile(table(ours), table(theirs), scope=scope, agreement=terms, ceased=ceased).findings)


def test_a_line_that_was_cancelled_is_forged() -> None:
    (found,) = findings([line("A")], [line("A"), line("B")], "B")
    assert (found.cause, found.severity, found.count) == (Cause.INVENTED, Severity.FORGERY, 1)
    assert found.rule == "a circuit that was cancelled or never ordered"


def test_a_line_that_only_the_creditor_has_may_be_forgotten() -> None:
    (found,) = findings([line("A")], [line("A"), line("B")])
    assert (found.cause, found.severity) == (Cause.MISSING_AT_OURS, Severity.DISPUTE)


def test_days_charged_twice_are_forged() -> None:
    (found,) = findings([line("A")], [line("A"), line("A", 20, 12)])
    assert (found.cause, found.rule) == (Cause.INVENTED, "days of a circuit that another record charges")


def test_a_line_in_two_parts_is_honest() -> None:
    both = [line("A", 1, 10), line("A", 11, 21)]
    assert all(each.cause is not Cause.INVENTED for each in findings([both[0]], both))


@pytest.mark.parametrize(
    ("charged", "said"),
    [
        ([line("A"), line("B")], [("B", [1])]),
        ([line("A"), line("A", 20, 12)], [("A", [1])]),
        ([line("A", 20, 12), line("A"), line("A", 5, 2)], [("A", [0, 2])]),
        ([line("A", 1, 10), line("A", 11, 21), line("A", 1, 0, 500_000_000)], []),
        ([], []),
    ],
    ids=["cancelled", "twice", "twice within", "two parts and an installation", "nothing"],
)
def test_a_search_reads_the_creditors_month_alone(charged: list[Call], said: list[object]) -> None:
    found = ghost_circuits(table(charged), Evidence(ceased=("B",)), GB, CN)
    assert [(each.subject, each.rows.tolist()) for each in found] == said
