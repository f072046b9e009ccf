"""Which records had no price when the rest of their file was sealed, and which of them have one now?

A usage file that is sealed stands for its batch and for what is left of it: read from the file, less what the archive
holds, less what was moved to a later usage file. So nothing is lost and nothing doubled wherever a process dies: until
the transaction that moves records commits, they are still left, and from then on they wait to be sealed.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import Connection

from gateway.answers import Money
from gateway.composition import Gateway, Partnership, partnership_of_id
from gateway.month.decks import Decks, direction_decks
from gateway.month.periods import is_closed
from gateway.month.pricing import rate_held
from ledger.archive import archive_name
from ledger.identity import AgreementId, CarrierCode
from ledger.money import Micros
from ledger.period import Period
from ledger.pieces import file_options
from ledger.prices.rating import Rating
from ledger.service import Service
from ledger.store.engine import lock, reading, writing
from ledger.store.imports import UsageFile, later_usage, move_usage, partly_sealed


@dataclass(frozen=True, slots=True)
class LeftUnpriced:
    """Records of a sealed file that are in no batch, and why."""

    partner: CarrierCode
    creditor: CarrierCode
    service: Service
    period: Period
    count: int
    reasons: Mapping[str, int]
    """Those without a price."""
    priced: int
    """Those that a deck prices by now, but whose period is closed."""
    amount: Money
    """Of the priced ones."""
    why: str
    todo: str


@dataclass(frozen=True, slots=True)
class TakenUp:
    """Records of a sealed file that have a price now; they wait to be sealed as a further batch."""

    usage: UsageFile
    held: Partnership
    rating: Rating
    decks: Decks


@dataclass(frozen=True, slots=True)
class _Left:
    usage: UsageFile
    held: Partnership
    rating: Rating
    decks: Decks
    closed: bool


def take_up(
    gateway: Gateway, partner: CarrierCode | None, period: Period | None, *, late: bool = False, dry_run: bool
) -> tuple[tuple[TakenUp, ...], tuple[LeftUnpriced, ...]]:
    """Move what has a price now into usage files that wait to be sealed; and what stays left. Raises NotFound.

    Of open periods; of closed ones if `late`, for the verb that declares them in a later period.
    """
    with reading(gateway.engine) as connection:
        partly = [usage for usage, _ in partly_sealed(connection) if period in (None, usage.scope.period)]
    taken: list[TakenUp] = []
    left: list[LeftUnpriced] = []
    for usage in partly:
        held = partnership_of_id(gateway.settings, usage.scope.agreement_id)
        if partner not in (None, held.partner):
            continue
        with writing(gateway.engine) as connection:
            lock(connection, f"declare {held.id.hex()}")
            found = _price(gateway, connection, usage, held)
            if len(found.rating.rated) and found.closed == late:
                taken.append(TakenUp(usage, held, found.rating, found.decks))
                if not dry_run:
                    _move(gateway, connection, usage, found.rating.rated)
        if not dry_run and found.closed == late:
            set_aside(gateway, usage, found.rating.refused)
        if (found.closed and not late) or len(found.rating.refused):
            left.append(_told(found))
    return tuple(taken), tuple(_by_scope(left))


def left_unpriced(connection: Connection, agreement_id: AgreementId, period: Period) -> int:
    """How many records of sealed files are in no batch."""
    wanted = (agreement_id, period)
    found = partly_sealed(connection)
    return sum(left for usage, left in found if (usage.scope.agreement_id, usage.scope.period) == wanted)


def set_aside(gateway: Gateway, usage: UsageFile, refused: pa.Table) -> None:
    """Keep the records without a price where a person finds them, each with its reason; no verb reads the file."""
    path = gateway.settings.work_path / "unpriced" / f"{usage.id}.parquet"
    if len(refused):
        write_whole(path, refused)
    else:
        path.unlink(missing_ok=True)


def write_whole(path: Path, table: pa.Table) -> None:
    """The whole file or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    pq.write_table(table, partial, **file_options(table.schema))
    partial.replace(path)


def _price(gateway: Gateway, connection: Connection, usage: UsageFile, held: Partnership) -> _Left:
    scope = usage.scope
    decks = direction_decks(gateway, connection, held, scope.creditor, scope.service)
    rating = rate_held(gateway, _left_of(gateway, connection, usage), held, usage, decks)
    return _Left(usage, held, rating, decks, is_closed(gateway, connection, scope.agreement_id, scope.period))


def _left_of(gateway: Gateway, connection: Connection, usage: UsageFile) -> pa.Table:
    """The file's records that are neither sealed nor moved, in its order."""
    assert usage.root is not None, "what is not sealed is not partly sealed"
    home, archived = gateway.settings.home, gateway.settings.archive_path / archive_name(usage.root)
    table = pq.read_table(home / usage.path).replace_schema_metadata(None)
    gone = _lines([archived, *(home / each.path for each in later_usage(connection, usage))])
    return table.filter(pc.invert(pc.is_in(table["line"], value_set=gone)))


def _lines(paths: Iterable[Path]) -> pa.Array:
    chunks = [chunk for path in paths for chunk in pq.read_table(path, columns=["line"])["line"].chunks]
    return pa.chunked_array(chunks, pa.int64()).combine_chunks()


def _move(gateway: Gateway, connection: Connection, usage: UsageFile, rated: pa.Table) -> None:
    """File first, then the rows that speak of it: a crash between the two leaves a file nobody speaks of."""
    source = gateway.settings.home / usage.path
    names = pq.read_schema(source).names
    table = rated.select(names).replace_schema_metadata(None)
    path = source.with_name(f"{source.stem}-priced-{table['line'][0].as_py()}.parquet")
    write_whole(path, table)
    relative = path.relative_to(gateway.settings.home).as_posix()
    move_usage(connection, usage, path=relative, count=len(table), quantity=pc.sum(table["quantity"]).as_py())


def _by_scope(left: Iterable[LeftUnpriced]) -> Iterable[LeftUnpriced]:
    """One for each direction and period, whatever files they come from."""
    sums: dict[object, LeftUnpriced] = {}
    for each in left:
        scope = each.partner, each.creditor, each.service, each.period
        before = sums.get(scope)
        if before is None:
            sums[scope] = each
            continue
        sums[scope] = replace(
            before,
            count=before.count + each.count,
            reasons=dict(Counter(before.reasons) + Counter(each.reasons)),
            priced=before.priced + each.priced,
            amount=Money(before.amount.unit, Micros(before.amount.micros + each.amount.micros)),
        )
    return sums.values()


def _told(found: _Left) -> LeftUnpriced:
    scope, held, rated, refused = found.usage.scope, found.held, found.rating.rated, found.rating.refused
    reasons = {row["values"]: row["counts"] for row in pc.value_counts(refused["reason"]).to_pylist()}
    priced = len(rated) if found.closed else 0
    if found.closed:
        why = f"{scope.period} is closed, and a closed period takes no declaration"
        todo = f"Declare them in the next open period: `gsc correct --partner {held.partner} --period {scope.period}`."
    else:
        why = "no deck prices them"
        todo = f"Have {scope.creditor} publish a deck that does, put its file in the decks folder, then `gsc rate`."
    return LeftUnpriced(
        partner=held.partner,
        creditor=scope.creditor,
        service=scope.service,
        period=scope.period,
        count=len(refused) + priced,
        reasons=reasons,
        priced=priced,
        amount=Money(held.currency, Micros(pc.sum(rated["amount_micros"]).as_py() or 0 if priced else 0)),
        why=why,
        todo=todo,
    )
