"""Which records does the page list? Any page of all of a direction, by class, cause, place, day or number."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from gateway.composition import Gateway
from gateway.desk.views.records.directions import Compared, compared_directions, direction_of
from gateway.records.layout import Match
from gateway.records.reading import Listed
from gateway.records.sorting import sorted_page
from gateway.records.wanted import Wanted
from ledger.errors import Malformed
from ledger.identity import CarrierCode
from ledger.period import Period
from reconciliation.finding import Cause

START = "start"
COUNTED_MOST = 2_000_000
"""Rows of a list up to which a page says how many of them a filter leaves."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address of a list says."""

    creditor: str
    service: str
    match: str
    cause: str
    destination: str
    route: str
    day: str
    number: str
    sort: str
    after: int
    before: int | None

    @property
    def narrowed(self) -> bool:
        return any((self.match, self.cause, self.destination, self.route, self.day, self.number))

    @property
    def order(self) -> tuple[str, bool]:
        """By what, and whether downwards."""
        return self.sort.removeprefix("-").removeprefix("records.") or START, self.sort.startswith("-")


@dataclass(frozen=True, slots=True)
class RecordsView:
    """One page of a direction's records."""

    partner: str
    period: str
    currency: str
    creditor: str
    service: str
    directions: Sequence[tuple[str, str]]
    """(creditor, service) of all that were reconciled."""
    asked: Asked
    records: Sequence[Listed]
    total: int
    left: int | None
    """How many the filter leaves; None where counting would take long."""
    after: int | None
    before: int | None
    destinations: Sequence[str]
    routes: Sequence[str]
    days: tuple[str, str]
    """The first and the last of the month."""


def asked_of(query: Mapping[str, str]) -> Asked:
    """An address's words. Raises Malformed."""
    words = {
        name: query.get(name, "")[:120] for name in ("creditor", "service", "cause", "destination", "route", "day")
    }
    after, before = _place(query.get("after", "0")), query.get("before")
    return Asked(
        **words,
        match=query.get("class", "")[:40],
        number=re.sub(r"[\s+()./-]", "", query.get("number", "")[:60]),
        sort=query.get("sort", "")[:60],
        after=after,
        before=None if before is None else _place(before),
    )


def records_view(gateway: Gateway, partner: CarrierCode, period: Period, asked: Asked) -> RecordsView:
    """One page of the list. Raises NotFound, Malformed."""
    compared = compared_directions(gateway, partner, period)
    chosen = direction_of(compared, asked.creditor, asked.service)
    wanted = wanted_of(asked, chosen, period)
    records, after, before = _page(chosen, wanted, asked)
    total = chosen.records.total
    first, end = period.bounds_ms(chosen.held.zone)
    last = datetime.fromtimestamp((end - 1) // 1000, chosen.held.zone).date()
    return RecordsView(
        partner=partner,
        period=str(period),
        currency=chosen.held.currency,
        creditor=chosen.creditor,
        service=chosen.service,
        directions=[(each.creditor, each.service) for each in compared],
        asked=asked,
        records=records,
        total=total,
        left=_left(chosen, wanted, asked, total),
        after=after,
        before=before,
        destinations=sorted(chosen.records.destinations),
        routes=sorted(chosen.records.routes),
        days=(datetime.fromtimestamp(first // 1000, chosen.held.zone).date().isoformat(), last.isoformat()),
    )


def wanted_of(asked: Asked, chosen: Compared, period: Period) -> Wanted:
    """What the list is asked for; a day is one of the agreement's accounting zone. Raises Malformed."""
    classes = {each.word: each for each in Match}
    if asked.match not in ("", "differing", *classes):
        raise Malformed("no such class", expected=", ".join(("differing", *classes)), got=repr(asked.match))
    if asked.cause not in ("", *Cause):
        raise Malformed("no such cause", expected=", ".join(Cause), got=repr(asked.cause[:40]))
    from_ms, to_ms = _day(asked.day, chosen) if asked.day else (None, None)
    return Wanted(
        match=classes.get(asked.match),
        differing=asked.match == "differing",
        cause=Cause(asked.cause) if asked.cause else None,
        destination=asked.destination or None,
        route=asked.route or None,
        number=asked.number or None,
        from_ms=from_ms,
        to_ms=to_ms,
    )


def _page(chosen: Compared, wanted: Wanted, asked: Asked) -> tuple[Sequence[Listed], int | None, int | None]:
    order, downwards = asked.order
    if order != START:
        found, following = sorted_page(chosen.records, wanted, order, downwards=downwards, after=asked.after)
        return found, following, None
    if not downwards:
        page = chosen.records.page(wanted, after=asked.after, before=asked.before)
        return page.records, page.after, page.before
    page = chosen.records.page(wanted, before=asked.before or chosen.records.total + 1)
    return page.records[::-1], None, page.before


def _left(chosen: Compared, wanted: Wanted, asked: Asked, total: int) -> int | None:
    if not asked.narrowed:
        return total
    return chosen.records.count(wanted) if total <= COUNTED_MOST or not wanted.columns else None


def _day(text: str, chosen: Compared) -> tuple[int, int]:
    try:
        begin = date.fromisoformat(text)
    except ValueError:
        raise Malformed("not a day", expected="YYYY-MM-DD", got=repr(text[:20])) from None
    zone = chosen.held.zone
    bounds = (datetime(each.year, each.month, each.day, tzinfo=zone) for each in (begin, begin + timedelta(days=1)))
    first, end = (int(each.astimezone(UTC).timestamp() * 1000) for each in bounds)
    return first, end


def _place(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise Malformed("not a place in the list", expected="a whole number", got=repr(text[:20]))
    return int(text)
