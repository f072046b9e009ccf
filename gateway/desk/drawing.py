"""How is a page drawn? Jinja templates, filled with a view and the words of one language."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway.api.login.session import Session
from gateway.desk.filtering import Choices, Filters, filters_of
from gateway.desk.navigation import NAVIGATION, place_of
from gateway.desk.refusing import refusals_of
from gateway.desk.shapes import (
    at,
    at_ms,
    count,
    day,
    exact,
    money,
    money_exact,
    money_signed,
    nanos,
    number,
    percent,
    quantity,
    seconds,
    short,
)
from gateway.desk.sheets.drawn import OWN, Address, drawn, taken
from gateway.desk.sheets.of_pages import sheets_of
from gateway.desk.views.attention import Attention
from gateway.desk.views.explained import Explained, of_arbitrage, of_finding
from gateway.desk.wording import LANGUAGES, Words, words_of
from reconciliation.finding import Cause, Finding

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Page:
    """What every page needs besides its view."""

    carrier: str
    language: str
    asked_language: bool
    path: str
    now_s: int
    health_text: str
    health_mood: str
    origin: str = ""
    """Scheme and host."""
    query: Mapping[str, str] = field(default_factory=dict)
    filters: Filters = field(default_factory=Filters)
    choices: Choices = field(default_factory=lambda: Choices((), ()))
    session: Session | None = None
    """Who is logged in: what its forms bear, and whether they may be sent."""

    @property
    def address(self) -> Address:
        return Address(self.origin, self.path, self.query)


def draw(template: str, page: Page, **values: object) -> str:
    """The HTML of a page."""
    words, refusals = words_of(page.language), refusals_of(page.language)
    other = next(each for each in LANGUAGES if each != page.language)

    def link(path: str, **query: object) -> str:
        """An address with the reader's filters and language; its own words come first, its place on the page last."""
        asked = {"lang": page.language} if page.asked_language else {}
        path, hash_, place = path.partition("#")
        path, _, own = path.partition("?")
        said = filters_of(path, {}).query
        kept = {name: value for name, value in page.filters.query.items() if name not in said}
        wanted = {name: str(value) for name, value in (kept | dict(parse_qsl(own)) | query | asked).items()}
        return (f"{path}?{urlencode(wanted)}" if wanted else path) + hash_ + place

    return (
        _templates()
        .get_template(template)
        .render(
            **values,
            w=words,
            carrier=page.carrier,
            navigation=NAVIGATION,
            here=place_of(page.path),
            link=link,
            now=page.now_s,
            health={"text": page.health_text, "mood": page.health_mood},
            other_language=other,
            other_language_href=page.address.href(lang=other),
            path=page.path,
            address=page.address,
            filters=page.filters,
            choices=page.choices,
            session=page.session,
            writes=page.session is not None and page.session.writes,
            kept={name: value for name, value in page.query.items() if name not in OWN},
            sheets={
                sheet.name: drawn(sheet, values["view"], page.filters, page.address) for sheet in sheets_of(template)
            },
            causes=tuple(Cause),
            taken=lambda name: taken(name, page.address),
            sentence=lambda item: _sentence(words, item),
            explained=lambda finding: _explained(values["view"], finding),
            detour=of_arbitrage,
            refusal=refusals.refusal,
            reason=refusals.reason,
        )
    )


def _sentence(words: Words, item: Attention) -> str:
    return words(f"attention.{item.word}", **item.values)


def _explained(view: object, finding: Finding) -> Explained:
    return of_finding(finding, getattr(view, "partner", ""), getattr(view, "currency", ""))


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    shapes = (
        money,
        money_exact,
        money_signed,
        exact,
        percent,
        count,
        at,
        at_ms,
        day,
        seconds,
        short,
        quantity,
        number,
        nanos,
    )
    environment.globals.update({shape.__name__: shape for shape in shapes})
    return environment
