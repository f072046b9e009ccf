"""What does a refusal say to its reader? The program's own English words, or what another language has for them.

A language's catalogue stands under words/LANGUAGE/refusals: headings by slug, and sentences by the English one as the
code has it, with {} where the code fills something in and {0}, {1} for it in the other language. What a catalogue does
not have stays English: a refusal is said in any case.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from gateway.desk.wording import CATALOGUES
from ledger.errors import GscError

HEADINGS = "headings"
"""The file of a catalogue that has them."""
MAX_MATCHED = 2_000
"""Characters of a sentence that is looked for with what the code filled in."""
_STORED = re.compile(r"(?P<message>.+?)(?P<arguments> \([^()]*\))?\. (?P<todo>.+)", re.DOTALL)
"""A contract's refusal as the outbox keeps it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal in the reader's language."""

    heading: str
    message: str
    expected: str | None
    got: str | None
    todo: str
    status: int


@dataclass(frozen=True, slots=True)
class Refusals:
    """What one language has for refusals; nothing for English."""

    headings: Mapping[str, str]
    sentences: Mapping[str, str]
    """By the English one, whole or with {}."""
    patterns: Sequence[tuple[re.Pattern[str], str]]
    """Those with {}, the one that says most first."""

    def heading_of(self, kind: type[GscError]) -> str:
        """What stands above a refusal of a class: its heading, or that of the nearest class above that has one."""
        for each in kind.__mro__:
            if issubclass(each, GscError) and each.slug in self.headings:
                return self.headings[each.slug]
        return kind.slug.replace("-", " ").capitalize()

    def said(self, text: str) -> str:
        """A sentence in the language, or as it came."""
        if text in self.sentences or len(text) > MAX_MATCHED:
            return self.sentences.get(text, text)
        for pattern, sentence in self.patterns:
            if found := pattern.fullmatch(text):
                return sentence.format(*(self.sentences.get(each, each) for each in found.groups()))
        return text

    def reason(self, text: str) -> str:
        """Why a submission waits or failed, of which a contract's refusal is kept as one text."""
        found = _STORED.fullmatch(text)
        if found is None or found["message"] not in self.sentences:
            return self.said(text)
        return f"{self.said(found['message'])}{found['arguments'] or ''}。{self.said(found['todo'])}"

    def refusal(self, error: GscError) -> Refusal:
        """All that a page says of it."""
        return Refusal(
            heading=self.heading_of(type(error)),
            message=self.said(error.message),
            expected=None if error.expected is None else self.said(str(error.expected)),
            got=None if error.got is None else self.said(str(error.got)),
            todo=self.said(error.todo),
            status=error.status,
        )


@cache
def refusals_of(language: str) -> Refusals:
    """What "en" or "zh" has for refusals."""
    headings: dict[str, str] = {}
    sentences: dict[str, str] = {}
    for path in sorted((CATALOGUES / language / "refusals").glob("*.toml")):
        found = tomllib.loads(path.read_text("utf-8"))
        into = headings if path.stem == HEADINGS else sentences
        assert not into.keys() & found.keys(), f"{path.name} repeats {sorted(into.keys() & found.keys())}"
        into |= found
    holed = sorted((key for key in sentences if "{}" in key), key=lambda key: (-len(key), key))
    return Refusals(headings, sentences, [(_pattern(key), sentences[key]) for key in holed])


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile("(.+?)".join(map(re.escape, template.split("{}"))), re.DOTALL)
