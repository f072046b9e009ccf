"""Who sent which file to whom, and what does it say of its times, its money and its own totals?"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from gateway.formats.tap.tree import Element
from gateway.formats.tap.values import NO_INTEGER, NO_TIME, Spans, integers, offsets_of, stamps
from ledger.errors import Malformed

MAX_PLACES = 12
SDR = "SDR"
"""Amounts are in special drawing rights unless the file names another currency."""


@dataclass(frozen=True, slots=True)
class FileName:
    """Which file it is, by what stands in it. Its sender served the roamers, its recipient is where they belong."""

    sender: str
    """TADIG code: "FOO01"."""
    recipient: str
    sequence: str
    """Digits, counted for each sender and recipient."""
    release: str
    """"3.12"."""
    available_ms: int | None
    """UTC; when it was ready to be fetched."""
    is_test: bool

    def __str__(self) -> str:
        return f"{self.sender} to {self.recipient}, number {self.sequence}"


@dataclass(frozen=True, slots=True)
class Money:
    """How a file's amounts are to be read."""

    currency: str
    """Of the amounts: SDR, or what two carriers agreed."""
    local_currency: str
    places: int
    """Decimal places of every amount in the file."""
    rates: Mapping[int, Fraction]
    """Units of the local currency for one of `currency`, by the code events name."""

    def local(self, charges: Mapping[int | None, int]) -> Fraction | None:
        """A sum of charges by rate code in the local currency, exactly; None if one has no known rate."""
        if any(code not in self.rates for code in charges):
            return None
        total = Fraction(0)
        for code, charge in charges.items():
            total += charge * self.rates[code] if code is not None else 0
        return Fraction(total, 10**self.places)

    def amount(self, units: int) -> Fraction:
        """An amount of the file in its currency, exactly."""
        return Fraction(units, 10**self.places)


def offset_table(root: Element) -> Mapping[int, int]:
    """Milliseconds east of UTC by code. What cannot be read has no entry, so that its events say what they lack."""
    table = {}
    network = root.one_of(6)
    for entry in network.within(233) if network else ():
        code, offset = number_in(entry, 232), _offset(entry.one_of(231))
        if code is not None and offset is not None:
            table[code] = offset
    return table


def tap_name(root: Element) -> FileName:
    """From a batch's control information, or from a notification itself. Raises Malformed."""
    control = root.one_of(4) or root
    return FileName(
        sender=text_in(control, 196, "the sender"),
        recipient=text_in(control, 182, "the recipient"),
        sequence=text_in(control, 109, "the sequence number"),
        release=f"{number_in(control, 201) or 0}.{number_in(control, 189) or 0}",
        available_ms=moment(control.one_of(107)),
        is_test=control.one_of(110) is not None,
    )


def tap_money(root: Element) -> Money:
    """Decimal places, currencies and exchange rates. Raises Malformed if amounts cannot be read without doubt."""
    accounting = root.one_of(5)
    places = number_in(accounting, 244) if accounting else None
    if accounting is None or places is None or not 0 <= places <= MAX_PLACES:
        raise Malformed("the file does not say its decimal places", expected=f"0 to {MAX_PLACES}", got=places)
    rates = {}
    for entry in accounting.within(106):
        code, digits, decimals = (number_in(entry, tag) for tag in (105, 104, 159))
        if code is None or digits is None or decimals is None or digits <= 0 or not 0 <= decimals <= MAX_PLACES:
            raise Malformed(
                "an exchange rate of the file cannot be read",
                expected="a code, a positive rate and its decimal places",
                got=f"code {code}, rate {digits}, places {decimals}",
            )
        rates[code] = Fraction(digits, 10**decimals)
    return Money(
        currency=text_in(accounting, 210, "the currency") if accounting.one_of(210) else SDR,
        local_currency=text_in(accounting, 135, "the local currency"),
        places=places,
        rates=rates,
    )


def nrtrde_name(root: Element) -> FileName:
    """From the fields at the head of an NRTRDE file. Raises Malformed."""
    return FileName(
        sender=text_in(root, 38, "the sender"),
        recipient=text_in(root, 36, "the recipient"),
        sequence=text_in(root, 39, "the sequence number"),
        release=f"{number_in(root, 41) or 0}.{number_in(root, 37) or 0}",
        available_ms=_moment(root.one_of(31), root.one_of(45)),
        is_test=False,
    )


def number_in(element: Element, tag: int) -> int | None:
    """An integer directly in an element; None if there is none that can be read."""
    return integer_of(element.one_of(tag))


def integer_of(element: Element | None) -> int | None:
    """What an element says as an integer."""
    if element is None or not isinstance(element.content, bytes):
        return None
    value = int(integers(*_column(element.content))[0])
    return None if value == NO_INTEGER else value


def text_in(element: Element, tag: int, what: str) -> str:
    """A printable text directly in an element. Raises Malformed."""
    found = element.one_of(tag)
    content = found.content if found and isinstance(found.content, bytes) else b""
    text = content.decode("ascii", "replace").strip()
    if not text or not text.isascii() or not text.isprintable() or len(text) > 32:
        raise Malformed(f"the file does not say {what}", expected="1 to 32 ASCII characters", got=repr(content[:40]))
    return text


def moment(element: Element | None) -> int | None:
    """UTC milliseconds of an element that holds a local time and its offset; None if it holds none."""
    return None if element is None else _moment(element.one_of(16), element.one_of(231))


def _moment(stamp: Element | None, offset: Element | None) -> int | None:
    east = _offset(offset)
    if stamp is None or not isinstance(stamp.content, bytes) or east is None:
        return None
    wall = int(stamps(*_column(stamp.content))[0])
    return None if wall == NO_TIME else wall - east


def _offset(element: Element | None) -> int | None:
    if element is None or not isinstance(element.content, bytes):
        return None
    east = int(offsets_of(*_column(element.content))[0])
    return None if east == NO_TIME else east


def _column(content: bytes) -> tuple["np.ndarray[tuple[int], np.dtype[np.uint8]]", Spans]:
    return np.frombuffer(content or b"\0", np.uint8), Spans(np.zeros(1, np.int64), np.array([len(content)], np.int64))
