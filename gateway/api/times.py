"""How does the API show a moment? ISO 8601 in UTC with milliseconds, so that text sorts as time does."""

from datetime import UTC, datetime


def utc_of_ms(ms: int) -> str:
    """1791849600123 → "2026-10-13T00:00:00.123Z"."""
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{ms % 1000:03d}Z"


def utc_of_s(seconds: int) -> str:
    """Seconds since 1970, likewise."""
    return utc_of_ms(seconds * 1000)
