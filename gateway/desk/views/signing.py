"""What is about to be signed? The struct in plain words and its digest, seen by a person before our key signs it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gateway import month
from gateway.composition import Gateway, Partnership, partnership_with
from gateway.desk.shapes import hexed
from gateway.desk.views.sentences import Said, changed, of_dispute, of_statement, rule_of_dispute, said_of_dispute
from gateway.month.accepting import draw, statement_of
from gateway.month.disputing import DisputeAnswer
from gateway.month.versions import of_period
from gateway.peers import decode, encode
from ledger.chain.bindings import Statement
from ledger.errors import Conflict, Malformed
from ledger.identity import CarrierCode
from ledger.period import Period, parse_period
from ledger.service import Service
from ledger.store.engine import reading
from ledger.store.proposals import signatures_of
from ledger.store.settlement import list_statements
from reconciliation.finding import Cause


@dataclass(frozen=True, slots=True)
class Signable:
    """One struct before its signature: what it says, and what a form carries back of it."""

    struct: str
    """Named as the contract names it."""
    said: Sequence[Said]
    digest: str
    """The 32 bytes our key signs."""
    seen: str
    """What was shown, in canonical bytes: the form brings it back."""


@dataclass(frozen=True, slots=True)
class AgreeView:
    """The statement of a month, ready to be signed."""

    partner: str
    period: str
    signable: Signable
    signed_by: Sequence[str]
    agreed: bool


@dataclass(frozen=True, slots=True)
class DisputeChoice:
    """One dispute our desk may open."""

    cause: str
    rule: Said
    """The agreement's rule that allows it."""
    signable: Signable


@dataclass(frozen=True, slots=True)
class OpeningView:
    """The disputes a month gives reason for."""

    partner: str
    period: str
    currency: str
    choices: Sequence[DisputeChoice]
    standing: Sequence[DisputeAnswer]
    """Those that were opened before."""


class Stale(Conflict):
    """What was shown is not what would be signed now; nothing was signed."""

    slug = "figures-changed"


def agree_view(gateway: Gateway, partner: CarrierCode, period: Period) -> AgreeView:
    """The statement as it would be signed now. Raises NotFound, Conflict before both have closed."""
    held = of_period(gateway, partnership_with(gateway.settings, partner), period)
    gateway.catch_up()
    with reading(gateway.engine) as connection:
        statement = statement_of(held, draw(connection, held, period))
        agreed = any(row.agreed_at for row in list_statements(connection, held.id, period))
        signable = _of_statement(gateway, held, statement)
        signers = signatures_of(connection, "statement", gateway.signer.digest(statement))
    return AgreeView(partner, str(period), signable, held.carriers if agreed else sorted(signers), agreed)


def require_seen(gateway: Gateway, view: AgreeView, seen: str, words: Callable[..., str]) -> None:
    """What the person saw must be what is signed. Raises Stale, saying what has changed, or Malformed."""
    if seen == view.signable.seen:
        return
    held = of_period(gateway, partnership_with(gateway.settings, CarrierCode(view.partner)), parse_period(view.period))
    before = of_statement(held, decode(Statement, _bytes(seen)))
    raise stale(before, view.signable.said, words)


def opening_view(gateway: Gateway, partner: CarrierCode, period: Period, again: bool = False) -> OpeningView:
    """The disputes that could be opened now, and those that are. Raises NotFound, Conflict before reveal."""
    held = of_period(gateway, partnership_with(gateway.settings, partner), period)
    answer = month.dispute(gateway, partner, period, again=again, dry_run=True)
    return OpeningView(
        partner=partner,
        period=str(period),
        currency=held.currency,
        choices=[_choice(held, each) for each in answer.disputes if each.submission is not None],
        standing=[each for each in answer.disputes if each.submission is None],
    )


def open_disputes(
    gateway: Gateway, partner: CarrierCode, period: Period, seen: Sequence[str], words: Callable[..., str]
) -> list[DisputeAnswer]:
    """Open the disputes that were shown and chosen, if they are still the same; sent twice they are opened once.

    `seen` are the choices' marks. Raises Stale, Malformed.
    """
    shown = [_mark(each) for each in seen]
    if not shown:
        raise Malformed(words("sign.none_chosen"), todo=words("sign.none_chosen.todo"))
    held = of_period(gateway, partnership_with(gateway.settings, partner), period)
    marks = set(seen)
    now = month.dispute(gateway, partner, period, dry_run=True).disputes
    gone = [each for each, mark in zip(shown, seen, strict=True) if mark not in {mark_of(one) for one in now}]
    if gone:
        before = [
            said_of_dispute(held, each.cause, each.service, period, each.amount_micros, each.records) for each in gone
        ]
        causes = {each.cause for each in gone}
        after = [of_dispute(held, one)[0] for one in now if one.reason in causes and mark_of(one) not in marks]
        raise stale(before, after, words)
    return list(month.dispute(gateway, partner, period, causes={each.cause for each in shown}).disputes)


class Mark(NamedTuple):
    """What a form brings back of one dispute that was shown."""

    dispute_id: str
    cause: Cause
    service: Service
    amount_micros: int
    records: int


def mark_of(asked: DisputeAnswer) -> str:
    """A dispute as a form carries it: its id, which is the digest of all that is signed, and what it was about."""
    parts = (hexed(asked.dispute_id), asked.reason, int(asked.service), asked.amount.micros, asked.count)
    return ":".join(map(str, parts))


def _mark(text: str) -> Mark:
    parts = text.split(":")
    if len(parts) != 5 or parts[1] not in list(Cause) or not all(each.isdecimal() for each in parts[2:]):
        raise Malformed("not a dispute of the form", got=repr(text[:80]), todo="Load the page again.")
    return Mark(parts[0], Cause(parts[1]), Service(int(parts[2])), int(parts[3]), int(parts[4]))


def stale(before: Sequence[Said], now: Sequence[Said], words: Callable[..., str]) -> Stale:
    """The refusal of a signature under what is not shown any more."""
    pairs = changed(before, now, words)
    return Stale(
        words("sign.stale"),
        expected=" ".join(old for old, _ in pairs if old) or None,
        got=" ".join(new for _, new in pairs if new) or None,
        todo=words("sign.stale.todo"),
    )


def _of_statement(gateway: Gateway, held: Partnership, statement: Statement) -> Signable:
    return Signable(
        struct="Statement",
        said=of_statement(held, statement),
        digest=hexed(gateway.signer.digest(statement)),
        seen=hexed(encode(statement)),
    )


def _choice(held: Partnership, asked: DisputeAnswer) -> DisputeChoice:
    return DisputeChoice(
        cause=asked.reason,
        rule=rule_of_dispute(held, asked.reason),
        signable=Signable("Dispute", of_dispute(held, asked), hexed(asked.dispute_id), mark_of(asked)),
    )


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raise Malformed("not what the form held", got=repr(text[:40]), todo="Load the page again.") from None
