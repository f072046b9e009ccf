"""Which rate decks are published, with how much notice, and what does each change in money?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from gateway.composition import Gateway, Partnership, partnerships
from gateway.desk.shapes import hexed
from gateway.month.books import book_of, table_of
from gateway.month.decks import deck_files
from gateway.month.parts import DAY_SECONDS, Direction
from ledger.errors import NotFound
from ledger.identity import CarrierCode
from ledger.money import NANOS_PER_MICRO, div_half_even
from ledger.period import Period
from ledger.prices.deck import Rate, RateDeck
from ledger.store.agreements import RateNoticeRow, list_rate_notices
from ledger.store.declarations import list_declarations
from ledger.store.engine import reading

Traffic = Mapping[str, tuple[int, int]]
"""Code -> charged quantity and records of the last month."""


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """One published deck."""

    hash: str
    partner: str
    creditor: str
    debtor: str
    service: str
    change: str
    published_at: int
    effective_at: int
    notice_days: int
    held: bool
    """Whether its file is in our decks folder."""
    rates: int
    seq: int


@dataclass(frozen=True, slots=True)
class RateChangeRow:
    """One code whose price differs from the deck before."""

    code: str
    destination: str
    kind: str
    """dearer, cheaper, new, gone, or other terms."""
    before: Rate | None
    after: Rate | None
    records: int
    micros: int
    """More, or less, than last month's traffic cost at the price before."""


@dataclass(frozen=True, slots=True)
class DeckView:
    """One deck beside the one before it."""

    notice: NoticeRow
    before: NoticeRow | None
    currency: str
    period: str
    """Whose traffic is priced; empty if there is none yet."""
    changes: Sequence[RateChangeRow]
    total_micros: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class DecksView:
    """Every published deck of our agreements, the latest first."""

    rows: Sequence[NoticeRow]


def decks_view(gateway: Gateway) -> DecksView:
    """The list of decks."""
    rows = []
    with reading(gateway.engine) as connection:
        for held in partnerships(gateway.settings).values():
            for notice in list_rate_notices(connection, held.id):
                files = deck_files(gateway.settings.decks_path, held.currency, notice.service)
                rows.append(_notice_row(held, notice, files.get(notice.deck_hash)))
    return DecksView(sorted(rows, key=lambda row: (-row.published_at, row.partner, row.creditor, -row.seq)))


def deck_view(gateway: Gateway, partner: CarrierCode, deck_hash: bytes) -> DeckView:
    """A deck of an agreement and what it changes. Raises NotFound, also for a deck whose file we do not hold."""
    held = partnerships(gateway.settings).get(partner)
    with reading(gateway.engine) as connection:
        notices = list_rate_notices(connection, held.id) if held else []
        notice = next((each for each in notices if each.deck_hash == deck_hash), None)
        if held is None or notice is None:
            raise NotFound("no such rate deck on the chain", got=hexed(deck_hash), todo="See all: /desk/decks")
        earlier = [
            each
            for each in notices
            if (each.creditor, each.service) == (notice.creditor, notice.service) and each.seq < notice.seq
        ]
        period = _last_period(connection, held)
    files = deck_files(gateway.settings.decks_path, held.currency, notice.service)
    if deck_hash not in files:
        raise NotFound(
            "the file of this deck is not here",
            expected="a CSV in the decks folder with this hash",
            got=hexed(deck_hash),
            todo=f"Ask {notice.creditor} for the file.",
        )
    before = earlier[-1] if earlier else None
    old = files.get(before.deck_hash) if before else None
    direction = Direction(held, notice.creditor, notice.service)
    traffic = traffic_of(gateway, direction, period) if period else {}
    changes, unchanged = changes_between(old, files[deck_hash], traffic)
    return DeckView(
        notice=_notice_row(held, notice, files[deck_hash]),
        before=_notice_row(held, before, old) if before else None,
        currency=held.currency,
        period=str(period) if period else "",
        changes=changes,
        total_micros=sum(each.micros for each in changes),
        unchanged=unchanged,
    )


def changes_between(old: RateDeck | None, new: RateDeck, traffic: Traffic) -> tuple[list[RateChangeRow], int]:
    """Codes whose price differs, those that cost most first, and how many are as they were.

    Money is the difference of the price per unit on the charged quantity of the code: increments and fees stay as the
    traffic was charged.
    """
    before = {_key(rate): rate for rate in old.rates} if old else {}
    after = {_key(rate): rate for rate in new.rates}
    rows = []
    for key in before.keys() | after.keys():
        was, now = before.get(key), after.get(key)
        if was != now:
            rows.append(_change(was, now, traffic))
    unchanged = sum(before.get(key) == rate for key, rate in after.items())
    return sorted(rows, key=lambda row: (-abs(row.micros), row.code)), unchanged


def traffic_of(gateway: Gateway, direction: Direction, period: Period) -> Traffic:
    """What each code of a direction carried in a month, by our own count."""
    table = table_of(gateway, book_of(gateway, direction, gateway.carrier, period))
    grouped = pa.table({"code": table["code"], "quantity": table["charged_quantity"]}).group_by("code")
    sums = grouped.aggregate([("quantity", "sum"), ("quantity", "count")])
    return {
        str(code): (int(quantity), int(records))
        for code, quantity, records in zip(
            pc.cast(sums["code"], pa.string()).to_pylist(),
            sums["quantity_sum"].to_pylist(),
            sums["quantity_count"].to_pylist(),
            strict=True,
        )
    }


def _change(was: Rate | None, now: Rate | None, traffic: Traffic) -> RateChangeRow:
    known = now or was
    assert known is not None
    quantity, records = traffic.get(known.code, (0, 0))
    micros = 0
    if was is not None and now is not None:
        micros = div_half_even(
            quantity * (now.nanos * was.per - was.nanos * now.per), was.per * now.per * NANOS_PER_MICRO
        )
    return RateChangeRow(known.code, known.destination, _kind(was, now), was, now, records, micros)


def _kind(was: Rate | None, now: Rate | None) -> str:
    if was is None:
        return "new"
    if now is None:
        return "gone"
    old, new = was.nanos * now.per, now.nanos * was.per
    return "dearer" if new > old else "cheaper" if new < old else "terms"


def _key(rate: Rate) -> tuple[str, str, str]:
    return rate.code, rate.origin, rate.band


def _notice_row(held: Partnership, notice: RateNoticeRow, deck: RateDeck | None) -> NoticeRow:
    return NoticeRow(
        hash=hexed(notice.deck_hash),
        partner=held.partner,
        creditor=notice.creditor,
        debtor=held.agreement.counterparty(notice.creditor),
        service=notice.service.word,
        change=notice.change.name.lower(),
        published_at=notice.published_at,
        effective_at=notice.effective_at,
        notice_days=max(0, (notice.effective_at - notice.published_at) // DAY_SECONDS),
        held=deck is not None,
        rates=len(deck.rates) if deck else 0,
        seq=notice.seq,
    )


def _last_period(connection: Connection, held: Partnership) -> Period | None:
    return max((row.scope.period for row in list_declarations(connection, held.id)), default=None)
