"""How is an intake begun and continued, so that a broken connection costs what was not yet there, and no more?

Bytes are on disk before the store says so, and the store has said so before anybody hears it.
"""

import hashlib
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool

from gateway.bulk.bodies import Form, Packing
from gateway.bulk.landing import WRITE_BYTES, Landing
from gateway.composition import Gateway, partnership_with
from gateway.formats.trunks import Direction
from ledger.errors import Conflict, NotFound
from ledger.identity import CarrierCode
from ledger.service import Service
from ledger.store.engine import lock, reading, writing
from ledger.store.intakes import (
    Intake,
    add_intake,
    begun_under_its_key,
    intake_of,
    mark_received,
    remove_intake,
)


class Begun(NamedTuple):
    """An intake, and whether it was begun before."""

    intake: Intake
    before: bool


def begin(
    gateway: Gateway,
    partner: CarrierCode,
    direction: Direction,
    service: Service,
    form: Form,
    packing: Packing,
    *,
    name: str,
    key: str | None,
    now_ms: int,
) -> Begun:
    """An intake for `receive_first`, or the one begun under its key. Raises NotFound, RequestConflict."""
    held = partnership_with(gateway.settings, partner)
    if service not in held.agreement.services:
        words = ", ".join(each.word for each in sorted(held.agreement.services))
        raise NotFound(f"no {service.word} is agreed with {partner}", expected=words, got=service.word)
    drawn = Intake(
        id=secrets.token_hex(16),
        partner=partner,
        direction=direction.value,
        service=service,
        form=form.value,
        packing=packing.value,
        name=Path(name).name[:200] or "usage",
        key=key,
        received=0,
        complete=False,
        import_id=None,
        begun_at_ms=now_ms,
    )
    if key is None:
        return Begun(drawn, False)
    with reading(gateway.engine) as connection:
        known = begun_under_its_key(connection, drawn)
    return Begun(known or drawn, known is not None)


def find(gateway: Gateway, intake_id: str) -> Intake:
    """An intake as it stands. Raises NotFound."""
    with reading(gateway.engine) as connection:
        return intake_of(connection, intake_id)


def folder_of(gateway: Gateway) -> Path:
    """Where the bytes of all intakes are."""
    return gateway.settings.work_path / "intakes"


def path_of(gateway: Gateway, intake: Intake) -> Path:
    """Where its bytes are."""
    return folder_of(gateway) / intake.id


async def receive_first(gateway: Gateway, intake: Intake, chunks: AsyncIterator[bytes], *, complete: bool) -> Intake:
    """Its first bytes, and then its row: one commit says both. Raises Malformed, RequestConflict."""
    known: Intake | None = None

    def settle(received: int, complete: bool) -> Intake:
        nonlocal known
        begun = replace(intake, received=received, complete=complete)
        if known is None:
            known = gateway.together.write(gateway.engine, lambda connection: add_intake(connection, begun))
        else:
            known = _said(gateway, known, received, complete=complete)
        return known

    return await _append(gateway, intake, chunks, settle, complete=complete)


async def receive(
    gateway: Gateway, intake: Intake, offset: int, chunks: AsyncIterator[bytes], *, complete: bool
) -> Intake:
    """Append what comes at its place; a connection that breaks off leaves what came. Raises Conflict, Malformed."""
    known = intake

    def settle(received: int, complete: bool) -> Intake:
        nonlocal known
        known = _said(gateway, known, received, complete=complete)
        return known

    check_place(intake, offset)
    return await _append(gateway, intake, chunks, settle, complete=complete)


def _said(gateway: Gateway, known: Intake, received: int, *, complete: bool) -> Intake:
    """The intake with more bytes than the store knew. Raises Conflict if another request brought some."""
    with writing(gateway.engine) as connection:
        lock(connection, f"intake {known.id}")
        now = intake_of(connection, known.id)
        if now.received != known.received or now.complete:
            raise Conflict("another request brought bytes meanwhile", expected=known.received, got=now.received)
        mark_received(connection, known.id, received, complete=complete)
        return intake_of(connection, known.id)


def check_place(intake: Intake, offset: int) -> None:
    """Raises Conflict unless the next bytes are those that come."""
    if intake.complete:
        raise Conflict("the intake is complete", expected="no more bytes", got=f"bytes from {offset} on")
    if offset != intake.received:
        raise Conflict(
            "these are not the next bytes",
            expected=f"bytes from {intake.received} on",
            got=f"bytes from {offset} on",
            todo="Ask with HEAD how much is here, and go on from there.",
            offset=intake.received,
        )


async def check_repeat(gateway: Gateway, intake: Intake, chunks: AsyncIterator[bytes]) -> None:
    """Whether a repeated body is the one that came before. Raises Conflict."""
    came = hashlib.sha256()
    async for chunk in chunks:
        came.update(chunk)
    known = await run_in_threadpool(_hash_of, gateway, intake)
    if known is not None and known != came.digest():
        raise Conflict(
            "this idempotency key was used for another body",
            expected=f"the body with SHA-256 {known.hex()}",
            got=f"one with SHA-256 {came.hexdigest()}",
            todo="Send a new key with a new body.",
        )


def discard(gateway: Gateway, intake: Intake) -> None:
    """Forget an intake and its bytes; what was imported of it stays."""
    with writing(gateway.engine) as connection:
        remove_intake(connection, intake.id)
    path_of(gateway, intake).unlink(missing_ok=True)


def _hash_of(gateway: Gateway, intake: Intake) -> bytes | None:
    try:
        with path_of(gateway, intake).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").digest()
    except FileNotFoundError:
        return None


async def _append(
    gateway: Gateway,
    intake: Intake,
    chunks: AsyncIterator[bytes],
    settle: Callable[[int, bool], Intake],
    *,
    complete: bool,
) -> Intake:
    """Write, sync, and only then say so; what came before a connection broke off stays."""
    landing = Landing(path_of(gateway, intake), intake.received)
    try:
        async for chunk in chunks:
            landing.take(chunk)
            if len(landing.waiting) >= WRITE_BYTES:
                await run_in_threadpool(landing.write_and_say, settle)
    except BaseException:
        await run_in_threadpool(landing.settle, settle, False)
        raise
    return await run_in_threadpool(landing.settle, settle, complete)
