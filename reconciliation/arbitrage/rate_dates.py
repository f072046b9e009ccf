"""Was traffic moved over a rate change, to the cheap side of it?

A debtor that knows a price will rise sends what it can before; one that knows it will fall holds back. Both show as a
surge on the cheap side beside the days that have the same price, so that a lasting answer to a new price is none.
Source: rate-notice clauses (carriers ask for seven days' notice because of it) and the GSC dispute workshop of 2020.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ledger.detector_terms import DetectorTerms
from ledger.money import NANOS_PER_MICRO, show_micros
from ledger.prices.deck import DeckHistory, Rate
from reconciliation.arbitrage.circles import minute_nanos
from reconciliation.arbitrage.sold import Sold, cost_micros, suspect
from reconciliation.arbitrage.surge import Stretch, find_surge
from reconciliation.difference import day_of
from reconciliation.matching.side import Flags
from reconciliation.suspicion import Suspicion, SuspicionKind

HOUR_MS = 3_600_000
SURE, LIKELY = 90, 75
"""Percent: where few callers make the surge, and where it is everybody's."""


def find_rate_date_stuffing(sold: Sold, terms: DetectorTerms) -> tuple[Suspicion, ...]:
    """Surges on the cheap side of every rate change of the month, by destination; the costliest first.

    Threshold: `rate_date_hours` on the cheap side carry `surge_percent` of what such hours of the same price do, at
    odds of one in ten to the power of `odds_power`. Nothing is told of a change less than five days from the month's
    bound on its cheap side. Money at risk: what is too much, times the step of the price.
    """
    if sold.decks is None:
        return ()
    found = [each for change in _changes(sold, sold.decks) if (each := _suspicion(sold, *change, terms)) is not None]
    return tuple(sorted(found, key=lambda each: (-each.money_at_risk_micros, each.subject)))


def _changes(sold: Sold, decks: DeckHistory) -> Iterator[tuple[str, int, int, tuple[str, ...]]]:
    """(destination, moment, step of a minute's price, codes) of every change; a step above 0 is a rise."""
    codes = pc.unique(sold.table["code"]).to_pylist()
    for moment in decks.moments():
        if not sold.month.begin < moment < sold.month.end or moment <= decks.moments()[0]:
            continue
        before, after = decks.in_force(moment - 1), decks.in_force(moment)
        steps: dict[tuple[str, int], list[str]] = {}
        for code in codes:
            old, new = before.get(code), after.get(code)
            if old is not None and new is not None and (step := _step(old, new)):
                steps.setdefault((new.destination, step), []).append(code)
        for (destination, step), mine in sorted(steps.items()):
            yield destination, moment, step, tuple(sorted(mine))


def _step(old: Rate, new: Rate) -> int:
    return minute_nanos(new) - minute_nanos(old)


def _suspicion(
    sold: Sold, destination: str, moment: int, step: int, codes: tuple[str, ...], terms: DetectorTerms
) -> Suspicion | None:
    length = terms.rate_date_hours * HOUR_MS
    cheap = Stretch(moment - length, moment) if step > 0 else Stretch(moment, moment + length)
    same_price = Stretch(sold.month.begin, moment) if step > 0 else Stretch(moment, sold.month.end)
    surge = find_surge(sold.table, _of_codes(sold.table, codes), cheap, same_price, terms)
    if surge is None:
        return None
    way, side = ("rises", "before") if step > 0 else ("falls", "after")
    price = show_micros(abs(step) // NANOS_PER_MICRO, 4)
    return suspect(
        sold,
        SuspicionKind.RATE_DATE_STUFFING,
        SURE if surge.named else LIKELY,
        destination,
        surge.rows,
        cost_micros(surge.excess_ms, abs(step)),
        f"{terms.rate_date_hours} h on the cheap side of a rate change carry {terms.surge_percent} % of the usual",
        f"{destination} {way} by {sold.agreement.currency} {price} a minute on {day_of(moment)}; the "
        f"{terms.rate_date_hours} hours {side} it carry {surge.seen_ms // 60_000:,} minutes, "
        f"{surge.percent} % of the usual {surge.usual_ms // 60_000:,}",
    )


def _of_codes(table: pa.Table, codes: tuple[str, ...]) -> Flags:
    return np.asarray(pc.is_in(table["code"], value_set=pa.array(codes, pa.string())).to_numpy(), np.bool_)
