"""Which rows of a body become usage, and why do the others not?"""

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gateway.bulk.bodies import Bad, Block, moments
from gateway.formats.trunks import MAX_ROUTE
from ledger.service import Service
from ledger.usage import FIRST_MS, LAST_MS, USAGE_SCHEMA

MOST_QUANTITY = 2**53


class Kind(NamedTuple):
    """Text of one to `most` characters between `low` and `high`, the first not below `first`."""

    first: str
    low: str
    high: str
    most: int

    @property
    def pattern(self) -> str:
        return f"^[{self.first}-{self.high}][{self.low}-{self.high}]{{0,{self.most - 1}}}$"


NUMBER = Kind("1", "0", "9", 15)
TEXT = Kind(" ", " ", "~", MAX_ROUTE)
_NUMBERED = (Service.VOICE, Service.SMS)


def judge(block: Block, service: Service) -> tuple[pa.Table, list[Bad]]:
    """Its usage (USAGE_SCHEMA), and the rows that are none: the first reason of each counts."""
    start, both = moments(block.rows)
    a_party, b_party, quantity, route = (
        block.rows[name].combine_chunks() for name in ("a_party", "b_party", "quantity", "route")
    )
    a_party = pc.fill_null(a_party, "")
    number = NUMBER if service in _NUMBERED else TEXT
    checks = (
        ("start", "start and start_ms are both there", both),
        ("start", "no moment with its offset, as 2026-10-05T09:30:00Z", pc.is_null(start)),
        ("start", "not between 2000 and 2100", _outside(start, FIRST_MS, LAST_MS - 1)),
        ("quantity", "missing", pc.is_null(quantity)),
        ("quantity", "not between 0 and 2^53", _outside(quantity, 0, MOST_QUANTITY)),
        ("a_party", "not a number of digits, nor empty", unlike(a_party, number, or_empty=True)),
        ("b_party", "not a number of digits", unlike(b_party, number)),
        ("route", f"not 1 to {MAX_ROUTE} characters of ASCII", unlike(route, TEXT)),
    )
    usage = pa.table([block.lines, a_party, b_party, start, quantity, route], names=USAGE_SCHEMA.names)
    wrongs = [(column, reason, wrong) for column, reason, wrong in checks if pc.any(wrong).as_py()]
    if not wrongs:
        return usage.cast(USAGE_SCHEMA), []
    fine = np.ones(len(usage), np.bool_)
    bad: list[Bad] = []
    for column, reason, wrong in wrongs:
        hit = wrong.to_numpy(zero_copy_only=False) & fine
        bad += [Bad(line, column, reason) for line in block.lines.filter(pa.array(hit)).to_pylist()]
        fine &= ~hit
    return usage.filter(pa.array(fine)).cast(USAGE_SCHEMA), bad


def unlike(texts: pa.Array, kind: Kind, *, or_empty: bool = False) -> pa.Array:
    """Which texts are not of a kind; null is not. True or false for each."""
    if _all_are(texts, kind, or_empty=or_empty):
        return pa.repeat(pa.scalar(False), len(texts))
    wrong = pc.invert(pc.fill_null(pc.match_substring_regex(texts, kind.pattern), False))
    return pc.and_(wrong, pc.not_equal(texts, "")) if or_empty else wrong


def _outside(values: pa.Array, low: int, high: int) -> pa.Array:
    return pc.fill_null(pc.or_(pc.less(values, low), pc.greater(values, high)), False)


def _all_are(texts: pa.Array, kind: Kind, *, or_empty: bool) -> bool:
    """Whether every text is of a kind: looks at bytes, not texts: a byte below `low` wraps round."""
    if texts.null_count or not len(texts):
        return False
    characters, begins, lengths = _bytes_of(texts)
    low, high = np.uint8(ord(kind.low)), np.uint8(ord(kind.high))
    there = lengths > 0
    firsts = characters[begins[there]]
    return bool(
        (characters - low <= high - low).all()
        and (or_empty or there.all())
        and (lengths <= kind.most).all()
        and (firsts >= ord(kind.first)).all()
    )


def _bytes_of(texts: pa.Array) -> tuple[NDArray[np.uint8], NDArray[Any], NDArray[Any]]:
    """Every byte of a column, and for each text where it begins and how long it is."""
    _, offsets, characters = texts.buffers()
    bounds = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    first, last = int(bounds[0]), int(bounds[-1])
    seen = np.frombuffer(characters, np.uint8)[first:last] if last > first else np.empty(0, np.uint8)
    return seen, bounds[:-1] - first, np.diff(bounds)
