"""Verb *amend*: which new terms hold from a day to come, signed by both, under the same agreement?"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection

from gateway.composition import Gateway, Partnership, chain_terms, partnership_with
from gateway.month.countersigning import Offer, collect, refuse_difference
from gateway.month.parts import Submission, stream_of
from gateway.month.sending import Call, submit
from gateway.month.versions import Version, versions_of
from gateway.peers import decode
from ledger.agreement import Agreement
from ledger.agreement_file import document_hash
from ledger.chain.bindings import Amendment, Terms, calldata_agreement_book_amend
from ledger.errors import Conflict, Malformed, NotFound
from ledger.identity import AgreementId, CarrierCode
from ledger.service import Service
from ledger.store.engine import reading, writing
from ledger.store.proposals import list_proposals


@dataclass(frozen=True, slots=True)
class TermChange:
    """One term that an amendment changes."""

    term: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class AmendmentAnswer:
    """An amendment on its way to the chain. Without submission: on chain already, or the partner has not signed."""

    partner: CarrierCode
    agreement_id: AgreementId
    version: int
    valid_from: int
    """Seconds."""
    document_hash: bytes
    changes: tuple[TermChange, ...]
    signed_by: tuple[CarrierCode, ...]
    on_chain: bool
    submission: Submission | None


def amend(gateway: Gateway, partner: CarrierCode, *, dry_run: bool = False) -> AmendmentAnswer:
    """Sign the next version of an agreement, a file in agreements/amendments; with both signatures put it on chain.

    Without a file that waits it tells the version that was signed last. Raises NotFound if there is none at all,
    Malformed or Conflict for one that the chain could not take, PeerRefused, Unavailable.
    """
    held = partnership_with(gateway.settings, partner)
    gateway.catch_up()
    with reading(gateway.engine) as connection:
        versions = versions_of(connection, held)
        wanted = _waiting(connection, held, versions)
    last = versions[-1]
    if wanted is None:
        return _answer(held, versions[-2], last.number, last.agreement, held.carriers, None, on_chain=True)
    _require_follows(gateway, last, wanted)
    struct = amendment_of(held, last.number + 1, wanted)
    if dry_run:
        return _answer(held, last, struct.version, wanted, (), None)
    signatures = collect(gateway, Offer("amendment", struct, held.id), [partner])
    submission = None
    if set(signatures) >= set(held.carriers):
        low, high = (signatures[carrier] for carrier in held.carriers)
        call = Call(
            kind="amendment",
            subject=gateway.signer.digest(struct),
            contract="AgreementBook",
            calldata=calldata_agreement_book_amend(struct, low, high),
            stream=stream_of("amendment", held.id),
            position=struct.version,
            agreement_id=held.id,
        )
        with writing(gateway.engine) as connection:
            submission = submit(gateway, connection, call)
    return _answer(held, last, struct.version, wanted, tuple(sorted(signatures)), submission)


def amendment_of(held: Partnership, version: int, agreement: Agreement) -> Amendment:
    """What both sign: it can be put on chain until it takes effect, so both come to the same deadline."""
    terms = chain_terms(agreement)
    return Amendment(agreement_id=held.id, version=version, terms=terms, deadline=terms.valid_from)


def check_amendment(gateway: Gateway, held: Partnership, struct: Amendment) -> None:
    """A peer's amendment must be the next version, of the same two. Raises Refused, naming what differs."""
    gateway.catch_up()
    with reading(gateway.engine) as connection:
        following = versions_of(connection, held)[-1].number + 1
    drawn = (following, held.terms.carrier_low, held.terms.carrier_high, struct.terms.valid_from)
    given = (struct.version, struct.terms.carrier_low, struct.terms.carrier_high, struct.deadline)
    for name, ours, theirs in zip(
        ("version", "lower carrier", "higher carrier", "deadline"), drawn, given, strict=True
    ):
        if ours != theirs:
            raise refuse_difference(f"the amendment's {name}", ours, theirs)


def _waiting(connection: Connection, held: Partnership, versions: Sequence[Version]) -> Agreement | None:
    """The first file that the chain does not know yet; None if all are on chain. Raises NotFound."""
    known = {version.document_hash for version in versions}
    for each in held.amendments:
        if document_hash(each) not in known:
            return each
    if len(versions) > 1:
        return None
    offered = [decode(Amendment, row.struct).terms for row in list_proposals(connection, "amendment", held.id)]
    raise NotFound(
        f"no new version of the agreement with {held.partner}",
        expected="an agreement file in agreements/amendments, whose valid_from is the day it takes effect",
        got=f"{held.partner} proposes {_shown(offered[-1])}" if offered else "none",
        todo="Write the whole agreement as it shall be (docs/formats.md), have the partner hold the same file, amend.",
    )


def _shown(terms: Terms) -> str:
    return f"document 0x{terms.document_hash.hex()} from {terms.valid_from} (seconds)"


def _require_follows(gateway: Gateway, last: Version, wanted: Agreement) -> None:
    """What the contract would refuse, said before anything is signed."""
    begins = wanted.valid_from_ms // 1000
    earliest = max(gateway.now_s, last.valid_from + 1)
    if begins < earliest:
        raise Conflict(
            "an amendment takes effect neither in the past nor before the version it follows",
            expected=f"valid_from of {earliest} or later (seconds)",
            got=begins,
            todo="Move its valid_from, in the files of both sides.",
        )
    if last.agreement is None:
        return
    missing = last.agreement.services - wanted.services
    if wanted.currency != last.agreement.currency or missing:
        raise Malformed(
            "an amendment keeps the currency and the services of the version it follows",
            expected=f"{last.agreement.currency}, {_services(last.agreement.services)}",
            got=f"{wanted.currency}, {_services(wanted.services)}",
            todo="For another currency, or to end a service, sign an agreement of its own.",
        )


def _services(services: frozenset[Service]) -> str:
    return ", ".join(service.word for service in sorted(services))


def _answer(
    held: Partnership,
    before: Version,
    number: int,
    agreement: Agreement | None,
    signed_by: tuple[CarrierCode, ...],
    submission: Submission | None,
    *,
    on_chain: bool = False,
) -> AmendmentAnswer:
    if agreement is None:
        raise NotFound(
            f"the file of version {number} of the agreement with {held.partner} is missing",
            todo=f"Ask {held.partner} for the file that both have signed, and put it into agreements/amendments.",
        )
    return AmendmentAnswer(
        partner=held.partner,
        agreement_id=held.id,
        version=number,
        valid_from=agreement.valid_from_ms // 1000,
        document_hash=document_hash(agreement),
        changes=changes(before.agreement, agreement) if before.agreement else (),
        signed_by=signed_by,
        on_chain=on_chain,
        submission=submission,
    )


def changes(before: Agreement, after: Agreement) -> tuple[TermChange, ...]:
    """The terms that differ, each by its dotted name: "payment.payment_days"."""
    olds, news = _flat("", before), _flat("", after)
    return tuple(
        TermChange(name, olds.get(name, "none"), news.get(name, "none"))
        for name in dict.fromkeys([*olds, *news])
        if olds.get(name) != news.get(name)
    )


def _flat(name: str, value: object) -> dict[str, str]:
    if is_dataclass(value):
        parts = [_flat(f"{name}.{each.name}".lstrip("."), getattr(value, each.name)) for each in fields(value)]
        return {key: text for part in parts for key, text in part.items()}
    if isinstance(value, frozenset):
        return {name: ", ".join(sorted(each.word if isinstance(each, Service) else str(each) for each in value))}
    if name == "valid_from_ms" and isinstance(value, int):
        return {"valid_from": datetime.fromtimestamp(value // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    return {name: str(value)}
