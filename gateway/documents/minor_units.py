"""How small can an amount be at a bank or in an invoice? Whole minor units of its currency, rounded once, half to even.

Source of the exponents: ISO 4217, list one, "minor unit".
"""

from ledger.money import MICROS, Micros, div_half_even

_WHOLE_UNITS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THOUSANDTHS = "BHD IQD JOD KWD LYD OMR TND"
_PLACES = dict.fromkeys(_WHOLE_UNITS.split(), 0) | dict.fromkeys(_THOUSANDTHS.split(), 3)
"""Of all others: 2."""


def minor_places(currency: str) -> int:
    """Decimal places of a currency's amounts."""
    return _PLACES.get(currency, 2)


def to_minor(micros: int, currency: str) -> int:
    """Micros as whole minor units: 4,431,000 of USD is 443."""
    return div_half_even(micros, _unit(currency))


def from_minor(minor: int, currency: str) -> Micros:
    """Whole minor units as micros."""
    return Micros(minor * _unit(currency))


def show_minor(minor: int, currency: str) -> str:
    """Minor units in decimal, a point and no grouping: "4.43"."""
    places = minor_places(currency)
    whole, rest = divmod(abs(minor), 10**places)
    return f"{'-' if minor < 0 else ''}{whole}{f'.{rest:0{places}d}' if places else ''}"


def _unit(currency: str) -> int:
    """Micros of one minor unit."""
    return MICROS // int(10 ** minor_places(currency))
