"""How long does the desk think over a page of a long month? `make bench BENCH=desk`: p99 of records and statement.

A list of ten million records is made by the code that makes a reconciliation's; pages are asked for in places all over
it, by cursor and with filters. The same rows in a plain table of SQLite are paged by OFFSET, in the same run. The
statement page over as many records is asked for through the whole app (scripts/bench/statement.py says what its store
holds). Then bodies in bulk and small durable posts over HTTP (scripts/bench/bulk.py).
"""

import argparse
import random
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from gateway.composition import open_gateway
from gateway.records.layout import Match
from gateway.records.pairing import Pairs
from gateway.records.reading import PAGE_ROWS, RecordList
from gateway.records.wanted import EVERY, Wanted
from gateway.records.writing import Sides, write_list
from gateway.settings import load_settings
from reconciliation.exceptions import PAIRS_SCHEMA
from scripts.bench.bulk import carrier_home, measure_bulk
from scripts.bench.made_month import OCTOBER_S, OCTOBER_SECONDS
from scripts.bench.month_run import PASSWORD
from scripts.bench.statement import time_statement

AT_ONCE = 500_000
DESTINATIONS = 3_000
TARGET_MS = 100


def main() -> None:
    """Make a month, then time its pages."""
    parser = argparse.ArgumentParser(prog="python -m scripts.bench.desk", description=__doc__)
    parser.add_argument("--records", type=int, default=10_000_000)
    parser.add_argument("--pages", type=int, default=300)
    parser.add_argument("--findings", type=int, default=250, help="of each direction of the statement")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of a body in bulk")
    parser.add_argument("--posts", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "records.arrow"
        begin, core = time.perf_counter(), time.process_time()
        rows = _make(path, Path(folder), given.records)
        spent, used = time.perf_counter() - begin, time.process_time() - core
        size = path.stat().st_size / rows
        print(f"list of {rows:,} records: {spent:,.0f} s, {used:,.0f} core-seconds; {size:,.0f} bytes a record")
        _race(path, rows, given.pages, Path(folder) / "plain.sqlite")
    _show_statement(given.records, given.findings, given.pages)
    measure_bulk(given.rows, given.posts, given.rounds)


def _race(path: Path, rows: int, pages: int, plain: Path) -> None:
    rng = random.Random(1)
    places = [rng.randrange(rows - PAGE_ROWS) for _ in range(pages)]
    known = RecordList(path)
    numbers = [record.b_party for place in places[:60] if (record := known.record(place + 1))]
    shown = {
        "records: by cursor, anywhere": _timed(lambda at: _page(path, EVERY, at), places),
        "records: the last page": _timed(lambda at: _page(path, EVERY, rows - at % PAGE_ROWS - 1), places),
        "records: one class, anywhere": _timed(lambda at: _page(path, Wanted(match=Match.MISMATCH), at), places),
        "records: one destination, anywhere": _timed(
            lambda at: _page(path, Wanted(destination=f"Destination {at % DESTINATIONS}"), at), places
        ),
        "records: a number, of the whole list": _timed(lambda number: _page(path, Wanted(number=number), 0), numbers),
    }
    with sqlite3.connect(plain) as connection:
        _fill(connection, known)
        shown["peer: SQL, OFFSET anywhere"] = _timed(lambda at: _offset(connection, at), places[: min(pages, 60)])
    head = ("p50 ms", "p99 ms", "p99 core ms", "core of target", "core to cursor")
    print(f"  {'server time of a page':<40}" + "".join(f"{each:>16}" for each in head))
    _, cursor = shown["records: by cursor, anywhere"]
    for name, (times, cores) in shown.items():
        core = _at(cores, 0.99)
        print(
            f"  {name:<40}{_at(times, 0.5):>16.1f}{_at(times, 0.99):>16.1f}{core:>16.1f}{core / TARGET_MS:>16.0%}"
            f"{core / _at(cursor, 0.99):>15.1f}x"
        )


def _show_statement(records: int, findings: int, pages: int) -> None:
    with tempfile.TemporaryDirectory() as name, carrier_home(Path(name)) as home:
        gateway = open_gateway(load_settings(home), PASSWORD)
        try:
            times, cores = time_statement(gateway, records, findings, pages)
        finally:
            gateway.close()
    core, name = _at(cores, 0.99), f"statement: {2 * findings:,} findings"
    print(
        f"  {name:<40}{_at(times, 0.5):>16.1f}{_at(times, 0.99):>16.1f}{core:>16.1f}{core / TARGET_MS:>16.0%}\n",
        flush=True,
    )


def _page(path: Path, wanted: Wanted, after: int) -> None:
    """As the page does: the file is opened for each request."""
    RecordList(path).page(wanted, after=after)


def _offset(connection: sqlite3.Connection, at: int) -> None:
    connection.execute("SELECT * FROM records ORDER BY number LIMIT ? OFFSET ?", (PAGE_ROWS, at)).fetchall()


def _timed(ask: Callable[..., None], places: Sequence[object]) -> tuple[list[float], list[float]]:
    """Milliseconds of the clock and of the core, each in order: a busy machine tells on the first only."""
    times, cores = [], []
    for place in places:
        begin, core = time.perf_counter(), time.process_time()
        ask(place)
        cores.append((time.process_time() - core) * 1000)
        times.append((time.perf_counter() - begin) * 1000)
    return sorted(times), sorted(cores)


def _at(times: Sequence[float], share: float) -> float:
    return times[min(len(times) - 1, int(share * len(times)))]


def _fill(connection: sqlite3.Connection, known: RecordList) -> None:
    """The plain table: what the page shows, numbered."""
    connection.execute(
        "CREATE TABLE records (number INTEGER PRIMARY KEY, start_ms, a_party, b_party, destination, ours, theirs)"
    )
    for table in known.tables(EVERY):
        names = ("number", "start_ms", "a_party", "b_party", "destination", "ours_micros", "theirs_micros")
        columns = [table[name].to_pylist() for name in names]
        connection.executemany("INSERT INTO records VALUES (?,?,?,?,?,?,?)", zip(*columns, strict=True))
    connection.commit()


def _make(path: Path, folder: Path, count: int) -> int:
    """Two books of as many calls: three in a hundred differ in amount, one in a hundred only one side has."""
    pairs = Pairs(folder, count, count)
    for first in range(0, count, AT_ONCE):
        rows = np.arange(first, min(first + AT_ONCE, count))
        rows = rows[rows % 100 != 0]
        zeros = np.zeros(len(rows), np.int64)
        columns = [rows, rows, zeros, zeros, zeros]
        arrays = [pa.array(column).cast(field.type) for column, field in zip(columns, PAIRS_SCHEMA, strict=True)]
        pairs.hear(pa.Table.from_arrays(arrays, schema=PAIRS_SCHEMA))
    begin, end = OCTOBER_S * 1000, (OCTOBER_S + OCTOBER_SECONDS) * 1000
    sides = Sides(lambda: _book(count, 0), lambda: _book(count, 7), count, count, begin, end)
    return write_list(path, sides, pairs)


def _book(count: int, more: int) -> Iterator[pa.Table]:
    names = pa.array([f"Destination {number}" for number in range(DESTINATIONS)])
    for first in range(0, count, AT_ONCE):
        rows, rng = min(AT_ONCE, count - first), np.random.default_rng(first)
        calling, called = (
            8_613_000_000_000 + rng.integers(0, 10**10, rows),
            440_000_000_000 + rng.integers(0, 10**10, rows),
        )
        start = OCTOBER_S * 1000 + OCTOBER_SECONDS * 1000 * (first + np.arange(rows)) // count
        quantity = rng.integers(1, 900, rows) * 1000
        amount = quantity // 3 + np.where(rng.random(rows) < 0.03, more, 0)
        yield pa.table(
            {
                "a_party": pa.array(calling).cast(pa.string()),
                "b_party": pa.array(called).cast(pa.string()),
                "start_ms": start,
                "quantity": quantity,
                "charged_quantity": quantity,
                "route": pa.repeat(pa.scalar("gb-b-in"), rows),
                "destination": names.take(pa.array(rng.integers(0, DESTINATIONS, rows))),
                "code": pa.repeat(pa.scalar("44"), rows),
                "amount_micros": amount,
            }
        )


if __name__ == "__main__":
    main()
