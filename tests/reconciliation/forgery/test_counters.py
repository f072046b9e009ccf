"""Is a sample that a counter made up found, and honest traffic up to the line rate not?"""

import pyarrow as pa
import pytest

from ledger.usage import RATED_SCHEMA
from reconciliation.forgery.counters import over_line_rate, wrapped_samples
from tests.reconciliation.records import CN, GB

RATE_MBPS, SECONDS = 100, 300
MOST = RATE_MBPS * 1_000_000 // 8 * SECONDS
WRAP = 2**32


def samples(*octets: int, port: str = "lon-1", charge: int = 0) -> pa.Table:
    """Samples of one port, five minutes apart, and its charge record."""
    size = len(octets)
    rows = {
        "line": [*range(1, size + 1), 0],
        "a_party": ["GB-B"] * size + ["GB-B"],
        "b_party": ["CN-T"] * (size + 1),
        "start_ms": [*(k * 300_000 for k in range(size)), 10**12],
        "quantity": [*octets, 0],
        "route": [port] * (size + 1),
        "destination": ["Transit"] * (size + 1),
        "code": [port] * (size + 1),
        "charged_quantity": [*octets, 0],
        "amount_micros": [0] * size + [charge],
    }
    return pa.table(rows, schema=RATED_SCHEMA)


def test_more_octets_than_the_port_carries_cannot_have_been() -> None:
    table = samples(MOST - 1, MOST, MOST + 1, 5 * MOST, charge=43_500_000)
    (found,) = over_line_rate(table, {"lon-1": RATE_MBPS, "other": 1}, SECONDS, GB, CN)
    assert (found.subject, found.count, found.rows.tolist()) == ("lon-1", 2, [2, 3])
    assert found.money_at_risk_micros == 43_500_000


def test_a_port_at_its_line_rate_is_honest() -> None:
    assert list(over_line_rate(samples(MOST), {"lon-1": RATE_MBPS}, SECONDS, GB, CN)) == []


def test_a_sample_that_exceeds_the_other_sides_by_a_counters_size_is_a_wrap() -> None:
    ours = samples(10**9, 10**9, 10**9)
    theirs = samples(10**9, 10**9 + WRAP, 10**9 + WRAP + 5_000_000)
    (found,) = wrapped_samples(theirs, ours, GB, CN)
    assert (found.count, found.rows.tolist()) == (2, [1, 2])
    assert "32-bit" in found.explanation


@pytest.mark.parametrize("excess", [0, 10**8, WRAP // 2, WRAP + 10**8, -WRAP], ids=str)
def test_another_difference_is_no_wrap(excess: int) -> None:
    base = 10**9 + WRAP
    assert list(wrapped_samples(samples(base + excess), samples(base), GB, CN)) == []


def test_of_a_fast_ports_samples_a_wrap_is_within_the_tolerance() -> None:
    base = 4 * 10**11
    assert list(wrapped_samples(samples(base + WRAP + base // 100), samples(base), GB, CN)) == []


def test_samples_of_another_port_or_moment_are_not_compared() -> None:
    assert list(wrapped_samples(samples(10**9 + WRAP), samples(10**9, port="lon-2"), GB, CN)) == []


def test_a_sample_held_twice_proves_nothing() -> None:
    twice = pa.concat_tables([samples(10**9), samples(10**9)])
    assert list(wrapped_samples(samples(10**9 + WRAP), twice, GB, CN)) == []
