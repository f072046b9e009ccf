"""Which games with settlement fees does a carrier see in the month that it holds?

Every detector of this room that works on the records of one or two directions, over all directions together. Detours
(detours.py) need all decks and are searched apart; so are crossings and peerings of data, whose records are others.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from ledger.detector_terms import DetectorTerms
from ledger.identity import CarrierCode
from reconciliation.arbitrage.callers import find_lines_twice, find_nameless, find_renamed
from reconciliation.arbitrage.circles import Direction
from reconciliation.arbitrage.deal_bounds import find_deal_stuffing
from reconciliation.arbitrage.increments import find_increment_arbitrage
from reconciliation.arbitrage.peering import find_call_resale
from reconciliation.arbitrage.rate_dates import find_rate_date_stuffing
from reconciliation.arbitrage.sold import Sold
from reconciliation.suspicion import Suspicion


@dataclass(frozen=True, slots=True)
class Known:
    """What a carrier knows beside its own count of the month."""

    homes: Mapping[CarrierCode, Sequence[str]] = field(default_factory=dict)
    """The beginnings of each carrier's own numbers."""
    debtors: Mapping[Direction, pa.Table] = field(default_factory=dict)
    """The debtor's records of the same directions, once revealed."""
    peerings: Collection[str] = ()
    """Routes that are for the debtor's own callers alone."""


def find_games(
    sold: Mapping[Direction, Sold], terms: Mapping[Direction, DetectorTerms], known: Known
) -> tuple[Suspicion, ...]:
    """All suspicions about these directions of one month of voice, the costliest first.

    `terms` are those of each direction's agreement. `rows` are of the table of the suspicion's direction.
    """
    found = [each for way, one in sorted(sold.items()) for each in _of_one(way, one, sold, terms[way], known)]
    return tuple(sorted(found, key=lambda each: (-each.money_at_risk_micros, each.kind, each.subject)))


def _of_one(
    way: Direction, one: Sold, sold: Mapping[Direction, Sold], terms: DetectorTerms, known: Known
) -> Iterator[Suspicion]:
    creditor, debtor = way
    yield from find_rate_date_stuffing(one, terms)
    yield from find_deal_stuffing(one, sold.get((debtor, creditor)), terms)
    yield from find_increment_arbitrage(one, terms)
    yield from find_nameless(one, terms)
    if (theirs := known.debtors.get(way)) is not None:
        yield from find_renamed(one, theirs, terms)
    for (of, other), direct in sorted(sold.items()):
        if of == creditor and other != debtor and other in known.homes:
            yield from find_lines_twice(one, direct, known.homes[other], terms)
    if debtor in known.homes:
        yield from find_call_resale(one, known.peerings, known.homes[debtor], terms)
