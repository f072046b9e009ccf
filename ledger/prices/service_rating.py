"""What does the usage of any of the four services cost? One function for each step, whatever the service.

Samples of a port that is charged by percentile are rated at 0; what the port owes is a charge record of the period, as
is the installation of a private line: `period_charges`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from ledger.agreement import Agreement
from ledger.identity import CarrierCode
from ledger.period import Period
from ledger.prices.circuits import Outage, installation_charges, rate_circuits
from ledger.prices.data_rating import charge_records, port_charges, rate_data
from ledger.prices.deals import charge_rows
from ledger.prices.deck import DeckHistory
from ledger.prices.period_rating import rate_period
from ledger.prices.rating import Rating, rate
from ledger.prices.service_terms import DataBasis
from ledger.prices.sms import rate_messages
from ledger.service import Service
from ledger.usage import RATED_SCHEMA


class PeriodCharges(NamedTuple):
    """What a period owes that no single event does: ports by percentile, installations."""

    records: pa.Table
    """RATED_SCHEMA; charge records (docs/decisions/0004)."""
    refused: Mapping[str, str]
    """Ports without a charge, and why."""
    gaps: Mapping[str, int] = MappingProxyType({})
    """Intervals without a sample, of ports that are charged all the same."""


def rate_usage(
    usage: pa.Table,
    history: DeckHistory,
    agreement: Agreement,
    outages: Sequence[Outage] = (),
    known: pa.Table | None = None,
) -> Rating:
    """Price a UsageTable under the creditor's decks. Of private lines `outages`, and what is `known` of them beside.

    Raises Malformed, CurrencyMismatch. Records without a price are refused with a reason, never priced at zero.
    """
    match history.service:
        case Service.VOICE:
            return rate(usage, history, agreement)
        case Service.SMS:
            return rate_messages(usage, history, agreement)
        case Service.DATA:
            return rate_data(usage, history, agreement)
        case Service.IPL:
            return rate_circuits(usage, history, agreement, outages, known)


def has_period_charges(service: Service, agreement: Agreement) -> bool:
    """Whether a period can owe what no single event does."""
    match service:
        case Service.VOICE:
            return bool(agreement.deals)
        case Service.DATA:
            return agreement.data.basis is DataBasis.PERCENTILE
        case _:
            return service is Service.IPL


def period_charges(
    usage: pa.Table,
    history: DeckHistory,
    agreement: Agreement,
    creditor: CarrierCode,
    period: Period,
    others: pa.Table | None = None,
    known: pa.Table | None = None,
) -> PeriodCharges:
    """The charge records of a period from all its usage, a UsageTable; others: the other direction's RatedTable.
    `known` is usage of private lines in the month before.

    Raises Malformed, CurrencyMismatch.
    """
    if history.service is Service.VOICE:
        found = rate_period(usage, history, agreement, creditor, others)
        return PeriodCharges(charge_rows(found.charges, agreement, creditor, period), {})
    if history.service is Service.IPL:
        return PeriodCharges(installation_charges(usage, history, agreement, creditor, period, known), {})
    charges, refused = port_charges(usage, history, agreement, creditor, period)
    gaps = {each.port: each.missing for each in charges if each.missing}
    return PeriodCharges(charge_records(charges, agreement, creditor, period), refused, gaps)


def all_period_charges(
    usage: pa.Table, history: DeckHistory, agreement: Agreement, creditor: CarrierCode
) -> PeriodCharges:
    """The charge records of every accounting month in which usage begins. Raises Malformed, CurrencyMismatch."""
    records = [RATED_SCHEMA.empty_table()]
    refused: dict[str, str] = {}
    gaps: dict[str, int] = {}
    if has_period_charges(history.service, agreement):
        for period in periods_of(usage, agreement):
            charges = period_charges(usage, history, agreement, creditor, period)
            records.append(charges.records)
            refused |= {f"{route} in {period}": why for route, why in charges.refused.items()}
            gaps |= {f"{route} in {period}": missing for route, missing in charges.gaps.items()}
    return PeriodCharges(pa.concat_tables(records), refused, gaps)


def periods_of(usage: pa.Table, agreement: Agreement) -> tuple[Period, ...]:
    """The accounting months in which records begin, in order."""
    days = pc.unique(pc.divide(usage["start_ms"], 3_600_000)).to_pylist()
    months = (datetime.fromtimestamp(hour * 3_600, agreement.zone) for hour in days)
    return tuple(sorted({Period(month.year, month.month) for month in months}))
