"""Verb *correct*: how does usage that came, or got its price, after the close still reach the ledger?

As a dated adjustment: a declaration in the next open period that names the batch it corrects. Nothing that was
declared changes, and the other side sees that these records came late.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import Connection

from gateway.composition import Gateway, Partnership, partnership_of_id
from gateway.month.declaring import DeclaredAnswer, declare_one, is_late
from gateway.month.parts import wanted_partnerships
from gateway.month.periods import closed_through, is_closed
from gateway.month.rating import RatedScope, rate, rated_deck_hash, rated_path
from gateway.month.unpriced import take_up
from ledger import archive
from ledger.archive import archive_name
from ledger.identity import BatchId, CarrierCode
from ledger.period import Period
from ledger.sealing import seal
from ledger.store.batches import SealedBatch, list_batches, record_batch, release_batch
from ledger.store.declarations import list_declarations
from ledger.store.engine import lock, reading, writing
from ledger.store.imports import UsageFile, mark_sealed, unsealed_usage


@dataclass(frozen=True, slots=True)
class CorrectAnswer:
    """Late records and where their declarations stand."""

    declarations: tuple[DeclaredAnswer, ...]
    """Those sealed now, and those of earlier calls."""
    sealed_now: int
    waiting: tuple[RatedScope, ...]
    """In a dry run: what would be sealed."""
    nothing_to_correct: int
    """Records of a direction and service of which nothing was ever declared: the chain takes them no more."""
    dry_run: bool


def correct(
    gateway: Gateway,
    partner: CarrierCode | None = None,
    period: Period | None = None,
    *,
    igw: str | None = None,
    dry_run: bool = False,
    randomness: Callable[[int], bytes] = secrets.token_bytes,
) -> CorrectAnswer:
    """Declare what came, or got its price, after its period was closed; `period` is that closed period.

    Records without a price go on waiting. Raises NotFound without any deck, CrossingRefused as `declare` does.
    """
    gateway.catch_up()
    if dry_run:
        return CorrectAnswer((), 0, _waiting(gateway, partner, period), 0, True)
    _release(gateway, partner, period)
    take_up(gateway, partner, period, late=True, dry_run=False)
    rate(gateway, partner, period)
    with reading(gateway.engine) as connection:
        late = [usage for usage in unsealed_usage(connection) if _is_late(gateway, connection, usage, partner, period)]
    sealed = [_seal(gateway, usage, randomness) for usage in late]
    declared = _declare(gateway, partner, period, igw)
    left = sum(usage.count for usage, done in zip(late, sealed, strict=True) if done is None)
    return CorrectAnswer(declared, sum(map(bool, sealed)), (), left, False)


def late_of(connection: Connection, batch: SealedBatch) -> Period | None:
    """The closed period that one of our batches corrects; None if it corrects none."""
    if batch.corrects is None:
        return None
    rows = list_declarations(connection, batch.scope.agreement_id)
    return next((row.scope.period for row in rows if row.batch_id == batch.corrects), None)


def _waiting(gateway: Gateway, partner: CarrierCode | None, period: Period | None) -> tuple[RatedScope, ...]:
    """What of closed periods is rated, or could be: nothing is written."""
    answer = rate(gateway, partner, period, dry_run=True)
    with reading(gateway.engine) as connection:
        ids = {held.partner: held.id for held in wanted_partnerships(gateway, partner)}
        files = [each for each in answer.scopes if is_closed(gateway, connection, ids[each.partner], each.period)]
    left = [
        RatedScope(
            partner=each.partner,
            creditor=each.creditor,
            service=each.service,
            period=each.period,
            files=0,
            count=each.priced,
            quantity=0,
            amount=each.amount,
            refused=each.count - each.priced,
            reasons=each.reasons,
            missing_decks=(),
        )
        for each in answer.left
        if each.priced
    ]
    return (*files, *left)


def _release(gateway: Gateway, partner: CarrierCode | None, period: Period | None) -> None:
    """Batches that were sealed for a period which is closed by now: their records are sealed anew."""
    for held in wanted_partnerships(gateway, partner):
        with writing(gateway.engine) as connection:
            lock(connection, f"declare {held.id.hex()}")
            for batch in list_batches(connection, held.id, period):
                if batch.corrects is None and is_late(gateway, connection, batch):
                    release_batch(connection, batch.root)
                    (gateway.settings.archive_path / archive_name(batch.root)).unlink(missing_ok=True)


def _is_late(
    gateway: Gateway, connection: Connection, usage: UsageFile, partner: CarrierCode | None, period: Period | None
) -> bool:
    scope = usage.scope
    held = partnership_of_id(gateway.settings, scope.agreement_id)
    wanted = partner in (None, held.partner) and period in (None, scope.period)
    return wanted and is_closed(gateway, connection, held.id, scope.period)


def _seal(gateway: Gateway, usage: UsageFile, randomness: Callable[[int], bytes]) -> bool | None:
    """Seal a late usage file for the next open period; False if nothing in it has a price, None if there is nothing
    that it could correct."""
    table = pq.read_table(rated_path(gateway, usage))
    if not len(table):
        return False
    scope = usage.scope
    with writing(gateway.engine) as connection:
        lock(connection, f"declare {scope.agreement_id.hex()}")
        closed = closed_through(gateway, connection, scope.agreement_id)
        assert closed is not None, "late usage is of a closed period"
        corrects = _corrected(connection, usage, pc.min(table["start_ms"]).as_py())
        if corrects is None:
            return None
        batch = seal(
            table.replace_schema_metadata(None), scope._replace(period=max(closed, scope.period).after), randomness(32)
        )
        path = archive.write(batch, gateway.settings.archive_path)
        sealed = SealedBatch(
            scope=batch.scope,
            root=batch.root,
            count=batch.count,
            from_ms=batch.from_ms,
            to_ms=batch.to_ms,
            quantity=batch.quantity,
            amount_micros=batch.amount_micros,
            deck_hash=rated_deck_hash(table),
            archive_path=path.name,
            sealed_at_ms=gateway.clock.now_ms(),
            corrects=corrects,
        )
        record_batch(connection, sealed)
        mark_sealed(connection, [usage.id], batch.root)
    return True


def _corrected(connection: Connection, usage: UsageFile, from_ms: int) -> BatchId | None:
    """The batch of the same stream and service that the records belonged to, or the latest of their period, or of any.

    None if nothing of the direction and service was ever declared: then there is nothing to correct.
    """
    scope = usage.scope
    rows = [
        row
        for row in list_declarations(connection, scope.agreement_id, None, scope.declarer, scope.creditor)
        if row.scope.service == scope.service and not any(row.corrects)
    ]
    of_period = [row for row in rows if row.scope.period == scope.period]
    spanning = [row for row in of_period if row.from_ms <= from_ms <= row.to_ms]
    return next((found[-1].batch_id for found in (spanning, of_period, rows) if found), None)


def _declare(
    gateway: Gateway, partner: CarrierCode | None, period: Period | None, igw: str | None
) -> tuple[DeclaredAnswer, ...]:
    answers: list[DeclaredAnswer] = []
    for held in wanted_partnerships(gateway, partner):
        with writing(gateway.engine) as connection:
            lock(connection, f"declare {held.id.hex()}")
            answers += [
                declare_one(gateway, connection, held, batch, igw=igw, dry_run=False)
                for batch in _corrections(connection, held, period)
            ]
    return tuple(answers)


def _corrections(connection: Connection, held: Partnership, period: Period | None) -> list[SealedBatch]:
    """Those sealed now, and those of earlier calls."""
    found = [(batch, late_of(connection, batch)) for batch in list_batches(connection, held.id)]
    return [batch for batch, of in found if of is not None and period in (None, of)]
