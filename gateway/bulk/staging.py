"""What does a complete intake become? Usage, then rated, then sealed batches, each with the declaration to sign.

Every step finds its own work, so a stage that died is asked for again. Rating and sealing take whatever else waits of
the same partner and month along; only the intake's own batches are committed with it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gateway import month
from gateway.answers import Money
from gateway.bulk.bodies import Form, Packing
from gateway.bulk.receiving import find, path_of
from gateway.bulk.source import BulkSource
from gateway.composition import Gateway, Partnership, partnership_with
from gateway.formats.trunks import Direction, Stream
from gateway.month.crossing import igw_of
from gateway.month.declaring import DeclaredAnswer, declaration_by, declare_root, next_seq
from gateway.month.importing import ImportAnswer, keep, read_source, repeated
from gateway.month.parts import period_deadline
from gateway.staging.work import Told
from ledger.chain.bindings import Declaration
from ledger.errors import Conflict, Malformed
from ledger.identity import Root, ascii32
from ledger.period import Period
from ledger.store.batches import SealedBatch, batch_of_root
from ledger.store.engine import reading, writing
from ledger.store.imports import find_import, import_of, list_quarantined, usage_of_import
from ledger.store.intakes import Intake, mark_read


@dataclass(frozen=True, slots=True)
class ToSign:
    """One sealed batch of an intake, and what its carrier signs to declare it."""

    root: Root
    period: Period
    count: int
    quantity: int
    amount: Money
    declaration: Declaration | None
    """None once it was declared."""
    digest: bytes
    """EIP-712: of the declaration, the batch's id on chain."""


@dataclass(frozen=True, slots=True)
class StagedIntake:
    """What an intake became."""

    id: str
    import_id: int
    accepted: int
    quarantined: int
    unpriced: int
    """Records that no deck prices yet: they wait."""
    batches: tuple[ToSign, ...]


def stage(gateway: Gateway, intake_id: str, told: Told = lambda _: None) -> StagedIntake:
    """Read, rate and seal an intake. Raises Conflict before it is complete, Malformed, NotFound."""
    intake = complete_one(gateway, intake_id)
    gateway.catch_up()
    import_id = intake.import_id or _read(gateway, intake, told)
    for period in _periods(gateway, import_id):
        month.rate(gateway, intake.partner, period)
        month.seal(gateway, intake.partner, period)
    return staged(gateway, find(gateway, intake_id))


def try_out(gateway: Gateway, intake_id: str, told: Told = lambda _: None) -> ImportAnswer:
    """Read an intake and keep nothing: what would be accepted and left out, and why. Raises as `stage` does."""
    intake = complete_one(gateway, intake_id)
    if intake.import_id is not None:
        with reading(gateway.engine) as connection:
            return repeated(import_of(connection, intake.import_id), list_quarantined(connection, intake.import_id))
    source, content_hash = _source_of(gateway, intake)
    answer, _, _ = read_source(gateway, source, intake.name, content_hash, dry_run=True, told=told)
    return answer


def staged(gateway: Gateway, intake: Intake) -> StagedIntake:
    """How a staged intake stands; declarations are those to be signed now. Raises Conflict before it is read."""
    if intake.import_id is None:
        raise Conflict("the intake is not staged", todo=f"POST /v1/usageIntake/{intake.id}/stage")
    held = partnership_with(gateway.settings, intake.partner)
    with reading(gateway.engine) as connection:
        read = import_of(connection, intake.import_id)
        files = usage_of_import(connection, intake.import_id)
        batches = [batch_of_root(connection, root) for root in sorted({each.root for each in files if each.root})]
    sealed = sum(batch.count for batch in batches)
    return StagedIntake(
        id=intake.id,
        import_id=intake.import_id,
        accepted=read.accepted,
        quarantined=read.quarantined,
        unpriced=max(0, read.accepted - sealed),
        batches=tuple(_to_sign(gateway, held, batches)),
    )


def commit(
    gateway: Gateway, intake: Intake, signatures: Mapping[Root, bytes] | None = None, *, dry_run: bool = False
) -> Sequence[DeclaredAnswer]:
    """Declare every batch of a staged intake; without signatures with the gateway's own key.

    Raises Conflict before it is staged, Malformed for a batch without signature, SignatureRefused.
    """
    batches = staged(gateway, intake).batches
    missing = [each.root for each in batches if signatures is not None and each.root not in signatures]
    waiting = [root for root in missing if _is_waiting(batches, root)]
    if waiting:
        raise Malformed(
            "a batch has no signature",
            expected=f"one for each of {len(batches)} roots",
            got=f"none for 0x{waiting[0].hex()}",
            todo="Sign each declaration of GET /v1/usageIntake/{id}/declaration.",
        )
    given = signatures or {}
    return [declare_root(gateway, each.root, signature=given.get(each.root), dry_run=dry_run) for each in batches]


def _is_waiting(batches: Sequence[ToSign], root: Root) -> bool:
    return any(each.root == root and each.declaration is not None for each in batches)


def _read(gateway: Gateway, intake: Intake, told: Told) -> int:
    """The import it becomes; the same bytes or records again are the import they were before."""
    path = path_of(gateway, intake)
    source, content_hash = _source_of(gateway, intake)
    with reading(gateway.engine) as connection:
        before = find_import(connection, content_hash)
    import_id = before.id if before else None
    if import_id is None:
        answer, refused, kept = read_source(gateway, source, intake.name, content_hash, told=told)
        import_id = keep(gateway, path, source, answer, refused, kept).import_id
        assert import_id is not None, "what was kept has a number"
    with writing(gateway.engine) as connection:
        mark_read(connection, intake.id, import_id)
    path.unlink(missing_ok=True)
    return import_id


def complete_one(gateway: Gateway, intake_id: str) -> Intake:
    """An intake all of whose bytes are here. Raises NotFound, Conflict."""
    intake = find(gateway, intake_id)
    if not intake.complete:
        raise Conflict(
            "the intake is not complete",
            expected="its last bytes with Upload-Complete: ?1",
            got=f"{intake.received} bytes",
            todo="Send the rest with PATCH.",
        )
    return intake


def _source_of(gateway: Gateway, intake: Intake) -> tuple[BulkSource, bytes]:
    """Its usage, and the hash of its bytes and of what they are said to be."""
    path = path_of(gateway, intake)
    stream = Stream(intake.partner, Direction(intake.direction), intake.service)
    with path.open("rb") as file:
        over = hashlib.file_digest(file, "sha256").digest() + repr((stream, intake.form, intake.packing)).encode()
    return BulkSource(path, Form(intake.form), Packing(intake.packing), stream), hashlib.sha256(over).digest()


def _periods(gateway: Gateway, import_id: int) -> list[Period]:
    with reading(gateway.engine) as connection:
        return sorted({each.scope.period for each in usage_of_import(connection, import_id)})


def _to_sign(gateway: Gateway, held: Partnership, batches: Sequence[SealedBatch]) -> Sequence[ToSign]:
    """In the order they will be declared, each with the number that comes next."""
    told: list[ToSign] = []
    further = 0
    with reading(gateway.engine) as connection:
        for batch in sorted(batches, key=lambda each: (ascii32(each.scope.creditor), each.from_ms, each.root)):
            declaration = None
            if batch.batch_id is None:
                seq = next_seq(gateway, connection, batch) + further
                further += 1
                crossing = replace(batch, igw=igw_of(gateway, connection, held, batch, None))
                declaration = declaration_by(gateway, crossing, seq, period_deadline(batch.scope.period))
            told.append(
                ToSign(
                    root=batch.root,
                    period=batch.scope.period,
                    count=batch.count,
                    quantity=batch.quantity,
                    amount=Money(held.currency, batch.amount_micros),
                    declaration=declaration,
                    digest=batch.batch_id or gateway.signer.digest(declaration),
                )
            )
    return told
