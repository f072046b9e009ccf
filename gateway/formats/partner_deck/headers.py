"""Which of our columns does each column of a partner's rate deck mean, and how sure is that? By name and content."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from gateway.formats.partner_deck.cells import CHECKS, words_of
from ledger.errors import Malformed

NAMES: Mapping[str, tuple[str, ...]] = {
    "destination": (
        "destination",
        "dest",
        "destination name",
        "country",
        "zone",
        "breakout",
        "description",
        "dial plan name",
    ),
    "code": ("code", "codes", "dial code", "dial codes", "prefix", "dialing code", "destination code", "full code"),
    "country_code": ("country code", "cc", "country dial code"),
    "area_code": ("area code", "area codes", "city code", "city codes", "national code", "ndc", "area"),
    "rate": (
        "rate",
        "price",
        "rate per minute",
        "price per minute",
        "rate min",
        "price min",
        "new rate",
        "usd min",
        "rate usd",
    ),
    "increment": (
        "increment",
        "increments",
        "billing increment",
        "billing increments",
        "billing",
        "rounding rules",
        "interval",
        "min incr",
    ),
    "first": ("first", "initial increment", "first increment", "minimum duration", "min time", "initial"),
    "next": ("next", "next increment", "subsequent increment", "additional increment", "interval", "incremental"),
    "connect_fee": ("connect fee", "connection fee", "setup fee", "call setup", "setup charge"),
    "attempt_fee": ("attempt fee", "failed call fee", "attempt charge"),
    "min_charge": ("min charge", "minimum charge"),
    "max_charge": ("max charge", "maximum charge"),
    "effective_date": ("effective date", "effective", "valid from", "start date", "effective from", "date from"),
    "origin": ("origin", "origin group", "origin set", "origination", "a number group", "origin class"),
    "band": ("band", "time band", "time class", "time of day", "period"),
    "status": ("status", "change", "change type", "action", "rate change", "comment", "comments", "remark", "notes"),
    "currency": ("currency", "curr", "ccy"),
}
"""How rate decks call what we call so; in words, without signs."""
LEAST_SURE = 70
"""Per cent below which a column is not used."""
_HEADER_WITHIN = 40
_SAMPLE = 200


@dataclass(frozen=True, slots=True)
class Understood:
    """One column of a rate deck."""

    place: int
    heading: str
    column: str
    """Ours; "" if it is not used."""
    sure: int
    """Per cent."""


@dataclass(frozen=True, slots=True)
class Header:
    """Where a rate deck's heading stands, and what it says."""

    line: int
    columns: tuple[Understood, ...]

    def place(self, column: str) -> int | None:
        """Where our column stands."""
        return next((each.place for each in self.columns if each.column == column), None)


def understand(rows: Sequence[Sequence[str]], named: Mapping[str, str]) -> Header:
    """Find the heading among the first rows and what its columns mean; `named` are headings that a person explained.

    Raises Malformed if destination, code and rate are not all there.
    """
    best: Header | None = None
    for at, row in enumerate(rows[:_HEADER_WITHIN]):
        if sum(bool(cell.strip()) for cell in row) < 2:
            continue
        found = Header(at + 1, _columns(row, rows[at + 1 : at + 1 + _SAMPLE], named))
        if best is None or _weight(found) > _weight(best):
            best = found
    if best is None or _lacks(best):
        raise Malformed(
            "the rate deck's columns are not understood",
            expected="a heading with destination, code (or country and area code) and rate",
            got=_told(best),
            todo="Say what a column is: --map code='Dial prefix'." + _missing(best),
        )
    return best


def likeness(heading: str, column: str) -> int:
    """How much a heading sounds like our column, per cent."""
    words = words_of(heading)
    if not words:
        return 0
    scores = [SequenceMatcher(None, words, name).ratio() for name in NAMES[column]]
    inside = [0.9 for name in NAMES[column] if set(name.split()) <= set(words.split())]
    return round(100 * max([*scores, *inside]))


def _columns(heading: Sequence[str], rows: Sequence[Sequence[str]], named: Mapping[str, str]) -> tuple[Understood, ...]:
    """The best column for each heading, none twice: those that are surest first."""
    explained = {words_of(text): column for column, text in named.items()}
    claims = []
    for place, text in enumerate(heading):
        cells = [row[place].strip() for row in rows if place < len(row) and row[place].strip()]
        mine = explained.get(words_of(text))
        for column in NAMES:
            sure = (
                (101 if column == mine else 0) if mine else likeness(text, column) * (100 + _fits(column, cells)) // 200
            )
            claims.append((sure, -place, column))
    taken: dict[int, Understood] = {}
    columns: set[str] = set()
    for sure, minus, column in sorted(claims, reverse=True):
        if sure >= LEAST_SURE and -minus not in taken and column not in columns:
            taken[-minus] = Understood(-minus, heading[-minus].strip(), column, min(sure, 100))
            columns.add(column)
    unused = (place for place, text in enumerate(heading) if place not in taken and text.strip())
    taken |= {place: Understood(place, heading[place].strip(), "", 0) for place in unused}
    return tuple(taken[place] for place in sorted(taken))


def _fits(column: str, cells: Sequence[str]) -> int:
    """Per cent of the cells that read as this column's."""
    check = CHECKS.get(column)
    return 100 if check is None or not cells else 100 * sum(map(check, cells)) // len(cells)


def _weight(header: Header) -> int:
    return sum(each.sure for each in header.columns)


def _lacks(header: Header) -> bool:
    code = header.place("code") is not None or header.place("area_code") is not None
    return not code or header.place("destination") is None or header.place("rate") is None


def _missing(header: Header | None) -> str:
    if header is None:
        return ""
    lacking = [column for column in ("destination", "code", "rate") if header.place(column) is None]
    left = [each.heading for each in header.columns if not each.column]
    return f" Missing: {', '.join(lacking)}; left over: {', '.join(left)[:200] or 'none'}."


def _told(header: Header | None) -> str:
    if header is None:
        return "no row with two cells"
    return ", ".join(f"{each.heading}: {each.column or 'not used'}" for each in header.columns)[:300]
