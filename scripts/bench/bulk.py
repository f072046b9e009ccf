"""How fast does usage come over HTTP? In bulk against pydantic, in small durable posts against the bare disk."""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import numpy as np
import pydantic

from deploy.local_chain import LocalChain
from gateway.bulk.bodies import Form, Packing
from gateway.bulk.source import BulkSource
from gateway.client import Client
from gateway.formats.trunks import Direction, Stream
from gateway.keystore import PASSWORD_VARIABLE
from ledger.service import Service
from scripts.bench.made_month import OCTOBER_S, OCTOBER_SECONDS, made_deck
from scripts.bench.month_run import GB_B, NOVEMBER, PASSWORD, SEPTEMBER, prepare
from scripts.bench.racing import Contender, race, show

POSTS_A_SECOND = 200
ROWS_A_POST = 10
CALLERS = 8
WARM_POSTS = 200
TARGET_MS = 100
TARGET_ROWS = 400_000
BEGIN = "/v1/usageIntake?partner=GB-B&direction=in&name=bench"
HEADERS = {"Content-Type": Form.NDJSON.value, "Upload-Complete": "?1"}


class _Row(pydantic.BaseModel):
    """The peer: the same row as a strict model."""

    model_config = pydantic.ConfigDict(extra="forbid", strict=True)

    a_party: str = pydantic.Field(pattern=r"^([1-9][0-9]{0,14})?$")
    b_party: str = pydantic.Field(pattern=r"^[1-9][0-9]{0,14}$")
    start_ms: int
    quantity: int = pydantic.Field(ge=0, le=2**53)
    route: str = pydantic.Field(min_length=1, max_length=32)


def measure_bulk(rows: int, posts: int, rounds: int) -> None:
    """Both, against one gateway as a process of its own."""
    with tempfile.TemporaryDirectory() as name, carrier_home(Path(name)) as home:
        body = _body(rows)
        with _served(home) as (client, server):
            _race_bulk(client, Path(name), body, rows, rounds)
            _time_posts(client, server, Path(name), posts)


def _race_bulk(client: Client, folder: Path, body: bytes, rows: int, rounds: int) -> None:
    """Over HTTP onto the disk, and from there to usage."""
    path = folder / "body.ndjson"
    path.write_bytes(body)
    few = body[: body.index(b"\n", len(body) // 10) + 1]
    model = _Row.__pydantic_validator__

    def ours() -> None:
        assert client.ask("POST", BEGIN, content=body, headers=HEADERS).json()["received"] == len(body)
        source = BulkSource(path, Form.NDJSON, Packing.NONE, Stream(GB_B, Direction.IN, Service.VOICE))
        assert sum(len(table) for piece in source.pieces(None) for table in piece.tables.values()) == rows

    def received() -> None:
        client.ask("POST", BEGIN, content=body, headers=HEADERS)

    def theirs() -> None:
        for line in few.splitlines():
            model.validate_json(line)

    contenders = [
        Contender("received, synced, read into usage", rows, ours),
        Contender("received and synced only", rows, received),
        Contender("pydantic: reading only", few.count(b"\n"), theirs),
    ]
    paces = race(contenders, rounds)
    show(f"bulk: {rows:,} rows of NDJSON, {len(body) / 1e6:,.0f} MB, over HTTP", paces)
    print(f"  {paces[0].each_second / TARGET_ROWS:.2f} of the {TARGET_ROWS:,} rows a second aimed at\n", flush=True)


def _time_posts(client: Client, server: int, folder: Path, posts: int) -> None:
    """So many a second whether or not the ones before were answered; each is on disk before its answer.

    The callers are a process of their own, so that what they cost the interpreter is not the gateway's.
    """
    address = urlsplit(client.url)
    token = str(client._http.headers["Authorization"])
    _posted(address.netloc, token, WARM_POSTS)
    before = _core_seconds(server)
    times = _posted(address.netloc, token, posts)
    core_ms = (_core_seconds(server) - before) * 1000 / posts
    body = _body(ROWS_A_POST)
    bare = [_synced(folder / "bare", body) for _ in range(min(posts, 500))]
    rate = posts / max(each.answered_s for each in times)
    print(
        f"posts: {posts:,} of {ROWS_A_POST} rows, {POSTS_A_SECOND} asked a second, {rate:,.0f} answered, each on disk"
    )
    print(f"  {'':<44}{'p50 ms':>10}{'p99 ms':>10}{'p99 of target':>16}{'core ms':>10}")
    shown = (
        ("durable posts", [each.ms for each in times], f"{core_ms:.1f}"),
        ("limit: a file written and synced", bare, ""),
    )
    for name, found, core in shown:
        p50, p99 = (float(np.percentile(found, share)) for share in (50, 99))
        print(f"  {name:<44}{p50:>10.1f}{p99:>10.1f}{p99 / TARGET_MS:>16.0%}{core:>10}")
    print(flush=True)


class _Answered(NamedTuple):
    """One post: milliseconds since it was due, and seconds since the first one was."""

    ms: float
    answered_s: float


def _posted(netloc: str, token: str, posts: int) -> list[_Answered]:
    """Every post of all callers, from a process of their own."""
    command = [sys.executable, "-m", "scripts.bench.callers", netloc, token, BEGIN, str(posts), str(POSTS_A_SECOND)]
    body = _body(ROWS_A_POST)
    told = subprocess.run([*command, str(CALLERS)], input=body, stdout=subprocess.PIPE, check=True).stdout
    return [_Answered(*each) for each in json.loads(told)]


def _core_seconds(pid: int) -> float:
    """What a process has used so far, all its threads together."""
    used = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, used)) / os.sysconf("SC_CLK_TCK")


def _synced(path: Path, body: bytes) -> float:
    begin = time.perf_counter()
    with path.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    return (time.perf_counter() - begin) * 1000


def _body(rows: int) -> bytes:
    rng = np.random.default_rng(1)
    start = OCTOBER_S * 1000 + np.sort(rng.integers(0, OCTOBER_SECONDS * 1000, rows))
    columns = (
        rng.integers(10**9, 10**10, rows),
        rng.integers(10**9, 10**10, rows),
        start,
        rng.integers(0, 600_000, rows),
    )
    return "".join(
        f'{{"a_party":"44{a}","b_party":"861{b}","start_ms":{at},"quantity":{quantity},"route":"gb-b-in"}}\n'
        for a, b, at, quantity in zip(*(column.tolist() for column in columns), strict=True)
    ).encode()


@contextmanager
def carrier_home(folder: Path) -> Iterator[Path]:
    """CN-T's home on a chain of its own, in November: an agreement with GB-B and a deck stand."""
    with LocalChain(state_dir=folder / "chain", start_at=SEPTEMBER) as chain:
        home = folder / "home"
        prepare(folder, home, chain, made_deck(1_000))
        chain.advance_to(NOVEMBER)
        yield home


@contextmanager
def _served(home: Path) -> Iterator[tuple[Client, int]]:
    """A gateway as a process of its own, and its number."""
    _listen_on_a_free_port(home / "gsc.toml")
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway", "serve", "--home", str(home), "--with-parent"],
        env={**os.environ, PASSWORD_VARIABLE: PASSWORD},
        stdout=subprocess.DEVNULL,
    )
    try:
        with Client.of_home(home) as client:
            client.wait_until_up(seconds=60)
            yield client, process.pid
    finally:
        process.terminate()
        process.wait(60)


def _listen_on_a_free_port(settings: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    text, count = re.subn(r"(?m)^port = \d+$", f"port = {port}", settings.read_text("utf-8"))
    assert count == 1, "gsc.toml names one port"
    settings.write_text(text, "utf-8")
