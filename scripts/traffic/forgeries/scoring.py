"""How much of what a creditor invented does reconciling name, and whom does it accuse wrongly?"""

from dataclasses import dataclass

import numpy as np

from ledger.agreement import Agreement
from ledger.identity import AgreementId
from ledger.period import Period
from ledger.service import Service
from ledger.usage import BatchScope
from reconciliation.finding import Cause
from reconciliation.reconcile import Reconciliation, reconcile
from scripts.traffic.carriers import CN_T, GB_B
from scripts.traffic.forgeries.calls import GHOSTS, UNALLOCATED, UTC, Ghost, TwoBooks


@dataclass(frozen=True, slots=True)
class Named:
    """How much of one kind of invented records was named as invented."""

    kind: Ghost
    planted: int
    found: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What reconciling said of a month with known truth."""

    named: tuple[Named, ...]
    alarms: int
    """Findings of forgery."""
    false_alarms: int
    """Of these, with less than half of their records invented."""
    accused: int
    """Honest records named as invented."""


def judge(books: TwoBooks, month: Period) -> Verdict:
    """Reconcile as the debtor and compare with the truth."""
    low, high = sorted((CN_T.code, GB_B.code))
    terms = Agreement(low, high, "USD", frozenset({Service.VOICE}), UTC, month.bounds_ms(UTC)[0])
    scope = BatchScope(AgreementId(bytes(32)), CN_T.code, GB_B.code, Service.VOICE, month)
    answer = reconcile(
        books.debtor,
        books.creditor,
        scope=scope,
        agreement=terms,
        capacity=books.capacity,
        unallocated=UNALLOCATED,
    )
    return _verdict(answer, books)


def _verdict(answer: Reconciliation, books: TwoBooks) -> Verdict:
    honest = GHOSTS.index(Ghost.HONEST)
    marked = np.zeros(len(books.ghost), np.bool_)
    alarms = wrong = 0
    for number, finding in enumerate(answer.findings):
        if finding.cause is Cause.INVENTED:
            lines = np.asarray(answer.rows_of(number)["theirs_line"].to_numpy(), np.int64)
            marked[lines] = True
            alarms += 1
            wrong += int((books.ghost[lines] == honest).sum()) * 2 > len(lines)
    named = tuple(
        Named(kind, int((books.ghost == at).sum()), int((marked & (books.ghost == at)).sum()))
        for at, kind in enumerate(GHOSTS)
        if kind is not Ghost.HONEST
    )
    return Verdict(named, alarms, wrong, int((marked & (books.ghost == honest)).sum()))
