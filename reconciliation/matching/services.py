"""What makes two records the same event, service by service, and which differences can there be?

A call or message is told by its two numbers and the clock of a switch. A sample is of a port and an interval; all
samples of a direction have the same two parties. A circuit is told by its name alone: its ends are written in many
ways, and its dates may be what differs.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ledger.agreement import Agreement, Tolerance
from ledger.service import Service
from reconciliation.matching.clocks import Clocks, estimate
from reconciliation.matching.side import Side

MONTH_MS = 31 * 86_400_000
"""A circuit's records of one month begin within so much of each other."""


class Traits(NamedTuple):
    """How a service's records behave."""

    has_clock: bool
    """Starts are read off a switch's clock, which may be off; otherwise both sides name the same moments."""
    lasts: bool
    """The quantity is the time an event takes."""


TRAITS = {
    Service.VOICE: Traits(has_clock=True, lasts=True),
    Service.SMS: Traits(has_clock=True, lasts=False),
    Service.DATA: Traits(has_clock=False, lasts=False),
    Service.IPL: Traits(has_clock=False, lasts=False),
}


def tolerance_of(agreement: Agreement, service: Service) -> Tolerance:
    """The agreement's tolerance as it applies to a service: of quantities that are no durations the share alone counts;
    samples match within half an interval, circuits within their month."""
    tolerance = agreement.tolerance
    match service:
        case Service.VOICE:
            return tolerance
        case Service.SMS:
            return replace(tolerance, duration_ms=0)
        case Service.DATA:
            return replace(tolerance, duration_ms=0, window_ms=agreement.data.sample_seconds * 500)
        case Service.IPL:
            return replace(tolerance, duration_ms=0, window_ms=MONTH_MS)


def clocks_of(creditor: Side, debtor: Side, tolerance: Tolerance, service: Service) -> Clocks:
    """Estimated for services that have clocks; no correction for the others."""
    if TRAITS[service].has_clock:
        return estimate(creditor, debtor, tolerance)
    return Clocks(np.zeros(len(creditor), np.int64), np.zeros(len(debtor), np.int64), ())
