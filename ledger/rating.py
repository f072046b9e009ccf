"""What does each usage record cost under the agreement's rate decks, to the last micro?

Exact rational arithmetic with one rounding per record, in the agreement's mode. `charge` is the definition; `rate` does
the same for whole columns (ledger/pricing.py) and asks `charge` for the rows that do not fit 63 bits on the way.
"""

from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from types import ModuleType
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ledger.agreement import Agreement
from ledger.charging import charge
from ledger.cores import in_parallel
from ledger.deck import DeckHistory, Rate
from ledger.errors import CurrencyMismatch, Malformed, UnknownDestination
from ledger.money import MAX_AMOUNT_MICROS, NANOS_PER_MICRO, Rounding
from ledger.pieces import cut, joined
from ledger.service import Service
from ledger.usage import RATED_SCHEMA, USAGE_SCHEMA

pricing: ModuleType | None
"""The numba kernels; None where numba is absent: every row is then priced by `charge`."""
try:
    pricing = import_module("ledger.pricing")
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


def rate(usage: pa.Table, history: DeckHistory, agreement: Agreement) -> Rating:
    """Price a UsageTable under the creditor's decks. Raises Malformed, CurrencyMismatch."""
    if history.currency != agreement.currency:
        raise CurrencyMismatch(
            "the rate decks are not in the agreement's currency", expected=agreement.currency, got=history.currency
        )
    from ledger.call_rating import needs_terms, price_rules, rate_calls  # which rates its plain parts here

    if history.service is Service.VOICE and needs_terms(history, agreement.rating):
        return rate_calls(usage, price_rules(usage, history, agreement))
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
    found = np.full(len(table), _ASK, np.int32)
    charged, amount = np.zeros(len(table), np.int64), np.zeros(len(table), np.int64)
    if pricing is not None and len(flat.index) and len(table):
        _find_and_price(table, flat, rounding, found, charged, amount)
    _ask_for_rest(table, history, flat, rounding, found, charged, amount)
    return _split(table, flat, found, charged, amount)


class _Texts(NamedTuple):
    """A column of texts, and its parts as the kernels take them."""

    array: pa.Array
    offsets: NDArray[np.int32]
    text: NDArray[np.uint8]
    """Longer than the texts, so that words of eight bytes can be read to the last."""


def _texts(values: list[str] | pa.Array) -> _Texts:
    array = pa.array(values, pa.string())
    _, offsets, text = array.buffers()
    return _Texts(
        array, np.frombuffer(offsets, np.int32), np.frombuffer(text.to_pybytes() + bytes(_SPARE_BYTES), np.uint8)
    )


@dataclass(frozen=True, slots=True, eq=False)
class _FlatDecks:
    """A history as columns: every rate once, and for each moment direct access from a number to its rate."""

    moments: NDArray[np.int64]
    cell: int
    index: NDArray[np.int32]
    entries: NDArray[np.int64]
    """As `pricing.index_cells` fills them; no moments where numba is absent."""
    numbers: dict[int, int]
    """Position of a rate by its identity."""
    plan_of: NDArray[np.int32]
    plans: NDArray[np.int64]
    inverses: NDArray[np.uint64]
    code_digits: NDArray[np.int8]
    codes: _Texts
    destination_of: NDArray[np.int32]
    destinations: _Texts
    """Each name once."""


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
    return _FlatDecks(
        moments=np.array(moments, np.int64),
        cell=10 ** (15 - digits),
        index=index,
        entries=entries,
        numbers=numbers,
        plan_of=np.array(plan_of, np.int32),
        plans=plan_lines,
        inverses=np.empty((0, 3), np.uint64) if pricing is None else pricing.reciprocals(plan_lines),
        code_digits=np.array([len(rate.code) for rate in every], np.int8),
        codes=_texts([rate.code for rate in every]),
        destination_of=names.indices.to_numpy(),
        destinations=_texts(names.dictionary),
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
    charged: NDArray[np.int64],
    amount: NDArray[np.int64],
) -> None:
    assert pricing is not None
    column = table["b_party"].chunk(0)
    _, offsets, text = column.buffers()
    quantity = table["quantity"].to_numpy()
    pricing.find_rates(
        np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1],
        np.frombuffer(text if text is not None and text.size else b"\0", np.uint8),
        table["start_ms"].to_numpy(),
        quantity,
        flat.moments,
        flat.cell,
        flat.index,
        flat.entries,
        flat.code_digits,
        int(flat.code_digits.max()),
        found,
    )
    mode = [Rounding.FLOOR, Rounding.CEILING, Rounding.HALF_UP, Rounding.HALF_EVEN].index(rounding)
    pricing.price(found, quantity, flat.plan_of, flat.plans, flat.inverses, mode, charged, amount)


def _ask_for_rest(
    table: pa.Table,
    history: DeckHistory,
    flat: _FlatDecks,
    rounding: Rounding,
    found: NDArray[np.int32],
    charged: NDArray[np.int64],
    amount: NDArray[np.int64],
) -> None:
    rest = np.flatnonzero(found == _ASK)
    columns = table.select(["b_party", "start_ms", "quantity"]).take(pa.array(rest)) if len(rest) else table.slice(0, 0)
    for row, record in zip(rest.tolist(), columns.to_pylist(), strict=True):
        found[row], charged[row], amount[row] = _price_plainly(record, history, flat, rounding)


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


def _split(
    table: pa.Table,
    flat: _FlatDecks,
    found: NDArray[np.int32],
    charged: NDArray[np.int64],
    amount: NDArray[np.int64],
) -> Rating:
    priced = found >= 0
    if not priced.all():
        refused = table.filter(pa.array(~priced))
        reasons = pa.array([REASONS[reason] for reason in found[~priced].tolist()], pa.string())
        refused = pa.Table.from_arrays([*refused.columns, reasons], schema=REFUSED_SCHEMA)
        table, found, charged, amount = table.filter(pa.array(priced)), found[priced], charged[priced], amount[priced]
    else:
        refused = REFUSED_SCHEMA.empty_table()
    destinations = _take(flat.destinations, flat.destination_of[found])
    columns = [destinations, _take(flat.codes, found), pa.array(charged), pa.array(amount)]
    return Rating(pa.Table.from_arrays([*table.columns, *columns], schema=RATED_SCHEMA), refused)


def _take(texts: _Texts, which: NDArray[np.int32]) -> pa.Array:
    """The texts at these places."""
    if pricing is None:
        return texts.array.take(pa.array(which))
    begins = np.empty(len(which) + 1, np.int32)
    size = pricing.measure_texts(which, texts.offsets, begins)
    out = np.empty(size + _SPARE_BYTES, np.uint8)
    pricing.copy_texts(which, texts.offsets, texts.text, begins, out)
    return pa.Array.from_buffers(pa.string(), len(which), [None, pa.py_buffer(begins), pa.py_buffer(out)[:size]])
