"""What is a table of a page? Its columns with their values: what it is sorted by, filtered by and exported as."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import pyarrow as pa

from gateway.desk.filtering import Filters
from gateway.documents.tables import MONEY, rows_table
from ledger.errors import Malformed


class Kind(StrEnum):
    """What a column's values are."""

    TEXT = "text"
    COUNT = "count"
    """An integer: records, minutes, hundredths of a percent, blocks."""
    MONEY = "money"
    """Micros."""
    SECONDS = "seconds"
    """A moment, in seconds UTC."""
    MS = "ms"
    """A moment, in milliseconds UTC."""

    @property
    def arrow(self) -> pa.DataType:
        """The type of the exported column."""
        moment = pa.timestamp("ms", tz="UTC")
        return {Kind.TEXT: pa.string(), Kind.COUNT: pa.int64(), Kind.MONEY: MONEY}.get(self, moment)

    @property
    def is_number(self) -> bool:
        return self in (Kind.COUNT, Kind.MONEY)


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `word` is the key of its heading in the catalogue."""

    word: str
    value: Callable[[Any], object]
    kind: Kind = Kind.TEXT
    side: str = ""
    """"ours" or "theirs": the colour of its heading."""
    leaves: str = ""
    """Its name in an export, with the unit of what is no count; else the last part of the word."""

    @property
    def name(self) -> str:
        return self.leaves or self.word.rpartition(".")[2]

    @property
    def css(self) -> str:
        return " ".join(each for each in ("num" if self.kind.is_number else "", self.side) if each)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of a page, by the view that the page shows."""

    name: str
    rows: Callable[[Any], Sequence[Any]]
    """Of a view, in the order in which they are shown unless somebody sorts them."""
    columns: tuple[Column, ...]
    partner: Callable[[Any], str | None] | None = None
    """Whose row it is, if a filter by partner is to touch it."""
    service: Callable[[Any], str | None] | None = None
    period: Callable[[Any], str | None] | None = None
    whole: Callable[[Any], Iterable[Any]] | None = None
    """All rows of a table that shows a page of them at a time, in its own order: for taking it away."""
    most: int | None = None
    """Rows shown until somebody asks for all of them."""
    within: tuple[Column, ...] = ()
    """What the page shows within other cells: in an export these columns come first."""

    def chosen(self, view: object, filters: Filters, sort: "Sort | None") -> list[Any]:
        """The rows that the filters leave, in the order asked for."""
        rows = [row for row in self.rows(view) if self._is_wanted(row, filters)]
        if sort is None or sort.sheet != self.name or self.whole is not None:
            return rows
        column = next((each for each in self.columns if each.word == sort.word), None)
        if column is None:
            known = ", ".join(each.word for each in self.columns)
            raise Malformed("no such column to sort by", expected=known, got=sort.word[:40])
        return _sorted(rows, column.value, downwards=sort.downwards)

    def leaving(self, view: object, filters: Filters, sort: "Sort | None") -> list[Any]:
        """The rows of the whole table, as they leave the house."""
        if self.whole is None:
            return self.chosen(view, filters, sort)
        return [row for row in self.whole(view) if self._is_wanted(row, filters)]

    def table(self, rows: Sequence[Any]) -> pa.Table:
        """The rows as they leave the house."""
        columns = (*self.within, *self.columns)
        schema = pa.schema([(column.name, column.kind.arrow) for column in columns])
        return rows_table(schema, [[_cell(column, row) for column in columns] for row in rows])

    def _is_wanted(self, row: object, filters: Filters) -> bool:
        pairs = ((self.partner, filters.partner), (self.service, filters.service), (self.period, filters.period))
        return all(of is None or not wanted or of(row) == wanted for of, wanted in pairs)


@dataclass(frozen=True, slots=True)
class Sort:
    """An order somebody asked for: "-findings.difference" is by that column of that table, the largest first."""

    sheet: str
    word: str
    downwards: bool

    @property
    def text(self) -> str:
        return f"{'-' if self.downwards else ''}{self.sheet}.{self.word}"


def parse_sort(text: str | None) -> Sort | None:
    """The order of an address. Raises Malformed."""
    if not text:
        return None
    sheet, dot, word = text.removeprefix("-").partition(".")
    if not dot or not sheet or not word:
        raise Malformed("not an order", expected="TABLE.COLUMN, with - before it for downwards", got=repr(text[:60]))
    return Sort(sheet, word, text.startswith("-"))


def _sorted(rows: Sequence[Any], value: Callable[[Any], Any], *, downwards: bool) -> list[Any]:
    """Rows without a value come last, whichever way."""
    known = [row for row in rows if value(row) is not None]
    return sorted(known, key=value, reverse=downwards) + [row for row in rows if value(row) is None]


def _cell(column: Column, row: object) -> object:
    value = column.value(row)
    if value is None:
        return None
    if column.kind in (Kind.SECONDS, Kind.MS):
        assert isinstance(value, int)
        ms = value * 1000 if column.kind is Kind.SECONDS else value
        return datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)
    return str(value) if column.kind is Kind.TEXT else value
