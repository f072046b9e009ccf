"""What should a person read of a roaming file: what it is, whether it holds what it says, what came back?"""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from fractions import Fraction

from gateway.formats.tap.audit import DELIVERY_LIMIT_MS, Audited, AuditLine, Delivery
from gateway.formats.tap.files import FileKind, TapFile
from gateway.formats.tap.heads import Money
from gateway.formats.tap.rap import Returned, Severity

_TITLES = {
    FileKind.TAP: "TAP",
    FileKind.NOTIFICATION: "TAP notification",
    FileKind.NRTRDE: "NRTRDE",
    FileKind.RAP: "RAP",
    FileKind.RECEIPT: "receipt of RAP",
}
_NAMES = {
    Audited.EVENTS: "events",
    Audited.CHARGE: "charges",
    Audited.REFUND: "refunds",
    Audited.EARLIEST: "first moment charged",
    Audited.LATEST: "last moment charged",
}


def lines_of(file: TapFile) -> Iterator[str]:
    """One line for each thing worth knowing; a total that holds is not one."""
    release = "" if file.kind is FileKind.RECEIPT else f" {file.name.release}"
    yield f"{_TITLES[file.kind]}{release}, {file.name}{_charged(file)}"
    for line in file.audit:
        if not line.holds:
            yield f"the file's own total does not hold: {audit_text(line, file.money)}"
    if file.delivery:
        yield delivery_text(file.delivery)
    for each in file.returned:
        yield returned_text(each)


def audit_text(line: AuditLine, money: Money | None = None) -> str:
    """For instance: events declared 10, counted 7: 3 too many."""
    declared, counted = (_value(line.what, value, money) for value in (line.declared, line.counted))
    told = f"{_NAMES[line.what]} declared {declared}, counted {counted}"
    if not line.difference:
        return told
    return f"{told}: {_difference(line, money)} too {_direction(line)}"


def delivery_text(delivery: Delivery) -> str:
    """For instance: 7 of 7 events came more than 4 h after they ended; the last after 24:01:00."""
    limit = DELIVERY_LIMIT_MS // 3_600_000
    return (
        f"{delivery.late:,} of {delivery.events:,} events came more than {limit} h after they ended; "
        f"the last after {_clock(delivery.longest_ms)}"
    )


def returned_text(returned: Returned) -> str:
    """For instance: severe: GBRXX to CHNYY, number 00042: an event, error 261 at 1/3/9."""
    name = f"{returned.tap_sender} to {returned.tap_recipient}, number {returned.first_sequence}"
    if returned.last_sequence != returned.first_sequence:
        name += f" to {returned.last_sequence}"
    what = {Severity.MISSING: "never came", Severity.FATAL: "the whole file", Severity.SEVERE: "an event"}
    errors = ", ".join(f"error {each.code}{f' at {each.path}' if each.path else ''}" for each in returned.errors)
    return f"{returned.severity}: {name}: {what[returned.severity]}{f', {errors}' if errors else ''}"


def _charged(file: TapFile) -> str:
    if file.money is None:
        return ""
    total = file.money.amount(sum(file.charges.values()))
    local = file.money.local(file.charges)
    told = f": charges {file.money.currency} {_decimal(total)}"
    if local is None:
        return told
    rates = " and ".join(
        _decimal(file.money.rates[code]) for code in sorted(code for code in file.charges if code is not None)
    )
    return f"{told}, {file.money.local_currency} {_decimal(local)} at {rates}" if rates else told


def _value(what: Audited, value: int | None, money: Money | None) -> str:
    if value is None:
        return "none"
    if what in (Audited.EARLIEST, Audited.LATEST):
        return f"{datetime.fromtimestamp(value // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
    return f"{value:,}" if what is Audited.EVENTS or money is None else _decimal(money.amount(value))


def _difference(line: AuditLine, money: Money | None) -> str:
    size = abs(line.difference or 0)
    if line.what in (Audited.EARLIEST, Audited.LATEST):
        return _clock(size)
    return _value(line.what, size, money)


def _direction(line: AuditLine) -> str:
    words = {
        Audited.EVENTS: ("few", "many"),
        Audited.CHARGE: ("little", "much"),
        Audited.REFUND: ("little", "much"),
        Audited.EARLIEST: ("early", "late"),
        Audited.LATEST: ("early", "late"),
    }
    return words[line.what][(line.difference or 0) > 0]


def _clock(milliseconds: int) -> str:
    minutes, seconds = divmod(milliseconds // 1000, 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def _decimal(amount: Fraction) -> str:
    """The amount as a decimal, exactly: amounts and rates of a file are decimals."""
    with localcontext(prec=100):
        return f"{Decimal(amount.numerator) / Decimal(amount.denominator):f}"
