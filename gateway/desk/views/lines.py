"""How full is each credit line, when will it be full, and what if more is declared?"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from gateway.composition import Gateway, Partnership, partnerships
from gateway.desk.views.credit import CreditRow
from gateway.exposing import PACE_DAYS, forecast_of
from gateway.month.parts import DAY_SECONDS
from ledger.errors import Malformed
from ledger.identity import CarrierCode
from ledger.money import Micros, parse_micros
from ledger.store.credit import CreditRow as StoredCredit
from ledger.store.credit import ExposureRow, list_credit, list_exposure_changes
from ledger.store.engine import reading
from ledger.store.tables import chain_blocks
from reconciliation.settling.exposure import Forecast, exposure, forecast

WIDTH, HEIGHT = 600, 90
"""Of a line's drawing, in its own units."""


@dataclass(frozen=True, slots=True)
class Curve:
    """The exposure of a line in steps, the line itself, and where it goes at this pace."""

    points: str
    """x,y pairs of an SVG polyline."""
    onward: str
    """From now to where the line is full, or to the edge; empty without a pace."""
    limit_y: int


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A line if more is declared: a further amount at once, and a pace from then on."""

    row: CreditRow
    daily_micros: int
    over_micros: int
    """Past the line, 0 if it holds."""


@dataclass(frozen=True, slots=True)
class LineRow:
    """One credit line with its forecast."""

    partner: str
    currency: str
    row: CreditRow
    policy: str
    daily_micros: int
    curve: Curve
    what_if: WhatIf | None
    statement: str
    """The latest month's address: what the exposure is made of."""


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One change of an exposure."""

    partner: str
    creditor: str
    at: int
    change_micros: int
    exposure_micros: int
    limit_micros: int
    block: int


@dataclass(frozen=True, slots=True)
class LinesView:
    """Every credit line of ours and against us."""

    rows: Sequence[LineRow]
    changes: Sequence[ChangeRow]
    more: str
    daily: str
    """What was asked: a further amount, and a pace; as typed."""
    pace_days: int


def lines_view(gateway: Gateway, more: str = "", daily: str = "") -> LinesView:
    """The page of credit lines. Raises Malformed for amounts that are none."""
    further, pace = _asked(more), _asked(daily)
    now_ms = gateway.clock.now_ms()
    rows: list[LineRow] = []
    changes: list[ChangeRow] = []
    with reading(gateway.engine) as connection:
        times = {row.number: row.timestamp for row in connection.execute(select(chain_blocks))}
        for held in partnerships(gateway.settings).values():
            steps = list_exposure_changes(connection, held.id)
            changes += [_change(held, step, times) for step in steps]
            for line in list_credit(connection, held.id):
                mine = [step for step in steps if step.creditor == line.creditor]
                rows.append(_line(connection, held, line, mine, now_ms, further, pace))
    ordered = sorted(changes, key=lambda each: -each.block)
    return LinesView(rows, ordered, more, daily, PACE_DAYS)


def what_if(line: StoredCredit, debtor: CarrierCode, further: int, daily: int, now_ms: int) -> WhatIf:
    """A line after a further amount, and when it is full at a daily pace."""
    used = line.exposure_micros + further
    ahead = _ahead(used, line.limit_micros, daily, now_ms)
    row = CreditRow(
        creditor=line.creditor,
        debtor=debtor,
        limit_micros=line.limit_micros,
        exposure_micros=used,
        stopped=line.stopped,
        deposit_micros=line.deposit_micros,
        full_at=None if ahead.full_at_ms is None else ahead.full_at_ms // 1000,
    )
    return WhatIf(row, daily, max(0, used - line.limit_micros))


def curve(steps: Sequence[int], limit_micros: int, full_at: int | None, now_s: int) -> Curve:
    """Exposures in micros, oldest first, as a polyline of equal steps; the last fifth is the next PACE_DAYS days."""
    top = max([limit_micros, *steps, 1])

    def y(micros: int) -> int:
        return HEIGHT - 4 - max(micros, 0) * (HEIGHT - 10) // top

    now_x = WIDTH * 4 // 5
    points = [(0, y(0))]
    for number, micros in enumerate(steps):
        at = number * now_x // len(steps)
        points += [(at, points[-1][1]), (at, y(micros))]
    last = points[-1][1]
    points.append((now_x, last))
    onward = ""
    if full_at is not None and steps and steps[-1] < limit_micros:
        days = max(full_at - now_s, 1) // DAY_SECONDS + 1
        rise = (y(limit_micros) - last) * min(PACE_DAYS, days) // days
        onward = f"{now_x},{last} {now_x + (WIDTH - now_x) * min(PACE_DAYS, days) // PACE_DAYS},{last + rise}"
    return Curve(" ".join(f"{left},{down}" for left, down in points), onward, y(limit_micros))


def _asked(text: str) -> int:
    if not text.strip():
        return 0
    micros = parse_micros(text.strip())
    if not 0 <= micros <= 10**18:
        raise Malformed("not an amount to try", expected="0 or more", got=text[:30])
    return micros


def _ahead(used: int, limit: int, daily: int, now_ms: int) -> Forecast:
    return forecast(exposure(max(used, 0), 0, 0, limit), daily * PACE_DAYS, PACE_DAYS, now_ms)


def _line(
    connection: Connection,
    held: Partnership,
    line: StoredCredit,
    steps: Sequence[ExposureRow],
    now_ms: int,
    further: int,
    pace: int,
) -> LineRow:
    ahead = forecast_of(connection, line, now_ms)
    debtor = held.agreement.counterparty(line.creditor)
    full_at = None if ahead.full_at_ms is None else ahead.full_at_ms // 1000
    return LineRow(
        partner=held.partner,
        currency=held.currency,
        row=CreditRow(
            creditor=line.creditor,
            debtor=debtor,
            limit_micros=line.limit_micros,
            exposure_micros=line.exposure_micros,
            stopped=line.stopped,
            deposit_micros=line.deposit_micros,
            full_at=full_at,
        ),
        policy=line.policy.name.lower(),
        daily_micros=Micros(ahead.daily_micros),
        curve=curve([step.exposure_micros for step in steps], line.limit_micros, full_at, now_ms // 1000),
        what_if=what_if(line, debtor, further, pace or ahead.daily_micros, now_ms) if further or pace else None,
        statement=f"/desk/statements/{held.partner}",
    )


def _change(held: Partnership, step: ExposureRow, times: dict[int, int]) -> ChangeRow:
    return ChangeRow(
        partner=held.partner,
        creditor=step.creditor,
        at=times[step.block_number],
        change_micros=step.change_micros,
        exposure_micros=step.exposure_micros,
        limit_micros=step.limit_micros,
        block=step.block_number,
    )
