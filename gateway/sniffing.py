"""Which preset fits this file, and how sure is that?"""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.layout import Preset, TimeFormat
from gateway.preset import load_preset, preset_names
from ledger.errors import Malformed

SAMPLE_BYTES = 65_536
SAMPLE_ROWS = 200

_TIMES = {
    TimeFormat.STAMP: re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?)?", re.ASCII),
    TimeFormat.ISO: re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", re.ASCII),
    TimeFormat.EPOCH_MS: re.compile(r"0|\d{12,14}", re.ASCII),
}
_QUANTITY = re.compile(r"\d+(\.\d{1,3})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Sniffed:
    """A preset and the share of sampled rows, in percent, that read as it says."""

    preset: Preset
    sure_percent: int
    sampled: int
    """Rows looked at."""


def sniff(path: Path) -> Sniffed:
    """The preset that fits a file's first rows best. Raises Malformed if none fits any row."""
    sample = _sample(path)
    found = [sniffed for name in preset_names() if (sniffed := _fit(load_preset(name), sample)).sure_percent]
    if not found:
        raise Malformed(
            "no preset fits the file",
            expected=", ".join(preset_names()),
            got=sample[0][:80] if sample else "an empty file",
            todo="Name the preset yourself, or write one: docs/formats.md.",
        )
    return max(found, key=lambda sniffed: sniffed.sure_percent)


def _sample(path: Path) -> Sequence[str]:
    """The first whole lines."""
    with path.open("rb") as file:
        head = file.read(SAMPLE_BYTES)
    text = head.decode("utf-8-sig", "replace")
    lines = text.replace("\r\n", "\n").split("\n")
    whole = lines if len(head) < SAMPLE_BYTES else lines[:-1]
    return [line for line in whole if line.strip()][:SAMPLE_ROWS]


def _fit(preset: Preset, sample: Sequence[str]) -> Sniffed:
    order = preset.file.columns
    if preset.file.header and sample:
        order = tuple(name.strip().lower() for name in _cells(sample[0], preset.file.delimiter))
        sample = sample[1:] if set(preset.file.columns) <= set(order) else ()
    fitting = sum(_reads(preset, order, _cells(line, preset.file.delimiter)) for line in sample)
    return Sniffed(preset, 100 * fitting // len(sample) if sample else 0, len(sample))


def _cells(line: str, delimiter: str) -> Sequence[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return []


def _reads(preset: Preset, order: Sequence[str], cells: Sequence[str]) -> bool:
    if len(cells) != len(order):
        return False
    row = dict(zip(order, cells, strict=True))
    times = [row[preset.fields.start[0]]] + ([row[preset.fields.end[0]]] if preset.fields.end else [])
    return _QUANTITY.fullmatch(row[preset.fields.quantity or ""]) is not None and all(
        _TIMES[preset.time.format].fullmatch(time) for time in times
    )
