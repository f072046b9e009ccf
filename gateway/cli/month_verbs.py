"""Which commands close a month? One for each verb, on plain files or on a carrier's home folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from gateway.composition import Gateway

Home = Annotated[
    Path | None, typer.Option("--home", help="The carrier's home folder", envvar="GSC_HOME", show_default="this folder")
]
Json = Annotated[bool, typer.Option("--json", help="The answer as JSON")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing")]
Partner = Annotated[str, typer.Option("--partner", help="The other carrier: GB-B")]
MaybePartner = Annotated[str | None, typer.Option("--partner", help="The other carrier; all of them if not given")]
MonthOption = Annotated[str, typer.Option("--period", help="Accounting month: 2026-10")]
MaybeMonth = Annotated[str | None, typer.Option("--period", help="Accounting month: 2026-10")]
AgreementFile = Annotated[Path | None, typer.Option("--agreement", help="Agreement file (TOML)")]


def register(app: typer.Typer) -> None:
    """Add these commands, in the order of the month."""
    app.command("agree")(agree)
    app.command("publish-rates")(publish_rates)
    app.command("grant-credit")(grant_credit)
    app.command("import")(import_)
    app.command("rate")(rate)
    app.command("seal")(seal)
    app.command("declare")(declare)
    app.command("close")(close)
    app.command("reveal")(reveal)
    app.command("reconcile")(reconcile)
    app.command("arbitrage")(arbitrage)
    app.command("dispute")(dispute)
    app.command("resolve")(resolve)
    app.command("accept")(accept)
    app.command("net")(net)
    app.command("pay")(pay)
    app.command("confirm")(confirm)
    app.command("age")(age)
    app.command("evidence")(evidence)
    app.command("verify")(verify)


def agree(partner: Partner, home: Home = None, dry_run: DryRun = False, json: Json = False) -> None:
    """Sign the agreement with a partner; it goes on chain once both have."""
    from gateway import month

    answer = month.sign_agreement(_home(home), _code(partner), dry_run=dry_run)
    signed = " and ".join(answer.signed_by) or "nobody"
    told = f"agreement {answer.agreement_id.hex()[:16]}: {'on chain' if answer.on_chain else f'signed by {signed}'}"
    _end(answer, json, [told], f"gsc publish-rates --partner {partner} --deck FILE --effective DATE")


def publish_rates(
    partner: Partner,
    deck: Annotated[str, typer.Option("--deck", help="A file of the decks folder")],
    effective: Annotated[str, typer.Option("--effective", help="From when it holds: 2026-09-01, or with a time")],
    change: Annotated[str | None, typer.Option(help="initial, increase or decrease")] = None,
    home: Home = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Publish the hash of one of our rate decks for traffic from a partner."""
    from datetime import UTC, datetime

    from gateway import month
    from ledger.chain.bindings import RateChange
    from ledger.errors import Malformed

    try:
        moment = datetime.fromisoformat(effective)
        kind = RateChange[change.upper()] if change else None
    except (ValueError, KeyError) as error:
        raise Malformed(
            "not a date or change", expected="2026-09-01; initial, increase, decrease", got=str(error)
        ) from None
    seconds = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    answer = month.publish_rates(_home(home), _code(partner), deck, seconds, change=kind, dry_run=dry_run)
    told = f"deck 0x{answer.deck_hash.hex()[:16]}… with {answer.rates:,} rates, {answer.change}, notice {answer.seq}"
    _end(answer, json, [told], f"gsc grant-credit --partner {partner} --limit AMOUNT")


def grant_credit(
    partner: Partner,
    limit: Annotated[str, typer.Option("--limit", help="In the agreement's currency: 400000.00")],
    policy: Annotated[str, typer.Option(help="At the limit: refuse or flag")] = "refuse",
    home: Home = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Grant a partner a credit line for what it owes us."""
    from gateway import month
    from ledger.chain.bindings import LimitPolicy
    from ledger.errors import Malformed
    from ledger.money import parse_micros

    if policy not in ("refuse", "flag"):
        raise Malformed("not a policy", expected="refuse or flag", got=policy)
    answer = month.grant_credit(
        _home(home), _code(partner), parse_micros(limit), LimitPolicy[policy.upper()], dry_run=dry_run
    )
    _end(answer, json, [f"line {answer.limit} ({answer.policy}), used {answer.exposure}"], "gsc import FILE")


def import_(
    file: Annotated[Path, typer.Argument(help="Raw CDR file of a switch", exists=True, dir_okay=False)],
    preset: Annotated[str, typer.Option(help="asterisk, freeswitch, freeswitch_b, csv, a TOML file, or auto")] = "auto",
    batch_days: Annotated[int, typer.Option(min=1, max=31, help="Days in one sealed batch")] = 7,
    home: Home = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Import a raw CDR file; malformed rows are quarantined with line and reason."""
    from gateway import month

    answer = month.import_usage(_home(home), file, preset, batch_days=batch_days, dry_run=dry_run)
    lines = [
        f"{answer.file_name}: {answer.accepted:,} calls, {answer.not_billable:,} not billable, "
        f"{answer.quarantined:,} quarantined{', imported before' if answer.repeated else ''}"
    ]
    lines += [f"quarantined line {row.line}: {row.reason}" for row in answer.quarantine]
    _end(answer, json, lines, "gsc rate")


def rate(
    usage: Annotated[Path | None, typer.Argument(help="Usage file (CSV or Parquet), without a home folder")] = None,
    deck: Annotated[Path | None, typer.Option("--deck", help="Rate deck (CSV), with USAGE")] = None,
    agreement: AgreementFile = None,
    out: Annotated[Path | None, typer.Option("--out", help="Where the rated records go (CSV), with USAGE")] = None,
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
        rate_files(usage, deck, agreement, None if dry_run else out, json)
        return
    from gateway import month

    answer = month.rate(_home(home), _maybe(partner), _month(period), dry_run=dry_run)
    rows = [
        [each.partner, each.creditor, str(each.period), each.count, each.refused, str(each.amount)]
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
    _end(answer, json, lines, "gsc seal", ["partner", "owed to", "period", "records", "unpriced", "amount"], rows)


def seal(
    partner: MaybePartner = None,
    period: MaybeMonth = None,
    home: Home = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Seal rated usage into batches, each under one Merkle root."""
    from gateway import month

    answer = month.seal(_home(home), _maybe(partner), _month(period), dry_run=dry_run)
    rows = [
        [each.root.hex()[:16], each.partner, each.creditor, str(each.period), each.count, str(each.amount), each.state]
        for each in answer.batches
    ]
    headings = ["root", "partner", "owed to", "period", "records", "amount", "state"]
    _end(answer, json, [f"{answer.sealed_now} sealed now"], "gsc declare", headings, rows)


def declare(
    partner: MaybePartner = None,
    period: MaybeMonth = None,
    home: Home = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Sign the declaration of every sealed batch and put it into the outbox."""
    from gateway import month

    answer = month.declare(_home(home), _maybe(partner), _month(period), dry_run=dry_run)
    rows = [
        [each.partner, each.creditor, each.seq, each.count, str(each.amount), each.submission.state]
        for each in answer.declarations
    ]
    headings = ["partner", "owed to", "seq", "records", "amount", "state"]
    _end(answer, json, [], "gsc close --period PERIOD, once all are final", headings, rows)


def close(
    period: MonthOption, partner: MaybePartner = None, home: Home = None, dry_run: DryRun = False, json: Json = False
) -> None:
    """Close a period: all of it is declared."""
    from gateway import month
    from ledger.period import parse_period

    answer = month.close(_home(home), parse_period(period), _maybe(partner), dry_run=dry_run)
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
    _end(answer, json, lines, after, ["partner", "seq as creditor", "seq as debtor", "state"], rows)


def reveal(
    partner: Partner, period: MonthOption, home: Home = None, dry_run: DryRun = False, json: Json = False
) -> None:
    """Fetch the partner's sealed records and check each file against the chain."""
    from gateway import month
    from ledger.period import parse_period

    answer = month.reveal(_home(home), _code(partner), parse_period(period), dry_run=dry_run)
    lines = [f"{len(answer.batches)} batches of {partner}, {answer.fetched_now} fetched now; each is what was declared"]
    _end(answer, json, lines, f"gsc reconcile --partner {partner} --period {period}")


def reconcile(
    ours: Annotated[Path | None, typer.Argument(help="Our rated usage (CSV or Parquet), without a home folder")] = None,
    theirs: Annotated[Path | None, typer.Argument(help="Their rated usage")] = None,
    agreement: AgreementFile = None,
    us: Annotated[str | None, typer.Option("--us", help="Which carrier OURS is; the lower one if not given")] = None,
    creditor: Annotated[str | None, typer.Option("--creditor", help="Who is owed; the other carrier")] = None,
    partner: MaybePartner = None,
    period: MaybeMonth = None,
    home: Home = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Match ours against theirs and explain every difference: two plain files, or a month of a home folder."""
    from gateway.cli.pure_verbs import reconcile_two_files, told_missing

    if ours is not None:
        if theirs is None or agreement is None:
            raise told_missing("reconcile", "OURS, THEIRS and --agreement; or --partner and --period")
        reconcile_two_files(ours, theirs, agreement, us, creditor, json)
        return
    if partner is None or period is None:
        raise told_missing("reconcile", "OURS, THEIRS and --agreement; or --partner and --period")
    from gateway import month
    from ledger.period import parse_period

    answer = month.reconcile(_home(home), _code(partner), parse_period(period), dry_run=dry_run)
    rows = [
        [each.creditor, finding.cause.value, finding.severity, finding.count, str(finding.difference)]
        for each in answer.directions
        for finding in each.findings
    ]
    lines = [
        f"owed to {each.creditor}: ours {each.ours}, theirs {each.theirs}, {each.exact:,} of {each.pairs:,} pairs equal"
        for each in answer.directions
    ]
    after = f"gsc dispute --partner {partner} --period {period}"
    _end(answer, json, lines, after, ["owed to", "cause", "severity", "records", "difference"], rows)


def arbitrage(period: MaybeMonth = None, home: Home = None, dry_run: DryRun = False, json: Json = False) -> None:
    """Search our decks and records for calls sent round a price of ours."""
    from gateway import month

    answer = month.arbitrage(_home(home), _month(period), dry_run=dry_run)
    rows = [
        [each.scheme, each.loser, each.destination, each.count, each.minutes, str(each.lost), str(each.at_risk)]
        for each in answer.findings
    ]
    lines = [f"{each.number}. {each.explanation}" for each in answer.findings] or [f"{answer.period}: none found"]
    if answer.without_numbers:
        lines.append(f"not in [numbers] of gsc.toml: {', '.join(answer.without_numbers)}; its callers cannot be told")
    headings = ["scheme", "who loses", "destination", "calls", "minutes", "lost", "at risk"]
    _end(answer, json, lines, f"the records are on the desk, /desk?period={answer.period}", headings, rows)


def dispute(
    partner: Partner, period: MonthOption, home: Home = None, dry_run: DryRun = False, json: Json = False
) -> None:
    """Open a dispute for each cause outside the agreement's tolerance that costs us money."""
    from gateway import month
    from ledger.period import parse_period

    answer = month.dispute(_home(home), _code(partner), parse_period(period), dry_run=dry_run)
    rows = [
        [f"0x{each.dispute_id.hex()}", each.reason, each.count, str(each.amount), each.state]
        for each in answer.disputes
    ]
    after = f"gsc accept --partner {partner} --period {period}"
    _end(answer, json, [f"withheld {answer.total}"], after, ["dispute", "reason", "records", "amount", "state"], rows)


def resolve(
    dispute_id: Annotated[str, typer.Argument(help="The dispute's id")],
    credited: Annotated[str, typer.Option("--credited", help="How much is given up; the rest is due")],
    home: Home = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Agree how a dispute ends; on chain once both have signed the same figures."""
    from gateway import month
    from ledger.money import parse_micros

    answer = month.resolve(_home(home), _id(dispute_id), parse_micros(credited), dry_run=dry_run)
    signed = " and ".join(answer.signed_by) or "nobody"
    _end(answer, json, [f"credited {answer.credited}, due {answer.due}; signed by {signed}"], "gsc accept")


def accept(
    partner: Partner, period: MonthOption, home: Home = None, dry_run: DryRun = False, json: Json = False
) -> None:
    """Agree to the month's statement; on chain once both desks have."""
    from gateway import month
    from ledger.period import parse_period

    answer = month.accept(_home(home), _code(partner), parse_period(period), dry_run=dry_run)
    rows = [
        [each.creditor, each.service.word, str(each.creditor_amount), str(each.debtor_amount), str(each.agreed)]
        for each in answer.lines
    ]
    signed = " and ".join(answer.signed_by) or "nobody"
    lines = [f"statement {answer.statement_id.hex()[:16]}, net to us {answer.net}, signed by {signed}"]
    _end(answer, json, lines, "gsc net", ["owed to", "service", "creditor says", "debtor says", "agreed"], rows)


def net(
    file: Annotated[Path | None, typer.Argument(help="Obligations (CSV), without a home folder")] = None,
    currency: Annotated[str, typer.Option(help="Which items, with --home")] = "USD",
    home: Home = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Set obligations off against each other: a plain file, or all items that wait on chain."""
    if file is not None:
        from gateway.cli.pure_verbs import net_obligations

        net_obligations(file, json)
        return
    from gateway import month

    answer = month.net(_home(home), currency, dry_run=dry_run)
    rows = [[leg.debtor, leg.creditor, str(leg.amount)] for leg in answer.legs]
    lines = [f"{answer.items} items, gross {answer.gross}, netted {answer.netted}, remaining {answer.remaining}"]
    if answer.missing:
        lines.append(f"not signed by {', '.join(answer.missing)}")
    _end(answer, json, lines, "gsc age", ["debtor", "pays", "amount"], rows)


def pay(
    payable_id: Annotated[str, typer.Argument(help="The payable's id, from `gsc age`")],
    amount: Annotated[str | None, typer.Option("--amount", help="All that is outstanding if not given")] = None,
    home: Home = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Pay one of our payables in the settlement token."""
    from gateway import month
    from ledger.money import parse_micros

    micros = parse_micros(amount) if amount else None
    answer = month.pay(_home(home), _id(payable_id), micros, dry_run=dry_run)
    _end(answer, json, [f"{answer.debtor} pays {answer.creditor} {answer.amount} of {answer.outstanding}"], "gsc age")


def confirm(
    payable_id: Annotated[str, typer.Argument(help="The payable's id, from `gsc age`")],
    amount: Annotated[str, typer.Option("--amount", help="What arrived")],
    reference: Annotated[str, typer.Option("--reference", help="The bank's reference; counts once")],
    home: Home = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """As creditor, confirm that money arrived at the bank."""
    from gateway import month
    from ledger.money import parse_micros

    answer = month.confirm(_home(home), _id(payable_id), parse_micros(amount), reference, dry_run=dry_run)
    _end(answer, json, [f"{answer.amount} from {answer.debtor} confirmed"], "gsc age")


def age(home: Home = None, dry_run: DryRun = False, json: Json = False) -> None:
    """Age what is open; take what is owed to us up the ladder where it is ripe."""
    from gateway import month

    answer = month.age(_home(home), dry_run=dry_run)
    rows = [
        [
            f"0x{each.payable_id.hex()}",
            each.debtor,
            each.creditor,
            str(each.outstanding),
            str(each.interest),
            each.days_overdue,
            each.stage,
        ]
        for each in answer.payables
    ]
    headings = ["payable", "debtor", "creditor", "outstanding", "interest", "days late", "stage"]
    _end(answer, json, [], "gsc pay PAYABLE, or gsc confirm PAYABLE", headings, rows)


def evidence(
    out: Annotated[Path, typer.Option("--out", help="Where the bundle goes (zip)")],
    dispute_id: Annotated[str | None, typer.Option("--dispute", help="A dispute's id")] = None,
    partner: MaybePartner = None,
    period: MaybeMonth = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Export a dispute or a month's statement as a bundle that a stranger verifies offline."""
    from gateway.cli.pure_verbs import refused_unless_writable, told_missing
    from gateway.evidence import dispute_bundle, statement_bundle
    from ledger.period import parse_period

    if dispute_id is not None:
        content = dispute_bundle(_home(home), _id(dispute_id))
    elif partner is not None and period is not None:
        content = statement_bundle(_home(home), _code(partner), parse_period(period))
    else:
        raise told_missing("evidence", "--dispute; or --partner and --period")
    with refused_unless_writable(out):
        out.write_bytes(content)
    _end({"bundle": str(out), "bytes": len(content)}, json, [f"{out}: {len(content):,} bytes"], f"gsc verify {out}")


def verify(
    bundle: Annotated[Path, typer.Argument(help="An evidence bundle (zip)", exists=True, dir_okay=False)],
    json: Json = False,
) -> None:
    """Check a bundle offline: records, root, declaration, signature."""
    from gateway.cli.pure_verbs import verify_file

    raise typer.Exit(verify_file(bundle, json))


def _home(home: Path | None) -> "Gateway":
    from gateway.cli.opening import opened

    return opened(home or Path())


def _code(text: str) -> Any:
    from ledger.identity import carrier_code

    return carrier_code(text)


def _maybe(text: str | None) -> Any:
    return None if text is None else _code(text)


def _month(text: str | None) -> Any:
    from ledger.period import parse_period

    return None if text is None else parse_period(text)


def _id(text: str) -> bytes:
    from ledger.errors import Malformed

    try:
        raw = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raw = b""
    if len(raw) != 32:
        raise Malformed("not an id", expected="64 hexadecimal digits", got=text[:80])
    return raw


def _end(
    answer: object,
    json: bool,
    lines: list[str],
    after: str,
    headings: list[str] | None = None,
    rows: Sequence[Sequence[object]] | None = None,
) -> None:
    from gateway.cli.showing import show_json, show_next, show_rows

    if json:
        show_json(answer)
        return
    show_rows(headings or [], rows or [])
    for line in lines:
        typer.echo(line)
    show_next(after)
