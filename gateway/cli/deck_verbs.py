"""Which commands are about prices before anything is rated? `deck` reads a partner's file, `fx` exchange rates."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.parts import AgreementFile, Home, Json

if TYPE_CHECKING:
    from gateway.formats.partner_deck.files import Reading
    from gateway.formats.partner_deck.headers import Header
    from ledger.agreement import Agreement
    from ledger.prices.deck import RateDeck
    from ledger.prices.deck_changes import CodeChange

_SHOWN = 10
_CHANGES_SHOWN = 40


def register(app: typer.Typer) -> None:
    """Add these commands, in their order."""
    app.command("deck")(deck)
    app.command("fx")(fx)


def deck(
    file: Annotated[Path, typer.Argument(help="A partner's prices: CSV or XLSX")],
    agreement: AgreementFile = None,
    previous: Annotated[Path | None, typer.Option(help="The deck in force until then; says what changes")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Where the rate deck goes (CSV)")] = None,
    map_: Annotated[list[str] | None, typer.Option("--map", help="What a column is: code='Dial prefix'")] = None,
    currency: Annotated[str | None, typer.Option(help="Where the list names none: USD")] = None,
    increment: Annotated[str | None, typer.Option(help="Where the list has none: 60/60")] = None,
    dates: Annotated[str | None, typer.Option(help="dmy or mdy, where days can be read in two ways")] = None,
    sheet: Annotated[str | None, typer.Option(help="Which sheet of a workbook", show_default="the first")] = None,
    effective: Annotated[str | None, typer.Option(help="Day the deck takes effect", show_default="announced")] = None,
    announced: Annotated[str | None, typer.Option(help="Day it is announced", show_default="today")] = None,
    json: Json = False,
) -> None:
    """Read a partner's file of prices: how each column was understood, what changes; write it as a rate deck."""
    from gateway.cli.pure_verbs import refused_unless_writable
    from gateway.cli.showing import printable, show_json, show_next
    from gateway.formats.partner_deck.files import read_partner_deck
    from ledger.agreement_file import load_agreement
    from ledger.prices.deck import check_currency, deck_hash
    from ledger.prices.deck_file import dump_deck, load_deck

    terms = None if agreement is None else load_agreement(agreement)
    found = read_partner_deck(file, _reading(map_, currency, increment, dates, sheet, terms))
    if terms is not None and terms.fx is None:
        check_currency(terms.currency, found.deck.currency)
    notice, announced_ms = 7 if terms is None else terms.notice_days, _day_ms(announced)
    begin_ms = announced_ms if effective is None else _day_ms(effective)
    changes = () if previous is None else _changes(load_deck(previous, found.deck.currency), found.deck, begin_ms)
    if out is not None:
        with refused_unless_writable(out):
            out.write_text(dump_deck(found.deck), "utf-8")
    if json:
        columns = [{"heading": each.heading, "column": each.column, "sure": each.sure} for each in found.header.columns]
        told = [_change_row(each, notice, announced_ms) for each in changes]
        show_json(
            {"columns": columns, "codes": len(found.deck.rates), "deckHash": deck_hash(found.deck), "changes": told}
            | ({"remarks": found.remarks} if found.remarks else {})
        )
        return
    _show_columns(found.header)
    _show_rates(found.deck)
    for remark in found.remarks:
        typer.echo(printable(remark))
    typer.echo(f"{found.lines:,} lines, {len(found.deck.rates):,} codes, {found.deck.currency}")
    typer.echo(f"deck hash 0x{deck_hash(found.deck).hex()}")
    if previous is not None:
        _show_changes(changes, notice, announced_ms)
    show_next(f"gsc rate USAGE --deck {out or 'DECK.csv'} --agreement {agreement or 'AGREEMENT.toml'}")


def fx(
    rates: Annotated[Path, typer.Argument(help="Exchange rates: CSV with date, base, quote, rate, source")],
    agreement: AgreementFile = None,
    sign: Annotated[bool, typer.Option("--sign", help="Sign them with the key of the home folder")] = False,
    tap: Annotated[Path | None, typer.Option("--tap", help="A TAP file whose own rates are held against them")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Check exchange rates and who signed them, and a TAP file's against them; with --sign, add our signature."""
    from gateway.cli.pure_verbs import told_missing
    from gateway.cli.showing import show_json, show_next
    from gateway.formats.tap.rates import check_rates
    from gateway.fx_signing import sign_rates, signers_of
    from gateway.plain_rating import load_rates
    from ledger.agreement_file import load_agreement
    from ledger.prices.fx import rates_hash

    if agreement is None:
        raise told_missing("fx", "RATES with --agreement")
    terms, read = load_agreement(agreement), load_rates(rates)
    if sign:
        sign_rates(rates, terms, home or Path())
    signed = signers_of(rates, terms)
    checks = check_rates(tap, read, terms) if tap else ()
    if json:
        checked = [
            {"code": each.code, "error": int(each.check.code), "ppm": each.check.difference_ppm} for each in checks
        ]
        show_json({"rates": len(read.rates), "ratesHash": rates_hash(read), "signed": signed, "tap": checked})
        return
    typer.echo(f"{len(read.rates):,} exchange rates, hash 0x{rates_hash(read).hex()}")
    for carrier, address in signed.items():
        typer.echo(f"signed by {carrier}, {address}")
    for check in checks:
        typer.echo(str(check))
    missing = [carrier for carrier, _ in (terms.fx.signers if terms.fx else ()) if carrier not in signed]
    show_next(f"have {missing[0]} sign: gsc fx {rates.name} --sign" if missing else f"gsc rate USAGE --fx {rates.name}")


def _reading(
    map_: list[str] | None,
    currency: str | None,
    increment: str | None,
    dates: str | None,
    sheet: str | None,
    terms: "Agreement | None",
) -> "Reading":
    from gateway.cli.parts import order_of_days
    from gateway.formats.partner_deck.files import Reading
    from gateway.formats.partner_deck.headers import NAMES
    from ledger.errors import Malformed

    named = {}
    for text in map_ or []:
        column, equals, heading = text.partition("=")
        if not equals or column not in NAMES:
            raise Malformed("not a column of a rate deck", expected=", ".join(NAMES), got=repr(text[:40]))
        named[column] = heading
    return Reading(
        named=named,
        currency=currency,
        increment=increment,
        dates=order_of_days(dates),
        zone=None if terms is None else terms.zone,
        sheet=sheet,
    )


def _day_ms(text: str | None) -> int:
    """The beginning of a day in UTC, today's if none is given. Raises Malformed."""
    from datetime import UTC, datetime

    from gateway.cli.parts import day_of

    day = datetime.now(UTC).date() if text is None else day_of(text)
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000


def _changes(before: "RateDeck", after: "RateDeck", effective_ms: int) -> "tuple[CodeChange, ...]":
    from ledger.prices.deck import check_currency
    from ledger.prices.deck_changes import deck_changes

    check_currency(before.currency, after.currency)
    return deck_changes(before, after, effective_ms)


def _show_columns(header: "Header") -> None:
    from gateway.cli.showing import show_rows

    rows: list[list[object]] = [
        [each.heading, each.column or "not used", f"{each.sure} %" if each.column else ""] for each in header.columns
    ]
    show_rows([f"heading in line {header.line}", "is our", "sure"], rows)


def _show_rates(deck: "RateDeck") -> None:
    from gateway.cli.showing import show_rows
    from ledger.money import show_nanos

    rows: list[list[object]] = [
        [
            rate.destination,
            rate.code,
            show_nanos(rate.nanos),
            f"{rate.first // 1000}/{rate.next // 1000}",
            _day(rate.effective_ms),
            rate.status,
        ]
        for rate in deck.rates[:_SHOWN]
    ]
    show_rows(["destination", "code", "rate", "increment", "from", "status"], rows)


def _show_changes(changes: "tuple[CodeChange, ...]", notice_days: int, announced_ms: int) -> None:
    from collections import Counter

    from gateway.cli.showing import show_rows
    from ledger.prices.deck_changes import Change

    counts = Counter(each.change for each in changes)
    moved = sum(each.is_moved for each in changes)
    typer.echo(
        ", ".join(f"{counts[change]:,} {change}" for change in Change) + f", {moved:,} moved to another destination"
    )
    told = [each for each in changes if each.change is not Change.SAME or each.is_moved]
    rows = [list(_change_row(each, notice_days, announced_ms).values()) for each in told[:_CHANGES_SHOWN]]
    if rows:
        show_rows(["code", "destination", "change", "before", "after", "from", "notice"], rows)
    if len(told) > _CHANGES_SHOWN:
        typer.echo(f"and {len(told) - _CHANGES_SHOWN:,} more: --json has all")
    if short := sum(each.is_short(notice_days, announced_ms) for each in changes):
        typer.echo(f"{short:,} come before the {notice_days} days of notice they need", err=True)


def _change_row(each: "CodeChange", notice_days: int, announced_ms: int) -> dict[str, object]:
    from ledger.money import show_nanos

    old, new = each.before, each.after
    names = [rate.destination for rate in (old, new) if rate is not None]
    return {
        "code": " ".join(filter(None, (each.code, each.origin, each.band))),
        "destination": " > ".join(dict.fromkeys(names)),
        "change": str(each.change),
        "before": "" if old is None else show_nanos(old.nanos),
        "after": "" if new is None else show_nanos(new.nanos),
        "from": _day(each.from_ms),
        "notice": "too short" if each.is_short(notice_days, announced_ms) else "",
    }


def _day(at_ms: int | None) -> str:
    from datetime import UTC, datetime

    return "" if at_ms is None else datetime.fromtimestamp(at_ms // 1000, UTC).date().isoformat()
