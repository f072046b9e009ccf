"""Which commands take usage files in? `gsc mapping` says how an unknown one may be read, `gsc import` reads it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.parts import DryRun, Home, Json, MaybeMonth, end, folder_of, home_of

if TYPE_CHECKING:
    from gateway.formats.files import Told
    from gateway.formats.mapping import Help
    from gateway.month.importing import ImportAnswer, ImportedUsage

PROGRESS_FROM_BYTES = 32 << 20
SHOWN_LINES = 5
_UNITS = {"voice": (60_000, "min"), "sms": (1, "messages"), "data": (10**9, "GB"), "ipl": (1, "circuit-days")}

File = Annotated[Path, typer.Argument(help="Usage file", exists=True, dir_okay=False)]


def register(app: typer.Typer) -> None:
    """Add these commands, in their order."""
    app.command("mapping")(mapping)
    app.command("import")(import_)
    app.command("replay")(replay)


def import_(
    file: Annotated[
        Path,
        typer.Argument(help="Usage file: CSV, NDJSON, Parquet or XLSX, packed or not", exists=True, dir_okay=False),
    ],
    preset: Annotated[
        str,
        typer.Option("--as", "--map", "--preset", help="A preset (--help-presets lists them), a TOML file, or auto"),
    ] = "auto",
    zone: Annotated[str | None, typer.Option("--tz", help="Zone of its local times; else as in gsc.toml")] = None,
    partner: Annotated[
        str | None, typer.Option("--partner", help="Whose traffic, where no known trunk says it")
    ] = None,
    direction: Annotated[str | None, typer.Option("--direction", help="in (from the partner) or out, likewise")] = None,
    period: MaybeMonth = None,
    batch_days: Annotated[int, typer.Option(min=1, max=31, help="Days in one sealed batch")] = 7,
    home: Home = None,
    dry_run: DryRun = False,
    json: Json = False,
    help_presets: Annotated[
        bool,
        typer.Option("--help-presets", is_eager=True, callback=lambda shown: _list_presets(shown), help="List them"),
    ] = False,
) -> None:
    """Read usage of any service; malformed rows are quarantined with line and reason."""
    from gateway import month
    from gateway.month.telling import said_of

    gateway = folder_of(home) if dry_run else home_of(home)
    said = said_of(zone, partner, direction, period)
    with _progress(file, json) as told:
        answer = month.import_usage(gateway, file, preset, batch_days=batch_days, dry_run=dry_run, said=said, told=told)
    _show(answer, json)


def replay(
    number: Annotated[int, typer.Argument(help="The import whose quarantined rows are read again")],
    preset: Annotated[str, typer.Option("--as", "--map", "--preset", help="A preset, a TOML file, or auto")] = "auto",
    zone: Annotated[str | None, typer.Option("--tz", help="Zone of its local times; else as in gsc.toml")] = None,
    partner: Annotated[
        str | None, typer.Option("--partner", help="Whose traffic, where no known trunk says it")
    ] = None,
    direction: Annotated[str | None, typer.Option("--direction", help="in (from the partner) or out, likewise")] = None,
    home: Home = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Read the rows an import left out again, after a change of the mapping or of a trunk."""
    from gateway import month
    from gateway.month.telling import said_of

    said = said_of(zone, partner, direction)
    _show(month.replay(home_of(home), number, preset, dry_run=dry_run, said=said), json)


def mapping(
    file: File,
    service: Annotated[str, typer.Option("--service", help="voice, sms, data or ipl")] = "voice",
    out: Annotated[Path | None, typer.Option("--out", help="Where the mapping goes; else it is printed")] = None,
    map_: Annotated[list[str] | None, typer.Option("--map", help="What a column is: quantity='Billed Min'")] = None,
    dates: Annotated[str | None, typer.Option(help="dmy or mdy, where days can be read in two ways")] = None,
    unit: Annotated[str | None, typer.Option(help="s, ms or min, where no column's name tells it")] = None,
    json: Json = False,
) -> None:
    """Propose how to read a file of no known preset, from its header and first rows."""
    from gateway.formats.mapping import propose
    from ledger.errors import Conflict

    proposal = propose(file, service, _help(map_, dates, unit))
    if out is not None:
        if out.exists():
            raise Conflict(f"{out} exists", expected="a new file", todo="Remove it, or name another --out.")
        out.write_text(proposal.toml, "utf-8")
    lines = [] if out is not None else proposal.toml.splitlines()
    lines += [
        f"# {proposal.sure_percent} % of {proposal.sampled} rows read so; not used: {', '.join(proposal.unused) or '-'}"
    ]
    lines += [f"# {remark}" for remark in proposal.remarks]
    end(proposal, json, lines, f"gsc import {file} --map {out or 'MAPPING.toml'} --dry-run")


def _help(map_: list[str] | None, dates: str | None, unit: str | None) -> "Help":
    from gateway.cli.parts import order_of_days
    from gateway.formats.mapping import UNITS, Help
    from ledger.errors import Malformed

    named = {}
    for text in map_ or []:
        field, equals, column = text.partition("=")
        if not equals:
            raise Malformed("not what a column is", expected="quantity='Billed Min'", got=repr(text[:40]))
        named[field] = column
    if unit not in (None, *UNITS):
        raise Malformed("not a unit of time", expected=", ".join(UNITS), got=repr(unit)[:20])
    return Help(tuple(named.items()), order_of_days(dates), unit)


@contextmanager
def _progress(file: Path, json: bool) -> "Iterator[Told | None]":
    """A bar on the terminal, for files that take longer than a moment."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    size, console = file.stat().st_size, Console(stderr=True)
    if json or size < PROGRESS_FROM_BYTES or not console.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(file.name, total=size)
        yield lambda done: progress.update(task, completed=done)


def _show(answer: "ImportAnswer", json: bool) -> None:
    from gateway.cli.showing import printable, show_json, show_next, show_rows

    if json:
        show_json(answer)
        return
    sure = "" if answer.sure_percent is None else f", {answer.sure_percent} % sure"
    before = ", imported before" if answer.repeated else ""
    typer.echo(printable(f"{answer.file_name}: preset {answer.preset}{sure}{before}"))
    columns: dict[str, list[str]] = {}
    for name, column in answer.mapping:
        columns.setdefault(name, []).append(column)
    show_rows(["read", "from"], [[name, ", ".join(each)] for name, each in columns.items()])
    show_rows(
        ["line", "way", "a_party", "b_party", "start", "quantity", "route"],
        [
            [each.line, each.direction, each.a_party, each.b_party, f"{each.start:%F %T}Z", each.quantity, each.route]
            for each in answer.first
        ],
    )
    show_rows(
        ["partner", "owed to", "service", "period", "records", "quantity"],
        [
            [each.partner, each.creditor, each.service.word, str(each.period), each.count, _shown(each)]
            for each in answer.usage
        ],
    )
    rows = answer.accepted + answer.not_billable + answer.quarantined
    typer.echo(
        f"{rows:,} rows: {answer.accepted:,} accepted, {answer.not_billable:,} not billable, "
        f"{answer.quarantined:,} quarantined, {answer.duplicates:,} repeats"
    )
    if answer.value is not None:
        typer.echo(f"value as the file itself says it: {answer.value}")
    for note in answer.notes:
        typer.echo(printable(note))
    for line in _quarantined(answer):
        typer.echo(printable(line))
    show_next("gsc import without --dry-run" if answer.dry_run else "gsc rate")


def _quarantined(answer: "ImportAnswer") -> "Iterator[str]":
    """Each reason with how many rows and where the first of them stand, and what to do about the usual ones."""
    lines: dict[str, list[int]] = {}
    for row in answer.quarantine:
        lines.setdefault(row.reason, []).append(row.line)
    counts = {each.reason: each.rows for each in answer.reasons} or {each: len(at) for each, at in lines.items()}
    for reason, rows in counts.items():
        where = ", ".join(map(str, lines.get(reason, [])[:SHOWN_LINES]))
        yield f"quarantined {rows:,}: {reason}{f' (line {where})' if where else ''}"
    if any(reason.endswith("unknown trunk") for reason in counts):
        yield "trunks are named under [trunks] in gsc.toml; --partner says whose the others are"
    if answer.quarantined and not answer.accepted:
        yield "nothing was read so: without --as the preset is found, and `gsc mapping` proposes one"


def _shown(usage: "ImportedUsage") -> str:
    scale, unit = _UNITS[usage.service.word]
    return f"{usage.quantity / scale:,.1f} {unit}" if scale > 1 else f"{usage.quantity:,} {unit}"


def _list_presets(shown: bool) -> None:
    if not shown:
        return
    from gateway.cli.showing import show_rows
    from gateway.formats.preset import load_preset, preset_names
    from gateway.month.sources import ROAMING

    presets = [load_preset(name) for name in preset_names()]
    rows = [[each.name, each.service.word, each.title] for each in presets]
    rows.append([ROAMING, "voice, sms, data", "TAP 3, NRTRDE 2 and RAP 1 files, known by their first bytes"])
    show_rows(["preset", "service", "what"], rows)
    raise typer.Exit
