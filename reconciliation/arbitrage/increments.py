"""Do calls lie where an increment charges most for what was talked?

A rate of 60/60 charges 61 seconds as 120, one of 30/6 charges one second as 30. Who is paid by such increments and can
make calls end when it likes (a machine that answers, a switch that clears late) makes them end just beyond one; who
sells by 60/60 what it buys by 1/1 sends calls of a moment. People's calls know no increments: as many end just before
a bound as just behind it. Source: cases.md C-01 and C-05 for the arithmetic; the GSC dispute workshop of 2020 names
increments among the causes.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow.compute as pc

from ledger.detector_terms import DetectorTerms
from ledger.money import div_half_even
from ledger.prices.deck import Rate
from reconciliation.arbitrage.sold import Sold, suspect
from reconciliation.arbitrage.surge import NATS_OF_TEN
from reconciliation.forgery.chance import surprise
from reconciliation.matching.keys import text_hashes
from reconciliation.matching.side import Flags, Ints, Words, exact_sum
from reconciliation.suspicion import Suspicion, SuspicionKind

COARSE_MS = 30_000
"""Increments below it earn nobody much."""
RANGE_DIGITS = 4
"""A range is a number without its last digits: 10,000 numbers."""
CONFIDENCE = 90
"""Percent."""


class _Step(NamedTuple):
    """A rate's increments in milliseconds."""

    first: int
    following: int

    @property
    def words(self) -> str:
        return f"{self.first // 1000}/{self.following // 1000}"


def find_increment_arbitrage(sold: Sold, terms: DetectorTerms) -> tuple[Suspicion, ...]:
    """Called ranges and callers whose calls end just beyond an increment, far more often than the direction's do; the
    costliest first.

    Threshold: `increment_calls` of one number's or range's within `increment_edge_ms` beyond an end of increments of
    30 s or more, and more than half of its calls, at odds of one in ten to the power of `odds_power` against the share
    of the other calls under the same increments. For the first increment the edge is at 0: calls of a moment. Money at
    risk: what is charged of these calls beyond what was talked.
    """
    beyond, steps = _beyond(sold, terms.increment_edge_ms)
    known = steps >= 0
    if not beyond.any():
        return ()
    free = beyond.copy()
    found: list[Suspicion] = []
    for column, what in ((_ranges(sold), "range"), (text_hashes(sold.table["a_party"]), "caller")):
        for rows in _stand_out(column, known, free, beyond, terms):
            free[rows] = False
            found.append(_suspicion(sold, rows, what, terms))
    return tuple(sorted(found, key=lambda each: (-each.money_at_risk_micros, each.subject)))


def _beyond(sold: Sold, edge_ms: int) -> tuple[Flags, Ints]:
    """Which calls end within the edge beyond an increment's end, and which increments each has; -1: fine ones."""
    quantity = sold.column("quantity")
    beyond, which = np.zeros(len(quantity), np.bool_), np.full(len(quantity), -1, np.int64)
    for number, (step, rows) in enumerate(_by_step(sold)):
        which[rows] = number
        past_first = quantity[rows] - step.first
        into = np.where(past_first > 0, (past_first - 1) % step.following + 1, quantity[rows])
        coarse = np.where(past_first > 0, step.following >= COARSE_MS, step.first >= COARSE_MS)
        beyond[rows] = coarse & (into > 0) & (into <= edge_ms)
    return beyond, which


def _by_step(sold: Sold) -> Iterator[tuple[_Step, Ints]]:
    """Rows by the increments of their rate, where at least one is coarse."""
    if sold.decks is None:
        return
    codes = pc.dictionary_encode(sold.table["code"]).combine_chunks()
    place, texts = codes.indices.to_numpy(), codes.dictionary.to_pylist()
    moments = np.array(sold.decks.moments(), np.int64)
    moment = np.searchsorted(moments, sold.column("start_ms"), "right") - 1
    rows: dict[_Step, list[Ints]] = {}
    for number in np.unique(moment[moment >= 0]).tolist():
        rates = sold.decks.in_force(int(moments[number]))
        for at, code in enumerate(texts):
            if (rate := rates.get(code)) is not None and _is_coarse(rate):
                rows.setdefault(_Step(rate.first, rate.next), []).append(
                    np.flatnonzero((place == at) & (moment == number))
                )
    for step, parts in sorted(rows.items()):
        yield step, np.concatenate(parts)


def _is_coarse(rate: Rate) -> bool:
    return max(rate.first, rate.next) >= COARSE_MS


def _ranges(sold: Sold) -> Words:
    return text_hashes(pc.utf8_slice_codeunits(sold.table["b_party"], 0, -RANGE_DIGITS))


def _stand_out(column: Words, known: Flags, free: Flags, beyond: Flags, terms: DetectorTerms) -> Iterator[Ints]:
    """Rows beyond an edge of each value that has too many of them."""
    values, place = np.unique(column, return_inverse=True)
    every = np.bincount(place[known], minlength=len(values))
    hits = np.bincount(place[beyond & free], minlength=len(values))
    total, edge = int(known.sum()), int(beyond.sum())
    for at in np.flatnonzero((hits >= terms.increment_calls) & (hits * 2 > every)).tolist():
        others = (edge - int(hits[at]) + 1) / max(1, total - int(every[at]) + 1)
        if surprise(int(hits[at]), int(every[at]) * others) >= terms.odds_power * NATS_OF_TEN:
            yield np.flatnonzero(beyond & free & (place == at))


def _suspicion(sold: Sold, rows: Ints, what: str, terms: DetectorTerms) -> Suspicion:
    number = str(sold.table["b_party" if what == "range" else "a_party"][int(rows[0])])
    subject = f"{number[:-RANGE_DIGITS]}*" if what == "range" else number or "withheld"
    talked, charged = exact_sum(sold.column("quantity")[rows]), exact_sum(sold.column("charged_quantity")[rows])
    paid = exact_sum(sold.column("amount_micros")[rows])
    beyond = div_half_even(paid * max(0, charged - talked), max(1, charged))
    where = "to" if what == "range" else "from"
    return suspect(
        sold,
        SuspicionKind.INCREMENT_ARBITRAGE,
        CONFIDENCE,
        subject,
        rows,
        beyond,
        f"{terms.increment_calls} or more calls of one {what} within {terms.increment_edge_ms} ms beyond an increment",
        f"{len(rows):,} calls {where} {subject} end within {terms.increment_edge_ms / 1000:g} s beyond an increment: "
        f"{charged // 60_000:,} minutes are charged for {talked // 60_000:,}",
    )
