"""Does a damaged or malicious file cost more than a typed refusal?"""

import random
import tracemalloc
from pathlib import Path

import pytest

from gateway.formats.tap.files import TapReading, kind_of, read_tap
from gateway.formats.tap.sides import TapContext
from ledger.errors import GscError
from ledger.identity import CarrierCode
from tests.gateway.formats.tap.encoding import (
    Batch,
    NrtrdeFile,
    call,
    leaf,
    node,
    quick,
    rap_file,
    returned,
    session,
    wrong,
)

CONTEXT = TapContext(CarrierCode("CN-T"), {"GBRXX": CarrierCode("GB-B"), "FOO01": CarrierCode("GB-B")})
SEED = 20_261_005
MUTATIONS = 200
EVENTS = [call(), call(to_roamer=True), call(service="22"), session()]
SENDER = leaf(196, "GBRXX")
HEAD = b"\x61\x80" + node(4, SENDER)
VALID = {
    "tap": Batch(EVENTS, charge=73_500, earliest="20261005100000").encoded(),
    "tap without lengths": Batch(EVENTS, charge=73_500).encoded(indefinite=True),
    "nrtrde": NrtrdeFile([quick(3, "20160122110102", 43, leaf(27, "495211065844"))], 1, "20160123110203").encoded(),
    "rap": rap_file(returned(540, leaf(109, "00042"), call(), wrong(261, 1, 3, 9))),
}


def _mutated(content: bytes, chance: random.Random) -> bytes:
    """One to four bytes changed, dropped, doubled or cut off."""
    damaged = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(damaged))
        match chance.randrange(5):
            case 0:
                damaged[at] = chance.choice([0, 0x7F, 0x80, 0x84, 0x88, 0xFF])
            case 1:
                damaged[at] ^= 1 << chance.randrange(8)
            case 2 if len(damaged) > 1:
                del damaged[at]
            case 3:
                damaged[at:at] = damaged[at : at + chance.randint(1, 40)]
            case 4:
                del damaged[max(at, 1) :]
    return bytes(damaged)


def read_or_refuse(path: Path, content: bytes) -> TapReading | GscError:
    """What came of a file; anything but a typed error goes through."""
    path.write_bytes(content)
    try:
        read = read_tap(path, CONTEXT)
    except GscError as error:
        return error
    counts = read.reading.counts
    assert all(table["quantity"].to_numpy().min() > 0 for table in read.reading.tables.values())
    assert counts.rows == counts.accepted + counts.not_billable + len(read.reading.quarantined)
    return read


@pytest.mark.parametrize("name", VALID)
def test_mutations_of_a_valid_file_are_read_or_refused(tmp_path: Path, name: str) -> None:
    chance = random.Random(SEED)
    outcomes = [read_or_refuse(tmp_path / "file", _mutated(VALID[name], chance)) for _ in range(MUTATIONS)]
    refused = sum(isinstance(outcome, GscError) for outcome in outcomes)
    assert 0 < refused < MUTATIONS, f"seed {SEED}"


@pytest.mark.parametrize("name", VALID)
def test_a_file_cut_off_anywhere_is_refused(tmp_path: Path, name: str) -> None:
    for end in [*range(40), *range(41, len(VALID[name]), 9)]:
        assert isinstance(read_or_refuse(tmp_path / "file", VALID[name][:end]), GscError), end


@pytest.mark.parametrize(
    "bomb",
    [
        b"\x61\x84\x7f\xff\xff\xff\x64\x84\x7f\xff\xff\xff" + SENDER,
        b"\x61\x80\x64\x88\x7f\xff\xff\xff\xff\xff\xff\xff" + SENDER,
        b"\x61\x80\x64\x80" + SENDER + b"\x64\x80" * 1_000_000,
        HEAD + b"\x63\x80" + b"\x69\x80" * 1_000_000,
        HEAD + b"\x63\x80" + b"\x69\x00" * 1_000_000,
        HEAD + b"\x63\x80\x69\x80" + b"\x41\x00" * 1_000_000,
        HEAD + b"\x63\x80\x69\x80" + b"\x7f\xff\xff\xff\xff" * 200_000,
        node(2, leaf(196, b"A" * 5_000_000)),
        VALID["tap"] + b"\0" * 5_000_000 + b"\1",
    ],
)
def test_a_bomb_is_refused_in_bounded_memory(tmp_path: Path, bomb: bytes) -> None:
    assert kind_of(bomb) is not None
    read_or_refuse(tmp_path / "file", VALID["tap"])
    (tmp_path / "bomb").write_bytes(bomb)
    tracemalloc.start()
    try:
        with pytest.raises(GscError):
            read_tap(tmp_path / "bomb", CONTEXT)
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_what_is_not_read(tmp_path: Path) -> None:
    wide = node(9, *[leaf(59, b"\0" * 100)] * 200)
    peaks = []
    for size in (50, 500):
        (tmp_path / "file").write_bytes(Batch([wide] * size).encoded())
        tracemalloc.start()
        read_tap(tmp_path / "file", CONTEXT, room=4_096)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0]


@pytest.mark.parametrize("start", [HEAD, b"\x7f\x84\x16\x80"])
def test_a_head_or_a_return_file_of_countless_elements_is_refused(
    tmp_path: Path, start: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.formats.tap.tree.MAX_ELEMENTS", 100_000)
    refusal = read_or_refuse(tmp_path / "file", start + b"\x64\x00" * 1_000_000)
    assert isinstance(refusal, GscError) and refusal.message == "the file has too many elements"
