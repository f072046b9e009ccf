"""What bytes would a clearing house write? A small BER encoder, and roaming files made with it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.formats.tap.ber import APPLICATION
from gateway.formats.tap.tree import Element


def leaf(number: int, content: bytes | str | int, *, tag_class: int = 1) -> bytes:
    """A primitive element; text is ASCII, an integer two's complement of least width."""
    if isinstance(content, str):
        content = content.encode("ascii")
    if isinstance(content, int):
        content = content.to_bytes(content.bit_length() // 8 + 1, "big", signed=True)
    return _tag(number, tag_class, constructed=False) + _length(len(content)) + content


def node(number: int, *inside: bytes, tag_class: int = 1, indefinite: bool = False) -> bytes:
    """An element of elements."""
    content = b"".join(inside)
    tag = _tag(number, tag_class, constructed=True)
    return tag + b"\x80" + content + b"\0\0" if indefinite else tag + _length(len(content)) + content


def packed(digits: str) -> bytes:
    """Digits two to a byte, filled up with F."""
    return bytes.fromhex(digits + "f" * (len(digits) % 2))


def encode(tree: Element, *, indefinite: Sequence[bool] = ()) -> bytes:
    """A tree's bytes; `indefinite` says in turn which elements of elements have no length, the rest have one."""
    marks = iter(indefinite)

    def written(each: Element) -> bytes:
        number, tag_class = each.tag & (APPLICATION - 1), each.tag >> 28
        if isinstance(each.content, bytes):
            return leaf(number, each.content, tag_class=tag_class)
        mark = next(marks, False)
        return node(number, *map(written, each.content), tag_class=tag_class, indefinite=mark)

    return written(tree)


def _tag(number: int, tag_class: int, *, constructed: bool) -> bytes:
    first = tag_class << 6 | constructed << 5
    if number < 31:
        return bytes([first | number])
    septets = [number >> shift & 0x7F for shift in range(28, -1, -7)]
    while septets[0] == 0:
        septets.pop(0)
    return bytes([first | 31, *(septet | 0x80 for septet in septets[:-1]), septets[-1]])


def _length(size: int) -> bytes:
    if size < 128:
        return bytes([size])
    width = (size.bit_length() + 7) // 8
    return bytes([0x80 | width]) + size.to_bytes(width, "big")


def stamped(number: int, stamp: str, offset: str = "+0000") -> bytes:
    """A time with its offset from UTC."""
    return node(number, leaf(16, stamp), leaf(231, offset))


def coded(number: int, stamp: str, code: int = 1) -> bytes:
    """A time with a code of the file's table of offsets."""
    return node(number, leaf(16, stamp), leaf(232, code))


def charges(*details: tuple[str, int], rate: int | None = 1) -> bytes:
    """One group of charges by type under one exchange rate."""
    listed = node(64, *(node(63, leaf(71, kind), leaf(62, units)) for kind, units in details))
    return node(70, node(69, leaf(66, "D"), *([leaf(105, rate)] if rate is not None else []), listed))


def roamer(imsi: str = "460001234567890", number: str = "8613800138000") -> bytes:
    """The chargeable subscriber."""
    told = [leaf(152, packed(number))] if number else []
    return node(427, node(199, leaf(129, packed(imsi)), *told))


def call(
    *,
    to_roamer: bool = False,
    start: str = "20261005100000",
    offset_code: int = 1,
    seconds: int = 61,
    number: str = "442079460000",
    service: str = "11",
    charged: bytes = b"",
    subscriber: bytes | None = None,
) -> bytes:
    """A call, or with a teleservice of 21 or 22 a message."""
    other = node(41, leaf(405, packed(number))) if to_roamer else node(89, leaf(407, packed(number)))
    head = [
        subscriber if subscriber is not None else roamer(),
        other,
        coded(44, start, offset_code),
        leaf(223, seconds),
    ]
    used = node(39, node(36, node(426, leaf(218, service))), charged or charges(("00", 2300)))
    return node(10 if to_roamer else 9, node(153 if to_roamer else 147, *head), node(38, used))


def session(
    octets_in: int = 1_200_000_000,
    octets_out: int = 2_200_000_000,
    *,
    start: str = "20261005110000",
    charged: bytes = b"",
) -> bytes:
    """A data session."""
    head = node(114, node(115, roamer()), coded(44, start), leaf(223, 500))
    used = node(121, leaf(250, octets_in), leaf(251, octets_out), charged or charges(("00", 66600)))
    return node(14, head, used)


@dataclass(frozen=True)
class Batch:
    """A TAP file, as its fields say."""

    events: Sequence[bytes] = ()
    sender: str = "GBRXX"
    recipient: str = "CHNYY"
    number: str = "00042"
    offsets: Sequence[tuple[int, str]] = ((1, "+0200"), (2, "-0530"))
    rates: Sequence[tuple[int, int, int]] = ((1, 116203, 5),)
    """Code, digits and decimal places."""
    places: int = 3
    release: int = 12
    count: int | None = None
    """None: as many as there are."""
    charge: int | None = None
    earliest: str | None = None
    latest: str | None = None
    extra: Sequence[bytes] = field(default=())
    """More control information."""

    def encoded(self, *, indefinite: bool = False) -> bytes:
        """The file; `indefinite` leaves out the lengths of root and list."""
        control = node(
            4,
            leaf(196, self.sender),
            leaf(182, self.recipient),
            leaf(109, self.number),
            stamped(107, "20261005120000", "+0200"),
            leaf(201, 3),
            leaf(189, self.release),
            *self.extra,
        )
        rates = node(80, *(node(106, leaf(105, c), leaf(159, p), leaf(104, d)) for c, d, p in self.rates))
        accounting = node(5, leaf(135, "EUR"), rates, leaf(244, self.places))
        network = node(6, node(234, *(node(233, leaf(232, c), leaf(231, text)) for c, text in self.offsets)))
        listed = node(3, *self.events, indefinite=indefinite)
        count = len(self.events) if self.count is None else self.count
        times = [stamped(tag, s, "+0200") for tag, s in ((101, self.earliest), (133, self.latest)) if s]
        audit = node(15, *times, leaf(415, self.charge or 0), leaf(43, count))
        return node(1, control, accounting, network, listed, audit, indefinite=indefinite)


@dataclass(frozen=True)
class NrtrdeFile:
    """An NRTRDE file, as its fields say."""

    events: Sequence[bytes]
    count: int
    available: str
    offset: str = "+0200"
    sender: str = "FOO01"
    recipient: str = "BAR02"

    def encoded(self) -> bytes:
        """The file."""
        head = [leaf(41, 2), leaf(37, 1), leaf(38, self.sender), leaf(36, self.recipient), leaf(39, "1")]
        times = [leaf(31, self.available), leaf(45, self.offset)]
        return node(1, *head, *times, node(2, *self.events), leaf(20, self.count))


def quick(number: int, start: str, seconds: int, *rest: bytes, imsi: str = "133713371337133") -> bytes:
    """An event of an NRTRDE file: 3 from a roamer, 4 to a roamer, 5 data."""
    when = [leaf(21, start), leaf(45, "+0200"), leaf(19, seconds)]
    return node(number, leaf(34, packed(imsi)), *when, leaf(24, 0), *rest)


def returned(number: int, *inside: bytes) -> bytes:
    """A return of a RAP file: 538 missing, 539 fatal, 540 severe."""
    return node(number, *inside)


def wrong(code: int, *items: int, offset: int | None = None) -> bytes:
    """A list of one error, in the items from the outermost on."""
    told = [node(545, leaf(546, item), leaf(548, level)) for level, item in enumerate(items, start=1)]
    place = [leaf(524, offset)] if offset is not None else []
    return node(520, node(521, leaf(519, code), *place, node(549, *told)))


def rap_file(*returns: bytes, count: int | None = None) -> bytes:
    """A RAP file from CHNYY to GBRXX."""
    who = [leaf(196, "CHNYY"), leaf(182, "GBRXX"), leaf(181, "00007")]
    when = [stamped(526, "20261006101500"), stamped(525, "20261006101600")]
    control = node(537, *who, *when, leaf(201, 3), leaf(189, 12), leaf(544, 1), leaf(543, 5))
    audit = node(541, leaf(533, 0), leaf(528, len(returns) if count is None else count))
    return node(534, control, node(536, *returns), audit)
