"""Which pages does the head of every page lead to?"""

from typing import NamedTuple


class Place(NamedTuple):
    """One entry of the navigation: the key of its word, its address, and the key that goes there after g."""

    word: str
    href: str
    key: str


NAVIGATION = (Place("overview", "/desk", "o"),)
"""In the order of a desk's day; a page is here once it answers."""


def place_of(path: str) -> Place | None:
    """The entry a page belongs under: the longest address that its own begins with."""
    under = [place for place in NAVIGATION if path == place.href or path.startswith(f"{place.href}/")]
    return max(under, key=lambda place: len(place.href), default=None)
