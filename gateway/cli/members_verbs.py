"""Which commands do the members use? Propose, approve, execute, join; and what stands."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.parts import DryRun, Home, Json, end, home_of, id_of

if TYPE_CHECKING:
    from gateway.month.governing import ProposalAnswer

ProposalId = Annotated[str, typer.Argument(help="The proposal's id, from `gsc members list`")]
PROPOSED = ["proposal", "decision", "approved", "ready at", "state", "submission"]


def register(app: typer.Typer) -> None:
    """Add the group of these commands."""
    members = typer.Typer(
        help="What m of n members decide: carriers, licences, igws, themselves.", no_args_is_help=True
    )
    members.command("list")(list_)
    members.command("propose")(propose)
    members.command("approve")(approve)
    members.command("execute")(execute)
    members.command("join")(join)
    app.add_typer(members, name="members")


def list_(home: Home = None, json: Json = False) -> None:
    """Members, open proposals with their delay, carriers, licences and international gateways."""
    from gateway import month
    from gateway.cli.showing import show_rows
    from ledger.store.crossings import shown

    answer = month.list_members(home_of(home))
    if not json:
        show_rows(
            ["carrier", "since", "standing"],
            [
                [each.carrier, _date(each.admitted_at), "active" if each.active else "suspended or removed"]
                for each in answer.carriers
            ],
        )
        show_rows(
            ["carrier", "licence", "valid (UTC)"],
            [[each.carrier, each.licence, shown(each.validities)] for each in answer.licences],
        )
        show_rows(
            ["igw", "kind", "valid (UTC)"],
            [[each.igw, each.kind.name.lower(), shown(each.validities)] for each in answer.igws],
        )
    days, rest = divmod(answer.delay_seconds, 86_400)
    delay = f"{days} day{'s' * (days != 1)}" if not rest else f"{answer.delay_seconds} seconds"
    we_are = "a member" if answer.we_are in answer.members else "no member"
    lines = [
        f"{answer.threshold} of {len(answer.members)} members decide, {delay} after the last approval",
        *(f"member {each}" for each in answer.members),
        *(f"invited {each}" for each in answer.invited),
        f"this home's sending key {answer.we_are} is {we_are}",
    ]
    if not answer.proposals:
        lines.append("no open proposal")
    end(answer, json, lines, "gsc members propose DECISION, or approve PROPOSAL", PROPOSED, _rows(answer.proposals))


def propose(
    decision: Annotated[
        str,
        typer.Argument(
            help="admit, suspend, reinstate, remove, grant-licence, revoke-licence, list-igw, delist-igw, list-token, "
            "invite-member, remove-member or change-threshold"
        ),
    ],
    carrier: Annotated[str | None, typer.Option(help="Code of a carrier: SG-D")] = None,
    key: Annotated[str | None, typer.Option(help="The carrier's first signing key: 0x…")] = None,
    licence: Annotated[str | None, typer.Option(help="Class: BASIC-INTL, A24-1, B13")] = None,
    igw: Annotated[str | None, typer.Option(help="Code of an international gateway: BORDER-TUMEN")] = None,
    kind: Annotated[str | None, typer.Option(help="Of the igw: global, regional, border or channel")] = None,
    from_: Annotated[str | None, typer.Option("--from", help="Valid from: 2026-09-01, or with a time")] = None,
    until: Annotated[str | None, typer.Option(help="Valid up to, not including; without end if not given")] = None,
    token: Annotated[str | None, typer.Option(help="Address of a settlement token")] = None,
    currency: Annotated[str | None, typer.Option(help="Of the token: USD")] = None,
    member: Annotated[str | None, typer.Option(help="Address of who is invited, or removed")] = None,
    replaces: Annotated[
        str | None, typer.Option(help="Address of the member that goes when the invited one joins")
    ] = None,
    threshold: Annotated[str | None, typer.Option(help="Approvals needed from then on")] = None,
    home: Home = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Propose a decision; if the same one is proposed already, approve it."""
    from gateway import month

    given = {
        "carrier": carrier,
        "key": key,
        "licence": licence,
        "igw": igw,
        "kind": kind,
        "from": from_,
        "until": until,
        "token": token,
        "currency": currency,
        "member": member,
        "replaces": replaces,
        "threshold": threshold,
    }
    wanted = {name: value for name, value in given.items() if value is not None}
    answer = month.propose(home_of(home), decision, wanted, dry_run=dry_run)
    after = f"at {answer.threshold} members in all: gsc members approve 0x{answer.proposal_id.hex()}"
    end(answer, json, [], after, PROPOSED, _rows([answer]))


def approve(proposal_id: ProposalId, home: Home = None, dry_run: DryRun = False, json: Json = False) -> None:
    """Approve an open proposal."""
    from gateway import month

    answer = month.approve(home_of(home), id_of(proposal_id), dry_run=dry_run)
    end(answer, json, [], f"gsc members execute {proposal_id}, once it is ready", PROPOSED, _rows([answer]))


def execute(proposal_id: ProposalId, home: Home = None, dry_run: DryRun = False, json: Json = False) -> None:
    """Execute what enough members approved; before its delay is over it waits in the outbox."""
    from gateway import month

    answer = month.execute(home_of(home), id_of(proposal_id), dry_run=dry_run)
    end(answer, json, [], "gsc members list", PROPOSED, _rows([answer]))


def join(home: Home = None, dry_run: DryRun = False, json: Json = False) -> None:
    """Accept the members' invitation with this home's sending key."""
    from gateway import month

    answer = month.join(home_of(home), dry_run=dry_run)
    told = "a member already" if answer is None else f"joining: {answer.state}"
    end(answer or {"member": True}, json, [told], "gsc members list")


def _rows(proposals: Iterable["ProposalAnswer"]) -> list[list[object]]:
    return [
        [
            f"0x{each.proposal_id.hex()}",
            " ".join([each.decision.decision, *(f"{name}={value}" for name, value in each.decision.arguments.items())]),
            f"{len(each.approved_by)} of {each.threshold}",
            _date(each.ready_at) if each.ready_at else "",
            each.state,
            each.submission.state if each.submission else "",
        ]
        for each in proposals
    ]


def _date(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")
