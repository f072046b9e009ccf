"""Which commands count the month? From raw records to two books that are compared, on files or in a home folder."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.parts import (
    DECLARED,
    AgreementFile,
    DryRun,
    ExchangeRates,
    Home,
    Igw,
    Json,
    MaybeMonth,
    MaybePartner,
    MonthOption,
    Partner,
    RateDay,
    code_of,
    declared_rows,
    end,
    home_of,
    maybe_code,
    maybe_month,
    named_home,
    registry_code_of,
)


def register(app: typer.Typer) -> None:
    """Add these commands, in their order."""
    app.command("rate")(rate)
    app.command("seal")(seal)
    app.command("declare")(declare)
    app.command("close")(close)
    app.command("correct")(correct)
    app.command("reveal")(reveal)
    app.command("reconcile")(reconcile)


def rate(
    usage: Annotated[Path | None, typer.Argument(help="Usage file (CSV or Parquet), without a home folder")] = None,
    deck: Annotated[Path | None, typer.Option("--deck", help="Rate deck (CSV), with USAGE")] = None,
    agreement: AgreementFile = None,
    out: Annotated[Path | None, typer.Option("--out", help="Where the rated records go (CSV), with USAGE")] = None,
    service: Annotated[
        str | None, typer.Option(help="voice, sms, data or ipl, with USAGE", show_default="what the deck is for")
    ] = None,
    creditor: Annotated[
        str | None, typer.Option(help="Who is owed, with USAGE", show_default="the agreement's higher carrier")
    ] = None,
    outages: Annotated[Path | None, typer.Option(help="Outages of private lines (CSV), with USAGE")] = None,
    others: Annotated[
        Path | None, typer.Option(help="The other direction's rated records (CSV), where a deal balances both")
    ] = None,
    late: Annotated[Path | None, typer.Option(help="Usage that came late; says which charges it moves")] = None,
    fx: ExchangeRates = None,
    fx_day: RateDay = None,
    partner: MaybePartner = None,
    period: MaybeMonth = None,
    home: Home = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Price usage: a plain file under one deck, or what waits in a home folder under the published decks."""
    if usage is not None:
        from gateway.cli.pure_verbs import rate_files, told_missing

        if deck is None or agreement is None:
            raise told_missing("rate", "USAGE with --deck and --agreement; or a home folder")
        to = None if dry_run else out
        rate_files(
            usage,
            deck,
            agreement,
            to,
            json,
            service=service,
            creditor=creditor,
            outages=outages,
            others=others,
            late=late,
            fx=fx,
            fx_day=fx_day,
        )
        return
    from gateway import month

    answer = month.rate(home_of(home), maybe_code(partner), maybe_month(period), dry_run=dry_run)
    rows = [
        [each.partner, each.creditor, each.service.word, str(each.period), each.count, each.refused, str(each.amount)]
        for each in answer.scopes
    ]
    lines = [
        f"{each.partner}: the file of deck {missing} is not in the decks folder"
        for each in answer.scopes
        for missing in each.missing_decks
    ]
    lines += [f"{answer.taken_up:,} that had no price before have one now"] if answer.taken_up else []
    lines += [
        f"{each.partner}, owed to {each.creditor}, {each.period}: {each.count:,} stay without a batch, {each.why}"
        f"{f' ({each.priced:,} have a price now, {each.amount})' if each.priced else ''}. {each.todo}"
        for each in answer.left
    ]
    lines += [
        f"{each.partner}, {each.service.word} owed to {each.creditor}, {each.period}: {count:,} unpriced, {reason}"
        for each in answer.scopes
        for reason, count in each.reasons.items()
    ]
    headings = ["partner", "owed to", "service", "period", "records", "unpriced", "amount"]
    end(answer, json, lines, "gsc seal", headings, rows)


def seal(
    partner: MaybePartner = None,
    period: MaybeMonth = None,
    home: Home = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Seal rated usage into batches, each under one Merkle root."""
    from gateway import month

    answer = month.seal(home_of(home), maybe_code(partner), maybe_month(period), dry_run=dry_run)
    rows = [
        [
            each.root.hex()[:16],
            each.partner,
            each.creditor,
            each.service.word,
            str(each.period),
            each.count,
            str(each.amount),
            each.state,
        ]
        for each in answer.batches
    ]
    headings = ["root", "partner", "owed to", "service", "period", "records", "amount", "state"]
    end(answer, json, [f"{answer.sealed_now} sealed now"], "gsc declare", headings, rows)


def declare(
    partner: MaybePartner = None,
    period: MaybeMonth = None,
    igw: Igw = None,
    inline: Annotated[
        bool, typer.Option("--inline", help="The records travel in it, numbers as keyed hashes: for small volumes")
    ] = False,
    home: Home = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Sign the declaration of every sealed batch and put it into the outbox."""
    from gateway import month

    code, who, when = registry_code_of(igw), maybe_code(partner), maybe_month(period)
    answer = month.declare(home_of(home), who, when, igw=code, inline=inline, dry_run=dry_run)
    lines = [f"{answer.late} sealed batch(es) of closed months wait for `gsc correct`"] if answer.late else []
    end(
        answer,
        json,
        lines,
        "gsc close --period PERIOD, once all are final",
        DECLARED,
        declared_rows(answer.declarations),
    )


def close(
    period: MonthOption, partner: MaybePartner = None, home: Home = None, dry_run: DryRun = False, json: Json = False
) -> None:
    """Close a period: all of it is declared."""
    from gateway import month
    from ledger.period import parse_period

    answer = month.close(home_of(home), parse_period(period), maybe_code(partner), dry_run=dry_run)
    rows = [
        [each.partner, each.creditor_seq, each.debtor_seq, each.submission.state if each.submission else "on chain"]
        for each in answer.closes
    ]
    lines = [
        f"{each.partner}: {each.unpriced:,} records have no price and are in no batch; the close leaves them behind"
        for each in answer.closes
        if each.unpriced
    ]
    after = f"gsc reveal --partner PARTNER --period {period}, once the partner has closed"
    end(answer, json, lines, after, ["partner", "seq as creditor", "seq as debtor", "state"], rows)


def correct(
    partner: MaybePartner = None,
    period: Annotated[
        str | None, typer.Option("--period", help="The closed month that the records belong to: 2026-10")
    ] = None,
    igw: Igw = None,
    home: Home = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Declare what came, or got its price, after its month was closed: in the next open month, as a correction."""
    from gateway import month

    answer = month.correct(
        home_of(home), maybe_code(partner), maybe_month(period), igw=registry_code_of(igw), dry_run=dry_run
    )
    rows = declared_rows(answer.declarations)
    lines = [
        f"{each.partner}, owed to {each.creditor}, {each.period}: {each.count:,} came late, {each.amount}"
        for each in answer.waiting
    ]
    if answer.nothing_to_correct:
        lines.append(
            f"{answer.nothing_to_correct:,} late records stay: nothing of their direction and service was declared "
            "that they could correct"
        )
    if not rows and not lines:
        lines = ["nothing came late"]
    after = "gsc correct" if answer.waiting else "gsc close --period PERIOD of the open month"
    end(answer, json, lines, after, DECLARED, rows)


def reveal(
    partner: Partner, period: MonthOption, home: Home = None, dry_run: DryRun = False, json: Json = False
) -> None:
    """Fetch the partner's sealed records and check each file against the chain."""
    from gateway import month
    from ledger.period import parse_period

    answer = month.reveal(home_of(home), code_of(partner), parse_period(period), dry_run=dry_run)
    lines = [f"{len(answer.batches)} batches of {partner}, {answer.fetched_now} fetched now; each is what was declared"]
    end(answer, json, lines, f"gsc reconcile --partner {partner} --period {period}")


def reconcile(
    ours: Annotated[Path | None, typer.Argument(help="Our rated usage (CSV or Parquet), without a home folder")] = None,
    theirs: Annotated[Path | None, typer.Argument(help="Their rated usage")] = None,
    agreement: AgreementFile = None,
    us: Annotated[str | None, typer.Option("--us", help="Which carrier OURS is; the lower one if not given")] = None,
    creditor: Annotated[str | None, typer.Option("--creditor", help="Who is owed; the other carrier")] = None,
    service: Annotated[str, typer.Option(help="voice, sms, data or ipl, with OURS")] = "voice",
    deck: Annotated[
        Path | None, typer.Option("--deck", help="The creditor's rate deck (CSV), with OURS: names how a price differs")
    ] = None,
    fx: ExchangeRates = None,
    fx_day: RateDay = None,
    engine: Annotated[
        str | None, typer.Option(help="threads, duckdb, ray or spark, with OURS (docs/clusters.md)")
    ] = None,
    address: Annotated[str | None, typer.Option(help="Of the cluster, with --engine ray or spark")] = None,
    sketch: Annotated[Path | None, typer.Option("--sketch", help="Their sketch instead: finds where we differ")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Our records of the differing keys (Parquet)")] = None,
    partner: MaybePartner = None,
    period: MaybeMonth = None,
    home: Home = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Match ours against theirs and explain every difference: two plain files, or a month of a home folder."""
    from gateway.cli.pure_verbs import reconcile_two_files, refuse_beside, told_missing

    if ours is not None:
        todo = "Leave it out; or leave the files out, to reconcile a month of a home folder."
        refuse_beside("plain files", todo, partner=partner, home=named_home(home))
    if ours is not None and sketch is not None:
        from gateway.cli.sketch_verbs import reconcile_with_sketch

        refuse_beside(
            "--sketch", "Leave it out: a sketch has no records, and is of whatever it was made of.", period=period
        )
        reconcile_with_sketch(ours, sketch, None if dry_run else out, json, service=service)
        return
    refuse_beside("two files or a home folder", "Leave it out, or name their --sketch.", out=out)
    if ours is not None:
        if theirs is None or agreement is None:
            raise told_missing("reconcile", "OURS, THEIRS and --agreement; or --partner and --period")
        reconcile_two_files(
            ours,
            theirs,
            agreement,
            us,
            creditor,
            json,
            period=period,
            service=service,
            deck=deck,
            fx=fx,
            fx_day=fx_day,
            engine=engine,
            address=address,
        )
        return
    if partner is None or period is None:
        raise told_missing("reconcile", "OURS, THEIRS and --agreement; or --partner and --period")
    from gateway import month
    from ledger.period import parse_period

    answer = month.reconcile(home_of(home), code_of(partner), parse_period(period), dry_run=dry_run)
    rows = [
        [
            each.creditor,
            each.service.word,
            finding.cause.value,
            finding.severity,
            finding.count,
            str(finding.difference),
        ]
        for each in answer.directions
        for finding in each.findings
    ]
    lines = [
        f"{each.service.word} owed to {each.creditor}: ours {each.ours}, theirs {each.theirs}, "
        f"{each.exact:,} of {each.pairs:,} pairs equal"
        for each in answer.directions
    ]
    after = f"gsc dispute --partner {partner} --period {period}"
    end(answer, json, lines, after, ["owed to", "service", "cause", "severity", "records", "difference"], rows)
