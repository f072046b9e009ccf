"""What do the commands of the month share? Options, and how a command begins and ends."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from gateway.composition import Gateway, HomeFolder
    from gateway.month.declaring import DeclaredAnswer

Home = Annotated[
    Path | None, typer.Option("--home", help="The carrier's home folder", envvar="GSC_HOME", show_default="this folder")
]
Json = Annotated[bool, typer.Option("--json", help="The answer as JSON")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing")]
Partner = Annotated[str, typer.Option("--partner", help="The other carrier: GB-B")]
MaybePartner = Annotated[str | None, typer.Option("--partner", help="The other carrier; all of them if not given")]
MonthOption = Annotated[str, typer.Option("--period", help="Accounting month: 2026-10")]
MaybeMonth = Annotated[str | None, typer.Option("--period", help="Accounting month: 2026-10")]
Igw = Annotated[
    str | None, typer.Option("--igw", help="International gateway of data and private lines: GLOBAL-BEIJING")
]
AgreementFile = Annotated[Path | None, typer.Option("--agreement", help="Agreement file (TOML)")]
ExchangeRates = Annotated[
    Path | None, typer.Option("--fx", help="Exchange rates (CSV), where the deck is in another currency")
]
RateDay = Annotated[
    str | None, typer.Option("--fx-day", help="Day of the statement or receipt, where it chooses the rate")
]


def home_of(home: Path | None) -> "Gateway":
    """The gateway of the home folder."""
    from gateway.cli.opening import opened

    return opened(home or Path())


def named_home(home: Path | None) -> Path | None:
    """The home folder, unless it is the environment that names it."""
    from os import environ

    return None if home is None or str(home) == environ.get("GSC_HOME") else home


def folder_of(home: Path | None) -> "HomeFolder":
    """The home folder without keys, network and chain."""
    from gateway.cli.opening import opened_folder

    return opened_folder(home or Path())


def code_of(text: str) -> Any:
    """A carrier's code. Raises Malformed."""
    from ledger.identity import carrier_code

    return carrier_code(text)


def maybe_code(text: str | None) -> Any:
    """A carrier's code, if one is given. Raises Malformed."""
    return None if text is None else code_of(text)


def service_of(text: str) -> Any:
    """One of the four services. Raises Malformed."""
    from ledger.errors import Malformed
    from ledger.service import Service

    known = {service.word: service for service in Service}
    if text not in known:
        raise Malformed("not a service", expected=", ".join(known), got=repr(text[:20]))
    return known[text]


def maybe_month(text: str | None) -> Any:
    """A period, if one is given. Raises Malformed."""
    from ledger.period import parse_period

    return None if text is None else parse_period(text)


def day_of(text: str) -> Any:
    """A day. Raises Malformed."""
    from datetime import date

    from ledger.errors import Malformed

    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Malformed("not a day", expected="2026-11-03", got=repr(text[:20])) from None


def order_of_days(text: str | None) -> Any:
    """Which number of 05/10/2026 is the day, if that is said. Raises Malformed."""
    from gateway.formats.partner_deck.cells import DayOrder
    from ledger.errors import Malformed

    if text not in (None, *DayOrder):
        raise Malformed("not an order of days", expected=", ".join(DayOrder), got=repr(text)[:20])
    return None if text is None else DayOrder(text)


def registry_code_of(text: str | None) -> str | None:
    """The code of a licence or an international gateway, if one is given. Raises Malformed."""
    from ledger.identity import registry_code

    return None if text is None else registry_code(text)


DECLARED = ["partner", "owed to", "period", "seq", "records", "amount", "igw", "corrects", "state"]


def declared_rows(declarations: Iterable["DeclaredAnswer"]) -> list[list[object]]:
    """One row for each declaration, under DECLARED."""
    return [
        [
            each.partner,
            each.creditor,
            str(each.period),
            each.seq,
            each.count,
            str(each.amount),
            each.igw or "",
            each.corrects.hex()[:12] if each.corrects else "",
            each.submission.state,
        ]
        for each in declarations
    ]


def id_of(text: str) -> bytes:
    """32 bytes. Raises Malformed."""
    from ledger.errors import Malformed

    try:
        raw = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raw = b""
    if len(raw) != 32:
        raise Malformed("not an id", expected="64 hexadecimal digits", got=text[:80])
    return raw


def end(
    answer: object,
    json: bool,
    lines: list[str],
    after: str,
    headings: list[str] | None = None,
    rows: Sequence[Sequence[object]] | None = None,
) -> None:
    """Show the answer, and what comes next."""
    from gateway.cli.showing import show_json, show_next, show_rows

    if json:
        show_json(answer)
        return
    show_rows(headings or [], rows or [])
    for line in lines:
        typer.echo(line)
    show_next(after)
