"""What did two carriers agree about amounts in another currency: whose rates, of which day?"""

from dataclasses import dataclass
from enum import StrEnum

from ledger.identity import Address, CarrierCode


class FxDate(StrEnum):
    """Whose day chooses the exchange rate."""

    EVENT = "event"
    """The start of each record, in the accounting zone."""
    STATEMENT = "statement"
    """The day of the statement, named when the period is rated."""
    RECEIPT = "receipt"
    """The day of receipt, named when the period is rated. Source: 47 CFR 3.47."""


@dataclass(frozen=True, slots=True)
class FxTerms:
    """The section [fx] of an agreement."""

    source: str
    """Who publishes the rates: "ECB", "IMF"; the rates file names it on every line."""
    date: FxDate = FxDate.EVENT
    gap_days: int = 4
    """How old the last published rate may be, for weekends and holidays; 0: of that very day."""
    signers: tuple[tuple[CarrierCode, Address], ...] = ()
    """Whose keys sign a rates file, one of each carrier; empty: `rates_hash` fixes the file."""
    rates_hash: bytes | None = None
    """Hash of the one rates file that holds."""
