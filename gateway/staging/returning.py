"""How do rows that were left out go back to whoever wrote the file? As they came, each with its line and reason."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path

from gateway.formats.lines import PARQUET, ZIP, raw_line
from gateway.formats.sniffing import sample_lines
from gateway.formats.tap.files import SNIFFED_BYTES
from gateway.formats.tap.files import kind_of as roaming_kind
from ledger.errors import GscError
from ledger.store.imports import QuarantinedRow

LINE, REASON = "gsc_line", "gsc_reason"
"""What is put behind the columns of the file."""
_DELIMITERS = ",;\t|"


class Form(StrEnum):
    """How the rows go back."""

    CSV = "csv"
    """A CSV file's own delimiter and heading, two columns more."""
    NDJSON = "ndjson"
    """JSON objects with two members more."""
    LISTED = "listed"
    """Line, reason and what is left of the row, as CSV: of workbooks, Parquet and roaming files."""

    @property
    def suffix(self) -> str:
        return "ndjson" if self is Form.NDJSON else "csv"


def form_of(path: Path) -> Form:
    """How the rows of a kept raw file go back."""
    with path.open("rb") as file:
        head = file.read(SNIFFED_BYTES)
    if head[:4] in (ZIP, PARQUET) or roaming_kind(head) is not None:
        return Form.LISTED
    try:
        text = sample_lines(path).lstrip()
    except GscError:
        return Form.LISTED
    return Form.NDJSON if text.startswith(b"{") else Form.CSV


def returned(path: Path, rows: Iterable[QuarantinedRow]) -> Iterator[bytes]:
    """The rows as bytes of a file, in the form of the raw file they are from."""
    match form_of(path):
        case Form.NDJSON:
            yield from map(_object, rows)
        case Form.CSV:
            yield from _separated(path, rows)
        case Form.LISTED:
            yield _cells([LINE, REASON, "raw"], ",")
            for row in rows:
                yield _cells([str(row.line), row.reason, row.raw], ",")


def _object(row: QuarantinedRow) -> bytes:
    said = {LINE: row.line, REASON: row.reason}
    try:
        value = json.loads(row.raw)
    except (ValueError, RecursionError):
        value = None
    whole = {**value, **said} if isinstance(value, dict) else {**said, "raw": row.raw}
    return json.dumps(whole, ensure_ascii=False).encode() + b"\n"


def _separated(path: Path, rows: Iterable[QuarantinedRow]) -> Iterator[bytes]:
    """What stands in the raw rows stays as it is, byte for byte; only two cells follow."""
    first = raw_line(path, 1).removeprefix("\ufeff")
    delimiter = max(_DELIMITERS, key=first.count)
    if not any(character.isdigit() for character in first):
        yield first.encode() + delimiter.encode() + _cells([LINE, REASON], delimiter)
    for row in rows:
        if row.line != 1 or row.raw != first:
            yield row.raw.encode() + delimiter.encode() + _cells([str(row.line), row.reason], delimiter)


def _cells(cells: list[str], delimiter: str) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()
