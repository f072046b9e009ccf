"""Are the bytes of an intake on disk before the store says so, and is what nobody knows of swept away?"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from stat import S_ISDIR

import pytest
from sqlalchemy import Connection

import gateway.bulk.landing
import gateway.bulk.receiving
from gateway.bulk.bodies import Form, Packing
from gateway.bulk.landing import Landing
from gateway.bulk.receiving import find, path_of, receive, receive_first
from gateway.bulk.sweeping import sweep
from gateway.composition import Gateway
from ledger.errors import Malformed, NotFound
from ledger.identity import CarrierCode
from ledger.service import Service
from ledger.store.engine import reading, writing
from ledger.store.imports import record_import
from ledger.store.intakes import Intake, find_intake, mark_read
from tests.gateway.homes import lonely_gateway

BODY = b'{"quantity": 1}\n'


@pytest.fixture
def us(tmp_path: Path) -> Iterator[Gateway]:
    gateway = lonely_gateway(tmp_path / "home")
    yield gateway
    gateway.close()


def drawn(number: int = 1) -> Intake:
    return Intake(
        id=f"{number:032x}",
        partner=CarrierCode("GB-B"),
        direction="in",
        service=Service.VOICE,
        form=Form.NDJSON.value,
        packing=Packing.NONE.value,
        name="october",
        key=None,
        received=0,
        complete=False,
        import_id=None,
        begun_at_ms=1_790_000_000_000,
    )


async def chunks(*given: bytes | Exception) -> AsyncIterator[bytes]:
    for each in given:
        if isinstance(each, Exception):
            raise each
        yield each


def received(us: Gateway, intake: Intake, *given: bytes | Exception) -> Intake:
    return asyncio.run(receive_first(us, intake, chunks(*given), complete=True))


def test_a_body_past_the_bound_is_refused_and_what_fits_stays(us: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway.bulk.landing, "MAX_BYTES", 20)
    with pytest.raises(Malformed, match="too long"):
        received(us, drawn(), BODY, BODY)
    assert (find(us, drawn().id).received, find(us, drawn().id).complete) == (len(BODY), False)


def test_what_came_before_a_connection_broke_off_stays(us: Gateway) -> None:
    with pytest.raises(ConnectionError):
        received(us, drawn(), BODY, ConnectionError("reset"))
    assert path_of(us, drawn()).read_bytes() == BODY
    assert (find(us, drawn().id).received, find(us, drawn().id).complete) == (len(BODY), False)


def test_a_disk_that_does_not_sync_is_no_answer_and_no_row(us: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        received(us, drawn(), BODY)
    monkeypatch.undo()
    with pytest.raises(NotFound):
        find(us, drawn().id)
    assert sweep(us) == 1


def test_file_and_folder_are_synced_before_the_store_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    honest = os.fsync

    def synced(file: int) -> None:
        order.append("folder" if S_ISDIR(os.fstat(file).st_mode) else "file")
        honest(file)

    def say(count: int, complete: bool) -> Intake:
        order.append(f"{count} bytes are here")
        return drawn()

    monkeypatch.setattr(os, "fsync", synced)
    landing = Landing(tmp_path / "intakes" / "a", 0)
    landing.take(BODY)
    landing.settle(say, True)
    assert order == ["file", "folder", f"{len(BODY)} bytes are here"]


def test_a_gateway_that_is_killed_amid_a_request_loses_only_the_bytes_since_its_last_word(
    us: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the store knows while bytes still come is what another process finds; two requests say so in turn."""
    monkeypatch.setattr(gateway.bulk.receiving, "WRITE_BYTES", len(BODY))
    monkeypatch.setattr(gateway.bulk.landing, "SAID_BYTES", 2 * len(BODY))
    said: list[int] = []

    async def slow(asked: int) -> AsyncIterator[bytes]:
        for at in range(asked):
            yield BODY
            known = find_in(us, drawn().id)
            said.append(known.received // len(BODY) if known else 0)
            assert known is None or path_of(us, known).stat().st_size >= known.received, at

    first = asyncio.run(receive_first(us, drawn(), slow(5), complete=False))
    after = asyncio.run(receive(us, first, first.received, slow(4), complete=True))

    assert said == [0, 2, 2, 4, 4, 5, 7, 7, 9]
    assert (after.received, after.complete, path_of(us, after).read_bytes()) == (9 * len(BODY), True, 9 * BODY)


def find_in(us: Gateway, intake_id: str) -> Intake | None:
    with reading(us.engine) as connection:
        return find_intake(connection, intake_id)


def test_bytes_behind_the_last_word_are_cut_off(us: Gateway) -> None:
    path_of(us, drawn()).parent.mkdir(parents=True)
    path_of(us, drawn()).write_bytes(b"left by a crash, and longer than what comes")
    assert received(us, drawn(), BODY).complete
    assert path_of(us, drawn()).read_bytes() == BODY


# THE SWEEP


def an_import(connection: Connection) -> int:
    return record_import(
        connection,
        file_hash=bytes(32),
        file_name="october",
        preset="bulk",
        accepted=1,
        not_billable=0,
        duplicates=0,
        quarantined=(),
        imported_at_ms=1_790_000_000_000,
    )


def test_a_sweep_of_a_home_without_intakes_finds_nothing(us: Gateway) -> None:
    assert sweep(us) == 0


def test_only_files_that_nobody_waits_for_are_swept(us: Gateway) -> None:
    """One waits to be read, one was read, one has no row."""
    for number in (1, 2):
        received(us, drawn(number), BODY)
    with writing(us.engine) as connection:
        mark_read(connection, drawn(2).id, an_import(connection))
    path_of(us, drawn(3)).write_bytes(BODY)
    assert sweep(us) == 2
    assert [path.name for path in path_of(us, drawn()).parent.iterdir()] == [drawn(1).id]
    assert sweep(us) == 0


def test_bytes_on_their_way_are_not_swept_and_reach_their_row(us: Gateway) -> None:
    """Planted: a sweep in the middle of an intake whose row is not there yet."""
    swept: list[int] = []

    async def slow() -> AsyncIterator[bytes]:
        yield BODY * (gateway.bulk.landing.WRITE_BYTES // len(BODY) + 1)
        swept.append(sweep(us))
        yield BODY

    intake = asyncio.run(receive_first(us, drawn(), slow(), complete=True))
    assert swept == [0]
    assert path_of(us, intake).stat().st_size == intake.received


def test_a_file_that_a_sweep_took_at_the_last_moment_is_made_anew(us: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: the sweep comes between opening and locking."""
    opened, swept = gateway.bulk.landing._opened, []

    def slow(path: Path) -> int:
        file = opened(path)
        if not swept:
            swept.append(sweep(us))
        return file

    monkeypatch.setattr(gateway.bulk.landing, "_opened", slow)
    intake = received(us, drawn(), BODY)
    assert swept == [1]
    assert path_of(us, intake).read_bytes() == BODY
