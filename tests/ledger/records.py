"""Usage records for the tests of this room, written as short rows."""

from collections.abc import Iterable

import pyarrow as pa

from ledger.identity import AgreementId, CarrierCode
from ledger.period import Period
from ledger.service import Service
from ledger.usage import RATED_SCHEMA, USAGE_SCHEMA, BatchScope

SCOPE = BatchScope(
    AgreementId(bytes(31) + b"\x01"), CarrierCode("CN-T"), CarrierCode("GB-B"), Service.VOICE, Period(2026, 10)
)
SECRET = bytes(range(32))
OCTOBER_MS = 1_790_812_800_000


def usage(*rows: tuple[str, int, int]) -> pa.Table:
    """A UsageTable of (called number, start in milliseconds after 2026-10-01 UTC, duration in milliseconds)."""
    records = [
        {
            "line": n,
            "a_party": "8613800138000",
            "b_party": b,
            "start_ms": OCTOBER_MS + at,
            "quantity": q,
            "route": "cnt-in",
        }
        for n, (b, at, q) in enumerate(rows, start=1)
    ]
    return pa.Table.from_pylist(records, schema=USAGE_SCHEMA)


def rated(count: int) -> pa.Table:
    """A RatedTable of `count` records, no two alike."""
    return rated_of(
        {
            "line": n + 1,
            "a_party": f"86138{n:08d}",
            "b_party": f"4420{n:07d}",
            "start_ms": OCTOBER_MS + 977 * n,
            "quantity": 1_000 * (n % 600) + 1,
            "route": ("gbb-in", "gbb-in-2")[n % 2],
            "destination": "United Kingdom",
            "code": "44",
            "charged_quantity": 1_000 * (n % 600) + 1_000,
            "amount_micros": 205 * (n % 600),
        }
        for n in range(count)
    )


def rated_of(rows: Iterable[dict[str, object]]) -> pa.Table:
    """A RatedTable of these rows."""
    return pa.Table.from_pylist(list(rows), schema=RATED_SCHEMA)
