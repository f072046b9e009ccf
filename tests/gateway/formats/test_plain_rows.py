"""Is a line of messages, samples or circuits read exactly, and one that cannot be read set aside with its reason?"""

from pathlib import Path

import pytest

from gateway.formats.usage_file import UsageFile, read_usage
from ledger.errors import Malformed
from ledger.prices.service_terms import SmsBasis, SmsTerms, SmsUnit
from ledger.service import Service

ON_DELIVERY = SmsTerms(SmsUnit.SEGMENT, SmsBasis.DELIVERY)
AT = "2026-10-05T08:00:00Z"
AT_MS = 1_791_187_200_000


def read(tmp_path: Path, service: Service, *lines: str, sms: SmsTerms = ON_DELIVERY) -> UsageFile:
    path = tmp_path / "usage.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return read_usage(path, service, sms)


@pytest.mark.parametrize(
    ("service", "header", "row", "reason"),
    [
        (Service.SMS, "a_party,b_party,start,route,parts", f"GSC,44770090012x,{AT},23415,1", "b_party"),
        (Service.SMS, "a_party,b_party,start,route,parts", f"GSC,,{AT},23415,1", "b_party"),
        (Service.SMS, "a_party,b_party,start,route,parts", f"GSC,447700900123,{AT},,1", "route"),
        (Service.SMS, "a_party,b_party,start,route,parts", f"GSC,447700900123,{AT},23415,0", "segments"),
        (Service.SMS, "a_party,b_party,start,route,parts", f"GSC,447700900123,{AT},23415,one", "parts"),
        (Service.SMS, "a_party,b_party,start,route", f"GSC,447700900123,{AT},23415", "segments"),
        (Service.SMS, "a_party,b_party,start,route,length,encoding", f"GSC,44,{AT},23415,9,ebcdic", "encoding"),
        (Service.SMS, "a_party,b_party,start,route,parts", f"ünbekannt,447700900123,{AT},23415,1", "a_party"),
        (Service.DATA, "a_party,b_party,start,quantity,route", f"gb-b,CN-T,{AT},1,p1", "a_party is no carrier"),
        (Service.DATA, "a_party,b_party,start,quantity,route", f"GB-B,CN-T,{AT},1,", "route"),
        (Service.DATA, "a_party,b_party,start,quantity,route", f"GB-B,CN-T,{AT},-1,p1", "quantity"),
        (Service.IPL, "a_party,b_party,start,quantity,route", f",BJS2,{AT},31,C1", "a_party"),
        (Service.IPL, "a_party,b_party,start,quantity,route", f"LON1,BJS2,{AT},31,{'C' * 33}", "route"),
    ],
)
def test_an_unreadable_line_is_set_aside_and_the_file_goes_on(
    tmp_path: Path, service: Service, header: str, row: str, reason: str
) -> None:
    found = read(tmp_path, service, header, row)
    assert len(found.table) == 0
    (line,) = found.quarantined
    assert line.line == 2
    assert reason in line.reason


@pytest.mark.parametrize(
    ("service", "header"),
    [
        (Service.SMS, "a_party,b_party,start,quantity"),
        (Service.DATA, "a_party,b_party,start,quantity,route,status"),
        (Service.IPL, "a_party,b_party,quantity,route"),
        (Service.VOICE, "a_party,b_party,start,quantity,parts"),
    ],
)
def test_a_file_of_another_service_is_refused_with_the_columns_it_should_have(
    tmp_path: Path, service: Service, header: str
) -> None:
    with pytest.raises(Malformed, match="start or start_ms"):
        read(tmp_path, service, header)


def test_messages_count_as_agreed_and_undelivered_ones_are_not_charged_on_delivery(tmp_path: Path) -> None:
    lines = (
        "a_party,b_party,start,route,encoding,length,parts,status",
        f"GSCBANK,+447700900123,{AT},234-15,gsm7,161,1,DELIVRD",
        f"447700900001,447700900124,{AT},23415,,,3,DELIVRD",
        f"GSCBANK,447700900125,{AT},23415,ucs2,10,1,EXPIRED",
    )
    found = read(tmp_path, Service.SMS, *lines)

    columns = found.table.select(["line", "a_party", "b_party", "start_ms", "quantity", "route"]).to_pylist()
    assert [tuple(row.values()) for row in columns] == [
        (2, "GSCBANK", "447700900123", AT_MS, 2, "234-15"),
        (3, "447700900001", "447700900124", AT_MS, 3, "23415"),
    ]
    assert found.not_charged == 1
    submitted = read(tmp_path, Service.SMS, *lines, sms=SmsTerms(SmsUnit.MESSAGE, SmsBasis.SUBMIT))
    assert (submitted.table["quantity"].to_pylist(), submitted.not_charged) == ([1, 1, 1], 0)


def test_samples_and_circuits_are_read_with_their_parties(tmp_path: Path) -> None:
    header = "a_party,b_party,start_ms,quantity,route,line"
    sample = read(tmp_path, Service.DATA, header, f"GB-B,CN-T,{AT_MS},375000000,lon-pop1,7").table.to_pylist()
    circuit = read(tmp_path, Service.IPL, header, f"LON1,BJS2,{AT_MS},31,LON-BJS-1,8").table.to_pylist()

    assert [tuple(row.values()) for row in sample] == [(7, "GB-B", "CN-T", AT_MS, 375_000_000, "lon-pop1")]
    assert [tuple(row.values()) for row in circuit] == [(8, "LON1", "BJS2", AT_MS, 31, "LON-BJS-1")]
