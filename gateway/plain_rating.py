"""What do plain usage files cost, with no home folder? All that was agreed, from files alone.

Voice is rated month by month, so that deals, shares and one rounding of the statement see all of a month; what comes
late is rated with the rest, and the answer tells which charges it moved.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from gateway.formats.outages import load_outages
from ledger.agreement import Agreement
from ledger.agreement_file import document_hash
from ledger.errors import Malformed
from ledger.identity import CarrierCode, carrier_code
from ledger.prices.circuits import Outage
from ledger.prices.deals import charge_rows
from ledger.prices.deck import DeckHistory
from ledger.prices.fx import Conversion, FxRates, check_signed, conversion, parse_fx
from ledger.prices.period_rating import MovedCharge, moved_charges, rate_period
from ledger.prices.rating import REFUSED_SCHEMA
from ledger.prices.service_rating import all_period_charges, periods_of, rate_usage
from ledger.service import Service
from ledger.unreadable import why_unreadable
from ledger.usage import LAST_MS, RATED_SCHEMA

SIGNATURES = ".sig"
"""Ending of the file beside a rates file that holds its signatures: TOML, a carrier's code and 0x… on each line."""


@dataclass(frozen=True, slots=True)
class PlainFiles:
    """What a plain file is rated with, beside deck and agreement."""

    creditor: CarrierCode
    outages: Path | None = None
    """Of private lines."""
    others: Path | None = None
    """The other direction's rated records, where a deal balances both."""
    fx: Path | None = None
    """Exchange rates, where the deck is in another currency."""
    fx_day: date | None = None
    """Of the statement or the receipt."""


@dataclass(frozen=True, slots=True)
class PlainRating:
    """What plain usage costs."""

    rated: pa.Table
    """RATED_SCHEMA; the charges of each month stand last."""
    refused: pa.Table
    """REFUSED_SCHEMA."""
    without: Mapping[str, str]
    """Ports without a charge, and why."""
    gaps: Mapping[str, int] = field(default_factory=dict)
    """Intervals without a sample, of ports that are charged all the same."""


def rate_plain(usage: pa.Table, history: DeckHistory, agreement: Agreement, given: PlainFiles) -> PlainRating:
    """Rate a UsageTable of one direction. Raises Malformed, CurrencyMismatch, SignatureRefused."""
    usage, outside = split_outside(usage, history.service, agreement)
    if history.service is not Service.VOICE:
        outages = load_outages(given.outages) if given.outages else ()
        _refuse_unknown(outages, usage, history)
        rating = rate_usage(usage, history, agreement, outages)
        charges = all_period_charges(usage, history, agreement, given.creditor)
        refused_rows = pa.concat_tables([rating.refused, outside])
        records = pa.concat_tables([rating.rated, charges.records])
        return PlainRating(records, refused_rows, charges.refused, charges.gaps)
    into = into_agreed(history, agreement, given.fx, given.fx_day)
    others = None if given.others is None else read_rated(given.others)
    rated, charged, refused = [RATED_SCHEMA.empty_table()], [RATED_SCHEMA.empty_table()], [outside]
    for period in periods_of(usage, agreement):
        begin, end = period.bounds_ms(agreement.zone)
        month, month_of_others = _within(usage, begin, end), None if others is None else _within(others, begin, end)
        found = rate_period(month, history, agreement, given.creditor, month_of_others, into)
        rated.append(found.rating.rated)
        refused.append(found.rating.refused)
        charged.append(charge_rows(found.charges, agreement, given.creditor, period))
    return PlainRating(pa.concat_tables([*rated, *charged]), pa.concat_tables(refused), {})


def split_outside(usage: pa.Table, service: Service, agreement: Agreement) -> tuple[pa.Table, pa.Table]:
    """The usage that the agreement can hold for, and the rest with why not, as REFUSED_SCHEMA.

    Only samples name carriers; numbers and circuits tell nobody's.
    """
    start = usage["start_ms"]
    faults = [
        (pc.less(start, agreement.valid_from_ms), "before the agreement is valid"),
        (pc.greater_equal(start, LAST_MS), "begins after the year 2099"),
    ]
    if service is Service.DATA:
        parties = pa.array([agreement.low, agreement.high])
        between = pc.and_(
            pc.and_(*(pc.is_in(usage[side], value_set=parties) for side in ("a_party", "b_party"))),
            pc.not_equal(usage["a_party"], usage["b_party"]),
        )
        faults.append((pc.invert(between), f"not between {agreement.low} and {agreement.high}"))
    outside = [REFUSED_SCHEMA.empty_table()]
    taken = pa.chunked_array([pa.array([False] * len(usage), pa.bool_())])
    for fault, reason in faults:
        rows = usage.filter(pc.and_(fault, pc.invert(taken)))
        reasons = pa.array([reason] * len(rows), pa.string())
        outside.append(pa.Table.from_arrays([*rows.columns, reasons], schema=REFUSED_SCHEMA))
        taken = pc.or_(taken, fault)
    return usage.filter(pc.invert(taken)), pa.concat_tables(outside)


def with_late(usage: pa.Table, late: pa.Table) -> pa.Table:
    """Usage and what came late, whose lines go on behind those of the usage."""
    last = pc.max(usage["line"]).as_py() or 0
    lines = pc.add(late["line"], last)
    return pa.concat_tables([usage, late.set_column(0, late.schema.field(0), lines)])


def moved_by(before: PlainRating, after: PlainRating) -> tuple[MovedCharge, ...]:
    """Which records' charges differ, and which records are new; charges of the month itself stand for themselves."""
    return moved_charges(*(each.rated.filter(pc.greater(each.rated["line"], 0)) for each in (before, after)))


def read_rated(path: Path) -> pa.Table:
    """Read a CSV of rated records as `gsc rate --out` writes it. Raises Malformed."""
    from pyarrow import csv as arrow_csv

    types = {field.name: field.type for field in RATED_SCHEMA}
    options = arrow_csv.ConvertOptions(
        column_types=types, include_columns=RATED_SCHEMA.names, strings_can_be_null=False
    )
    try:
        return arrow_csv.read_csv(path, convert_options=options).cast(RATED_SCHEMA)
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise Malformed(
            "not a file of rated records", expected=", ".join(RATED_SCHEMA.names), got=str(error)[:200]
        ) from None


def load_rates(path: Path) -> FxRates:
    """Read a file of exchange rates. Raises Malformed."""
    try:
        return parse_fx(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Malformed(
            "the exchange rates cannot be read", expected="CSV in UTF-8", got=why_unreadable(error, path)
        ) from None


def read_signatures(rates: Path) -> dict[CarrierCode, bytes]:
    """The signatures beside a rates file; none if there is no such file. Raises Malformed."""
    path = rates.with_name(rates.name + SIGNATURES)
    if not path.exists():
        return {}
    try:
        lines = tomllib.loads(path.read_text("utf-8"))
        return {carrier_code(code): bytes.fromhex(str(text).removeprefix("0x")) for code, text in lines.items()}
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise Malformed(
            "the signatures of the exchange rates cannot be read", expected='CN-T = "0x…" on each line', got=str(error)
        ) from None


def into_agreed(history: DeckHistory, agreement: Agreement, fx: Path | None, day: date | None) -> Conversion | None:
    """What converts the decks' currency into the agreement's; None where it is the same.

    Raises Malformed without rates, or for a day that is not agreed; SignatureRefused for rates nobody signed.
    """
    if history.currency == agreement.currency:
        return None
    if fx is None or agreement.fx is None:
        raise Malformed(
            "the rate deck is in another currency",
            expected=f"{agreement.currency}, or [fx] in the agreement and its exchange rates",
            got=history.currency,
            todo="Give the exchange rates with --fx.",
        )
    rates = load_rates(fx)
    check_signed(rates, agreement.fx, document_hash(agreement), read_signatures(fx))
    return conversion(rates, agreement, history.currency, day)


def _refuse_unknown(outages: Sequence[Outage], usage: pa.Table, history: DeckHistory) -> None:
    """Raises Malformed for outages of circuits that neither usage nor deck names: left out, a charge is too high."""
    known = set(usage["route"].to_pylist()) | {rate.code for dated in history.decks for rate in dated.deck.rates}
    if unknown := sorted({each.circuit for each in outages} - known):
        raise Malformed(
            "outages of circuits that nobody knows",
            expected="circuits of the usage or the rate deck",
            got=", ".join(unknown[:5]),
            todo="Correct their names in the file of outages.",
        )


def _within(table: pa.Table, begin_ms: int, end_ms: int) -> pa.Table:
    start = table["start_ms"]
    return table.filter(pc.and_(pc.greater_equal(start, begin_ms), pc.less(start, end_ms)))
