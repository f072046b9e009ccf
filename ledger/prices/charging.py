"""What does one record cost under its rate? The definition: exact rationals, and one rounding where it is agreed.

`charge` is what rating.py does for whole columns. A call that lasts beyond a time band's end is a sequence of
stretches, each with its rate; most calls are one stretch.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from ledger.errors import Malformed
from ledger.money import NANOS_PER_MICRO, Micros, Nanos, Rounding, divide
from ledger.prices.deck import MaxRule, Rate
from ledger.prices.rating_terms import RoundingPlace

MICRO_DECIMALS = 6


class Charge(NamedTuple):
    """What one record is charged."""

    charged_quantity: int
    """After increments, in the service's unit."""
    amount_micros: Micros


class Price(NamedTuple):
    """What one record costs before its rounding (or, with rounding by increment, after the increments' own)."""

    charged_quantity: int
    micros: Fraction


class Stretch(NamedTuple):
    """From which place of a call on a rate applies."""

    begin: int
    """Quantity after the start; the first stretch of a call has 0."""
    rate: Rate


class Increments(NamedTuple):
    """Some increments of one length and price."""

    number: int
    length: int
    nanos: Nanos
    per: int


def charge(
    quantity: int,
    rate: Rate,
    rounding: Rounding = Rounding.HALF_EVEN,
    place: RoundingPlace = RoundingPlace.RECORD,
    decimals: int = MICRO_DECIMALS,
) -> Charge:
    """Price one record; rounding happens here, once (place statement: as record). Raises Malformed.

    Nothing used costs the attempt fee alone.
    """
    if place is RoundingPlace.INCREMENT:
        charged, micros = price(quantity, [Stretch(0, rate)], rounding, decimals)
    else:
        charged, micros = price(quantity, [Stretch(0, rate)])
    return Charge(charged, rounded(micros, rounding, decimals))


def price(
    quantity: int, stretches: Sequence[Stretch], rounding: Rounding | None = None, decimals: int = MICRO_DECIMALS
) -> Price:
    """What a record costs exactly; with a rounding, each increment and fee is rounded on its own. Raises Malformed.

    Fees and bounds are those of the rate at the start.
    """
    if quantity < 0:
        raise Malformed("a negative quantity cannot be charged", expected="0 or more", got=quantity)
    rate = stretches[0].rate

    def own(nanos: Fraction | int) -> Fraction:
        micros = Fraction(nanos) / NANOS_PER_MICRO
        return micros if rounding is None else Fraction(rounded(micros, rounding, decimals))

    if quantity == 0:
        return Price(0, own(rate.attempt_nanos))
    charged, micros = 0, own(rate.connect_nanos)
    for part in increments(quantity, stretches):
        charged += part.number * part.length
        micros += part.number * own(Fraction(part.length * part.nanos, part.per))
    micros = max(micros, own(rate.min_nanos))
    if rate.max_nanos is not None and rate.max_rule is MaxRule.FREE:
        micros = min(micros, own(rate.max_nanos))
    return Price(charged, micros)


def increments(quantity: int, stretches: Sequence[Stretch]) -> Iterator[Increments]:
    """The increments of a record: each has the price of the stretch in which it begins. quantity > 0."""
    reached = 0
    ends = [stretch.begin for stretch in stretches[1:]]
    for stretch, end in zip(stretches, [*ends, quantity], strict=True):
        for part in _of_stretch(reached, min(end, quantity), stretch.rate):
            yield part
            reached += part.number * part.length


def in_increments(quantity: int, first: int, following: int) -> int:
    """61 s at 60/6 is charged as 66 s: later increments count from the end of the first. quantity > 0."""
    return first if quantity <= first else first + -(-(quantity - first) // following) * following


def rounded(micros: Fraction, rounding: Rounding, decimals: int = MICRO_DECIMALS) -> Micros:
    """Exact micros as whole units of the named decimal place."""
    unit = 10 ** (MICRO_DECIMALS - decimals)
    return Micros(divide(micros.numerator, micros.denominator * unit, rounding) * unit)


def _of_stretch(reached: int, end: int, rate: Rate) -> Iterator[Increments]:
    """The increments that begin from `reached` to before `end`; a call's very first has the rate's first length."""
    later = rate.later
    near = end if later is None else min(end, later.after)
    if reached == 0 < near:
        yield Increments(1, rate.first, rate.nanos, rate.per)
        reached = rate.first
    if reached < near:
        count = -(-(near - reached) // rate.next)
        yield Increments(count, rate.next, rate.nanos, rate.per)
        reached += count * rate.next
    if later is not None and reached < end:
        yield Increments(-(-(end - reached) // later.increment), later.increment, later.nanos, rate.per)
