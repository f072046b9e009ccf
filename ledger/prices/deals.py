"""What do the records of a period cost under a deal, and what does the deal charge beside them?

Records are priced in the order of their events, by counters: a record across the begin of a tier has both tiers' prices
in proportion. What a deal takes off stands in the prices of its records; what it adds (fixed charges, shortfalls) is a
charge record of the period (docs/decisions/0004).
A tier's own rate replaces the price of the minutes alone: fees and bounds of a record stay the deck's.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ledger.agreement import Agreement
from ledger.identity import CarrierCode
from ledger.money import NANOS_PER_MICRO, Micros, Rounding, show_micros
from ledger.period import Period
from ledger.prices.charging import rounded
from ledger.prices.deal_terms import CountBy, Deal, Tier
from ledger.prices.deck import MINUTE_MS, MaxRule, Rate
from ledger.prices.exact_columns import ExactColumns, Int64s
from ledger.usage import RATED_SCHEMA

_SAFE = 2**61
_ALL_BPS = 10_000

Factor = Callable[[int], Fraction]
"""Of a row: how many units of the agreement's currency one of its deck's is."""


@dataclass(frozen=True, slots=True)
class DealCharge:
    """What a deal charges beside the records."""

    deal: str
    why: str
    amount_micros: Micros


class Step(NamedTuple):
    """Which tier prices a part of the counter."""

    begin: int
    end: int
    tier: Tier | None
    """None: the deck's price."""


def rows_of_deals(columns: ExactColumns, deals: Sequence[Deal]) -> list[NDArray[np.bool_]]:
    """The rows of each deal: those with a price that no earlier deal has."""
    free = columns.which >= 0
    found = []
    for deal in deals:
        mine = np.array([not deal.destinations or rate.destination in deal.destinations for rate in columns.rates])
        rows = free & mine[columns.which] if len(mine) else free & False
        free = free & ~rows
        found.append(rows)
    return found


def counted(deal: Deal, charged: Int64s, used: Int64s) -> Int64s:
    """What each row adds to the deal's counter."""
    return charged if deal.count is CountBy.CHARGED else used


def steps_of(deal: Deal, volume: int, other_volume: int) -> list[Step]:
    """The counter from 0 to the period's volume in parts of one price; other_volume is the other direction's."""
    balanced = min(volume, other_volume) if deal.unbalanced else volume
    return [
        *_section(deal.tiers, deal.back_to_first, 0, balanced),
        *_section(deal.unbalanced, deal.back_to_first, balanced, volume - balanced),
    ]


def price_by_steps(
    columns: ExactColumns, rows: Int64s, counts: Int64s, steps: Sequence[Step], factor: Factor | None = None
) -> None:
    """Give rows, in the order of their events, the prices of the steps they fall in; factor: where the decks are in
    another currency."""
    ends = np.cumsum(counts)
    begins = ends - counts
    bounds = np.array([step.begin for step in steps], np.int64)
    first = np.searchsorted(bounds, begins, "right") - 1
    last = np.searchsorted(bounds, ends, "left") - 1
    for place, step in enumerate(steps):
        whole = (first == place) & (last == place) & (counts > 0)
        if step.tier is not None and whole.any():
            _price_whole(columns, rows[whole], counts[whole], step.tier, factor)
    for at in np.flatnonzero((first != last) & (counts > 0)).tolist():
        row, count = int(rows[at]), int(counts[at])
        deck, begin, end = columns.micros(row), int(begins[at]), int(ends[at])
        own = _own(columns, row, factor)
        columns.exact[row] = sum(
            (
                _part(step.tier, min(end, step.end) - max(begin, step.begin), count, deck, own)
                for step in steps[first[at] : last[at] + 1]
            ),
            Fraction(0),
        )


def fixed_charges(deal: Deal, volume: int, other_volume: int) -> list[DealCharge]:
    """The fixed charge of each tier beyond whose begin the period has volume, whichever tier prices it."""
    balanced = min(volume, other_volume) if deal.unbalanced else volume
    return [
        DealCharge(deal.name, f"fixed from {tier.begin // MINUTE_MS} min", tier.fixed_micros)
        for tiers, reached in ((deal.tiers, balanced), (deal.unbalanced, volume - balanced))
        for tier in tiers
        if tier.fixed_micros and tier.begin < reached
    ]


def shortfalls(deal: Deal, volume: int, amount_micros: int, rounding: Rounding) -> list[DealCharge]:
    """What is missing of the commitments; amount: of the deal's records and fixed charges. Volume first, it counts."""
    found = []
    if deal.committed_quantity is not None and volume < deal.committed_quantity:
        missing = deal.committed_quantity - volume
        micros = rounded(Fraction(missing * deal.shortfall_nanos, MINUTE_MS * NANOS_PER_MICRO), rounding)
        why = f"{-(-missing // MINUTE_MS)} min short of {deal.committed_quantity // MINUTE_MS}"
        found += [DealCharge(deal.name, why, micros)] if micros else []
        amount_micros += micros
    if deal.committed_micros is not None and amount_micros < deal.committed_micros:
        missing_micros = Micros(deal.committed_micros - amount_micros)
        found.append(DealCharge(deal.name, f"short of {show_micros(deal.committed_micros, 2)}", missing_micros))
    return found


def charge_rows(charges: Sequence[DealCharge], agreement: Agreement, creditor: CarrierCode, period: Period) -> pa.Table:
    """The charges as charge records of a RatedTable, at the period's last millisecond: one for each deal."""
    of_deal: dict[str, list[DealCharge]] = {}
    for charge in charges:
        of_deal.setdefault(charge.deal, []).append(charge)
    rows = [
        {
            "line": 0,
            "a_party": creditor,
            "b_party": agreement.counterparty(creditor),
            "start_ms": period.bounds_ms(agreement.zone)[1] - 1,
            "quantity": 0,
            "route": deal,
            "destination": f"{deal}: {', '.join(each.why for each in its)}",
            "code": "",
            "charged_quantity": 0,
            "amount_micros": sum(each.amount_micros for each in its),
        }
        for deal, its in of_deal.items()
    ]
    return pa.Table.from_pylist(rows, schema=RATED_SCHEMA)


def _section(tiers: Sequence[Tier], back_to_first: bool, begin: int, volume: int) -> list[Step]:
    """The steps of one side of the balance: its tiers count from its own begin."""
    if volume <= 0:
        return []
    if back_to_first:
        reached = [tier for tier in tiers if tier.begin <= volume]
        return [Step(begin, begin + volume, reached[-1] if reached else None)]
    bounds = [tier.begin for tier in tiers if tier.begin < volume]
    below = [Step(begin, begin + min(bounds[0], volume), None)] if bounds and bounds[0] > 0 else []
    if not bounds:
        return [Step(begin, begin + volume, None)]
    ends = [*bounds[1:], volume]
    return below + [Step(begin + at, begin + end, tier) for at, end, tier in zip(bounds, ends, tiers, strict=False)]


def _price_whole(columns: ExactColumns, rows: Int64s, counts: Int64s, tier: Tier, factor: Factor | None = None) -> None:
    """Rows that lie in one tier altogether."""
    if tier.nanos is None and tier.discount_bps == 0:
        return
    wide = [row for row in rows.tolist() if row in columns.exact] if columns.exact else []
    if tier.nanos is not None:
        found = None if factor is not None else _at_rate(columns, rows, counts, tier.nanos)
        fits, numerator = found is not None, counts if found is None else found
        divisor = np.full(len(rows), MINUTE_MS * NANOS_PER_MICRO, np.int64)
    else:
        numerator, divisor = columns.numerator[rows], columns.divisor[rows] * _ALL_BPS
        fits = int(numerator.max()) < _SAFE // _ALL_BPS and int(columns.divisor[rows].max()) < _SAFE // 10**10
        numerator = numerator * (_ALL_BPS - tier.discount_bps) if fits else numerator
    exact = rows.tolist() if not fits else wide
    counts_of = dict(zip(rows.tolist(), counts.tolist(), strict=True)) if exact else {}
    micros = {
        row: _part(tier, counts_of[row], counts_of[row], columns.micros(row), _own(columns, row, factor))
        for row in exact
    }
    if fits:
        columns.numerator[rows], columns.divisor[rows] = numerator, divisor
    columns.exact |= micros


def _at_rate(columns: ExactColumns, rows: Int64s, counts: Int64s, nanos: int) -> Int64s | None:
    """Nanos of MINUTE_MS of whole rows at a tier's rate, between the deck's bounds; None: too wide for columns."""
    places, which = np.unique(columns.which[rows], return_inverse=True)
    owns = [_terms(columns.rates[place]) for place in places.tolist()]
    fees = [[fee * MINUTE_MS, least * MINUTE_MS] for fee, least, _ in owns]
    mosts = [_SAFE if most is None else min(most * MINUTE_MS, _SAFE) for _, _, most in owns]
    if int(counts.max()) * nanos + max(map(max, fees)) >= _SAFE:
        return None
    fee, least = np.array(fees, np.int64)[which].T
    cost: Int64s = np.clip(counts * nanos + fee, least, np.array(mosts, np.int64)[which])
    return cost


def _terms(rate: Rate) -> tuple[int, int, int | None]:
    """Nanos of a used record's fee, its least and its highest charge."""
    return rate.connect_nanos, rate.min_nanos, rate.max_nanos if rate.max_rule is MaxRule.FREE else None


def _own(columns: ExactColumns, row: int, factor: Factor | None) -> tuple[Fraction, Fraction, Fraction | None]:
    """The same of a row, in nanos of the agreement's currency."""
    fee, least, most = _terms(columns.rates[columns.which[row]])
    units = Fraction(1) if factor is None or not (fee or least or most is not None) else factor(row)
    return fee * units, least * units, None if most is None else most * units


def _part(
    tier: Tier | None, part: int, whole: int, deck: Fraction, own: tuple[Fraction, Fraction, Fraction | None]
) -> Fraction:
    """Micros of a part of a record's quantity: that share of what the whole record costs under the tier."""
    if tier is not None and tier.nanos is not None:
        fee, least, most = own
        cost = max(fee + Fraction(whole * tier.nanos, MINUTE_MS), least)
        return (cost if most is None else min(cost, most)) * part / whole / NANOS_PER_MICRO
    kept = _ALL_BPS if tier is None else _ALL_BPS - tier.discount_bps
    return deck * part / whole * kept / _ALL_BPS
