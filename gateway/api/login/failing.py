"""How often may somebody fail to log in? Ten times a minute from one address; then it waits."""

import threading

from gateway.api.problems import TooManyAttempts

FAILURES = 10
WINDOW_MS = 60_000
MAX_ADDRESSES = 10_000
"""Remembered at once; past that, the oldest are forgotten."""


class Failures:
    """Failed logins by the caller's address, in this process: a restart forgives."""

    def __init__(self) -> None:
        self._seen: dict[str, list[int]] = {}
        self._lock = threading.Lock()

    def check(self, address: str, now_ms: int) -> None:
        """Raises TooManyAttempts, with when to come back."""
        with self._lock:
            recent = self._recent(address, now_ms)
        if len(recent) >= FAILURES:
            seconds = max(1, -(-(recent[0] + WINDOW_MS - now_ms) // 1000))
            raise TooManyAttempts(
                "too many failed logins",
                expected=f"fewer than {FAILURES} in {WINDOW_MS // 1000} s",
                todo=f"Wait {seconds} s.",
                retry_after=seconds,
            )

    def count(self, address: str, now_ms: int) -> None:
        """One more failure."""
        with self._lock:
            recent = self._recent(address, now_ms)
            self._seen.pop(address, None)
            self._seen[address] = [*recent[-FAILURES:], now_ms]
            while len(self._seen) > MAX_ADDRESSES:
                del self._seen[next(iter(self._seen))]

    def _recent(self, address: str, now_ms: int) -> list[int]:
        return [at for at in self._seen.get(address, []) if now_ms - at < WINDOW_MS]
