"""Did data or a private line cross a border without a licence, or around the international gateways?

The members license who may carry international traffic and list the gateways it may leave by. The chain refuses a
declaration that names none; what never was declared, or what a home or a plain file holds of before, it cannot see.
Each record is held against both registers for the whole of its time. Source: DESIGN.md section 2; the GSC group's rule
that cross-border data is sold under a licence and leaves through a listed igw.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from ledger.identity import CarrierCode
from ledger.money import Micros
from ledger.service import Service
from reconciliation.matching.clocks import DAY_MS
from reconciliation.matching.side import Flags, Ints, exact_sum
from reconciliation.suspicion import Suspicion, SuspicionKind

PROVEN = 99
"""Percent: the registers say so."""


class Valid(NamedTuple):
    """UTC milliseconds for which something counts: [begin, end), None without end."""

    begin: int
    end: int | None


@dataclass(frozen=True, slots=True)
class Registers:
    """Who may carry international traffic, through which gateways, and when."""

    licences: Mapping[CarrierCode, Sequence[Valid]]
    igws: Mapping[str, Sequence[Valid]]


@dataclass(frozen=True, slots=True)
class Crossed:
    """The records of one direction of data or private lines that crossed a border."""

    service: Service
    creditor: CarrierCode
    debtor: CarrierCode
    table: pa.Table
    igws: Sequence[str]
    """Of each record the gateway it left by, "" if nobody says."""
    sample_ms: int = 300_000


def find_unlicensed(crossed: Crossed, registers: Registers) -> tuple[Suspicion, ...]:
    """Records that crossed without: no gateway named, one that was not listed, a creditor without a licence.

    No threshold: one record is enough. A suspicion for each reason and gateway, the costliest first; a record with two
    reasons is told of the gateway. Money at risk: what the records cost.
    """
    start = np.asarray(crossed.table["start_ms"].to_numpy(), np.int64)
    quantity = np.asarray(crossed.table["quantity"].to_numpy(), np.int64)
    lasts = np.where(quantity > 0, quantity * DAY_MS, 1) if crossed.service is Service.IPL else crossed.sample_ms
    end = start + lasts
    named = np.array(crossed.igws, np.str_)
    free = np.ones(len(start), np.bool_)
    found = []
    for igw in sorted(set(crossed.igws)):
        covered = _covered(registers.igws.get(igw, ()), start, end)
        rows = np.flatnonzero((named == igw) & ~covered)
        free[rows] = False
        why = f"left by {igw}, which was not listed then" if igw else "name no international gateway"
        found += _suspicion(crossed, rows, igw or "no gateway", why)
    licensed = _covered(registers.licences.get(crossed.creditor, ()), start, end)
    without = np.flatnonzero(free & ~licensed)
    found += _suspicion(crossed, without, crossed.creditor, f"were sold by {crossed.creditor} without a licence")
    return tuple(sorted(found, key=lambda each: (-each.money_at_risk_micros, each.subject)))


def _covered(validities: Sequence[Valid], start: Ints, end: Ints) -> Flags:
    covered = np.zeros(len(start), np.bool_)
    for each in _joined(validities):
        covered |= (start >= each.begin) & (True if each.end is None else end <= each.end)
    return covered


def _joined(validities: Sequence[Valid]) -> list[Valid]:
    """A licence that was renewed without a gap counts as one: a line runs through the renewal."""
    joined: list[Valid] = []
    for each in sorted(validities, key=lambda valid: valid.begin):
        if joined and (joined[-1].end is None or each.begin <= joined[-1].end):
            before = joined.pop()
            ends = None if before.end is None or each.end is None else max(before.end, each.end)
            joined.append(Valid(before.begin, ends))
        else:
            joined.append(each)
    return joined


def _suspicion(crossed: Crossed, rows: Ints, subject: str, why: str) -> list[Suspicion]:
    if not len(rows):
        return []
    amounts = np.asarray(crossed.table["amount_micros"].to_numpy(), np.int64)[rows]
    what = "samples" if crossed.service is Service.DATA else "circuits"
    return [
        Suspicion(
            kind=SuspicionKind.UNLICENSED_CROSSING,
            confidence=PROVEN,
            service=crossed.service,
            creditor=crossed.creditor,
            debtor=crossed.debtor,
            subject=subject,
            count=len(rows),
            money_at_risk_micros=Micros(exact_sum(amounts)),
            rows=rows,
            rule="each crossing has a licence and a listed gateway for the whole of its time",
            explanation=f"{len(rows):,} {what} from {crossed.creditor} to {crossed.debtor} {why}",
        )
    ]
