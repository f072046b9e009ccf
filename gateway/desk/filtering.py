"""Which month, partner and service does the reader look at? In the address of every page, and in its links."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from sqlalchemy import select

from gateway.composition import Gateway, partnerships
from ledger.chain.bindings import UsageDeclared
from ledger.service import Service
from ledger.store.engine import reading
from ledger.store.latest import table_of

GLOBAL = ("period", "partner", "service")
_STATEMENT = re.compile(r"/desk/statements/(?P<partner>[^/]+)/(?P<period>[^/]+)(/.*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Filters:
    """What the reader asked for; "" is everything."""

    period: str = ""
    partner: str = ""
    service: str = ""

    @property
    def query(self) -> dict[str, str]:
        """What links carry on."""
        return {name: getattr(self, name) for name in GLOBAL if getattr(self, name)}


@dataclass(frozen=True, slots=True)
class Choices:
    """What there is to choose from."""

    periods: tuple[str, ...]
    partners: tuple[str, ...]
    services: tuple[str, ...] = tuple(service.word for service in Service)


def filters_of(path: str, query: Mapping[str, str]) -> Filters:
    """What an address asks for; a statement's own address says its partner and month."""
    asked = {name: query.get(name, "")[:40] for name in GLOBAL}
    found = _STATEMENT.fullmatch(path)
    return Filters(**(asked | found.groupdict() if found else asked))


def choices_of(gateway: Gateway) -> Choices:
    """Months in which anything of ours was declared, the latest first, and partners with an agreement."""
    declared, held = table_of(UsageDeclared), partnerships(gateway.settings)
    ours = declared.agreement_id.in_([each.id for each in held.values()])
    query = select(declared.period).where(ours).distinct().order_by(declared.period.desc())
    with reading(gateway.engine) as connection:
        months = connection.execute(query).scalars().all()
    return Choices(tuple(map(str, months)), tuple(held))


def address_of(here: str, filters: Filters, language: str | None) -> str:
    """The page a reader wants who was at `here` and chose these filters: the same one, or another statement."""
    path = here if here == "/desk" or re.fullmatch(r"/desk/[\w./%-]*", here, re.ASCII) else "/desk"
    rest = filters.query | ({"lang": language} if language else {})
    if _STATEMENT.fullmatch(path) and filters.partner and filters.period:
        path = f"/desk/statements/{quote(filters.partner, safe='')}/{quote(filters.period, safe='')}"
        rest = {name: value for name, value in rest.items() if name not in ("partner", "period")}
    elif _STATEMENT.fullmatch(path):
        path = "/desk"
    return f"{path}?{urlencode(rest)}" if rest else path
