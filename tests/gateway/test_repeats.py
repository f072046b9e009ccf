"""Are records that an earlier import holds taken once, whatever bytes they come in again?"""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.composition import Gateway
from gateway.month import importing, repeats
from gateway.month.importing import ImportAnswer, import_usage
from ledger.store.engine import reading
from ledger.store.imports import list_imports, unsealed_usage
from tests.gateway.homes import lonely_gateway
from tests.gateway.test_importing import AGREEMENT
from tests.gateway.test_replaying import with_trunks

HEADER = "a_number,b_number,start,duration_ms,trunk\n"
CALLS = tuple(
    f"+861390000000{at},+44770090000{at},2026-10-{1 + 3 * at:02}T08:00:00Z,{60_000 + at},known\n" for at in range(5)
)
BODY = HEADER + "".join(CALLS)
AGAIN: dict[str, Callable[[str], bytes]] = {
    "packed": lambda text: gzip.compress(text.encode(), mtime=0),
    "with other line ends": lambda text: text.replace("\n", "\r\n").encode(),
    "with a blank line": lambda text: f"{text}\n".encode(),
    "in another order": lambda text: (HEADER + "".join(sorted(text.splitlines(True)[1:], reverse=True))).encode(),
    "with a row that is none": lambda text: f"{text}+8613900000001,nobody,2026-10-01T08:00:00Z,1,known\n".encode(),
}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Gateway]:
    """GB-B's, where the calls are imported."""
    gateway = lonely_gateway(tmp_path / "gb-b", "GB-B")
    (gateway.settings.agreements_path / "cn-t.toml").write_text(AGREEMENT)
    found = with_trunks(gateway, "known")
    assert imported(found, tmp_path / "calls.csv", BODY.encode()).accepted == 5
    yield found
    gateway.close()


def imported(gateway: Gateway, path: Path, content: bytes) -> ImportAnswer:
    path.write_bytes(content)
    return import_usage(gateway, path, "csv")


def records(gateway: Gateway) -> tuple[int, int]:
    """How many imports there are, and how many records wait to be sealed."""
    with reading(gateway.engine) as connection:
        return len(list_imports(connection)), sum(each.count for each in unsealed_usage(connection))


def files(gateway: Gateway) -> list[Path]:
    return sorted(path for path in gateway.settings.home.rglob("*") if path.parent.name != "gb-b")


@pytest.mark.parametrize("way", AGAIN)
def test_the_same_records_in_other_bytes_are_the_import_they_were(home: Gateway, tmp_path: Path, way: str) -> None:
    before = files(home)

    answer = imported(home, tmp_path / "again.csv", AGAIN[way](BODY))

    assert (answer.repeated, answer.import_id, answer.accepted) == (True, 1, 5)
    assert answer.notes[0] == "its records are those of import 1, calls.csv: nothing was added"
    assert len(answer.notes) == 1 + answer.quarantined
    assert (records(home), files(home)) == ((1, 5), before)


@pytest.mark.parametrize(
    "calls",
    [
        CALLS[:-1],
        (*CALLS, CALLS[0]),
        (*CALLS[:-1], CALLS[-1].replace(",60004,", ",60005,")),
        (*CALLS[:-1], CALLS[-1].replace("+447700900004", "+447700900009")),
    ],
)
def test_other_records_are_an_import_of_their_own(home: Gateway, tmp_path: Path, calls: tuple[str, ...]) -> None:
    answer = imported(home, tmp_path / "more.csv", (HEADER + "".join(calls)).encode())
    assert (answer.repeated, answer.import_id) == (False, 2)
    assert records(home) == (2, 5 + len(calls))


def test_a_file_without_a_record_repeats_nothing(home: Gateway, tmp_path: Path) -> None:
    answer = imported(home, tmp_path / "none.csv", (HEADER + CALLS[0].replace("known", "unknown")).encode())
    assert (answer.repeated, answer.accepted, answer.quarantined) == (False, 0, 1)


def test_a_repeat_that_only_its_bytes_would_tell_would_show(
    home: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: no file is another one's repeat."""
    monkeypatch.setattr(repeats, "_are_same", lambda *_: False)
    assert not imported(home, tmp_path / "again.csv", AGAIN["packed"](BODY)).repeated
    assert records(home) == (2, 10)


def test_slices_of_the_very_import_are_never_removed(home: Gateway, tmp_path: Path) -> None:
    """The same bytes read by two at once: the later finds the files of the earlier under its own name."""
    path = tmp_path / "calls.csv"
    content_hash = importing._hash_of(path, importing.NOTHING_SAID)
    source = importing.open_source(home, path, "csv", importing.NOTHING_SAID)
    _, _, kept = importing.read_source(home, source, "calls.csv", content_hash)
    with reading(home.engine) as connection:
        assert repeats.held_before(connection, home.settings.home, kept) is None
