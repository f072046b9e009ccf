"""How is a usage file of any kind taken piece by piece, packed or not, without trusting what it says of its size?"""

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import IO, cast

import numpy as np

from gateway.formats.fields import MAX_LINE_BYTES, count_lines
from gateway.formats.layout import FileKind, Preset
from gateway.formats.lines import GZIP, LineSource, whole_lines
from gateway.formats.rows import Cut, Refusals
from gateway.formats.table_rows import parquet_cuts, sheet_cuts
from gateway.formats.text_rows import TextRows
from ledger.errors import Malformed

CHUNK_BYTES = 4 << 20
"""What is read at a time."""
PORTION_LINES = 1 << 17
"""Lines taken at a time, if they are so short that more stand in a chunk."""
MAX_EXPANSION = 100
"""Times its size that a packed file may hold: usage files pack to a tenth."""
FREE_EXPANSION_BYTES = 16 << 20
"""What any packed file may hold."""
MAX_SHOWN_BYTES = 4_096
"""Of a raw line, kept with the reason it was left out."""

Told = Callable[[int], None]
"""Hears how many bytes of the file are done."""


def cuts_of(path: Path, preset: Preset, refusals: Refusals, told: Told | None = None) -> Iterator[Cut]:
    """The rows of a file, in pieces. Raises Malformed if it is no such file at all."""
    try:
        match preset.file.kind:
            case FileKind.PARQUET:
                yield from parquet_cuts(path, preset, refusals)
            case FileKind.XLSX:
                yield from sheet_cuts(path, preset, refusals)
            case _:
                yield from _text_cuts(path, preset, refusals, told)
        if told:
            told(path.stat().st_size)
    except (OSError, EOFError, zlib.error) as error:
        raise Malformed("the usage file cannot be read", expected="a readable file", got=str(error)) from None


@contextmanager
def text_stream(path: Path) -> Iterator[LineSource]:
    """A text file's bytes, unpacked if it is packed. Reading raises Malformed for one that holds out of proportion."""
    with path.open("rb") as file:
        if file.peek(2)[:2] == GZIP:
            yield _Unpacked(file, path.stat().st_size)
        else:
            yield file


def raw_lines(path: Path, kind: FileKind, wanted: Iterable[int]) -> Iterator[str]:
    """Lines of a text file as they stand, by their numbers in ascending order, in one pass; "" for what has no lines.

    Foreign bytes become �; what is long is cut.
    """
    if kind in (FileKind.PARQUET, FileKind.XLSX):
        yield from ("" for _ in wanted)
        return
    with path.open("rb") as file:
        packed = file.peek(2)[:2] == GZIP
        stream = cast(IO[bytes], gzip.GzipFile(fileobj=cast(IO[bytes], file)) if packed else file)
        number, text = 0, b""
        for line in wanted:
            while number < line and (text := _next_line(stream)):
                number += 1
            found = text if number == line else b""
            yield found[:MAX_SHOWN_BYTES].decode("utf-8", "replace").rstrip("\r\n").replace("\0", "�")


def _next_line(stream: IO[bytes]) -> bytes:
    """The next line, or of a longer one the first 64 KiB."""
    text = part = stream.readline(MAX_LINE_BYTES)
    while part and not part.endswith(b"\n"):
        part = stream.readline(MAX_LINE_BYTES)
    return text


class _Unpacked:
    """Reads gzip, and counts."""

    def __init__(self, file: BufferedReader, packed_bytes: int) -> None:
        self._file, self._stream = file, gzip.GzipFile(fileobj=cast(IO[bytes], file))
        self._left = max(FREE_EXPANSION_BYTES, packed_bytes * MAX_EXPANSION)

    def read(self, size: int) -> bytes:
        piece = self._stream.read(size)
        self._left -= len(piece)
        if self._left < 0:
            raise Malformed(
                "the packed file holds more than any usage file would",
                expected=f"at most {MAX_EXPANSION} times its size",
                got="more",
                todo="Unpack it yourself if you trust it.",
            )
        return piece

    def tell(self) -> int:
        return self._file.tell()


def _text_cuts(path: Path, preset: Preset, refusals: Refusals, told: Told | None) -> Iterator[Cut]:
    rows = TextRows(preset, refusals)
    skipped: list[Cut] = []
    with text_stream(path) as stream:
        for piece in whole_lines(stream, CHUNK_BYTES, lambda: skipped.append(rows.skip_line())):
            yield from skipped
            skipped.clear()
            for portion in _portions(piece):
                yield rows.cut(portion)
            if told:
                told(stream.tell())
        yield from skipped


def _portions(piece: bytes) -> Iterator[bytes]:
    """A piece in portions of so many lines: what is held of each line does not depend on its length."""
    text = np.frombuffer(piece, np.uint8)
    if count_lines(text) <= PORTION_LINES:
        yield piece
        return
    ends = np.flatnonzero(text == ord("\n")) + 1
    begin = 0
    for end in [*ends[PORTION_LINES - 1 :: PORTION_LINES].tolist(), len(piece)]:
        if end > begin:
            yield piece[begin:end]
        begin = end
