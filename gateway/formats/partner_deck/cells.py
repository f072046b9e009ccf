"""What does one cell of a partner's rate deck say: codes and ranges, prices, increments, days, a word of change?"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from ledger.errors import Malformed
from ledger.money import Nanos, parse_nanos
from ledger.prices.deck import MAX_CODE_DIGITS, RateStatus

MAX_CODES = 10_000
"""Codes that one cell may mean."""
_SPLIT = re.compile(r"[;,/\s|]+")
_RANGE = re.compile(r"(\d{1,15})-(\d{1,15})", re.ASCII)
_INCREMENT = re.compile(r"(\d{1,4})(?:\s*[/+:\- ]\s*(\d{1,4}))?(?:\s*s(?:ec(?:onds?)?)?)?", re.ASCII)
_PRICE = re.compile(r"[^\d.,eE+-]*([\d.,]+(?:[eE]-?\d{1,2})?)[^\d]*", re.ASCII)
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[ T]00:00(?::00)?)?", re.ASCII)
_NUMERIC = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})", re.ASCII)
_NAMED = ("%d-%b-%Y", "%d %b %Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y", "%d-%b-%y")
_WORDS: Mapping[str, RateStatus] = {
    "closed": RateStatus.BLOCKED,
    "closure": RateStatus.BLOCKED,
    "blocked": RateStatus.BLOCKED,
    "barred": RateStatus.BLOCKED,
    "removed": RateStatus.REMOVED,
    "deleted": RateStatus.REMOVED,
    "delete": RateStatus.REMOVED,
    "code deleted": RateStatus.REMOVED,
    "discontinued": RateStatus.REMOVED,
}


class DayOrder(StrEnum):
    """Which number of 05/10/2026 is the day."""

    DMY = "dmy"
    MDY = "mdy"


def words_of(text: str) -> str:
    """A heading in lower case words, without signs."""
    return " ".join(re.sub(r"[^a-z0-9]+", " ", text.lower()).split())


def codes_of(text: str, country: str = "") -> Iterator[str]:
    """The dial codes of a cell: "44;45", "4420-4429" or "4420-29" as the fewest codes that begin the same numbers.

    country stands before each code. Raises Malformed.
    """
    parts = [part for part in _SPLIT.split(re.sub(r"\s*-\s*", "-", text.strip())) if part]
    for part in parts or [""]:
        low, high = _bounds(part)
        yield from (_code(country.lstrip("+") + code) for code in _fewest(low, high))


def price_of(text: str) -> Nanos:
    """A price: "0.0123", "$ 0.0123", "0,0123". Raises Malformed."""
    found = _PRICE.fullmatch(text.strip())
    plain = found[1] if found else ""
    if plain.count(",") == 1 and "." not in plain:
        plain = plain.replace(",", ".")
    try:
        return parse_nanos(format(Decimal(plain), "f"))
    except InvalidOperation:
        raise Malformed("not a price", expected="0.0123", got=repr(text[:40])) from None


def increments_of(text: str) -> tuple[int, int]:
    """First and next increment in milliseconds: "60/6", "30+6", "1". Raises Malformed."""
    found = _INCREMENT.fullmatch(text.strip().lower())
    if found and 0 < int(found[1]) <= 3_600 and 0 < int(found[2] or found[1]) <= 3_600:
        return int(found[1]) * 1_000, int(found[2] or found[1]) * 1_000
    raise Malformed("not an increment", expected="seconds, as 60/6", got=repr(text[:40]))


def status_of(text: str) -> RateStatus:
    """What a word of change says: closed and blocked, deleted and removed, or else open."""
    return _WORDS.get(words_of(text), RateStatus.OPEN)


def order_of_days(cells: Sequence[str]) -> DayOrder | None:
    """Whether the day stands first, if a cell tells it; dots do. Raises Malformed if cells tell both, or none."""
    pairs = [(int(found[1]), int(found[2])) for cell in cells if (found := _NUMERIC.fullmatch(cell.strip()))]
    told = {DayOrder.DMY for day, month in pairs if day > 12} | {DayOrder.MDY for month, day in pairs if day > 12}
    if any("." in cell and _NUMERIC.fullmatch(cell.strip()) for cell in cells):
        told.add(DayOrder.DMY)
    if len(told) > 1 or (pairs and not told and any(one != other for one, other in pairs)):
        raise Malformed(
            "days can be read in two ways",
            expected="one order of day and month",
            got=next(cell for cell in cells if _NUMERIC.fullmatch(cell.strip()))[:20],
            todo="Say it: --dates dmy (day first), or --dates mdy (month first).",
        )
    return next(iter(told), DayOrder.DMY if pairs else None)


def day_of(text: str, order: DayOrder | None) -> date:
    """A day: 2026-10-15, 15/10/2026, 15-Oct-2026. Raises Malformed."""
    plain = text.strip()
    try:
        if found := _ISO.fullmatch(plain):
            return date(int(found[1]), int(found[2]), int(found[3]))
        if (found := _NUMERIC.fullmatch(plain)) and order is not None:
            day, month = (1, 2) if order is DayOrder.DMY else (2, 1)
            return date(int(found[3]), int(found[month]), int(found[day]))
        for layout in _NAMED:
            if (named := _named(plain, layout)) is not None:
                return named
    except ValueError:
        pass
    raise Malformed("not a day", expected="2026-10-15", got=repr(text[:40]))


def _named(text: str, layout: str) -> date | None:
    try:
        return datetime.strptime(text, layout).date() if text.isascii() else None  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return None


def _bounds(part: str) -> tuple[str, str]:
    found = _RANGE.fullmatch(part)
    if found is None:
        return part, part
    low, high = found[1], found[2]
    full = low[: len(low) - len(high)] + high if len(high) < len(low) else high
    if len(low) != len(full) or int(low) > int(full):
        raise Malformed("not a range of codes", expected="4420-4429", got=repr(part[:40]))
    return low, full


def _fewest(low: str, high: str) -> Iterator[str]:
    """The shortest codes that together begin just the numbers from low… to high…."""
    if low == high:
        yield low
        return
    first, last, width, count = int(low), int(high), len(low), 0
    while first <= last:
        step = 1
        while first % (step * 10) == 0 and first + step * 10 - 1 <= last and len(str(step)) < width:
            step *= 10
        count += 1
        if count > MAX_CODES:
            raise Malformed("a range of too many codes", expected=f"at most {MAX_CODES:,}", got=f"{low}-{high}")
        yield f"{first:0{width}d}"[: width - len(str(step)) + 1]
        first += step


def _code(text: str) -> str:
    code = text.removeprefix("+")
    if re.fullmatch(r"00[1-9]\d*", code, re.ASCII):
        raise Malformed("not a dial code", expected=code[2:], got=f"{code[:40]!r}: drop the 00")
    if 0 < len(code) <= MAX_CODE_DIGITS and code.isascii() and code.isdigit() and code[0] != "0":
        return code
    raise Malformed("not a dial code", expected="digits, 44;45 or 4420-4429", got=repr(text[:40]))


def _reads(read: Callable[[str], object]) -> Callable[[str], bool]:
    def check(cell: str) -> bool:
        try:
            read(cell)
        except Malformed:
            return False
        return True

    return check


def _is_area(cell: str) -> bool:
    return bool(re.fullmatch(r"[\d;,/\s|-]+", cell, re.ASCII))


CHECKS: Mapping[str, Callable[[str], bool]] = {
    "destination": lambda cell: not cell.replace(".", "").isdigit(),
    "code": _is_area,
    "country_code": _is_area,
    "area_code": _is_area,
    "rate": _reads(price_of),
    "increment": _reads(increments_of),
    "first": lambda cell: "/" not in cell and _reads(increments_of)(cell),
    "next": lambda cell: "/" not in cell and _reads(increments_of)(cell),
    "connect_fee": _reads(price_of),
    "attempt_fee": _reads(price_of),
    "min_charge": _reads(price_of),
    "max_charge": _reads(price_of),
    "effective_date": lambda cell: any(character.isdigit() for character in cell),
    "currency": lambda cell: len(cell) == 3 and cell.isalpha(),
    "status": lambda cell: not any(character.isdigit() for character in cell),
}
"""Whether a cell reads as a column's; columns of names have none."""
