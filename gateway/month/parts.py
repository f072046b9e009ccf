"""What do the verbs of the month share? Directions, deadlines that a repeat computes again, submissions."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.composition import Gateway, Partnership, partnerships
from ledger.errors import NotFound
from ledger.identity import CarrierCode, ascii32
from ledger.period import Period
from ledger.service import Service
from ledger.usage import BatchScope

DAY_SECONDS = 86_400
YEAR_SECONDS = 366 * DAY_SECONDS


@dataclass(frozen=True, slots=True)
class Submission:
    """One call on its way to the chain. `state` as in ledger.store.states; "dry run" if nothing was written."""

    id: int | None
    kind: str
    subject: bytes
    state: str
    reason: str | None = None
    tx_hash: bytes | None = None
    block_number: int | None = None


@dataclass(frozen=True, slots=True)
class Direction:
    """One direction of an agreement, seen from us: who is owed, and for which service."""

    held: Partnership
    creditor: CarrierCode
    service: Service

    @property
    def debtor(self) -> CarrierCode:
        return self.held.agreement.counterparty(self.creditor)

    def scope(self, declarer: CarrierCode, period: Period) -> BatchScope:
        """The scope of one side's batches."""
        return BatchScope(self.held.id, declarer, self.creditor, self.service, period)


def wanted_partnerships(gateway: Gateway, partner: CarrierCode | None) -> list[Partnership]:
    """The agreement with one partner, or all of them. Raises NotFound."""
    held = partnerships(gateway.settings)
    if partner is None:
        return list(held.values())
    if partner not in held:
        raise NotFound(f"no agreement with {partner}", expected=", ".join(held) or "an agreement file", got=partner)
    return [held[partner]]


def directions(held: Partnership) -> Iterator[Direction]:
    """Both directions for each agreed service, in the order of a statement."""
    for creditor in sorted(held.carriers, key=ascii32):
        for service in sorted(held.agreement.services):
            yield Direction(held, creditor, service)


def period_deadline(period: Period) -> int:
    """A deadline that both sides and every repeat compute alike: a year after the month (seconds)."""
    end = datetime(period.year + period.month // 12, period.month % 12 + 1, 1, tzinfo=UTC)
    return int(end.timestamp()) + YEAR_SECONDS


def day_deadline(now_s: int) -> int:
    """A deadline a month away that stays the same for all repeats of a day (seconds)."""
    return (now_s // DAY_SECONDS + 31) * DAY_SECONDS


def stream_of(*parts: bytes | str) -> str:
    """The name of an outbox stream: submissions of one stream go in order."""
    return ":".join(part.hex()[:16] if isinstance(part, bytes) else part for part in parts)
