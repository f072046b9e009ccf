"""Where does a call come from, and what does that add to its price? Origins by the digits of a number; surcharges.

A number's origin is the class with the longest code that begins it, "other" if only a country code does, and "invalid"
if it is no number: none, fewer than 5 or more than 15 digits, no country code assigned by ITU-T E.164.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ledger.errors import Malformed, UnknownDestination
from ledger.money import Nanos
from ledger.numbers import MIN_DIGITS
from ledger.prices.deck import MINUTE_MS, DeckHistory, LaterStep, Rate, deck_history, rate_deck
from ledger.prices.rating_terms import INVALID, OTHER, Origin, RatingTerms, ShareBy, Surcharge

_ASSIGNED = """
    1 20 211 212 213 216 218 220 221 222 223 224 225 226 227 228 229 230 231 232 233 234 235 236 237 238 239 240
    241 242 243 244 245 246 247 248 249 250 251 252 253 254 255 256 257 258 260 261 262 263 264 265 266 267 268
    269 27 290 291 297 298 299 30 31 32 33 34 350 351 352 353 354 355 356 357 358 359 36 370 371 372 373 374 375
    376 377 378 379 380 381 382 383 385 386 387 389 39 40 41 420 421 423 43 44 45 46 47 48 49 500 501 502 503
    504 505 506 507 508 509 51 52 53 54 55 56 57 58 590 591 592 593 594 595 596 597 598 599 60 61 62 63 64 65 66
    670 672 673 674 675 676 677 678 679 680 681 682 683 685 686 687 688 689 690 691 692 7 800 808 81 82 84 850
    852 853 855 856 86 870 878 880 881 882 883 886 888 90 91 92 93 94 95 960 961 962 963 964 965 966 967 968 970
    971 972 973 974 975 976 977 979 98 992 993 994 995 996 998
"""
COUNTRY_CODES = frozenset(_ASSIGNED.split())
"""Assigned country codes, geographic and global. Source: ITU-T, list of E.164 assigned country codes."""

Finder = Callable[[pa.Array, DeckHistory], pa.Array]
"""Numbers and codes as a deck to the destination of each number, null where none begins it."""


def origin_of(number: str, origins: Sequence[Origin]) -> str:
    """The origin of one number as a usage record holds it: the definition."""
    if len(number) < MIN_DIGITS or not (number.isascii() and number.isdigit()):
        return INVALID
    try:
        return _codes(tuple(origins)).rate_for(number, 0).destination if len(number) <= 15 else INVALID
    except UnknownDestination:
        return INVALID


def origins_of(numbers: pa.Array, origins: Sequence[Origin], find: Finder) -> pa.DictionaryArray:
    """The origin of each number."""
    distinct = numbers.dictionary_encode()
    found = find(distinct.dictionary, _codes(tuple(origins)))
    short = pc.less(pc.binary_length(distinct.dictionary), MIN_DIGITS)
    named = pc.if_else(short, INVALID, pc.fill_null(found, INVALID))
    texts = named.dictionary_encode()
    places = pc.take(texts.indices, distinct.indices)
    return pa.DictionaryArray.from_arrays(places, texts.dictionary)


def surcharge_of(origin: str, called: str, surcharges: Sequence[Surcharge]) -> Surcharge | None:
    """The first surcharge that fits the origins of the calling and the called number."""
    for surcharge in surcharges:
        if origin in surcharge.origins and (not surcharge.to or called in surcharge.to):
            return surcharge
    return None


@lru_cache(maxsize=65_536)
def with_surcharge(rate: Rate, surcharge: Surcharge | None) -> Rate:
    """The rate with what is charged on top; its bounds hold for the whole."""
    if surcharge is None:
        return rate
    later = rate.later
    step = later and LaterStep(later.after, _raised(later.nanos, rate, surcharge), later.increment)
    fee = Nanos(rate.connect_nanos + surcharge.fee_nanos)
    return replace(rate, nanos=_raised(rate.nanos, rate, surcharge), connect_nanos=fee, later=step)


def shares_of_known(
    origins: NDArray[np.int32], quantity: NDArray[np.int64], names: Sequence[str], terms: RatingTerms
) -> Mapping[str, Fraction]:
    """How calls without a valid caller's number are charged: as which origins, and in which shares, which add up to 1.

    origins are places in names, of all calls of a period. Source: see UnknownCallers.
    """
    rule = terms.unknown_callers
    assert rule is not None
    known = [place for place, name in enumerate(names) if name != INVALID]
    calls = {names[place]: int((origins == place).sum()) for place in known}
    enough = sum(calls.values()) * 10_000 >= rule.share_bps * len(origins)
    counted = calls
    if rule.by is ShareBy.DURATION:
        counted = {names[place]: int(quantity[origins == place].sum()) for place in known}
    total = sum(counted.values())
    if not enough or total == 0:
        return {rule.high: Fraction(1)}
    return {name: Fraction(count, total) for name, count in sorted(counted.items()) if count}


def check_names(history: DeckHistory, terms: RatingTerms) -> None:
    """Raises Malformed for a deck that names an origin or a band the agreement does not have."""
    for dated in history.decks:
        for what, used, known in (
            ("origin", {rate.origin for rate in dated.deck.rates}, {origin.name for origin in terms.origins}),
            ("band", {rate.band for rate in dated.deck.rates}, {band.name for band in terms.bands.bands}),
        ):
            allowed = known | ({OTHER, INVALID} if what == "origin" else set()) | {""}
            if unknown := sorted(used - allowed):
                raise Malformed(
                    f"the rate deck names an {what} that the agreement lacks"
                    if what == "origin"
                    else "the rate deck names a band that the agreement lacks",
                    expected=", ".join(sorted(allowed - {""})) or f"no {what}",
                    got=unknown[0],
                    todo="Add it to [rating] of the agreement, or correct the deck.",
                )


def _raised(nanos: Nanos, rate: Rate, surcharge: Surcharge) -> Nanos:
    assert rate.per == MINUTE_MS, "a surcharge for a minute is for calls"
    return Nanos(nanos + surcharge.nanos)


@lru_cache(maxsize=16)
def _codes(origins: tuple[Origin, ...]) -> DeckHistory:
    """The classes' codes and the countries' as a deck, whose longest-code search this shares."""
    named = dict.fromkeys(COUNTRY_CODES, OTHER) | {code: origin.name for origin in origins for code in origin.codes}
    return deck_history([(0, rate_deck("XXX", [Rate(name, code, Nanos(0)) for code, name in named.items()]))])
