"""What time is it? A clock is an argument, never a call: this is its type."""

from typing import Protocol


class Clock(Protocol):
    """Tells the time in UTC milliseconds."""

    def now_ms(self) -> int: ...
