"""Which command looks for arbitrage of settlement fees? On plain files, or on a month of a home folder."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.parts import AgreementFile, DryRun, Home, Json, MaybeMonth, code_of, day_of, end, home_of, maybe_month

if TYPE_CHECKING:
    from reconciliation.arbitrage.files import Search


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("arbitrage")(arbitrage)


def arbitrage(
    usage: Annotated[
        list[Path] | None, typer.Argument(help="Rated usage that we owe for (CSV or Parquet), without a home folder")
    ] = None,
    incoming: Annotated[list[Path] | None, typer.Option("--incoming", help="Rated usage that is owed to us")] = None,
    theirs: Annotated[
        Path | None, typer.Option("--theirs", help="The partner's own records of what is owed to us: callers renamed")
    ] = None,
    agreement: AgreementFile = None,
    us: Annotated[str | None, typer.Option("--us", help="Which carrier we are; the lower one if not given")] = None,
    deck: Annotated[
        list[str] | None, typer.Option("--deck", help="Our deck, and from when: ours.csv, new.csv@2026-10-15")
    ] = None,
    their_deck: Annotated[list[str] | None, typer.Option("--their-deck", help="The partner's deck, likewise")] = None,
    own: Annotated[
        list[str] | None, typer.Option("--own", help="How a carrier's own numbers begin: CN-T=86, again for more")
    ] = None,
    peering: Annotated[
        list[str] | None, typer.Option("--peering", help="A route for the partner's own callers alone")
    ] = None,
    service: Annotated[str, typer.Option(help="voice; data or ipl with --registers")] = "voice",
    registers: Annotated[
        Path | None, typer.Option("--registers", help="Licences, igws and routes (TOML), with data or ipl")
    ] = None,
    flows: Annotated[Path | None, typer.Option("--flows", help="A peering's octets by network (CSV)")] = None,
    cone: Annotated[Path | None, typer.Option("--cone", help="Networks the partner announces, one a line")] = None,
    transit_price: Annotated[str, typer.Option(help="Of a gigabyte of transit, with --flows")] = "0",
    period: MaybeMonth = None,
    home: Home = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Search our decks and records for calls sent round a price of ours, and for games with fees."""
    if not (usage or incoming or flows):
        _of_home(period, home, dry_run, json)
        return
    from gateway.cli.pure_verbs import told_missing
    from ledger.money import parse_micros
    from reconciliation.arbitrage.files import search_calls, search_crossings, search_flows

    if agreement is None:
        raise told_missing("arbitrage", "USAGE and --agreement; or a home folder")
    search = _search(agreement, us, deck, their_deck, own, peering, theirs)
    if flows is not None:
        if cone is None:
            raise told_missing("arbitrage --flows", "--cone with the networks that the partner announces")
        answer = search_flows(flows, cone, parse_micros(transit_price), search)
    elif service != "voice":
        from gateway.cli.parts import service_of

        if registers is None:
            raise told_missing(f"arbitrage --service {service}", "--registers with licences and gateways")
        answer = search_crossings(usage or [], service_of(service), registers, search)
    else:
        answer = search_calls(usage or [], incoming or [], search)
    _show(answer, json)


def _of_home(period: str | None, home: Path | None, dry_run: bool, json: bool) -> None:
    from gateway import month
    from gateway.cli.showing import show_rows

    answer = month.arbitrage(home_of(home), maybe_month(period), dry_run=dry_run)
    rows = [
        [each.scheme, each.loser, each.destination, each.count, each.minutes, str(each.lost), str(each.at_risk)]
        for each in answer.findings
    ]
    if not json:
        show_rows(["scheme", "who loses", "destination", "calls", "minutes", "lost", "at risk"], rows)
    lines = [f"{each.number}. {each.explanation}" for each in answer.findings]
    lines += [f"{each.number}. {each.explanation}" for each in answer.games]
    lines = lines or [f"{answer.period}: none found"]
    if answer.without_numbers:
        lines.append(f"not in [numbers] of gsc.toml: {', '.join(answer.without_numbers)}; its callers cannot be told")
    games = [
        [each.kind, f"{each.confidence} %", each.creditor, each.debtor, each.subject, each.count, str(each.at_risk)]
        for each in answer.games
    ]
    headings = ["game", "sure", "owed to", "by", "subject", "records", "at risk"]
    end(answer, json, lines, f"the records are on the desk, /desk?period={answer.period}", headings, games)


def _show(answer: Mapping[str, Any], as_json: bool) -> None:
    from gateway.cli.pure_verbs import tell_quarantined
    from gateway.cli.showing import counted, show_json, show_next, show_rows

    if as_json:
        show_json(answer)
        return
    found = answer["suspicions"]
    headings = ["game", "sure", "owed to", "subject", "records", "at risk"]
    show_rows(
        headings,
        [[e["kind"], f"{e['confidence']} %", e["creditor"], e["subject"], e["count"], e["atRisk"]] for e in found],
    )
    for number, each in enumerate(found, 1):
        typer.echo(f"{number}. {each['explanation']}")
    typer.echo(f"{counted(len(found), 'suspicion')} in {counted(answer['records'], 'record')}")
    tell_quarantined(answer["quarantined"])
    show_next("gsc arbitrage … --json, whose `lines` name the records")


def _search(
    agreement_path: Path,
    us: str | None,
    deck: list[str] | None,
    their_deck: list[str] | None,
    own: list[str] | None,
    peering: list[str] | None,
    theirs: Path | None,
) -> "Search":
    from ledger.agreement_file import load_agreement
    from reconciliation.arbitrage.files import Search
    from reconciliation.arbitrage.games import Known

    agreement = load_agreement(agreement_path)
    ours = code_of(us) if us else agreement.low
    partner = agreement.high if ours == agreement.low else agreement.low
    given = {ours: deck, partner: their_deck}
    decks = {creditor: _history(texts, agreement.currency) for creditor, texts in given.items() if texts}
    homes: dict[Any, tuple[str, ...]] = {}
    for carrier, digits in _beginnings(own or []):
        homes[carrier] = (*homes.get(carrier, ()), digits)
    return Search(agreement, ours, decks, Known(homes, {}, tuple(peering or ())), theirs)


def _history(texts: Sequence[str], currency: str) -> Any:
    """Decks with the days from which each applies; one without a day always has."""
    from datetime import UTC, datetime

    from ledger.prices.deck import deck_history
    from ledger.prices.deck_file import load_deck

    dated = []
    for text in texts:
        path, _, day = text.partition("@")
        since = datetime.combine(day_of(day), datetime.min.time(), UTC) if day else datetime.fromtimestamp(0, UTC)
        dated.append((int(since.timestamp()) * 1000, load_deck(Path(path), currency)))
    return deck_history(dated)


def _beginnings(texts: Sequence[str]) -> Iterator[tuple[Any, str]]:
    from ledger.errors import Malformed

    for text in texts:
        carrier, _, digits = text.partition("=")
        if not (digits.isascii() and digits.isdigit()):
            raise Malformed("--own names no digits", expected="CN-T=86", got=text[:80])
        yield code_of(carrier), digits
