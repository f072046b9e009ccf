"""Why do the two sides differ? Every record and every micro of the difference gets exactly one cause.

Order of precedence, so that the outcome is the same for everybody: a record without partner is a duplicate, a period
crossing, an unanswered attempt, evidence of forgery, or missing; a pair's difference is first divided between price and
quantity, then the quantity's part is an unanswered attempt, a route's bias, within tolerance, or beyond it.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np

from ledger.money import show_micros
from reconciliation.clocks import DAY_MS, ClockError
from reconciliation.difference import Books, Difference, nobody, nothing, severity_of
from reconciliation.finding import Cause, Severity
from reconciliation.forgery import Evidence, find_forgery
from reconciliation.missing import STRETCH_RECORDS, STRETCH_SHARE, lost_stretches
from reconciliation.prices import PriceParts, is_rounding, price_parts
from reconciliation.quantities import quantity_causes
from reconciliation.side import Flags, Ints, Side

QUARTER_MS = 900_000
ZONE_SLACK_MS = 120_000
"""A zone error is a multiple of a quarter hour to within this."""


def explain(books: Books, evidence: Evidence) -> tuple[Difference, ...]:
    """All differences, in order of cause, then route, destination and day."""
    found = [
        *_clock_differences(books),
        *_unpaired(books, evidence),
        *_duplicates(books),
        *_pair_differences(books),
    ]
    return tuple(sorted(found, key=_rank))


def _rank(each: Difference) -> tuple[int, str, str, date, str, str]:
    place = list(Cause).index(each.cause)
    return place, each.route or "", each.destination or "", each.day or date.min, each.rule, each.detail


def _clock_differences(books: Books) -> Iterator[Difference]:
    """One difference for each clock error; it costs nothing, the pairs it made possible carry the amounts."""
    for error in books.clocks.errors:
        zone = round(error.offset_ms / QUARTER_MS) * QUARTER_MS
        is_zone = zone != 0 and abs(error.offset_ms - zone) <= ZONE_SLACK_MS
        yield _clock_difference(books, error, Cause.TIME_ZONE if is_zone else Cause.CLOCK_OFFSET)


def _clock_difference(books: Books, error: ClockError, cause: Cause) -> Difference:
    side = books.creditor if error.ours else books.debtor
    mine = side.route.codes == side.route.texts.index(error.route)
    rows = np.flatnonzero(mine & (side.start_ms >= error.from_ms) & (side.start_ms <= error.to_ms))
    who = "{creditor}" if error.ours else "{debtor}"
    way = "ahead" if error.offset_ms > 0 else "behind"
    return Difference(
        cause=cause,
        severity=Severity.NOTICE,
        rule=f"mode of start differences by route and day: {error.offset_ms} ms",
        creditor_rows=rows if error.ours else nobody(rows),
        debtor_rows=nobody(rows) if error.ours else rows,
        creditor_micros=nothing(rows),
        debtor_micros=nothing(rows),
        fields="start_ms",
        route=error.route,
        day=_day(error.from_ms),
        detail=f"{who}'s clock on {error.route} runs {_span(abs(error.offset_ms))} {way} from {_day(error.from_ms)} to "
        f"{_day(error.to_ms)}",
    )


def _unpaired(books: Books, evidence: Evidence) -> Iterator[Difference]:
    for side, rows, is_creditor in (
        (books.creditor, books.pairing.missing_at_theirs, True),
        (books.debtor, books.pairing.missing_at_ours, False),
    ):
        rest = rows
        for cause, rule, taken, detail in _special_cases(books, rest, is_creditor=is_creditor):
            if taken.any():
                yield _one_sided(books, cause, rule, rest[taken], is_creditor=is_creditor, detail=detail)
                rest = rest[~taken]
        if is_creditor:
            forged, rest = _forged(books, evidence, rest)
            yield from forged
        yield from _missing(books, side, rest, is_creditor=is_creditor)


def _special_cases(books: Books, rows: Ints, *, is_creditor: bool) -> Iterator[tuple[Cause, str, Flags, str]]:
    side = books.creditor if is_creditor else books.debtor
    crossing = _crosses(books, rows, is_creditor=is_creditor)
    yield (
        Cause.PERIOD_CROSSING,
        "start or end within the window of the period's bounds, on either clock",
        crossing,
        "the other side has them in the neighbouring period",
    )
    zero = (side.quantity[rows] == 0) & (side.amount[rows] == 0)
    yield Cause.ZERO_DURATION, "quantity 0 on one side only", zero[~crossing], "unanswered attempts one side recorded"


def _crosses(books: Books, rows: Ints, *, is_creditor: bool) -> Flags:
    """Records that the other side may have put into the neighbouring period."""
    side = books.creditor if is_creditor else books.debtor
    corrections = books.clocks.ours if is_creditor else books.clocks.theirs
    window = books.tolerance.window_ms
    start, end = books.bounds_ms
    crosses = np.zeros(len(rows), np.bool_)
    true_ms = side.start_ms[rows] - corrections[rows]
    for offset in sorted({0, *(e.offset_ms for e in books.clocks.errors if e.ours != is_creditor)}):
        seen_ms = true_ms + offset
        outside = (seen_ms < start + window) | (seen_ms >= end - window)
        crosses |= outside & _near_error(books, true_ms, offset, is_creditor=is_creditor)
    quantity = side.quantity[rows] if len(rows) else true_ms
    crosses |= (true_ms < end) & (true_ms + quantity >= end)
    return crosses


def _near_error(books: Books, true_ms: Ints, offset: int, *, is_creditor: bool) -> Flags:
    if offset == 0:
        return np.ones(len(true_ms), np.bool_)
    near = np.zeros(len(true_ms), np.bool_)
    for error in books.clocks.errors:
        if error.ours != is_creditor and error.offset_ms == offset:
            near |= (true_ms + offset >= error.from_ms - DAY_MS) & (true_ms + offset <= error.to_ms + DAY_MS)
    return near


def _forged(books: Books, evidence: Evidence, rows: Ints) -> tuple[list[Difference], Ints]:
    found: list[Difference] = []
    rest = rows
    for mark in find_forgery(books, rows, evidence):
        mine = np.isin(rest, mark.rows)
        taken, rest = rest[mine], rest[~mine]
        if len(taken):
            amounts = books.creditor.amount[taken]
            found.append(
                Difference(
                    cause=Cause.INVENTED,
                    severity=Severity.FORGERY,
                    rule=mark.rule,
                    creditor_rows=taken,
                    debtor_rows=nobody(taken),
                    creditor_micros=amounts,
                    debtor_micros=nothing(taken),
                    route=_only(books.creditor.route.codes[taken], books.creditor.route.texts),
                    destination=_only(books.creditor.destination.codes[taken], books.creditor.destination.texts),
                    day=_first_day(books.creditor.start_ms[taken]),
                    detail=mark.detail,
                )
            )
    return found, rest


def _missing(books: Books, side: Side, rows: Ints, *, is_creditor: bool) -> Iterator[Difference]:
    """Lost stretches of a route first, one each; what is scattered is one difference."""
    cause = Cause.MISSING_AT_THEIRS if is_creditor else Cause.MISSING_AT_OURS
    scattered = np.ones(len(rows), np.bool_)
    for stretch in lost_stretches(side, rows):
        scattered &= ~stretch.rows
        rule = f"{STRETCH_SHARE} % of a route's records of a day, {STRETCH_RECORDS} at least, have no partner"
        lost = _one_sided(books, cause, rule, rows[stretch.rows], is_creditor=is_creditor)
        yield replace(lost, route=stretch.route, day=_day(stretch.day_ms))
    if scattered.any():
        rule = "no partner within the window on both numbers, nor on the called number"
        yield _one_sided(books, cause, rule, rows[scattered], is_creditor=is_creditor)


def _one_sided(
    books: Books,
    cause: Cause,
    rule: str,
    rows: Ints,
    *,
    is_creditor: bool,
    detail: str = "",
) -> Difference:
    side = books.creditor if is_creditor else books.debtor
    amounts = side.amount[rows]
    disputed = is_creditor and bool(amounts.any()) and cause != Cause.PERIOD_CROSSING
    return Difference(
        cause=cause,
        severity=Severity.DISPUTE if disputed else Severity.NOTICE,
        rule=rule,
        creditor_rows=rows if is_creditor else nobody(rows),
        debtor_rows=nobody(rows) if is_creditor else rows,
        creditor_micros=amounts if is_creditor else nothing(rows),
        debtor_micros=nothing(rows) if is_creditor else amounts,
        detail=detail,
    )


def _duplicates(books: Books) -> Iterator[Difference]:
    rule = "same numbers, start and quantity within one second of another record of the same side"
    for cause, rows, is_creditor in (
        (Cause.DUPLICATE_AT_OURS, books.pairing.duplicates_at_ours, True),
        (Cause.DUPLICATE_AT_THEIRS, books.pairing.duplicates_at_theirs, False),
    ):
        if len(rows):
            yield _one_sided(books, cause, rule, rows, is_creditor=is_creditor)


def _pair_differences(books: Books) -> Iterator[Difference]:
    parts = price_parts(books)
    yield from _price_differences(books, parts)
    yield from _quantity_differences(books, parts)


def _quantity_differences(books: Books, parts: PriceParts) -> Iterator[Difference]:
    """The quantity's part of each pair: from the middle amount to the debtor's."""
    causes = quantity_causes(books)
    counted = books.debtor.amount[books.pairing.theirs]
    dearer = parts.middle_micros > counted
    if causes.zero.any():
        yield _pairs(books, parts, causes.zero, Cause.ZERO_DURATION, "quantity 0 on one side only", "")
    for bias in causes.biases:
        rule = "90 % of the route's pairs differ one way, by more than the tolerance"
        longer = "longer" if bias.typical > 0 else "shorter"
        detail = f"{{creditor}} counts {_span(abs(bias.typical))} {longer} than {{debtor}} on each call of {bias.route}"
        days = f", {_day(bias.first_ms)} to {_day(bias.last_ms)}"
        yield _pairs(books, parts, bias.pairs, Cause.DURATION_BIAS, rule, detail + days, route=bias.route)
    if causes.within.any():
        tolerance = books.tolerance
        rule = f"quantities differ by at most {tolerance.duration_ms} ms or {tolerance.duration_bps / 100:g} %"
        yield _pairs(books, parts, causes.within, Cause.DURATION_WITHIN_TOLERANCE, rule, "", notice=True)
    rule = "quantities differ beyond the tolerance, without a pattern on the route"
    for mine in (causes.beyond & dearer, causes.beyond & ~dearer):
        if mine.any():
            yield _pairs(books, parts, mine, Cause.DURATION, rule, _one_way(books, mine))


def _one_way(books: Books, mine: Flags) -> str:
    ours = books.creditor.quantity[books.pairing.ours[mine]]
    theirs = books.debtor.quantity[books.pairing.theirs[mine]]
    who = "{creditor}" if int(ours.sum()) > int(theirs.sum()) else "{debtor}"
    return f"{who} has the longer duration, {_span(int(np.median(np.abs(ours - theirs))))} in the middle"


def _pairs(
    books: Books,
    parts: PriceParts,
    mine: Flags,
    cause: Cause,
    rule: str,
    detail: str,
    *,
    route: str | None = None,
    notice: bool = False,
) -> Difference:
    creditor_rows, debtor_rows = books.pairing.ours[mine], books.pairing.theirs[mine]
    creditor, debtor = parts.middle_micros[mine], books.debtor.amount[debtor_rows]
    disputed = severity_of(int(creditor.sum()), int(debtor.sum()))
    return Difference(
        cause=cause,
        severity=Severity.NOTICE if notice else disputed,
        rule=rule,
        creditor_rows=creditor_rows,
        debtor_rows=debtor_rows,
        creditor_micros=creditor,
        debtor_micros=debtor,
        fields="quantity",
        route=route,
        detail=detail,
    )


def _price_differences(books: Books, parts: PriceParts) -> Iterator[Difference]:
    """The price's part: from the creditor's amount to the middle; a group for each pair of destinations."""
    rows = np.flatnonzero(parts.differs)
    if len(rows) == 0:
        return
    ours, theirs = books.pairing.ours[rows], books.pairing.theirs[rows]
    moved = np.zeros(len(rows), np.bool_)
    for k, (row, other) in enumerate(zip(ours.tolist(), theirs.tolist(), strict=True)):
        moved[k] = books.creditor.code.of(row) != books.debtor.code.of(other)
    group = books.creditor.destination.codes[ours] * (len(books.debtor.destination.texts) + 1)
    group = (group + books.debtor.destination.codes[theirs]) * 2 + moved
    for each in np.unique(group).tolist():
        yield _price_group(books, parts, rows[group == each], moved=bool(each % 2))


def _price_group(books: Books, parts: PriceParts, rows: Ints, *, moved: bool) -> Difference:
    ours, theirs = books.pairing.ours[rows], books.pairing.theirs[rows]
    owed, middle = books.creditor.amount[ours], parts.middle_micros[rows]
    name, other = books.creditor.destination.of(int(ours[0])), books.debtor.destination.of(int(theirs[0]))
    cause, rule, fields = Cause.RATE, "same code, another price on the same quantity", "amount_micros"
    if moved:
        cause, rule, fields = Cause.DESTINATION, "the dial codes differ", "code,amount_micros"
    elif is_rounding(owed, middle, books.creditor.charged[ours], books.debtor.charged[theirs]):
        cause, rule = Cause.ROUNDING, "same code and price, another rounding of amount or quantity"
    start = books.creditor.start_ms[ours]
    days = f"{_day(int(start.min()))} to {_day(int(start.max()))}"
    detail = f"{name}, {days}"
    if moved:
        codes = books.creditor.code.of(int(ours[0])), books.debtor.code.of(int(theirs[0]))
        detail += f": {{creditor}} rates {name} (code {codes[0]}), {{debtor}} {other} (code {codes[1]})"
    elif cause == Cause.RATE:
        prices = _per_minute(owed, books.creditor.charged[ours]), _per_minute(middle, books.creditor.charged[ours])
        detail += f": {{creditor}} charges {{currency}} {prices[0]} a minute, {{debtor}} reckons {prices[1]}"
    severity = severity_of(int(owed.sum()), int(middle.sum()))
    return Difference(
        cause=cause,
        severity=Severity.NOTICE if cause == Cause.ROUNDING else severity,
        rule=rule,
        creditor_rows=ours,
        debtor_rows=theirs,
        creditor_micros=owed,
        debtor_micros=middle,
        fields=fields,
        destination=name,
        day=_day(int(start.min())),
        detail=detail,
    )


def _per_minute(amounts: Ints, charged: Ints) -> str:
    """Mean price of a minute over a group, for the sentence only."""
    return show_micros(int(amounts.sum()) * 60_000 // max(1, int(charged.sum())), 4)


def _only(codes: Ints, texts: tuple[str, ...]) -> str | None:
    return texts[int(codes[0])] if len(np.unique(codes)) == 1 else None


def _first_day(start_ms: Ints) -> date:
    return _day(int(start_ms.min()))


def _day(at_ms: int) -> date:
    return datetime.fromtimestamp(at_ms // 1000, UTC).date()


def _span(duration_ms: int) -> str:
    """Words for a duration: "8 h", "47 s", "1 h 2 min"."""
    seconds, rest = divmod(duration_ms, 1000)
    if duration_ms < 60_000:
        return f"{seconds} s" if rest == 0 else f"{duration_ms / 1000:.1f} s"
    hours, minutes, seconds = seconds // 3600, seconds % 3600 // 60, seconds % 60
    words = [f"{n} {unit}" for n, unit in ((hours, "h"), (minutes, "min"), (seconds, "s")) if n]
    return " ".join(words)
