"""Do records fit the bytes in which they travel inside a transaction?"""

from dataclasses import replace
from typing import Any

import pytest

from ledger.errors import Malformed
from ledger.identity import ascii32
from ledger.inline import pack_records
from ledger.sealing import LeafValues

START = 1_790_812_800_000
PARTY = bytes(range(16)) + bytes(16)
ZERO = bytes(32)
CALL = LeafValues(0, ZERO, PARTY, PARTY[::-1][16:] + bytes(16), START, 61_000, ascii32("SIP/1"), 12_300)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"index": 1}, "its place as index"),
        ({"salt": PARTY}, "no salt"),
        ({"a_party": bytes(15) + b"\1\1" + bytes(15)}, "16 bytes"),
        ({"b_party": b"\1" * 32}, "16 bytes"),
        ({"start_ms": START - 1}, "start"),
        ({"start_ms": START + 2**32}, "start"),
        ({"quantity": 2**40}, "quantity"),
        ({"amount_micros": 2**48}, "amount"),
    ],
)
def test_a_record_that_does_not_fit_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        pack_records([replace(CALL, **changes)], START)


def test_more_records_or_routes_than_a_call_takes_are_refused() -> None:
    with pytest.raises(Malformed, match="too many records"):
        pack_records([CALL] * 501, START)
    routes = [replace(CALL, index=index, route=ascii32(f"SIP/{index}")) for index in range(257)]
    with pytest.raises(Malformed, match="too many routes"):
        pack_records(routes, START)


def test_a_record_takes_48_bytes_and_a_route_is_named_once() -> None:
    other = replace(CALL, index=1, start_ms=START + 2**32 - 1, quantity=2**40 - 1, amount_micros=2**48 - 1)
    third = replace(CALL, index=2, route=ascii32("SIP/2"))
    packed = pack_records([CALL, other, third], START)
    assert packed.routes == (ascii32("SIP/1"), ascii32("SIP/2"))
    assert packed.records[:48] == PARTY[:16] + CALL.b_party[:16] + bytes(4) + b"\0\0\0\xeeH" + b"\0\0\0\0\x30\x0c\0"
    assert packed.records[80:96] == b"\xff" * 15 + b"\0"
    assert packed.records[143] == 1
