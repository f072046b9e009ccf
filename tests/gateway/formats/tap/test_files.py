"""Does a roaming file become the usage records it means, and does it hold what it says?"""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.formats.tap import ber, picking, values
from gateway.formats.tap.files import SNIFFED_BYTES, FileKind, TapReading, kind_of, read_tap
from gateway.formats.tap.sides import TapContext
from gateway.formats.trunks import Direction
from ledger.errors import Malformed
from ledger.identity import CarrierCode
from ledger.service import Service
from tests.gateway.formats.tap.encoding import (
    Batch,
    NrtrdeFile,
    call,
    charges,
    coded,
    leaf,
    node,
    packed,
    rap_file,
    roamer,
    session,
    stamped,
)

GB, CN = CarrierCode("GB-B"), CarrierCode("CN-T")
CONTEXT = TapContext(CN, {"GBRXX": GB, "FOO01": GB})
TEN_MS = 1_791_187_200_000  # 2026-10-05 08:00 UTC, 10:00 at +0200
ROAMER = "8613800138000"


def _read(tmp_path: Path, content: bytes, context: TapContext = CONTEXT, room: int = 65_536) -> TapReading:
    path = tmp_path / "CDGBRXXCHNYY00042"
    path.write_bytes(content)
    return read_tap(path, context, room=room)


def _rows(read: TapReading, service: Service) -> list[tuple[object, ...]]:
    tables = [table for stream, table in read.reading.tables.items() if stream.service is service]
    return [tuple(row.values()) for table in tables for row in table.to_pylist()]


def _quarantined(read: TapReading) -> list[tuple[int, str, str]]:
    return [(row["line"], row["column"], row["reason"]) for row in read.reading.quarantined.to_pylist()]


def test_calls_from_and_to_a_roamer(tmp_path: Path) -> None:
    read = _read(tmp_path, Batch([call(), call(to_roamer=True, number="4915112345678", seconds=7)]).encoded())
    assert _rows(read, Service.VOICE) == [
        (1, ROAMER, "442079460000", TEN_MS, 61_000, "GBRXX"),
        (2, "4915112345678", ROAMER, TEN_MS, 7_000, "GBRXX"),
    ]
    assert (read.reading.counts.accepted, read.reading.counts.not_billable, _quarantined(read)) == (2, 0, [])


def test_messages_from_and_to_a_roamer(tmp_path: Path) -> None:
    sent = call(service="22", seconds=0)
    came = call(service="21", seconds=0, to_roamer=True, number="447700123456")
    read = _read(tmp_path, Batch([sent, came]).encoded())
    assert _rows(read, Service.SMS) == [
        (1, ROAMER, "442079460000", TEN_MS, 1, ""),
        (2, "447700123456", ROAMER, TEN_MS, 1, ""),
    ]


def test_a_message_has_its_own_sender_and_recipient_where_the_file_tells_them(tmp_path: Path) -> None:
    service = node(38, node(39, node(36, node(426, leaf(218, "22")))))
    start = [coded(44, "20261005100000"), leaf(223, 0)]
    to = node(89, leaf(407, packed("861380000000")), leaf(419, "+447700900123"))
    sent = node(9, node(147, roamer(), to, *start), service)
    by = node(41, leaf(425, "My Bank"))
    came = node(10, node(153, roamer(), by, *start), service.replace(b"22", b"21"))
    read = _read(tmp_path, Batch([sent, came]).encoded())
    assert [row[1:3] for row in _rows(read, Service.SMS)] == [(ROAMER, "447700900123"), ("My Bank", ROAMER)]


def test_a_data_session_is_a_record_of_each_way(tmp_path: Path) -> None:
    read = _read(tmp_path, Batch([session(), session(0, 17), session(0, 0)]).encoded())
    eleven_ms = TEN_MS + 3_600_000
    assert _rows(read, Service.DATA) == [
        (1, "CN-T", "GB-B", eleven_ms, 1_200_000_000, "GBRXX"),
        (1, "GB-B", "CN-T", eleven_ms, 2_200_000_000, "GBRXX"),
        (2, "GB-B", "CN-T", eleven_ms, 17, "GBRXX"),
    ]
    assert (read.reading.counts.accepted, read.reading.counts.not_billable) == (2, 1)


def test_who_served_the_roamers_is_owed(tmp_path: Path) -> None:
    assert list(_read(tmp_path, Batch([call()]).encoded()).reading.tables) == [(GB, Direction.OUT, Service.VOICE)]
    ours = Batch([call(), session()], sender="CHNYY", recipient="GBRXX")
    both = TapContext(CN, {"GBRXX": GB, "CHNYY": CN})
    for context in (CONTEXT, both):
        read = _read(tmp_path, ours.encoded(), context)
        assert set(read.reading.tables) == {(GB, Direction.IN, Service.VOICE), (GB, Direction.IN, Service.DATA)}
        assert [row[1:3] for row in _rows(read, Service.DATA)] == [("GB-B", "CN-T"), ("CN-T", "GB-B")]


@pytest.mark.parametrize(("sender", "recipient"), [("USAZZ", "CHNYY"), ("GBRXX", "FOO01"), ("CHNYY", "CHNYY")])
def test_a_file_of_others_is_refused(tmp_path: Path, sender: str, recipient: str) -> None:
    with pytest.raises(Malformed, match="not between us and one partner"):
        _read(tmp_path, Batch([call()], sender=sender, recipient=recipient).encoded())


def test_times_are_read_with_the_files_own_table_of_offsets(tmp_path: Path) -> None:
    read = _read(tmp_path, Batch([call(offset_code=1), call(offset_code=2), call(offset_code=3)]).encoded())
    assert [row[3] for row in _rows(read, Service.VOICE)] == [TEN_MS, TEN_MS + 7 * 3_600_000 + 1_800_000]
    assert _quarantined(read) == [(3, "start", "not a time with a known offset from UTC")]


def test_a_leap_second_is_the_next_one(tmp_path: Path) -> None:
    read = _read(tmp_path, Batch([call(start="20261231235960")]).encoded())
    assert [row[3] for row in _rows(read, Service.VOICE)] == [1_798_761_600_000 - 2 * 3_600_000]


@pytest.mark.parametrize(
    ("event", "column", "reason"),
    [
        (session(-2, 5), "volume", "a negative volume"),
        (session(5, -(2**31)), "volume", "a negative volume"),
        (session(2**53 + 1, 5), "volume", "more than 9,007,199,254,740,992 octets"),
        (session(2**80, 5), "volume", "not a number of octets"),
        (call(seconds=-1), "duration", "a negative duration"),
        (call(seconds=2**40), "duration", "longer than 10,000,000 s"),
        (call(seconds=2**70), "duration", "not a duration"),
        (call(start="20260229100000"), "start", "not a time with a known offset from UTC"),
        (call(start="20261005240000"), "start", "not a time with a known offset from UTC"),
        (call(start="2026100510000"), "start", "not a time with a known offset from UTC"),
        (call(start="2026100510000x"), "start", "not a time with a known offset from UTC"),
        (node(9, node(147, roamer())), "start", "no time"),
        (call(number="a1"), "called", "not a number in E.164"),
        (call(number="0207946000"), "called", "not a number in E.164"),
        (call(number="123"), "called", "not a number in E.164"),
        (call(number=""), "called", "not a number in E.164"),
        (call(to_roamer=True, subscriber=roamer(number="")), "called", "the roamer's number is not told"),
        (node(11, coded(44, "20261005100000")), "", "event of kind 11, which is no call, message or data session"),
        (leaf(9, b"bytes"), "start", "no time"),
        (node(9, leaf(44, "whole")[:-1]), "", "an element runs past the end of the one it is in"),
    ],
)
def test_an_event_that_cannot_be_read_is_quarantined_by_its_number_and_the_file_goes_on(
    tmp_path: Path, event: bytes, column: str, reason: str
) -> None:
    read = _read(tmp_path, Batch([call(), event, call()]).encoded())
    assert _quarantined(read) == [(2, column, reason)]
    assert [row[0] for row in _rows(read, Service.VOICE)] == [1, 3]
    assert read.file.audit[0].counted == 3


def test_a_call_of_no_duration_is_not_billable(tmp_path: Path) -> None:
    read = _read(tmp_path, Batch([call(seconds=0)]).encoded())
    assert (read.reading.counts.accepted, read.reading.counts.not_billable) == (0, 1)


def test_a_roamer_known_by_imsi_only_is_kept_as_calling_party(tmp_path: Path) -> None:
    read = _read(tmp_path, Batch([call(subscriber=roamer(number="")), call(subscriber=b"")]).encoded())
    assert [row[1] for row in _rows(read, Service.VOICE)] == ["imsi:460001234567890", ""]


def test_an_older_release_without_the_wrapping_of_choices_reads_the_same(tmp_path: Path) -> None:
    plain = node(199, leaf(129, packed("460001234567890")), leaf(152, packed(ROAMER)))
    head = node(147, plain, node(89, leaf(407, packed("442079460000"))), coded(44, "20261005100000"), leaf(223, 61))
    old = node(9, head, node(38, node(39, node(36, leaf(218, "11")), charges(("00", 2300)))))
    read = _read(tmp_path, Batch([old], release=4).encoded())
    assert _rows(read, Service.VOICE) == _rows(_read(tmp_path, Batch([call()]).encoded()), Service.VOICE)
    assert read.file.name.release == "3.4"


def test_elements_not_read_are_kept_and_counted_by_path(tmp_path: Path) -> None:
    place = node(138, node(156, leaf(136, 3505), leaf(2**28 - 1, "new")), leaf(3, "x", tag_class=2))
    event = call()
    wider = node(9, event[len(event) - event[1] :] if event[1] < 128 else event[3:], place)
    read = _read(tmp_path, Batch([wider, wider, call()]).encoded())
    unread = {each.path: each.count for each in read.file.unread}
    assert unread["1/3/9/138/156/136"] == unread["1/3/9/138/156/268435455"] == unread["1/3/9/138/c3"] == 2
    assert "1/3/9/147/44/16" not in unread
    assert len(_rows(read, Service.VOICE)) == 3


def test_root_and_list_without_lengths_read_the_same(tmp_path: Path) -> None:
    batch = Batch([call(), session(), call(to_roamer=True)])
    definite, indefinite = (_read(tmp_path, batch.encoded(indefinite=mark)) for mark in (False, True))
    assert definite.reading == indefinite.reading
    assert definite.file.audit == indefinite.file.audit


def test_without_the_compiler_a_file_reads_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = [call(), session(), call(service="21", to_roamer=True), session(-1), node(9, leaf(44, "whole")[:-1])]
    content = Batch(events, charge=1, earliest="20261005100000").encoded(indefinite=True)
    compiled = _read(tmp_path, content)
    plain = [(ber, "scan"), (picking, "pick"), (values, "read_integers"), (values, "read_stamps")]
    for module, name in [*plain, (values, "read_offsets"), (values, "_unpack"), (values, "_copy")]:
        monkeypatch.setattr(module, name, getattr(module, name).py_func)
    assert _read(tmp_path, content) == compiled


EVENTS = st.lists(
    st.sampled_from(
        [
            call(),
            call(to_roamer=True),
            call(service="22"),
            session(),
            session(-1),
            node(11, coded(44, "20261005100000")),
            node(9, leaf(44, "whole")[:-1]),
            node(9),
        ]
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(EVENTS, st.booleans(), st.integers(1, 60))
def test_however_the_file_is_cut_for_reading_the_records_are_the_same(
    tmp_path: Path, each: list[bytes], indefinite: bool, room: int
) -> None:
    content = Batch(each, earliest="20261005100000").encoded(indefinite=indefinite)
    whole, cut = _read(tmp_path, content), _read(tmp_path, content, room=room)
    assert whole.reading == cut.reading
    assert (whole.file.audit, whole.file.charges, whole.file.unread) == (
        cut.file.audit,
        cut.file.charges,
        cut.file.unread,
    )
    counts = whole.reading.counts
    assert len(each) == counts.rows == counts.accepted + counts.not_billable + counts.quarantined
    assert counts.duplicates == len(each) - len(set(each))


def test_a_notification_says_that_there_is_nothing(tmp_path: Path) -> None:
    head = [leaf(196, "GBRXX"), leaf(182, "CHNYY"), leaf(109, "00043"), stamped(107, "20261005120000")]
    read = _read(tmp_path, node(2, *head, leaf(201, 3), leaf(189, 12)))
    assert (read.file.kind, str(read.file.name)) == (FileKind.NOTIFICATION, "GBRXX to CHNYY, number 00043")
    assert (read.reading.counts.accepted, read.file.audit) == (0, ())


def test_test_data_is_never_usage(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="test data"):
        _read(tmp_path, Batch([call()], extra=[leaf(110, "T")]).encoded())


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (Batch([call()] * 400).encoded(), FileKind.TAP),
        (Batch().encoded(indefinite=True), FileKind.TAP),
        (NrtrdeFile([], 0, "20260101000000").encoded(), FileKind.NRTRDE),
        (node(2, leaf(196, "GBRXX")), FileKind.NOTIFICATION),
        (rap_file(), FileKind.RAP),
        (node(535, leaf(196, "GBRXX")), FileKind.RECEIPT),
        (b"", None),
        (b"a", None),
        (b"a_number,b_number,start,duration_ms,trunk\n", None),
        (b"bob,alice\n", None),
        (b"address,b_number\n", None),
        (b"a_digits,b_digits\n", None),
        (b'"","src"\n', None),
        (b"\x61\x03\x41\x01A", None),
        (b"PK\x03\x04", None),
    ],
)
def test_the_first_bytes_tell_the_kind(head: bytes, kind: FileKind | None) -> None:
    assert kind_of(head[:SNIFFED_BYTES]) is kind


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be read"),
        (b"a,b,c\n", "not a TAP, NRTRDE or RAP file"),
        (Batch([call()]).encoded()[:-1], "ends inside an element"),
        (Batch([call()]).encoded() + b"\x01", "bytes follow"),
        (Batch([call()], sender="").encoded(), "does not say the sender"),
        (Batch([call()], sender="GB\x00X").encoded(), "does not say the sender"),
        (Batch([call()], places=13).encoded(), "decimal places"),
        (Batch([call()], rates=[(1, 0, 5)]).encoded(), "exchange rate"),
        (Batch([call(charged=charges(("00", -5)))]).encoded(), "a charge of event 1 is no amount"),
        (Batch([call(charged=charges(("00", 2**63)))]).encoded(), "a charge of event 1 is no amount"),
    ],
)
def test_a_file_that_is_in_doubt_as_a_whole_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(Malformed, match=message):
        _read(tmp_path, content)


def test_a_large_event_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.formats.tap.gathering.MAX_EVENT_FIELDS", 50)
    with pytest.raises(Malformed, match="an event is too large"):
        _read(tmp_path, Batch([call(charged=charges(*[("00", 1)] * 40))]).encoded())


def test_more_kinds_of_elements_than_any_release_has_are_refused(tmp_path: Path) -> None:
    strange = node(9, *(leaf(number, b"") for number in range(1, 2_060)))
    with pytest.raises(Malformed, match="too many kinds of elements"):
        _read(tmp_path, Batch([strange]).encoded())
