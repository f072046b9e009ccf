"""How does a desk read a number, a time, an id?"""

from datetime import UTC, datetime

from ledger.money import show_micros


def money(micros: int) -> str:
    """1234567890 → "1,234.57"."""
    whole, part = show_micros(micros, 2).split(".")
    sign = "−" if whole.startswith("-") else ""
    return f"{sign}{int(whole.lstrip('-')):,}.{part}"


def money_exact(micros: int) -> str:
    """As `money`, with as many places as the amount has: what is signed is never shown rounded."""
    if micros % 10_000 == 0:
        return money(micros)
    whole, part = show_micros(abs(micros)).split(".")
    return f"{'−' if micros < 0 else ''}{int(whole):,}.{part.rstrip('0')}"


def money_signed(micros: int) -> str:
    """As `money`, with a plus before what is above zero."""
    return f"+{money(micros)}" if micros > 0 else money(micros)


def exact(micros: int) -> str:
    """All six places."""
    return show_micros(micros)


def nanos(price: int) -> str:
    """A price in billionths, with at least four places: 30000000 → "0.0300"."""
    text = f"{price // 10**9}.{price % 10**9:09d}"
    return text[: max(len(text.rstrip("0")), text.index(".") + 5)]


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


def quantity(amount: int, service: str) -> str:
    """What a record counts, in its service's unit: minutes and seconds, messages, octets, circuit days."""
    return seconds(amount) if service == "voice" else count(amount)


def number(party: str) -> str:
    """A party of a record: a number with its plus, another name as it is, nothing as a dash."""
    return f"+{party}" if party.isascii() and party.isdigit() else party or "—"


def short(text: str) -> str:
    """The two ends of a long id."""
    return f"{text[:10]}…{text[-6:]}" if len(text) > 20 else text


def hexed(raw: bytes) -> str:
    """Bytes as every page and file shows them."""
    return f"0x{raw.hex()}"
