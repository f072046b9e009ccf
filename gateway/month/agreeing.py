"""What comes before the month: the agreement on chain, the rate decks by hash, the credit lines."""

from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.answers import Money
from gateway.composition import Gateway, Partnership, partnership_with
from gateway.month.countersigning import Offer, collect
from gateway.month.parts import Submission, day_deadline, stream_of
from gateway.month.sending import Call, next_number, submit
from ledger.canonical import canonical_hash
from ledger.chain.abi import decode_all
from ledger.chain.bindings import (
    AGREEMENT_BOOK_PUBLISH_RATES,
    CreditLine,
    LimitPolicy,
    RateChange,
    RateNotice,
    calldata_agreement_book_publish_rates,
    calldata_agreement_book_sign,
    calldata_credit_book_grant,
)
from ledger.errors import NotFound
from ledger.identity import AgreementId, CarrierCode, ascii32
from ledger.money import Micros
from ledger.prices.deck import deck_hash
from ledger.prices.service_deck_file import load_service_deck
from ledger.service import Service
from ledger.store.agreements import RateNoticeRow, list_agreements, list_rate_notices
from ledger.store.credit import credit_of
from ledger.store.engine import lock, reading, writing
from ledger.store.outbox import find_submission, list_submissions
from ledger.store.states import SubmissionState


@dataclass(frozen=True, slots=True)
class AgreementAnswer:
    """An agreement on its way to the chain. Without submission: on chain already, or the partner has not signed."""

    partner: CarrierCode
    agreement_id: AgreementId
    document_hash: bytes
    signed_by: tuple[CarrierCode, ...]
    on_chain: bool
    submission: Submission | None


@dataclass(frozen=True, slots=True)
class RatesAnswer:
    """A published rate deck."""

    partner: CarrierCode
    service: Service
    deck_hash: bytes
    rates: int
    effective_at: int
    change: str
    seq: int
    submission: Submission | None


@dataclass(frozen=True, slots=True)
class CreditAnswer:
    """A granted credit line."""

    partner: CarrierCode
    limit: Money
    policy: str
    nonce: int
    exposure: Money
    submission: Submission | None


def sign_agreement(gateway: Gateway, partner: CarrierCode, *, dry_run: bool = False) -> AgreementAnswer:
    """Sign the agreement file's terms; with the partner's signature too, put them on chain."""
    held = partnership_with(gateway.settings, partner)
    gateway.catch_up()
    with reading(gateway.engine) as connection:
        known = any(row.agreement_id == held.id for row in list_agreements(connection, gateway.carrier))
    if known:
        return AgreementAnswer(partner, held.id, held.terms.document_hash, held.carriers, True, None)
    if dry_run:
        return AgreementAnswer(partner, held.id, held.terms.document_hash, (), False, None)
    signatures = collect(gateway, Offer("agreement", held.terms, held.id), [partner])
    submission = None
    if set(signatures) >= set(held.carriers):
        low, high = (signatures[carrier] for carrier in held.carriers)
        call = Call(
            kind="agreement",
            subject=held.id,
            contract="AgreementBook",
            calldata=calldata_agreement_book_sign(held.terms, low, high),
            stream=stream_of("agreement", held.id),
            position=1,
            agreement_id=held.id,
        )
        with writing(gateway.engine) as connection:
            submission = submit(gateway, connection, call)
    return AgreementAnswer(partner, held.id, held.terms.document_hash, tuple(sorted(signatures)), False, submission)


def publish_rates(
    gateway: Gateway,
    partner: CarrierCode,
    deck_name: str,
    effective_at: int,
    *,
    service: Service = Service.VOICE,
    change: RateChange | None = None,
    dry_run: bool = False,
) -> RatesAnswer:
    """Publish the hash of one of our decks (a file in the decks folder) for traffic from a partner, seconds.

    Without `change` the first deck of a direction is the initial one and any other an increase, which needs its notice.
    """
    held = partnership_with(gateway.settings, partner)
    path = gateway.settings.decks_path / deck_name
    if not path.resolve().is_relative_to(gateway.settings.decks_path.resolve()) or not path.is_file():
        present = sorted(each.name for each in gateway.settings.decks_path.glob("**/*.csv"))
        raise NotFound("no such rate deck", expected=", ".join(present) or "a CSV in the decks folder", got=deck_name)
    deck = load_service_deck(path, held.currency, service)
    over = deck_hash(deck)
    gateway.catch_up()
    with writing(gateway.engine) as connection:
        lock(connection, f"rates {held.id.hex()}")
        notices = list_rate_notices(connection, held.id, gateway.carrier)
        same = [row for row in notices if (row.deck_hash, row.effective_at) == (over, effective_at)]
        if same:
            return _published(held, same[0], len(deck.rates), None)
        subject = canonical_hash("rates", [held.id, gateway.carrier, int(service), over, effective_at])
        stream = stream_of("rates", held.id)
        last = max((row.seq for row in notices), default=0)
        before = find_submission(connection, "rates", subject)
        again = before is not None and before.state != SubmissionState.REVERTED
        seq = before.position if before is not None and again else next_number(connection, stream, last)
        first = service not in {row.service for row in notices} | _on_their_way(connection, held, seq)
        notice = RateNotice(
            agreement_id=held.id,
            creditor=ascii32(gateway.carrier),
            service=service,
            change=change if change is not None else RateChange.INITIAL if first else RateChange.INCREASE,
            deck_hash=over,
            effective_at=effective_at,
            seq=seq,
            deadline=day_deadline(gateway.now_s),
        )
        signed = gateway.signer.sign(notice)
        call = Call(
            kind="rates",
            subject=subject,
            contract="AgreementBook",
            calldata=calldata_agreement_book_publish_rates(notice, signed.signature),
            stream=stream,
            position=seq,
            agreement_id=held.id,
        )
        submission = submit(gateway, connection, call, dry_run=dry_run)
    return RatesAnswer(
        partner, service, over, len(deck.rates), effective_at, notice.change.name.lower(), notice.seq, submission
    )


def grant_credit(
    gateway: Gateway,
    partner: CarrierCode,
    limit_micros: Micros,
    policy: LimitPolicy = LimitPolicy.REFUSE,
    *,
    dry_run: bool = False,
) -> CreditAnswer:
    """Grant the partner a credit line for what it owes us."""
    held = partnership_with(gateway.settings, partner)
    gateway.catch_up()
    with writing(gateway.engine) as connection:
        lock(connection, f"credit {held.id.hex()}")
        line = credit_of(connection, held.id, gateway.carrier)
        exposure = Money(held.currency, line.exposure_micros)
        limit = Money(held.currency, limit_micros)
        if line.nonce and (line.limit_micros, line.policy) == (limit_micros, policy):
            return CreditAnswer(partner, limit, policy.name.lower(), line.nonce, exposure, None)
        stream = stream_of("credit", held.id)
        waiting = next_number(connection, stream, line.nonce) - 1
        subject = _credit_subject(held, limit_micros, policy, waiting)
        pending = waiting > line.nonce and find_submission(connection, "credit_line", subject) is not None
        nonce = waiting if pending else waiting + 1
        struct = CreditLine(
            agreement_id=held.id,
            creditor=ascii32(gateway.carrier),
            limit_micros=limit_micros,
            policy=policy,
            nonce=nonce,
            deadline=day_deadline(gateway.now_s),
        )
        signed = gateway.signer.sign(struct)
        call = Call(
            kind="credit_line",
            subject=_credit_subject(held, limit_micros, policy, nonce),
            contract="CreditBook",
            calldata=calldata_credit_book_grant(struct, signed.signature),
            stream=stream,
            position=struct.nonce,
            agreement_id=held.id,
        )
        submission = submit(gateway, connection, call, dry_run=dry_run)
    return CreditAnswer(partner, limit, policy.name.lower(), struct.nonce, exposure, submission)


def _on_their_way(connection: Connection, held: Partnership, before: int) -> set[Service]:
    """The services of earlier decks of ours that the outbox has and the chain may not have yet."""
    kinds = [kind for _, kind in AGREEMENT_BOOK_PUBLISH_RATES.inputs]
    return {
        decode_all(kinds, row.calldata[4:])[0].service
        for row in list_submissions(connection, agreement_id=held.id, kind="rates")
        if row.calldata and row.state != SubmissionState.REVERTED and row.position < before
    }


def _credit_subject(held: Partnership, limit_micros: int, policy: LimitPolicy, nonce: int) -> bytes:
    """Names a credit line, whatever deadline it was signed with."""
    return canonical_hash("credit", [held.id, limit_micros, int(policy), nonce])


def _published(held: Partnership, row: RateNoticeRow, rates: int, submission: Submission | None) -> RatesAnswer:
    return RatesAnswer(
        partner=held.partner,
        service=row.service,
        deck_hash=row.deck_hash,
        rates=rates,
        effective_at=row.effective_at,
        change=row.change.name.lower(),
        seq=row.seq,
        submission=submission,
    )
