"""Verb *rate*: what does the waiting usage cost under the decks whose hashes stand on chain?"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import Connection

from gateway.answers import Money
from gateway.composition import Gateway, Partnership, partnership_of_id
from gateway.month.charging import Charges, charges_due, is_chargeable, keep_charges
from gateway.month.decks import Decks, direction_decks
from gateway.month.periods import is_closed
from gateway.month.pricing import is_charges, rate_held
from gateway.month.unpriced import LeftUnpriced, TakenUp, set_aside, take_up, write_whole
from gateway.month.versions import of_period
from ledger.identity import CarrierCode
from ledger.money import Micros
from ledger.period import Period
from ledger.prices.deck import decks_hash
from ledger.prices.rating import REFUSED_SCHEMA
from ledger.service import Service
from ledger.store.engine import reading
from ledger.store.imports import UsageFile, unsealed_usage, usage_scopes
from ledger.usage import BatchScope

NOTHING = REFUSED_SCHEMA.empty_table()


@dataclass(frozen=True, slots=True)
class RatedScope:
    """One direction's usage with its price."""

    partner: CarrierCode
    creditor: CarrierCode
    service: Service
    period: Period
    files: int
    count: int
    quantity: int
    amount: Money
    refused: int
    """Records without a price: quarantined, never zero."""
    reasons: Mapping[str, int]
    missing_decks: tuple[str, ...]
    """Decks published on chain whose file is not in the decks folder."""


@dataclass(frozen=True, slots=True)
class RateAnswer:
    """What the waiting usage costs."""

    scopes: tuple[RatedScope, ...]
    taken_up: int
    """Records without a price when the rest of their file was sealed, that have one now; a further batch of theirs."""
    left: tuple[LeftUnpriced, ...]
    """Those that stay: nothing is lost, and nothing is declared of them."""
    dry_run: bool


def rate(
    gateway: Gateway, partner: CarrierCode | None = None, period: Period | None = None, *, dry_run: bool = False
) -> RateAnswer:
    """Rate every waiting usage file, and what sealed files left without a price. Raises NotFound without any deck."""
    gateway.catch_up()
    taken, left = take_up(gateway, partner, period, dry_run=dry_run)
    with reading(gateway.engine) as connection:
        waiting = [
            (usage, partnership_of_id(gateway.settings, usage.scope.agreement_id))
            for usage in unsealed_usage(connection)
            if (period is None or usage.scope.period == period) and not is_charges(usage)
        ]
        wanted = [(usage, held) for usage, held in waiting if partner in (None, held.partner)]
        decks = {usage.scope: _decks_of(gateway, connection, held, usage) for usage, held in wanted}
    parts = [_rate_file(gateway, usage, held, decks[usage.scope], dry_run) for usage, held in wanted]
    parts += _charge(gateway, partner, period, dry_run=dry_run)
    if dry_run:  # otherwise they are among the waiting files by now
        parts += [
            _rated_scope(each.usage.scope, each.held, each.rating.rated, NOTHING, each.decks.missing) for each in taken
        ]
    sums: dict[object, RatedScope] = {}
    for part in parts:
        scope = part.partner, part.creditor, part.service, part.period
        sums[scope] = _added(sums.get(scope), part)
    return RateAnswer(tuple(sums.values()), sum(len(each.rating.rated) for each in taken), left, dry_run)


def rated_path(gateway: Gateway, usage: UsageFile) -> Path:
    """Where the rated form of a usage file lies."""
    return gateway.settings.work_path / "rated" / f"{usage.id}.parquet"


def rated_deck_hash(table: pa.Table) -> bytes:
    """The hash of the decks a rated file was priced with."""
    return bytes.fromhex((table.schema.metadata or {})[b"deck_hash"].decode("ascii"))


def _decks_of(gateway: Gateway, connection: Connection, held: Partnership, usage: UsageFile) -> Decks:
    """In the order and with the dates of the chain. Raises NotFound."""
    scope = usage.scope
    return direction_decks(gateway, connection, held, scope.creditor, scope.service)


def _rate_file(gateway: Gateway, usage: UsageFile, held: Partnership, decks: Decks, dry_run: bool) -> RatedScope:
    table = pq.read_table(gateway.settings.home / usage.path).replace_schema_metadata(None)
    rating = rate_held(gateway, table, held, usage, decks)
    if not dry_run:
        span = pc.min_max(table["start_ms"]).as_py()
        set_aside(gateway, usage, rating.refused)
        _write_rated(gateway, usage, rating.rated, decks, (span["min"], span["max"]))
    return _rated_scope(usage.scope, held, rating.rated, rating.refused, decks.missing)


def _charge(
    gateway: Gateway, partner: CarrierCode | None, period: Period | None, *, dry_run: bool
) -> Iterator[RatedScope]:
    """What finished periods owe beside their events."""
    with reading(gateway.engine) as connection:
        scopes = [each for each in usage_scopes(connection) if period in (None, each.period)]
        waiting = {usage.scope for usage in unsealed_usage(connection)}
    for scope in scopes:
        held = partnership_of_id(gateway.settings, scope.agreement_id)
        held = of_period(gateway, held, scope.period)
        if partner not in (None, held.partner) or not is_chargeable(gateway, held, scope):
            continue
        with reading(gateway.engine) as connection:
            if scope not in waiting and is_closed(gateway, connection, scope.agreement_id, scope.period):
                continue
            decks = direction_decks(gateway, connection, held, scope.creditor, scope.service)
            due = charges_due(gateway, connection, held, scope, decks)
        kept = None if dry_run else keep_charges(gateway, scope, due)
        if kept is not None:
            begin_ms, end_ms = scope.period.bounds_ms(held.agreement.zone)
            _write_rated(gateway, kept, due.records, decks, (begin_ms, end_ms - 1))
        if len(due.records) or due.without:
            yield _charged_scope(scope, held, due, decks.missing)


def _taken_scope(taken: TakenUp) -> RatedScope:
    return _rated_scope(taken.usage.scope, taken.held, taken.rating.rated, NOTHING, taken.decks.missing)


def _charged_scope(scope: BatchScope, held: Partnership, due: Charges, missing: tuple[str, ...]) -> RatedScope:
    part = _rated_scope(scope, held, due.records, NOTHING, missing)
    reasons = {f"{route}: {why}": 1 for route, why in due.without.items()}
    return replace(part, refused=len(reasons), reasons=reasons)


def _write_rated(gateway: Gateway, usage: UsageFile, rated: pa.Table, decks: Decks, span_ms: tuple[int, int]) -> None:
    """The rated form of a usage file, with the hash of the decks of its time."""
    used = decks_hash(decks.history, *span_ms)
    write_whole(rated_path(gateway, usage), rated.replace_schema_metadata({b"deck_hash": used.hex().encode()}))


def _rated_scope(
    scope: BatchScope, held: Partnership, rated: pa.Table, refused: pa.Table, missing: tuple[str, ...]
) -> RatedScope:
    reasons = {row["values"]: row["counts"] for row in pc.value_counts(refused["reason"]).to_pylist()}
    return RatedScope(
        partner=held.partner,
        creditor=scope.creditor,
        service=scope.service,
        period=scope.period,
        files=1,
        count=len(rated),
        quantity=pc.sum(rated["quantity"]).as_py() or 0,
        amount=Money(held.currency, Micros(pc.sum(rated["amount_micros"]).as_py() or 0)),
        refused=len(refused),
        reasons=reasons,
        missing_decks=missing,
    )


def _added(sum_: RatedScope | None, part: RatedScope) -> RatedScope:
    if sum_ is None:
        return part
    reasons = dict(sum_.reasons)
    for reason, count in part.reasons.items():
        reasons[reason] = reasons.get(reason, 0) + count
    return RatedScope(
        partner=part.partner,
        creditor=part.creditor,
        service=part.service,
        period=part.period,
        files=sum_.files + part.files,
        count=sum_.count + part.count,
        quantity=sum_.quantity + part.quantity,
        amount=Money(part.amount.unit, Micros(sum_.amount.micros + part.amount.micros)),
        refused=sum_.refused + part.refused,
        reasons=reasons,
        missing_decks=part.missing_decks,
    )
