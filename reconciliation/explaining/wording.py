"""How is a finding said to a clerk? With the number, the unit and the side."""

from dataclasses import dataclass

from ledger.agreement import Agreement
from ledger.money import show_micros
from ledger.service import Service
from ledger.usage import BatchScope
from reconciliation.difference import Difference
from reconciliation.finding import Cause

_CENT_MICROS = 10_000
_NOUNS = {
    Service.VOICE: ("call", "calls"),
    Service.SMS: ("message", "messages"),
    Service.DATA: ("sample", "samples"),
    Service.IPL: ("circuit", "circuits"),
}


@dataclass(frozen=True, slots=True)
class Perspective:
    """Who is told."""

    scope: BatchScope
    agreement: Agreement
    is_creditor: bool

    @property
    def them(self) -> str:
        return self.agreement.counterparty(self.scope.declarer)

    @property
    def debtor(self) -> str:
        return self.agreement.counterparty(self.scope.creditor)


def sentence(difference: Difference, cause: Cause, perspective: Perspective) -> str:
    """One sentence: "GB-B is missing 41 of our calls, USD 1204.10"."""
    them, currency = perspective.them, perspective.agreement.currency
    owed, counted = difference.total_creditor, difference.total_debtor
    ours, theirs = (owed, counted) if perspective.is_creditor else (counted, owed)
    number = counted_noun(difference.size, perspective.scope.service)
    places = _places(ours - theirs)
    only = f"{currency} {show_micros(max(ours, theirs, key=abs), places)}"
    both = f"{currency} {show_micros(ours, places)} ours, {show_micros(theirs, places)} {them}'s"
    detail = difference.detail.format(creditor=perspective.scope.creditor, debtor=perspective.debtor, currency=currency)
    tail = f": {detail}" if detail else ""
    one = difference.size == 1
    differ, were, bear = ("differs", "was", "bears") if one else ("differ", "were", "bear")
    again = "repeats another" if one else "repeat others"
    quantity = "duration" if perspective.scope.service is Service.VOICE else "quantity"
    holder = "we" if (ours > 0 or theirs == 0) else them
    match cause:
        case Cause.MISSING_AT_THEIRS:
            return f"{them} is missing {_of_ours(number)}, {only}{_where(difference)}{tail}"
        case Cause.MISSING_AT_OURS:
            return f"We are missing {number} that {them} has, {only}{_where(difference)}{tail}"
        case Cause.DUPLICATE_AT_OURS:
            return f"{number} of ours {again}, {only}{tail}"
        case Cause.DUPLICATE_AT_THEIRS:
            return f"{number} of {them}'s {again}, {only}{tail}"
        case Cause.PERIOD_CROSSING:
            return f"{holder.capitalize() if holder == 'we' else holder} put {number} into the period, {only}{tail}"
        case Cause.ZERO_DURATION:
            return f"{number} lasted on one side and not on the other, {both}{tail}"
        case Cause.SPLIT_CALL:
            if _is_one_sided(difference):
                parts = "is a further part of a call" if one else "are further parts of calls"
                return f"{number} {parts}, {only}{tail}"
            return f"{number} {were} written in parts on one side, {both}{tail}"
        case Cause.INVENTED:
            return f"{number} that only {perspective.scope.creditor} holds {bear} marks of forgery, {only}{tail}"
        case Cause.CLOCK_OFFSET | Cause.TIME_ZONE:
            return f"{detail} ({number}); corrected before matching"
        case Cause.DURATION_BIAS | Cause.RATE:
            return f"{detail} ({number}), {both}"
        case Cause.DURATION_WITHIN_TOLERANCE:
            return f"{number} {differ} in {quantity} within tolerance, {both}{tail}"
        case Cause.DURATION:
            return f"{number} {differ} in {quantity} beyond tolerance, {both}{tail}"
        case Cause.DESTINATION:
            return f"{number} fell into different destinations, {both}{tail}"
        case Cause.ROUNDING:
            return f"{number} {were} rounded differently, {both}{tail}"
        case Cause.NUMBER_FORMAT:
            return f"{number} {were} written with another number on each side, {only}{tail}"
        case Cause.ORIGIN_CLASS | Cause.CURRENCY | Cause.VOLUME_COUNTER | Cause.PERCENTILE | Cause.HEADER_DETAIL:
            return f"{detail} ({number}), {both}"
        case Cause.NEGATIVE_DECLARATION:
            return f"{number} of less than nothing, {only}{tail}"
        case Cause.SEGMENTS:
            return f"{number} {were} counted as other numbers of segments, {both}{tail}"
        case Cause.DELIVERY_BASIS:
            return f"Only {holder} charged {number}, {only}{tail}"
        case Cause.SAMPLES:
            return f"{number} {were} measured otherwise, {both}{tail}"
        case Cause.CIRCUIT_DATES:
            return f"{number} {were} in service on other days, {both}{tail}"
        case Cause.OUTAGE_MINUTES:
            return f"{number} {bear} another credit for outages, {both}{tail}"
        case Cause.NOT_REVEALED:
            return f"{perspective.scope.creditor} has not revealed {number}, {only}{tail}"
        case Cause.LATE_RECORD:
            return f"{number} came late, {both}{tail}"


def _is_one_sided(difference: Difference) -> bool:
    return bool((difference.creditor_rows < 0).any() or (difference.debtor_rows < 0).any())


def _places(difference_micros: int) -> int:
    """How many places show that two amounts differ."""
    if difference_micros == 0 or abs(difference_micros) >= _CENT_MICROS:
        return 2
    return 4 if abs(difference_micros) >= _CENT_MICROS // 100 else 6


def counted_noun(count: int, service: Service) -> str:
    """ "41 calls", "1 message"."""
    one, many = _NOUNS[service]
    return f"{count:,} {one if count == 1 else many}"


def _of_ours(number: str) -> str:
    count, noun = number.split(" ")
    return f"{count} of our {noun}" if count != "1" else f"one of our {noun}s"


def _where(difference: Difference) -> str:
    parts = [f" on {difference.route}" if difference.route else "", f" on {difference.day}" if difference.day else ""]
    return "".join(parts)
