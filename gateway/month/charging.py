"""What does a finished period owe that no single event does? Ports by percentile and installations, to be sealed.

Once a period is over, `rate` computes its charges from all its usage, sealed or waiting, and keeps them as a usage file
of their own. What was sealed of them before counts: a later run adds what has become more. What has become less cannot
be a record, since amounts are not negative: it is told, for the desk to agree on.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from sqlalchemy import Connection

from gateway.composition import Gateway, Partnership
from gateway.month.decks import Decks, direction_decks
from gateway.month.pricing import CHARGES, is_charges, month_before, month_usage, other_direction
from gateway.month.unpriced import write_whole
from gateway.month.versions import of_period
from ledger import archive
from ledger.canonical import canonical_hash
from ledger.errors import Conflict
from ledger.money import show_micros
from ledger.period import Period
from ledger.prices.service_rating import has_period_charges, period_charges
from ledger.service import Service
from ledger.store.engine import writing
from ledger.store.imports import UsageFile, add_usage, record_import, restate_usage, usage_of, usage_scopes
from ledger.usage import RATED_SCHEMA, USAGE_SCHEMA, BatchScope

PRESET = "charges"


@dataclass(frozen=True, slots=True)
class Charges:
    """What a scope owes by now beyond what was sealed of it."""

    records: pa.Table
    """RATED_SCHEMA."""
    without: Mapping[str, str]
    """Routes without a charge, or with one that was sealed too high, and why."""


def is_chargeable(gateway: Gateway, held: Partnership, scope: BatchScope) -> bool:
    """Whether the scope has charges of its period, and the period is over."""
    over = scope.period.bounds_ms(held.agreement.zone)[1] <= gateway.clock.now_ms()
    return over and has_period_charges(scope.service, held.agreement)


def charges_due(
    gateway: Gateway, connection: Connection, held: Partnership, scope: BatchScope, decks: Decks
) -> Charges:
    """What the usage of a scope owes, less what was sealed. Raises Malformed, RootMismatch for a changed archive."""
    files = usage_of(connection, scope)
    usage = month_usage(gateway, connection, scope)
    others = other_direction(gateway, connection, held, scope, held.agreement)
    before = month_before(gateway, connection, scope) if scope.service is Service.IPL else None
    found = period_charges(usage, decks.history, held.agreement, scope.creditor, scope.period, others, before)
    sealed = _sealed_charges(gateway, files)
    rows, without = [], dict(found.refused)
    for row in found.records.to_pylist():
        route = row["route"]
        due = row["amount_micros"] - sealed.get(route, 0)
        if due < 0:
            without[route] = f"{show_micros(-due, 2)} more is sealed than the samples give"
        elif due or route not in sealed:
            rows.append(row | {"amount_micros": due})
    return Charges(pa.Table.from_pylist(rows, schema=RATED_SCHEMA), without)


def keep_charges(gateway: Gateway, scope: BatchScope, charges: Charges) -> UsageFile | None:
    """Let a waiting usage file stand for the charges, a new one or the one there is; None if there are none.

    The file comes first, then the row that speaks of it: a crash between the two leaves a file nobody speaks of.
    """
    records = charges.records
    with writing(gateway.engine) as connection:
        files = [each for each in usage_of(connection, scope) if is_charges(each)]
        waiting = next((each for each in files if each.root is None), None)
        if len(records) == 0 and waiting is None:
            return None
        path = _path(gateway, scope, len(files) - (waiting is not None))
        write_whole(path, records.select(USAGE_SCHEMA.names))
        if waiting is None:
            _add(gateway, connection, scope, path, len(records), number=len(files))
        else:
            restate_usage(connection, waiting, len(records))
        return next((each for each in usage_of(connection, scope) if is_charges(each) and each.root is None), None)


def refuse_uncharged(gateway: Gateway, connection: Connection, held: Partnership, period: Period) -> None:
    """Raises Conflict if usage of the period owes charges that are not sealed: nobody rated it since it ended."""
    terms = of_period(gateway, held, period)
    for scope in usage_scopes(connection):
        mine = scope.agreement_id == held.id and scope.period == period
        if not mine or not is_chargeable(gateway, terms, scope):
            continue
        decks = direction_decks(gateway, connection, held, scope.creditor, scope.service)
        due = charges_due(gateway, connection, terms, scope, decks)
        if len(due.records):
            raise Conflict(
                f"what {period} owes for {scope.service.word} is not charged yet",
                expected="the charges of the period sealed and declared",
                got=", ".join(due.records["route"].to_pylist()[:5]),
                todo=f"`gsc rate --period {period}`, then seal and declare.",
            )


def _sealed_charges(gateway: Gateway, files: Sequence[UsageFile]) -> Mapping[str, int]:
    """Micros charged by route, of what is sealed."""
    sums: Counter[str] = Counter()
    for usage in files:
        if is_charges(usage) and usage.root is not None:
            table = archive.read_by_root(gateway.settings.archive_path, usage.root).table
            for row in table.select(["route", "amount_micros"]).to_pylist():
                sums[row["route"]] += row["amount_micros"]
    return sums


def _path(gateway: Gateway, scope: BatchScope, number: int) -> Path:
    folder = gateway.settings.work_path / CHARGES / scope.agreement_id.hex()[:16]
    return folder / f"{scope.period}-{scope.creditor}-{scope.service.word}-{number}.parquet"


def _add(gateway: Gateway, connection: Connection, scope: BatchScope, path: Path, count: int, number: int) -> None:
    import_id = record_import(
        connection,
        file_hash=canonical_hash(
            PRESET, [scope.agreement_id, scope.creditor, int(scope.service), scope.period.key, number]
        ),
        file_name=f"charges of {scope.period}",
        preset=PRESET,
        accepted=count,
        not_billable=0,
        duplicates=0,
        quarantined=[],
        imported_at_ms=gateway.clock.now_ms(),
    )
    relative = path.relative_to(gateway.settings.home).as_posix()
    add_usage(connection, import_id, scope, path=relative, count=count, quantity=0)
