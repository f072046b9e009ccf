"""What does a table of usage cost under the terms and decks of its period, whatever its service?

Where an agreement counts a whole month (deals, shares, one rounding of the statement), nothing of it has a price before
the month is over; then each file is priced among all of the month.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import Connection

from gateway.composition import Gateway, Partnership
from gateway.formats.outages import outages_of
from gateway.month.decks import Decks, direction_decks
from gateway.month.versions import of_period
from ledger import archive
from ledger.agreement import Agreement
from ledger.prices.period_rating import deals_of, rate_period, rates_whole_periods
from ledger.prices.rating import REFUSED_SCHEMA, Rating
from ledger.prices.service_rating import rate_usage
from ledger.service import Service
from ledger.store.engine import reading
from ledger.store.imports import UsageFile, usage_of
from ledger.usage import RATED_SCHEMA, USAGE_SCHEMA, BatchScope

CHARGES = "charges"
"""Folder of the usage files that hold charges, not what a switch recorded."""
_WAITS = "priced when the month is over: the agreement counts all of it"


def rate_held(gateway: Gateway, table: pa.Table, held: Partnership, usage: UsageFile, decks: Decks) -> Rating:
    """Price records of a usage file under the terms in effect when its period begins, with what the home knows of
    outages."""
    scope = usage.scope
    terms = of_period(gateway, held, scope.period).agreement
    if scope.service is Service.IPL:
        known = _known_circuits(gateway, usage)
        return rate_usage(table, decks.history, terms, outages_of(gateway.settings.home), known)
    if not rates_whole_periods(scope.service, terms, scope.creditor):
        return rate_usage(table, decks.history, terms)
    if gateway.clock.now_ms() < scope.period.bounds_ms(terms.zone)[1]:
        reasons = pa.array([_WAITS] * len(table), pa.string())
        return Rating(
            RATED_SCHEMA.empty_table(), pa.Table.from_arrays([*table.columns, reasons], schema=REFUSED_SCHEMA)
        )
    with reading(gateway.engine) as connection:
        rest = month_usage(gateway, connection, scope, without=usage if usage.root is None else None)
        others = other_direction(gateway, connection, held, scope, terms)
    whole = pa.concat_tables([rest, table])
    numbered = whole.set_column(0, whole.schema.field(0), pa.array(np.arange(len(whole))))
    rating = rate_period(numbered, decks.history, terms, scope.creditor, others).rating
    return Rating(*(_of_file(each, table, len(rest)) for each in (rating.rated, rating.refused)))


def month_usage(
    gateway: Gateway, connection: Connection, scope: BatchScope, without: UsageFile | None = None
) -> pa.Table:
    """All usage of a scope, sealed or waiting, less one waiting file. Raises RootMismatch for a changed archive."""
    files = [each for each in usage_of(connection, scope) if not is_charges(each)]
    wanted = [each for each in files if without is None or each.id != without.id]
    return pa.concat_tables([USAGE_SCHEMA.empty_table(), *(usage_in(gateway, each) for each in wanted)])


def month_before(gateway: Gateway, connection: Connection, scope: BatchScope) -> pa.Table:
    """All usage of the same scope in the month before. Raises RootMismatch for a changed archive."""
    return month_usage(gateway, connection, scope._replace(period=scope.period.before))


def other_direction(
    gateway: Gateway, connection: Connection, held: Partnership, scope: BatchScope, terms: Agreement
) -> pa.Table | None:
    """The other direction's records of the month at their decks' prices, if a deal balances both. Raises NotFound."""
    if not any(deal.unbalanced for deal in deals_of(terms, scope.creditor)):
        return None
    creditor = terms.counterparty(scope.creditor)
    decks = direction_decks(gateway, connection, held, creditor, scope.service)
    usage = month_usage(gateway, connection, scope._replace(creditor=creditor))
    return rate_usage(usage, decks.history, terms).rated


def is_charges(usage: UsageFile) -> bool:
    """Whether a usage file holds charges, not what a switch recorded."""
    return f"/{CHARGES}/" in usage.path


def usage_in(gateway: Gateway, usage: UsageFile) -> pa.Table:
    """A file's records: those that were sealed, or those that wait."""
    if usage.root is not None:
        return archive.read_by_root(gateway.settings.archive_path, usage.root).table.select(USAGE_SCHEMA.names)
    return pq.read_table(gateway.settings.home / usage.path).replace_schema_metadata(None)


def _known_circuits(gateway: Gateway, usage: UsageFile) -> pa.Table:
    """Private lines of the month before, and of this month those in sealed files and in what was imported earlier."""
    with reading(gateway.engine) as connection:
        files = [each for each in usage_of(connection, usage.scope) if not is_charges(each)]
        earlier = [each for each in files if each.root is not None or each.id < usage.id]
        before = month_before(gateway, connection, usage.scope)
    return pa.concat_tables([before, *(usage_in(gateway, each) for each in earlier)])


def _of_file(rated: pa.Table, table: pa.Table, begin: int) -> pa.Table:
    """The rows that come of a file's table, under their own lines again."""
    mine = rated.filter(pc.greater_equal(rated["line"], begin))
    lines = table["line"].combine_chunks().take(pc.subtract(mine["line"], begin).combine_chunks())
    return mine.set_column(0, mine.schema.field(0), lines)
