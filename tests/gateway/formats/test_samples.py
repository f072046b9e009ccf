"""Does each preset's sample file become the usage records it should, and is it recognised?

`samples/NAME.*` is what a switch writes, with rows that cost nothing and rows that nobody can read;
`samples/NAME.expected.csv` is what it means.
"""

import csv
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.formats.preset import load_preset, preset_names
from gateway.formats.reading import Direction, Reading, ReadingContext, Trunk, read_cdr
from gateway.formats.sniffing import sniff
from ledger.identity import CarrierCode
from ledger.period import Period
from ledger.prices.service_terms import SmsBasis, SmsTerms, SmsUnit

SAMPLES = Path(__file__).parent / "samples"
CN, GB = CarrierCode("CN-T"), CarrierCode("GB-B")
ON_DELIVERY = SmsTerms(SmsUnit.SEGMENT, SmsBasis.DELIVERY)
TRUNKS = {
    "cnt-in": Trunk(CN, Direction.IN, sms=ON_DELIVERY),
    "cnt-out": Trunk(CN, Direction.OUT),
    "cnt-port-1": Trunk(CN, Direction.IN),
}
LONDON = ReadingContext(ZoneInfo("Europe/London"), "GB", TRUNKS, carrier=GB, period=Period(2026, 10))
BOTH_WAYS = {direction: Trunk(CN, direction) for direction in Direction}
CONTEXTS = {
    "cisco_cube": replace(LONDON, unnamed=BOTH_WAYS),
    "wholesale": replace(LONDON, unnamed={Direction.IN: Trunk(CN, Direction.IN)}),
    "ipl_inventory": replace(LONDON, unnamed={Direction.IN: Trunk(CN, Direction.IN, zone=ZoneInfo("Asia/Shanghai"))}),
}
"""What `gsc import --partner` says where a file names no trunk that gsc.toml knows."""


def sample_of(name: str) -> Path:
    (path,) = (path for path in SAMPLES.glob(f"{name}.*") if not path.name.endswith(".expected.csv"))
    return path


def read_sample(name: str) -> Reading:
    return read_cdr(sample_of(name), load_preset(name), CONTEXTS.get(name, LONDON))


def lines_of(read: Reading) -> list[list[str]]:
    """Records, quarantine and counts, as the expected files hold them."""
    lines = [
        [stream.direction.value, *(str(value) for value in row.values())]
        for stream, table in sorted(read.tables.items())
        for row in table.to_pylist()
    ]
    lines += [["quarantined", *(str(value) for value in row.values())] for row in read.quarantined.to_pylist()]
    counts = read.counts
    lines.append(["counts", *(str(each) for each in (counts.rows, counts.accepted, counts.not_billable))])
    return lines + ([["value", str(read.value.amount)]] if read.value else [])


@pytest.mark.parametrize("name", preset_names())
def test_a_sample_becomes_the_records_it_should(name: str) -> None:
    with (SAMPLES / f"{name}.expected.csv").open(newline="") as stream:
        assert lines_of(read_sample(name)) == list(csv.reader(stream))


@pytest.mark.parametrize("name", preset_names())
def test_a_sample_is_recognised(name: str) -> None:
    assert sniff(sample_of(name)).preset.name == name


@pytest.mark.parametrize("name", preset_names())
def test_the_rows_of_a_sample_add_up(name: str) -> None:
    counts = read_sample(name).counts
    assert counts.rows == counts.accepted + counts.not_billable + counts.quarantined
    assert counts.accepted and counts.quarantined, "a sample shows what is read and what is not"
