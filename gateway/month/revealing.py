"""Verb *reveal*: what did the other side seal, and is it what it declared?

Asked for only once both sides have closed the period on chain; each file is checked against the chain first.
"""

import secrets
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gateway.composition import Gateway, Partnership, partnership_with
from gateway.peers import Peer, peer_of
from gateway.requests import REQUEST_SECONDS, RevealRequest
from ledger import archive
from ledger.archive import DeclaredTotals
from ledger.errors import Conflict, GscError, PeriodStillOpen, RootMismatch
from ledger.identity import BatchId, CarrierCode, Root, ascii32
from ledger.period import Period
from ledger.sealing import UsageBatch
from ledger.store.batches import RevealedBatch, list_revealed, record_revealed
from ledger.store.declarations import DeclarationRow, closed_by, list_declarations
from ledger.store.engine import reading, writing


@dataclass(frozen=True, slots=True)
class RevealedAnswer:
    """One of the partner's batches, checked against the chain."""

    batch_id: BatchId
    root: Root
    creditor: CarrierCode
    seq: int
    count: int
    refusal: str | None
    """Why the file is not what was declared."""


@dataclass(frozen=True, slots=True)
class RevealAnswer:
    """The partner's sealed records of a period."""

    partner: CarrierCode
    period: Period
    batches: tuple[RevealedAnswer, ...]
    fetched_now: int
    dry_run: bool


def reveal(
    gateway: Gateway,
    partner: CarrierCode,
    period: Period,
    *,
    dry_run: bool = False,
    randomness: Callable[[int], bytes] = secrets.token_bytes,
) -> RevealAnswer:
    """Fetch every batch the partner declared for the period and check each against the chain.

    A file that is not what was declared (or too long for it, or under a root that stands for other records) is refused
    and not kept: RootMismatch is raised once all others are in.
    Raises PeriodStillOpen, PeerRefused, Unavailable.
    """
    held = partnership_with(gateway.settings, partner)
    gateway.catch_up()
    with reading(gateway.engine) as connection:
        require_closed(held, period, closed_by(connection, held.id, period))
        declared = list_declarations(connection, held.id, period, partner)
        have = {row.batch_id for row in list_revealed(connection, held.id, period) if row.refusal is None}
    missing = [row for row in declared if row.batch_id not in have]
    refusals: list[Conflict] = []
    for row in () if dry_run else missing:
        try:
            _fetch(gateway, peer_of(gateway, partner), held, row, randomness)
        except Conflict as refusal:
            _remember(gateway, row, "", str(refusal))
            refusals.append(refusal)
    answer = _answer(gateway, held, period, declared, 0 if dry_run else len(missing), dry_run)
    if refusals:
        raise _all_of(refusals, answer)
    return answer


def require_closed(held: Partnership, period: Period, closed: frozenset[CarrierCode]) -> None:
    """Raises PeriodStillOpen unless both sides have closed the period on chain."""
    still_open = [carrier for carrier in held.carriers if carrier not in closed]
    if still_open:
        raise PeriodStillOpen(
            f"records of {period} are revealed once both sides have closed it",
            expected=f"closes of {held.carriers[0]} and {held.carriers[1]}",
            got=f"{' and '.join(still_open)} has not closed",
            todo="Close with `gsc close`, or wait for the partner.",
        )


def declared_totals(row: DeclarationRow) -> DeclaredTotals:
    """What the chain says of a batch."""
    return DeclaredTotals(row.root, row.count, row.quantity, row.amount_micros, row.from_ms, row.to_ms)


def _fetch(
    gateway: Gateway, peer: Peer, held: Partnership, row: DeclarationRow, randomness: Callable[[int], bytes]
) -> None:
    request = RevealRequest(
        agreement_id=held.id,
        period=row.scope.period.key,
        requester=ascii32(gateway.carrier),
        root=row.root,
        nonce=randomness(32),
        deadline=gateway.now_s + REQUEST_SECONDS,
    )
    most_bytes = archive.most_bytes(row.count)
    content = peer.reveal(request, gateway.signer.sign(request).signature, most_bytes)
    batch = _checked(content, row)
    path = archive.write(batch, gateway.settings.archive_path)
    _remember(gateway, row, path.name, None)


def _checked(content: bytes, row: DeclarationRow) -> UsageBatch:
    """The revealed file as a batch, or RootMismatch: also for a file that cannot even be read."""
    with tempfile.TemporaryDirectory(prefix="gsc-reveal-") as folder:
        path = Path(folder) / "revealed.parquet"
        path.write_bytes(content)
        try:
            batch = archive.read(path, row.count)
        except RootMismatch:
            raise
        except GscError as error:
            raise RootMismatch(
                "the revealed file cannot be the sealed one", expected=row.root.hex(), got=str(error)
            ) from None
    archive.check_against(batch, declared_totals(row))
    if batch.scope != row.scope:
        raise RootMismatch("the revealed file is of another scope", expected=row.scope, got=batch.scope)
    return batch


def _remember(gateway: Gateway, row: DeclarationRow, name: str, refusal: str | None) -> None:
    with writing(gateway.engine) as connection:
        record_revealed(
            connection,
            RevealedBatch(
                batch_id=row.batch_id,
                root=row.root,
                scope=row.scope,
                archive_path=name,
                revealed_at_ms=gateway.clock.now_ms(),
                refusal=refusal,
            ),
        )


def _answer(
    gateway: Gateway,
    held: Partnership,
    period: Period,
    declared: list[DeclarationRow],
    fetched: int,
    dry_run: bool,
) -> RevealAnswer:
    with reading(gateway.engine) as connection:
        refusals = {row.batch_id: row.refusal for row in list_revealed(connection, held.id, period)}
    batches = tuple(
        RevealedAnswer(
            batch_id=row.batch_id,
            root=row.root,
            creditor=row.scope.creditor,
            seq=row.seq,
            count=row.count,
            refusal=refusals.get(row.batch_id),
        )
        for row in declared
    )
    return RevealAnswer(held.partner, period, batches, fetched, dry_run)


def _all_of(refusals: list[Conflict], answer: RevealAnswer) -> RootMismatch:
    first = refusals[0]
    wrong = [batch for batch in answer.batches if batch.refusal is not None]
    return RootMismatch(
        f"{len(wrong)} of {answer.partner}'s {len(answer.batches)} files are not what was declared: {first.message}",
        expected=first.expected,
        got=first.got,
        todo=f"Ask {answer.partner} for the files it sealed; its declarations stand. Nothing of these was kept.",
        refused=[batch.batch_id for batch in wrong],
        accepted=[batch.batch_id for batch in answer.batches if batch.refusal is None],
    )
