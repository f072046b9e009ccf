"""What does each record cost whose network, port or circuit is named in the rate deck, rather than begun by a code?"""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ledger.agreement import Agreement
from ledger.errors import CurrencyMismatch, Malformed
from ledger.money import MAX_AMOUNT_MICROS
from ledger.prices.charging import Stretch, price
from ledger.prices.deck import DeckHistory, Rate, RateStatus
from ledger.prices.exact_columns import empty_columns, price_columns, round_columns
from ledger.prices.rating import REFUSED_SCHEMA, Rating
from ledger.prices.rating_terms import RoundingPlace
from ledger.service import Service
from ledger.usage import RATED_SCHEMA, USAGE_SCHEMA

Ints = NDArray[np.int64]
CodesOf = Callable[[str], Sequence[str]]
"""The codes of the deck that a route stands for, the best first; none: the route is not what it should be."""

UNKNOWN, NOT_A_ROUTE, TOO_EARLY, NEGATIVE, OUT_OF_BOUNDS, BLOCKED = -1, -2, -3, -4, -5, -6


def rate_by_route(usage: pa.Table, history: DeckHistory, agreement: Agreement, codes_of: CodesOf, what: str) -> Rating:
    """Price each record by the rate in force for its route at its start; `what` names the route. Raises Malformed.

    Rounded as the agreement says, by increment or record; a statement's rounding is for calls, here it is the record's.
    """
    table = check_usage(usage)
    every, found = find_rates(table, history, codes_of)
    quantity, terms = table["quantity"].to_numpy(), agreement.rating
    found[(quantity < 0) & (found >= 0)] = NEGATIVE
    rows = np.flatnonzero(found >= 0)
    own = agreement.rounding if terms.place is RoundingPlace.INCREMENT else None
    columns = empty_columns(len(table))
    which = found[rows].astype(np.int32)
    for row in price_columns(columns, rows, quantity[rows], which, every, own, terms.decimals).tolist():
        charged, columns.exact[row] = price(int(quantity[row]), [Stretch(0, every[found[row]])], own, terms.decimals)
        if charged > MAX_AMOUNT_MICROS:
            columns.wide[row] = charged
        else:
            columns.charged[row] = charged
    amount = round_columns(columns, agreement.rounding, RoundingPlace.RECORD, terms.decimals, rows)
    found[(columns.which < 0) & (found >= 0)] = OUT_OF_BOUNDS
    return rated_and_refused(table, every, found, (columns.charged, amount), what)


def rate_at_nothing(usage: pa.Table, history: DeckHistory, codes_of: CodesOf, what: str) -> Rating:
    """Find each record's rate, and charge nothing: something else is charged for all of them together."""
    table = check_usage(usage)
    every, found = find_rates(table, history, codes_of)
    quantity = table["quantity"].to_numpy()
    found[(quantity < 0) & (found >= 0)] = NEGATIVE
    return rated_and_refused(table, every, found, (quantity, np.zeros(len(table), np.int64)), what)


def check_usage(usage: pa.Table) -> pa.Table:
    """The table in one piece. Raises Malformed for another."""
    if usage.schema != USAGE_SCHEMA:
        raise Malformed("not a usage table", expected=USAGE_SCHEMA.names, got=usage.schema.names)
    return usage.combine_chunks()


def check_history(history: DeckHistory, service: Service, currency: str) -> None:
    """Raises Malformed for the decks of another service, CurrencyMismatch."""
    if history.service is not service:
        raise Malformed("decks of another service", expected=service.word, got=history.service.word)
    if history.currency != currency:
        raise CurrencyMismatch(
            "the rate decks are not in the agreement's currency", expected=currency, got=history.currency
        )


def find_rates(table: pa.Table, history: DeckHistory, codes_of: CodesOf) -> tuple[list[Rate], Ints]:
    """Every rate of the history, and the position of each record's among them; negative: why it has none."""
    every = list({id(rate): rate for dated in history.decks for rate in dated.deck.rates}.values())
    position = {id(rate): number for number, rate in enumerate(every)}
    routes = pc.dictionary_encode(table["route"]).combine_chunks()
    codes = [tuple(codes_of(text)) for text in routes.dictionary.to_pylist()]
    moments = np.array(history.moments(), np.int64)
    moment = np.searchsorted(moments, table["start_ms"].to_numpy(), "right") - 1
    found = np.full(len(table), TOO_EARLY, np.int64)
    indices = routes.indices.to_numpy()
    for number in np.unique(moment[moment >= 0]).tolist():
        rates = history.in_force(int(moments[number]))
        known = [_position(wanted, rates.get, position) for wanted in codes]
        rows = moment == number
        found[rows] = np.array(known, np.int64)[indices[rows]]
    return every, found


def rated_and_refused(
    table: pa.Table, every: Sequence[Rate], found: Ints, charges: tuple[Ints, Ints], what: str
) -> Rating:
    """Records with a rate, charged quantity and amount; and those without one, each with its reason."""
    reasons = {
        UNKNOWN: f"unknown {what}",
        NOT_A_ROUTE: f"the route names no {what}",
        TOO_EARLY: "no rate deck in force",
        NEGATIVE: "negative quantity",
        OUT_OF_BOUNDS: "amount out of bounds",
        BLOCKED: f"{what} closed",
    }
    priced = found >= 0
    refused = table.filter(pa.array(~priced))
    why = pa.array([reasons[reason] for reason in found[~priced].tolist()], pa.string())
    left = pa.Table.from_arrays([*refused.columns, why], schema=REFUSED_SCHEMA)
    which = pa.array(found[priced])
    destinations = pa.array([rate.destination for rate in every], pa.string()).take(which)
    codes = pa.array([rate.code for rate in every], pa.string()).take(which)
    columns = [destinations, codes, *(pa.array(column[priced]) for column in charges)]
    return Rating(pa.Table.from_arrays([*table.filter(pa.array(priced)).columns, *columns], schema=RATED_SCHEMA), left)


def _position(wanted: Sequence[str], rate_of: Callable[[str], Rate | None], position: dict[int, int]) -> int:
    if not wanted:
        return NOT_A_ROUTE
    rate = next((rate for rate in map(rate_of, wanted) if rate is not None), None)
    if rate is None:
        return UNKNOWN
    return BLOCKED if rate.status is RateStatus.BLOCKED else position[id(rate)]
