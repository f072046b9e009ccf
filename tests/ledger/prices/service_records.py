"""Agreements, decks and usage of SMS, data and private lines for tests, written as short as they can be said."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pyarrow as pa

from ledger.agreement import Agreement
from ledger.identity import CarrierCode
from ledger.money import Rounding
from ledger.period import Period
from ledger.prices.deck import DeckHistory, deck_history
from ledger.prices.service_deck_file import parse_service_deck
from ledger.prices.service_terms import DataTerms, IplTerms, SmsTerms
from ledger.service import Service
from ledger.usage import USAGE_SCHEMA

CN_T, GB_B = CarrierCode("CN-T"), CarrierCode("GB-B")
OCTOBER = Period(2026, 10)
FOUR = frozenset(Service)


def agreed(
    *,
    zone: str = "UTC",
    rounding: Rounding = Rounding.HALF_EVEN,
    sms: SmsTerms | None = None,
    data: DataTerms | None = None,
    ipl: IplTerms | None = None,
) -> Agreement:
    """CN-T and GB-B for all four services in USD."""
    base = Agreement(CN_T, GB_B, "USD", FOUR, ZoneInfo(zone), 0, rounding)
    return replace(base, sms=sms or SmsTerms(), data=data or DataTerms(), ipl=ipl or IplTerms())


def decks(service: Service, *dated: tuple[str, str]) -> DeckHistory:
    """A history of (date of effect, text of the deck file)."""
    return deck_history((ms(day), parse_service_deck(text, "USD", service)) for day, text in dated)


def ms(moment: str) -> int:
    """UTC milliseconds of an ISO date or time."""
    return int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()) * 1000


def usage_of(rows: Iterable[tuple[str, str, str, int, str]]) -> pa.Table:
    """A UsageTable of (a_party, b_party, start, quantity, route)."""
    records = [
        {"line": line, "a_party": a, "b_party": b, "start_ms": ms(start), "quantity": quantity, "route": route}
        for line, (a, b, start, quantity, route) in enumerate(rows, start=1)
    ]
    return pa.Table.from_pylist(records, schema=USAGE_SCHEMA)


def samples(
    port: str, begin: str, octets: Iterable[int], *, sender: CarrierCode = GB_B, seconds: int = 300
) -> list[dict[str, object]]:
    """Rows of a UsageTable: one sample after the other from a moment on."""
    receiver = CN_T if sender == GB_B else GB_B
    first = ms(begin)
    return [
        {
            "line": line,
            "a_party": sender,
            "b_party": receiver,
            "start_ms": first + (line - 1) * seconds * 1000,
            "quantity": quantity,
            "route": port,
        }
        for line, quantity in enumerate(octets, start=1)
    ]


def table(*rows: list[dict[str, object]]) -> pa.Table:
    """Rows of samples, one list after the other, as a UsageTable."""
    return pa.Table.from_pylist([row for part in rows for row in part], schema=USAGE_SCHEMA)
