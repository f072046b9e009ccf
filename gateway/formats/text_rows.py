"""Which rows and fields do the lines of this text hold: separated, at fixed positions, by a pattern, or JSON?"""

import csv
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gateway.formats import fields
from gateway.formats.layout import FileKind, Preset
from gateway.formats.rows import Cut, Refusals, Rows
from ledger.errors import Malformed

MAX_NAME = 64
"""Of a column, in characters."""
_CONTROL = bytes(each for each in range(32) if each != 9)
_LONG = fields.PROBLEMS[fields.LONG_LINE]


class TextRows:
    """Cuts whole lines into rows; knows the lines and the header it has seen."""

    def __init__(self, preset: Preset, refusals: Refusals) -> None:
        self._preset, self._refusals = preset, refusals
        self._order = list(preset.file.columns)
        self._header_due = preset.file.header
        self._lines = 0
        self._cut_lines: Callable[[bytes], Cut] = {
            FileKind.CSV: self._separated,
            FileKind.LINES: self._by_pattern,
            FileKind.FIXED: self._by_pattern,
            FileKind.NDJSON: self._objects,
        }[preset.file.kind]

    def cut(self, piece: bytes) -> Cut:
        """Rows of whole lines. Raises Malformed for a header that lacks columns."""
        if self._header_due:
            piece = self._read_header(piece)
        return self._cut_lines(piece)

    def skip_line(self) -> Cut:
        """A line that is too long to be held."""
        self._lines += 1
        line = np.array([self._lines])
        self._refusals.add(line, "", _LONG)
        return Cut(_no_rows(self._preset.raw_columns), 1, 0, np.zeros(0, np.uint64))

    def _read_header(self, piece: bytes) -> bytes:
        line, _, rest = piece.partition(b"\n")
        self._order = check_header(header_names(line.decode("utf-8", "replace"), self._preset), self._preset)
        self._header_due = False
        self._lines += 1
        return rest

    def _separated(self, piece: bytes) -> Cut:
        wanted, layout = self._preset.raw_columns, self._preset.file
        slots = np.full(len(self._order), -1, np.int32)
        for slot, name in enumerate(wanted):
            slots[self._order.index(name)] = slot
        text = np.frombuffer(piece, np.uint8)
        rows = int(fields.count_lines(text))
        begins, ends = np.zeros((rows, len(wanted)), np.int32), np.zeros((rows, len(wanted)), np.int32)
        status, column, marks = np.zeros(rows, np.int8), np.zeros(rows, np.int32), np.zeros(rows, np.uint64)
        exact = not (layout.header or layout.more)
        fields.split_lines(text, len(piece), ord(layout.delimiter), slots, exact, begins, ends, status, column, marks)
        line = self._numbered(rows)
        other = self._of_another_kind(text, begins, ends, status)
        for problem, reason in fields.PROBLEMS.items():
            where = (status == problem) & ~other
            for at in np.unique(column[where]).tolist():
                self._refusals.add(line[where & (column == at)], self._order[at], reason)
        good, blank = status == fields.OK, status == fields.EMPTY
        if not good.all():
            begins, ends = begins[good], ends[good]
        raw = {name: fields.gather(text, begins[:, slot], ends[:, slot]) for slot, name in enumerate(wanted)}
        return Cut(Rows(line[good], raw), int((~blank).sum()), int(other.sum()), marks[~blank])

    def _of_another_kind(
        self,
        text: fields.Bytes,
        begins: fields.Int32s,
        ends: fields.Int32s,
        status: fields.Codes,
    ) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Lines too short for a row, but of a kind that is no usage: a switch's records of other events."""
        other = np.zeros(len(status), np.bool_)
        short = np.flatnonzero(status == fields.TOO_FEW)
        for condition in self._preset.billable if len(short) else ():
            if condition.column in self._preset.raw_columns:
                slot = self._preset.raw_columns.index(condition.column)
                found = fields.gather(text, begins[short, slot], ends[short, slot])
                values = [value.encode() for value in (*condition.values, *(condition.other or ()), "")]
                if condition.other is None:
                    other[short] |= ~pc.is_in(found, pa.array(values)).to_numpy(zero_copy_only=False)
        return other

    def _by_pattern(self, piece: bytes) -> Cut:
        lines, line, count, marks = self._plain_lines(piece)
        layout = self._preset.file
        array = pa.array(lines, pa.binary())
        of_kind = pc.match_substring(array, layout.marker).to_numpy(zero_copy_only=False)
        found = pc.extract_regex(array, pattern=layout.pattern)
        matched = found.is_valid().to_numpy(zero_copy_only=False)
        self._refusals.add(line[of_kind & ~matched], "", "not as the preset's pattern says")
        good = of_kind & matched
        chosen = pa.array(good)
        raw = {name: pc.struct_field(found, name).filter(chosen) for name in self._preset.raw_columns}
        if layout.kind is FileKind.FIXED:
            raw = {name: _trimmed(each) for name, each in raw.items()}
        return Cut(Rows(line[good], raw), count, int((~of_kind).sum()), marks)

    def _objects(self, piece: bytes) -> Cut:
        lines, line, count, marks = self._plain_lines(piece)
        wanted = self._preset.raw_columns
        good = np.ones(len(lines), np.bool_)
        cells: dict[str, list[bytes]] = {name: [] for name in wanted}
        for row, text in enumerate(lines):
            members = _members(text, wanted)
            if isinstance(members, str):
                good[row] = False
                self._refusals.add(line[row : row + 1], members, "no JSON object" if not members else "no such member")
                continue
            for name in wanted:
                cells[name].append(members[name])
        raw = {name: pa.array(column, pa.binary()) for name, column in cells.items()}
        return Cut(Rows(line[good], raw), count, 0, marks)

    def _plain_lines(self, piece: bytes) -> tuple[list[bytes], np.ndarray, int, np.ndarray]:
        """Lines that hold something and nothing that no line may hold; their numbers; rows in all; marks."""
        lines = [text.removesuffix(b"\r") for text in piece.split(b"\n")[:-1]]
        line = self._numbered(len(lines))
        filled = [row for row, text in enumerate(lines) if text]
        marks = [int.from_bytes(blake2b(lines[row], digest_size=8).digest()) for row in filled]
        good = []
        for row in filled:
            problem = _problem_of(lines[row])
            if problem:
                self._refusals.add(line[row : row + 1], "", problem)
            else:
                good.append(row)
        return [lines[row] for row in good], line[np.array(good, np.int64)], len(filled), np.array(marks, np.uint64)

    def _numbered(self, rows: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        self._lines += rows
        return np.arange(self._lines - rows + 1, self._lines + 1)


def header_names(line: str, preset: Preset) -> list[str]:
    """The names of a header line, in small letters."""
    try:
        cells: Sequence[str] = next(csv.reader([line.rstrip("\r")], delimiter=preset.file.delimiter), [])
    except csv.Error:
        cells = []
    return [cell.strip().lower()[:MAX_NAME] for cell in cells]


def check_header(names: Sequence[str], preset: Preset) -> list[str]:
    """The preset's columns in the file's order; what it does not name is called "". Raises Malformed."""
    wanted = {column.lower(): column for column in preset.file.columns}
    missing = [column for name, column in wanted.items() if name not in names]
    doubled = [name for name in wanted if names.count(name) > 1]
    if missing or doubled:
        raise Malformed(
            "the file's header names a column twice" if doubled else "the file's header line lacks columns",
            expected=", ".join(preset.file.columns),
            got=", ".join(names)[:200],
            todo="Name the preset the file was written for, or map its columns with `gsc mapping`.",
        )
    return [wanted.get(name, name) for name in names]


def _no_rows(columns: Sequence[str]) -> Rows:
    return Rows(np.zeros(0, np.int64), {name: pa.array([], pa.binary()) for name in columns})


def _trimmed(array: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(array, pattern="^[ ]+|[ ]+$", replacement="")


def _problem_of(line: bytes) -> str:
    if len(line) > fields.MAX_LINE_BYTES:
        return _LONG
    if len(line.translate(None, _CONTROL)) == len(line):
        return ""
    return fields.PROBLEMS[fields.LONE_CR if b"\r" in line else fields.CONTROL]


_OBJECT = msgspec.json.Decoder(dict[str, object], float_hook=str)


def _members(text: bytes, wanted: Sequence[str]) -> Mapping[str, bytes] | str:
    """The wanted members as written; the name of one that is not there or no plain value; "" for no object."""
    try:
        value = _OBJECT.decode(text)
        found = {}
        for name in wanted:
            cell = _cell(value, name)
            if cell is None:
                return name
            found[name] = cell
        return found
    except (msgspec.DecodeError, RecursionError, ValueError):
        return ""


def _cell(value: object, name: str) -> bytes | None:
    """A member, by its name or by the path of names to it: "variables.billsec"."""
    if isinstance(value, dict) and name not in value:
        head, dot, rest = name.partition(".")
        return _cell(value[head], rest) if dot and head in value else None
    member = value[name] if isinstance(value, dict) else None
    match member:
        case None:
            return b"" if isinstance(value, dict) else None
        case str():
            cell = member.encode("utf-8", "surrogatepass")
        case bool():
            cell = b"true" if member else b"false"
        case int():
            cell = str(member).encode()
        case _:
            return None
    return cell if len(cell) <= fields.MAX_FIELD_BYTES else None
