"""How do two carriers write their agreement down, and which 32 bytes stand for it on the chain?

The file is TOML; docs/formats.md shows one. Every key is known or refused by name; what is absent has its default.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ledger.agreement import DAY_SECONDS, Agreement, PaymentTerms, Tolerance
from ledger.canonical import canonical_hash
from ledger.errors import Malformed
from ledger.identity import CarrierCode, ascii32, carrier_code
from ledger.money import Micros, Rounding, parse_micros, show_micros
from ledger.service import Service

_MAX_DAYS = 3_650
_MAX_BPS = 10_000

_T = TypeVar("_T")


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
        raise Malformed("the agreement file cannot be read", expected="a UTF-8 text file", got=str(error)) from None


def parse_agreement(text: str) -> Agreement:
    """Read the text of an agreement file. Raises Malformed."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Malformed("the agreement file is not TOML", expected="TOML 1.0", got=str(error)) from None
    top = _Section("the agreement", document)
    low, high = _carriers(top)
    rating = top.section("rating")
    agreement = Agreement(
        low=low,
        high=high,
        currency=top.required("currency", _currency),
        services=top.required("services", _services),
        zone=top.required("zone", _zone),
        valid_from_ms=top.required("valid_from", _moment_ms),
        rounding=rating.optional("rounding", _rounding, Rounding.HALF_EVEN),
        notice_days=rating.optional("notice_days", _days, 7),
        tolerance=_tolerance(top.section("tolerance")),
        payment=_payment(top.section("payment")),
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
"""


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


class _Section:
    """A table of the file from which each key is taken once; `finish` refuses what is left."""

    def __init__(self, name: str, content: object) -> None:
        if not isinstance(content, dict):
            raise Malformed(f"{name} is not a table", expected=f"[{name}]", got=repr(content)[:40])
        self._name, self._left = name, dict(content)

    def section(self, key: str) -> "_Section":
        return _Section(key, self._left.pop(key, {}))

    def required(self, key: str, read: Callable[[str, object], _T]) -> _T:
        if key not in self._left:
            raise Malformed(
                f"{self._name} lacks {key}", expected=f"the key {key}", got=", ".join(self._left) or "nothing"
            )
        return read(key, self._left.pop(key))

    def optional(self, key: str, read: Callable[[str, object], _T], default: _T) -> _T:
        return read(key, self._left.pop(key)) if key in self._left else default

    def finish(self) -> None:
        if self._left:
            unknown = sorted(self._left)[0]
            raise Malformed(
                f"{self._name} has an unknown key",
                expected="only the keys of docs/formats.md",
                got=unknown,
                todo="Correct its spelling or remove it.",
            )


def _tolerance(section: _Section) -> Tolerance:
    default = Tolerance()
    tolerance = Tolerance(
        window_ms=section.optional("window_ms", _milliseconds, default.window_ms),
        duration_ms=section.optional("duration_ms", _milliseconds, default.duration_ms),
        duration_bps=section.optional("duration_bps", _bps, default.duration_bps),
        volume_bps=section.optional("volume_bps", _bps, default.volume_bps),
        volume_micros=section.optional("volume_amount", _amount, default.volume_micros),
    )
    section.finish()
    return tolerance


def _payment(section: _Section) -> PaymentTerms:
    default = PaymentTerms()
    payment = PaymentTerms(
        payment_days=section.optional("payment_days", _days, default.payment_days),
        acceptance_days=section.optional("acceptance_days", _days, default.acceptance_days),
        interest_bps=section.optional("interest_bps", _bps, default.interest_bps),
        stop_credit_days=section.optional("stop_credit_days", _days, default.stop_credit_days),
        terminate_days=section.optional("terminate_days", _days, default.terminate_days),
    )
    section.finish()
    if payment.terminate_days < payment.stop_credit_days:
        raise Malformed(
            "the arrears ladder runs backwards",
            expected=f"terminate_days of at least {payment.stop_credit_days}",
            got=payment.terminate_days,
        )
    return payment


def _carriers(top: _Section) -> tuple[CarrierCode, CarrierCode]:
    codes = top.required("carriers", _texts)
    if len(codes) != 2 or codes[0] == codes[1]:
        raise Malformed("an agreement has two sides", expected="two different carrier codes", got=codes)
    low, high = sorted(carrier_code(code) for code in codes)
    return low, high


def _text(key: str, value: object) -> str:
    if isinstance(value, str):
        return value
    raise Malformed(f"{key} is not text", expected="text in quotes", got=repr(value)[:40])


def _texts(key: str, value: object) -> list[str]:
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return value
    raise Malformed(f"{key} is not a list of texts", expected='for example ["voice"]', got=repr(value)[:40])


def _whole(key: str, value: object, most: int) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most:
        return value
    raise Malformed(f"{key} is out of bounds", expected=f"a whole number from 0 to {most}", got=repr(value)[:40])


def _days(key: str, value: object) -> int:
    return _whole(key, value, _MAX_DAYS)


def _bps(key: str, value: object) -> int:
    return _whole(key, value, _MAX_BPS)


def _milliseconds(key: str, value: object) -> int:
    return _whole(key, value, DAY_SECONDS * 1000)


def _amount(key: str, value: object) -> Micros:
    amount = parse_micros(_text(key, value))
    if amount < 0:
        raise Malformed(f"{key} is negative", expected="0 or more", got=value)
    return amount


def _currency(key: str, value: object) -> str:
    text = _text(key, value)
    if len(text) == 3 and text.isascii() and text.isalpha() and text.isupper():
        return text
    raise Malformed("not a currency", expected="three capital letters of ISO 4217", got=repr(text[:10]))


def _services(key: str, value: object) -> frozenset[Service]:
    known: Mapping[str, Service] = {service.word: service for service in Service}
    words = _texts(key, value)
    if unknown := [word for word in words if word not in known]:
        raise Malformed("not a service", expected=", ".join(known), got=unknown[0])
    return frozenset(known[word] for word in words)


def _zone(key: str, value: object) -> ZoneInfo:
    try:
        return ZoneInfo(_text(key, value))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Malformed("not a time zone", expected="a name such as Europe/London", got=repr(value)[:40]) from None


def _rounding(key: str, value: object) -> Rounding:
    try:
        return Rounding(_text(key, value))
    except ValueError:
        raise Malformed("not a rounding", expected=", ".join(Rounding), got=repr(value)[:40]) from None


def _moment_ms(key: str, value: object) -> int:
    """A date (midnight UTC) or a date and time with its offset."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        moment = value
    elif isinstance(value, date) and not isinstance(value, datetime):
        moment = datetime(value.year, value.month, value.day, tzinfo=UTC)
    else:
        raise Malformed(f"{key} is not a moment", expected="2026-09-01 or 2026-09-01T00:00:00Z", got=str(value)[:40])
    if moment.timestamp() < 0 or moment.microsecond:
        raise Malformed(f"{key} is out of bounds", expected="whole seconds since 1970", got=str(value)[:40])
    return int(moment.timestamp()) * 1000
