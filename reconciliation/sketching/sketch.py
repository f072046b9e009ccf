"""On which keys do two sides differ, before either has shown a record?

Each side folds its month into a *sketch*: an invertible Bloom lookup table (Goodrich and Mitzenmacher 2011) over keyed
hashes of (A, B). What both sides hold cancels when one sketch is taken from the other; what is left peels off key by
key. A sketch's size follows the number of differences, not of records, so that two carriers can find where they differ
for a few megabytes and reveal to each other the records of those keys alone.

Warning: whoever knows the seed can test a guessed pair of numbers against the keys that differ; nothing is said of the
others. Take a seed that both drew together and nobody else knows.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ledger.errors import Malformed, SketchTooSmall
from ledger.kernel import kernel
from reconciliation.matching.keys import mixed, pair_hashes, text_hashes

Words = npt.NDArray[np.uint64]

WAYS = 4
"""Cells that each record is counted in. With three, two of a few hundred records share all of them too often."""
MAX_CELLS = 4 * 2**24
_FEWEST = 96
_KEY_BITS = np.uint64(48)
"""Of a key's hash: a sum of 32,768 of them fits a cell."""
_COUNT, _KEY, _VALUE, _CHECK = range(4)


class SketchOf(StrEnum):
    """What must be equal for two records to cancel."""

    COUNTS = "counts"
    """Both numbers: shows keys of which one side has more records."""
    CHARGES = "charges"
    """Both numbers and the amount: shows keys with another charge, too, however small."""


@dataclass(frozen=True, slots=True, eq=False)
class Sketch:
    """One side's records, folded. Two sketches compare if they share seed, kind and number of cells."""

    of: SketchOf
    seed: int
    """64 bits, known to both sides."""
    records: int
    cells: Words
    """(cells, 4): count, sum of keys, sum of values, sum of check words; each modulo 2^64."""


@dataclass(frozen=True, slots=True, eq=False)
class KeyDifferences:
    """Keys whose records do not cancel; keys are 48-bit hashes under the sketches' seed, ascending."""

    keys: Words
    ours_more: int
    """Records of these keys that only we hold."""
    theirs_more: int


def sketch_records(rated: pa.Table, seed: int, cells: int, of: SketchOf = SketchOf.COUNTS) -> Sketch:
    """Fold a RatedTable (ledger/usage.py). `cells` as `cells_for` says. Raises Malformed."""
    _check_size(seed, cells)
    folded = np.zeros((cells, 4), np.uint64)
    keys = record_keys(rated, seed)
    _fold(keys, _values(rated, keys, of), folded)
    return Sketch(of, seed, len(rated), folded)


def cells_for(differences: int) -> int:
    """Cells that show so many differing records, but for about one case in a thousand.

    Four ways need 1.295 for each of many (Molloy 2005); few need more.
    """
    return _FEWEST + WAYS * -(-differences * 3 // 8)


def differing_keys(ours: Sketch, theirs: Sketch) -> KeyDifferences:
    """Take their sketch from ours and peel. Raises Malformed (not of one kind), SketchTooSmall."""
    if (ours.of, ours.seed, len(ours.cells)) != (theirs.of, theirs.seed, len(theirs.cells)):
        raise Malformed(
            "the sketches do not compare",
            expected=f"{ours.of} under one seed in {len(ours.cells)} cells",
            got=f"{theirs.of} in {len(theirs.cells)} cells",
            todo="Make both with the same --seed, --of and --cells.",
        )
    left = ours.cells - theirs.cells
    found = np.empty((len(left), 2), np.uint64)
    peeled = _peel(left, found)
    if left.any():
        raise SketchTooSmall(
            "the sketch is too small for what differs",
            expected="every cell empty at the end",
            got=f"{int(left.any(axis=1).sum())} of {len(left)} cells full, {peeled} records found before",
            todo=f"Make both sketches again with --cells {min(MAX_CELLS, 2 * len(left))} or more.",
        )
    keys, more = found[:peeled, 0], found[:peeled, 1].view(np.int64)
    return KeyDifferences(np.unique(keys), int(more[more > 0].sum()), int(-more[more < 0].sum()))


def rows_of_keys(rated: pa.Table, seed: int, keys: Words) -> npt.NDArray[np.int64]:
    """Rows of a RatedTable that have one of these keys: what there is to reveal."""
    return np.flatnonzero(np.isin(record_keys(rated, seed), keys))


def record_keys(rated: pa.Table, seed: int) -> Words:
    """Each record's key: 48 bits of a hash of its two numbers under the seed."""
    a_hash, b_hash = (text_hashes(rated[name], seed) for name in ("a_party", "b_party"))
    keys: Words = pair_hashes(a_hash, b_hash) >> (np.uint64(64) - _KEY_BITS)
    return keys


def _values(rated: pa.Table, keys: Words, of: SketchOf) -> Words:
    if of is SketchOf.COUNTS:
        return np.zeros(len(rated), np.uint64)
    amounts = rated["amount_micros"].to_numpy().astype(np.int64).view(np.uint64)
    values: Words = mixed(amounts * np.uint64(0x9E3779B97F4A7C15) + keys) >> (np.uint64(64) - _KEY_BITS)
    return values


def _check_size(seed: int, cells: int) -> None:
    if not 0 <= seed < 2**64:
        raise Malformed("not a seed", expected="64 bits", got=seed)
    if not _FEWEST <= cells <= MAX_CELLS or cells % WAYS:
        raise Malformed("not a size of a sketch", expected=f"a multiple of 4 from {_FEWEST} to {MAX_CELLS}", got=cells)


@kernel
def _fold(keys: Words, values: Words, cells: Words) -> None:
    """Count each record in one cell of each part of the table."""
    part = np.uint64(len(cells) // WAYS)
    for row in range(len(keys)):
        check = _check(keys[row], values[row])
        state = check
        for way in range(WAYS):
            state = _scatter(state + np.uint64(0x9E3779B97F4A7C15))
            at = np.uint64(way) * part + (((state >> np.uint64(32)) * part) >> np.uint64(32))
            cells[at, _COUNT] += np.uint64(1)
            cells[at, _KEY] += keys[row]
            cells[at, _VALUE] += values[row]
            cells[at, _CHECK] += check


@kernel
def _peel(cells: Words, found: Words) -> int:
    """Take pure cells off until none is left; (key, records more at ours) in `found`, and how many there are."""
    part = np.uint64(len(cells) // WAYS)
    waiting = list(range(len(cells)))
    peeled = 0
    while len(waiting) > 0:
        here = waiting.pop()
        count, key, value = cells[here, _COUNT], cells[here, _KEY], cells[here, _VALUE]
        less = np.int64(count) < 0
        size = np.uint64(0) - count if less else count
        if size == 0:
            continue
        key_sum = np.uint64(0) - key if less else key
        value_sum = np.uint64(0) - value if less else value
        if key_sum % size != 0 or value_sum % size != 0:
            continue
        key, value = key_sum // size, value_sum // size
        check = _check(key, value)
        if check * count != cells[here, _CHECK] or peeled == len(found):
            continue
        found[peeled, 0] = key
        found[peeled, 1] = count
        peeled += 1
        state = check
        for way in range(WAYS):
            state = _scatter(state + np.uint64(0x9E3779B97F4A7C15))
            at = np.uint64(way) * part + (((state >> np.uint64(32)) * part) >> np.uint64(32))
            cells[at, _COUNT] -= count
            cells[at, _KEY] -= key * count
            cells[at, _VALUE] -= value * count
            cells[at, _CHECK] -= check * count
            waiting.append(np.int64(at))  # type: ignore[arg-type]
    return peeled


@kernel
def _check(key: np.uint64, value: np.uint64) -> np.uint64:
    return _scatter(_scatter(key + np.uint64(0x3C6EF372FE94F82A)) + value)


@kernel
def _scatter(word: np.uint64) -> np.uint64:
    """The finaliser of splitmix64."""
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))
