"""Does a file hold what it says of itself, and did it come in time? What it declares against what we counted."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from gateway.formats.tap.ber import Int64s
from gateway.formats.tap.heads import moment, number_in
from gateway.formats.tap.tree import Element

DELIVERY_LIMIT_MS = 4 * 3_600_000
"""NRTRDE: from the end of an event until its file is there (published by clearing houses as the procedure's term)."""


class Audited(StrEnum):
    """What a file declares of its own content."""

    EVENTS = "events"
    """How many it carries."""
    CHARGE = "charge"
    """Sum of its charges of type 00 and of invocation fees that are no refunds, in the file's smallest unit."""
    REFUND = "refund"
    """Sum of its refunds, likewise."""
    EARLIEST = "earliest"
    """UTC milliseconds of the first moment charged."""
    LATEST = "latest"
    """UTC milliseconds of the last one."""


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One value, as declared and as counted; None: the file declares none, or carries nothing to count."""

    what: Audited
    declared: int | None
    counted: int | None

    @property
    def holds(self) -> bool:
        """A file need not declare refunds or times; what it declares has to be so."""
        optional = self.what not in (Audited.EVENTS, Audited.CHARGE)
        return self.declared == self.counted or (self.declared is None and (optional or self.counted == 0))

    @property
    def difference(self) -> int | None:
        """Declared less counted."""
        return None if self.declared is None or self.counted is None else self.declared - self.counted


@dataclass(frozen=True, slots=True)
class Delivery:
    """How late the events of an NRTRDE file came."""

    events: int
    """With a start, a duration and a file time that can be read."""
    late: int
    """More than DELIVERY_LIMIT_MS after they ended."""
    shortest_ms: int
    longest_ms: int


@dataclass(slots=True)
class Counted:
    """Running totals of a file's events, whether or not they became usage records."""

    events: int = 0
    charges: Counter[int | None] = field(default_factory=Counter)
    """Units by exchange rate code."""
    refunds: int = 0
    earliest_ms: int | None = None
    latest_ms: int | None = None
    delivery: Delivery | None = None

    def take_times(self, moments: Int64s) -> None:
        """Add moments charged."""
        if len(moments):
            first, last = int(moments.min()), int(moments.max())
            self.earliest_ms = first if self.earliest_ms is None else min(first, self.earliest_ms)
            self.latest_ms = last if self.latest_ms is None else max(last, self.latest_ms)

    def take_delays(self, delays: Int64s) -> None:
        """Add what passed between events' ends and their file."""
        if not len(delays):
            return
        before = self.delivery or Delivery(0, 0, int(delays[0]), int(delays[0]))
        self.delivery = Delivery(
            before.events + len(delays),
            before.late + int((delays > DELIVERY_LIMIT_MS).sum()),
            min(before.shortest_ms, int(delays.min())),
            max(before.longest_ms, int(delays.max())),
        )

    def take_charges(self, codes: Int64s, units: Int64s, refunded: NDArray[np.bool_], no_code: int) -> None:
        """Add charges with their rate codes; `no_code` stands for none."""
        self.refunds += int(units[refunded].sum())
        for code in np.unique(codes[~refunded]).tolist():
            mine = units[~refunded & (codes == code)]
            self.charges[None if code == no_code else code] += int(mine.sum())


def audit_tap(root: Element, counted: Counted) -> tuple[AuditLine, ...]:
    """A TAP batch's own totals against its content."""
    declared = root.one_of(15) or Element(0, ())
    charged = sum(counted.charges.values())
    return (
        AuditLine(Audited.EVENTS, number_in(declared, 43), counted.events),
        AuditLine(Audited.CHARGE, number_in(declared, 415), charged),
        AuditLine(Audited.REFUND, number_in(declared, 355), counted.refunds),
        AuditLine(Audited.EARLIEST, moment(declared.one_of(101)), counted.earliest_ms),
        AuditLine(Audited.LATEST, moment(declared.one_of(133)), counted.latest_ms),
    )


def audit_nrtrde(root: Element, counted: Counted) -> tuple[AuditLine, ...]:
    """An NRTRDE file declares the number of its events."""
    return (AuditLine(Audited.EVENTS, number_in(root, 20), counted.events),)
