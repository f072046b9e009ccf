"""How does a document write amounts? Exactly: as many places as the table needs, two at least."""

from collections.abc import Iterable

from ledger.money import div_half_even, show_micros


def places_of(amounts: Iterable[int]) -> int:
    """The fewest decimal places, two at least, that show every one of these micros exactly."""
    return max((_places(each) for each in amounts), default=2)


def grouped(micros: int, places: int = 2) -> str:
    """−1234567890 at two places: "−1,234.57"; half to even where places are short."""
    whole, part = show_micros(micros, places).split(".")
    sign = "−" if whole.startswith("-") else ""
    return f"{sign}{int(whole.lstrip('-')):,}.{part}"


def exactly(micros: int) -> str:
    """An amount in a sentence, exact, with two places or more."""
    return grouped(micros, places_of([micros]))


def percent_of(part: int, whole: int) -> str:
    """A share in percent with two places; a dash where there is nothing to compare with."""
    return grouped(div_half_even(part * 10_000, whole) * 10_000) if whole else "—"


def _places(micros: int) -> int:
    text = show_micros(micros).split(".")[1].rstrip("0")
    return max(2, len(text))
