"""What does one key of an agreement file hold? Tables whose keys are each taken once, and the readers of values."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ledger.agreement import DAY_SECONDS
from ledger.errors import Malformed
from ledger.money import Micros, Rounding, parse_micros
from ledger.service import Service

MAX_DAYS = 3_650
MAX_BPS = 10_000

_T = TypeVar("_T")


class Section:
    """A table of the file from which each key is taken once; `finish` refuses what is left."""

    def __init__(self, name: str, content: object) -> None:
        if not isinstance(content, dict):
            raise Malformed(f"{name} is not a table", expected=f"[{name}]", got=repr(content)[:40])
        self._name, self._left = name, dict(content)

    def section(self, key: str) -> "Section":
        return Section(key, self._left.pop(key, {}))

    def tables(self, key: str) -> "list[Section]":
        """The tables of [[key]], in the order of the file; none if it is absent."""
        found = self._left.pop(key, [])
        if not isinstance(found, list):
            raise Malformed(f"{key} is not a list of tables", expected=f"[[{key}]]", got=repr(found)[:40])
        return [Section(f"{key} {number}", each) for number, each in enumerate(found, start=1)]

    def names(self) -> list[str]:
        """The keys that nobody has taken, in the order of the file."""
        return list(self._left)

    def required(self, key: str, read: Callable[[str, object], _T]) -> _T:
        if key not in self._left:
            raise Malformed(
                f"{self._name} lacks {key}", expected=f"the key {key}", got=", ".join(self._left) or "nothing"
            )
        return read(key, self._left.pop(key))

    def optional(self, key: str, read: Callable[[str, object], _T], default: _T) -> _T:
        return read(key, self._left.pop(key)) if key in self._left else default

    def finish(self) -> None:
        if self._left:
            unknown = sorted(self._left)[0]
            raise Malformed(
                f"{self._name} has an unknown key",
                expected="only the keys of docs/formats.md",
                got=unknown,
                todo="Correct its spelling or remove it.",
            )


def text_of(key: str, value: object) -> str:
    if isinstance(value, str):
        return value
    raise Malformed(f"{key} is not text", expected="text in quotes", got=repr(value)[:40])


def texts_of(key: str, value: object) -> list[str]:
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return value
    raise Malformed(f"{key} is not a list of texts", expected='for example ["voice"]', got=repr(value)[:40])


def whole(key: str, value: object, most: int) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most:
        return value
    raise Malformed(f"{key} is out of bounds", expected=f"a whole number from 0 to {most}", got=repr(value)[:40])


def days(key: str, value: object) -> int:
    return whole(key, value, MAX_DAYS)


def bps(key: str, value: object) -> int:
    return whole(key, value, MAX_BPS)


def milliseconds(key: str, value: object) -> int:
    return whole(key, value, DAY_SECONDS * 1000)


def amount(key: str, value: object) -> Micros:
    amount = parse_micros(text_of(key, value))
    if amount < 0:
        raise Malformed(f"{key} is negative", expected="0 or more", got=value)
    return amount


def currency_of(key: str, value: object) -> str:
    text = text_of(key, value)
    if len(text) == 3 and text.isascii() and text.isalpha() and text.isupper():
        return text
    raise Malformed("not a currency", expected="three capital letters of ISO 4217", got=repr(text[:10]))


def services_of(key: str, value: object) -> frozenset[Service]:
    known: Mapping[str, Service] = {service.word: service for service in Service}
    words = texts_of(key, value)
    if unknown := [word for word in words if word not in known]:
        raise Malformed("not a service", expected=", ".join(known), got=unknown[0])
    return frozenset(known[word] for word in words)


def zone_of(key: str, value: object) -> ZoneInfo:
    try:
        return ZoneInfo(text_of(key, value))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Malformed("not a time zone", expected="a name such as Europe/London", got=repr(value)[:40]) from None


def rounding_of(key: str, value: object) -> Rounding:
    try:
        return Rounding(text_of(key, value))
    except ValueError:
        raise Malformed("not a rounding", expected=", ".join(Rounding), got=repr(value)[:40]) from None


def moment_ms(key: str, value: object) -> int:
    """A date (midnight UTC) or a date and time with its offset."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        moment = value
    elif isinstance(value, date) and not isinstance(value, datetime):
        moment = datetime(value.year, value.month, value.day, tzinfo=UTC)
    else:
        raise Malformed(f"{key} is not a moment", expected="2026-09-01 or 2026-09-01T00:00:00Z", got=str(value)[:40])
    if moment.timestamp() < 0 or moment.microsecond:
        raise Malformed(f"{key} is out of bounds", expected="whole seconds since 1970", got=str(value)[:40])
    return int(moment.timestamp()) * 1000
