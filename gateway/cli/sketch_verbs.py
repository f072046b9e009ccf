"""Which verbs find where two months differ before either side reveals a record? sketch, and reconcile --sketch."""

from pathlib import Path
from string import hexdigits
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.parts import Json, end

if TYPE_CHECKING:
    from reconciliation.files import Records
    from reconciliation.sketching.sketch import Sketch

SEED_DIGITS = 16


def register(app: typer.Typer) -> None:
    """Add these commands, in their order."""
    app.command("sketch")(sketch)


def sketch(
    ours: Annotated[Path, typer.Argument(help="Our rated usage (CSV or Parquet)")],
    out: Annotated[Path, typer.Option("--out", help="Where to write the sketch")],
    seed: Annotated[str, typer.Option("--seed", help="16 hexadecimal digits that both carriers drew together")],
    service: Annotated[str, typer.Option("--service", help="voice, sms, data or ipl: what OURS holds")] = "voice",
    of: Annotated[str, typer.Option("--of", help="counts: missing records; charges: other amounts, too")] = "counts",
    differences: Annotated[int, typer.Option("--differences", help="How many differing records it can show")] = 10_000,
    cells: Annotated[int | None, typer.Option("--cells", help="Its size instead, in cells of 32 bytes")] = None,
    json: Json = False,
) -> None:
    """Fold our month into a sketch that shows another carrier where we differ, and no record."""
    from gateway.cli.pure_verbs import refused_unless_writable
    from gateway.cli.showing import counted
    from ledger.errors import Malformed
    from reconciliation.sketching.sketch import SketchOf, cells_for, sketch_records
    from reconciliation.sketching.sketch_file import write_sketch

    if of not in list(SketchOf):
        raise Malformed("not a kind of sketch", expected="counts or charges", got=of[:40])
    size = cells_for(max(0, differences)) if cells is None else cells
    records = _records(ours, service)
    folded = sketch_records(records.table, _seed(seed), size, SketchOf(of))
    with refused_unless_writable(out):
        write_sketch(folded, out)
    answer = {"records": folded.records, "cells": size, "of": of, "seed": seed, "quarantined": len(records.quarantined)}
    told = f"{counted(folded.records, 'record')} folded into {size:,} cells, {size * 32 / 1e6:.1f} MB"
    end(
        answer,
        json,
        [told, *_left_out(len(records.quarantined))],
        f"send {out} to the other carrier; with theirs: gsc reconcile {ours} --sketch THEIRS{_option(service)}",
    )


def reconcile_with_sketch(ours: Path, theirs: Path, out: Path | None, json: bool, *, service: str = "voice") -> None:
    """Say on how many keys we differ from their sketch; write our records of these keys."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from gateway.cli.pure_verbs import refused_unless_writable
    from ledger.errors import Malformed
    from reconciliation.sketching.sketch import differing_keys, rows_of_keys, sketch_records
    from reconciliation.sketching.sketch_file import read_sketch

    if out is not None and out.suffix.lower() != ".parquet":
        raise Malformed("--out is Parquet", expected="a name such as REVEAL.parquet", got=out.name)
    them = read_sketch(theirs)
    read = _records(ours, service)
    records = read.table
    found = differing_keys(sketch_records(records, them.seed, len(them.cells), them.of), them)
    ours_of_these = records.take(pa.array(rows_of_keys(records, them.seed, found.keys)))
    if out is not None:
        with refused_unless_writable(out):
            pq.write_table(ours_of_these, out, compression="zstd")
    answer = {
        "keys": len(found.keys),
        "oursMore": found.ours_more,
        "theirsMore": found.theirs_more,
        "reveal": len(ours_of_these),
        "records": len(records),
        "theirRecords": them.records,
        "quarantined": len(read.quarantined),
    }
    end(answer, json, [*_told(answer, them), *_left_out(len(read.quarantined))], _after(out, len(found.keys), service))


def _told(answer: dict[str, int], them: "Sketch") -> list[str]:
    from gateway.cli.showing import counted

    if answer["keys"] == 0:
        ours = counted(answer["records"], "record")
        return [f"{ours} on our side, {them.records:,} on theirs: no key differs in {them.of}"]
    one = answer["keys"] == 1
    differ = "1 pair of numbers differs" if one else f"{answer['keys']:,} pairs of numbers differ"
    return [
        f"{differ} in {them.of}: {counted(answer['oursMore'], 'record')} only we hold, "
        f"{answer['theirsMore']:,} only they hold",
        f"of these numbers are {answer['reveal']:,} of our {counted(answer['records'], 'record')}",
    ]


def _left_out(quarantined: int) -> list[str]:
    if quarantined == 0:
        return []
    rows = "1 row of ours was" if quarantined == 1 else f"{quarantined:,} rows of ours were"
    return [f"{rows} quarantined and left out"]


def _after(out: Path | None, keys: int, service: str) -> str:
    if keys == 0:
        return f"gsc reconcile OURS THEIRS --agreement FILE{_option(service)}, if the totals differ all the same"
    if out is None:
        return "the same with --out REVEAL.parquet, to send only those records"
    return f"send {out}; with theirs: gsc reconcile {out} THEIRS.parquet --agreement FILE{_option(service)}"


def _option(service: str) -> str:
    return "" if service == "voice" else f" --service {service}"


def _records(ours: Path, service: str) -> "Records":
    """Our records. Raises Malformed for a file none of whose rows is one: its sketch would say that nothing differs."""
    from gateway.cli.parts import service_of
    from ledger.errors import Malformed
    from reconciliation.files import read_records

    read = read_records(ours, service_of(service))
    if read.quarantined and not len(read.table):
        first = read.quarantined[0]
        raise Malformed(
            f"no row of {ours.name} is a record of {service}",
            expected=f"records of {service}",
            got=f"line {first.line}: {first.reason}",
            todo="Say what it holds, as with --service sms; docs/formats.md shows the columns.",
        )
    return read


def _seed(text: str) -> int:
    from ledger.errors import Malformed

    if len(text) != SEED_DIGITS or not set(text) <= set(hexdigits):
        raise Malformed("not a seed", expected=f"{SEED_DIGITS} hexadecimal digits", got=repr(text[:40]))
    return int(text, 16)
