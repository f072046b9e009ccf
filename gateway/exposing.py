"""Does what each debtor owes follow from what was declared, credited, netted and paid, and when is its line full?"""

from collections import defaultdict
from collections.abc import Iterator

from sqlalchemy import Connection

from ledger.chain.bindings import DisputeStateChanged, PayableOpened
from ledger.identity import AgreementId, CarrierCode
from ledger.store.credit import CreditRow, list_credit, list_exposure_changes, list_overruns
from ledger.store.declarations import list_declarations
from ledger.store.latest import rows_of
from ledger.store.settlement import list_disputes, list_items, list_payables
from reconciliation.settling.exposure import Exposure, Forecast, exposure, forecast

PACE_DAYS = 30
Direction = tuple[AgreementId, CarrierCode]
"""An agreement and its creditor."""


def exposures_of(connection: Connection) -> dict[Direction, Exposure]:
    """The engine's own count of every direction that has a line or an exposure. Raises Conflict."""
    declared: defaultdict[Direction, int] = defaultdict(int)
    credited: defaultdict[Direction, int] = defaultdict(int)
    netted: defaultdict[Direction, int] = defaultdict(int)
    paid: defaultdict[Direction, int] = defaultdict(int)
    for row in list_declarations(connection):
        if row.scope.declarer == row.scope.creditor:
            declared[row.scope.agreement_id, row.scope.creditor] += row.amount_micros
    of_dispute = {row.dispute_id: (row.agreement_id, row.creditor) for row in list_disputes(connection)}
    for step in rows_of(connection, DisputeStateChanged):  # the last step, settled, tells no credit any more
        credited[of_dispute[step.dispute_id]] += step.credited_micros
    for item in list_items(connection):
        netted[item.agreement_id, item.creditor] -= item.amount_micros if item.cycle_id else 0
    for leg in list_payables(connection):
        netted[leg.agreement_id, leg.creditor] += leg.amount_micros
        paid[leg.agreement_id, leg.creditor] += leg.amount_micros - leg.outstanding_micros
    lines = {(row.agreement_id, row.creditor): row.limit_micros for row in list_credit(connection)}
    return {
        each: exposure(declared[each], credited[each], paid[each], lines.get(each, 0), netted[each])
        for each in sorted(lines.keys() | declared.keys())
    }


def broken_exposures(connection: Connection) -> list[str]:
    """Where the chain's exposure is not the engine's, or stands past a line that nobody flagged."""
    said = {(row.agreement_id, row.creditor): row.exposure_micros for row in list_credit(connection)}
    differing = [
        f"{_named(each)} is {said.get(each, 0)} micros on the chain, {ours.used_micros} by the engine"
        for each, ours in exposures_of(connection).items()
        if ours.used_micros != said.get(each, 0)
    ]
    return differing + list(_unflagged(connection))


def forecast_of(connection: Connection, line: CreditRow, now_ms: int) -> Forecast:
    """When a line is full if the creditor goes on declaring as in the last 30 days."""
    since = now_ms // 1000 - PACE_DAYS * 86_400
    lately = sum(
        row.amount_micros
        for row in list_declarations(connection, line.agreement_id, None, line.creditor, line.creditor)
        if row.declared_at >= since
    )
    used = exposure(line.exposure_micros, 0, 0, line.limit_micros)
    return forecast(used, lately, PACE_DAYS, now_ms)


def _unflagged(connection: Connection) -> Iterator[str]:
    """Rises past the line without a flag; a leg may: the line binds what is declared, and set-off never fails."""
    flagged = {
        (row.agreement_id, row.creditor, row.block_number, row.exposure_micros) for row in list_overruns(connection)
    }
    legs = {(leg.agreement_id, leg.creditor, leg.block_number) for leg in rows_of(connection, PayableOpened)}
    for row in list_exposure_changes(connection):
        direction = (row.agreement_id, row.creditor)
        past = row.change_micros > 0 and row.exposure_micros > row.limit_micros
        told = (*direction, row.block_number, row.exposure_micros) in flagged
        if past and not told and (*direction, row.block_number) not in legs:
            yield f"{_named(direction)} rose to {row.exposure_micros} micros, past its line of {row.limit_micros}"


def _named(direction: Direction) -> str:
    return f"what is owed to {direction[1]} under 0x{direction[0].hex()[:16]}"
