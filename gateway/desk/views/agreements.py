"""What have we agreed with whom, in which version, and since when?"""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.composition import Gateway, Partnership, partnership_with, partnerships
from gateway.desk.shapes import hexed, money
from gateway.month.versions import versions_of
from ledger.agreement import Agreement
from ledger.agreement_file import document_hash, dump_agreement
from ledger.identity import CarrierCode
from ledger.store.agreements import KeyRow, list_agreements, list_keys, list_rate_notices
from ledger.store.engine import reading


@dataclass(frozen=True, slots=True)
class AgreementLine:
    """One agreement in the list."""

    partner: str
    id: str
    currency: str
    services: Sequence[str]
    zone: str
    valid_from: int
    versions: int
    block: int | None
    """None: not signed by both yet."""
    decks: int


@dataclass(frozen=True, slots=True)
class VersionView:
    """One version: its terms as (key of a word, value), and its file."""

    number: int
    valid_from: int
    document_hash: str
    terms: Sequence[tuple[str, str]]
    changed: frozenset[str]
    """Terms that differ from the version before."""
    file: str
    """Empty if it is not in the home."""


@dataclass(frozen=True, slots=True)
class AgreementView:
    """One agreement with all its versions, the latest first."""

    line: AgreementLine
    versions: Sequence[VersionView]
    keys: Sequence[KeyRow]
    """Of the partner, with which it signs."""
    amendments_waiting: int
    """Files of amendments that are not signed by both."""


@dataclass(frozen=True, slots=True)
class AgreementsView:
    """Every agreement of ours."""

    rows: Sequence[AgreementLine]


def agreements_view(gateway: Gateway) -> AgreementsView:
    """The list of agreements."""
    return AgreementsView([_line(gateway, held) for held in partnerships(gateway.settings).values()])


def agreement_view(gateway: Gateway, partner: CarrierCode) -> AgreementView:
    """One agreement. Raises NotFound."""
    held = partnership_with(gateway.settings, partner)
    with reading(gateway.engine) as connection:
        versions = versions_of(connection, held)
        keys = list_keys(connection, held.partner)
    shown: list[VersionView] = []
    before: dict[str, str] = {}
    for version in versions:
        terms = terms_of(version.agreement) if version.agreement else []
        changed = {word for word, value in terms if before and before.get(word) != value}
        file = dump_agreement(version.agreement) if version.agreement else ""
        shown.append(
            VersionView(
                version.number, version.valid_from, hexed(version.document_hash), terms, frozenset(changed), file
            )
        )
        before = dict(terms)
    signed = {version.document_hash for version in versions}
    waiting = sum(document_hash(each) not in signed for each in held.amendments)
    return AgreementView(_line(gateway, held), shown[::-1], keys, waiting)


def terms_of(agreement: Agreement) -> list[tuple[str, str]]:
    """The terms a clerk asks for, as keys of words and values; the whole stands in the file."""
    tolerance, payment = agreement.tolerance, agreement.payment
    return [
        ("terms.currency", agreement.currency),
        ("terms.services", ", ".join(sorted(service.word for service in agreement.services))),
        ("terms.zone", agreement.zone.key),
        ("terms.rounding", agreement.rounding.value.replace("_", " ")),
        ("terms.notice_days", str(agreement.notice_days)),
        ("terms.payment_days", str(payment.payment_days)),
        ("terms.acceptance_days", str(payment.acceptance_days)),
        ("terms.interest", f"{payment.interest_bps // 100}.{payment.interest_bps % 100:02d} %"),
        ("terms.stop_credit_days", str(payment.stop_credit_days)),
        ("terms.terminate_days", str(payment.terminate_days)),
        ("terms.window", f"{tolerance.window_ms} ms"),
        (
            "terms.duration",
            f"{tolerance.duration_ms} ms / {tolerance.duration_bps // 100}.{tolerance.duration_bps % 100:02d} %",
        ),
        ("terms.volume_share", f"{tolerance.volume_bps // 100}.{tolerance.volume_bps % 100:02d} %"),
        ("terms.volume_amount", f"{agreement.currency} {money(tolerance.volume_micros)}"),
        ("terms.deals", str(len(agreement.deals))),
    ]


def _line(gateway: Gateway, held: Partnership) -> AgreementLine:
    with reading(gateway.engine) as connection:
        on_chain = {row.agreement_id: row for row in list_agreements(connection, gateway.carrier)}
        versions = versions_of(connection, held)
        decks = len(list_rate_notices(connection, held.id))
    row = on_chain.get(held.id)
    return AgreementLine(
        partner=held.partner,
        id=hexed(held.id),
        currency=held.currency,
        services=sorted(service.word for service in held.agreement.services),
        zone=held.agreement.zone.key,
        valid_from=held.terms.valid_from,
        versions=len(versions),
        block=row.block_number if row else None,
        decks=decks,
    )
