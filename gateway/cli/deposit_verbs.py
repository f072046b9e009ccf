"""Which commands move deposits, and which shows what a debtor may still owe?"""

from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.parts import DryRun, Home, Json, MaybePartner, Partner, code_of, end, home_of, id_of, maybe_code

if TYPE_CHECKING:
    from gateway.month.depositing import DepositAnswer

Amount = Annotated[str, typer.Option("--amount", help="In the agreement's currency: 5000.00")]
PayableId = Annotated[str, typer.Argument(help="The payable's id, from `gsc age`")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("exposure")(exposure)
    deposits = typer.Typer(help="Money put down for what is owed: it raises the limit.", no_args_is_help=True)
    deposits.command("add")(add)
    deposits.command("withdraw")(withdraw)
    deposits.command("apply")(apply)
    deposits.command("seize")(seize)
    app.add_typer(deposits, name="deposit")


def exposure(partner: MaybePartner = None, home: Home = None, json: Json = False) -> None:
    """What each debtor owes, of which limit, and how much of it is deposited."""
    from gateway import month

    answer = month.exposure(home_of(home), maybe_code(partner))
    rows = [
        [
            each.debtor,
            each.creditor,
            str(each.exposure),
            str(each.limit),
            str(each.deposited),
            str(each.left),
            each.policy,
            "stopped" if each.stopped else "",
        ]
        for each in answer
    ]
    headings = ["debtor", "creditor", "exposure", "limit", "deposited", "left", "at the limit", "credit"]
    lines = [] if rows else ["no credit line and no exposure"]
    end(answer, json, lines, "gsc deposit add --partner PARTNER --amount AMOUNT, or gsc grant-credit", headings, rows)


def add(
    partner: Partner,
    amount: Amount,
    key: Annotated[str | None, typer.Option("--key", help="Names the deposit: under one key it is made once")] = None,
    home: Home = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Deposit money for what we owe a partner, in the settlement token."""
    from gateway import month
    from ledger.money import parse_micros

    answer = month.deposit(home_of(home), code_of(partner), parse_micros(amount), key=key, dry_run=dry_run)
    _end(answer, json, f"{answer.debtor} deposits {answer.amount} for {answer.creditor}")


def withdraw(
    partner: Partner,
    amount: Amount,
    to: Annotated[str | None, typer.Option("--to", help="Address; our sending address if not given")] = None,
    home: Home = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Take back what the exposure does not need."""
    from gateway import month
    from ledger.chain.abi import address_bytes
    from ledger.identity import Address
    from ledger.money import parse_micros

    if to is not None:
        address_bytes(to)
    payee = Address(to) if to else None
    answer = month.withdraw_deposit(home_of(home), code_of(partner), parse_micros(amount), payee, dry_run=dry_run)
    _end(answer, json, f"{answer.debtor} takes back {answer.amount} of {answer.deposited} with {answer.creditor}")


def apply(
    payable_id: PayableId,
    amount: Annotated[str | None, typer.Option("--amount", help="As much as possible if not given")] = None,
    home: Home = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Pay one of our payables out of our deposit."""
    from gateway import month
    from ledger.money import parse_micros

    micros = parse_micros(amount) if amount else None
    answer = month.apply_deposit(home_of(home), id_of(payable_id), micros, dry_run=dry_run)
    _end(answer, json, f"{answer.debtor} pays {answer.creditor} {answer.amount} of its deposit")


def seize(payable_id: PayableId, home: Home = None, dry_run: DryRun = False, json: Json = False) -> None:
    """Have a terminated payable paid out of its debtor's deposit."""
    from gateway import month

    answer = month.seize_deposit(home_of(home), id_of(payable_id), dry_run=dry_run)
    _end(answer, json, f"{answer.amount} of {answer.debtor}'s deposit go to {answer.creditor}")


def _end(answer: "DepositAnswer", json: bool, told: str) -> None:
    state = f": {answer.submission.state}" if answer.submission else ""
    end(answer, json, [f"{told}{state}", *([answer.note] if answer.note else [])], "gsc exposure")
