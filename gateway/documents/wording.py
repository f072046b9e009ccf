"""Which words do documents speak? Their own catalogue over the desk's, in each of its languages."""

import tomllib
from functools import cache
from pathlib import Path

from gateway.desk.wording import LANGUAGES, Words, words_of
from ledger.errors import Malformed

CATALOGUES = Path(__file__).parent / "words"


@cache
def document_words(language: str) -> Words:
    """The words of "en" or "zh". Raises Malformed for another language."""
    if language not in LANGUAGES:
        raise Malformed("not a language of documents", expected=" or ".join(LANGUAGES), got=repr(language[:20]))
    own = tomllib.loads((CATALOGUES / f"{language}.toml").read_text("utf-8"))
    desk = words_of(language)
    return Words(language, {**desk.texts, **own}, desk.ones)
