"""What did two carriers agree about the volume of a period: tiers, balance, commitments?"""

from dataclasses import dataclass, field
from enum import StrEnum

from ledger.identity import CarrierCode
from ledger.money import Micros, Nanos


class CountBy(StrEnum):
    """Which quantity a deal counts."""

    CHARGED = "charged"
    """After increments."""
    USED = "used"
    """As recorded."""


@dataclass(frozen=True, slots=True)
class Tier:
    """The price of the volume beyond `begin`, up to the next tier."""

    begin: int
    """In the service's unit: milliseconds for voice."""
    nanos: Nanos | None = None
    """For a minute, instead of the deck's price of one; fees and bounds stay the deck's. None: the deck's price."""
    discount_bps: int = 0
    """What is taken off all that the deck charges a record: fee, bounds and surcharge included."""
    fixed_micros: Micros = field(default=Micros(0))
    """Charged once in the period that has volume beyond `begin`."""


@dataclass(frozen=True, slots=True)
class Deal:
    """What holds for the volume of one direction in each period. A record counts in the first deal that has it."""

    name: str
    creditor: CarrierCode
    destinations: frozenset[str] = frozenset()
    """Of the creditor's deck; empty: every one."""
    tiers: tuple[Tier, ...] = ()
    """Ascending. Volume below the first has the deck's price."""
    back_to_first: bool = False
    """The tier that the period's whole volume reaches prices all of it."""
    unbalanced: tuple[Tier, ...] = ()
    """For the volume beyond the other direction's, counted from there; none: `tiers` hold for all."""
    against: frozenset[str] = frozenset()
    """Destinations of the other direction that count against this one; empty: every one."""
    count: CountBy = CountBy.CHARGED
    committed_quantity: int | None = None
    shortfall_nanos: Nanos = field(default=Nanos(0))
    """For each minute below the committed volume."""
    committed_micros: Micros | None = None
    """Least amount of the period: what is below it is charged."""
