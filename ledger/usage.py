"""What does a usage record look like, from a parsed file to a sealed batch?

Two Arrow tables, the second a superset of the first. One row is one event of one direction of one agreement.
Directions and periods are not columns: a table holds one of each (see `BatchScope`). What a field holds for each of the
four services stands in docs/decisions/0004-one-record-for-four-services.md.
"""

from datetime import UTC, datetime
from typing import NamedTuple

import pyarrow as pa

from ledger.identity import AgreementId, CarrierCode
from ledger.period import Period
from ledger.service import Service

USAGE_SCHEMA = pa.schema(
    [
        pa.field("line", pa.int64(), nullable=False),  # 1-based line of the raw file; 0: a charge record
        pa.field("a_party", pa.string(), nullable=False),  # who sent: E.164 digits, "" if withheld
        pa.field("b_party", pa.string(), nullable=False),  # who received: E.164 digits for voice and sms
        pa.field("start_ms", pa.int64(), nullable=False),  # UTC; voice: answer
        pa.field("quantity", pa.int64(), nullable=False),  # in the service's unit: duration_ms, messages, ...
        pa.field("route", pa.string(), nullable=False),  # trunk, network, port or circuit
    ]
)
"""UsageTable: normalised, not yet priced."""

RATED_SCHEMA = pa.schema(
    [
        *USAGE_SCHEMA,
        pa.field("destination", pa.string(), nullable=False),  # name in the rate deck
        pa.field("code", pa.string(), nullable=False),  # dial code that matched
        pa.field("charged_quantity", pa.int64(), nullable=False),  # after increments
        pa.field("amount_micros", pa.int64(), nullable=False),
    ]
)
"""RatedTable: priced; what a batch archive file holds, in leaf order."""

FIRST_MS, LAST_MS = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 1000 for year in (2000, 2100))
"""A record that begins before the one, or at the other or later, has a wrong clock."""


class BatchScope(NamedTuple):
    """What every record of a table has in common."""

    agreement_id: AgreementId
    declarer: CarrierCode
    creditor: CarrierCode
    service: Service
    period: Period
