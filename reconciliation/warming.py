"""How does nobody wait for the compiler? `python -m reconciliation.warming` compiles each loop into the cache."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pyarrow as pa

from ledger.agreement import Agreement
from ledger.identity import AgreementId, CarrierCode
from ledger.period import Period
from ledger.service import Service
from ledger.usage import RATED_SCHEMA, BatchScope
from reconciliation.reconcile import Reconciliation, reconcile

ROWS = 12


def warm() -> Reconciliation:
    """Reconcile a dozen records of our own making, which calls each compiled loop."""
    low, high = CarrierCode("A"), CarrierCode("B")
    zone = ZoneInfo("UTC")
    agreement = Agreement(low, high, "USD", frozenset({Service.VOICE}), zone, 0)
    scope = BatchScope(AgreementId(bytes(32)), low, low, Service.VOICE, Period(2026, 10))
    start_ms = int(datetime(2026, 10, 11, tzinfo=UTC).timestamp()) * 1_000
    ours, theirs = _table(start_ms, ROWS), _table(start_ms, ROWS - 1)
    return reconcile(ours, theirs, scope=scope, agreement=agreement, capacity={"": 1})


def _table(start_ms: int, rows: int) -> pa.Table:
    """Calls of two numbers at almost one time: components that need the exact assignment."""
    number = range(rows)
    columns = {
        "line": [k + 1 for k in number],
        "a_party": ["1" for _ in number],
        "b_party": [str(k % 2) for k in number],
        "start_ms": [start_ms + k * 700 for k in number],
        "quantity": [60_000 + k * 5_000 for k in number],
        "charged_quantity": [60_000 for _ in number],
        "amount_micros": [1 for _ in number],
    }
    texts = {name: [""] * rows for name in ("route", "destination", "code")}
    return pa.Table.from_pydict({**columns, **texts}, schema=RATED_SCHEMA)


if __name__ == "__main__":
    warm()
