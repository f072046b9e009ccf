"""Does any mutation of a valid usage file do more than refuse it, or quarantine the rows it touched?

`python -m tests.gateway.mutations` is the long run: a million rows mutated among rows that must stay as they are, then
whole files mutated anywhere. `test_hostile_files.py` runs a little of both.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from gateway.formats.layout import FileKind
from gateway.formats.preset import load_preset, preset_names
from gateway.formats.reading import Reading, read_cdr
from ledger.errors import Malformed
from ledger.service import Service
from tests.gateway.formats.test_samples import CONTEXTS, LONDON, sample_of

PUT = (
    *(
        b'"',
        b"\n",
        b"\r",
        b"\r\n",
        b"\0",
        b",",
        b";",
        b"'",
        b"\\",
        b"=",
        b"{",
        b"}",
        b"[" * 50,
        b"\t",
        b"\x1f",
        b"\x7f",
    ),
    *(
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\xd9\xa3",
        b"\xef\xbc\x91",
        b"\xc3",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"%n%s",
    ),
    *(b"9" * 30, b"-1", b"1e9", b"0x10", b"NaN", b"23:59:60", b"1970-01-01", b"9999-12-31", b"x" * 5_000, b"+" * 40),
)
BINARY = (FileKind.XLSX, FileKind.PARQUET)


def mutated(chooser: random.Random, content: bytes) -> bytes:
    """The content with one to eight things changed, taken out or put in."""
    out = bytearray(content)
    for _ in range(chooser.randint(1, 8)):
        at = chooser.randrange(len(out) + 1)
        match chooser.randrange(4):
            case 0 if at < len(out):
                out[at] = chooser.randrange(256)
            case 1:
                del out[at : at + chooser.randint(1, 40)]
            case 2:
                other = chooser.randrange(len(out) + 1)
                out[at:at] = out[other : other + chooser.randint(1, 40)]
            case _:
                out[at:at] = chooser.choice(PUT)
    return bytes(out)


def read(folder: Path, name: str, content: bytes) -> Reading | None:
    """What a preset makes of it; None if it is refused as a whole."""
    path = folder / f"mutated-{name}"
    path.write_bytes(content)
    try:
        found = read_cdr(path, load_preset(name), CONTEXTS.get(name, LONDON))
    except Malformed as error:
        assert len(str(error)) < 2_000
        return None
    check(found, load_preset(name).service)
    return found


def check(found: Reading, service: Service) -> None:
    """What holds whatever a file says."""
    counts = found.counts
    assert counts.rows == counts.accepted + counts.not_billable + counts.quarantined, counts
    for reason in found.quarantined["reason"].to_pylist():
        assert len(reason) < 100
    for table in found.tables.values():
        for row in table.to_pylist():
            assert row["quantity"] >= (0 if service is Service.DATA else 1)
            assert len(row["a_party"]) <= 32 and len(row["route"]) <= 32 and 0 <= row["start_ms"] < 253_402_300_800_000
            assert service in (Service.DATA, Service.IPL) or (row["b_party"].isdigit() and row["b_party"].isascii())


def text_presets() -> Iterator[str]:
    """Presets of files that have lines."""
    return (name for name in preset_names() if load_preset(name).file.kind not in BINARY)


def mutate_rows(folder: Path, name: str, rows: int, chooser: random.Random) -> int:
    """So many rows mutated, each followed by one that must be read as if alone; how many were quarantined."""
    lines = sample_of(name).read_bytes().splitlines(keepends=True)
    head = lines[:1] if load_preset(name).file.header else []
    alone = read(folder, name, b"".join(lines))
    assert alone is not None and alone.counts.accepted
    good = {row["line"]: row for table in alone.tables.values() for row in table.to_pylist()}
    kept = lines[min(good) - 1]
    content, at = list(head), []
    for _ in range(rows):
        content.append(mutated(chooser, chooser.choice(lines[len(head) :]).rstrip(b"\n")) + b"\n")
        at.append(b"".join(content[-1:]).count(b"\n"))
        content.append(kept)
    found = read(folder, name, b"".join(content))
    assert found is not None
    if load_preset(name).service is not Service.DATA:  # a sample depends on the row before it
        want = tuple(good[min(good)][field] for field in ("b_party", "start_ms", "quantity"))
        line, read_at = len(head), _records(found)
        for more in at:
            line += more + 1
            assert want in read_at.get(line, ()), f"line {line} of {name} was spoilt by its neighbour"
    return found.counts.quarantined


def _records(found: Reading) -> dict[int, list[tuple[object, ...]]]:
    records: dict[int, list[tuple[object, ...]]] = {}
    for table in found.tables.values():
        for row in table.to_pylist():
            records.setdefault(row["line"], []).append((row["b_party"], row["start_ms"], row["quantity"]))
    return records


def mutate_files(folder: Path, name: str, files: int, chooser: random.Random) -> int:
    """So many files mutated anywhere; how many were refused as a whole."""
    content = sample_of(name).read_bytes()
    return sum(read(folder, name, mutated(chooser, content)) is None for _ in range(files))


def main() -> int:
    """The long run."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--files", type=int, default=20_000)
    arguments.add_argument("--seed", type=int, default=random.randrange(2**32))
    asked = arguments.parse_args()
    chooser, begun = random.Random(asked.seed), time.monotonic()
    names = list(text_presets())
    print(f"seed {asked.seed}")
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            each = -(-asked.rows // len(names))
            quarantined = sum(
                mutate_rows(Path(folder), name, min(10_000, each - at), chooser) for at in range(0, each, 10_000)
            )
            print(f"{name}: {each:,} rows mutated, {quarantined:,} rows quarantined, no neighbour spoilt")
        for name in preset_names():
            each = -(-asked.files // len(preset_names()))
            refused = mutate_files(Path(folder), name, each, chooser)
            print(f"{name}: {each:,} files mutated, {refused:,} refused as a whole")
    print(f"{asked.rows:,} rows and {asked.files:,} files in {time.monotonic() - begun:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
