"""How much may a debtor owe, how much does it owe, and is its credit stopped? As the chain said."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from ledger.chain.bindings import (
    CreditAlert,
    CreditLineGranted,
    CreditLineOverrun,
    CreditResumed,
    CreditStopped,
    DepositApplied,
    DepositReceived,
    DepositWithdrawn,
    ExposureChanged,
    LimitPolicy,
)
from ledger.chain.bound import Event
from ledger.identity import AgreementId, CarrierCode
from ledger.money import Micros
from ledger.store.latest import chain_order, latest_by_direction, rows_of
from ledger.store.once import once_a_view
from ledger.store.rows import all_of

_NOTHING = Micros(0)


@dataclass(frozen=True, slots=True)
class CreditRow:
    """The credit of one direction's debtor, granted by its creditor."""

    agreement_id: AgreementId
    creditor: CarrierCode
    limit_micros: Micros
    """Line and deposits together."""
    policy: LimitPolicy
    exposure_micros: Micros
    stopped: bool
    nonce: int
    """Of the latest line, 0 before the first."""
    deposit_micros: Micros = _NOTHING
    """What the debtor has deposited, in all tokens."""

    @property
    def left_micros(self) -> Micros:
        """What can still be declared; negative past the line."""
        return Micros(self.limit_micros - self.exposure_micros)


@dataclass(frozen=True, slots=True)
class AlertRow:
    """Exposure reached a share (in 1/10,000) of the line."""

    agreement_id: AgreementId
    creditor: CarrierCode
    share_bps: int
    exposure_micros: Micros
    limit_micros: Micros
    block_number: int


@dataclass(frozen=True, slots=True)
class OverrunRow:
    """A declaration passed a line whose policy is to flag."""

    agreement_id: AgreementId
    creditor: CarrierCode
    exposure_micros: Micros
    limit_micros: Micros
    block_number: int


@dataclass(frozen=True, slots=True)
class ExposureRow:
    """One change of an exposure."""

    agreement_id: AgreementId
    creditor: CarrierCode
    change_micros: Micros
    exposure_micros: Micros
    limit_micros: Micros
    block_number: int


@once_a_view
def list_credit(connection: Connection, agreement_id: AgreementId | None = None) -> list[CreditRow]:
    """The credit of every direction that has a line or an exposure, by agreement and creditor."""
    lines = _latest(connection, CreditLineGranted, agreement_id)
    exposures = _latest(connection, ExposureChanged, agreement_id)
    stops = _latest(connection, CreditStopped, agreement_id)
    resumes = _latest(connection, CreditResumed, agreement_id)
    deposits = _deposits(connection, agreement_id)
    return [
        CreditRow(
            agreement_id=direction[0],
            creditor=direction[1],
            limit_micros=Micros(
                (lines[direction].limit_micros if direction in lines else 0) + deposits.get(direction, 0)
            ),
            policy=LimitPolicy(lines[direction].policy) if direction in lines else LimitPolicy.REFUSE,
            exposure_micros=exposures[direction].exposure_micros if direction in exposures else Micros(0),
            stopped=_is_later(stops.get(direction), resumes.get(direction)),
            nonce=lines[direction].nonce if direction in lines else 0,
            deposit_micros=Micros(deposits.get(direction, 0)),
        )
        for direction in sorted(lines.keys() | exposures.keys() | stops.keys() | deposits.keys())
    ]


def credit_of(connection: Connection, agreement_id: AgreementId, creditor: CarrierCode) -> CreditRow:
    """The credit of one direction; before a first line the limit is zero and the policy Refuse."""
    for row in list_credit(connection, agreement_id):
        if row.creditor == creditor:
            return row
    return CreditRow(agreement_id, creditor, Micros(0), LimitPolicy.REFUSE, Micros(0), stopped=False, nonce=0)


def _deposits(connection: Connection, agreement_id: AgreementId | None) -> dict[tuple[Any, Any], int]:
    """What each direction's deposits come to after the last of their changes."""
    changes = [
        (chain_order(row), direction, row.deposit_micros)
        for event in (DepositReceived, DepositWithdrawn, DepositApplied)
        for direction, row in _latest(connection, event, agreement_id).items()
    ]
    return {direction: deposit for _, direction, deposit in sorted(changes, key=lambda change: change[0])}


def list_credit_alerts(connection: Connection, agreement_id: AgreementId | None = None) -> list[AlertRow]:
    """Alerts at the shares of the lines, in chain order."""
    return all_of(AlertRow, rows_of(connection, CreditAlert, agreement_id=agreement_id))


def list_overruns(connection: Connection, agreement_id: AgreementId | None = None) -> list[OverrunRow]:
    """Declarations past a flagged line, in chain order."""
    return all_of(OverrunRow, rows_of(connection, CreditLineOverrun, agreement_id=agreement_id))


def list_exposure_changes(connection: Connection, agreement_id: AgreementId | None = None) -> list[ExposureRow]:
    """The history of exposures, in chain order."""
    return all_of(ExposureRow, rows_of(connection, ExposureChanged, agreement_id=agreement_id))


def _latest(
    connection: Connection, event: type[Event], agreement_id: AgreementId | None
) -> dict[tuple[AgreementId, CarrierCode], Row[Any]]:
    return latest_by_direction(connection, event, agreement_id=agreement_id)


def _is_later(row: Row[Any] | None, other: Row[Any] | None) -> bool:
    return row is not None and (other is None or chain_order(row) > chain_order(other))
