"""How is a page drawn? Jinja templates, the words of one language, and numbers as a desk reads them."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway.desk.views import Attention, Bar, Waterfall
from ledger.money import show_micros
from reconciliation.finding import Finding

LANGUAGES = ("en", "zh")
_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Words:
    """The catalogue of one language: `words("key", name=value)`."""

    language: str
    texts: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        return self.texts[key].format_map(values)


@cache
def words_of(language: str) -> Words:
    """The words of "en" or "zh"."""
    return Words(language, tomllib.loads((_HERE / "words" / f"{language}.toml").read_text("utf-8")))


def choose_language(asked: str | None, accept: str) -> str:
    """?lang= if it names a language we have, else the first of Accept-Language that does, else English."""
    if asked in LANGUAGES:
        return str(asked)
    wishes = [part.split(";")[0].strip().lower() for part in accept.split(",")]
    return next((wish[:2] for wish in wishes if wish[:2] in LANGUAGES), "en")


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


def draw(template: str, page: Page, **values: object) -> str:
    """The HTML of a page."""
    words = words_of(page.language)
    other = next(each for each in LANGUAGES if each != page.language)

    def link(path: str, **query: object) -> str:
        asked = {"lang": page.language} if page.asked_language else {}
        wanted = {name: str(value) for name, value in (query | asked).items()}
        return f"{path}?{urlencode(wanted)}" if wanted else path

    return (
        _templates()
        .get_template(template)
        .render(
            **values,
            w=words,
            carrier=page.carrier,
            page=template.removesuffix(".html"),
            link=link,
            now=page.now_s,
            health={"text": page.health_text, "mood": page.health_mood},
            other_language=other,
            other_language_href=f"{page.path}?lang={other}",
            sentence=lambda item: _sentence(words, item),
            explained=_explainer(words, values),
        )
    )


def money(micros: int) -> str:
    """1234567890 → "1,234.57"."""
    whole, part = show_micros(micros, 2).split(".")
    sign = "−" if whole.startswith("-") else ""
    return f"{sign}{int(whole.lstrip('-')):,}.{part}"


def money_signed(micros: int) -> str:
    """As `money`, with a plus before what is above zero."""
    return f"+{money(micros)}" if micros > 0 else money(micros)


def exact(micros: int) -> str:
    """All six places."""
    return show_micros(micros)


def percent(bps: int | None) -> str:
    """Hundredths of a percent as "−0.37"; nothing to compare with is a dash."""
    if bps is None:
        return "—"
    sign = "−" if bps < 0 else "+" if bps > 0 else ""
    return f"{sign}{abs(bps) // 100}.{abs(bps) % 100:02d}"


def count(number: int) -> str:
    """12345 → "12,345"."""
    return f"{number:,}"


def at(seconds: int) -> str:
    """Chain time to the minute, UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def at_ms(ms: int) -> str:
    """An event's time to the second, UTC."""
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def day(seconds: int) -> str:
    """The UTC day of a chain time."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def seconds(ms: int) -> str:
    """A duration in ms as "2:05" (minutes and seconds), with its milliseconds if there are any."""
    minutes, rest = divmod(ms, 60_000)
    tail = f".{rest % 1000:03d}" if rest % 1000 else ""
    return f"{minutes}:{rest // 1000:02d}{tail}"


def short(text: str) -> str:
    """The two ends of a long id."""
    return f"{text[:10]}…{text[-6:]}" if len(text) > 20 else text


def waterfall(creditor: str, service: str, findings: Sequence[Finding]) -> Waterfall:
    """The findings of one direction as floating bars, causes in order of weight; the bars sum to the difference."""
    amounts: dict[str, int] = {}
    counts: dict[str, int] = {}
    for finding in findings:
        amounts[finding.cause] = amounts.get(finding.cause, 0) + finding.difference_micros
        counts[finding.cause] = counts.get(finding.cause, 0) + finding.count
    order = sorted(amounts, key=lambda cause: (-abs(amounts[cause]), cause))
    corners = [0]
    for cause in order:
        corners.append(corners[-1] + amounts[cause])
    low, span = min(corners), max(max(corners) - min(corners), 1)

    def place(micros: int) -> int:
        return 10 + (micros - low) * 980 // span

    bars = [
        Bar(
            cause=cause,
            count=counts[cause],
            amount_micros=amounts[cause],
            left=min(place(before), place(after)),
            width=max(2, abs(place(after) - place(before))),
            joint=place(after),
        )
        for cause, before, after in zip(order, corners, corners[1:], strict=False)
    ]
    return Waterfall(creditor, service, corners[-1], place(0), bars)


def _sentence(words: Words, item: Attention) -> str:
    return words(f"attention.{item.word}", **item.values)


def _explainer(words: Words, values: Mapping[str, object]) -> Callable[[Finding], str]:
    view = values.get("view")
    partner, unit = getattr(view, "partner", ""), getattr(view, "currency", "")

    def explained(finding: Finding) -> str:
        """English is the engine's own sentence; other languages say the same numbers by their catalogue."""
        if words.language == "en":
            return finding.explanation
        return words(
            f"explained.{finding.cause}",
            partner=partner,
            count=count(finding.count),
            unit=unit,
            amount=money(abs(finding.difference_micros)),
            route=finding.route or "—",
            destination=finding.destination or "—",
        )

    return explained


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    shapes = (money, money_signed, exact, percent, count, at, at_ms, day, seconds, short)
    environment.globals.update({shape.__name__: shape for shape in shapes})
    return environment
