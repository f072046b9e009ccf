"""How is the month told to the person who watches, and to the program that reads the last line?"""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ledger.money import show_micros


class StepFailed(Exception):
    """A step did not do what it says: what was expected and what came."""


@dataclass(slots=True)
class Step:
    """One step of the month while it runs, and what stays of it."""

    name: str
    seconds: float = 0.0
    checks: int = 0
    ok: bool = False
    facts: dict[str, object] = field(default_factory=dict)


class Telling:
    """Prints steps as they happen, keeps their facts, and checks what each of them says."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._steps: list[Step] = []
        self.problems: dict[str, str] = {}
        """Each of the five problems, and what the month showed of it."""

    @contextmanager
    def step(self, name: str, title: str) -> Iterator[Step]:
        """A step: its heading before, its time and checks after. What it raises goes on."""
        step = Step(name)
        self._steps.append(step)
        self._console.print(f"\n[bold]{len(self._steps):>2}  {name}[/bold]  [dim]{title}[/dim]", soft_wrap=True)
        began = time.monotonic()
        try:
            yield step
            step.ok = True
        finally:
            step.seconds = round(time.monotonic() - began, 2)
            self._console.print(f"    [dim]{step.checks} checks, {step.seconds:.1f} s[/dim]")

    def say(self, text: str) -> None:
        """A line under the step."""
        self._console.print(f"    {text}", highlight=False, soft_wrap=True)

    def problem(self, name: str, text: str) -> None:
        """One of the five problems is shown here, with its numbers."""
        self.problems[name] = text
        self._console.print(f"    [bold yellow]{name}[/bold yellow]  {text}", highlight=False, soft_wrap=True)

    def table(self, header: Sequence[str], rows: Iterable[Sequence[str]], numbers_from: int = 1) -> None:
        """A small table; columns from `numbers_from` on are right-aligned."""
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for position, name in enumerate(header):
            table.add_column(name, justify="right" if position >= numbers_from else "left", no_wrap=True)
        for row in rows:
            table.add_row(*row)
        self._console.print(_Indented(table))

    def expect(self, what: str, expected: object, got: object) -> None:
        """The step's own check against the truth. Raises StepFailed."""
        self._steps[-1].checks += 1
        if expected != got:
            raise StepFailed(f"{what}: expected {expected!r}, got {got!r}")

    def expect_true(self, what: str, holds: bool) -> None:
        """A check that is a sentence. Raises StepFailed."""
        self.expect(what, True, holds)

    def summary(self, **facts: object) -> str:
        """One line of JSON: everything a program wants to know about the run."""
        steps = [{"step": s.name, "ok": s.ok, "seconds": s.seconds, "checks": s.checks, **s.facts} for s in self._steps]
        document = {
            "ok": bool(self._steps) and all(step.ok for step in self._steps),
            **facts,
            "seconds": round(time.monotonic() - self._began, 1),
            "checks": sum(step.checks for step in self._steps),
            "problems": self.problems,
            "steps": steps,
        }
        return json.dumps(document, default=_plain)


class _Indented:
    """Four blanks before a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def __rich__(self) -> Table:
        outer = Table.grid(padding=(0, 0))
        outer.add_column(width=4)
        outer.add_column()
        outer.add_row("", self._table)
        return outer


def usd(micros: int) -> str:
    """ "1,234.56": for people; sums are made of micros."""
    text = show_micros(micros, 2)
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, part = digits.split(".")
    return f"{sign}{int(whole):,}.{part}"


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Path) else repr(value)
