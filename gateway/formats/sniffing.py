"""Which preset fits this file, and how sure is that?"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gateway.formats import fields
from gateway.formats.files import cuts_of, text_stream
from gateway.formats.layout import FileKind, Preset
from gateway.formats.lines import PARQUET, ZIP, whole_lines
from gateway.formats.preset import load_preset, preset_names
from gateway.formats.rows import Bools, Cut, Refusals, Rows, is_in, with_parts
from gateway.formats.sampling import read_octets
from gateway.formats.text_rows import TextRows
from gateway.formats.times import joined, read_quantities, read_times
from ledger.errors import Malformed
from ledger.service import Service

SAMPLE_BYTES = 65_536
SAMPLE_ROWS = 200


@dataclass(frozen=True, slots=True)
class Sniffed:
    """A preset and the share of sampled rows, in percent, that read as it says."""

    preset: Preset
    sure_percent: int
    sampled: int
    """Rows looked at."""


def sniff(path: Path) -> Sniffed:
    """The preset that fits a file's first rows best. Raises Malformed if none fits any row."""
    presets = [load_preset(name) for name in preset_names()]
    found = [sniffed for preset in _possible(path, presets) if (sniffed := fit(path, preset)).sure_percent]
    if not found:
        raise Malformed(
            "no preset fits the file",
            expected=", ".join(preset_names()),
            got=_shown(first_line(path)[:80]),
            todo=f"Map its columns with `gsc mapping {path.name}`, or name a preset with --as.",
        )
    return max(found, key=lambda sniffed: (sniffed.sure_percent, len(sniffed.preset.file.columns)))


def fit(path: Path, preset: Preset) -> Sniffed:
    """How well a preset fits a file's first rows; a file that is of another kind fits it not at all."""
    refusals = Refusals()
    try:
        cut = next(_sample(path, preset, refusals), None)
    except Malformed:
        cut = None
    if cut is None:
        return Sniffed(preset, 0, 0)
    rows = cut.seen - cut.passed_over
    fitting = int(_reads(with_parts(cut.rows, preset.parts), preset).sum())
    return Sniffed(preset, 100 * fitting // rows if rows else 0, rows)


def kind_of(path: Path) -> FileKind:
    """What a file's first bytes say it is; text that is no JSON counts as CSV. Raises Malformed for UTF-16."""
    with path.open("rb") as file:
        head = file.read(4)
    if head in (ZIP, PARQUET):
        return FileKind.XLSX if head == ZIP else FileKind.PARQUET
    return FileKind.NDJSON if first_line(path).startswith("{") else FileKind.CSV


def first_line(path: Path) -> str:
    """The first line of a text file, packed or not; "" of another one. Raises Malformed for UTF-16."""
    with path.open("rb") as file:
        if file.read(4) in (ZIP, PARQUET):
            return ""
    lines = sample_lines(path).split(b"\n")
    return next((line for line in lines if line.strip()), b"").decode("utf-8", "replace").strip()


def _shown(line: str) -> str:
    if "\ufffd" in line or not line.replace("\t", " ").isprintable():
        return "a binary file"
    return line or "an empty file"


def sample_lines(path: Path) -> bytes:
    """A text file's first whole lines. Raises Malformed for one that is none."""
    try:
        with text_stream(path) as stream:
            piece = next(whole_lines(stream, SAMPLE_BYTES, lambda: None), b"")
    except (OSError, EOFError) as error:
        raise Malformed("the usage file cannot be read", expected="a readable file", got=str(error)) from None
    return b"\n".join([*piece.split(b"\n")[:SAMPLE_ROWS], b""])


def _possible(path: Path, presets: list[Preset]) -> list[Preset]:
    kind = kind_of(path)
    if kind in (FileKind.XLSX, FileKind.PARQUET):
        return [preset for preset in presets if preset.file.kind is kind]
    return [preset for preset in presets if preset.file.kind not in (FileKind.XLSX, FileKind.PARQUET)]


def _sample(path: Path, preset: Preset, refusals: Refusals) -> Iterator[Cut]:
    if preset.file.kind in (FileKind.XLSX, FileKind.PARQUET):
        yield from cuts_of(path, preset, refusals)
    elif sample := sample_lines(path):
        yield TextRows(preset, refusals).cut(sample)


def _reads(rows: Rows, preset: Preset) -> Bools:
    """Rows whose times and quantities are such, if at least one begins or ends at a time."""
    text = joined(rows.raw, preset.fields.start)
    if preset.service is Service.IPL:
        return np.ones(len(rows.line), np.bool_)
    begun = read_times(text, preset.time).kind != fields.NO_TIME
    good = begun | is_in(text, ("", "0", " "))
    if preset.service is Service.VOICE and preset.fields.quantity is not None:
        good &= read_quantities(rows.raw[preset.fields.quantity], preset.quantity) >= 0
    for column in (preset.fields.octets_in, preset.fields.octets_out):
        if column is not None:
            good &= read_octets(rows.raw[column], 1)[1]
    timed = begun
    if preset.fields.end:
        timed = begun | (read_times(joined(rows.raw, preset.fields.end), preset.time).kind != fields.NO_TIME)
    return good if timed.any() else np.zeros(len(good), np.bool_)
