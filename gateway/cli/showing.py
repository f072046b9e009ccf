"""How does a command show its answer? As JSON for programs, or as a table a desk reads; never a traceback."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import typer

from gateway.answers import as_json


def show_json(value: object) -> None:
    """The answer as JSON on stdout: the same as the API's."""
    typer.echo(json.dumps(as_json(value), indent=2, ensure_ascii=False))


def show_rows(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table with aligned columns; numbers to the right."""
    if not rows:
        return
    texts = [[_cell(cell) for cell in row] for row in rows]
    right = [all(_is_number(row[at]) for row in texts) for at in range(len(headings))]
    widths = [max(len(heading), *(len(row[at]) for row in texts)) for at, heading in enumerate(headings)]
    for row in [list(headings), *texts]:
        cells = (
            cell.rjust(width) if numeric else cell.ljust(width)
            for cell, width, numeric in zip(row, widths, right, strict=True)
        )
        typer.echo("  ".join(cells).rstrip())


def show_next(command: str) -> None:
    """The last line of a command: what comes next."""
    typer.echo(f"next: {command}")


def amount(value: Mapping[str, Any]) -> str:
    """{"unit": "USD", "value": "12.500000"} with thousands separated and two places, as desks write it."""
    from ledger.money import parse_micros, show_micros

    whole, part = show_micros(parse_micros(value["value"]), 2).split(".")
    sign = "-" if whole.startswith("-") else ""
    return f"{sign}{int(whole.lstrip('-')):,}.{part}"


def state_of(submission: Mapping[str, Any] | None) -> str:
    """A submission's state and why it is held or refused, in a word."""
    if submission is None:
        return "on chain"
    reason = submission.get("reason")
    return f"{submission['state']} ({reason.split(' (')[0]})" if reason else str(submission["state"])


def printable(text: str) -> str:
    """Text of a file or of another carrier, without the characters that a terminal obeys."""
    return "".join(each if each.isprintable() else "?" for each in text)


def counted(count: int, word: str) -> str:
    """1 cause, 1,204 causes: for words whose plural has an s."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else printable(str(value))


def _is_number(text: str) -> bool:
    return text.lstrip("+-−").replace(",", "").replace(".", "").isdigit() or text in ("", "—")
