"""What must an honest count find? Totals of both sides and every planted fault, with its records and its money."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ledger.identity import CarrierCode
from ledger.money import Micros
from ledger.period import Period
from reconciliation.finding import Cause
from scripts.traffic.carriers import DIRECTIONS, Direction, in_trunk, out_trunk
from scripts.traffic.faults import KINDS, TRANSIT_DIRECTION, Books, Planted, SideView
from scripts.traffic.prices import (
    CHANGED_DESTINATION,
    CHANGED_DIRECTION,
    NAMES,
    UNRATED,
    Ints,
    amounts_micros,
    change_ms,
)

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SideTotal:
    """What one side must count for a direction and the month, after reading and rating its own file."""

    count: int
    quantity_ms: int
    amount_micros: Micros


@dataclass(frozen=True, slots=True)
class Plant:
    """One kind of fault in one direction. Sums over all plants are the whole difference of the two totals."""

    planted: Planted
    debtor: CarrierCode
    creditor: CarrierCode
    count: int
    """Legs."""
    debtor_micros: Micros
    """What the debtor's side counts for them."""
    creditor_micros: Micros
    debtor_route: str | None
    """The one trunk they are on, as the debtor names it; None if several."""
    creditor_route: str | None
    destination: str | None
    """The one destination they go to; None if several."""
    first_day: date
    last_day: date

    @property
    def difference_micros(self) -> Micros:
        """The creditor's minus the debtor's."""
        return Micros(self.creditor_micros - self.debtor_micros)

    def causes(self, viewer: CarrierCode) -> frozenset[Cause]:
        """How the engine may name it when `viewer` is ours."""
        return _CAUSES[self.planted][0 if viewer == self.creditor else 1]


@dataclass(frozen=True, slots=True)
class DirectionTruth:
    """The truth of one direction and the month."""

    debtor: CarrierCode
    creditor: CarrierCode
    debtor_total: SideTotal
    creditor_total: SideTotal
    plants: tuple[Plant, ...]
    rate_effect_micros: Micros
    """What the missed change alone moves on calls both sides hold, at the debtor's durations."""


@dataclass(frozen=True, slots=True)
class Truth:
    """Everything the simulator knows of the month."""

    month: Period
    directions: tuple[DirectionTruth, ...]
    tromboned_calls: int
    """CN-T's calls to Alaska that reached US-A through GB-B inside the month."""

    def of(self, debtor: str, creditor: str) -> DirectionTruth:
        """The direction's truth."""
        return next(d for d in self.directions if (d.debtor, d.creditor) == (debtor, creditor))

    def plants(self) -> Iterator[Plant]:
        """Every planted fault of every direction."""
        for direction in self.directions:
            yield from direction.plants


def _either(*causes: Cause) -> frozenset[Cause]:
    return frozenset(causes)


_MISSING = {
    "at_creditor": (_either(Cause.MISSING_AT_OURS), _either(Cause.MISSING_AT_THEIRS)),
    "at_debtor": (_either(Cause.MISSING_AT_THEIRS), _either(Cause.MISSING_AT_OURS)),
}
_CAUSES: dict[Planted, tuple[frozenset[Cause], frozenset[Cause]]] = {
    # for each fault: the causes allowed when the creditor is ours, and when the debtor is
    Planted.NOTHING: (_either(), _either()),
    Planted.UNRATED: (_either(), _either()),
    Planted.INVENTED: (_either(Cause.INVENTED), _either(Cause.INVENTED)),
    Planted.MISSING_AT_CREDITOR: _MISSING["at_creditor"],
    Planted.MISSING_AT_DEBTOR: _MISSING["at_debtor"],
    Planted.ZERO_AT_DEBTOR: (
        _either(Cause.ZERO_DURATION, Cause.MISSING_AT_THEIRS),
        _either(Cause.ZERO_DURATION, Cause.MISSING_AT_OURS),
    ),
    Planted.PERIOD_CROSSING: (_either(Cause.PERIOD_CROSSING), _either(Cause.PERIOD_CROSSING)),
    Planted.DUPLICATE_AT_CREDITOR: (_either(Cause.DUPLICATE_AT_OURS), _either(Cause.DUPLICATE_AT_THEIRS)),
    Planted.SHADED: (_either(Cause.DURATION), _either(Cause.DURATION)),
    Planted.SECONDS: (_either(Cause.DURATION_WITHIN_TOLERANCE), _either(Cause.DURATION_WITHIN_TOLERANCE)),
    Planted.DURATION_BIAS: (_either(Cause.DURATION_BIAS), _either(Cause.DURATION_BIAS)),
    Planted.TIME_ZONE: (_either(Cause.TIME_ZONE), _either(Cause.TIME_ZONE)),
    Planted.CLOCK_OFFSET: (_either(Cause.CLOCK_OFFSET), _either(Cause.CLOCK_OFFSET)),
    Planted.RATE: (_either(Cause.RATE), _either(Cause.RATE)),
}


def tell(books: Books, month: Period) -> Truth:
    """Count what both sides must count, and sum each planted fault."""
    legs = legs_table(books, month)
    tromboned = np.bincount(books.calls.call)[books.calls.call] > 1
    inside = legs["creditor_count"].to_numpy() > 0
    second_leg = books.calls.direction == TRANSIT_DIRECTION
    directions = tuple(_direction_truth(legs, books, i, d, month) for i, d in enumerate(DIRECTIONS))
    return Truth(month, directions, int((tromboned & inside & second_leg).sum()))


def legs_table(books: Books, month: Period) -> pa.Table:
    """One row for each leg: who, when, what was planted; both sides' counts, quantities and amounts in the month."""
    calls = books.calls
    columns: dict[str, object] = {
        "leg": np.arange(len(calls)),
        "call": calls.call,
        "direction": pa.array([d.word for d in DIRECTIONS]).take(pa.array(calls.direction)),
        "a": calls.a,
        "b": calls.b,
        "destination": pa.array(NAMES).take(pa.array(calls.destination)),
        "debtor_route": _routes(books, out_trunk),
        "creditor_route": _routes(books, in_trunk),
        "answer_ms": calls.answer_ms,
        "planted": pa.array([str(k) for k in KINDS]).take(pa.array(books.planted)),
    }
    for side, view in (("debtor", books.debtor), ("creditor", books.creditor)):
        counted = _counted(view, books, month)
        each = amounts_micros(
            calls.direction, calls.destination, view.start_s, view.duration_s, month, creditor=side == "creditor"
        )
        columns |= {
            f"{side}_start_ms": view.start_s * 1000,
            f"{side}_duration_s": view.duration_s,
            f"{side}_count": counted,
            f"{side}_quantity_ms": counted * view.duration_s * 1000,
            f"{side}_micros": counted * each,
        }
    return pa.table(columns)


def _routes(books: Books, name: object) -> pa.Array:
    assert callable(name)
    names = [name(d, number) for d in DIRECTIONS for number in (1, 2, 3)]
    return pa.array(names).take(pa.array(books.calls.direction * 3 + books.calls.trunk - 1))


def _counted(view: SideView, books: Books, month: Period) -> Ints:
    """Rated records the side has of each leg inside the month: 0, 1 or 2."""
    start_ms, end_ms = month.bounds_ms(ZoneInfo("UTC"))
    inside = (view.start_s * 1000 >= start_ms) & (view.start_s * 1000 < end_ms)
    return np.where(inside & (view.duration_s > 0) & (books.calls.destination != UNRATED), view.copies, 0)


def _direction_truth(legs: pa.Table, books: Books, index: int, direction: Direction, month: Period) -> DirectionTruth:
    mine = books.calls.direction == index
    plants = []
    for number, kind in enumerate(KINDS):
        rows = np.flatnonzero(mine & (books.planted == number) & _seen(legs))
        if len(rows) and kind is not Planted.NOTHING:
            plants.append(_plant(legs.take(pa.array(rows)), kind, direction))
    debtor, creditor = (_side_total(legs.filter(pa.array(mine)), side) for side in ("debtor", "creditor"))
    effect = _rate_effect(books, mine, month) if index == CHANGED_DIRECTION else Micros(0)
    return DirectionTruth(direction.debtor.code, direction.creditor.code, debtor, creditor, tuple(plants), effect)


def _seen(legs: pa.Table) -> Flags:
    seen: Flags = (legs["debtor_count"].to_numpy() + legs["creditor_count"].to_numpy()) > 0
    return seen


def _side_total(legs: pa.Table, side: str) -> SideTotal:
    count, quantity, amount = (int(legs[f"{side}_{c}"].to_numpy().sum()) for c in ("count", "quantity_ms", "micros"))
    return SideTotal(count, quantity, Micros(amount))


def _plant(rows: pa.Table, kind: Planted, direction: Direction) -> Plant:
    def only(column: str) -> str | None:
        values = rows[column].unique().to_pylist()
        return values[0] if len(values) == 1 else None

    days = rows["answer_ms"].to_numpy() // 86_400_000
    return Plant(
        planted=kind,
        debtor=direction.debtor.code,
        creditor=direction.creditor.code,
        count=rows.num_rows,
        debtor_micros=Micros(int(rows["debtor_micros"].to_numpy().sum())),
        creditor_micros=Micros(int(rows["creditor_micros"].to_numpy().sum())),
        debtor_route=only("debtor_route"),
        creditor_route=only("creditor_route"),
        destination=only("destination"),
        first_day=datetime.fromtimestamp(int(days.min()) * 86_400, UTC).date(),
        last_day=datetime.fromtimestamp(int(days.max()) * 86_400, UTC).date(),
    )


def _rate_effect(books: Books, mine: Flags, month: Period) -> Micros:
    calls = books.calls
    both = (_counted(books.debtor, books, month) > 0) & (_counted(books.creditor, books, month) > 0)
    rows = np.flatnonzero(
        mine
        & both
        & (calls.destination == NAMES.index(CHANGED_DESTINATION))
        & (books.creditor.start_s * 1000 >= change_ms(month))
    )
    facts = (
        calls.direction[rows],
        calls.destination[rows],
        books.creditor.start_s[rows],
        books.debtor.duration_s[rows],
    )
    new, old = (int(amounts_micros(*facts, month, creditor=c).sum()) for c in (True, False))
    return Micros(new - old)
