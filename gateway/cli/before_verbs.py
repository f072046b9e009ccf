"""Which commands come before the month? Agreement, rates and credit, signed and put on chain."""

from typing import Annotated

import typer

from gateway.cli.parts import DryRun, Home, Json, Partner, code_of, end, home_of, service_of


def register(app: typer.Typer) -> None:
    """Add these commands, in their order."""
    app.command("agree")(agree)
    app.command("amend")(amend)
    app.command("publish-rates")(publish_rates)
    app.command("grant-credit")(grant_credit)


def agree(partner: Partner, home: Home = None, dry_run: DryRun = False, json: Json = False) -> None:
    """Sign the agreement with a partner; it goes on chain once both have."""
    from gateway import month

    answer = month.sign_agreement(home_of(home), code_of(partner), dry_run=dry_run)
    signed = " and ".join(answer.signed_by) or "nobody"
    told = f"agreement {answer.agreement_id.hex()[:16]}: {'on chain' if answer.on_chain else f'signed by {signed}'}"
    end(answer, json, [told], f"gsc publish-rates --partner {partner} --deck FILE --effective DATE")


def amend(partner: Partner, home: Home = None, dry_run: DryRun = False, json: Json = False) -> None:
    """Sign the next version of the agreement, a file in agreements/amendments; it goes on chain once both have."""
    from datetime import UTC, datetime

    from gateway import month

    gateway = home_of(home)
    answer = month.amend(gateway, code_of(partner), dry_run=dry_run)
    signed = " and ".join(answer.signed_by) or "nobody"
    begins = datetime.fromtimestamp(answer.valid_from, UTC)
    told = f"version {answer.version} from {begins:%Y-%m-%d %H:%M} UTC: " + (
        "on chain" if answer.on_chain else f"signed by {signed}"
    )
    rows = [[each.term, each.before, each.after] for each in answer.changes]
    alone = answer.signed_by == (gateway.carrier,)
    after = f"at {partner}: gsc amend --partner {gateway.carrier}" if alone else f"gsc amend --partner {partner}"
    end(answer, json, [told], "gsc doctor" if answer.on_chain else after, ["term", "before", "after"], rows)


def publish_rates(
    partner: Partner,
    deck: Annotated[str, typer.Option("--deck", help="A file of the decks folder")],
    effective: Annotated[str, typer.Option("--effective", help="From when it holds: 2026-09-01, or with a time")],
    service: Annotated[str, typer.Option(help="voice, sms, data or ipl")] = "voice",
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
    of = service_of(service)
    seconds = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    answer = month.publish_rates(
        home_of(home), code_of(partner), deck, seconds, service=of, change=kind, dry_run=dry_run
    )
    told = f"deck 0x{answer.deck_hash.hex()[:16]}… with {answer.rates:,} rates, {answer.change}, notice {answer.seq}"
    end(answer, json, [told], f"gsc grant-credit --partner {partner} --limit AMOUNT")


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
        home_of(home), code_of(partner), parse_micros(limit), LimitPolicy[policy.upper()], dry_run=dry_run
    )
    end(answer, json, [f"line {answer.limit} ({answer.policy}), used {answer.exposure}"], "gsc import FILE")
