"""What do tests of the price of calls need? A few calls and an agreement with rating terms."""

from dataclasses import replace
from datetime import datetime

import pyarrow as pa

from ledger.agreement import Agreement
from ledger.agreement_file import parse_agreement
from ledger.money import Rounding
from ledger.prices.rating_terms import RatingTerms
from ledger.usage import USAGE_SCHEMA
from tests.ledger.test_agreement_file import LEAST

AGREEMENT = parse_agreement(LEAST)


def moment_ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1000


def made_calls(*rows: tuple[str, str, int, int]) -> pa.Table:
    """A UsageTable of (calling number, called number, UTC milliseconds, duration in milliseconds)."""
    records = [
        {"line": n, "a_party": a, "b_party": b, "start_ms": at, "quantity": q, "route": "t"}
        for n, (a, b, at, q) in enumerate(rows, start=1)
    ]
    return pa.Table.from_pylist(records, schema=USAGE_SCHEMA)


def agreed_with(terms: RatingTerms, rounding: Rounding = Rounding.HALF_EVEN) -> Agreement:
    return replace(AGREEMENT, rating=terms, rounding=rounding)


MONDAY_PEAK_END = moment_ms("2026-10-05T17:00:00+00:00")
