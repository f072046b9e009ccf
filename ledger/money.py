"""How is money counted, rounded, read and shown?"""

from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache
from typing import NewType

from ledger.errors import Malformed

Micros = NewType("Micros", int)
"""Millionths of the agreement's currency."""
Nanos = NewType("Nanos", int)
"""Billionths of the agreement's currency; rates are nanos for a stated number of units."""

MICROS = 1_000_000
NANOS_PER_MICRO = 1_000
MAX_AMOUNT_MICROS = 2**63 - 1
"""Columns hold amounts as int64."""


class Rounding(StrEnum):
    """How a quotient becomes an integer."""

    FLOOR = "floor"
    """Towards minus infinity."""
    CEILING = "ceiling"
    """Towards plus infinity."""
    HALF_UP = "half-up"
    """To the nearest, a half away from zero."""
    HALF_EVEN = "half-even"
    """To the nearest, a half to the even neighbour."""


def div_floor(numerator: int, divisor: int) -> int:
    """numerator / divisor towards minus infinity; divisor > 0."""
    return numerator // divisor


def div_ceiling(numerator: int, divisor: int) -> int:
    """numerator / divisor towards plus infinity; divisor > 0."""
    return -(-numerator // divisor)


def div_half_up(numerator: int, divisor: int) -> int:
    """numerator / divisor to the nearest, a half away from zero; divisor > 0."""
    magnitude = (2 * abs(numerator) + divisor) // (2 * divisor)
    return magnitude if numerator >= 0 else -magnitude


def div_half_even(numerator: int, divisor: int) -> int:
    """numerator / divisor to the nearest, a half to the even neighbour; divisor > 0."""
    quotient, rest = divmod(numerator, divisor)
    return quotient + (2 * rest > divisor or (2 * rest == divisor and quotient % 2 == 1))


def divide(numerator: int, divisor: int, rounding: Rounding) -> int:
    """numerator / divisor in the named mode; divisor > 0."""
    match rounding:
        case Rounding.FLOOR:
            return div_floor(numerator, divisor)
        case Rounding.CEILING:
            return div_ceiling(numerator, divisor)
        case Rounding.HALF_UP:
            return div_half_up(numerator, divisor)
        case Rounding.HALF_EVEN:
            return div_half_even(numerator, divisor)


def parse_micros(text: str) -> Micros:
    """Read a decimal amount with at most six places: "251330.02". Raises Malformed."""
    return Micros(_parse_scaled(text, 6, "an amount"))


def parse_nanos(text: str) -> Nanos:
    """Read a decimal rate with at most nine places: "0.0123". Raises Malformed."""
    return Nanos(_parse_scaled(text, 9, "a rate"))


def show_micros(amount: Micros | int, places: int = 6) -> str:
    """The amount in decimal with exactly `places` (2 to 6) places, half to even: "251330.02"."""
    scaled = div_half_even(int(amount), 10 ** (6 - places))
    whole, part = divmod(abs(scaled), 10**places)
    return f"{'-' if scaled < 0 else ''}{whole}.{part:0{places}d}"


def show_nanos(nanos: Nanos | int) -> str:
    """The rate in decimal with exactly nine places: "0.012300000"."""
    whole, part = divmod(int(nanos), 10**9)
    return f"{whole}.{part:09d}"


@lru_cache(maxsize=1 << 14)
def _parse_scaled(text: str, places: int, what: str) -> int:
    plain = text.strip()
    try:
        if not plain.isascii() or "_" in plain or not plain[-1:].isdigit() or set(plain) - set("+-.0123456789"):
            raise InvalidOperation
        scaled = Decimal(plain).scaleb(places)
    except InvalidOperation:
        raise Malformed(f"not {what}", expected="decimal digits such as 12.50", got=repr(text[:40])) from None
    if scaled != scaled.to_integral_value():
        raise Malformed(
            f"not {what}: it has more than {places} decimal places",
            expected=f"at most {places}",
            got=repr(text[:40]),
            todo="Round it where it was computed.",
        )
    if abs(scaled) > MAX_AMOUNT_MICROS:
        raise Malformed(f"not {what}: it is too large", expected="63 bits at most", got=repr(text[:40]))
    return int(scaled)
