"""What does a private line cost for a month: by days in service, with installation, less what its outages earn?

The inventory is sealed monthly: one record for each circuit, its quantity the days in service (docs/decisions/0004).
An outage counts where the circuit was in service, at the price and the service of its own month; what it earns is taken
off a record's amount, never below 0. An installation is a charge record of its own, in the month in which service
begins. All of it is exact, with one rounding for each record.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa

from ledger.agreement import Agreement
from ledger.errors import Malformed
from ledger.identity import CarrierCode
from ledger.money import MAX_AMOUNT_MICROS, NANOS_PER_MICRO
from ledger.period import Period
from ledger.prices.charging import rounded
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


class Stretch(NamedTuple):
    """Days of a month in which a circuit was in service, one after the other."""

    begin: date
    days: int

    @property
    def end(self) -> date:
        """The first day after."""
        return self.begin + timedelta(days=self.days)

    @property
    def period(self) -> Period:
        """The month."""
        return Period(self.begin.year, self.begin.month)


@dataclass(frozen=True, slots=True)
class _Served:
    """What is known of circuits in service."""

    stretches: dict[str, list[Stretch]] = field(default_factory=dict)
    """By circuit; none overlaps another."""
    months: set[Period] = field(default_factory=set)
    """Those of which usage is at hand."""

    def of(self, circuit: str, period: Period) -> list[Stretch]:
        return sorted(each for each in self.stretches.get(circuit, []) if each.period == period)

    def take(self, circuit: str, stretch: Stretch) -> None:
        """Raises Malformed if the circuit's days are taken: each is paid for once."""
        for other in self.stretches.get(circuit, []):
            if stretch.begin < other.end and other.begin < stretch.end:
                raise Malformed(
                    f"days of {circuit} are charged twice: in service from {other.begin} to before {other.end}",
                    expected="each day of a circuit once",
                    got=f"{stretch.begin} to before {stretch.end}",
                )
        self.stretches.setdefault(circuit, []).append(stretch)


def rate_circuits(
    usage: pa.Table,
    history: DeckHistory,
    agreement: Agreement,
    outages: Sequence[Outage] = (),
    known: pa.Table | None = None,
) -> Rating:
    """Price an inventory: each circuit's days less what its outages earn. Raises Malformed, CurrencyMismatch.

    A circuit without a price is refused, so is one with more days than the month, or with a day that an earlier row
    has, or one of `known`: a UsageTable of what is rated elsewhere, of this month and the one before.
    """
    check_history(history, Service.IPL, agreement.currency)
    taken, refused, served = _take_rows(usage, history, agreement, known)
    mine: dict[str, list[Outage]] = {}
    for outage in outages:
        mine.setdefault(outage.circuit, []).append(outage)
    bill = _Bill(history, agreement, mine, served)
    rated = [row | bill.columns(row["route"], stretch) for row, stretch in taken]
    return Rating(
        pa.Table.from_pylist(rated, schema=RATED_SCHEMA), pa.Table.from_pylist(refused, schema=REFUSED_SCHEMA)
    )


def installation_charges(
    usage: pa.Table,
    history: DeckHistory,
    agreement: Agreement,
    creditor: CarrierCode,
    period: Period,
    known: pa.Table | None = None,
) -> pa.Table:
    """The charge records of circuits whose service begins in the period: of those that have a price, each once.

    One that begins on the month's first day is new if usage of the month before, in `usage` or `known`, does not have
    it on its last day; where there is no usage of that month, if it has its first price then. RATED_SCHEMA. Raises
    Malformed, CurrencyMismatch.
    """
    check_history(history, Service.IPL, agreement.currency)
    taken, _, served = _take_rows(usage, history, agreement, known)
    rows = []
    for row, stretch in taken:
        circuit = row["route"]
        if stretch.period != period or stretch != served.of(circuit, period)[0]:
            continue
        rate = _daily_rates(circuit, history, stretch._replace(days=1), agreement.zone)[0]
        if rate.connect_nanos and _is_new(circuit, stretch, history, agreement.zone, served):
            rows.append(_installation(row, rate, agreement, creditor, period))
    return pa.Table.from_pylist(rows, schema=RATED_SCHEMA)


def month_share(days: int, month_days: int, terms: IplTerms) -> Fraction:
    """The part of a month's charge that so many days in service owe."""
    if terms.days is MonthDays.ACTUAL or days == month_days:
        return Fraction(days, month_days)
    return Fraction(min(days, THIRTY), THIRTY)


@dataclass(frozen=True, slots=True)
class _Bill:
    """What circuits are charged and credited, in exact nanos."""

    history: DeckHistory
    agreement: Agreement
    outages: Mapping[str, Sequence[Outage]]
    served: _Served

    def columns(self, circuit: str, stretch: Stretch) -> dict[str, object]:
        """What a record says beyond the usage."""
        last = _daily_rates(circuit, self.history, stretch, self.agreement.zone)[-1]
        nanos = self._charge(circuit, stretch) - self._credit(circuit, stretch)
        amount = _micros(max(Fraction(0), nanos), self.agreement)
        return {
            "destination": last.destination,
            "code": last.code,
            "charged_quantity": stretch.days,
            "amount_micros": amount,
        }

    def _charge(self, circuit: str, stretch: Stretch) -> Fraction:
        return _charge(_daily_rates(circuit, self.history, stretch, self.agreement.zone), stretch, self.agreement.ipl)

    def _credit(self, circuit: str, stretch: Stretch) -> Fraction:
        """Of outages in these days; or of those of the month before, less what earlier days of this month took."""
        if self.agreement.ipl.credited_month is CreditedMonth.SAME:
            return self._earned(circuit, stretch)
        earned = sum((self._earned(circuit, each) for each in self._month_before(circuit, stretch.period)), Fraction(0))
        earlier = [each for each in self.served.of(circuit, stretch.period) if each < stretch]
        return max(Fraction(0), earned - sum(self._charge(circuit, each) for each in earlier))

    def _month_before(self, circuit: str, period: Period) -> list[Stretch]:
        """When the circuit was in service then. Without any usage of that month: to its end, if it is on this one's
        first day, from when on it has a price."""
        before, (first, _) = period.before, _days_of(period)
        if before in self.served.months:
            return self.served.of(circuit, before)
        if self.served.of(circuit, period)[0].begin > first:
            return []
        days = 0
        while days < _length_of(before) and self._has_price(circuit, first - timedelta(days=days + 1)):
            days += 1
        return [Stretch(first - timedelta(days=days), days)] if days else []

    def _has_price(self, circuit: str, day: date) -> bool:
        with suppress(Malformed):
            return bool(_daily_rates(circuit, self.history, Stretch(day, 1), self.agreement.zone))
        return False

    def _earned(self, circuit: str, stretch: Stretch) -> Fraction:
        """Nanos that outages in these days earn, of their month's price and capped as agreed."""
        terms, zone = self.agreement.ipl, self.agreement.zone
        begin_ms, end_ms = _midnight_ms(stretch.begin, zone), _midnight_ms(stretch.end, zone)
        spans = _spans(self.outages.get(circuit, ()), begin_ms, end_ms, terms.least_outage_minutes * MINUTE_MS)
        if not spans or terms.credit is OutageCredit.NONE:
            return Fraction(0)
        try:
            prices = _daily_rates(circuit, self.history, stretch, zone)
        except Malformed:  # days of a record that was refused, or will be: nothing was charged
            return Fraction(0)
        charge = _charge(prices, stretch, terms)
        if terms.credit is OutageCredit.HOUR:
            month_begin, month_end = stretch.period.bounds_ms(zone)
            hours = sum(-(-length // HOUR_MS) for length in spans)
            earned = _monthly(prices) * Fraction(hours * HOUR_MS, month_end - month_begin)
        else:
            earned = charge * _tier_share(Fraction(sum(spans), end_ms - begin_ms), terms)
        return min(earned, charge * Fraction(terms.most_credit_bps, ALL_BPS))


def _take_rows(
    usage: pa.Table, history: DeckHistory, agreement: Agreement, known: pa.Table | None
) -> tuple[list[tuple[dict[str, Any], Stretch]], list[dict[str, object]], _Served]:
    """Rows that are charged with their days; those refused with the reason; and all that is known of service."""
    served, zone = _Served(), agreement.zone
    for row in [] if known is None else check_usage(known).to_pylist():
        with suppress(Malformed):  # refused where it is rated
            stretch = _stretch(row, zone)
            served.months.add(stretch.period)
            served.take(row["route"], stretch)
    taken, refused = [], []
    for row in check_usage(usage).to_pylist():
        try:
            stretch = _stretch(row, zone)
            served.months.add(stretch.period)
            prices = _daily_rates(row["route"], history, stretch, zone)
            _micros(_charge(prices, stretch, agreement.ipl), agreement)
            served.take(row["route"], stretch)
            taken.append((row, stretch))
        except Malformed as error:
            refused.append(row | {"reason": error.message})
    return taken, refused, served


def _installation(
    row: Mapping[str, object], rate: Rate, agreement: Agreement, creditor: CarrierCode, period: Period
) -> dict[str, object]:
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
        "amount_micros": _micros(Fraction(rate.connect_nanos), agreement),
    }


def _stretch(row: Mapping[str, object], zone: ZoneInfo) -> Stretch:
    """The days of a record. Raises Malformed."""
    start_ms, days = row["start_ms"], row["quantity"]
    assert isinstance(start_ms, int)
    assert isinstance(days, int)
    begin = datetime.fromtimestamp(start_ms // 1000, zone).date()
    most = (_days_of(Period(begin.year, begin.month))[1] - begin).days
    if not 0 < days <= most:
        raise Malformed("more days in service than the month has, or none", expected=f"1 to {most}", got=days)
    return Stretch(begin, days)


def _is_new(circuit: str, stretch: Stretch, history: DeckHistory, zone: ZoneInfo, served: _Served) -> bool:
    """Whether service begins with the first stretch of a month."""
    first, before = _days_of(stretch.period)[0], stretch.period.before
    if stretch.begin > first:
        return True
    if before in served.months:
        return all(each.end != first for each in served.of(circuit, before))
    begin_ms = _midnight_ms(first, zone)
    return all(circuit not in history.in_force(at) for at in history.moments() if at < begin_ms)


def _charge(prices: Sequence[Rate], stretch: Stretch, terms: IplTerms) -> Fraction:
    """Nanos for these days, each at the price in force on it."""
    return month_share(stretch.days, _length_of(stretch.period), terms) * _monthly(prices)


def _monthly(prices: Sequence[Rate]) -> Fraction:
    """Nanos for a whole month: the mean of its days' prices."""
    return Fraction(sum(rate.nanos for rate in prices), len(prices))


def _micros(nanos: Fraction, agreement: Agreement) -> int:
    amount = rounded(nanos / NANOS_PER_MICRO, agreement.rounding, agreement.rating.decimals)
    if amount > MAX_AMOUNT_MICROS:
        raise Malformed("amount out of bounds", expected=MAX_AMOUNT_MICROS, got=amount)
    return amount


def _daily_rates(circuit: str, history: DeckHistory, stretch: Stretch, zone: ZoneInfo) -> list[Rate]:
    """The price of each day, as it is in force when the day begins. Raises Malformed."""
    found = []
    for number in range(stretch.days):
        day = stretch.begin + timedelta(days=number)
        if _midnight_ms(day, zone) < history.decks[0].effective_ms:
            raise Malformed("no rate deck in force", expected=circuit, got=stretch.begin.isoformat())
        rate = history.in_force(_midnight_ms(day, zone)).get(circuit)
        if rate is None or rate.status is RateStatus.BLOCKED:
            raise Malformed("unknown circuit" if rate is None else "circuit closed", expected="a price", got=circuit)
        found.append(rate)
    return found


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


def _midnight_ms(day: date, zone: ZoneInfo) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * 1000
