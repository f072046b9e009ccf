"""Which words does a page speak? The catalogues of each language, one file a subject under words/."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "zh")
CATALOGUES = Path(__file__).parent / "words"


@dataclass(frozen=True, slots=True)
class Words:
    """The catalogue of one language: `words("key", name=value)`."""

    language: str
    texts: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        return self.texts[key].format_map(values)


@cache
def words_of(language: str) -> Words:
    """The words of "en" or "zh", of all subjects; a key stands in one file only."""
    texts: dict[str, str] = {}
    for path in sorted((CATALOGUES / language).glob("*.toml")):
        found = tomllib.loads(path.read_text("utf-8"))
        assert not texts.keys() & found.keys(), f"{path.name} repeats {sorted(texts.keys() & found.keys())}"
        texts |= found
    return Words(language, texts)


def choose_language(asked: str | None, accept: str) -> str:
    """?lang= if it names a language we have, else the first of Accept-Language that does, else English."""
    if asked in LANGUAGES:
        return str(asked)
    wishes = [part.split(";")[0].strip().lower() for part in accept.split(",")]
    return next((wish[:2] for wish in wishes if wish[:2] in LANGUAGES), "en")
