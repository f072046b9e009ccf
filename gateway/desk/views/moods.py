"""How does a state look, and which word says it?"""

from dataclasses import dataclass
from enum import StrEnum


class Mood(StrEnum):
    """How a state looks."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class State:
    """A state's word (a key of the catalogue) and how it looks."""

    word: str
    mood: Mood = Mood.NOTE
