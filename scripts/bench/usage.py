"""How fast is usage read, rated and sealed, and beside what? `make bench BENCH=usage`, `ARGS="--month 10000000"`.

Every table is one run in which the ways take turns; what they answer is compared, so that none wins by doing less.
The limit of a step stands beside it: reading the file, and the two hash functions alone.
"""

import argparse
import csv
import json
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import numba
import numpy as np
import pyarrow as pa
import pyarrow.csv
from eth_abi.abi import encode
from eth_hash.auto import keccak

from deploy.node import ROOT, node
from gateway.formats.preset import load_preset
from gateway.formats.reading import Direction, ReadingContext, Stream, Trunk, read_cdr
from ledger import lanes
from ledger.identity import AgreementId, CarrierCode, ascii32
from ledger.money import Rounding
from ledger.period import Period
from ledger.prices.charging import charge
from ledger.prices.deck import DeckHistory, RateDeck, deck_history
from ledger.prices.rating import rate_in_mode
from ledger.sealing import UsageBatch, salt_of, seal
from ledger.service import Service
from ledger.usage import BatchScope
from ledger.vectors import KECCAK_LANES, SHA256_LANES
from scripts.bench.made_month import HEADER, TRUNK, made_deck, write_calls
from scripts.bench.month_run import run_month
from scripts.bench.racing import Contender, race, show

CN_T, GB_B = CarrierCode("CN-T"), CarrierCode("GB-B")
SCOPE = BatchScope(AgreementId(bytes(32)), CN_T, CN_T, Service.VOICE, Period(2026, 10))
SECRET = bytes(range(32))
LEAF_TYPES = ("uint64", "bytes32", "bytes32", "bytes32", "uint64", "uint64", "bytes32", "uint128")
MANY, SOME, FEW = 200_000, 100_000, 10_000
"""Records given to ways that are 10, 100 and 1,000 times slower."""
READ_BYTES = 4 << 20


def main() -> None:
    """Run the races, then a whole month in three commands."""
    parser = argparse.ArgumentParser(prog="python -m scripts.bench.usage", description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000, help="of the races")
    parser.add_argument("--codes", type=int, default=200_000, help="of the rate deck")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--month", type=int, default=1_000_000, help="records of the month read, rated and sealed")
    given = parser.parse_args()
    deck = made_deck(given.codes)
    with tempfile.TemporaryDirectory(prefix="gsc-bench-") as folder:
        path = write_calls(Path(folder) / "calls.csv", deck, given.records)
        usage = race_parsing(path, given.records, given.rounds)
        rated = race_rating(usage, deck, given.rounds)
        race_sealing(rated, given.rounds)
        path.unlink()
        if given.month:
            run_month(Path(folder), deck, given.month)


# PARSING


def race_parsing(path: Path, count: int, rounds: int) -> pa.Table:
    """Raw file to normalised usage; answers it."""
    context = ReadingContext(zone=ZoneInfo("UTC"), country="CN", trunks={TRUNK: Trunk(GB_B, Direction.IN)})
    preset, few = load_preset("csv"), path.with_name("few.csv")
    with path.open() as lines, few.open("w") as part:
        part.writelines(line for _, line in zip(range(MANY + 1), lines, strict=False))
    found: dict[str, pa.Table] = {}

    def ours() -> None:
        read = read_cdr(path, preset, context)
        assert read.counts.accepted == count, read.counts
        found["usage"] = read.tables[Stream(GB_B, Direction.IN, Service.VOICE)]

    paces = race(
        [
            Contender("gsc", count, ours),
            Contender("pyarrow.csv: fields only, no numbers or zones", count, lambda: _by_arrow(path)),
            Contender("csv module: fields, numbers, times", MANY, lambda: _by_csv_module(few, found["usage"])),
            Contender("limit: reading the file", count, lambda: _only_read(path)),
        ],
        rounds,
    )
    megabytes = path.stat().st_size / 1e6
    show(f"parse: {count:,} rows, {megabytes:,.0f} MB, into records in E.164 digits, UTC and milliseconds", paces)
    return found["usage"]


def _by_arrow(path: Path) -> None:
    types = {HEADER[0]: pa.string(), HEADER[1]: pa.string()}
    table = pa.csv.read_csv(path, convert_options=pa.csv.ConvertOptions(column_types=types))
    assert table.column_names == list(HEADER)


def _by_csv_module(path: Path, usage: pa.Table) -> None:
    """As a careful script would: the same fields, row by row."""
    rows = []
    with path.open(newline="") as stream:
        for row in csv.DictReader(stream):
            calling, called = row["a_number"].removeprefix("+"), row["b_number"].removeprefix("+")
            if not (calling.isdigit() and called.isdigit() and 5 <= len(called) <= 15):
                continue
            start_ms = int(datetime.fromisoformat(row["start"]).timestamp()) * 1000
            rows.append((calling, called, start_ms, int(row["duration_ms"]), row["trunk"]))
    last = usage.slice(len(rows) - 1, 1).to_pylist()[0]
    assert rows[-1] == tuple(last[name] for name in ("a_party", "b_party", "start_ms", "quantity", "route"))


def _only_read(path: Path) -> None:
    with path.open("rb", buffering=0) as file:
        while file.read(READ_BYTES):
            pass


# RATING


def race_rating(usage: pa.Table, deck: RateDeck, rounds: int) -> pa.Table:
    """Usage to rated records; answers them."""
    history = deck_history([(0, deck)])
    some = usage.slice(0, SOME)
    found: dict[str, pa.Table] = {}

    def ours() -> None:
        rating = rate_in_mode(usage, history, Rounding.HALF_EVEN)
        assert len(rating.rated) == len(usage), rating.refused
        found["rated"] = rating.rated

    by_database = _database(usage, deck)
    paces = race(
        [
            Contender("gsc", len(usage), ours),
            Contender("DuckDB: as-of join, integer amounts", len(usage), lambda: _same(by_database(), found["rated"])),
            Contender("dictionary of prefixes", SOME, lambda: _same(_by_dictionary(some, history), found["rated"])),
        ],
        rounds,
    )
    show(f"rate: {len(usage):,} calls under {len(deck.rates):,} codes, every amount exact", paces)
    return found["rated"]


def _same(got: tuple[int, int], rated: pa.Table) -> None:
    """A count of first records and the sum of their amounts."""
    count, micros = got
    assert rated["amount_micros"].slice(0, count).to_numpy().sum() == micros


def _by_dictionary(usage: pa.Table, history: DeckHistory) -> tuple[int, int]:
    rates, longest, micros = history.in_force(0), max(map(len, history.in_force(0))), 0
    for number, quantity in zip(usage["b_party"].to_pylist(), usage["quantity"].to_pylist(), strict=True):
        for length in range(longest, 0, -1):
            if (rate := rates.get(number[:length])) is not None:
                micros += charge(quantity, rate).amount_micros
                break
    return len(usage), micros


_AS_OF = """
    with found as (
        select quantity, nanos, first, next from (select rpad(b_party, 15, '0')::bigint x, quantity from usage)
        asof join bounds on x >= low
    ), charged as (
        select nanos * case when quantity <= first then first
            else first + (quantity - first + next - 1) // next * next end as n from found
    )
    select count(*), sum(n // 60000000 + case when n % 60000000 > 30000000
        or (n % 60000000 = 30000000 and n // 60000000 % 2 = 1) then 1 else 0 end) from charged
"""


def _database(usage: pa.Table, deck: RateDeck) -> Callable[[], tuple[int, int]]:
    """An as-of join on the deck's codes as disjoint intervals, which are made before."""
    connection = duckdb.connect()
    low, owner = _intervals([rate.code for rate in deck.rates])
    columns = {name: [getattr(deck.rates[at], name) if at >= 0 else 0 for at in owner] for name in ("nanos", "first")}
    following = [deck.rates[at].next if at >= 0 else 1 for at in owner]
    bounds = pa.table({"low": low, **columns, "next": following})
    connection.register("bounds", bounds)
    connection.register("usage", usage)

    def ask() -> tuple[int, int]:
        answer = connection.execute(_AS_OF).fetchone()
        assert answer is not None
        return int(answer[0]), int(answer[1])

    return ask


def _intervals(codes: list[str]) -> tuple[list[int], list[int]]:
    """Where another code begins to apply, among numbers of 15 digits, and which: -1 for none."""
    owners, inside = {0: -1}, [(10**15, -1)]
    for at in sorted(range(len(codes)), key=lambda at: (codes[at].ljust(15, "0"), len(codes[at]))):
        low, width = int(codes[at].ljust(15, "0")), 10 ** (15 - len(codes[at]))
        while inside[-1][0] <= low:
            end, _ = inside.pop()
            owners[end] = inside[-1][1]
        owners[low] = at
        inside.append((low + width, at))
    while len(inside) > 1:
        end, _ = inside.pop()
        owners[end] = inside[-1][1]
    return sorted(owners), [owners[low] for low in sorted(owners)]


# SEALING


def race_sealing(rated: pa.Table, rounds: int) -> None:
    """Rated records to a Merkle root."""
    few = rated.slice(0, FEW)
    roots = {"few": seal(few, SCOPE, SECRET)}
    values = _leaf_values(few)
    paces = race(
        [
            Contender("gsc", len(rated), lambda: _seal(rated)),
            Contender("eth_abi and eth_hash: leaves only", FEW, lambda: _by_eth(values, roots["few"])),
            Contender("@openzeppelin/merkle-tree (Node)", FEW, lambda: _by_npm(values, roots["few"])),
            Contender("limit: the two hash functions alone", len(rated), lambda: _only_hash(len(rated))),
        ],
        rounds,
    )
    show(f"seal: {len(rated):,} records: salts, leaves of 256 bytes, tree, root and totals", paces)


def _seal(rated: pa.Table) -> None:
    assert seal(rated, SCOPE, SECRET).count == len(rated)


def _leaf_values(rated: pa.Table) -> list[tuple[Any, ...]]:
    return [
        (
            index,
            salt_of(SECRET, index),
            ascii32(row["a_party"]),
            ascii32(row["b_party"]),
            row["start_ms"],
            row["quantity"],
            ascii32(row["route"]),
            row["amount_micros"],
        )
        for index, row in enumerate(rated.to_pylist())
    ]


def _by_eth(values: list[tuple[Any, ...]], batch: UsageBatch) -> None:
    hashes = [keccak(keccak(encode(LEAF_TYPES, each))) for each in values]
    assert hashes[-1] == batch.tree.leaf(len(values) - 1)


_NPM = """
const { StandardMerkleTree } = require('@openzeppelin/merkle-tree');
const values = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const begin = process.hrtime.bigint();
const tree = StandardMerkleTree.of(values, process.argv[1].split(','), { sortLeaves: false });
console.log(JSON.stringify({ root: tree.root, seconds: Number(process.hrtime.bigint() - begin) / 1e9 }));
"""


def _by_npm(values: list[tuple[Any, ...]], batch: UsageBatch) -> float:
    """Its own seconds, without the start of Node and the reading of the values."""
    plain = [[f"0x{each.hex()}" if isinstance(each, bytes) else str(each) for each in row] for row in values]
    command = [str(node()), "-e", _NPM, ",".join(LEAF_TYPES)]
    done = subprocess.run(command, input=json.dumps(plain), capture_output=True, text=True, check=True, cwd=ROOT)
    answer: Mapping[str, Any] = json.loads(done.stdout)
    assert answer["root"] == f"0x{batch.root.hex()}"
    return float(answer["seconds"])


@numba.njit(nogil=True)
def _hash(state: Any, small: Any, block: Any, count: int) -> None:
    """What a record costs the hashes: keccak's permutation three times for its leaf, once for a node of the tree; and
    SHA-256's compression twice for its salt."""
    for _ in range(count // KECCAK_LANES):
        for _ in range(4):
            lanes.permute(state)
    for _ in range(count // SHA256_LANES):
        for _ in range(2):
            lanes.compress(small, block)


def _only_hash(count: int) -> None:
    """In one place of memory, on one core."""
    state = np.zeros((25, KECCAK_LANES), np.uint64)
    small, block = np.zeros((8, SHA256_LANES), np.uint32), np.zeros((16, SHA256_LANES), np.uint32)
    _hash(state, small, block, count)


if __name__ == "__main__":
    main()
