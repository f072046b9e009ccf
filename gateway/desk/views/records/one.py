"""What is known of one record? Both sides, why they were paired, what explains the rest, and where it is sealed."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.composition import Gateway
from gateway.desk.views.findings import FindingRow, finding_rows
from gateway.desk.views.records.directions import Compared, compared_directions, direction_of
from gateway.desk.views.records.sealing import SealView, seal_view
from gateway.month.books import book_of, revealed_book
from gateway.month.parts import Direction
from gateway.records.exceptions import Share, shares_of_record
from gateway.records.layout import NOBODY
from gateway.records.reading import Listed
from ledger.errors import NotFound
from ledger.identity import CarrierCode
from ledger.period import Period
from ledger.store.engine import reading


@dataclass(frozen=True, slots=True)
class Explained:
    """A finding that the record belongs to, and its share of it."""

    row: FindingRow
    share: Share


@dataclass(frozen=True, slots=True)
class RecordView:
    """One record or pair down to its proof."""

    partner: str
    period: str
    currency: str
    creditor: str
    service: str
    record: Listed
    total: int
    window_ms: int
    """How far two starts may lie apart, by the agreement."""
    duration_ms: int
    """How far two quantities may."""
    duration_bps: int
    explained: Sequence[Explained]
    ours: SealView | None
    theirs: SealView | None


def record_view(
    gateway: Gateway, partner: CarrierCode, period: Period, creditor: str, service: str, number: int
) -> RecordView:
    """The record of a number of its direction's list. Raises NotFound, Malformed."""
    chosen = direction_of(compared_directions(gateway, partner, period), creditor, service)
    record = chosen.records.record(number)
    if record is None:
        raise NotFound("no such record", expected=f"1 to {chosen.records.total:,}", got=number)
    held, tolerance = chosen.held, chosen.held.agreement.tolerance
    direction = Direction(held, chosen.creditor, chosen.run.scope.service)
    ours, theirs = book_of(gateway, direction, gateway.carrier, period), revealed_book(gateway, direction, period)
    return RecordView(
        partner=partner,
        period=str(period),
        currency=held.currency,
        creditor=chosen.creditor,
        service=chosen.service,
        record=record,
        total=chosen.records.total,
        window_ms=tolerance.window_ms,
        duration_ms=tolerance.duration_ms,
        duration_bps=tolerance.duration_bps,
        explained=_explained(gateway, chosen, period, number),
        ours=seal_view(gateway, held, ours, record.ours.row if record.ours else NOBODY),
        theirs=seal_view(gateway, held, theirs, record.theirs.row if record.theirs else NOBODY),
    )


def _explained(gateway: Gateway, chosen: Compared, period: Period, number: int) -> list[Explained]:
    if not chosen.exceptions_path.is_file():
        return []
    shares = shares_of_record(chosen.exceptions_path, number)
    with reading(gateway.engine) as connection:
        rows = finding_rows(connection, chosen.held, period)
    return [Explained(rows[chosen.findings_before + share.finding], share) for share in shares]
