"""What does a port cost for a month: its octets by volume, or the percentile of its samples with commit and overage?

A port's samples are sealed as they come, with an amount of 0; the charge is one record at the period's last millisecond
that anybody can compute again from the samples, which the declared roots bind: `port_charges`, `recompute_charge`.

A rate of a deck for ports (ledger/service_deck.py): without `later` a volume price of `per` octets in increments; with
it a price of the commit, `nanos` for `per` bit/s of `later.after`, and of the overage, `later.nanos` for `per` bit/s in
increments of `later.increment` (0: as measured).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ledger.agreement import Agreement
from ledger.errors import Malformed, UnknownDestination
from ledger.identity import CarrierCode
from ledger.money import NANOS_PER_MICRO, Micros
from ledger.period import Period
from ledger.prices.charging import rounded
from ledger.prices.deck import DeckHistory, Rate, RateStatus
from ledger.prices.exact_rating import check_history, rate_at_nothing, rate_by_route
from ledger.prices.percentile import percentile
from ledger.prices.rating import Rating
from ledger.prices.service_terms import DataBasis, DataTerms, MissingSamples, SampleDirection
from ledger.service import Service
from ledger.usage import RATED_SCHEMA, USAGE_SCHEMA

Ints = NDArray[np.int64]
OCTET_BITS = 8


@dataclass(frozen=True, slots=True)
class PortCharge:
    """What a port is charged for a period, and what it was measured from."""

    port: str
    name: str
    """In the rate deck."""
    bits_per_second: Fraction
    samples: int
    """Intervals that have one."""
    missing: int
    """Intervals that have none."""
    amount_micros: Micros


def rate_data(usage: pa.Table, history: DeckHistory, agreement: Agreement) -> Rating:
    """Price a UsageTable of samples: by volume each its octets, otherwise 0. Raises Malformed, CurrencyMismatch."""
    check_history(history, Service.DATA, agreement.currency)
    if len(usage):
        span = pc.min_max(usage["start_ms"]).as_py()
        _check_basis(history, agreement.data, span["min"], span["max"] + 1)
    if agreement.data.basis is DataBasis.PERCENTILE:
        return rate_at_nothing(usage, history, _codes_of_port, "port")
    return rate_by_route(usage, history, agreement, _codes_of_port, "port")


def _codes_of_port(route: str) -> tuple[str, ...]:
    return (route,) if route else ()


def port_charges(
    samples: pa.Table, history: DeckHistory, agreement: Agreement, creditor: CarrierCode, period: Period
) -> tuple[tuple[PortCharge, ...], Mapping[str, str]]:
    """The charge of each port that has samples or a commit, by port; and why other ports have none.

    `samples` has at least the columns of a UsageTable. Raises Malformed and CurrencyMismatch for decks of another kind.
    """
    check_history(history, Service.DATA, agreement.currency)
    begin, end = period.bounds_ms(agreement.zone)
    _check_basis(history, agreement.data, begin, end)
    by_port = _by_port(samples_of(samples, agreement, period))
    in_deck = {rate.code for at, _ in _spans(history, begin, end) for rate in history.in_force(at).values()}
    charges: list[PortCharge] = []
    refused: dict[str, str] = {}
    for port in sorted(in_deck | by_port.keys()):
        mine = by_port.get(port, USAGE_SCHEMA.empty_table())
        try:
            charges.append(_port_charge(port, mine, history, agreement, creditor, period))
        except Malformed as error:
            refused[port] = str(error)
    return tuple(charges), refused


def charge_records(
    charges: tuple[PortCharge, ...], agreement: Agreement, creditor: CarrierCode, period: Period
) -> pa.Table:
    """The charges as a RatedTable (docs/decisions/0004): one record for each port, at the period's last millisecond."""
    at_ms = charge_moment_ms(agreement, period)
    rows = [
        {
            "line": 0,
            "a_party": creditor,
            "b_party": agreement.counterparty(creditor),
            "start_ms": at_ms,
            "quantity": 0,
            "route": each.port,
            "destination": f"{each.name}: {_rule_words(agreement.data)}",
            "code": each.port,
            "charged_quantity": 0,
            "amount_micros": each.amount_micros,
        }
        for each in charges
    ]
    return pa.Table.from_pylist(rows, schema=RATED_SCHEMA)


def recompute_charge(
    records: pa.Table, port: str, history: DeckHistory, agreement: Agreement, creditor: CarrierCode, period: Period
) -> PortCharge:
    """A port's charge from a side's sealed records, whatever charge they state: what the other side checks.

    Raises Malformed (two samples of one interval, too many missing), UnknownDestination (a port without a price).
    """
    check_history(history, Service.DATA, agreement.currency)
    _check_basis(history, agreement.data, *period.bounds_ms(agreement.zone))
    rows = samples_of(records, agreement, period)
    return _port_charge(port, rows.filter(pc.equal(rows["route"], port)), history, agreement, creditor, period)


def wrong_charges(
    records: pa.Table, history: DeckHistory, agreement: Agreement, creditor: CarrierCode, period: Period
) -> Mapping[str, tuple[Micros, Micros]]:
    """Ports whose sealed charge is not what the sealed samples give: the amount stated and the amount recomputed, which
    is 0 where the samples give none; of a port that these decks do not price nothing can be said. Raises Malformed,
    CurrencyMismatch for decks of another kind."""
    check_history(history, Service.DATA, agreement.currency)
    _check_basis(history, agreement.data, *period.bounds_ms(agreement.zone))
    at_ms = charge_moment_ms(agreement, period)
    stated = dict.fromkeys(pc.unique(records["route"]).to_pylist(), 0)
    for row in records.filter(pc.equal(records["start_ms"], at_ms)).select(["route", "amount_micros"]).to_pylist():
        stated[row["route"]] += row["amount_micros"]
    wrong = {}
    for port, amount in sorted(stated.items()):
        try:
            computed = recompute_charge(records, port, history, agreement, creditor, period).amount_micros
        except UnknownDestination:
            continue
        except Malformed:
            computed = Micros(0)
        if amount != computed:
            wrong[port] = (Micros(amount), computed)
    return wrong


def charge_moment_ms(agreement: Agreement, period: Period) -> int:
    """The period's last millisecond: no sample begins there."""
    return period.bounds_ms(agreement.zone)[1] - 1


def samples_of(records: pa.Table, agreement: Agreement, period: Period) -> pa.Table:
    """The records of the period that are samples, not charges."""
    begin, end = period.bounds_ms(agreement.zone)
    start = records["start_ms"]
    return records.filter(pc.and_(pc.greater_equal(start, begin), pc.less(start, end - 1)))


def bandwidth(
    inward: Mapping[int, int], outward: Mapping[int, int], intervals: int, terms: DataTerms
) -> tuple[Fraction, int]:
    """The bit/s that count, and how many intervals lack a sample; octets by interval, in and out as the debtor sees it.

    An interval of a sum needs both directions; MAX takes each direction's percentile of the samples it has.
    Raises Malformed.
    """
    match terms.direction:
        case SampleDirection.IN:
            books = [inward]
        case SampleDirection.OUT:
            books = [outward]
        case SampleDirection.MAX:
            books = [inward, outward]
        case SampleDirection.SUM:
            books = [_sums(inward, outward, terms)]
    missing = max(intervals - len(book) for book in books)
    if terms.missing is MissingSamples.REFUSE and missing * 10_000 > intervals * terms.missing_bps:
        raise Malformed(
            "too many samples are missing",
            expected=f"at most {terms.missing_bps / 100:g} % of {intervals}",
            got=f"{missing} missing",
            todo="Import them, or agree with the other side what stands for them.",
        )
    octets = max(_percentile(book, intervals, terms) for book in books)
    return octets * OCTET_BITS / terms.sample_seconds, missing


def charge_bandwidth(bits_per_second: Fraction, rate: Rate) -> Fraction:
    """Nanos for a whole period: the commit whether used or not, and what is beyond it in whole increments."""
    step = rate.later
    assert step is not None, "a price by volume has no commit"
    over = max(Fraction(0), bits_per_second - step.after)
    if step.increment:
        over = Fraction(-(-over // step.increment) * step.increment)
    return (step.after * rate.nanos + over * step.nanos) / rate.per


def _percentile(book: Mapping[int, int], intervals: int, terms: DataTerms) -> Fraction:
    values = list(book.values())
    if terms.missing is MissingSamples.ZERO:
        values += [0] * (intervals - len(book))
    return percentile(values, terms.percentile, terms.definition) if values else Fraction(0)


def _sums(inward: Mapping[int, int], outward: Mapping[int, int], terms: DataTerms) -> Mapping[int, int]:
    either = inward.keys() | outward.keys() if terms.missing is MissingSamples.ZERO else inward.keys() & outward.keys()
    return {interval: inward.get(interval, 0) + outward.get(interval, 0) for interval in either}


def _by_port(rows: pa.Table) -> Mapping[str, pa.Table]:
    """The rows of each port, without copying them port by port."""
    ordered = rows.sort_by("route")
    runs = pc.run_end_encode(ordered["route"].combine_chunks(), run_end_type=pa.int64())
    ends = [0, *runs.run_ends.to_pylist()]
    names = runs.values.to_pylist()
    return {name: ordered.slice(begin, end - begin) for name, (begin, end) in zip(names, pairwise(ends), strict=True)}


def _port_charge(
    port: str, rows: pa.Table, history: DeckHistory, agreement: Agreement, creditor: CarrierCode, period: Period
) -> PortCharge:
    begin, end = period.bounds_ms(agreement.zone)
    length = agreement.data.sample_seconds * 1000
    intervals = (end - begin) // length
    inward = _by_interval(port, rows, creditor, begin, length)
    outward = _by_interval(port, rows, agreement.counterparty(creditor), begin, length)
    bits, missing = bandwidth(inward, outward, intervals, agreement.data)
    rates = _rates_of_port(port, history, begin, end)
    nanos = sum((charge_bandwidth(bits, rate) * share for rate, share in rates), Fraction(0))
    amount = rounded(nanos / NANOS_PER_MICRO, agreement.rounding, agreement.rating.decimals)
    return PortCharge(port, rates[-1][0].destination, bits, intervals - missing, missing, amount)


def _by_interval(port: str, rows: pa.Table, sender: str, begin: int, length: int) -> dict[int, int]:
    """Octets that one carrier sent, by the number of the interval. Raises Malformed."""
    sent = rows.filter(pc.equal(rows["a_party"], sender))
    interval = (sent["start_ms"].to_numpy() - begin) // length
    if len(np.unique(interval)) < len(interval):
        twice = int(interval[np.argmax(np.bincount(interval)[interval] > 1)])
        raise Malformed(
            f"two samples of {port} in one interval",
            expected="one sample of what each side sent",
            got=f"two of {sender} from {begin + twice * length} ms on",
            todo="Leave out the one that came twice.",
        )
    return dict(zip(interval.tolist(), sent["quantity"].to_pylist(), strict=True))


def _rates_of_port(port: str, history: DeckHistory, begin: int, end: int) -> list[tuple[Rate, Fraction]]:
    """The port's prices in a period, each with the share of its time. Raises UnknownDestination."""
    found = [(history.in_force(at).get(port), share) for at, share in _spans(history, begin, end)]
    priced = [(rate, share) for rate, share in found if rate is not None and rate.status is RateStatus.OPEN]
    if not priced:
        raise UnknownDestination("no rate for this port", expected="a deck that names it", got=port)
    return priced


def _spans(history: DeckHistory, begin: int, end: int) -> Iterator[tuple[int, Fraction]]:
    """The stretches of a period in which no price changes, by their begin, each with its share of the period."""
    moments = [begin, *(at for at in history.moments() if begin < at < end)]
    for start, stop in pairwise([*moments, end]):
        if start >= history.decks[0].effective_ms:
            yield start, Fraction(stop - start, end - begin)


def _check_basis(history: DeckHistory, terms: DataTerms, begin: int, end: int) -> None:
    """Raises Malformed if a deck in force between two moments has prices of the other kind."""
    wanted = terms.basis is DataBasis.PERCENTILE
    ends = [dated.effective_ms for dated in history.decks[1:]]
    for dated, gone in zip(history.decks, [*ends, end], strict=True):
        if dated.effective_ms >= end or gone <= begin:
            continue
        other = next((rate.code for rate in dated.deck.rates if (rate.later is not None) != wanted), None)
        if other is not None:
            raise Malformed(
                "the rate deck prices something else than agreed",
                expected="prices of bit/s" if wanted else "prices of octets",
                got=f"port {other} by {'octets' if wanted else 'bit/s'}",
                todo=f'The agreement says basis = "{terms.basis}" in [data].',
            )


def _rule_words(terms: DataTerms) -> str:
    return f"{terms.percentile}th percentile, {terms.definition}, {terms.direction}"
