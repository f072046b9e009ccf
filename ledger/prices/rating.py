"""What does each usage record cost under the agreement's rate decks, to the last micro?

Exact rational arithmetic with one rounding per record, in the agreement's mode. `charge` is the definition; `rate` does
the same for whole columns (ledger/prices/pricing.py) and asks `charge` for the rows that do not fit 63 bits on the way.
"""

from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from types import ModuleType

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ledger.agreement import Agreement
from ledger.cores import in_parallel
from ledger.errors import CurrencyMismatch, Malformed, UnknownDestination
from ledger.money import MAX_AMOUNT_MICROS, NANOS_PER_MICRO, Rounding
from ledger.pieces import cut, joined, number_part, text_parts
from ledger.prices.charging import charge
from ledger.prices.deck import DeckHistory, Rate
from ledger.prices.fx import Conversion
from ledger.service import Service
from ledger.usage import RATED_SCHEMA, USAGE_SCHEMA

pricing: ModuleType | None
"""The numba kernels; None where numba is absent: every row is then priced by `charge`."""
try:
    pricing = import_module("ledger.prices.pricing")
except ImportError:
    pricing = None

REFUSED_SCHEMA = pa.schema([*USAGE_SCHEMA, pa.field("reason", pa.string(), nullable=False)])
"""A usage record that could not be priced, and why."""

REASONS = {
    -1: "unknown destination",
    -2: "not a number in E.164 digits",
    -3: "no rate deck in force",
    -4: "negative quantity",
    -6: "amount out of bounds",
}
_ASK, _OUT_OF_BOUNDS = -5, -6
_SAFE = 2**61
_INDEX_DIGITS = 6
_FEW_CODES = 20_000
_SPARE_BYTES = 8
_ROWS_AT_ONCE = 1 << 17
"""What a core prices in one go: its columns stay in the cache."""


@dataclass(frozen=True, slots=True)
class Rating:
    """Records with a price, and those without one: never priced at zero."""

    rated: pa.Table
    """RATED_SCHEMA, in the order given."""
    refused: pa.Table
    """REFUSED_SCHEMA, in the order given."""


def rate(usage: pa.Table, history: DeckHistory, agreement: Agreement, into: Conversion | None = None) -> Rating:
    """Price a UsageTable under the creditor's decks; into: the agreement's currency, where the decks have another.

    Raises Malformed, CurrencyMismatch.
    """
    if into is None and history.currency != agreement.currency:
        raise CurrencyMismatch(
            "the rate decks are not in the agreement's currency", expected=agreement.currency, got=history.currency
        )
    from ledger.prices.call_rating import needs_terms, price_rules, rate_calls  # which rates its plain parts here

    if history.service is Service.VOICE and (into is not None or needs_terms(history, agreement.rating)):
        return rate_calls(usage, price_rules(usage, history, agreement, into))
    return rate_in_mode(usage, history, agreement.rounding)


def rate_in_mode(usage: pa.Table, history: DeckHistory, rounding: Rounding) -> Rating:
    """`rate` where rates are plain and the rounding is all that was agreed. Raises Malformed."""
    if usage.schema != USAGE_SCHEMA:
        raise Malformed("not a usage table", expected=USAGE_SCHEMA.names, got=usage.schema.names)
    flat = _flat_decks(history)
    pieces = in_parallel(lambda piece: _rate_piece(piece, history, flat, rounding), cut(usage, _ROWS_AT_ONCE))
    rated, refused = [piece.rated for piece in pieces], [piece.refused for piece in pieces]
    return Rating(joined(rated, RATED_SCHEMA), joined(refused, REFUSED_SCHEMA))


def _rate_piece(table: pa.Table, history: DeckHistory, flat: "_FlatDecks", rounding: Rounding) -> Rating:
    found, facts = np.full(len(table), _ASK, np.int32), np.zeros(len(table), np.int64)
    charged, amount = np.zeros(len(table), np.int64), np.zeros(len(table), np.int64)
    if pricing is not None:
        _find_and_price(table, flat, rounding, found, facts, charged, amount)
    _ask_for_rest(table, history, flat, rounding, found, facts, charged, amount)
    priced = found >= 0
    if priced.all():
        return Rating(_rated(table, flat, found, facts, charged, amount), REFUSED_SCHEMA.empty_table())
    refused = table.filter(pa.array(~priced))
    reasons = pa.array([REASONS[reason] for reason in found[~priced].tolist()], pa.string())
    refused = pa.Table.from_arrays([*refused.columns, reasons], schema=REFUSED_SCHEMA)
    table, found, facts = table.filter(pa.array(priced)), found[priced], facts[priced]
    return Rating(_rated(table, flat, found, facts, charged[priced], amount[priced]), refused)


@dataclass(frozen=True, slots=True, eq=False)
class _FlatDecks:
    """A history as columns: every rate once, and for each moment direct access from a number to its rate."""

    moments: NDArray[np.int64]
    cell: int
    index: NDArray[np.int32]
    entries: NDArray[np.int64]
    """As `pricing.index_cells` fills them; no moments where numba is absent."""
    rates: tuple[Rate, ...]
    numbers: dict[int, int]
    """Position of a rate by its identity."""
    facts: NDArray[np.int64]
    """What `pricing.pack` makes of each rate's plan, destination and code."""
    plans: NDArray[np.int64]
    inverses: NDArray[np.uint64]
    longest_code: int
    name_begins: NDArray[np.int32]
    """Where each destination's name begins in `names`; they come once, and `names` is longer than all of them."""
    names: NDArray[np.uint8]


@lru_cache(maxsize=8)
def _flat_decks(history: DeckHistory) -> _FlatDecks:
    every = list({id(rate): rate for dated in history.decks for rate in dated.deck.rates}.values())
    numbers = {id(rate): number for number, rate in enumerate(every)}
    moments = history.moments() if pricing is not None else ()
    digits = _INDEX_DIGITS if len(every) > _FEW_CODES else _INDEX_DIGITS - 2
    index = np.empty((len(moments), 10**digits), np.int32)
    entries, used = np.empty(0, np.int64), 0
    for row, moment in enumerate(moments):
        starts, owners = _intervals(list(history.in_force(moment).values()), numbers)
        entries = np.concatenate([entries[:used], np.empty(3 * len(starts), np.int64)])
        assert pricing is not None
        used = pricing.index_cells(starts, owners, 10 ** (15 - digits), index[row], entries, used)
    plans: dict[tuple[int, ...], int] = {}
    plan_of = [plans.setdefault(_plan(rate), len(plans)) for rate in every]
    plan_lines = np.array(list(plans), np.int64)
    names = pa.array([rate.destination for rate in every], pa.string()).dictionary_encode()
    _, begins, text = names.dictionary.buffers()
    code_digits = [len(rate.code) for rate in every]
    return _FlatDecks(
        moments=np.array(moments, np.int64),
        cell=10 ** (15 - digits),
        index=index,
        entries=entries,
        rates=tuple(every),
        numbers=numbers,
        facts=np.empty(0, np.int64) if pricing is None else pricing.pack(plan_of, names.indices, code_digits),
        plans=plan_lines,
        inverses=np.empty((0, 3), np.uint64) if pricing is None else pricing.reciprocals(plan_lines),
        longest_code=max(code_digits),
        name_begins=np.frombuffer(begins, np.int32),
        names=np.frombuffer(text.to_pybytes() + bytes(_SPARE_BYTES), np.uint8),
    )


def _intervals(rates: list[Rate], numbers: dict[int, int]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    width = np.array([10 ** (15 - len(rate.code)) for rate in rates], np.int64)
    low = np.array([int(rate.code) for rate in rates], np.int64) * width
    order = np.lexsort([-width, low])
    which = np.array([numbers[id(rate)] for rate in rates], np.int32)[order]
    starts, owners = np.empty(2 * len(rates) + 1, np.int64), np.empty(2 * len(rates) + 1, np.int32)
    assert pricing is not None
    count = pricing.flatten(low[order], (low + width)[order], which, starts, owners)
    return starts[:count], owners[:count]


def _plan(rate: Rate) -> tuple[int, ...]:
    """The line `pricing.price` takes; a rate too large for them gets a limit of 0, so that `charge` prices it."""
    later = rate.later
    dearest = max(rate.nanos, later.nanos if later else 0, 1)
    fixed = rate.connect_nanos * rate.per
    longest = rate.first + rate.next + (later.after + later.increment if later else 0)
    limit = min(_SAFE, (_SAFE - fixed) // dearest) - longest if fixed < _SAFE else 0
    if limit <= 0 or rate.per * NANOS_PER_MICRO > _SAFE:
        return 0, 1, 1, 1, 0, 0, 0, 0, 1
    step = (later.after, later.nanos, later.increment) if later else (0, 0, 1)
    return rate.nanos, rate.per, rate.first, rate.next, rate.connect_nanos, limit, *step


def _find_and_price(
    table: pa.Table,
    flat: _FlatDecks,
    rounding: Rounding,
    found: NDArray[np.int32],
    facts: NDArray[np.int64],
    charged: NDArray[np.int64],
    amount: NDArray[np.int64],
) -> None:
    assert pricing is not None
    quantity = number_part(table["quantity"])
    pricing.find_rates(
        *text_parts(table["b_party"].chunk(0)),
        number_part(table["start_ms"]),
        quantity,
        flat.moments,
        flat.cell,
        flat.index,
        flat.entries,
        flat.facts,
        flat.longest_code,
        found,
    )
    mode = [Rounding.FLOOR, Rounding.CEILING, Rounding.HALF_UP, Rounding.HALF_EVEN].index(rounding)
    pricing.price(found, quantity, flat.facts, flat.plans, flat.inverses, mode, facts, charged, amount)


def _ask_for_rest(
    table: pa.Table,
    history: DeckHistory,
    flat: _FlatDecks,
    rounding: Rounding,
    found: NDArray[np.int32],
    facts: NDArray[np.int64],
    charged: NDArray[np.int64],
    amount: NDArray[np.int64],
) -> None:
    rest = np.flatnonzero(found == _ASK)
    columns = table.select(["b_party", "start_ms", "quantity"]).take(pa.array(rest)) if len(rest) else table.slice(0, 0)
    for row, record in zip(rest.tolist(), columns.to_pylist(), strict=True):
        found[row], charged[row], amount[row] = _price_plainly(record, history, flat, rounding)
        if pricing is not None and found[row] >= 0:
            facts[row] = flat.facts[found[row]]


def _price_plainly(
    record: dict[str, object], history: DeckHistory, flat: _FlatDecks, rounding: Rounding
) -> tuple[int, int, int]:
    number, at_ms, quantity = str(record["b_party"]), record["start_ms"], record["quantity"]
    assert isinstance(at_ms, int)
    assert isinstance(quantity, int)
    if quantity < 0:
        return -4, 0, 0
    if not (number.isascii() and number.isdigit() and len(number) <= 15):
        return -2, 0, 0
    if at_ms < history.decks[0].effective_ms:
        return -3, 0, 0
    try:
        applied = history.rate_for(number, at_ms)
    except UnknownDestination:
        return -1, 0, 0
    charged, amount = charge(quantity, applied, rounding)
    if charged > MAX_AMOUNT_MICROS or amount > MAX_AMOUNT_MICROS:
        return _OUT_OF_BOUNDS, 0, 0
    return flat.numbers[id(applied)], charged, amount


def _rated(
    table: pa.Table,
    flat: _FlatDecks,
    found: NDArray[np.int32],
    facts: NDArray[np.int64],
    charged: NDArray[np.int64],
    amount: NDArray[np.int64],
) -> pa.Table:
    """Records that all have a price, with the name and the code it goes by."""
    if pricing is None or not len(table):
        rates = [flat.rates[which] for which in found.tolist()]
        names = pa.array([rate.destination for rate in rates], pa.string())
        codes = pa.array([rate.code for rate in rates], pa.string())
    else:
        begins = np.empty(len(table) + 1, np.int32)
        out = np.empty(pricing.measure_names(facts, flat.name_begins, begins) + _SPARE_BYTES, np.uint8)
        pricing.copy_names(facts, flat.name_begins, flat.names, begins, out)
        names = _text_column(begins, out)
        begins = np.empty(len(table) + 1, np.int32)
        out = np.empty(pricing.measure_codes(facts, begins) + _SPARE_BYTES, np.uint8)
        pricing.copy_codes(*text_parts(table["b_party"].chunk(0)), begins, out)
        codes = _text_column(begins, out)
    columns = [*table.columns, names, codes, pa.array(charged), pa.array(amount)]
    return pa.Table.from_arrays(columns, schema=RATED_SCHEMA)


def _text_column(begins: NDArray[np.int32], text: NDArray[np.uint8]) -> pa.Array:
    buffers = [None, pa.py_buffer(begins), pa.py_buffer(text)[: int(begins[-1])]]
    return pa.Array.from_buffers(pa.string(), len(begins) - 1, buffers)
