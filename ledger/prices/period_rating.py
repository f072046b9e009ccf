"""What does a whole period of one direction cost: its calls, its deals, and what a late record moves?

Where counters, shares or one rounding of the statement decide, no record has its price before the period's records are
all there; `rate_period` prices them together, in the order of their events.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ledger.agreement import Agreement
from ledger.errors import Malformed
from ledger.identity import CarrierCode
from ledger.money import Micros
from ledger.prices.call_rating import EVENT_ORDER, amounts_of, exact_calls, price_rules, rating_of
from ledger.prices.deal_terms import Deal
from ledger.prices.deals import (
    DealCharge,
    Factor,
    counted,
    fixed_charges,
    price_by_steps,
    rows_of_deals,
    shortfalls,
    steps_of,
)
from ledger.prices.deck import DeckHistory
from ledger.prices.fx import Conversion
from ledger.prices.rating import Rating, rate
from ledger.prices.rating_terms import RoundingPlace
from ledger.service import Service


@dataclass(frozen=True, slots=True)
class PeriodRating:
    """A period's records with their prices, and what its deals charge beside them."""

    rating: Rating
    charges: tuple[DealCharge, ...]


@dataclass(frozen=True, slots=True)
class MovedCharge:
    """A record whose charge another record moved, or a new one."""

    line: int
    destination: str
    start_ms: int
    before_micros: Micros | None
    """None: the record is new."""
    after_micros: Micros


def deals_of(agreement: Agreement, creditor: CarrierCode) -> tuple[Deal, ...]:
    """The deals of one direction, in the order of the agreement."""
    return tuple(deal for deal in agreement.deals if deal.creditor == creditor)


def rates_whole_periods(service: Service, agreement: Agreement, creditor: CarrierCode) -> bool:
    """Whether a record's price depends on the other records of its period."""
    terms = agreement.rating
    together = terms.place is RoundingPlace.STATEMENT or terms.unknown_callers is not None
    return service is Service.VOICE and (together or bool(deals_of(agreement, creditor)))


def rate_period(
    usage: pa.Table,
    history: DeckHistory,
    agreement: Agreement,
    creditor: CarrierCode,
    others: pa.Table | None = None,
    into: Conversion | None = None,
) -> PeriodRating:
    """Price a period's UsageTable of calls. others: the other direction's RatedTable, where a deal balances both;
    into: the agreement's currency, where the decks have another.

    Raises Malformed, CurrencyMismatch.
    """
    deals = deals_of(agreement, creditor)
    if not deals:
        return PeriodRating(rate(usage, history, agreement, into), ())
    table = usage.combine_chunks()
    rules = price_rules(table, history, agreement, into)
    columns = exact_calls(table, rules)
    order = pc.sort_indices(table, EVENT_ORDER).to_numpy().astype(np.int64)
    rows_of = rows_of_deals(columns, deals)
    factor = None if into is None else _factors(table, into)
    charges: list[DealCharge] = []
    volumes = []
    for deal, mine in zip(deals, rows_of, strict=True):
        rows = order[mine[order]]
        counts = counted(deal, columns.charged, table["quantity"].to_numpy())[rows]
        volumes.append(int(counts.sum()))
        other_volume = _other_volume(deal, others)
        steps = steps_of(deal, volumes[-1], other_volume)
        price_by_steps(columns, rows, counts, steps, factor)
        charges += fixed_charges(deal, volumes[-1], other_volume)
    amount = amounts_of(table, columns, rules)
    for deal, mine, volume in zip(deals, rows_of, volumes, strict=True):
        fixed = sum(each.amount_micros for each in charges if each.deal == deal.name)
        charges += shortfalls(deal, volume, sum(amount[mine].tolist()) + fixed, agreement.rounding)
    return PeriodRating(rating_of(table, columns, amount), tuple(charges))


def moved_charges(before: pa.Table, after: pa.Table) -> tuple[MovedCharge, ...]:
    """Which charges of two RatedTables differ, and which are new; records are told by their line.

    What the total grows by is the sum of all these: what the new records cost, and what they moved.
    """
    stood = dict(zip(before["line"].to_pylist(), before["amount_micros"].to_pylist(), strict=True))
    columns = [after[name].to_pylist() for name in ("line", "destination", "start_ms", "amount_micros")]
    return tuple(
        MovedCharge(line, destination, start_ms, stood.get(line), amount)
        for line, destination, start_ms, amount in zip(*columns, strict=True)
        if stood.get(line) != amount
    )


def _factors(table: pa.Table, into: Conversion) -> Factor:
    starts = table["start_ms"].to_numpy()
    return lambda row: into.factor_at(int(starts[row]))


def _other_volume(deal: Deal, others: pa.Table | None) -> int:
    """What the other direction counts against a deal. Raises Malformed if it is needed and not there."""
    if not deal.unbalanced:
        return 0
    if others is None:
        raise Malformed(
            f"the deal {deal.name} balances both directions",
            expected="the other direction's rated records",
            got="none",
            todo="Rate the other direction first.",
        )
    rows = others
    if deal.against:
        rows = others.filter(pc.is_in(others["destination"], value_set=pa.array(sorted(deal.against))))
    counts = counted(deal, rows["charged_quantity"].to_numpy(), rows["quantity"].to_numpy())
    return int(counts.sum())
