"""How late is what is owed, what interest does it bear, and how far up the ladder is it?"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from ledger.agreement import DAY_SECONDS, PaymentTerms
from ledger.identity import CarrierCode
from ledger.money import Micros

MONTH_SECONDS = 30 * DAY_SECONDS
"""Interest runs by months of 30 days (C-30 of the published cases)."""


class Band(IntEnum):
    """Age bands by whole days overdue, as receivables are aged everywhere."""

    CURRENT = 0
    """Not yet overdue."""
    DAYS_1_30 = 1
    DAYS_31_60 = 2
    DAYS_61_90 = 3
    OVER_90 = 4

    @property
    def words(self) -> str:
        return ("current", "1-30", "31-60", "61-90", "90+")[self]


class ArrearsStage(IntEnum):
    """The ladder; values as in contracts/interfaces/IPaymentBook.sol."""

    CURRENT = 0
    """Not due, or due today."""
    OVERDUE = 1
    """Reminded."""
    CREDIT_STOPPED = 2
    """No new usage on credit."""
    TERMINATED = 3
    """The agreement ends."""


@dataclass(frozen=True, slots=True)
class Payable:
    """What one carrier still owes another, with its due date (chain time, seconds)."""

    payable_id: str
    debtor: CarrierCode
    creditor: CarrierCode
    outstanding_micros: Micros
    due_at: int


@dataclass(frozen=True, slots=True)
class Aged:
    """One payable at one moment."""

    payable: Payable
    band: Band
    days_overdue: int
    interest_micros: Micros
    stage: ArrearsStage
    """Where the ladder stands if every step has been taken."""

    @property
    def total_micros(self) -> Micros:
        """Principal and interest."""
        return Micros(self.payable.outstanding_micros + self.interest_micros)


@dataclass(frozen=True, slots=True)
class Ageing:
    """All payables at one moment, oldest first, and their sums by band."""

    at_ms: int
    items: tuple[Aged, ...]
    bands: tuple[Micros, ...]
    """Principal for each Band, in its order."""
    interest_micros: Micros

    @property
    def overdue_micros(self) -> Micros:
        return Micros(sum(self.bands[Band.DAYS_1_30 :]))


def age(payables: Iterable[Payable], at_ms: int, terms: PaymentTerms | None = None) -> Ageing:
    """Age payables at a moment (UTC ms) under an agreement's payment terms."""
    agreed = terms or PaymentTerms()
    aged = [_aged(payable, at_ms // 1000, agreed) for payable in payables]
    items = sorted(aged, key=lambda item: (item.payable.due_at, item.payable.payable_id))
    bands = [0] * len(Band)
    for item in items:
        bands[item.band] += item.payable.outstanding_micros
    return Ageing(
        at_ms, tuple(items), tuple(Micros(band) for band in bands), Micros(sum(item.interest_micros for item in items))
    )


def interest_micros(principal_micros: int, seconds_overdue: int, interest_bps: int) -> Micros:
    """Simple interest for each 30 days overdue, floored, as the contract reckons it."""
    if seconds_overdue <= 0:
        return Micros(0)
    return Micros(principal_micros * interest_bps * seconds_overdue // (10_000 * MONTH_SECONDS))


def stage_at(due_at: int, at: int, terms: PaymentTerms) -> ArrearsStage:
    """The highest stage whose time has come; all times in seconds."""
    if at <= due_at:
        return ArrearsStage.CURRENT
    if at >= due_at + terms.terminate_days * DAY_SECONDS:
        return ArrearsStage.TERMINATED
    if at >= due_at + terms.stop_credit_days * DAY_SECONDS:
        return ArrearsStage.CREDIT_STOPPED
    return ArrearsStage.OVERDUE


def band_of(days_overdue: int) -> Band:
    """The band of a number of started days overdue; 0 or less is current."""
    if days_overdue <= 0:
        return Band.CURRENT
    return Band(min((days_overdue - 1) // 30 + 1, Band.OVER_90))


def _aged(payable: Payable, at: int, terms: PaymentTerms) -> Aged:
    late = max(0, at - payable.due_at)
    days = -(-late // DAY_SECONDS)
    interest = interest_micros(payable.outstanding_micros, late, terms.interest_bps)
    return Aged(payable, band_of(days), days, interest, stage_at(payable.due_at, at, terms))
