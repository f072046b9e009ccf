"""Which commands are there, and how do they end? One message for a refusal, exit code 2 for input, 1 for the rest."""

import sys
from collections.abc import Sequence

import typer
from typer.core import TyperGroup

from gateway.cli import (
    arbitrage_verbs,
    before_verbs,
    counting_verbs,
    deck_verbs,
    deposit_verbs,
    document_verbs,
    fraud_verbs,
    home_verbs,
    login_verbs,
    members_verbs,
    reading_verbs,
    ring_verbs,
    settling_verbs,
    sketch_verbs,
)
from ledger.errors import GscError, Malformed, NotFound

EXIT_INPUT = 2
EXIT_REFUSED = 1


class InOrder(TyperGroup):
    """Commands in the order of the month, not of the alphabet."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        return list(self.commands)


app = typer.Typer(
    name="gsc",
    cls=InOrder,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Settle traffic between carriers: sealed usage, reconciliation, netting and payment on a chain nobody owns.",
)


@app.callback()
def _every_command() -> None:
    """Settle traffic between carriers."""


for module in (
    before_verbs,
    deck_verbs,
    reading_verbs,
    counting_verbs,
    arbitrage_verbs,
    fraud_verbs,
    sketch_verbs,
    ring_verbs,
    settling_verbs,
    document_verbs,
    deposit_verbs,
    members_verbs,
    login_verbs,
    home_verbs,
):
    module.register(app)


def run(arguments: Sequence[str]) -> int:
    """Run one command; its exit code."""
    try:
        outcome = app(list(arguments), standalone_mode=False, prog_name="gsc")
    except GscError as error:
        print(_told(error), file=sys.stderr)
        return EXIT_INPUT if isinstance(error, Malformed | NotFound) else EXIT_REFUSED
    except typer.Exit as ending:
        return ending.exit_code
    except (KeyboardInterrupt, typer.Abort):
        print("gsc: stopped", file=sys.stderr)
        return 130
    except Exception as error:  # process boundary: click's own usage errors come as its exceptions
        if not hasattr(error, "format_message"):
            raise
        print(f"gsc: {error.format_message()}", file=sys.stderr)
        return EXIT_INPUT
    return outcome if isinstance(outcome, int) else 0


def _told(error: GscError) -> str:
    from gateway.cli.showing import printable

    lines = [f"gsc: {error.message}"]
    if error.expected is not None:
        lines.append(f"  expected  {error.expected}")
    if error.got is not None:
        lines.append(f"  got       {error.got}")
    lines += [f"  {name:<9} {value}" for name, value in error.members.items() if not isinstance(value, list)]
    if error.todo:
        lines.append(f"  to do     {error.todo}")
    return "\n".join(printable(line) for part in lines for line in part.split("\n"))
