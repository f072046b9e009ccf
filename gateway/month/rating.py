"""Verb *rate*: what does the waiting usage cost under the decks whose hashes stand on chain?"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import Connection

from gateway.answers import Money
from gateway.composition import Gateway, Partnership, partnership_of_id
from ledger.deck import DeckHistory, RateDeck, deck_hash, deck_history, decks_hash, load_deck
from ledger.errors import GscError, NotFound
from ledger.identity import CarrierCode
from ledger.money import Micros
from ledger.period import Period
from ledger.rating import rate as rate_table
from ledger.service import Service
from ledger.store.agreements import list_rate_notices
from ledger.store.engine import reading
from ledger.store.imports import UsageFile, unsealed_usage


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
    dry_run: bool


@dataclass(frozen=True, slots=True)
class Decks:
    """The decks of one direction that we hold, and the names of published ones that we do not."""

    history: DeckHistory
    missing: tuple[str, ...]


def rate(
    gateway: Gateway, partner: CarrierCode | None = None, period: Period | None = None, *, dry_run: bool = False
) -> RateAnswer:
    """Rate every waiting usage file. Raises NotFound if no deck of a direction is known."""
    gateway.catch_up()
    with reading(gateway.engine) as connection:
        waiting = [
            (usage, partnership_of_id(gateway.settings, usage.scope.agreement_id))
            for usage in unsealed_usage(connection)
            if period is None or usage.scope.period == period
        ]
        wanted = [(usage, held) for usage, held in waiting if partner in (None, held.partner)]
        decks = {usage.scope: decks_of(gateway, connection, held, usage) for usage, held in wanted}
    sums: dict[object, RatedScope] = {}
    for usage, held in wanted:
        part = _rate_file(gateway, usage, held, decks[usage.scope], dry_run)
        sums[usage.scope] = _added(sums.get(usage.scope), part)
    return RateAnswer(tuple(sums.values()), dry_run)


def decks_of(gateway: Gateway, connection: Connection, held: Partnership, usage: UsageFile) -> Decks:
    """The decks of a usage file's direction, in the order and with the dates of the chain. Raises NotFound."""
    scope = usage.scope
    return direction_decks(gateway, connection, held, scope.creditor, scope.service)


def direction_decks(
    gateway: Gateway, connection: Connection, held: Partnership, creditor: CarrierCode, service: Service
) -> Decks:
    """The decks of a direction that we hold a file of. Raises NotFound."""
    files = deck_files(gateway.settings.decks_path, held.currency, service)
    notices = list_rate_notices(connection, held.id, creditor, service)
    known = {notice.effective_at * 1000: files[notice.deck_hash] for notice in notices if notice.deck_hash in files}
    missing = tuple(f"0x{notice.deck_hash.hex()}" for notice in notices if notice.deck_hash not in files)
    if not known:
        raise NotFound(
            f"no rate deck of {creditor} to {gateway.carrier if creditor != gateway.carrier else held.partner}",
            expected="a CSV in the decks folder whose hash is published on chain",
            got=", ".join(missing) or "no published deck",
            todo="Publish it with `gsc publish-rates`, or ask the creditor for the file.",
        )
    return Decks(deck_history(known.items()), missing)


def deck_files(folder: Path, currency: str, service: Service) -> Mapping[bytes, RateDeck]:
    """Every deck file of the folder that is in this currency, by hash."""
    found: dict[bytes, RateDeck] = {}
    for path in sorted(folder.glob("**/*.csv")):
        try:
            deck = load_deck(path, currency, service)
        except GscError:
            continue  # another currency, or no deck: the hash on chain decides what is needed
        found[deck_hash(deck)] = deck
    return found


def rated_path(gateway: Gateway, usage: UsageFile) -> Path:
    """Where the rated form of a usage file lies."""
    return gateway.settings.work_path / "rated" / f"{usage.id}.parquet"


def rated_deck_hash(table: pa.Table) -> bytes:
    """The hash of the decks a rated file was priced with."""
    return bytes.fromhex((table.schema.metadata or {})[b"deck_hash"].decode("ascii"))


def _rate_file(gateway: Gateway, usage: UsageFile, held: Partnership, decks: Decks, dry_run: bool) -> RatedScope:
    table = pq.read_table(gateway.settings.home / usage.path).replace_schema_metadata(None)
    rating = rate_table(table, decks.history, held.agreement)
    if not dry_run:
        span = pc.min_max(table["start_ms"]).as_py()
        used = decks_hash(decks.history, span["min"], span["max"])
        _write(rated_path(gateway, usage), rating.rated.replace_schema_metadata({b"deck_hash": used.hex().encode()}))
    if not dry_run and len(rating.refused):
        _write(gateway.settings.work_path / "unpriced" / f"{usage.id}.parquet", rating.refused)
    return _rated_scope(usage, held, rating.rated, rating.refused, decks.missing)


def _rated_scope(
    usage: UsageFile, held: Partnership, rated: pa.Table, refused: pa.Table, missing: tuple[str, ...]
) -> RatedScope:
    scope = usage.scope
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


def _write(path: Path, table: pa.Table) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    pq.write_table(table, partial, compression="zstd")
    partial.replace(path)
