"""Verb *declare*: what does this carrier put its name to, before it has seen the other side?"""

from dataclasses import dataclass, replace

from sqlalchemy import Connection

from gateway.answers import Money
from gateway.composition import Gateway, Partnership, partnership_of_id
from gateway.month.crossing import igw_of
from gateway.month.inlining import gas_of, inline_calldata, is_inline, sealed_inline
from gateway.month.parts import Submission, period_deadline, stream_of, wanted_partnerships
from gateway.month.periods import is_closed
from gateway.month.sending import Call, submission_of, submit
from gateway.signing import Signed
from ledger.chain.bindings import (
    Declaration,
    calldata_carrier_registry_is_key_of,
    calldata_usage_ledger_declare_adjustment,
    result_carrier_registry_is_key_of,
)
from ledger.chain.bindings import calldata_usage_ledger_declare as calldata_declare
from ledger.errors import Conflict, CrossingRefused, SignatureRefused
from ledger.identity import BatchId, CarrierCode, Root, ascii32
from ledger.period import Period
from ledger.store.batches import SealedBatch, batch_of_root, declare_batch, list_batches
from ledger.store.declarations import DeclarationRow, declaration_of, last_seq
from ledger.store.engine import lock, writing
from ledger.store.states import SubmissionState

NOTHING = bytes(32)
KIND = "declare"


@dataclass(frozen=True, slots=True)
class DeclaredAnswer:
    """One batch's declaration and where it stands."""

    root: Root
    batch_id: BatchId | None
    partner: CarrierCode
    creditor: CarrierCode
    period: Period
    seq: int
    count: int
    amount: Money
    igw: str | None
    """The international gateway it names, for data and private lines."""
    corrects: BatchId | None
    """The earlier batch that it corrects, if its records came late."""
    submission: Submission


@dataclass(frozen=True, slots=True)
class DeclareAnswer:
    """Every declaration of the period."""

    declarations: tuple[DeclaredAnswer, ...]
    late: int
    """Sealed batches of a closed period: they take `gsc correct`."""
    dry_run: bool


def declare(
    gateway: Gateway,
    partner: CarrierCode | None = None,
    period: Period | None = None,
    *,
    igw: str | None = None,
    inline: bool = False,
    dry_run: bool = False,
) -> DeclareAnswer:
    """Sign the declaration of every sealed batch and put it into the outbox; refused ones are signed again.

    `igw` is what data and private lines cross the border by, instead of the partner's in gsc.toml. With `inline` the
    records travel in the declarations, at most 500 each, with keyed hashes for numbers; raises Malformed for what does
    not fit. Raises CrossingRefused for a batch that igw or licence do not cover, once all others are in the outbox.
    """
    gateway.catch_up()
    answers: list[DeclaredAnswer] = []
    refusals: list[CrossingRefused] = []
    late = 0
    for held in wanted_partnerships(gateway, partner):
        with writing(gateway.engine) as connection:
            lock(connection, f"declare {held.id.hex()}")
            batches = list_batches(connection, held.id, period)
            in_time = [batch for batch in batches if not is_late(gateway, connection, batch)]
            late += len(batches) - len(in_time)
            for batch in sorted(in_time, key=lambda each: (ascii32(each.scope.creditor), each.from_ms, each.root)):
                try:
                    found = _wanted_form(gateway, connection, held, batch, igw, inline=inline, dry_run=dry_run)
                    answers.append(declare_one(gateway, connection, held, found, igw=igw, dry_run=dry_run))
                except CrossingRefused as refusal:
                    refusals.append(refusal)
    if refusals:
        raise _first_of(refusals, len(answers))
    return DeclareAnswer(tuple(answers), late, dry_run)


def declare_root(
    gateway: Gateway,
    root: bytes,
    *,
    igw: str | None = None,
    signature: bytes | None = None,
    dry_run: bool = False,
) -> DeclaredAnswer:
    """Sign and submit the declaration of one sealed batch; the stream takes them in the order they were signed.

    With a `signature` the carrier signed elsewhere: over the declaration with the next number and the usual deadline.
    Raises NotFound, CrossingRefused, SignatureRefused, Conflict for a batch of a closed period.
    """
    gateway.catch_up()
    with writing(gateway.engine) as connection:
        batch = batch_of_root(connection, Root(root))
        held = partnership_of_id(gateway.settings, batch.scope.agreement_id)
        lock(connection, f"declare {held.id.hex()}")
        if is_late(gateway, connection, batch):
            raise Conflict(
                f"{batch.scope.period} is closed, and a closed period takes no declaration",
                got=f"0x{root.hex()}",
                todo=f"Declare its records in the next open period: `gsc correct --partner {held.partner}`.",
            )
        return declare_one(gateway, connection, held, batch, igw=igw, signature=signature, dry_run=dry_run)


def is_late(gateway: Gateway, connection: Connection, batch: SealedBatch) -> bool:
    """Whether a batch can no longer be declared as it is: its period is closed, and nothing of it is on its way."""
    before = submission_of(connection, KIND, batch.batch_id) if batch.batch_id else None
    sent = before is not None and before.state != SubmissionState.REVERTED
    return not sent and is_closed(gateway, connection, batch.scope.agreement_id, batch.scope.period)


def declare_one(
    gateway: Gateway,
    connection: Connection,
    held: Partnership,
    batch: SealedBatch,
    *,
    igw: str | None,
    signature: bytes | None = None,
    dry_run: bool,
) -> DeclaredAnswer:
    """Sign one batch's declaration and put it into the outbox, in the caller's transaction, under its declare lock.

    Raises CrossingRefused, SignatureRefused.
    """
    before = submission_of(connection, KIND, batch.batch_id) if batch.batch_id else None
    if before is not None and before.state != SubmissionState.REVERTED:
        return _declared(held, batch, before)
    batch = replace(batch, igw=igw_of(gateway, connection, held, batch, igw))
    seq = batch.seq or next_seq(gateway, connection, batch)
    deadline = period_deadline(batch.scope.period)
    if before is not None:  # refused: the same batch under a later deadline is another declaration
        deadline = (batch.deadline or deadline) + 1
    declaration = declaration_by(gateway, batch, seq, deadline)
    signed = (
        gateway.signer.sign(declaration) if signature is None else signed_elsewhere(gateway, declaration, signature)
    )
    call = Call(
        kind=KIND,
        subject=signed.digest,
        contract="UsageLedger",
        calldata=_calldata(gateway, connection, declaration, batch, signed.signature),
        gas=gas_of(batch) if is_inline(gateway, batch) else None,
        stream=stream_of("usage", held.id, batch.scope.creditor),
        position=seq,
        agreement_id=held.id,
    )
    if not dry_run:
        declare_batch(
            connection,
            batch.root,
            batch_id=BatchId(signed.digest),
            seq=seq,
            deadline=deadline,
            signature=signed.signature,
            igw=batch.igw,
        )
    batch = replace(batch, batch_id=BatchId(signed.digest), seq=seq)
    return _declared(held, batch, submit(gateway, connection, call, dry_run=dry_run))


def signed_elsewhere(gateway: Gateway, declaration: Declaration, signature: bytes) -> Signed:
    """A declaration with the signature of a key that the registry knows as ours now. Raises SignatureRefused."""
    signer = gateway.signer.domains.signer_of(declaration, signature)
    asked = calldata_carrier_registry_is_key_of(ascii32(gateway.carrier), signer, gateway.client.now_ms() // 1000)
    if not gateway.client.view(gateway.network.carrier_registry, asked, result_carrier_registry_is_key_of):
        raise SignatureRefused(
            f"no key of {gateway.carrier} signed this declaration",
            expected=f"a signature over 0x{gateway.signer.digest(declaration).hex()}, number {declaration.seq}",
            got=f"one of {signer}",
            todo="Ask for the declaration again: another one may have taken its number meanwhile.",
        )
    return Signed(gateway.signer.digest(declaration), signature)


def _wanted_form(
    gateway: Gateway,
    connection: Connection,
    held: Partnership,
    batch: SealedBatch,
    igw: str | None,
    *,
    inline: bool,
    dry_run: bool,
) -> SealedBatch:
    """The batch as it is, or sealed anew for an inline declaration if it was never sent. Raises as `declare` does."""
    if not inline or batch.batch_id is not None:
        return batch
    igw_of(gateway, connection, held, batch, igw)
    return sealed_inline(gateway, connection, batch, dry_run=dry_run)


def declaration_by(gateway: Gateway, batch: SealedBatch, seq: int, deadline: int) -> Declaration:
    """What the carrier signs about a batch."""
    scope = batch.scope
    return Declaration(
        agreement_id=scope.agreement_id,
        declarer=ascii32(gateway.carrier),
        creditor=ascii32(scope.creditor),
        seq=seq,
        service=scope.service,
        period=scope.period.key,
        root=batch.root,
        count=batch.count,
        from_ms=batch.from_ms,
        to_ms=batch.to_ms,
        quantity=batch.quantity,
        amount_micros=batch.amount_micros,
        deck_hash=batch.deck_hash,
        corrects=batch.corrects or NOTHING,
        igw=ascii32(batch.igw or ""),
        deadline=deadline,
    )


def declaration_on_chain(row: DeclarationRow) -> Declaration:
    """A declaration as it was signed: its digest is the row's batch id."""
    scope = row.scope
    return Declaration(
        agreement_id=scope.agreement_id,
        declarer=ascii32(scope.declarer),
        creditor=ascii32(scope.creditor),
        seq=row.seq,
        service=scope.service,
        period=scope.period.key,
        root=row.root,
        count=row.count,
        from_ms=row.from_ms,
        to_ms=row.to_ms,
        quantity=row.quantity,
        amount_micros=row.amount_micros,
        deck_hash=row.deck_hash,
        corrects=row.corrects,
        igw=ascii32(row.igw),
        deadline=row.deadline,
    )


def _calldata(
    gateway: Gateway, connection: Connection, declaration: Declaration, batch: SealedBatch, signature: bytes
) -> bytes:
    if batch.corrects is None:
        if is_inline(gateway, batch):
            return inline_calldata(gateway, declaration, batch, signature)
        return calldata_declare(declaration, signature)
    corrected = declaration_on_chain(declaration_of(connection, batch.corrects))
    return calldata_usage_ledger_declare_adjustment(declaration, corrected, signature)


def next_seq(gateway: Gateway, connection: Connection, batch: SealedBatch) -> int:
    """The number that the next declaration of the batch's direction has."""
    scope = batch.scope
    ours = [
        each.seq
        for each in list_batches(connection, scope.agreement_id)
        if each.scope.creditor == scope.creditor and each.seq is not None
    ]
    return max([*ours, last_seq(connection, scope.agreement_id, gateway.carrier, scope.creditor)]) + 1


def _declared(held: Partnership, batch: SealedBatch, submission: Submission) -> DeclaredAnswer:
    return DeclaredAnswer(
        root=batch.root,
        batch_id=batch.batch_id,
        partner=held.partner,
        creditor=batch.scope.creditor,
        period=batch.scope.period,
        seq=batch.seq or 0,
        count=batch.count,
        amount=Money(held.currency, batch.amount_micros),
        igw=batch.igw,
        corrects=batch.corrects,
        submission=submission,
    )


def _first_of(refusals: list[CrossingRefused], declared: int) -> CrossingRefused:
    """The first refusal, and what became of the rest."""
    first = refusals[0]
    others = f"; {len(refusals) - 1} more batch(es) are refused" if len(refusals) > 1 else ""
    return CrossingRefused(
        f"{first.message}{others}",
        expected=first.expected,
        got=first.got,
        todo=f"{first.todo} The other {declared} declaration(s) are in the outbox." if declared else first.todo,
        **first.members,
    )
