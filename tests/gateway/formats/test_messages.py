"""Is a message counted as agreed: on submission or delivery, whole or by segment, to the recipient's network?"""

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.formats.preset import parse_preset
from gateway.formats.reading import Direction, Reading, ReadingContext, Stream, Trunk, read_cdr
from ledger.errors import Malformed
from ledger.identity import CarrierCode
from ledger.prices.service_terms import SmsBasis, SmsTerms, SmsUnit
from ledger.service import Service
from tests.gateway.formats.test_samples import CN, LONDON
from tests.ledger.records import OCTOBER_MS

US = CarrierCode("US-A")
PRESET = """
name = "sms"
title = "messages"
service = "sms"
[file]
header = true
columns = ["bind", "sender", "recipient", "sent", "done", "state", "parts", "mcc", "mnc"]
[fields]
a_party = "sender"
b_party = "recipient"
start = "sent"
delivered = "done"
quantity = "parts"
mcc = "mcc"
mnc = "mnc"
[time]
format = "iso"
zone = "utc"
[delivered]
column = "state"
values = ["DELIVRD"]
[trunk]
any = "bind"
"""
HEADER = "bind,sender,recipient,sent,done,state,parts,mcc,mnc\n"
SENT, DONE = "2026-10-01T00:00:00Z", "2026-10-01T00:01:00Z"


def _terms(unit: SmsUnit, basis: SmsBasis) -> ReadingContext:
    """CN-T's agreement says this, US-A's the opposite of the basis."""
    other = SmsBasis.SUBMIT if basis is SmsBasis.DELIVERY else SmsBasis.DELIVERY
    trunks = {
        "cnt": Trunk(CN, Direction.OUT, sms=SmsTerms(unit, basis)),
        "usa": Trunk(US, Direction.OUT, sms=SmsTerms(unit, other)),
    }
    return replace(LONDON, trunks=trunks)


def _read(tmp_path: Path, rows: str, context: ReadingContext) -> Reading:
    path = tmp_path / "messages.csv"
    path.write_text(HEADER + rows)
    return read_cdr(path, parse_preset(PRESET, "sms"), context)


def _row(bind: str = "cnt", state: str = "DELIVRD", parts: str = "3", mcc: str = "460", mnc: str = "0") -> str:
    return f"{bind},GSCBANK,8613800138000,{SENT},{DONE},{state},{parts},{mcc},{mnc}\n"


@pytest.mark.parametrize(("unit", "quantity"), [(SmsUnit.MESSAGE, 1), (SmsUnit.SEGMENT, 3)])
@pytest.mark.parametrize(("basis", "after"), [(SmsBasis.SUBMIT, 0), (SmsBasis.DELIVERY, 60_000)])
def test_what_counts_and_when_is_what_was_agreed(
    tmp_path: Path, unit: SmsUnit, quantity: int, basis: SmsBasis, after: int
) -> None:
    read = _read(tmp_path, _row(), _terms(unit, basis))
    (row,) = read.tables[Stream(CN, Direction.OUT, Service.SMS)].to_pylist()
    assert (row["start_ms"] - OCTOBER_MS, row["quantity"]) == (after, quantity)
    assert (row["a_party"], row["route"]) == ("GSCBANK", "46000")


def test_rows_of_partners_with_different_agreements_may_be_mixed(tmp_path: Path) -> None:
    rows = _row("usa") + _row("cnt") + _row("usa", "UNDELIV") + _row("cnt", "UNDELIV") + _row("nobody")
    read = _read(tmp_path, rows, _terms(SmsUnit.SEGMENT, SmsBasis.DELIVERY))
    starts = {
        stream.partner: [(row["line"], row["start_ms"] - OCTOBER_MS) for row in table.to_pylist()]
        for stream, table in read.tables.items()
    }
    assert starts == {US: [(2, 0), (4, 0)], CN: [(3, 60_000)]}
    assert (read.counts.accepted, read.counts.not_billable, read.counts.quarantined) == (3, 1, 1)


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        (_row(parts="0"), "parts", "not a number of segments"),
        (_row(parts="1.5"), "parts", "not a number of segments"),
        (_row(parts="٣"), "parts", "not a number of segments"),
        (_row(mcc="46"), "mcc", "not a network's MCC and MNC"),
        (_row(mnc=""), "mcc", "not a network's MCC and MNC"),
        (_row(mnc="0001"), "mcc", "not a network's MCC and MNC"),
        (_row().replace("8613800138000", "GSCBANK"), "recipient", "not a number in E.164"),
        (_row().replace(SENT, "soon"), "sent", "not a time"),
    ],
)
def test_a_message_that_cannot_be_read_is_quarantined(tmp_path: Path, row: str, column: str, reason: str) -> None:
    read = _read(tmp_path, row + _row(), _terms(SmsUnit.SEGMENT, SmsBasis.SUBMIT))
    assert [tuple(each.values()) for each in read.quarantined.to_pylist()] == [(2, column, reason)]
    assert read.counts.accepted == 1


@pytest.mark.parametrize(
    ("sender", "kept"),
    [("+8613800138003", "8613800138003"), ("72345", "72345"), ("123", "123"), ("", ""), ("Bank 24", "Bank 24")],
)
def test_a_sender_may_be_a_number_a_short_code_or_a_word(tmp_path: Path, sender: str, kept: str) -> None:
    row = _row().replace("GSCBANK", sender)
    read = _read(tmp_path, row, _terms(SmsUnit.SEGMENT, SmsBasis.SUBMIT))
    (table,) = read.tables.values()
    assert table["a_party"].to_pylist() == [kept]


@pytest.mark.parametrize("field", ['b_party = "recipient"', 'start = "sent"', 'mcc = "mcc"'])
def test_a_preset_that_lacks_what_messages_need_is_refused(field: str) -> None:
    with pytest.raises(Malformed, match="is broken"):
        parse_preset(PRESET.replace(field + "\n", ""), "sms")
