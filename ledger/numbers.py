"""Which number in E.164 digits did the switch mean? `+`, `00`, `011`, national writing, technical prefixes, URIs.

What is withheld becomes "", what is no number is kept as it was written: both are findings for others, not for us.
"""

import re
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ledger.errors import Malformed
from ledger.kernel import are_digits, kernel, put_word, word_at
from ledger.pieces import text_parts

MIN_DIGITS = 5
MAX_DIGITS = 15


class NumberKind(IntEnum):
    """What became of a number."""

    VALID = 0
    """5 to 15 digits of E.164."""
    WITHHELD = 1
    """No digits: empty, "anonymous", "Restricted"."""
    INVALID = 2
    """Kept as it was written: too short, too long, other characters."""


@dataclass(frozen=True, slots=True)
class Numbering:
    """How a trunk's switch writes numbers."""

    country_code: str
    international_prefix: str = "00"
    national_prefix: str = "0"
    national_digits: int | None = None
    """A bare number of exactly so many digits is national; any other bare number is international already."""
    technical_prefixes: tuple[str, ...] = ()
    """Routing digits before everything else, as some partners send them; the longest that is there comes off."""


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """Normalised numbers of a column."""

    text: pa.Array
    """string, as long as the column given."""
    kind: NDArray[np.int8]
    """A NumberKind for each."""


NUMBERING = {
    "AE": Numbering("971"),
    "AU": Numbering("61", "0011"),
    "BR": Numbering("55"),
    "CA": Numbering("1", "011", "1", 10),
    "CN": Numbering("86"),
    "DE": Numbering("49"),
    "ES": Numbering("34", national_prefix="", national_digits=9),
    "FR": Numbering("33"),
    "GB": Numbering("44"),
    "HK": Numbering("852", "001", "", 8),
    "IN": Numbering("91"),
    "IT": Numbering("39", national_prefix=""),
    "JP": Numbering("81", "010"),
    "KR": Numbering("82", "00"),
    "MX": Numbering("52", "00", "", 10),
    "NL": Numbering("31"),
    "SG": Numbering("65", "000", "", 8),
    "US": Numbering("1", "011", "1", 10),
    "ZA": Numbering("27"),
}
"""ITU-T national numbering plans, as published in its Operational Bulletin; a trunk can carry its own."""


def numbering_of(country: str) -> Numbering:
    """The numbering of a country by its ISO 3166 code. Raises Malformed."""
    if country not in NUMBERING:
        raise Malformed(
            "no numbering is known for this country",
            expected=", ".join(NUMBERING),
            got=repr(country),
            todo="Set the country under [switch], or under the trunk, in gsc.toml.",
        )
    return NUMBERING[country]


def to_e164(column: pa.Array | pa.ChunkedArray, numbering: Numbering) -> Numbers:
    """Normalise a column of strings as written by a switch that numbers so."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    found = _to_e164(array, numbering)
    if len(numbering.technical_prefixes) > 1 or (found.kind == NumberKind.INVALID).any():
        return _second_look(array, found, numbering)
    return found


def _second_look(written: pa.Array, found: Numbers, numbering: Numbering) -> Numbers:
    """What is no number as it stands may be one inside a URI, or behind one of several technical prefixes."""
    prefixes = "|".join(re.escape(each) for each in sorted(numbering.technical_prefixes, key=len, reverse=True))
    several = len(numbering.technical_prefixes) > 1
    rows = np.arange(len(written)) if several else np.flatnonzero(found.kind == NumberKind.INVALID)
    plain = written.take(pa.array(rows))
    for pattern, replacement in ((_URI, r"\1"), (f"^(?:{prefixes})", "")):
        plain = pc.replace_substring_regex(plain, pattern=pattern, replacement=replacement)
    again = _to_e164(plain, replace(numbering, technical_prefixes=()))
    good = again.kind != NumberKind.INVALID
    kind = found.kind.copy()
    kind[rows] = again.kind
    text = pc.if_else(pa.array(kind == NumberKind.INVALID), written.cast(found.text.type, safe=False), found.text)
    mask = np.zeros(len(written), np.bool_)
    mask[rows[good]] = True
    return Numbers(pc.replace_with_mask(text, pa.array(mask), again.text.filter(pa.array(good))), kind)


def _to_e164(array: pa.Array, numbering: Numbering) -> Numbers:
    begins, raw = text_parts(array)
    room = int(begins[-1] - begins[0]) + len(array) * len(numbering.country_code) + 2 * MAX_DIGITS
    out, ends, kind = np.empty(room, np.uint8), np.zeros(len(array) + 1, np.int32), np.empty(len(array), np.int8)
    size = _normalise(
        begins,
        raw,
        _digits(numbering.country_code),
        _digits(numbering.international_prefix),
        _digits(numbering.national_prefix),
        numbering.national_digits or 0,
        _digits(numbering.technical_prefixes[0] if len(numbering.technical_prefixes) == 1 else ""),
        out,
        ends,
        kind,
    )
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(out[:size])]
    return Numbers(pa.Array.from_buffers(pa.string(), len(array), buffers), kind)


_URI = r"^<?(?i:sips?|tel):([^@;>?:]*).*$"
"""RFC 3261 and 3966: the user part."""
_ZEROS = np.uint64(0x3030303030303030)


def _digits(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode("ascii"), np.uint8)


@kernel
def _begins_with(text: NDArray[np.uint8], begin: int, end: int, prefix: NDArray[np.uint8]) -> bool:
    if len(prefix) == 0 or end - begin < len(prefix):
        return False
    for at in range(len(prefix)):  # noqa: SIM110 - a kernel has no generators
        if text[begin + at] != prefix[at]:
            return False
    return True


@kernel
def _are_all_digits(raw: NDArray[np.uint8], begin: int, end: int) -> bool:
    """At most 15 of them, nothing else, and 16 bytes to read from `begin` on: as nearly every number is written."""
    length = end - begin
    if not 0 < length <= MAX_DIGITS or begin + 16 > len(raw):
        return False
    low, high = word_at(raw, begin), word_at(raw, begin + 8)
    mine = (np.uint64(1) << np.uint64(8 * (length % 8))) - np.uint64(1)
    if length < 8:
        return bool(are_digits((low & mine) | (_ZEROS & ~mine)))
    return bool(are_digits(low) and are_digits((high & mine) | (_ZEROS & ~mine)))


@kernel
def _normalise(
    begins: NDArray[np.int32],
    raw: NDArray[np.uint8],
    country: NDArray[np.uint8],
    international: NDArray[np.uint8],
    national: NDArray[np.uint8],
    national_digits: int,
    technical: NDArray[np.uint8],
    out: NDArray[np.uint8],
    ends: NDArray[np.int32],
    kind: NDArray[np.int8],
) -> int:
    """Write each row's digits to out, its end to ends, what it is to kind; returns the size of out."""
    digits = np.empty(48, np.uint8)
    size = 0
    for row in range(len(kind)):
        begin, end = begins[row], begins[row + 1]
        if _begins_with(raw, begin, end, technical):
            begin += len(technical)
        count, plus, foreign, seen = 0, False, False, False
        if begin < end and raw[begin] == 43:
            plus = True
            begin += 1
        if _are_all_digits(raw, begin, end):
            put_word(digits, 0, word_at(raw, begin))
            put_word(digits, 8, word_at(raw, begin + 8))
            count, seen = end - begin, True
            begin = end
        for at in range(begin, end):
            byte = raw[at]
            if 48 <= byte <= 57:
                seen = True
                if count < 32:
                    digits[count] = byte
                    count += 1
                else:
                    foreign = True
            elif byte == 43 and not plus and count == 0:
                plus = True
            elif not (byte == 32 or byte == 45 or byte == 40 or byte == 41 or byte == 46):
                foreign = True
                seen = seen or byte >= 128
        skip, prefixed = 0, False
        if not plus:
            if _begins_with(digits, 0, count, international):
                skip = len(international)
            elif _begins_with(digits, 0, count, national):
                skip = len(national)
                prefixed = True
            else:
                prefixed = count == national_digits
        total = count - skip + (len(country) if prefixed else 0)
        if not seen:
            kind[row] = 1
        elif foreign or not 5 <= total <= 15 or (not prefixed and digits[skip] == 48):
            kind[row] = 2
            for at in range(begins[row], begins[row + 1]):
                out[size] = raw[at]
                size += 1
        else:
            kind[row] = 0
            if prefixed:
                for at in range(len(country)):
                    out[size] = country[at]
                    size += 1
            put_word(out, size, word_at(digits, skip))
            put_word(out, size + 8, word_at(digits, skip + 8))
            size += count - skip
        ends[row + 1] = size
    return size
