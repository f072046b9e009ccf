"""Which words does a page speak? The catalogues of each language, one file a subject under words/.

A text that counts something has another one for one of it, where the language does: `key.one` beside `key.other`, and
`key.by` if it is not {count} that is counted.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "zh")
CATALOGUES = Path(__file__).parent / "words"


@dataclass(frozen=True, slots=True)
class One:
    """How a text reads when there is one of what it counts."""

    by: str
    """The name in braces that counts; its value may be a number, or one as a page shows it."""
    text: str


@dataclass(frozen=True, slots=True)
class Words:
    """The catalogue of one language: `words("key", name=value)`."""

    language: str
    texts: Mapping[str, str]
    ones: Mapping[str, One] = field(default_factory=dict)

    def __call__(self, key: str, **values: object) -> str:
        one = self.ones.get(key)
        text = one.text if one is not None and str(values[one.by]) == "1" else self.texts[key]
        return text.format_map(values)


@cache
def words_of(language: str) -> Words:
    """The words of "en" or "zh", of all subjects; a key stands in one file only."""
    said: dict[str, str | dict[str, str]] = {}
    for path in sorted((CATALOGUES / language).glob("*.toml")):
        found = tomllib.loads(path.read_text("utf-8"))
        assert not said.keys() & found.keys(), f"{path.name} repeats {sorted(said.keys() & found.keys())}"
        said |= found
    texts = {key: text if isinstance(text, str) else text["other"] for key, text in said.items()}
    counting = {key: text for key, text in said.items() if not isinstance(text, str)}
    ones = {key: One(text.get("by", "count"), text["one"]) for key, text in counting.items()}
    return Words(language, texts, ones)


def choose_language(asked: str | None, accept: str) -> str:
    """?lang= if it names a language we have, else the first of Accept-Language that does, else English."""
    if asked in LANGUAGES:
        return str(asked)
    wishes = [part.split(";")[0].strip().lower() for part in accept.split(",")]
    return next((wish[:2] for wish in wishes if wish[:2] in LANGUAGES), "en")
