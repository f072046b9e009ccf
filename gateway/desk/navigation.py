"""Which pages does the head of every page lead to?"""

import re
from typing import NamedTuple


class Place(NamedTuple):
    """One entry of the navigation: the key of its word, its address, and the key that goes there after g."""

    word: str
    href: str
    key: str


RECORDS = Place("records.nav", "/desk/records", "r")
DISPUTES = Place("disputes", "/desk/disputes", "d")
NAVIGATION = (
    Place("overview", "/desk", "o"),
    Place("statement", "/desk/statements", "s"),
    RECORDS,
    DISPUTES,
    Place("credit.nav", "/desk/credit", "c"),
    Place("arrears", "/desk/arrears", "a"),
    Place("netting", "/desk/netting", "n"),
    Place("risk.nav", "/desk/fraud", "f"),
    Place("decks.nav", "/desk/decks", "p"),
    Place("agreements", "/desk/agreements", "t"),
    Place("imports", "/desk/imports", "i"),
    Place("chain", "/desk/chain", "h"),
)
"""In the order of a desk's day; a page is here once it answers."""


def place_of(path: str) -> Place | None:
    """The entry a page belongs under: the longest address that its own begins with; a month's records have one too."""
    if re.fullmatch(r"/desk/statements/[^/]+/[^/]+/(records|findings)(/.*)?", path):
        return RECORDS
    under = [place for place in NAVIGATION if path == place.href or path.startswith(f"{place.href}/")]
    return max(under, key=lambda place: len(place.href), default=None)
