"""What does a private line cost for a month: by days in service, with installation, less what its outages earn?

The inventory is sealed monthly: one record for each circuit, its quantity the days in service (docs/decisions/0004).
What outages earn is taken off the amount of that record, never below 0; an installation is a charge record of its own,
in the month in which service begins. All of it is exact, with one rounding for each record.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pyarrow as pa

from ledger.agreement import Agreement
from ledger.errors import Malformed
from ledger.identity import CarrierCode
from ledger.money import MAX_AMOUNT_MICROS, NANOS_PER_MICRO
from ledger.period import Period
from ledger.prices.charging import Charge, rounded
from ledger.prices.deck import DeckHistory, Rate, RateStatus
from ledger.prices.exact_rating import check_history, check_usage
from ledger.prices.rating import REFUSED_SCHEMA, Rating
from ledger.prices.service_terms import CreditedMonth, IplTerms, MonthDays, OutageCredit
from ledger.service import Service
from ledger.usage import RATED_SCHEMA

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
THIRTY = 30
ALL_BPS, ALL_PPM = 10_000, 1_000_000
INSTALL = "installation"
"""How the destination of an installation's charge record begins."""


@dataclass(frozen=True, slots=True)
class Outage:
    """When a circuit did not work, UTC milliseconds [begin, end)."""

    circuit: str
    begin_ms: int
    end_ms: int


def rate_circuits(
    usage: pa.Table, history: DeckHistory, agreement: Agreement, outages: Sequence[Outage] = ()
) -> Rating:
    """Price an inventory: each circuit's days less what its outages earn. Raises Malformed, CurrencyMismatch.

    A circuit without a price is refused, so is one with more days than the month.
    """
    check_history(history, Service.IPL, agreement.currency)
    mine: dict[str, list[Outage]] = {}
    for outage in outages:
        mine.setdefault(outage.circuit, []).append(outage)
    rated: list[dict[str, object]] = []
    refused: list[dict[str, object]] = []
    for row in check_usage(usage).to_pylist():
        try:
            rated.append(_rated_row(row, history, agreement, mine.get(row["route"], [])))
        except Malformed as error:
            refused.append(row | {"reason": error.message})
    return Rating(
        pa.Table.from_pylist(rated, schema=RATED_SCHEMA), pa.Table.from_pylist(refused, schema=REFUSED_SCHEMA)
    )


def installation_charges(
    usage: pa.Table, history: DeckHistory, agreement: Agreement, creditor: CarrierCode, period: Period
) -> pa.Table:
    """The charge records of circuits whose service begins in the period: within the month, or on its first day if the
    circuit has its first price then. RATED_SCHEMA; none for circuits without a price. Raises Malformed."""
    check_history(history, Service.IPL, agreement.currency)
    first_ms, end_ms = period.bounds_ms(agreement.zone)
    rows = []
    for row in check_usage(usage).to_pylist():
        priced = [at for at in history.moments() if row["route"] in history.in_force(at)]
        begun = first_ms < row["start_ms"] < end_ms or (
            row["start_ms"] == first_ms and min(priced, default=0) >= first_ms
        )
        rate = history.in_force(row["start_ms"]).get(row["route"]) if priced and row["start_ms"] >= priced[0] else None
        if begun and rate is not None and rate.connect_nanos:
            rows.append(_installation(row, rate, agreement, creditor, period))
    return pa.Table.from_pylist(rows, schema=RATED_SCHEMA)


def month_share(days: int, month_days: int, terms: IplTerms) -> Fraction:
    """The part of a month's charge that so many days in service owe."""
    if terms.days is MonthDays.ACTUAL or days == month_days:
        return Fraction(days, month_days)
    return Fraction(min(days, THIRTY), THIRTY)


def credit_share(outages: Sequence[Outage], begin_ms: int, end_ms: int, terms: IplTerms) -> Fraction:
    """The part of a charge that the outages of a month in service from begin to end earn, capped as agreed."""
    spans = _spans(outages, begin_ms, end_ms, terms.least_outage_minutes * MINUTE_MS)
    match terms.credit:
        case OutageCredit.NONE:
            return Fraction(0)
        case OutageCredit.HOUR:
            hours = sum(-(-length // HOUR_MS) for length in spans)
            earned = Fraction(hours * HOUR_MS, end_ms - begin_ms)
        case OutageCredit.TIER:
            earned = _tier_share(Fraction(sum(spans), end_ms - begin_ms), terms)
    return min(earned, Fraction(terms.most_credit_bps, ALL_BPS))


def _rated_row(
    row: Mapping[str, object], history: DeckHistory, agreement: Agreement, outages: Sequence[Outage]
) -> dict[str, object]:
    start_ms, days, zone = row["start_ms"], row["quantity"], agreement.zone
    assert isinstance(start_ms, int)
    assert isinstance(days, int)
    begin = datetime.fromtimestamp(start_ms // 1000, zone).date()
    period = Period(begin.year, begin.month)
    _check_days(days, begin, period)
    prices = _daily_rates(str(row["route"]), history, begin, days, zone)
    charge = _monthly_charge(prices, period, agreement, _credit(outages, period, agreement))
    named = {"destination": prices[-1].destination, "code": prices[-1].code}
    return {**row, **named, "charged_quantity": charge.charged_quantity, "amount_micros": charge.amount_micros}


def _monthly_charge(prices: Sequence[Rate], period: Period, agreement: Agreement, credited: Fraction) -> Charge:
    """Each day has the price in force on it."""
    days = len(prices)
    share = month_share(days, _length_of(period), agreement.ipl)
    nanos = share * sum(rate.nanos for rate in prices) / days
    amount = rounded(nanos * (1 - credited) / NANOS_PER_MICRO, agreement.rounding, agreement.rating.decimals)
    if amount > MAX_AMOUNT_MICROS:
        raise Malformed("amount out of bounds", expected=MAX_AMOUNT_MICROS, got=amount)
    return Charge(days, amount)


def _credit(outages: Sequence[Outage], period: Period, agreement: Agreement) -> Fraction:
    credited = period if agreement.ipl.credited_month is CreditedMonth.SAME else _before(period)
    return credit_share(outages, *credited.bounds_ms(agreement.zone), agreement.ipl)


def _installation(
    row: Mapping[str, object], rate: Rate, agreement: Agreement, creditor: CarrierCode, period: Period
) -> dict[str, object]:
    amount = rounded(Fraction(rate.connect_nanos, NANOS_PER_MICRO), agreement.rounding, agreement.rating.decimals)
    return {
        **row,
        "line": 0,
        "a_party": creditor,
        "b_party": agreement.counterparty(creditor),
        "start_ms": period.bounds_ms(agreement.zone)[1] - 1,
        "quantity": 0,
        "destination": f"{INSTALL}: {rate.destination}",
        "code": rate.code,
        "charged_quantity": 0,
        "amount_micros": amount,
    }


def _daily_rates(circuit: str, history: DeckHistory, begin: date, days: int, zone: ZoneInfo) -> list[Rate]:
    """The price of each day, as it is in force when the day begins. Raises Malformed."""
    found = []
    for number in range(days):
        at_ms = _midnight_ms(begin + timedelta(days=number), zone)
        if at_ms < history.decks[0].effective_ms:
            raise Malformed("no rate deck in force", expected=circuit, got=begin.isoformat())
        rate = history.in_force(at_ms).get(circuit)
        if rate is None or rate.status is RateStatus.BLOCKED:
            raise Malformed("unknown circuit" if rate is None else "circuit closed", expected="a price", got=circuit)
        found.append(rate)
    return found


def _check_days(days: int, begin: date, period: Period) -> None:
    most = (_days_of(period)[1] - begin).days
    if not 0 < days <= most:
        raise Malformed("more days in service than the month has, or none", expected=f"1 to {most}", got=days)


def _tier_share(lost: Fraction, terms: IplTerms) -> Fraction:
    below = [tier.credit_bps for tier in terms.tiers if (1 - lost) * ALL_PPM < tier.below_ppm]
    return Fraction(below[-1] if below else 0, ALL_BPS)


def _spans(outages: Sequence[Outage], begin_ms: int, end_ms: int, least_ms: int) -> list[int]:
    """How long the circuit was out each time, within the month; outages that overlap or touch are one."""
    merged: list[list[int]] = []
    for outage in sorted(outages, key=lambda each: each.begin_ms):
        begin, end = max(outage.begin_ms, begin_ms), min(outage.end_ms, end_ms)
        if begin >= end:
            continue
        if merged and begin <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([begin, end])
    return [end - begin for begin, end in merged if end - begin >= least_ms]


def _days_of(period: Period) -> tuple[date, date]:
    """The month's first day, and the first one after it."""
    return date(period.year, period.month, 1), date(period.after.year, period.after.month, 1)


def _length_of(period: Period) -> int:
    first, after = _days_of(period)
    return (after - first).days


def _before(period: Period) -> Period:
    return Period(period.year - (period.month == 1), (period.month - 2) % 12 + 1)


def _midnight_ms(day: date, zone: ZoneInfo) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * 1000
