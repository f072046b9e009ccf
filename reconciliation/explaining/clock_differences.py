"""Which clock errors are worth telling? Each stretch of a route that had to be corrected before matching."""

from collections.abc import Iterator

import numpy as np

from reconciliation.difference import Books, Difference, day_of, span_words
from reconciliation.finding import Cause, Severity
from reconciliation.matching.clocks import ClockError

QUARTER_MS = 900_000
NO_ROWS = np.empty(0, np.int64)
"""Whole routes are not listed, only counted."""
ZONE_SLACK_MS = 120_000
"""A zone error is a multiple of a quarter hour to within this."""


def clock_differences(books: Books) -> Iterator[Difference]:
    """One difference for each clock error; it costs nothing, the pairs it made possible carry the amounts."""
    for error in books.clocks.errors:
        zone = round(error.offset_ms / QUARTER_MS) * QUARTER_MS
        is_zone = zone != 0 and abs(error.offset_ms - zone) <= ZONE_SLACK_MS
        yield _clock_difference(books, error, Cause.TIME_ZONE if is_zone else Cause.CLOCK_OFFSET)


def _clock_difference(books: Books, error: ClockError, cause: Cause) -> Difference:
    who, other = ("{creditor}", "{debtor}") if error.ours else ("{debtor}", "{creditor}")
    way = "ahead of" if error.offset_ms > 0 else "behind"
    return Difference(
        cause=cause,
        severity=Severity.NOTICE,
        rule=f"mode of start differences by route and day: {error.offset_ms} ms",
        creditor_rows=NO_ROWS,
        debtor_rows=NO_ROWS,
        creditor_micros=NO_ROWS,
        debtor_micros=NO_ROWS,
        count=error.records,
        fields="start_ms",
        route=error.route,
        day=day_of(error.from_ms, books.zone),
        detail=f"{who}'s clock on {error.route} runs {span_words(abs(error.offset_ms))} {way} {other}'s, "
        f"{books.days_of(error.from_ms, error.to_ms)}",
    )
