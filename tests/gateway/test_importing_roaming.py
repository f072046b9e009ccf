"""Does `gsc import` take roaming files in, and say what they say of themselves?"""

import json
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest

from gateway.cli import app as cli
from gateway.composition import Gateway
from gateway.formats.tap.audit import Audited, AuditLine
from gateway.formats.tap.files import FileKind
from gateway.formats.tap.resolving import FileKey, missing_before
from gateway.month.importing import ImportAnswer, import_usage
from gateway.month.telling import Said
from ledger.errors import Conflict, Malformed
from ledger.identity import CarrierCode
from ledger.service import Service
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
from tests.gateway.homes import lonely_gateway

GB, CN = CarrierCode("GB-B"), CarrierCode("CN-T")
AGREEMENT = """
carriers = ["CN-T", "GB-B"]
currency = "USD"
services = ["voice", "sms", "data"]
zone = "UTC"
valid_from = 2026-09-01
"""
TADIG = MappingProxyType({"GBRXX": GB, "CHNYY": CN})
OURS = Batch(
    [call(), session(), session(-1), node(9, leaf(44, "whole")[:-1])],
    sender="CHNYY",
    recipient="GBRXX",
    charge=135_500,
    count=5,
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    """CN-T's, for all tests: each imports files of its own."""
    gateway = lonely_gateway(tmp_path_factory.mktemp("home") / "cn-t", "CN-T")
    (gateway.settings.agreements_path / "gb-b.toml").write_text(AGREEMENT)
    return replace(gateway, settings=replace(gateway.settings, tadig=TADIG))


def _ours(number: int) -> bytes:
    """A file like no other test's."""
    return replace(OURS, number=f"{number:05}").encoded()


def _import(home: Gateway, folder: Path, content: bytes, preset: str = "auto", **more: Any) -> ImportAnswer:
    path = folder / "CDCHNYYGBRXX00042"
    path.write_bytes(content)
    return import_usage(home, path, preset, **more)


def test_a_tap_file_is_known_by_its_first_bytes_and_becomes_usage_owed_to_who_served(
    home: Gateway, tmp_path: Path
) -> None:
    answer = _import(home, tmp_path, _ours(0))
    assert (answer.preset, answer.sure_percent) == ("tap", 100)
    assert [(each.partner, each.creditor, each.service, each.count) for each in answer.usage] == [
        (GB, CN, Service.VOICE, 1),
        (GB, CN, Service.DATA, 2),
    ]
    assert (answer.accepted, answer.quarantined, answer.not_billable) == (2, 2, 0)
    kept = sorted((home.settings.work_path / "usage" / answer.file_hash.hex()).glob("*.parquet"))
    assert [pq.read_table(path).num_rows for path in kept] == [2, 1]


def test_the_import_shows_which_of_the_files_own_totals_do_not_hold(home: Gateway, tmp_path: Path) -> None:
    answer = _import(home, tmp_path, _ours(1))
    assert [line for line in answer.audit if not line.holds] == [AuditLine(Audited.EVENTS, 5, 4)]
    assert answer.value == "135.5 SDR"
    assert answer.notes == (
        "TAP 3.12, CHNYY to GBRXX, number 00001: charges SDR 135.5, EUR 157.455065 at 1.16203",
        "the file's own total does not hold: events declared 5, counted 4: 1 too many",
    )


def test_an_event_left_out_is_kept_with_its_number_its_reason_and_its_bytes(home: Gateway, tmp_path: Path) -> None:
    rows = _import(home, tmp_path, _ours(2), "tap").quarantine
    assert [(row.line, row.reason) for row in rows] == [
        (3, "volume: a negative volume"),
        (4, "an element runs past the end of the one it is in"),
    ]
    assert OURS.events[2].endswith(bytes.fromhex(rows[0].raw)) and len(rows[0].raw) > 100
    assert bytes.fromhex(rows[1].raw) == leaf(44, "whole")[:-1]


def test_what_is_imported_again_is_said_to_be_and_a_dry_run_leaves_nothing(home: Gateway, tmp_path: Path) -> None:
    dry = _import(home, tmp_path, _ours(3), dry_run=True)
    assert dry.import_id is None
    assert not (home.settings.work_path / "usage" / dry.file_hash.hex()).exists()
    first = _import(home, tmp_path, _ours(3))
    again = _import(home, tmp_path, _ours(3))
    assert again.repeated and (again.import_id, again.preset) == (first.import_id, "tap")


def test_a_return_is_told_with_the_import_and_the_event_it_is_about(home: Gateway, tmp_path: Path) -> None:
    _import(home, tmp_path, Batch([session(), call()], sender="GBRXX", recipient="CHNYY", charge=68_900).encoded())
    severe = [returned(540, leaf(109, number), call(), wrong(261, 1, 3, 9)) for number in ("00042", "00043", "00042")]
    answer = _import(home, tmp_path, rap_file(*severe))
    assert (answer.accepted, answer.usage) == (0, ())
    assert answer.notes == (
        "RAP 1.5, CHNYY to GBRXX, number 00007",
        "severe: GBRXX to CHNYY, number 00042: an event, error 261 at 1/3/9; imported as CDCHNYYGBRXX00042, event 2",
        "severe: GBRXX to CHNYY, number 00043: an event, error 261 at 1/3/9",
        "severe: GBRXX to CHNYY, number 00042: an event, error 261 at 1/3/9; imported as CDCHNYYGBRXX00042, event 2",
    )


def test_a_partners_own_tap_is_no_second_count_of_ours(home: Gateway, tmp_path: Path) -> None:
    theirs = Batch([call()], number="00043", charge=2_300)
    note = "these are GB-B's own records: declared as our count they can only agree with its own"
    assert note in _import(home, tmp_path, theirs.encoded()).notes
    ours = replace(theirs, sender="CHNYY", recipient="GBRXX", number="00004")
    assert len(_import(home, tmp_path, ours.encoded()).notes) == 1


def test_what_nrtrde_tells_early_is_shown_and_never_becomes_usage_beside_the_tap(home: Gateway, tmp_path: Path) -> None:
    voice = quick(3, "20261005100000", 61, leaf(27, "442079460000"))
    early = NrtrdeFile([voice, voice], 3, "20261005180000", sender="GBRXX", recipient="CHNYY")
    answer = _import(home, tmp_path, early.encoded())
    assert (answer.accepted, answer.not_billable, answer.usage, answer.duplicates) == (0, 2, (), 1)
    assert answer.notes == (
        "NRTRDE 2.1, GBRXX to CHNYY, number 1",
        "the file's own total does not hold: events declared 3, counted 2: 1 too many",
        "2 of 2 events came more than 4 h after they ended; the last after 7:58:59",
        "NRTRDE tells events early and unpriced: none of them is kept as usage, since TAP bills them",
    )


@pytest.mark.parametrize("said", [Said(partner=GB), Said(zone=ZoneInfo("UTC"))])
def test_what_a_roaming_file_says_itself_cannot_be_said_by_the_caller(
    home: Gateway, tmp_path: Path, said: Said
) -> None:
    with pytest.raises(Malformed, match="says itself whose traffic"):
        _import(home, tmp_path, _ours(7), said=said)


def test_a_network_that_nobody_named_is_refused_with_the_line_to_write(home: Gateway, tmp_path: Path) -> None:
    with pytest.raises(Malformed) as refusal:
        _import(home, tmp_path, Batch([call()], sender="USAZZ").encoded())
    assert refusal.value.todo == 'Say there who they are: USAZZ = "CARRIER".'


def test_text_is_no_roaming_file_even_if_it_is_said_to_be(home: Gateway, tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="not a TAP, NRTRDE or RAP file"):
        _import(home, tmp_path, b"a_number,b_number\n", "tap")


def test_the_command_shows_notes_and_answers_json(
    home: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("gateway.cli.reading_verbs.folder_of", lambda _: home)
    path = tmp_path / "tap"
    path.write_bytes(_ours(10))
    arguments = ["import", str(path), "--dry-run"]
    assert cli.run(arguments) == 0
    told = capsys.readouterr().out
    assert "tap: preset tap, 100 % sure" in told
    assert "events declared 5, counted 4: 1 too many" in told
    assert cli.run([*arguments, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["audit"][0] == {"what": "events", "declared": 5, "counted": 4}


def test_a_number_used_for_another_content_is_refused_and_the_same_content_is_not(
    home: Gateway, tmp_path: Path
) -> None:
    first = _ours(500)
    _import(home, tmp_path, first)
    with pytest.raises(Conflict) as refusal:
        _import(home, tmp_path, replace(OURS, number="00500", charge=1).encoded())
    assert refusal.value.got == "the number of CDCHNYYGBRXX00042"
    assert _import(home, tmp_path, first).repeated


def test_numbers_between_two_files_that_were_not_imported_are_told(home: Gateway, tmp_path: Path) -> None:
    notes = [_import(home, tmp_path, _ours(number)).notes[2:] for number in (600, 601, 603, 610, 605)]
    assert notes[1:] == [
        (),
        ("not imported: number 00602",),
        ("not imported: 00604 to 00609",),
        ("not imported: number 00604",),
    ]


def test_the_first_file_of_two_carriers_misses_nothing() -> None:
    key = FileKey(FileKind.TAP, "GBRXX", "CHNYY", "00042")
    others = [key._replace(kind=FileKind.NRTRDE), key._replace(recipient="USAZZ"), key._replace(sequence="00050")]
    assert missing_before(key, others) is None
    assert missing_before(key._replace(sequence="x"), [key]) is None
