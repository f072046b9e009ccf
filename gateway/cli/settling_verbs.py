"""Which commands settle the month? From a dispute to a paid, or late, statement, and the evidence of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.parts import (
    DryRun,
    Home,
    Json,
    MonthOption,
    Partner,
    code_of,
    end,
    home_of,
    id_of,
)

if TYPE_CHECKING:
    from gateway.composition import Gateway


def register(app: typer.Typer) -> None:
    """Add these commands, in their order."""
    app.command("dispute")(dispute)
    app.command("resolve")(resolve)
    app.command("withdraw")(withdraw)
    app.command("accept")(accept)
    app.command("net")(net)
    app.command("pay")(pay)
    app.command("confirm")(confirm)
    app.command("age")(age)
    app.command("verify")(verify)


def dispute(
    partner: Partner,
    period: MonthOption,
    unrevealed: Annotated[
        bool, typer.Option("--unrevealed", help="Dispute in full what the partner did not reveal, or not as declared")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Also what we withdrew, with the same figures")] = False,
    home: Home = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Open a dispute for each cause outside the agreement's tolerance that costs us money."""
    from gateway import month
    from ledger.period import parse_period

    answer = month.dispute(
        home_of(home), code_of(partner), parse_period(period), unrevealed=unrevealed, again=again, dry_run=dry_run
    )
    rows = [
        [f"0x{each.dispute_id.hex()}", each.reason, each.count, str(each.amount), each.state]
        for each in answer.disputes
    ]
    after = f"gsc accept --partner {partner} --period {period}"
    end(answer, json, [f"withheld {answer.total}"], after, ["dispute", "reason", "records", "amount", "state"], rows)


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

    gateway = home_of(home)
    answer = month.resolve(gateway, id_of(dispute_id), parse_micros(credited), dry_run=dry_run)
    signed = " and ".join(answer.signed_by) or "nobody"
    after = _accept_of(gateway, answer.dispute_id)
    if answer.signed_by == (gateway.carrier,):
        after = f"at {answer.partner}: gsc resolve 0x{answer.dispute_id.hex()} --credited {credited}"
    end(answer, json, [f"credited {answer.credited}, due {answer.due}; signed by {signed}"], after)


def withdraw(
    dispute_id: Annotated[str, typer.Argument(help="The dispute's id")],
    home: Home = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Take one of our disputes back: all of it becomes payable."""
    from gateway import month

    gateway = home_of(home)
    answer = month.withdraw(gateway, id_of(dispute_id), dry_run=dry_run)
    end(answer, json, [f"dispute {dispute_id} withdrawn: {answer.state}"], _accept_of(gateway, id_of(dispute_id)))


def accept(
    partner: Partner, period: MonthOption, home: Home = None, dry_run: DryRun = False, json: Json = False
) -> None:
    """Agree to the month's statement; on chain once both desks have."""
    from gateway import month
    from ledger.period import parse_period

    answer = month.accept(home_of(home), code_of(partner), parse_period(period), dry_run=dry_run)
    rows = [
        [each.creditor, each.service.word, str(each.creditor_amount), str(each.debtor_amount), str(each.agreed)]
        for each in answer.lines
    ]
    signed = " and ".join(answer.signed_by) or "nobody"
    lines = [f"statement {answer.statement_id.hex()[:16]}, net to us {answer.net}, signed by {signed}"]
    lines += [
        f"late records, owed to {each.creditor}, {each.service.word}: {each.creditor_late} of the creditor's amount, "
        f"{each.debtor_late} of the debtor's"
        for each in answer.lines
        if each.creditor_late.micros or each.debtor_late.micros
    ]
    end(answer, json, lines, "gsc net", ["owed to", "service", "creditor says", "debtor says", "agreed"], rows)


def net(
    file: Annotated[Path | None, typer.Argument(help="Obligations (CSV), without a home folder")] = None,
    currency: Annotated[str, typer.Option(help="Which items, with --home")] = "USD",
    lines_file: Annotated[
        Path | None, typer.Option("--lines", help="Credit lines (CSV) to pass claims on within, with FILE")
    ] = None,
    home: Home = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Set obligations off against each other: a plain file, or all items that wait on chain."""
    if file is not None:
        from gateway.cli.pure_verbs import net_obligations

        net_obligations(file, json, lines_file)
        return
    from gateway import month

    answer = month.net(home_of(home), currency, dry_run=dry_run)
    rows = [[leg.debtor, leg.creditor, str(leg.amount)] for leg in answer.legs]
    lines = [f"{answer.items} items, gross {answer.gross}, netted {answer.netted}, remaining {answer.remaining}"]
    if answer.missing:
        lines.append(f"not signed by {', '.join(answer.missing)}")
    end(answer, json, lines, "gsc age", ["debtor", "pays", "amount"], rows)


def pay(
    payable_id: Annotated[str, typer.Argument(help="The payable's id, from `gsc age`")],
    amount: Annotated[str | None, typer.Option("--amount", help="All that is outstanding if not given")] = None,
    key: Annotated[str | None, typer.Option("--key", help="Names the payment: under one key it is made once")] = None,
    home: Home = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Pay one of our payables in the settlement token."""
    from gateway import month
    from ledger.money import parse_micros

    micros = parse_micros(amount) if amount else None
    answer = month.pay(home_of(home), id_of(payable_id), micros, key=key, dry_run=dry_run)
    lines = [f"{answer.debtor} pays {answer.creditor} {answer.amount} of {answer.outstanding}"]
    end(answer, json, [*lines, *([answer.note] if answer.note else [])], "gsc age")


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

    answer = month.confirm(home_of(home), id_of(payable_id), parse_micros(amount), reference, dry_run=dry_run)
    end(answer, json, [f"{answer.amount} from {answer.debtor} confirmed"], "gsc age")


def age(home: Home = None, dry_run: DryRun = False, json: Json = False) -> None:
    """Age what is open; take what is owed to us up the ladder where it is ripe."""
    from gateway import month

    answer = month.age(home_of(home), dry_run=dry_run)
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
    end(answer, json, [], "gsc pay PAYABLE, or gsc confirm PAYABLE", headings, rows)


def verify(
    file: Annotated[
        Path, typer.Argument(help="An evidence bundle (zip) or a statement (pdf)", exists=True, dir_okay=False)
    ],
    home: Home = None,
    json: Json = False,
) -> None:
    """Check a file offline: records, root, declaration, statement hash, signatures; with --home also on the chain."""
    from gateway.cli.verifying import verify_file

    raise typer.Exit(verify_file(file, home, json))


def _accept_of(gateway: "Gateway", dispute_id: bytes) -> str:
    """The command that agrees to the month a dispute belongs to."""
    from gateway.composition import partnership_of_id
    from ledger.store.engine import reading
    from ledger.store.settlement import dispute_of

    with reading(gateway.engine) as connection:
        row = dispute_of(connection, dispute_id)
    return f"gsc accept --partner {partnership_of_id(gateway.settings, row.agreement_id).partner} --period {row.period}"
