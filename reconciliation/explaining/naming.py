"""What is a difference called in its own service and under what the two agreed?

The differences of explain.py are the same for four services. Here a quantity of segments, octets or days gets its own
name, a price that differs by one factor everywhere is a currency's, one that is a tier's on one side a counter's, and
an amount of a private line with the same days an outage's. Rows and amounts stay as they are: what was complete is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from ledger.agreement import Agreement
from ledger.identity import CarrierCode
from ledger.money import NANOS_PER_MICRO
from ledger.prices.deal_terms import Deal, Tier
from ledger.prices.deck import MINUTE_MS
from ledger.prices.service_terms import OutageCredit
from ledger.service import Service
from reconciliation.difference import Books, Difference, severity_of
from reconciliation.finding import Cause
from reconciliation.matching.side import Flags, Ints, exact_sum

QUANTITIES = {
    Service.SMS: Cause.SEGMENTS,
    Service.DATA: Cause.SAMPLES,
    Service.IPL: Cause.CIRCUIT_DATES,
}
"""What a difference in quantity is called where the quantity is no duration."""
ALMOST_ALL = 0.9
"""Share of a difference's pairs that must have what names it."""
LEAST_PAIRS = 5
"""Of several codes, before one factor is believed."""
_WORD = 31
"""Amounts and scaled sums of so many bits make products of 62."""


def named(
    books: Books, differences: Sequence[Difference], agreement: Agreement, creditor: CarrierCode
) -> tuple[Difference, ...]:
    """The same rows and amounts under their names, in the same order but for prices of one factor, which are one."""
    found = [_of_service(books, each, agreement) for each in differences]
    found = [_of_deals(books, each, agreement, creditor) for each in found]
    return _of_one_factor(books, found)


def _of_service(books: Books, each: Difference, agreement: Agreement) -> Difference:
    if each.cause in (Cause.DURATION, Cause.DURATION_WITHIN_TOLERANCE) and books.service in QUANTITIES:
        return replace(each, cause=QUANTITIES[books.service])
    is_line = books.service is Service.IPL and each.cause is Cause.RATE
    if is_line and agreement.ipl.credit is not OutageCredit.NONE and _lasted(books, each):
        rule = "the same days in service, another amount, and outages are credited"
        return replace(each, cause=Cause.OUTAGE_MINUTES, rule=rule)
    return each


def _lasted(books: Books, each: Difference) -> bool:
    """A charge for an installation has no days."""
    return bool((books.creditor.quantity[each.creditor_rows] > 0).all())


def _of_deals(books: Books, each: Difference, agreement: Agreement, creditor: CarrierCode) -> Difference:
    if each.cause not in (Cause.RATE, Cause.ROUNDING) or not each.size:
        return each
    for deal in agreement.deals:
        covers = deal.creditor == creditor and (not deal.destinations or each.destination in deal.destinations)
        if covers and any(_is_tiers(books, each, tier) for tier in _tiers(deal)):
            rule = "one side has a deal's tier for records where the other has none, or another"
            detail = f"{each.detail}; the counters of {deal.name} passed a tier at other records"
            disputed = severity_of(each.total_creditor, each.total_debtor)
            return replace(each, cause=Cause.VOLUME_COUNTER, rule=rule, detail=detail, severity=disputed)
        if deal.creditor == creditor and each.destination is not None and each.destination.startswith(f"{deal.name}:"):
            return replace(each, cause=Cause.VOLUME_COUNTER, rule="a charge of the deal, of another amount")
    return each


def _tiers(deal: Deal) -> Iterable[Tier]:
    return (*deal.tiers, *deal.unbalanced)


def _is_tiers(books: Books, each: Difference, tier: Tier) -> bool:
    """Whether nearly all pairs have the tier's price on one side alone."""
    owed, counted = each.creditor_micros, each.debtor_micros
    if tier.nanos is not None:
        charged = books.creditor.charged[each.creditor_rows]
        one, other = (_has_price(amounts, charged, tier.nanos) for amounts in (owed, counted))
        return bool((one ^ other).mean() >= ALMOST_ALL)
    if not tier.discount_bps:
        return False
    kept = 10_000 - tier.discount_bps
    return any(
        bool((np.abs(low * 10_000 - high * kept) <= 20_000).mean() >= ALMOST_ALL)
        for low, high in ((owed, counted), (counted, owed))
    )


def _has_price(amounts: Ints, charged: Ints, nanos: int) -> Flags:
    """Amounts that are the price of so much, to a micro."""
    exact = charged * nanos // (MINUTE_MS * NANOS_PER_MICRO)
    has: Flags = np.abs(amounts - exact) <= 1
    return has


def _of_one_factor(books: Books, differences: Sequence[Difference]) -> tuple[Difference, ...]:
    rates = [each for each in differences if each.cause is Cause.RATE and each.size]
    if books.service is Service.DATA or sum(each.size for each in rates) < LEAST_PAIRS or len(rates) < 2:
        return tuple(differences)
    owed, counted = (
        np.concatenate([getattr(each, name) for each in rates]) for name in ("creditor_micros", "debtor_micros")
    )
    rows, others = (
        np.concatenate([getattr(each, name) for each in rates]) for name in ("creditor_rows", "debtor_rows")
    )
    if not _have_one_factor(owed, counted) or _have_one_price(owed, books.creditor.charged[rows]):
        return tuple(differences)
    one = replace(
        rates[0],
        cause=Cause.CURRENCY,
        severity=severity_of(exact_sum(owed), exact_sum(counted)),
        rule="prices of several destinations differ by one factor",
        creditor_rows=rows,
        debtor_rows=others,
        creditor_micros=owed,
        debtor_micros=counted,
        destination=None,
        detail=f"{{creditor}}'s prices to {len(rates)} destinations are {_factor(owed, counted)} of {{debtor}}'s: "
        "another exchange rate, another date of it, or another currency",
    )
    first = next(at for at, each in enumerate(differences) if each is rates[0])
    kept = [each for each in differences[first + 1 :] if not any(each is rate for rate in rates)]
    return (*differences[:first], one, *kept)


def _have_one_factor(owed: Ints, counted: Ints) -> bool:
    """All amounts in one proportion, but for the rounding of either to a micro."""
    total, other = exact_sum(owed), exact_sum(counted)
    shift = max(0, max(total, other).bit_length() - _WORD)
    whole, part = total >> shift, other >> shift
    if min(whole, part) <= 0 or int(max(owed.max(), counted.max())) >> _WORD:
        return False
    return bool((np.abs(owed * part - counted * whole) <= whole + part + owed + counted).all())


def _have_one_price(amounts: Ints, charged: Ints) -> bool:
    """One price everywhere tells nothing: a changed rate has a factor, too."""
    prices = amounts * 1_000 // np.maximum(1, charged // 1_000)
    return bool(prices.max() - prices.min() <= prices.max() // 100)


def _factor(owed: Ints, counted: Ints) -> str:
    parts = exact_sum(owed) * 1_000_000 // max(1, exact_sum(counted))
    return f"{parts // 1_000_000}.{parts % 1_000_000:06d}"
