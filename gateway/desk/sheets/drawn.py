"""How does a page show a table? Its rows, headings that sort it, and links that take the whole of it away."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pyarrow as pa

from gateway.desk.filtering import Filters
from gateway.desk.sheets.sheet import Column, Sheet, Sort, parse_sort
from gateway.documents.tables import TableFormat, export
from ledger.errors import NotFound

SORT, EXPORT, FORMAT, WHOLE = "sort", "export", "format", "whole"
OWN = frozenset({SORT, EXPORT, FORMAT, WHOLE})
"""Words of an address that are not the page's own."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a page was asked for: what its tables' links are made of."""

    origin: str
    """Scheme and host."""
    path: str
    query: Mapping[str, str]
    """As asked, without doubles."""

    def href(self, **changes: str | None) -> str:
        """The same page with some words of the query changed; None leaves one out."""
        words = {name: value for name, value in {**self.query, **changes}.items() if value is not None}
        return f"{self.path}?{urlencode(words)}" if words else self.path


@dataclass(frozen=True, slots=True)
class Heading:
    """The head of a column."""

    column: Column
    href: str
    """Where it is sorted by this column; "" for one that shows a page at a time."""
    sorted: str
    """What aria-sort says: "ascending", "descending", or "" """


@dataclass(frozen=True, slots=True)
class Taken:
    """How the whole of a table is taken away."""

    exports: Sequence[tuple[str, str]]
    """Format and address of each."""
    curl: str
    """The command that does the same as CSV's link."""


@dataclass(frozen=True, slots=True)
class DrawnSheet:
    """A table as a page draws it."""

    name: str
    rows: Sequence[Any]
    headings: Sequence[Heading]
    taken: Taken
    more: int
    """Rows that are not shown."""
    whole: str
    """Where all of them are; "" if they are here."""


def drawn(sheet: Sheet, view: object, filters: Filters, address: Address) -> DrawnSheet:
    """A table of this view. Raises Malformed for an order by what it has not."""
    sort = parse_sort(address.query.get(SORT))
    rows = sheet.chosen(view, filters, sort)
    shown = rows if address.query.get(WHOLE) == sheet.name else rows[: sheet.most]
    more = len(rows) - len(shown)
    return DrawnSheet(
        name=sheet.name,
        rows=shown,
        headings=[_heading(sheet, column, sort, address) for column in sheet.columns],
        taken=taken(sheet.name, address),
        more=more,
        whole=address.href(**{WHOLE: sheet.name}) if more else "",
    )


def taken(name: str, address: Address) -> Taken:
    """Where each format of a table is, and the command for it: the whole table, wherever in it the page is."""

    def href(format_: TableFormat) -> str:
        return address.href(**{EXPORT: name, FORMAT: format_.value, "after": None, "before": None})

    whole = shlex.quote(address.origin + href(TableFormat.CSV))
    curl = f'curl -H "Authorization: Bearer $GSC_TOKEN" -o {shlex.quote(name)}.csv {whole}'
    return Taken([(each.value, href(each)) for each in TableFormat], curl)


def exported(
    sheets: Sequence[Sheet], view: object, filters: Filters, address: Address, format_: TableFormat
) -> Iterator[bytes]:
    """The whole of the table that the address names, in its order. Raises NotFound, Malformed."""
    name = address.query[EXPORT]
    sheet = next((each for each in sheets if each.name == name), None)
    if sheet is None:
        known = ", ".join(each.name for each in sheets) or "none"
        raise NotFound("this page has no such table", expected=known, got=name[:40])
    rows = sheet.leaving(view, filters, parse_sort(address.query.get(SORT)))
    table: pa.Table = sheet.table(rows)
    return export(table, format_)


def _heading(sheet: Sheet, column: Column, sort: Sort | None, address: Address) -> Heading:
    mine = sort is not None and (sort.sheet, sort.word) == (sheet.name, column.word)
    downwards = mine and sort is not None and sort.downwards
    turned = Sort(sheet.name, column.word, not downwards if mine else column.kind.is_number)
    said = ("descending" if downwards else "ascending") if mine else ""
    if sheet.whole is not None:
        return Heading(column, "", "")
    return Heading(column, f"{address.href(**{SORT: turned.text})}#{sheet.name}", said)
