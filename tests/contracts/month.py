"""How do the tests walk through the month? Each verb builds one struct, has it signed and sends it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ledger.chain import bindings as b
from ledger.chain.abi import keccak
from ledger.identity import AgreementId, ascii32
from ledger.service import Service
from tests.contracts.books import (
    CN,
    CN_GB,
    CN_US,
    DELAY_SECONDS,
    GB,
    GB_US,
    LIMIT,
    MEMBERS,
    NEVER,
    NOVEMBER,
    OCTOBER,
    PERIOD,
    US,
    USD,
    ZERO,
    Books,
    Carrier,
    Receipt,
    agreement_id,
)

AGREED = ((CN_GB, CN, GB), (CN_US, CN, US), (GB_US, GB, US))
CARRIERS = {carrier.id: carrier for carrier in (CN, GB, US)}

# THE MEMBERS


def propose(books: Books, call: bytes, approvals: int = 3) -> bytes:
    """A proposal with that many approvals. Returns its id."""
    made = books.send("CarrierRegistry", b.calldata_carrier_registry_propose(call, ZERO), MEMBERS[0])
    proposal_id: bytes = made.only(b.ProposalMade).proposal_id
    for member in MEMBERS[1:approvals]:
        books.send("CarrierRegistry", b.calldata_carrier_registry_approve(proposal_id), member)
    return proposal_id


def decide(books: Books, call: bytes) -> None:
    """The members decide it, the delay passes, a stranger executes it."""
    proposal_id = propose(books, call)
    books.chain.advance_to(books.now() + DELAY_SECONDS)
    books.send("CarrierRegistry", b.calldata_carrier_registry_execute(proposal_id))


def license_crossings(books: Books, creditor: Carrier) -> None:
    """The members license it for data and private lines, for all events."""
    decide(books, b.calldata_carrier_registry_grant_licence(creditor.id, ascii32("BASIC-INTL"), 0, 0))


# AGREEMENTS AND RATES


def sign_agreement(books: Books, terms: b.Terms, low: Carrier, high: Carrier) -> AgreementId:
    signatures = (books.signed(low, terms, "AgreementBook"), books.signed(high, terms, "AgreementBook"))
    books.send("AgreementBook", b.calldata_agreement_book_sign(terms, *signatures))
    return agreement_id(terms)


def rate_notice(creditor: Carrier, **changes: Any) -> b.RateNotice:
    notice = b.RateNotice(
        agreement_id=agreement_id(CN_GB),
        creditor=creditor.id,
        service=Service.VOICE,
        change=b.RateChange.INITIAL,
        deck_hash=keccak(b"deck 1"),
        effective_at=OCTOBER,
        seq=1,
        deadline=NEVER,
    )
    return replace(notice, **changes)


def publish(books: Books, creditor: Carrier, notice: b.RateNotice) -> bytes:
    """The calldata of publishRates, signed."""
    return b.calldata_agreement_book_publish_rates(notice, books.signed(creditor, notice, "AgreementBook"))


# CREDIT


def with_agreements(books: Books) -> None:
    """Three agreements and a credit line for each of their directions; then it is November."""
    for terms, low, high in AGREED:
        sign_agreement(books, terms, low, high)
        for creditor in (low, high):
            line = credit_line(creditor, agreement_id=agreement_id(terms))
            books.send("CreditBook", grant(books, CARRIERS[creditor.id], line))
    books.chain.advance_to(NOVEMBER)


def credit_line(creditor: Carrier, **changes: Any) -> b.CreditLine:
    line = b.CreditLine(
        agreement_id=agreement_id(CN_GB),
        creditor=creditor.id,
        limit_micros=LIMIT,
        policy=b.LimitPolicy.REFUSE,
        nonce=1,
        deadline=NEVER,
    )
    return replace(line, **changes)


def grant(books: Books, creditor: Carrier, line: b.CreditLine) -> bytes:
    """The calldata of grant, signed."""
    return b.calldata_credit_book_grant(line, books.signed(creditor, line, "CreditBook"))


def exposure(books: Books, creditor: Carrier, agreement: b.Terms = CN_GB) -> int:
    call = b.calldata_credit_book_exposure_of(agreement_id(agreement), creditor.id)
    return b.result_credit_book_exposure_of(books.call("CreditBook", call))


# DECLARATIONS


def declaration(declarer: Carrier, creditor: Carrier, **changes: Any) -> b.Declaration:
    """The first declaration of October's voice between CN-T and GB-B, of 10 USD; November's is of its first second."""
    begin_ms = 1000 * (NOVEMBER if changes.get("period") == PERIOD + 1 else OCTOBER)
    declared = b.Declaration(
        agreement_id=agreement_id(CN_GB),
        declarer=declarer.id,
        creditor=creditor.id,
        seq=1,
        service=Service.VOICE,
        period=PERIOD,
        root=keccak(b"root"),
        count=50_000,
        from_ms=begin_ms,
        to_ms=begin_ms + (86_399_123 if begin_ms == OCTOBER * 1000 else 0),
        quantity=9_000_000_000,
        amount_micros=10_000_000,
        deck_hash=keccak(b"deck 1"),
        corrects=ZERO,
        igw=ZERO,
        deadline=NEVER,
    )
    return replace(declared, **changes)


def declare(books: Books, declared: b.Declaration) -> bytes:
    """The calldata of declare, signed by the declarer."""
    signature = books.signed(CARRIERS[declared.declarer], declared, "UsageLedger")
    return b.calldata_usage_ledger_declare(declared, signature)


def post(books: Books, declarer: Carrier, creditor: Carrier, amount_micros: int, **changes: Any) -> bytes:
    """Declare the next of the declarer's stream. Returns the batch id."""
    fresh = declaration(declarer, creditor, amount_micros=amount_micros, **changes)
    last = b.calldata_usage_ledger_last_seq(fresh.agreement_id, declarer.id, creditor.id)
    seq = b.result_usage_ledger_last_seq(books.call("UsageLedger", last)) + 1
    receipt = books.send("UsageLedger", declare(books, replace(fresh, seq=seq)))
    return bytes(receipt.only(b.UsageDeclared).batch_id)


def period_close(books: Books, declarer: Carrier, agreement: b.Terms = CN_GB, **changes: Any) -> b.PeriodClose:
    """The close of October with the sequence numbers as they stand."""
    other = agreement.carrier_high if agreement.carrier_low == declarer.id else agreement.carrier_low
    creditor_seq, debtor_seq = (
        b.result_usage_ledger_last_seq(
            books.call("UsageLedger", b.calldata_usage_ledger_last_seq(agreement_id(agreement), declarer.id, creditor))
        )
        for creditor in (declarer.id, other)
    )
    closing = b.PeriodClose(agreement_id(agreement), declarer.id, PERIOD, creditor_seq, debtor_seq, NEVER)
    return replace(closing, **changes)


def close(books: Books, closing: b.PeriodClose) -> bytes:
    """The calldata of closePeriod, signed by the declarer."""
    signature = books.signed(CARRIERS[closing.declarer], closing, "UsageLedger")
    return b.calldata_usage_ledger_close_period(closing, signature)


def close_both(books: Books, agreement: b.Terms = CN_GB, period: int = PERIOD) -> None:
    for carrier in (agreement.carrier_low, agreement.carrier_high):
        closing = period_close(books, CARRIERS[carrier], agreement, period=period)
        books.send("UsageLedger", close(books, closing))


# STATEMENTS


def line(creditor: Carrier, ours: int, theirs: int, withheld: int = 0, **changes: Any) -> b.StatementLine:
    """One line of voice: what the creditor and the debtor declared, and what is in dispute."""
    drawn = b.StatementLine(creditor.id, Service.VOICE, ours, theirs, ours - withheld, withheld)
    return replace(drawn, **changes)


def statement(*lines: b.StatementLine, agreement: b.Terms = CN_GB, **changes: Any) -> b.Statement:
    drawn = b.Statement(agreement_id(agreement), PERIOD, lines, keccak(b"batches"), NEVER)
    return replace(drawn, **changes)


def agree(books: Books, drawn: b.Statement, agreement: b.Terms = CN_GB) -> bytes:
    """The calldata of agreeStatement, signed by both."""
    low, high = CARRIERS[agreement.carrier_low], CARRIERS[agreement.carrier_high]
    signatures = (books.signed(low, drawn, "SettlementBook"), books.signed(high, drawn, "SettlementBook"))
    return b.calldata_settlement_book_agree_statement(drawn, *signatures)


def settle_month(books: Books, agreement: b.Terms, owed_to_low: int, owed_to_high: int) -> Receipt:
    """Both declare the same two amounts, close October and agree its statement."""
    low, high = CARRIERS[agreement.carrier_low], CARRIERS[agreement.carrier_high]
    lines = []
    for creditor, debtor, amount in ((low, high, owed_to_low), (high, low, owed_to_high)):
        if amount:
            for declarer in (creditor, debtor):
                post(books, declarer, creditor, amount, agreement_id=agreement_id(agreement))
            lines.append(line(creditor, amount, amount))
    close_both(books, agreement)
    return books.send("SettlementBook", agree(books, statement(*lines, agreement=agreement), agreement))


def items_of(receipts: Sequence[Receipt]) -> tuple[bytes, ...]:
    """The items these transactions opened, ascending, as a cycle wants them."""
    return tuple(sorted(event.item_id for receipt in receipts for event in receipt.all(b.ItemOpened)))


# DISPUTES


def dispute(creditor: Carrier, amount_micros: int, **changes: Any) -> b.Dispute:
    raised = b.Dispute(
        agreement_id=agreement_id(CN_GB),
        period=PERIOD,
        creditor=creditor.id,
        service=Service.VOICE,
        reason=ascii32("duration_bias"),
        amount_micros=amount_micros,
        evidence_hash=keccak(b"evidence"),
        nonce=1,
        deadline=NEVER,
    )
    return replace(raised, **changes)


def open_dispute(books: Books, debtor: Carrier, raised: b.Dispute) -> bytes:
    """The calldata of openDispute, signed."""
    return b.calldata_settlement_book_open_dispute(raised, books.signed(debtor, raised, "SettlementBook"))


def resolve(books: Books, creditor: Carrier, debtor: Carrier, resolution: b.Resolution) -> bytes:
    """The calldata of resolveDispute, signed by both."""
    signatures = tuple(books.signed(carrier, resolution, "SettlementBook") for carrier in (creditor, debtor))
    return b.calldata_settlement_book_resolve_dispute(resolution, *signatures)


# NETTING AND PAYMENT


def leg(agreement: b.Terms, creditor: Carrier, amount_micros: int) -> b.Leg:
    return b.Leg(agreement_id(agreement), creditor.id, amount_micros)


def cycle(items: Sequence[bytes], *legs: b.Leg, **changes: Any) -> b.NettingCycle:
    ordered = tuple(sorted(legs, key=lambda leg: (leg.agreement_id, leg.creditor)))
    return replace(b.NettingCycle(USD, 1, tuple(items), ordered, NEVER), **changes)


def net(books: Books, netting: b.NettingCycle, *parties: Carrier) -> bytes:
    """The calldata of net, signed by the parties."""
    signatures = tuple(books.signed(party, netting, "SettlementBook") for party in parties)
    return b.calldata_settlement_book_net(netting, tuple(party.id for party in parties), signatures)


def owe(books: Books, amount_micros: int, agreement: b.Terms = CN_GB) -> bytes:
    """The debtor is the low carrier: one item of `amount_micros`, one payable. Returns the payable's id."""
    low, high = CARRIERS[agreement.carrier_low], CARRIERS[agreement.carrier_high]
    agreed = settle_month(books, agreement, 0, amount_micros)
    netting = cycle(items_of([agreed]), leg(agreement, high, amount_micros))
    receipt = books.send("SettlementBook", net(books, netting, low, high))
    return bytes(receipt.only(b.PayableOpened).payable_id)


def confirmation(payable_id: bytes, amount_micros: int, reference: str = "SWIFT 1") -> b.PaymentConfirmation:
    return b.PaymentConfirmation(payable_id, amount_micros, keccak(reference.encode()), NEVER)


def confirm(books: Books, creditor: Carrier, word: b.PaymentConfirmation) -> bytes:
    """The calldata of confirmPayment, signed."""
    return b.calldata_payment_book_confirm_payment(word, books.signed(creditor, word, "PaymentBook"))


def outstanding(books: Books, payable_id: bytes) -> tuple[int, int, int, b.ArrearsStage]:
    """Principal, interest, due date, stage."""
    call = b.calldata_payment_book_outstanding_of(payable_id)
    found = b.result_payment_book_outstanding_of(books.call("PaymentBook", call))
    return found.principal_micros, found.interest_micros, found.due_at, found.stage


def pay_off(books: Books, payable_id: bytes) -> Receipt:
    """GB-B confirms what is outstanding until nothing is: interest may grow by a micro between two blocks."""
    for attempt in range(10):
        principal, interest, _, _ = outstanding(books, payable_id)
        word = confirmation(payable_id, principal + interest, f"pay off {attempt}")
        receipt = books.send("PaymentBook", confirm(books, GB, word))
        if receipt.only(b.PaymentReceived).outstanding_micros == 0:
            return receipt
    raise AssertionError("never paid off")


def advance(payable_id: bytes) -> bytes:
    return b.calldata_payment_book_advance_arrears(payable_id)
