"""How is one value of gsc.toml read and written? Text, table, word, list of numbers."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from ledger.errors import Malformed

Word = TypeVar("Word", bound=StrEnum)


def refuse_unknown(raw: Mapping[str, Any], known: list[str], where: str) -> None:
    """Raises Malformed, naming the keys that there are."""
    unknown = sorted(raw.keys() - set(known))
    if unknown:
        raise Malformed(
            f"unknown key in {where}: {', '.join(unknown)}",
            expected=f"one of {', '.join(known)}",
            todo="Correct the spelling or remove it.",
        )


def text_of(raw: Mapping[str, Any], name: str) -> str:
    """A text that must be there. Raises Malformed."""
    value = raw.get(name)
    if not isinstance(value, str):
        raise Malformed(f"{name} is missing or not text", expected=f'{name} = "…"', got=repr(value))
    return value


def table_of(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A table, empty if it is not there. Raises Malformed."""
    value = raw.get(name, {})
    if not isinstance(value, dict):
        raise Malformed(f"{name} is not a table", expected=f"[{name}]", got=repr(value))
    return value


def one_of(kind: type[Word], value: str, where: str) -> Word:
    """One of a few words. Raises Malformed, naming them."""
    if value not in {member.value for member in kind}:
        raise Malformed(f"unknown {where}", expected=" or ".join(member.value for member in kind), got=repr(value))
    return kind(value)


def ranges_of(raw: object, where: str) -> tuple[str, ...]:
    """Beginnings of numbers, ASCII digits only. Raises Malformed."""
    if not isinstance(raw, list) or not all(
        isinstance(each, str) and each.isascii() and each.isdigit() for each in raw
    ):
        raise Malformed(f"{where} is no list of number ranges", expected='["447700900"]', got=repr(raw)[:80])
    return tuple(raw)


def quoted(text: str) -> str:
    """As a TOML string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def quoted_all(texts: tuple[str, ...]) -> str:
    """As the inside of a TOML list."""
    return ", ".join(map(quoted, texts))
