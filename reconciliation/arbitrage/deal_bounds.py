"""Was traffic made so that a deal's volume reaches a cheaper tier, or counts as balanced?

A deal prices a month's volume by its tiers, or by how much the other direction has too. Who is some minutes short at
the month's end can make them: calls that nobody needed lift the volume over the bound, and with it the price of all the
rest. Source: the clauses on volume commitments and balanced traffic in bilateral agreements, which exclude "traffic
generated to reach a commitment"; cases.md C-17 for the arithmetic of tiers.
"""

from collections.abc import Iterator

import numpy as np

from ledger.detector_terms import DetectorTerms
from ledger.money import NANOS_PER_MICRO, div_half_even
from ledger.prices.deal_terms import CountBy, Deal, Tier
from ledger.prices.deck import MINUTE_MS
from reconciliation.arbitrage.circles import minute_nanos
from reconciliation.arbitrage.sold import Sold, cost_micros, suspect
from reconciliation.arbitrage.surge import Stretch, Surge, find_surge
from reconciliation.matching.clocks import DAY_MS
from reconciliation.matching.side import Flags, exact_sum
from reconciliation.suspicion import Suspicion, SuspicionKind

SURE, LIKELY = 90, 75


def find_deal_stuffing(sold: Sold, other: Sold | None, terms: DetectorTerms) -> tuple[Suspicion, ...]:
    """Surges of a month's last days that carry the volume of a deal over a bound; the costliest first.

    The deals are those of `sold`'s creditor, `other` is the other direction. Threshold: `surge_days` at the month's end
    carry `surge_percent` of the usual, at odds of one in ten to the power of `odds_power`, and without what is too much
    the volume would not have reached a tier whose price is lower (tier stuffing: rows of `sold`), or less of it would
    have counted as balanced (balanced volume: rows of `other`). Money at risk: the volume whose price changed, times
    the step.
    """
    deals = [deal for deal in sold.agreement.deals if deal.creditor == sold.creditor]
    found = [each for deal in deals for each in _of_deal(sold, other, deal, terms)]
    return tuple(sorted(found, key=lambda each: (-each.money_at_risk_micros, each.subject)))


def _of_deal(sold: Sold, other: Sold | None, deal: Deal, terms: DetectorTerms) -> Iterator[Suspicion]:
    if deal.tiers:
        yield from _tier(sold, other, deal, terms)
    if deal.unbalanced and other is not None:
        yield from _balanced(sold, other, deal, terms)


def _tier(sold: Sold, other: Sold | None, deal: Deal, terms: DetectorTerms) -> Iterator[Suspicion]:
    mine = _rows(sold, deal.destinations)
    surge = _at_end(sold, mine, terms)
    if surge is None:
        return
    volume = _volume(sold, mine, deal.count)
    if deal.unbalanced:
        volume = min(volume, _volume(other, _rows(other, deal.against), deal.count) if other is not None else 0)
    without = volume - surge.excess_ms
    for below, tier in zip((None, *deal.tiers), deal.tiers, strict=False):
        step = _nanos(sold, mine, below) - _nanos(sold, mine, tier)
        if without < tier.begin <= volume and step > 0:
            repriced = without if deal.back_to_first else volume - tier.begin
            yield suspect(
                sold,
                SuspicionKind.TIER_STUFFING,
                SURE if surge.named else LIKELY,
                deal.name,
                surge.rows,
                cost_micros(repriced, step),
                f"{terms.surge_days} days at the month's end carry {terms.surge_percent} % of the usual, and a tier",
                f"{deal.name}: the last {terms.surge_days} days carry {_minutes(surge.seen_ms)} minutes, "
                f"{surge.percent} % of the usual; without them the tier from {_minutes(tier.begin)} minutes would not "
                f"have been reached ({_minutes(without)} of {_minutes(volume)})",
            )


def _balanced(sold: Sold, other: Sold, deal: Deal, terms: DetectorTerms) -> Iterator[Suspicion]:
    """The surge is the other direction's: what it adds there is priced as balanced here."""
    mine, theirs = _rows(sold, deal.destinations), _rows(other, deal.against)
    surge = _at_end(other, theirs, terms)
    if surge is None:
        return
    volume, against = _volume(sold, mine, deal.count), _volume(other, theirs, deal.count)
    moved = min(volume, against) - min(volume, against - surge.excess_ms)
    step = _nanos(sold, mine, deal.unbalanced[0]) - _nanos(sold, mine, deal.tiers[-1] if deal.tiers else None)
    if moved <= 0 or step <= 0:
        return
    yield suspect(
        other,
        SuspicionKind.BALANCED_VOLUME,
        SURE if surge.named else LIKELY,
        deal.name,
        surge.rows,
        cost_micros(moved, step),
        f"{terms.surge_days} days at the month's end carry {terms.surge_percent} % of the usual, and a balance",
        f"{deal.name}: the last {terms.surge_days} days from {other.debtor} to {other.creditor} carry "
        f"{_minutes(surge.seen_ms)} minutes, {surge.percent} % of the usual; by them {_minutes(moved)} more minutes "
        f"from {sold.debtor} count as balanced",
    )


def _at_end(sold: Sold, mine: Flags, terms: DetectorTerms) -> Surge | None:
    month = sold.month
    last = Stretch(month.end - terms.surge_days * DAY_MS, month.end)
    return find_surge(sold.table, mine, last, month, terms)


def _rows(sold: Sold, destinations: frozenset[str]) -> Flags:
    names = sold.table["destination"].to_pylist() if destinations else []
    mine = np.array([name in destinations for name in names], np.bool_)
    return mine if destinations else np.ones(len(sold.table), np.bool_)


def _volume(sold: Sold, mine: Flags, count: CountBy) -> int:
    return exact_sum(sold.column("charged_quantity" if count is CountBy.CHARGED else "quantity")[mine])


def _nanos(sold: Sold, mine: Flags, tier: Tier | None) -> int:
    """The price of a minute in a tier; where it is the deck's, in the mean of the records."""
    if tier is not None and tier.nanos is not None:
        return tier.nanos
    deck = _deck_nanos(sold, mine)
    return deck if tier is None else deck * (10_000 - tier.discount_bps) // 10_000


def _deck_nanos(sold: Sold, mine: Flags) -> int:
    """The deck's mean price of a minute, as the month began; without the deck, that of the first day's records."""
    volume, month = sold.column("charged_quantity"), sold.month
    rows = mine & (sold.column("start_ms") < month.begin + DAY_MS)
    rows = rows if rows.any() else mine
    if sold.decks is None or sold.decks.moments()[0] > month.begin:
        paid = exact_sum(sold.column("amount_micros")[rows])
        return div_half_even(paid * MINUTE_MS * NANOS_PER_MICRO, max(1, exact_sum(volume[rows])))
    codes = np.array(sold.table["code"].to_pylist(), np.str_)[rows]
    rates = sold.decks.in_force(month.begin)
    sums = {code: exact_sum(volume[rows][codes == code]) for code in np.unique(codes).tolist() if code in rates}
    total = sum(minute_nanos(rates[code]) * sums[code] for code in sums)
    return div_half_even(total, max(1, sum(sums.values())))


def _minutes(milliseconds: int) -> str:
    return f"{milliseconds // MINUTE_MS:,}"
