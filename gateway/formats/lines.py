"""How is a file of any size taken line by line, and shown one line at a time?"""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from gateway.formats.fields import MAX_LINE_BYTES
from ledger.errors import Malformed, NotFound

GZIP = b"\x1f\x8b"
ZIP = b"PK\x03\x04"
PARQUET = b"PAR1"
"""How packed files, workbooks and Parquet files begin."""


class LineSource(Protocol):
    """What lines are taken from: a file, or what unpacks one."""

    def read(self, size: int, /) -> bytes:
        """Up to so many bytes; none at the end."""

    def tell(self) -> int:
        """How many bytes of the file are read."""


def whole_lines(file: LineSource, chunk_bytes: int, skipped: Callable[[], None]) -> Iterator[bytes]:
    """A file in pieces that end with a line. A line that does not end is dropped and told to `skipped`, never held.

    Raises Malformed if the file is not in ASCII or UTF-8.
    """
    held, skipping = file.read(chunk_bytes), False
    _refuse_utf16(held)
    held = held.removeprefix(b"\xef\xbb\xbf")
    while held:
        if skipping:
            begin = held.find(b"\n") + 1
            skipping, held = not begin, held[begin:] if begin else b""
        cut = held.rfind(b"\n") + 1
        if cut:
            yield held[:cut]
        rest, more = held[cut:], file.read(chunk_bytes)
        if len(rest) > MAX_LINE_BYTES:
            skipped()
            rest, skipping = b"", True
        held = rest + more
        if not more:
            if rest:
                yield rest + b"\n"
            return


def raw_line(path: Path, line: int) -> str:
    """A line of a raw file as it stands, for a desk to look at; foreign bytes are shown as �, what is too long is cut.

    Raises NotFound, also for a file whose rows are no lines.
    """
    number, begins = 0, True
    with path.open("rb") as kept:
        head = kept.read(4)
        if head in (ZIP, PARQUET):
            raise NotFound("the file has no lines", expected="a text file", got="a workbook or a Parquet file")
        kept.seek(0)
        file = gzip.GzipFile(fileobj=kept) if head.startswith(GZIP) else kept
        while part := file.readline(MAX_LINE_BYTES):
            number += begins
            if begins and number == line:
                return part.decode("utf-8", "replace").rstrip("\r\n")
            begins = part.endswith(b"\n")
    raise NotFound("no such line", expected=f"a line of {path.name}", got=line)


def _refuse_utf16(start: bytes) -> None:
    head = start[:1024]
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or (len(head) >= 4 and head.count(0) * 4 > len(head)):
        raise Malformed(
            "the file is not in UTF-8 or ASCII",
            expected="one byte for each ASCII character",
            got="UTF-16 or binary content",
            todo="Export the file as UTF-8.",
        )
