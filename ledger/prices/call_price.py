"""What does one call cost under everything the two agreed: origin, time bands, surcharges? The definition, row by row.

ledger/prices/call_rating.py does the same for whole columns and asks here for the rows that are rare.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from zoneinfo import ZoneInfo

from ledger.errors import Malformed
from ledger.money import Rounding
from ledger.prices.bands import LAST_MS, band_at, next_change
from ledger.prices.charging import Price, Stretch, price
from ledger.prices.deck import DeckHistory, Rate
from ledger.prices.fx import Conversion
from ledger.prices.origin import origin_of, surcharge_of, with_surcharge
from ledger.prices.rating_terms import INVALID, BandRule, RatingTerms, RoundingPlace


@dataclass(frozen=True, slots=True, eq=False)
class PriceRules:
    """What prices a direction's calls."""

    history: DeckHistory
    terms: RatingTerms
    zone: ZoneInfo
    """Whose clock the bands follow."""
    rounding: Rounding
    conversion: Conversion | None = None
    """Into the agreement's currency, where the deck has another."""
    shares: Mapping[str, Fraction] | None = None
    """As which origins calls without a valid caller's number are charged, in which shares; None: as "invalid"."""

    @property
    def own_rounding(self) -> Rounding | None:
        """How each increment is rounded, if increments are."""
        return self.rounding if self.terms.place is RoundingPlace.INCREMENT else None


@dataclass(frozen=True, slots=True)
class Call:
    """What of a usage record decides its price."""

    a_party: str
    b_party: str
    start_ms: int
    quantity: int


def price_call(call: Call, rules: PriceRules) -> tuple[Price, Rate]:
    """The exact price of one call and the rate at its start. Raises UnknownDestination, Malformed, NotFound."""
    own, rate = _own_price(call, rules)
    factor = Fraction(1) if rules.conversion is None else rules.conversion.factor_at(call.start_ms)
    return Price(own.charged_quantity, own.micros * factor), rate


def _own_price(call: Call, rules: PriceRules) -> tuple[Price, Rate]:
    """In the deck's currency."""
    origin = origin_of(call.a_party, rules.terms.origins)
    if origin != INVALID or rules.shares is None:
        return price_as(call, origin, rules)
    priced = {name: price_as(call, name, rules) for name in rules.shares}
    named = leading(rules.shares)
    micros = sum((share * priced[name][0].micros for name, share in rules.shares.items()), Fraction(0))
    return Price(priced[named][0].charged_quantity, micros), priced[named][1]


def price_as(call: Call, origin: str, rules: PriceRules) -> tuple[Price, Rate]:
    """The price as of a call of this origin. Raises UnknownDestination, Malformed."""
    called = origin_of(call.b_party, rules.terms.origins)
    surcharge = surcharge_of(origin, called, rules.terms.surcharges)
    stretches = [
        Stretch(begin, with_surcharge(rules.history.rate_for(call.b_party, call.start_ms, origin, band), surcharge))
        for begin, band in _bands_of(call, rules)
    ]
    return price(call.quantity, stretches, rules.own_rounding, rules.terms.decimals), stretches[0].rate


def leading(shares: Mapping[str, Fraction]) -> str:
    """The origin whose rate names the destination of a call that is charged in shares."""
    return max(sorted(shares), key=lambda name: shares[name])


def _bands_of(call: Call, rules: PriceRules) -> list[tuple[int, str]]:
    """Where in the call each band begins; the rate is the one in force at its start all along."""
    bands = rules.terms.bands
    at, end = call.start_ms, call.start_ms + call.quantity
    if bands.bands and not 0 <= at <= at + max(call.quantity, 0) <= LAST_MS:
        raise Malformed("time out of bounds", expected=f"a call from 0 to {LAST_MS} ms", got=f"{at} to {end}")
    found = [(0, _name(rules, at))]
    while bands.bands and bands.rule is BandRule.SPLIT:
        change = next_change(bands, rules.zone, at, end)
        if change is None:
            break
        at = change
        found.append((at - call.start_ms, _name(rules, at)))
    return found


def _name(rules: PriceRules, at_ms: int) -> str:
    place = band_at(rules.terms.bands, rules.zone, at_ms)
    return "" if place < 0 else rules.terms.bands.bands[place].name
