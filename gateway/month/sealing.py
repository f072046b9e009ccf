"""Verb *seal*: which batches can never be changed again without anyone seeing it?"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow.parquet as pq

from gateway.answers import Money
from gateway.composition import Gateway, Partnership, partnership_of_id
from gateway.month.rating import rated_deck_hash, rated_path
from ledger import archive
from ledger.errors import Conflict
from ledger.identity import CarrierCode, Root
from ledger.period import Period
from ledger.sealing import UsageBatch
from ledger.sealing import seal as seal_table
from ledger.service import Service
from ledger.store.batches import SealedBatch, list_batches, record_batch
from ledger.store.engine import reading, writing
from ledger.store.imports import UsageFile, mark_sealed, unsealed_usage


@dataclass(frozen=True, slots=True)
class SealedAnswer:
    """One sealed batch."""

    root: Root
    partner: CarrierCode
    creditor: CarrierCode
    service: Service
    period: Period
    count: int
    quantity: int
    amount: Money
    from_ms: int
    to_ms: int
    state: str


@dataclass(frozen=True, slots=True)
class SealAnswer:
    """All batches of the period, those sealed before too."""

    batches: tuple[SealedAnswer, ...]
    sealed_now: int
    dry_run: bool


def seal(
    gateway: Gateway,
    partner: CarrierCode | None = None,
    period: Period | None = None,
    *,
    dry_run: bool = False,
    randomness: Callable[[int], bytes] = secrets.token_bytes,
) -> SealAnswer:
    """Seal every rated usage file into a batch of its own. Raises Conflict if some usage is not rated yet."""
    with reading(gateway.engine) as connection:
        waiting = [usage for usage in unsealed_usage(connection) if _wanted(gateway, usage, partner, period)]
    _refuse_unrated(gateway, waiting)
    now = [usage for usage in waiting if _priced(gateway, usage)]
    for usage in () if dry_run else now:
        _seal_file(gateway, usage, randomness)
    with reading(gateway.engine) as connection:
        sealed = [
            _answer(batch, partnership_of_id(gateway.settings, batch.scope.agreement_id))
            for batch in list_batches(connection, period=period)
        ]
    mine = tuple(answer for answer in sealed if partner in (None, answer.partner))
    return SealAnswer(mine, len(now), dry_run)


def _wanted(gateway: Gateway, usage: UsageFile, partner: CarrierCode | None, period: Period | None) -> bool:
    held = partnership_of_id(gateway.settings, usage.scope.agreement_id)
    return partner in (None, held.partner) and period in (None, usage.scope.period)


def _refuse_unrated(gateway: Gateway, waiting: list[UsageFile]) -> None:
    unrated = [usage for usage in waiting if not rated_path(gateway, usage).exists()]
    if unrated:
        raise Conflict(
            f"{len(unrated)} usage file(s) have no rated records",
            got=", ".join(usage.path for usage in unrated[:3]),
            todo="Rate first: `gsc rate --home DIR`; records without a price stay quarantined.",
        )


def _priced(gateway: Gateway, usage: UsageFile) -> bool:
    """Whether anything in it has a price yet; otherwise it waits, set aside."""
    rows: int = pq.read_metadata(rated_path(gateway, usage)).num_rows
    return rows > 0


def _seal_file(gateway: Gateway, usage: UsageFile, randomness: Callable[[int], bytes]) -> None:
    """Archive first, then remember: a crash between the two leaves a file nobody speaks of, and nothing else."""
    table = pq.read_table(rated_path(gateway, usage))
    deck = rated_deck_hash(table)
    batch = seal_table(table.replace_schema_metadata(None), usage.scope, randomness(32))
    path = archive.write(batch, gateway.settings.archive_path)
    with writing(gateway.engine) as connection:
        mark_after = _sealed_batch(batch, deck, path.name, gateway.clock.now_ms())
        record_batch(connection, mark_after)
        mark_sealed(connection, [usage.id], batch.root)


def _sealed_batch(batch: UsageBatch, deck: bytes, name: str, now_ms: int) -> SealedBatch:
    return SealedBatch(
        scope=batch.scope,
        root=batch.root,
        count=batch.count,
        from_ms=batch.from_ms,
        to_ms=batch.to_ms,
        quantity=batch.quantity,
        amount_micros=batch.amount_micros,
        deck_hash=deck,
        archive_path=name,
        sealed_at_ms=now_ms,
    )


def _answer(batch: SealedBatch, held: Partnership) -> SealedAnswer:
    return SealedAnswer(
        root=batch.root,
        partner=held.partner,
        creditor=batch.scope.creditor,
        service=batch.scope.service,
        period=batch.scope.period,
        count=batch.count,
        quantity=batch.quantity,
        amount=Money(held.currency, batch.amount_micros),
        from_ms=batch.from_ms,
        to_ms=batch.to_ms,
        state=batch.state,
    )
