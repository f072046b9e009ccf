"""When were private lines out of service? CSV files in the home folder's outages/, or one beside a usage file."""

import csv
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ledger.errors import Malformed
from ledger.prices.circuits import Outage

COLUMNS = ("circuit", "begin", "end")
FOLDER = "outages"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_NAME = 32


def outages_of(home: Path) -> tuple[Outage, ...]:
    """All outages that the home folder knows; none without the folder. Raises Malformed with file and line."""
    return tuple(each for path in sorted((home / FOLDER).glob("*.csv")) for each in load_outages(path))


def load_outages(path: Path) -> tuple[Outage, ...]:
    """Read a CSV of circuit, begin and end (ISO 8601 with offset, UTC without). Raises Malformed with its line.

    A line that cannot be read stops the file: an outage that is left out would make a charge too high.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return tuple(_outages(csv.DictReader(stream, strict=True), path.name))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Malformed("the file of outages cannot be read", expected="CSV in UTF-8", got=str(error)) from None


def _outages(reader: "csv.DictReader[str]", name: str) -> Iterator[Outage]:
    if sorted(reader.fieldnames or []) != sorted(COLUMNS):
        raise Malformed(
            f"{name} has other columns", expected=", ".join(COLUMNS), got=", ".join(reader.fieldnames or [])
        )
    for row in reader:
        try:
            yield _outage(row)
        except Malformed as error:
            raise Malformed(
                f"line {reader.line_num} of {name}: {error.message}", expected=error.expected, got=error.got
            ) from None


def _outage(row: Mapping[str, str | None]) -> Outage:
    circuit = (row["circuit"] or "").strip()
    if not (0 < len(circuit) <= _MAX_NAME and circuit.isascii()):
        raise Malformed("not a circuit", expected=f"1 to {_MAX_NAME} ASCII characters", got=repr(circuit[:40]))
    begin, end = (_moment_ms(row[name] or "") for name in ("begin", "end"))
    if end <= begin:
        raise Malformed("an outage ends before it begins", expected="an end after the begin", got=row["end"])
    return Outage(circuit, begin, end)


def _moment_ms(text: str) -> int:
    plain = text.strip()
    try:
        moment = datetime.fromisoformat(plain if plain.isascii() else "")
    except ValueError:
        raise Malformed("not a time", expected="2026-10-05T08:00:00Z", got=repr(text[:40])) from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(milliseconds=1)
