"""Which data and private lines crossed a border around the registers, and which only nearly?

Honest, and planted because they look wrong: a creditor that begins on the day its licence does, a gateway that is used
to its last second, a licence renewed in the middle of a month, which a line runs through.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ledger.identity import CarrierCode
from ledger.period import Period
from ledger.service import Service
from reconciliation.arbitrage.crossings import Crossed, Registers, Valid, find_unlicensed
from scripts.traffic.carriers import CN_T, GB_B, US_A
from scripts.traffic.counting import Counted, count_rows, rated_table
from scripts.traffic.forgeries.calls import UTC
from scripts.traffic.prices import Ints

DAY_MS, SAMPLE_MS = 86_400_000, 300_000
OPEN, CLOSING, CLOSED = "GLOBAL-LONDON", "GLOBAL-NEW-YORK", "GLOBAL-BEIJING"
"""Gateways: always listed, listed until the 20th day, delisted before the month."""
CLOSING_DAY, BEGIN_DAY, RENEWED_DAY, LAPSED_DAY = 20, 10, 15, 24
LINES = 80


@dataclass(frozen=True, slots=True)
class Crossings:
    """What crossed in a month, and which rows must be told."""

    registers: Registers
    months: tuple[Crossed, ...]
    planted: tuple[Ints, ...]
    """Rows of each of `months`."""


def draw_crossings(seed: int, month: Period) -> Crossings:
    """Samples of two directions and private lines of one; about one record in two hundred goes around a register."""
    rng = np.random.default_rng([seed, 17])
    begin, end = month.bounds_ms(UTC)
    always, day = Valid(0, None), [begin + each * DAY_MS for each in range(32)]
    registers = Registers(
        {
            GB_B.code: (Valid(0, day[RENEWED_DAY]), Valid(day[RENEWED_DAY], None)),
            US_A.code: (Valid(day[BEGIN_DAY], day[LAPSED_DAY]),),
            CN_T.code: (always,),
        },
        {OPEN: (always,), CLOSING: (Valid(0, day[CLOSING_DAY]),), CLOSED: (Valid(0, begin - DAY_MS),)},
    )
    drawn = [
        _samples(rng, GB_B.code, np.arange(begin, end, SAMPLE_MS), day[CLOSING_DAY]),
        _after_a_lapse(rng, np.arange(day[BEGIN_DAY], end, SAMPLE_MS), day[LAPSED_DAY]),
        _lines(rng, begin, day[CLOSING_DAY]),
    ]
    return Crossings(registers, tuple(each for each, _ in drawn), tuple(rows for _, rows in drawn))


def count_crossings(drawn: Crossings, registers: Registers | None = None) -> tuple[Counted, ...]:
    """How the detector did, for samples and for lines; `registers` stand in for those of the drawn month."""
    counted = []
    for crossed, planted in zip(drawn.months, drawn.planted, strict=True):
        found = find_unlicensed(crossed, registers or drawn.registers)
        kind = f"unlicensed_crossing: {crossed.service.name.lower()} of {crossed.creditor}"
        counted.append(count_rows(kind, len(crossed.table), planted, found))
    return tuple(counted)


def _samples(rng: np.random.Generator, creditor: CarrierCode, moments: Ints, closes_ms: int) -> tuple[Crossed, Ints]:
    """Through a gateway to its last second, then another; some name none, one that is closed, or the first too late."""
    igws = np.where(moments + SAMPLE_MS <= closes_ms, CLOSING, OPEN).astype("U20")
    planted = rng.choice(len(moments), 45, replace=False)
    igws[planted[:15]], igws[planted[15:30]] = "", CLOSED
    late = moments[planted[30:]] >= closes_ms
    igws[planted[30:]] = np.where(late, CLOSING, "NOT-A-GATEWAY")
    return _crossed(Service.DATA, creditor, moments, np.full(len(moments), 10**8), igws.tolist()), np.sort(planted)


def _after_a_lapse(rng: np.random.Generator, moments: Ints, lapses_ms: int) -> tuple[Crossed, Ints]:
    """A creditor that sells from its licence's first second, and a few samples more after its last."""
    beyond = moments + SAMPLE_MS > lapses_ms
    sold = ~beyond | (rng.random(len(moments)) < 0.02)
    kept = moments[sold]
    crossed = _crossed(Service.DATA, US_A.code, kept, np.full(len(kept), 10**8), [OPEN] * len(kept))
    return crossed, np.flatnonzero(kept + SAMPLE_MS > lapses_ms)


def _lines(rng: np.random.Generator, begin: int, closes_ms: int) -> tuple[Crossed, Ints]:
    """Lines of the whole month and of its first days, some installed; a few end after their gateway, or name none."""
    days = rng.choice([31, 31, 31, CLOSING_DAY, 0], LINES)
    igws = np.where(days == CLOSING_DAY, CLOSING, OPEN).astype("U20")
    planted = rng.choice(np.flatnonzero(days == 31), 6, replace=False)
    igws[planted[:3]], igws[planted[3:]] = "", CLOSING
    start = np.full(LINES, begin)
    assert (start[planted] + days[planted] * DAY_MS > closes_ms).all(), "a planted line outlives its gateway"
    return _crossed(Service.IPL, GB_B.code, start, days, igws.tolist()), np.sort(planted)


def _crossed(service: Service, creditor: CarrierCode, start: Ints, quantity: Ints, igws: Sequence[str]) -> Crossed:
    table = rated_table(
        a_party=pa.repeat("LON1", len(start)),
        b_party=pa.repeat("BJS2", len(start)),
        start_ms=start,
        quantity=quantity,
        route=pa.repeat("LON-BJS-1", len(start)),
        amount_micros=np.full(len(start), 25_000),
    )
    return Crossed(service, creditor, CN_T.code, table, igws, SAMPLE_MS)
