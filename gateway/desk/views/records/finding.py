"""Which records make a finding? A page of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.composition import Gateway, partnership_with
from gateway.desk.views.findings import FindingRow, finding_rows
from gateway.desk.views.records.directions import Compared, compared_directions, direction_of
from gateway.records.exceptions import Share, shares_of_finding
from gateway.records.reading import PAGE_ROWS, Listed
from ledger.errors import NotFound
from ledger.identity import CarrierCode
from ledger.period import Period
from ledger.store.engine import reading


@dataclass(frozen=True, slots=True)
class FindingLine:
    """A record of a finding, and what of its amounts the finding explains."""

    record: Listed
    share: Share


@dataclass(frozen=True, slots=True)
class FindingView:
    """The records of one finding, one page of them."""

    partner: str
    period: str
    currency: str
    creditor: str
    service: str
    row: FindingRow
    lines: Sequence[FindingLine]
    shown_from: int
    total: int
    next_after: int | None


def finding_view(gateway: Gateway, partner: CarrierCode, period: Period, number: int, after: int = 0) -> FindingView:
    """One page of a finding's records. Raises NotFound, Malformed."""
    held = partnership_with(gateway.settings, partner)
    with reading(gateway.engine) as connection:
        rows = finding_rows(connection, held, period)
    if not 1 <= number <= len(rows):
        raise NotFound("no such finding", expected=f"1 to {len(rows)}", got=number)
    row = rows[number - 1]
    compared = compared_directions(gateway, partner, period)
    chosen = direction_of(compared, row.finding.creditor, row.finding.service.word)
    lines, total = _lines(chosen, number - 1 - chosen.findings_before, after)
    last = after + len(lines)
    return FindingView(
        partner=partner,
        period=str(period),
        currency=held.currency,
        creditor=chosen.creditor,
        service=chosen.service,
        row=row,
        lines=lines,
        shown_from=after + 1 if lines else 0,
        total=total,
        next_after=last if last < total else None,
    )


def _lines(chosen: Compared, position: int, after: int) -> tuple[list[FindingLine], int]:
    if not chosen.exceptions_path.is_file():
        raise NotFound("the records of this finding are gone", todo="Reconcile again: `gsc reconcile`.")
    shares, total = shares_of_finding(chosen.exceptions_path, position, after, PAGE_ROWS)
    found = ((chosen.records.record(share.number), share) for share in shares)
    return [FindingLine(record, share) for record, share in found if record is not None], total
