"""How do two carriers write their agreement down, and which 32 bytes stand for it on the chain?

The file is TOML; docs/formats.md shows one. Every key is known or refused by name; what is absent has its default.
"""

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ledger.agreement import DAY_SECONDS, Agreement, PaymentTerms, Tolerance
from ledger.agreement_section import (
    Section,
    amount,
    bps,
    currency_of,
    days,
    milliseconds,
    moment_ms,
    rounding_of,
    services_of,
    texts_of,
    zone_of,
)
from ledger.canonical import canonical_hash
from ledger.detector_terms_file import detector_terms, detector_terms_values, dump_detector_terms
from ledger.errors import Malformed
from ledger.identity import CarrierCode, ascii32, carrier_code
from ledger.money import Rounding, show_micros
from ledger.prices.deal_terms_file import deal_terms, deal_terms_values, dump_deal_terms
from ledger.prices.fx_terms_file import dump_fx_terms, fx_terms, fx_terms_values
from ledger.prices.rating_terms_file import dump_rating_terms, rating_terms, rating_terms_values
from ledger.prices.service_terms_file import data_terms, dump_service_terms, ipl_terms, service_terms_values, sms_terms
from ledger.unreadable import why_unreadable


@dataclass(frozen=True, slots=True)
class AgreementTerms:
    """The values of the contracts' Terms struct (contracts/interfaces/IAgreementBook.sol), field for field."""

    carrier_low: bytes
    carrier_high: bytes
    currency: bytes
    services: int
    notice_seconds: int
    payment_seconds: int
    acceptance_seconds: int
    interest_bps: int
    stop_credit_seconds: int
    terminate_seconds: int
    document_hash: bytes
    valid_from: int


def load_agreement(path: Path) -> Agreement:
    """Read an agreement file. Raises Malformed."""
    try:
        return parse_agreement(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Malformed(
            "the agreement file cannot be read", expected="a UTF-8 text file", got=why_unreadable(error, path)
        ) from None


def parse_agreement(text: str) -> Agreement:
    """Read the text of an agreement file. Raises Malformed."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Malformed("the agreement file is not TOML", expected="TOML 1.0", got=str(error)) from None
    top = Section("the agreement", document)
    low, high = _carriers(top)
    rating = top.section("rating")
    agreement = Agreement(
        low=low,
        high=high,
        currency=top.required("currency", currency_of),
        services=top.required("services", services_of),
        zone=top.required("zone", zone_of),
        valid_from_ms=top.required("valid_from", moment_ms),
        rounding=rating.optional("rounding", rounding_of, Rounding.HALF_EVEN),
        notice_days=rating.optional("notice_days", days, 7),
        tolerance=_tolerance(top.section("tolerance")),
        payment=_payment(top.section("payment")),
        rating=rating_terms(rating),
        deals=deal_terms(top.tables("deals"), (low, high)),
        fx=fx_terms(top.section("fx"), (low, high)),
        sms=sms_terms(top.section("sms")),
        data=data_terms(top.section("data")),
        ipl=ipl_terms(top.section("ipl")),
        detectors=detector_terms(top.section("detectors")),
    )
    rating.finish()
    top.finish()
    return agreement


def dump_agreement(agreement: Agreement) -> str:
    """The agreement as a file that `parse_agreement` reads back to the same values."""
    valid_from = datetime.fromtimestamp(agreement.valid_from_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    services = ", ".join(f'"{service.word}"' for service in sorted(agreement.services))
    tolerance, payment = agreement.tolerance, agreement.payment
    return f"""\
carriers = ["{agreement.low}", "{agreement.high}"]
currency = "{agreement.currency}"
services = [{services}]
zone = "{agreement.zone.key}"
valid_from = {valid_from}

[rating]
rounding = "{agreement.rounding}"
notice_days = {agreement.notice_days}
{dump_rating_terms(agreement.rating)}

[tolerance]
window_ms = {tolerance.window_ms}
duration_ms = {tolerance.duration_ms}
duration_bps = {tolerance.duration_bps}
volume_bps = {tolerance.volume_bps}
volume_amount = "{show_micros(tolerance.volume_micros)}"

[payment]
payment_days = {payment.payment_days}
acceptance_days = {payment.acceptance_days}
interest_bps = {payment.interest_bps}
stop_credit_days = {payment.stop_credit_days}
terminate_days = {payment.terminate_days}

{dump_service_terms(agreement.sms, agreement.data, agreement.ipl)}
{dump_deal_terms(agreement.deals)}
{dump_fx_terms(agreement.fx)}{dump_detector_terms(agreement.detectors)}"""


def document_hash(agreement: Agreement) -> bytes:
    """keccak256 of the canonical bytes of everything the two agreed."""
    tolerance, payment = agreement.tolerance, agreement.payment
    return canonical_hash(
        "agreement",
        [
            agreement.low,
            agreement.high,
            agreement.currency,
            [int(service) for service in sorted(agreement.services)],
            agreement.zone.key,
            agreement.valid_from_ms,
            str(agreement.rounding),
            agreement.notice_days,
            [
                tolerance.window_ms,
                tolerance.duration_ms,
                tolerance.duration_bps,
                tolerance.volume_bps,
                tolerance.volume_micros,
            ],
            [
                payment.payment_days,
                payment.acceptance_days,
                payment.interest_bps,
                payment.stop_credit_days,
                payment.terminate_days,
            ],
            rating_terms_values(agreement.rating),
            deal_terms_values(agreement.deals),
            fx_terms_values(agreement.fx),
            service_terms_values(agreement.sms, agreement.data, agreement.ipl),
            *detector_terms_values(agreement.detectors),
        ],
    )


def terms_of(agreement: Agreement) -> AgreementTerms:
    """What the contracts hold of the agreement."""
    payment = agreement.payment
    return AgreementTerms(
        carrier_low=ascii32(agreement.low),
        carrier_high=ascii32(agreement.high),
        currency=ascii32(agreement.currency),
        services=sum(1 << service for service in agreement.services),
        notice_seconds=agreement.notice_days * DAY_SECONDS,
        payment_seconds=payment.payment_days * DAY_SECONDS,
        acceptance_seconds=payment.acceptance_days * DAY_SECONDS,
        interest_bps=payment.interest_bps,
        stop_credit_seconds=payment.stop_credit_days * DAY_SECONDS,
        terminate_seconds=payment.terminate_days * DAY_SECONDS,
        document_hash=document_hash(agreement),
        valid_from=agreement.valid_from_ms // 1000,
    )


def _tolerance(section: Section) -> Tolerance:
    default = Tolerance()
    tolerance = Tolerance(
        window_ms=section.optional("window_ms", milliseconds, default.window_ms),
        duration_ms=section.optional("duration_ms", milliseconds, default.duration_ms),
        duration_bps=section.optional("duration_bps", bps, default.duration_bps),
        volume_bps=section.optional("volume_bps", bps, default.volume_bps),
        volume_micros=section.optional("volume_amount", amount, default.volume_micros),
    )
    section.finish()
    return tolerance


def _payment(section: Section) -> PaymentTerms:
    default = PaymentTerms()
    payment = PaymentTerms(
        payment_days=section.optional("payment_days", days, default.payment_days),
        acceptance_days=section.optional("acceptance_days", days, default.acceptance_days),
        interest_bps=section.optional("interest_bps", bps, default.interest_bps),
        stop_credit_days=section.optional("stop_credit_days", days, default.stop_credit_days),
        terminate_days=section.optional("terminate_days", days, default.terminate_days),
    )
    section.finish()
    if payment.terminate_days < payment.stop_credit_days:
        raise Malformed(
            "the arrears ladder runs backwards",
            expected=f"terminate_days of at least {payment.stop_credit_days}",
            got=payment.terminate_days,
        )
    return payment


def _carriers(top: Section) -> tuple[CarrierCode, CarrierCode]:
    codes = top.required("carriers", texts_of)
    if len(codes) != 2 or codes[0] == codes[1]:
        raise Malformed("an agreement has two sides", expected="two different carrier codes", got=codes)
    low, high = sorted(carrier_code(code) for code in codes)
    return low, high
