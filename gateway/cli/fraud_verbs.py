"""Which command looks for fraud? On plain files of rated usage, or on a month of a home folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.parts import AgreementFile, DryRun, Home, Json, MaybeMonth, end, home_of, maybe_month


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("fraud")(fraud)


def fraud(
    usage: Annotated[
        list[Path] | None, typer.Argument(help="Rated usage that we owe for (CSV or Parquet), without a home folder")
    ] = None,
    incoming: Annotated[
        list[Path] | None, typer.Option("--incoming", help="Rated usage that is owed to us: rings, SIM boxes, ratios")
    ] = None,
    agreement: AgreementFile = None,
    us: Annotated[str | None, typer.Option("--us", help="Which carrier we are; the lower one if not given")] = None,
    service: Annotated[str, typer.Option(help="voice or sms, with USAGE")] = "voice",
    premium: Annotated[list[str] | None, typer.Option(help="Beginning of numbers that share revenue")] = None,
    test_number: Annotated[list[str] | None, typer.Option(help="Number that nobody ever answers")] = None,
    own: Annotated[list[str] | None, typer.Option(help="Beginning of our numbers that do not roam")] = None,
    period: MaybeMonth = None,
    home: Home = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Search a month for fraud, and for forgery that leaves no difference; in a home by what gsc.toml knows."""
    if usage or incoming:
        from gateway.cli.pure_verbs import told_missing

        if agreement is None:
            raise told_missing("fraud", "USAGE and --agreement; or a home folder")
        _search_files(usage or [], incoming or [], agreement, us, service, (premium, test_number, own), json)
        return
    from gateway import month

    answer = month.fraud(home_of(home), maybe_month(period), dry_run=dry_run)
    rows = [
        [each.kind, f"{each.confidence} %", each.creditor, each.debtor, each.subject, each.count, str(each.at_risk)]
        for each in answer.suspicions
    ]
    lines = [f"{each.number}. {each.explanation}" for each in answer.suspicions]
    lines += [] if lines else [f"{answer.period}: nothing suspected in {answer.records:,} records"]
    if answer.unknown:
        lines.append(f"not in [known] of gsc.toml: {', '.join(answer.unknown)}; what they tell cannot be told")
    headings = ["kind", "sure", "owed to", "by", "subject", "records", "at risk"]
    end(answer, json, lines, "the records are on the desk, /desk/fraud", headings, rows)


def _search_files(
    usage: Sequence[Path],
    incoming: Sequence[Path],
    agreement_path: Path,
    us: str | None,
    service: str,
    known: tuple[list[str] | None, ...],
    as_json: bool,
) -> None:
    from gateway.cli.parts import service_of
    from gateway.cli.pure_verbs import tell_quarantined
    from gateway.cli.showing import counted, show_json, show_next, show_rows
    from ledger.agreement_file import load_agreement
    from ledger.identity import carrier_code
    from reconciliation.fraud.files import search_files

    answer: Mapping[str, Any] = search_files(
        usage,
        incoming,
        load_agreement(agreement_path),
        us=carrier_code(us) if us else None,
        service=service_of(service),
        known=known,
    )
    if as_json:
        show_json(answer)
        return
    found = answer["suspicions"]
    if found:
        show_rows(
            ["kind", "sure", "subject", "records", "at risk", "why"],
            [
                [e["kind"], f"{e['confidence']} %", e["subject"], e["count"], e["atRisk"], e["explanation"]]
                for e in found
            ],
        )
    typer.echo(f"{counted(len(found), 'suspicion')} in {counted(answer['records'], 'record')}")
    tell_quarantined(answer["quarantined"])
    show_next("gsc fraud … --json, whose `lines` name the records")
