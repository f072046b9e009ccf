"""Through which international gateway does a batch cross the border, and may it, on all of its days?

Asked before anything is signed: the same question that the registry asks when the declaration arrives.
"""

from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.composition import Gateway, Partnership
from ledger.errors import CrossingRefused
from ledger.service import Service
from ledger.store.batches import SealedBatch
from ledger.store.crossings import INTERNATIONAL, Validity, covers, list_igws, list_licences, moment, shown

CROSSING = (Service.DATA, Service.IPL)
"""The services that cross a border; voice and SMS name no igw."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What has to cover the batch: its first and last event, in seconds."""

    first: int
    last: int

    def covered_by(self, validities: tuple[Validity, ...]) -> bool:
        return covers(validities, self.first, self.last)

    def __str__(self) -> str:
        return f"{moment(self.first)} to {moment(self.last)}"


def igw_of(
    gateway: Gateway, connection: Connection, held: Partnership, batch: SealedBatch, igw: str | None
) -> str | None:
    """The igw that the batch's declaration names; None for voice and SMS.

    The one asked for, or the one the batch was sealed or declared with, or the one of the partner in gsc.toml.
    Raises CrossingRefused if there is none, or if igw or licence do not cover all of its events.
    """
    if batch.scope.service not in CROSSING:
        return None
    wanted = igw or batch.igw or gateway.settings.igw.get(held.partner)
    asked = _Asked(batch.from_ms // 1000, batch.to_ms // 1000)
    listed = {row.igw: row.validities for row in list_igws(connection)}
    if wanted is None:
        usable = [code for code, validities in listed.items() if asked.covered_by(validities)]
        raise CrossingRefused(
            f"{_named(batch)} names no international gateway",
            expected=", ".join(usable) or "an igw that the members have listed",
            todo=f'Name it: `gsc declare --igw CODE`, or `{held.partner} = "CODE"` under [igw] in gsc.toml.',
        )
    _require_igw(batch, wanted, listed.get(wanted), asked)
    _require_licence(connection, batch, asked)
    return wanted


def _require_igw(batch: SealedBatch, igw: str, validities: tuple[Validity, ...] | None, asked: _Asked) -> None:
    if validities is None or not asked.covered_by(validities):
        raise CrossingRefused(
            f"{igw} does not cover {_named(batch)}",
            expected=f"{igw} listed for all events, {asked}",
            got="no such igw" if validities is None else f"listed: {shown(validities)}",
            todo="See `gsc members list` for the igws; name another one with --igw, or have the members list it.",
            igw=igw,
        )


def _require_licence(connection: Connection, batch: SealedBatch, asked: _Asked) -> None:
    creditor = batch.scope.creditor
    held = {row.licence: row.validities for row in list_licences(connection, creditor)}
    if not asked.covered_by(held.get(INTERNATIONAL, ())):
        raise CrossingRefused(
            f"{creditor} has no licence that covers {_named(batch)}",
            expected=f"{INTERNATIONAL} for all events, {asked}",
            got=f"{INTERNATIONAL}: {shown(held.get(INTERNATIONAL, ()))}",
            todo=f"Have the members grant it: `gsc members propose grant-licence --carrier {creditor} "
            f"--licence {INTERNATIONAL} --from DATE`; a batch that lies partly outside has to be sealed in parts.",
            licence=INTERNATIONAL,
            creditor=creditor,
        )


def _named(batch: SealedBatch) -> str:
    scope = batch.scope
    return f"{scope.service.word} of {scope.period} owed to {scope.creditor} (root {batch.root.hex()[:12]})"
