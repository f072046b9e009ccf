"""Are returned files and events read with their errors, against the TAP file they name?"""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from gateway.formats.tap.audit import Audited, AuditLine
from gateway.formats.tap.ber import walk
from gateway.formats.tap.files import FileKind, TapReading, read_tap
from gateway.formats.tap.rap import ReturnedError, Severity
from gateway.formats.tap.resolving import events_like, resolve_returns
from gateway.formats.tap.sides import TapContext
from gateway.formats.tap.tree import tree_of
from ledger.errors import Malformed
from ledger.identity import CarrierCode
from tests.gateway.formats.tap.encoding import Batch, call, leaf, node, rap_file, returned, session, stamped, wrong

CONTEXT = TapContext(CarrierCode("CN-T"), {"GBRXX": CarrierCode("GB-B")})


def _read(tmp_path: Path, content: bytes) -> TapReading:
    path = tmp_path / "RCCHNYYGBRXX00007"
    path.write_bytes(content)
    return read_tap(path, CONTEXT)


def test_a_severe_return_names_its_file_its_event_and_what_is_wrong(tmp_path: Path) -> None:
    severe = returned(540, leaf(109, "00042"), call(), wrong(261, 1, 3, 9, 147, offset=4))
    read = _read(tmp_path, rap_file(severe))
    (found,) = read.file.returned
    assert (found.severity, found.tap_sender, found.tap_recipient) == (Severity.SEVERE, "GBRXX", "CHNYY")
    assert (found.first_sequence, found.last_sequence) == ("00042", "00042")
    assert found.errors == (ReturnedError(261, "1/3/9/147", 4),)
    assert found.event is not None and found.event.tag & 0xFFFF == 9
    assert (read.file.kind, str(read.file.name), read.file.name.release) == (
        FileKind.RAP,
        "CHNYY to GBRXX, number 00007",
        "1.5",
    )


def test_a_fatal_return_gives_a_whole_file_back(tmp_path: Path) -> None:
    fatal = returned(539, leaf(109, "00042"), node(542, wrong(32, 1)))
    (found,) = _read(tmp_path, rap_file(fatal)).file.returned
    assert (found.severity, found.first_sequence, found.event) == (Severity.FATAL, "00042", None)
    assert found.errors == (ReturnedError(32, "1", None),)


def test_missing_files_are_named_from_the_first_to_the_last(tmp_path: Path) -> None:
    missing = [returned(538, leaf(532, "00040"), leaf(518, "00041")), returned(538, leaf(532, "00044"))]
    read = _read(tmp_path, rap_file(*missing))
    names = [(each.severity, each.first_sequence, each.last_sequence) for each in read.file.returned]
    assert names == [(Severity.MISSING, "00040", "00041"), (Severity.MISSING, "00044", "00044")]


def test_the_number_of_returns_is_held_against_what_the_file_carries(tmp_path: Path) -> None:
    read = _read(tmp_path, rap_file(returned(538, leaf(532, "00040")), count=3))
    assert read.file.audit == (AuditLine(Audited.EVENTS, 3, 1),)


def test_a_receipt_says_that_a_rap_file_came(tmp_path: Path) -> None:
    head = [leaf(196, "GBRXX"), leaf(182, "CHNYY"), leaf(181, "00007")]
    read = _read(tmp_path, node(535, *head, stamped(515, "20261007000000")))
    assert (read.file.kind, str(read.file.name)) == (FileKind.RECEIPT, "GBRXX to CHNYY, number 00007")


def test_returns_between_others_are_refused(tmp_path: Path) -> None:
    (tmp_path / "rap").write_bytes(rap_file())
    with pytest.raises(Malformed, match="not between us and one partner"):
        read_tap(tmp_path / "rap", TapContext(CarrierCode("CN-T"), {}))


@pytest.mark.parametrize(
    ("inside", "message"),
    [
        (returned(999, leaf(109, "00042")), "no known severity"),
        (returned(540, call()), "which TAP file it returns"),
        (returned(540, leaf(109, "00042"), node(520, node(521))), "has no code"),
    ],
)
def test_a_return_that_does_not_say_what_it_means_is_refused(tmp_path: Path, inside: bytes, message: str) -> None:
    with pytest.raises(Malformed, match=message):
        _read(tmp_path, rap_file(inside))


def test_a_return_is_found_in_the_tap_file_it_names(tmp_path: Path) -> None:
    lost = call(number="442079460099")
    for name, batch in (("a", Batch([call(), lost, session(), lost])), ("b", Batch([lost], sender="USAZZ"))):
        (tmp_path / name).write_bytes(batch.encoded(indefinite=name == "a"))
    (tmp_path / "c").write_bytes(b"no TAP file")
    severe = returned(540, leaf(109, "00042"), lost, wrong(261))
    other = returned(540, leaf(109, "00043"), lost, wrong(261))
    gone = returned(540, leaf(109, "00042"), call(seconds=1), wrong(261))
    read = _read(tmp_path, rap_file(severe, other, gone, returned(539, leaf(109, "00042"))))
    found = resolve_returns(read.file.returned, [tmp_path / name for name in "abc"])
    mine = tmp_path / "a"
    assert [(each.path, each.events) for each in found] == [(mine, (2, 4)), (None, ()), (mine, ()), (mine, ())]


def test_a_returned_event_is_found_wherever_its_file_is_cut_for_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [call(number=f"4420794600{number:02}") for number in range(40)]
    (tmp_path / "tap").write_bytes(Batch(events).encoded())
    monkeypatch.setattr("gateway.formats.tap.resolving.walk", partial(walk, room=7))
    for number, event in enumerate(events, start=1):
        assert events_like(tmp_path / "tap", tree_of(np.frombuffer(event, np.uint8))) == (number,)
