"""How do these tests write down usage records? One line each, in seconds and whole dollars where that reads better."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import pyarrow as pa

from ledger.agreement import Agreement, Tolerance
from ledger.identity import AgreementId, CarrierCode
from ledger.period import Period
from ledger.service import Service
from ledger.usage import RATED_SCHEMA, BatchScope

CN, GB, US = CarrierCode("CN-T"), CarrierCode("GB-B"), CarrierCode("US-A")
OCTOBER = Period(2026, 10)
UTC_ZONE = ZoneInfo("UTC")
MONTH_START_MS, MONTH_END_MS = OCTOBER.bounds_ms(UTC_ZONE)
NOON_MS = MONTH_START_MS + 10 * 86_400_000 + 12 * 3_600_000
"""Noon of 11 October: far from any bound."""
PRICE = 20_000
"""Micros for a minute."""


@dataclass(frozen=True)
class Call:
    """One call; `at` and `lasts` are seconds, `at` from NOON_MS."""

    at: float = 0.0
    lasts: float = 60.0
    a: str = "8613900000001"
    b: str = "447700900001"
    route: str = "T1"
    destination: str = "United Kingdom Mobile"
    code: str = "447"
    amount: int | None = None
    """Micros; None: PRICE for each minute, by the millisecond, floored."""
    charged: float | None = None

    @property
    def lasts_ms(self) -> int:
        return round(self.lasts * 1000)

    def but(self, **changes: object) -> "Call":
        return replace(self, **changes)  # type: ignore[arg-type]


def table(calls: Iterable[Call]) -> pa.Table:
    """A RatedTable of these calls in this order."""
    listed = list(calls)
    amounts = [c.lasts_ms * PRICE // 60_000 if c.amount is None else c.amount for c in listed]
    return pa.Table.from_pydict(
        {
            "line": range(2, len(listed) + 2),
            "a_party": [c.a for c in listed],
            "b_party": [c.b for c in listed],
            "start_ms": [NOON_MS + round(c.at * 1000) for c in listed],
            "quantity": [c.lasts_ms for c in listed],
            "route": [c.route for c in listed],
            "destination": [c.destination for c in listed],
            "code": [c.code for c in listed],
            "charged_quantity": [c.lasts_ms if c.charged is None else round(c.charged * 1000) for c in listed],
            "amount_micros": amounts,
        },
        schema=RATED_SCHEMA,
    )


def agreement(tolerance: Tolerance | None = None) -> Agreement:
    """CN-T and GB-B, in dollars, by UTC months."""
    return Agreement(
        CN, GB, "USD", frozenset({Service.VOICE}), UTC_ZONE, MONTH_START_MS, tolerance=tolerance or Tolerance()
    )


def scope(us: CarrierCode = GB, creditor: CarrierCode = GB) -> BatchScope:
    """October's voice calls that CN-T hands to GB-B, unless told otherwise; seen by GB-B, unless told otherwise."""
    return BatchScope(AgreementId(bytes(32)), us, creditor, Service.VOICE, OCTOBER)


def many(count: int, **same: object) -> list[Call]:
    """Calls with different numbers, ten minutes apart and of different lengths, over October around NOON_MS."""
    first = -(NOON_MS - MONTH_START_MS) // 1000 + 7_200
    step = (MONTH_END_MS - MONTH_START_MS - 20_000_000) // 1000 / max(1, count)
    return [
        Call(
            at=first + int(k * step),
            lasts=30 + (k * 37) % 240,
            a=f"86139{k * 7919 % 10**8:08d}",
            b=f"4477009{k * 104729 % 10**5:05d}",
        ).but(**same)
        for k in range(count)
    ]
