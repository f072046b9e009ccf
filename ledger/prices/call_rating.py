"""What do the calls of a table cost under everything the two agreed? `call_price.price_call`, for whole columns.

Rows are grouped by origin, time band and surcharge; each group has one rate for each dial code, and its numbers are
looked up as plain rating looks them up. Calls that last beyond a band's end are priced one by one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ledger.agreement import Agreement
from ledger.errors import NotFound, UnknownDestination
from ledger.money import MAX_AMOUNT_MICROS, Nanos, Rounding
from ledger.prices.bands import LAST_MS, timeline
from ledger.prices.call_price import Call, PriceRules, leading, price_call
from ledger.prices.charging import Price, Stretch, price
from ledger.prices.deck import MAX_CODE_DIGITS, DatedDeck, DeckHistory, Rate, RateDeck, RateStatus, check_currency
from ledger.prices.exact_columns import ExactColumns, Int64s, empty_columns, price_columns, round_columns, scale
from ledger.prices.fx import Conversion
from ledger.prices.origin import check_names, origins_of, shares_of_known, surcharge_of, with_surcharge
from ledger.prices.rating import REASONS, REFUSED_SCHEMA, Rating, rate_in_mode
from ledger.prices.rating_terms import INVALID, BandRule, RatingTerms, Surcharge
from ledger.usage import RATED_SCHEMA, USAGE_SCHEMA

EVENT_ORDER = [(name, "ascending") for name in ("start_ms", "a_party", "b_party", "quantity", "route", "line")]
"""In which counters count: records that agree in all of it are interchangeable."""

_QUARTER_MS = 900_000
_CLOSED = "destination is closed"
_NO_RATE = Rate("-", "9" * MAX_CODE_DIGITS, Nanos(0), status=RateStatus.REMOVED)
"""What stands in a deck where no rate fits an origin and a band."""


def needs_terms(history: DeckHistory, terms: RatingTerms) -> bool:
    """Whether a price depends on more than number, start and quantity, or is rounded elsewhere than in each record."""
    return terms != RatingTerms() or not _is_plain(history)


def price_rules(
    usage: pa.Table, history: DeckHistory, agreement: Agreement, into: Conversion | None = None
) -> PriceRules:
    """What prices these calls of a whole period; into: the agreement's currency, where the decks have another.

    Raises Malformed for names that the agreement lacks, CurrencyMismatch.
    """
    check_currency(agreement.currency, history.currency if into is None else into.quote)
    if into is not None:
        check_currency(into.base, history.currency)
    terms = agreement.rating
    check_names(history, terms)
    zone = agreement.zone if terms.bands.zone is None else ZoneInfo(terms.bands.zone)
    if terms.unknown_callers is None:
        return PriceRules(history, terms, zone, agreement.rounding, into)
    billable = usage.filter(pc.greater(usage["quantity"], 0)).combine_chunks()
    places, names = _origins(billable["a_party"], terms)
    shares = shares_of_known(places, billable["quantity"].to_numpy(), names, terms)
    return PriceRules(history, terms, zone, agreement.rounding, into, shares)


def rate_calls(usage: pa.Table, rules: PriceRules) -> Rating:
    """Price a UsageTable."""
    table = usage.combine_chunks()
    columns = exact_calls(table, rules)
    return rating_of(table, columns, amounts_of(table, columns, rules))


def amounts_of(table: pa.Table, columns: ExactColumns, rules: PriceRules) -> Int64s:
    """Micros of each row after the agreed rounding, 0 where it has no price."""
    order = pc.sort_indices(table, EVENT_ORDER).to_numpy().astype(np.int64)
    return round_columns(columns, rules.rounding, rules.terms.place, rules.terms.decimals, order)


def rating_of(table: pa.Table, columns: ExactColumns, amount: Int64s) -> Rating:
    """The table's rows with their prices, and those without one."""
    priced = columns.which >= 0
    kept, which = table.filter(pa.array(priced)), pa.array(columns.which[priced])
    texts = [
        pa.array([getattr(rate, name) for rate in columns.rates], pa.string()).take(which)
        for name in ("destination", "code")
    ]
    sums = [pa.array(columns.charged[priced]), pa.array(amount[priced])]
    rated = pa.Table.from_arrays([*kept.columns, *texts, *sums], schema=RATED_SCHEMA)
    reasons = pa.array([columns.refused[row] for row in np.flatnonzero(~priced).tolist()], pa.string())
    left = table.filter(pa.array(~priced))
    return Rating(rated, pa.Table.from_arrays([*left.columns, reasons], schema=REFUSED_SCHEMA))


def exact_calls(table: pa.Table, rules: PriceRules) -> ExactColumns:
    """The price of each row before it is rounded; the table's columns have one chunk each."""
    columns = empty_columns(len(table))
    if not len(table):
        return columns
    origins, names = _origins(table["a_party"], rules.terms) if _asks_origin(rules) else (_no_place(table), [""])
    bands, lasts, counted = _bands(table, rules)
    columns.refused |= dict.fromkeys(np.flatnonzero(~counted).tolist(), "time out of bounds")
    for number, origin in enumerate(names):
        for band in np.unique(bands).tolist():
            rows = np.flatnonzero((origins == number) & (bands == band) & ~lasts & counted)
            if origin == INVALID and rules.shares is not None:
                _price_in_shares(table, columns, rows, band, rules)
            else:
                _price_group(table, columns, rows, origin, band, rules)
    alone = replace(rules, conversion=None)
    _price_one_by_one(table, columns, np.flatnonzero(lasts), alone)
    if rules.conversion is not None:
        _convert(table, columns, rules.conversion)
    return columns


def _price_group(
    table: pa.Table, columns: ExactColumns, rows: Int64s, origin: str, band: int, rules: PriceRules
) -> None:
    """Price the rows of one origin and band."""
    if not len(rows):
        return
    group = table.take(pa.array(rows))
    found, rates = _find(group, columns, rows, origin, _band_name(band, rules.terms), rules.history)
    for surcharge_rows, surcharge in _surcharges(group, origin, rules.terms):
        mine = surcharge_rows[found[surcharge_rows] >= 0]
        raised = [with_surcharge(rate, surcharge) for rate in rates]
        quantity = group["quantity"].to_numpy()[mine]
        own, decimals = rules.own_rounding, rules.terms.decimals
        for row in price_columns(columns, rows[mine], quantity, found[mine], raised, own, decimals).tolist():
            rate = columns.rates[columns.which[row]]
            _put(columns, row, price(table["quantity"][row].as_py(), [Stretch(0, rate)], own, decimals))


def _price_in_shares(table: pa.Table, columns: ExactColumns, rows: Int64s, band: int, rules: PriceRules) -> None:
    """Price calls without a valid caller's number as the known ones, in shares."""
    shares = rules.shares
    if not len(rows) or shares is None:
        return
    if len(shares) == 1:
        _price_group(table, columns, rows, next(iter(shares)), band, rules)
        return
    parts = {name: empty_columns(len(table)) for name in shares}
    for name, part in parts.items():
        _price_group(table, part, rows, name, band, rules)
    named = leading(shares)
    offset = len(columns.rates)
    columns.rates += parts[named].rates
    for row in rows.tolist():
        refused = [part.refused[row] for part in parts.values() if row in part.refused]
        if refused:
            columns.refused[row] = refused[0]
            continue
        micros = sum((share * parts[name].micros(row) for name, share in shares.items()), Fraction(0))
        columns.which[row] = parts[named].which[row] + offset
        charged = parts[named].wide.get(row, int(parts[named].charged[row]))
        _put(columns, row, Price(charged, micros))


def _price_one_by_one(table: pa.Table, columns: ExactColumns, rows: Int64s, rules: PriceRules) -> None:
    records = table.select(["a_party", "b_party", "start_ms", "quantity"]).take(pa.array(rows)).to_pylist()
    places: dict[Rate, int] = {}
    for row, record in zip(rows.tolist(), records, strict=True):
        call = Call(**record)
        try:
            cost, rate = price_call(call, rules)
        except UnknownDestination as error:
            columns.refused[row] = _reason(call, error, rules)
            continue
        if rate not in places:
            places[rate] = len(columns.rates)
            columns.rates.append(rate)
        columns.which[row] = places[rate]
        _put(columns, row, cost)


def _convert(table: pa.Table, columns: ExactColumns, into: Conversion) -> None:
    """Bring all prices into the agreement's currency; days begin on a quarter of an hour, wherever."""
    quarters, which = np.unique(table["start_ms"].to_numpy() // _QUARTER_MS, return_inverse=True)
    places: dict[Fraction | None, int] = {}
    of_quarter = [places.setdefault(_factor(into, quarter * _QUARTER_MS), len(places)) for quarter in quarters.tolist()]
    of_row = np.array(of_quarter, np.int64)[which]
    for factor, place in places.items():
        rows = np.flatnonzero((of_row == place) & (columns.which >= 0))
        if factor is None:
            columns.which[rows] = -1
            columns.refused |= dict.fromkeys(rows.tolist(), "no exchange rate")
        else:
            scale(columns, rows, factor)


def _factor(into: Conversion, at_ms: int) -> Fraction | None:
    try:
        return into.factor_at(at_ms)
    except NotFound:
        return None


def _put(columns: ExactColumns, row: int, cost: Price) -> None:
    columns.exact[row] = cost.micros
    if cost.charged_quantity > MAX_AMOUNT_MICROS:
        columns.wide[row] = cost.charged_quantity
    else:
        columns.charged[row] = cost.charged_quantity


def _reason(call: Call, error: UnknownDestination, rules: PriceRules) -> str:
    number = call.b_party
    if not (number.isascii() and number.isdigit() and len(number) <= 15):
        return REASONS[-2]
    if call.start_ms < rules.history.decks[0].effective_ms:
        return REASONS[-3]
    return _CLOSED if "closed" in error.message else REASONS[-1]


def _find(
    group: pa.Table, columns: ExactColumns, rows: Int64s, origin: str, band: str, history: DeckHistory
) -> tuple[NDArray[np.int32], list[Rate]]:
    """The rate of each row of a group, as a place in the list returned; -1 where there is none, which says why."""
    found = np.full(len(rows), -1, np.int32)
    sought = group.set_column(0, "line", pa.array(np.arange(len(rows))))
    sought = sought.set_column(4, "quantity", pa.array(np.minimum(group["quantity"].to_numpy(), 0)))
    answer = rate_in_mode(sought.cast(USAGE_SCHEMA), _finder(history, origin, band), Rounding.FLOOR)
    for record in answer.refused.select(["line", "reason"]).to_pylist():
        columns.refused[int(rows[record["line"]])] = record["reason"]
    rated = answer.rated.combine_chunks()
    if not len(rated):
        return found, []
    codes = rated["code"].combine_chunks().dictionary_encode()
    codes = codes.chunk(0) if isinstance(codes, pa.ChunkedArray) else codes
    moments = np.array(history.moments(), np.int64)
    at = np.searchsorted(moments, rated["start_ms"].to_numpy(), "right") - 1
    keys, which = np.unique(at * len(codes.dictionary) + codes.indices.to_numpy(), return_inverse=True)
    texts = codes.dictionary.to_pylist()
    rates = [
        history.in_force(int(moments[key // len(texts)]), origin, band).get(texts[key % len(texts)], _NO_RATE)
        for key in keys.tolist()
    ]
    lines = rated["line"].to_numpy()
    found[lines] = which
    for reason, without in ((_CLOSED, RateStatus.BLOCKED), (REASONS[-1], RateStatus.REMOVED)):
        for line in lines[np.array([rate.status is without for rate in rates], np.bool_)[which]].tolist():
            found[line] = -1
            columns.refused[int(rows[line])] = reason
    return found, rates


@lru_cache(maxsize=32)
def _finder(history: DeckHistory, origin: str, band: str) -> DeckHistory:
    """The codes that apply to an origin and a band, at every moment, with no price: plain rating finds them."""
    return DeckHistory(
        tuple(
            DatedDeck(at, RateDeck(history.currency, history.service, _unpriced(history.in_force(at, origin, band))))
            for at in history.moments()
        )
    )


def _unpriced(rates: Mapping[str, Rate]) -> tuple[Rate, ...]:
    return tuple(Rate(rate.destination, code, Nanos(0)) for code, rate in rates.items()) or (_NO_RATE,)


@lru_cache(maxsize=32)
def _is_plain(history: DeckHistory) -> bool:
    return all(rate.is_plain for dated in history.decks for rate in dated.deck.rates)


@lru_cache(maxsize=32)
def _names_origins(history: DeckHistory) -> bool:
    return any(rate.origin for dated in history.decks for rate in dated.deck.rates)


def _asks_origin(rules: PriceRules) -> bool:
    return rules.shares is not None or bool(rules.terms.surcharges) or _names_origins(rules.history)


def _origins(numbers: pa.ChunkedArray, terms: RatingTerms) -> tuple[NDArray[np.int32], Sequence[str]]:
    """The origin of each number, as a place among the names returned."""
    array = pa.concat_arrays(numbers.chunks) if numbers.num_chunks else pa.array([], pa.string())
    found = origins_of(array, terms.origins, _destinations)
    return found.indices.to_numpy(zero_copy_only=False).astype(np.int32), found.dictionary.to_pylist()


def _destinations(numbers: pa.Array, history: DeckHistory) -> pa.Array:
    """The destination of each number at the first moment, null where it has none."""
    count = len(numbers)
    zeros, texts = pa.array(np.zeros(count, np.int64)), pa.array([""] * count, pa.string())
    arrays = [pa.array(np.arange(count)), texts, numbers, zeros, zeros, texts]
    rated = rate_in_mode(pa.Table.from_arrays(arrays, schema=USAGE_SCHEMA), history, Rounding.FLOOR).rated
    names = np.full(count, None, object)
    names[rated["line"].to_numpy()] = np.array(rated["destination"].to_pylist(), object)
    return pa.array(names.tolist(), pa.string())


def _bands(table: pa.Table, rules: PriceRules) -> tuple[NDArray[np.int16], NDArray[np.bool_], NDArray[np.bool_]]:
    """The band of each row's start; whether the row lasts beyond it and is split; whether bands reach that far."""
    bands = rules.terms.bands
    none = np.zeros(len(table), np.bool_)
    if not bands.bands:
        return np.full(len(table), -1, np.int16), none, ~none
    start, quantity = table["start_ms"].to_numpy(), table["quantity"].to_numpy()
    counted = (start >= 0) & (start <= LAST_MS) & (quantity <= LAST_MS - start)
    near = np.where(counted, start, start[counted].min() if counted.any() else 0)
    found, ends = timeline(bands, rules.zone, int(near.min()), int(near.max())).at(near)
    lasts = none if bands.rule is BandRule.START else counted & (quantity > 0) & (quantity > ends - near)
    return found, lasts, counted


def _band_name(place: int, terms: RatingTerms) -> str:
    return "" if place < 0 else terms.bands.bands[place].name


def _surcharges(group: pa.Table, origin: str, terms: RatingTerms) -> list[tuple[Int64s, Surcharge | None]]:
    """What is charged on top of which rows of a group of one origin."""
    every = np.arange(len(group))
    if not any(origin in surcharge.origins for surcharge in terms.surcharges):
        return [(every, None)]
    places, names = _origins(group["b_party"], terms)
    rows: dict[Surcharge | None, list[Int64s]] = {}
    for place, called in enumerate(names):
        rows.setdefault(surcharge_of(origin, called, terms.surcharges), []).append(np.flatnonzero(places == place))
    return [(np.concatenate(parts), surcharge) for surcharge, parts in rows.items()]


def _no_place(table: pa.Table) -> NDArray[np.int32]:
    return np.zeros(len(table), np.int32)
