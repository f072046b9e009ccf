"""How does each carrier's switch write its calls down? One raw CDR file, in the columns of its preset."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scripts.traffic.calls import utc_offsets_s
from scripts.traffic.carriers import (
    CARRIERS,
    DIRECTIONS,
    TRUNK_SHARES,
    CarrierPlan,
    Direction,
    Switch,
    in_trunk,
    out_trunk,
)
from scripts.traffic.faults import Books
from scripts.traffic.prices import Ints

EVERY_REPEAT = 3
"""Of the rows written a second time every third repeats the first byte for byte; the others have an id of their own."""
WITHHELD = "anonymous"


@dataclass(frozen=True, slots=True)
class SwitchRows:
    """The rows of one carrier's file in file order, before they are text; all arrays have one length."""

    leg: Ints
    outgoing: Ints
    """1 if the carrier is the debtor of the leg."""
    second: Ints
    """1 for the other row of a leg the switch wrote under two ids."""
    start_s: Ints
    duration_s: Ints


@dataclass(frozen=True, slots=True)
class SwitchFile:
    """What was written: where each row stands, and what a reader must make of it."""

    path: Path
    rows: SwitchRows
    lines: Ints
    """1-based line of each of `rows`."""
    repeats: tuple[int, ...]
    """Lines among them that repeat an earlier one byte for byte."""
    malformed: tuple[tuple[int, str], ...]
    """Line and what is wrong with it."""


def rows_of(books: Books, carrier: CarrierPlan) -> SwitchRows:
    """Every leg the carrier's switch saw, ordered by when it wrote the row."""
    number = CARRIERS.index(carrier)
    debtors = np.array([CARRIERS.index(d.debtor) for d in DIRECTIONS])[books.calls.direction]
    creditors = np.array([CARRIERS.index(d.creditor) for d in DIRECTIONS])[books.calls.direction]
    parts = []
    for outgoing, view, mine in ((1, books.debtor, debtors == number), (0, books.creditor, creditors == number)):
        leg = np.repeat(np.arange(len(view.copies)), np.where(mine, view.copies, 0))
        second = np.concatenate([[0], (leg[1:] == leg[:-1]).astype(np.int64)]) if len(leg) else leg
        parts.append(
            (leg, np.full(len(leg), outgoing), second, view.start_s[leg], view.duration_s[leg], view.ended_s[leg])
        )
    leg, outgoing_, second, start_s, duration_s, ended_s = (np.concatenate(p) for p in zip(*parts, strict=True))
    order = np.lexsort((second, leg, ended_s))
    return SwitchRows(leg[order], outgoing_[order], second[order], start_s[order], duration_s[order])


def write_switch_file(rng: np.random.Generator, books: Books, carrier: CarrierPlan, folder: Path) -> SwitchFile:
    """Write the carrier's file, with malformed rows among the good ones."""
    rows = rows_of(books, carrier)
    fields = _ASTERISK_OR_FREESWITCH[carrier.switch](rng, books, carrier, rows)
    text = pc.binary_join_element_wise(*fields, ",")
    total = len(rows.leg)
    repeats = np.flatnonzero(np.cumsum(rows.second) * rows.second % EVERY_REPEAT == 1)
    text = text.take(pa.array(np.arange(total) - np.isin(np.arange(total), repeats)))
    spoilt = np.sort(rng.choice(np.flatnonzero(rows.duration_s), len(MALFORMED), replace=False))
    models = [[field[int(row)].as_py() for field in fields] for row in spoilt]
    bad = [_spoil(kind, model, carrier) for kind, model in zip(MALFORMED, models, strict=True)]
    # a bad row stands before the row it was made from
    lines = 1 + np.arange(total) + np.searchsorted(spoilt, np.arange(total), side="right")
    place = np.zeros(total + len(spoilt), np.int64)
    place[lines - 1] = np.arange(total)
    place[lines[spoilt] - 2] = total + np.arange(len(spoilt))
    everything = pa.concat_arrays([text.cast(pa.binary()), pa.array(bad, pa.binary())])
    path = folder / carrier.file_name
    _write_lines(path, everything.take(pa.array(place)))
    malformed = tuple(zip((int(line) - 1 for line in lines[spoilt]), MALFORMED, strict=True))
    return SwitchFile(path, rows, lines, tuple(int(line) for line in lines[repeats]), malformed)


def _write_lines(path: Path, lines: pa.BinaryArray) -> None:
    with_ends = pc.binary_join_element_wise(lines, pa.scalar(b"\n", pa.binary()), pa.scalar(b"", pa.binary()))
    buffers = with_ends.buffers()
    path.write_bytes(memoryview(buffers[2])[: np.frombuffer(buffers[1], np.int32)[len(with_ends)]])


# WHAT IS WRONG WITH A MALFORMED ROW

MALFORMED = (
    "cut off after five columns",
    "cut off inside a quotation",
    "month 13",
    "a letter in the duration",
    "negative duration",
    "letters in the called number",
    "bytes that are no text",
)


def _spoil(kind: str, fields: list[str], carrier: CarrierPlan) -> bytes:
    """A good row's fields as a bad row of the kind."""
    freeswitch = carrier.switch is Switch.FREESWITCH
    called, answered, billed = (2, 5, 8) if freeswitch else (2, 10, 13)
    quote = '"' if freeswitch else ""
    match kind:
        case "cut off after five columns":
            fields = fields[:5]
        case "cut off inside a quotation":
            return ",".join(fields[:7])[:-3].encode()
        case "month 13":
            fields[answered] = '"2026-13-04 11:22:33"'
        case "a letter in the duration":
            fields[billed] = f"{quote}6O{quote}"
        case "negative duration":
            fields[billed] = f"{quote}-5{quote}"
        case "letters in the called number":
            fields[called] = '"0044x20seven"'
        case _:
            return ",".join(fields).encode().replace(fields[called].encode(), b'"00\xff\xfe20"')
    return ",".join(fields).encode()


# COLUMNS


def _asterisk(rng: np.random.Generator, books: Books, carrier: CarrierPlan, rows: SwitchRows) -> list[pa.Array]:
    """The 18 columns of Master.csv; numbers stand bare, everything else in quotation marks."""
    a, b, trunk, stamps = _common(books, carrier, rows)
    total, answered = len(rows.leg), rows.duration_s > 0
    ring = books.calls.ring_s[rows.leg]
    serial = np.arange(total) + 0x1A00
    inside = pc.binary_join_element_wise("PJSIP/subs-", _hex8(serial), "")
    partner = pc.binary_join_element_wise("PJSIP/", trunk, "-", _hex8(serial + 1), "")
    out = pa.array(rows.outgoing == 1)
    ended = np.array(("NO ANSWER", "BUSY", "FAILED"))[np.minimum(rng.geometric(0.7, total) - 1, 2)]
    disposition = pc.if_else(pa.array(answered), "ANSWERED", pa.array(ended))
    dialled = pc.binary_join_element_wise("PJSIP/", b, "@", trunk, ",60,tT", "")
    unique = pc.binary_join_element_wise(_text(rows.start_s - ring), _text(serial), ".")
    quoted = _quoted
    return [
        quoted(_same(total, "")),
        quoted(a),
        quoted(b),
        quoted(pc.if_else(out, "from-internal", "from-carriers")),
        quoted(pc.binary_join_element_wise('""', a, '"" <', a, ">", "")),
        quoted(pc.if_else(out, inside, partner)),
        quoted(pc.if_else(out, partner, inside)),
        quoted(_same(total, "Dial")),
        quoted(dialled),
        quoted(stamps.rang),
        quoted(stamps.answered),
        quoted(stamps.ended),
        _text(np.where(answered, ring + rows.duration_s, ring)),
        _text(rows.duration_s),
        quoted(disposition),
        quoted(_same(total, "DOCUMENTATION")),
        quoted(unique),
        quoted(_same(total, "")),
    ]


def _freeswitch(rng: np.random.Generator, books: Books, carrier: CarrierPlan, rows: SwitchRows) -> list[pa.Array]:
    """The 16 columns of the example template with the SIP gateway's name; all in quotation marks."""
    a, b, trunk, stamps = _common(books, carrier, rows)
    total, answered = len(rows.leg), rows.duration_s > 0
    ring = books.calls.ring_s[rows.leg]
    failed = np.array(("NO_ANSWER", "USER_BUSY", "ORIGINATOR_CANCEL"))[np.minimum(rng.geometric(0.7, total) - 1, 2)]
    out = pa.array(rows.outgoing == 1)
    columns = [
        a,
        a,
        b,
        pc.if_else(out, "default", "public"),
        stamps.rang,
        stamps.answered,
        stamps.ended,
        _text(np.where(answered, ring + rows.duration_s, ring)),
        _text(rows.duration_s),
        pc.if_else(pa.array(answered), "NORMAL_CLEARING", pa.array(failed)),
        _uuids(rng, total),
        pc.if_else(pa.array(answered), _uuids(rng, total), ""),
        pc.if_else(out, "retail", "carriers"),
        _same(total, "PCMA"),
        _same(total, "PCMA"),
        trunk,
    ]
    return [_quoted(column) for column in columns]


_ASTERISK_OR_FREESWITCH = {Switch.ASTERISK: _asterisk, Switch.FREESWITCH: _freeswitch}


@dataclass(frozen=True, slots=True)
class _Stamps:
    """Local times as text; `answered` is "" where nobody answered."""

    rang: pa.Array
    answered: pa.Array
    ended: pa.Array


def _common(books: Books, carrier: CarrierPlan, rows: SwitchRows) -> tuple[pa.Array, pa.Array, pa.Array, _Stamps]:
    """A-number, B-number, trunk name and stamps as the carrier's switch writes them."""
    calls = books.calls
    trunk_no = calls.trunk[rows.leg]
    a = pc.if_else(pa.array(calls.a[rows.leg] > 0), _written(calls.a[rows.leg], trunk_no, carrier), WITHHELD)
    b = _written(calls.b[rows.leg], trunk_no, carrier)
    names = [_trunk_names(d, outgoing) for outgoing in (0, 1) for d in DIRECTIONS]
    table = pa.array([name for three in names for name in three])
    width = len(TRUNK_SHARES)
    key = (rows.outgoing * len(DIRECTIONS) + calls.direction[rows.leg]) * width + trunk_no - 1
    ring, answered = calls.ring_s[rows.leg], rows.duration_s > 0
    rang_s = np.where(answered, rows.start_s - ring, rows.start_s)
    stamps = _Stamps(
        _local(rang_s, carrier),
        pc.if_else(pa.array(answered), _local(rows.start_s, carrier), ""),
        _local(np.where(answered, rows.start_s + rows.duration_s, rows.start_s + ring), carrier),
    )
    return a, b, table.take(pa.array(key)), stamps


def _trunk_names(direction: Direction, outgoing: int) -> list[str]:
    name = out_trunk if outgoing else in_trunk
    return [name(direction, number) for number in range(1, len(TRUNK_SHARES) + 1)]


def _written(numbers: Ints, trunk_no: Ints, carrier: CarrierPlan) -> pa.Array:
    """E.164 numbers in the switch's habit: trunk 2 writes "+", the others national or with the international prefix."""
    digits = _text(numbers)
    own = pc.starts_with(digits, carrier.country_code)
    national = pc.binary_join_element_wise(
        carrier.national_prefix, pc.utf8_slice_codeunits(digits, len(carrier.country_code)), ""
    )
    prefixed = pc.binary_join_element_wise(carrier.international_prefix, digits, "")
    with_plus = pc.binary_join_element_wise("+", digits, "")
    return pc.if_else(pa.array(trunk_no == 2), with_plus, pc.if_else(own, national, prefixed))


def _local(utc_s: Ints, carrier: CarrierPlan) -> pa.Array:
    """ "2026-10-01 13:05:59" in the carrier's zone."""
    local = utc_s + utc_offsets_s(utc_s, carrier.zone)
    return pa.array(local.astype("datetime64[s]")).cast(pa.string())


def _text(numbers: Ints) -> pa.Array:
    return pa.array(numbers).cast(pa.string())


def _same(total: int, word: str) -> pa.Array:
    return pa.repeat(word, total)


def _quoted(column: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise('"', column, '"', "")


_HEX4 = pa.array([f"{n:04x}" for n in range(65_536)])


def _hex8(numbers: Ints) -> pa.Array:
    return pc.binary_join_element_wise(_HEX4.take(pa.array(numbers >> 16)), _HEX4.take(pa.array(numbers & 0xFFFF)), "")


def _uuids(rng: np.random.Generator, total: int) -> pa.Array:
    """Version 4 in shape."""
    words = [_HEX4.take(pa.array(rng.integers(0, 65_536, total))) for _ in range(6)]
    version = _HEX4.take(pa.array(0x4000 + rng.integers(0, 4096, total)))
    variant = _HEX4.take(pa.array(0x8000 + rng.integers(0, 16384, total)))
    first = pc.binary_join_element_wise(words[0], words[1], "")
    last = pc.binary_join_element_wise(words[3], words[4], words[5], "")
    return pc.binary_join_element_wise(first, words[2], version, variant, last, "-")
