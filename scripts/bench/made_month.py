"""What is measured: a deck of 200,000 codes, and a month of calls to them as a CSV file of any length."""

import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from ledger.money import Nanos
from ledger.prices.deck import Rate, RateDeck, rate_deck

COUNTRIES = (
    1,
    7,
    20,
    27,
    30,
    31,
    32,
    33,
    34,
    36,
    39,
    40,
    41,
    43,
    44,
    45,
    46,
    47,
    48,
    49,
    51,
    52,
    53,
    54,
    55,
    56,
    57,
    58,
    60,
    61,
    62,
    63,
    64,
    65,
    66,
    81,
    82,
    84,
    86,
    90,
    91,
    92,
    93,
    94,
    95,
    98,
    212,
    213,
    216,
    218,
    221,
    233,
    234,
    254,
    255,
    256,
    351,
    352,
    353,
    354,
    355,
    358,
    370,
    371,
    372,
    380,
    381,
    385,
    420,
    421,
    852,
    853,
    855,
    880,
    886,
    961,
    962,
    963,
    965,
    966,
    968,
    971,
    972,
    973,
    974,
    977,
    992,
    994,
    995,
    996,
    998,
)
"""Calling codes."""
INCREMENTS = ((1_000, 1_000), (60_000, 60_000), (30_000, 6_000))
OCTOBER_S, OCTOBER_SECONDS = 1_790_812_800, 31 * 86_400
"""2026-10-01 00:00 UTC."""
HEADER = ("a_number", "b_number", "start", "duration_ms", "trunk")
"""Of the preset `csv`."""
TRUNK = "gb-b-in"
ROWS_AT_ONCE = 500_000
CALLED_DIGITS = 12


def made_deck(codes: int, seed: int = 1) -> RateDeck:
    """An A-Z deck: each country, and breakouts of one to six digits more, 3,000 destinations in all."""
    rng = random.Random(seed)
    chosen = dict.fromkeys(map(str, COUNTRIES))
    while len(chosen) < codes:
        chosen[str(rng.choice(COUNTRIES)) + "".join(rng.choices("0123456789", k=rng.randint(1, 6)))] = None
    return rate_deck("USD", (_rate(rng, code, number) for number, code in enumerate(chosen)))


def _rate(rng: random.Random, code: str, number: int) -> Rate:
    first, following = rng.choice(INCREMENTS)
    nanos = Nanos(rng.randint(1, 5_000) * 100_000)
    return Rate(f"Destination {number % 3_000}", code, nanos, 60_000, first, following)


def write_calls(path: Path, deck: RateDeck, count: int, seed: int = 2) -> Path:
    """A file of that many answered calls, in the order in which they began, to numbers under any code of the deck."""
    codes = np.array([int(rate.code) for rate in deck.rates])
    free = 10 ** (CALLED_DIGITS - np.array([len(rate.code) for rate in deck.rates]))
    rng = np.random.default_rng(seed)
    schema = pa.schema([(name, pa.string() if name != "duration_ms" else pa.int64()) for name in HEADER])
    options = pa.csv.WriteOptions(quoting_style="none")
    with pa.csv.CSVWriter(path, schema, write_options=options) as writer:
        for first in range(0, count, ROWS_AT_ONCE):
            rows = min(ROWS_AT_ONCE, count - first)
            which = rng.integers(0, len(codes), rows)
            called = codes[which] * free[which] + rng.integers(0, free[which])
            seconds = OCTOBER_S + OCTOBER_SECONDS * (first + np.arange(rows)) // count
            writer.write_table(pa.Table.from_arrays(_columns(rng, called, seconds), schema=schema))
    return path


def _columns(rng: np.random.Generator, called: NDArray[np.int64], seconds: NDArray[np.int64]) -> list[pa.Array]:
    calling = pa.array(8_613_000_000_000 + rng.integers(0, 10**10, len(called))).cast(pa.string())
    start = pc.strftime(pa.array(seconds, pa.timestamp("s", "UTC")), "%Y-%m-%dT%H:%M:%SZ")
    return [
        pc.binary_join_element_wise("+", calling, ""),
        pa.array(called).cast(pa.string()),
        start,
        pa.array(rng.integers(1, 900, len(called)) * 1_000),
        pa.repeat(pa.scalar(TRUNK), len(called)),
    ]
