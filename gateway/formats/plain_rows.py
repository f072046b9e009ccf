"""What does one line of a plain usage file say, service by service? docs/formats.md names the columns."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from ledger.errors import Malformed, RowMalformed
from ledger.identity import carrier_code
from ledger.prices.service_terms import SmsTerms
from ledger.prices.sms import is_charged, messages_or_segments
from ledger.service import Service

MAX_DIGITS = 18
MAX_TEXT = 32
"""What a leaf holds of a party or a route."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Row = Mapping[str | None, str | None]


class Columns(NamedTuple):
    """The columns of a service's file, beside start or start_ms."""

    required: tuple[str, ...]
    optional: tuple[str, ...]


COLUMNS: Mapping[Service, Columns] = {
    Service.VOICE: Columns(("a_party", "b_party", "quantity"), ("route", "line")),
    Service.SMS: Columns(
        ("a_party", "b_party", "route"), ("quantity", "parts", "length", "encoding", "status", "line")
    ),
    Service.DATA: Columns(("a_party", "b_party", "quantity", "route"), ("line",)),
    Service.IPL: Columns(("a_party", "b_party", "quantity", "route"), ("line",)),
}


def record_of(line: int, row: Row, service: Service, sms: SmsTerms) -> dict[str, object] | None:
    """A record of a UsageTable; None for a message that is not charged on delivery. Raises RowMalformed."""
    if None in row or None in row.values():
        raise RowMalformed("another number of cells than the header")
    if service is Service.SMS and "status" in row and not is_charged(sms, _cell(row, "status")):
        return None
    a_party, b_party = _parties(row, service)
    return {
        "line": _whole(row, "line") if row.get("line") else line,
        "a_party": a_party,
        "b_party": b_party,
        "start_ms": _start(row),
        "quantity": _messages(row, sms) if service is Service.SMS else _whole(row, "quantity"),
        "route": _text(row, "route", may_be_empty=service is Service.VOICE),
    }


def _parties(row: Row, service: Service) -> tuple[str, str]:
    match service:
        case Service.VOICE:
            caller = _digits(row, "a_party", may_be_empty=True, most=MAX_TEXT)  # no valid one has its price too
            return caller, _digits(row, "b_party", may_be_empty=False)
        case Service.SMS:
            return _text(row, "a_party", may_be_empty=True).removeprefix("+"), _digits(
                row, "b_party", may_be_empty=False
            )
        case Service.DATA:
            return _carrier(row, "a_party"), _carrier(row, "b_party")
        case Service.IPL:
            return _text(row, "a_party", may_be_empty=False), _text(row, "b_party", may_be_empty=False)


def _messages(row: Row, sms: SmsTerms) -> int:
    """As the file counts them, or else as its parts, or its length and encoding, tell."""
    if row.get("quantity"):
        return _whole(row, "quantity")
    parts, length = (_whole(row, name) if row.get(name) else None for name in ("parts", "length"))
    try:
        return messages_or_segments(sms, parts, length, row.get("encoding") or None)
    except Malformed as error:
        raise RowMalformed(error.message, expected=error.expected, got=error.got) from None


def _start(row: Row) -> int:
    if row.get("start_ms"):
        return _whole(row, "start_ms")
    try:
        moment = datetime.fromisoformat(_cell(row, "start"))
    except ValueError:
        raise RowMalformed("not a time", expected="2026-10-01T08:00:00Z", got=repr(row.get("start"))) from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(milliseconds=1)


def _cell(row: Row, column: str) -> str:
    return (row.get(column) or "").strip()


def _whole(row: Row, column: str) -> int:
    text = row.get(column) or ""
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
        raise RowMalformed(f"{column} is no whole number", expected="digits", got=repr(text[:40]))
    return int(text)


def _digits(row: Row, column: str, *, may_be_empty: bool, most: int = 15) -> str:
    text = row.get(column) or ""
    plain = text.strip().removeprefix("+")
    if not plain and may_be_empty:
        return ""
    if not (plain.isascii() and plain.isdigit() and len(plain) <= most):
        raise RowMalformed(
            f"{column} is no number in E.164 digits", expected=f"1 to {most} digits", got=repr(text[:40])
        )
    return plain


def _text(row: Row, column: str, *, may_be_empty: bool) -> str:
    text = _cell(row, column)
    if len(text) > MAX_TEXT or not text.isascii() or not (text or may_be_empty):
        least = 0 if may_be_empty else 1
        raise RowMalformed(
            f"{column} does not fit a leaf", expected=f"{least} to {MAX_TEXT} ASCII characters", got=repr(text[:40])
        )
    return text


def _carrier(row: Row, column: str) -> str:
    try:
        return carrier_code(_cell(row, column))
    except Malformed as error:
        raise RowMalformed(f"{column} is no carrier", expected=error.expected, got=error.got) from None
