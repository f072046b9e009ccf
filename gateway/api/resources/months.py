"""Which agreements and months are meant? What every list of a month's things begins with."""

from collections.abc import Iterator

from sqlalchemy import Connection

from gateway.api.models import CarrierText, PeriodText
from gateway.api.resources.kind import Asked
from gateway.composition import Gateway, Partnership, partnerships
from ledger.period import Period, parse_period
from ledger.store.batches import list_batches
from ledger.store.declarations import list_closes, list_declarations
from ledger.store.settlement import list_statements

Partner = CarrierText
Month = PeriodText


class AskedPartner(Asked):
    """A list of what is between us and our partners."""

    partner: Partner | None = None


class AskedMonth(AskedPartner):
    """A list of what is between us and our partners in a month."""

    period: Month | None = None


def held_of(gateway: Gateway, asked: AskedPartner) -> list[Partnership]:
    """The agreements that are asked for; none for a partner we have none with."""
    held = partnerships(gateway.settings)
    return [each for code, each in held.items() if asked.partner in (None, code)]


def months_of(connection: Connection, gateway: Gateway, asked: AskedMonth) -> Iterator[tuple[Partnership, Period]]:
    """Each agreement with each of its months in which something was sealed, declared, closed or stated."""
    for held in held_of(gateway, asked):
        if asked.period is not None:
            yield held, parse_period(asked.period)
            continue
        known = {row.scope.period for row in list_batches(connection, held.id)}
        known |= {row.scope.period for row in list_declarations(connection, held.id)}
        known |= {row.period for row in list_closes(connection, held.id)}
        known |= {row.period for row in list_statements(connection, held.id)}
        for period in sorted(known):
            yield held, period
