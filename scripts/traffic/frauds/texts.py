"""Which messages did businesses hand over in the month, and which of them were codes that nobody had asked for?"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ledger.period import Period
from ledger.usage import RATED_SCHEMA
from scripts.traffic.frauds.legs import LABELS, Label, at_ms, numbers
from scripts.traffic.prices import Ints

BRANDS = 60
PRICE = 25_000
"""Micros for a message."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Messages to one country; all arrays have one length."""

    sender: Ints
    b: Ints
    start_ms: Ints
    label: Ints


def draw_texts(rng: np.random.Generator, count: int, month: Period) -> Texts:
    """So many honest messages of brands, campaigns and machines that look like fraud, and four frauds."""
    parts = [_codes(rng, count, month), _campaign(rng, month), _notice(rng, month), _machines(rng, month)]
    parts += [_staff(rng, month), *(_inflated(rng, month, brand) for brand in (3, 11, 24, 40))]
    return Texts(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def table_of(texts: Texts) -> pa.Table:
    """A RatedTable, in the order of the arrays."""
    size = len(texts.b)
    names = pa.array([f"BRAND{number}" for number in range(BRANDS + 8)])
    ones, price = np.ones(size, np.int64), np.full(size, PRICE, np.int64)
    columns = {
        "line": np.arange(size),
        "a_party": names.take(pa.array(texts.sender)),
        "b_party": pa.array(texts.b).cast(pa.string()),
        "start_ms": texts.start_ms,
        "quantity": ones,
        "route": pa.repeat("23415", size),
        "destination": pa.repeat("United Kingdom Mobile", size),
        "code": pa.repeat("23415", size),
        "charged_quantity": ones,
        "amount_micros": price,
    }
    return pa.table(columns).cast(RATED_SCHEMA)


Part = tuple[Ints, Ints, Ints, Ints]


def _part(sender: int | Ints, b: Ints, at: Ints, label: Label) -> Part:
    same = np.broadcast_to(np.asarray(sender, np.int64), len(b))
    return same, b, at, np.full(len(b), LABELS.index(label), np.int64)


def _codes(rng: np.random.Generator, count: int, month: Period) -> Part:
    """Codes, receipts, reminders: customers of sixty brands, each with several messages."""
    customers = numbers(rng, 44_77, 8, max(10, count // 5))
    sender = np.minimum(rng.zipf(1.5, count), BRANDS) - 1
    return _part(sender, rng.choice(customers, count), at_ms(rng, month, count, 0, 31, (6, 22)), Label.HONEST)


def _campaign(rng: np.random.Generator, month: Period) -> Part:
    """A shop writes to all its customers on one day."""
    return _part(5, numbers(rng, 44_78, 8, 20_000), at_ms(rng, month, 20_000, 14, 1, (9, 12)), Label.DECOY)


def _notice(rng: np.random.Generator, month: Period) -> Part:
    """An operator tells everybody of sixty ranges something."""
    everybody = 44_7455_000_000 + np.arange(60_000)
    told = everybody[rng.random(60_000) < 0.6]
    return _part(BRANDS, told, at_ms(rng, month, len(told), 20, 2, (8, 18)), Label.DECOY)


def _machines(rng: np.random.Generator, month: Period) -> Part:
    """Nine hundred meters of one range are read twice a day."""
    meters = np.repeat(44_7700_551_000 + np.arange(900), 62)
    return _part(BRANDS + 1, meters, at_ms(rng, month, len(meters), 0, 31, (0, 24)), Label.DECOY)


def _staff(rng: np.random.Generator, month: Period) -> Part:
    """A company writes to its staff, whose mobiles have numbers beside each other."""
    staff = 44_7700_662_300 + np.arange(150)
    return _part(BRANDS + 2, staff, at_ms(rng, month, 150, 6, 1, (8, 9)), Label.DECOY)


def _inflated(rng: np.random.Generator, month: Period, brand: int) -> Part:
    """Bots ask a brand for codes to a few ranges, number after number, for days."""
    ranges = rng.choice(900_000, int(rng.integers(2, 8)), replace=False) + 44_7_000_000 + 400_000
    tried = np.concatenate([each * 1_000 + rng.permutation(1_000)[: int(rng.integers(190, 900))] for each in ranges])
    b = np.repeat(tried, rng.integers(1, 3, len(tried)))
    day, days = int(rng.integers(0, 25)), int(rng.integers(1, 5))
    return _part(brand, b, at_ms(rng, month, len(b), day, days, (0, 24)), Label.INFLATED_SMS)
