"""Which verbs need no chain and no database? rate, reconcile and net on plain files."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from ledger.errors import Malformed


def rate_files(
    usage: Path,
    deck: Path,
    agreement_path: Path,
    out: Path | None,
    as_json: bool,
    *,
    service: str | None = None,
    creditor: str | None = None,
    outages: Path | None = None,
    others: Path | None = None,
    late: Path | None = None,
    fx: Path | None = None,
    fx_day: str | None = None,
) -> None:
    """Price a usage file under one deck; write the rated records, and the period's charges, as CSV."""
    from gateway.cli.parts import day_of, service_of
    from gateway.cli.showing import show_json, show_next, show_rows
    from gateway.formats.usage_file import read_usage, write_rated
    from gateway.plain_rating import PlainFiles, moved_by, rate_plain, with_late
    from ledger.agreement_file import load_agreement
    from ledger.identity import carrier_code
    from ledger.money import show_micros
    from ledger.prices.deck import deck_hash, deck_history
    from ledger.prices.service_deck_file import load_service_deck, service_of_deck
    from ledger.service import Service

    agreement = load_agreement(agreement_path)
    of = service_of(service) if service else service_of_deck(deck)
    read = read_usage(usage, of, agreement.sms)
    priced = load_service_deck(deck, None if fx else agreement.currency, of)
    history = deck_history([(0, priced)])
    claimant = carrier_code(creditor) if creditor else agreement.high
    given = PlainFiles(claimant, outages, others, fx, day_of(fx_day) if fx_day else None)
    rating, moved, quarantined = rate_plain(read.table, history, agreement, given), None, read.quarantined
    last_line = max(read.table["line"].to_pylist(), default=0)
    if late is not None:
        came = read_usage(late, of, agreement.sms)
        before, rating = rating, rate_plain(with_late(read.table, came.table), history, agreement, given)
        moved, quarantined = moved_by(before, rating), (*quarantined, *came.quarantined)
    rated = rating.rated
    total = sum(rated["amount_micros"].to_pylist())
    if out is not None:
        with refused_unless_writable(out), out.open("w", encoding="utf-8", newline="") as stream:
            write_rated(rated, stream)
    reasons: list[dict[str, object]] = [
        {"line": row["line"], "reason": row["reason"]} for row in rating.refused.to_pylist()
    ]
    reasons += [{"line": row.line, "reason": row.reason} for row in quarantined]
    answer = {
        "rated": len(rated),
        "amount": {"unit": agreement.currency, "value": show_micros(total)},
        "deckHash": deck_hash(priced),
        "quarantined": reasons,
        **({"notCharged": read.not_charged} if read.not_charged else {}),
        **({"withoutCharge": rating.without} if rating.without else {}),
        **({"withoutSample": rating.gaps} if rating.gaps else {}),
        **({} if moved is None else {"moved": [_moved(each, last_line) for each in moved]}),
    }
    if as_json:
        show_json(answer)
        if rating.without:
            raise typer.Exit(1)
        return
    counted, scale = (f"{agreement.sms.unit}s", 1) if of is Service.SMS else _COUNTED[of.word]
    headings = ["destination", "records", f"charged {counted}", agreement.currency]
    show_rows(headings, _by_destination(rated, scale))
    typer.echo(f"{len(rated):,} records, {agreement.currency} {show_micros(total, 2)}")
    if moved is not None:
        shown = [_moved(each, last_line).values() for each in moved]
        show_rows(["line", "destination", "before", "after"], [list(row) for row in shown])
        typer.echo(f"{sum(each.before_micros is not None for each in moved):,} charge(s) moved by what came late")
    if read.not_charged:
        typer.echo(f"not delivered, and not charged: {read.not_charged:,}")
    tell_quarantined(reasons)
    for port, missing in rating.gaps.items():
        typer.echo(f"{port}: {missing:,} intervals have no sample", err=True)
    for port, why in rating.without.items():
        typer.echo(f"{port} has no charge: {why}", err=True)
    which = "" if of is Service.VOICE else f" --service {of.word}"
    show_next(f"gsc reconcile {out or 'OURS.csv'} THEIRS.csv --agreement {agreement_path}{which}")
    if rating.without:
        raise typer.Exit(1)


def _moved(moved: Any, last_line: int) -> dict[str, object]:
    """A record whose charge another one moved, or one that came late, by its line in its own file."""
    from ledger.money import show_micros

    new = moved.before_micros is None
    return {
        "line": f"late {moved.line - last_line}" if new else str(moved.line),
        "destination": moved.destination,
        "before": "" if new else show_micros(moved.before_micros),
        "after": show_micros(moved.after_micros),
    }


MOST_TOLD = 20
"""Quarantined rows of a file that a terminal shows."""
_COUNTED = {"voice": ("s", 1000), "data": ("octets", 1), "ipl": ("days", 1)}
"""How a charged quantity is shown: its unit, and how many of the record's make one."""


def _by_destination(rated: Any, scale: int) -> list[list[object]]:
    from ledger.money import show_micros

    sums = rated.group_by("destination").aggregate(
        [("amount_micros", "count"), ("charged_quantity", "sum"), ("amount_micros", "sum")]
    )
    return [
        [
            row["destination"],
            row["amount_micros_count"],
            row["charged_quantity_sum"] // scale,
            show_micros(row["amount_micros_sum"], 4),
        ]
        for row in sorted(sums.to_pylist(), key=lambda each: each["destination"])
    ]


def reconcile_two_files(
    ours: Path,
    theirs: Path,
    agreement_path: Path,
    us: str | None,
    creditor: str | None,
    as_json: bool,
    *,
    period: str | None = None,
    service: str = "voice",
    deck: Path | None = None,
    fx: Path | None = None,
    fx_day: str | None = None,
    engine: str | None = None,
    address: str | None = None,
) -> None:
    """Match two files of rated usage and explain every difference; by the creditor's deck, if it is given."""
    from shutil import get_terminal_size

    from gateway.cli.parts import day_of, maybe_month, service_of
    from gateway.cli.reconciled import lines_of
    from gateway.cli.showing import show_json, show_next
    from gateway.plain_rating import into_agreed
    from ledger.agreement_file import load_agreement
    from ledger.identity import carrier_code
    from ledger.prices.deck import deck_history
    from ledger.prices.service_deck_file import load_service_deck
    from reconciliation.engines.choosing import runner_of
    from reconciliation.files import reconcile_files
    from reconciliation.streaming.stream import Way

    agreement, of = load_agreement(agreement_path), service_of(service)
    if fx is not None and deck is None:
        raise told_missing("reconcile --fx", "--deck with the rate deck whose currency they convert")
    priced = None if deck is None else load_service_deck(deck, None if fx else agreement.currency, of)
    decks = None if priced is None else deck_history([(0, priced)])
    into = None if decks is None else into_agreed(decks, agreement, fx, day_of(fx_day) if fx_day else None)
    answer: Mapping[str, Any] = reconcile_files(
        ours,
        theirs,
        agreement,
        ours=carrier_code(us) if us else None,
        creditor=carrier_code(creditor) if creditor else None,
        period=maybe_month(period),
        service=of,
        decks=decks,
        into=into,
        way=Way(runner=runner_of(engine, address)),
    )
    if as_json:
        show_json(answer)
        return
    for line in lines_of(answer, get_terminal_size().columns):
        typer.echo(line)
    for side, rows in answer["quarantined"].items():
        tell_quarantined(rows, side)
    if answer["disputes"] and answer["creditor"] != answer["ours"]:
        show_next("gsc dispute --partner PARTNER --period PERIOD (in a carrier's home)")


def net_obligations(path: Path, as_json: bool, lines: Path | None = None) -> None:
    """Net a file of obligations: debtor, creditor, currency, amount; within a file of credit lines, if given."""
    from gateway.cli.showing import show_json, show_next, show_rows
    from reconciliation.files import net_file

    answer: Mapping[str, Any] = net_file(path, lines)
    if as_json:
        show_json(answer)
        return
    if not answer["cycles"]:
        typer.echo(f"nothing to net: {path.name} has a heading and no obligation")
        return
    for cycle in answer["cycles"]:
        typer.echo(f"{cycle['currency']}: gross {cycle['gross']}, netted {cycle['netted']}")
        show_rows(["carrier", "position"], [[each["carrier"], each["amount"]] for each in cycle["positions"]])
        show_rows(
            ["debtor", "pays", "amount"], [[leg["debtor"], leg["creditor"], leg["amount"]] for leg in cycle["legs"]]
        )
    show_next("gsc net --home DIR, to sign and submit a cycle")


def tell_quarantined(rows: Sequence[Mapping[str, object]], whose: str = "") -> None:
    """The first rows that were left out, by their line (of `file`, where it is said), and how many more there are."""
    from gateway.cli.showing import counted, printable

    for row in rows[:MOST_TOLD]:
        where = [each for each in (whose, row.get("file")) if each]
        told = " ".join(["quarantined", *map(str, where), f"line {row['line']}: {row['reason']}"])
        typer.echo(printable(told), err=True)
    if len(rows) > MOST_TOLD:
        more = counted(len(rows) - MOST_TOLD, "row")
        typer.echo(f"quarantined{f' {whose}' if whose else ''}: {more} more; --json has all", err=True)


def told_missing(verb: str, needed: str) -> Malformed:
    """The refusal of a command without what it works on."""
    return Malformed(f"gsc {verb} lacks what it works on", expected=needed, todo=f"See gsc {verb} --help.")


def refuse_beside(what: str, todo: str, **given: object) -> None:
    """Refuse the first option that is given and means nothing beside `what`. Raises Malformed."""
    for name, value in given.items():
        if value is not None:
            option = f"--{name.replace('_', '-')}"
            raise Malformed(f"{option} means nothing with {what}", expected=f"no {option}", got=str(value), todo=todo)


@contextmanager
def refused_unless_writable(out: Path) -> Iterator[None]:
    """Raises Malformed when a file named on the command line cannot be written."""
    try:
        yield
    except OSError as error:
        raise Malformed(
            "the file cannot be written", expected="a file in a folder we may write", got=str(error)
        ) from None
