"""Does the engine pair messages by parties, samples by port and interval, circuits by name, and explain the rest?"""

from dataclasses import replace

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.agreement import Tolerance
from ledger.identity import AgreementId
from ledger.service import Service
from ledger.usage import RATED_SCHEMA, BatchScope
from reconciliation.finding import Severity
from reconciliation.reconcile import Reconciliation, reconcile
from tests.ledger.prices.service_records import CN_T, GB_B, OCTOBER, agreed, ms

Row = tuple[str, str, str, int, str, int]
"""a_party, b_party, start, quantity, route, amount in micros."""
LAST = "2026-10-31T23:59:59"


def rated(*rows: Row) -> pa.Table:
    records = [
        {
            "line": line,
            "a_party": a,
            "b_party": b,
            "start_ms": ms(start),
            "quantity": quantity,
            "route": route,
            "destination": "X",
            "code": route,
            "charged_quantity": quantity,
            "amount_micros": amount,
        }
        for line, (a, b, start, quantity, route, amount) in enumerate(rows, start=1)
    ]
    return pa.Table.from_pylist(records, schema=RATED_SCHEMA)


def compared(service: Service, ours: list[Row], theirs: list[Row]) -> Reconciliation:
    """As CN-T, the debtor, sees it."""
    scope = BatchScope(AgreementId(bytes(32)), CN_T, GB_B, service, OCTOBER)
    return reconcile(rated(*ours), rated(*theirs), scope=scope, agreement=agreed())


def told(result: Reconciliation) -> list[tuple[str, int, int]]:
    return [(each.cause.value, each.count, each.difference_micros) for each in result.findings]


def test_a_message_of_two_segments_differs_in_quantity_however_large_the_tolerance_of_durations() -> None:
    ours = [("GSC", "4477001", "2026-10-05T08:00:00", 1, "23415", 30_000)]
    theirs = [("GSC", "4477001", "2026-10-05T08:00:02", 2, "23415", 60_000)]
    result = compared(Service.SMS, ours, theirs)

    assert told(result) == [("segments", 1, -30_000)]
    assert result.findings[0].severity is Severity.DISPUTE
    assert "1 message was counted as other numbers of segments" in result.findings[0].explanation


def test_a_messages_segments_are_no_time_that_could_cross_the_month() -> None:
    result = compared(Service.SMS, [], [("GSC", "4477001", "2026-10-20T08:00:00", 2_000_000_000, "23415", 1)])
    assert told(result) == [("missing_at_ours", 1, -1)]


def samples_at(second: int) -> list[Row]:
    """Two ports' samples of an hour, read so many seconds after the interval's begin."""
    minutes, ports_ = range(0, 60, 5), ("p1", "p2")
    return [
        ("GB-B", "CN-T", f"2026-10-05T08:{minute:02d}:{second:02d}", 10**9 + minute, port, 0)
        for minute in minutes
        for port in ports_
    ]


def test_samples_pair_by_port_and_interval_though_all_have_the_same_parties() -> None:
    result = compared(Service.DATA, samples_at(0), samples_at(9)[:-1])
    assert result.pairs == 23
    assert told(result) == [("missing_at_theirs", 1, 0)], "9 s late is no clock error, a lost sample is found"


def test_samples_of_another_port_or_direction_are_no_pair() -> None:
    here = ("GB-B", "CN-T", "2026-10-05T08:00:00", 1_000, "p1", 0)
    for other in ((*here[:4], "p2", 0), ("CN-T", "GB-B", *here[2:])):
        assert compared(Service.DATA, [here], [other]).pairs == 0


def test_a_ports_charge_that_differs_is_a_difference_of_price_and_a_missing_one_is_missing() -> None:
    charge = ("GB-B", "CN-T", LAST, 0, "p1", 90_000_000)
    assert told(compared(Service.DATA, [(*charge[:5], 88_500_000)], [charge])) == [("rate", 1, -1_500_000)]
    (finding,) = compared(Service.DATA, [], [charge]).findings
    assert (finding.cause.value, finding.severity) == ("missing_at_ours", Severity.DISPUTE)


def test_a_circuit_is_told_by_its_name_though_ends_and_dates_differ() -> None:
    ours = [
        ("LON1", "BJS2", "2026-10-10T00:00:00", 22, "C1", 2_200),
        ("LON1", "BJS2", "2026-10-01T00:00:00", 31, "C2", 9),
    ]
    theirs = [("London", "Beijing", "2026-10-08T00:00:00", 24, "C1", 2_400)]
    result = compared(Service.IPL, ours, theirs)

    assert told(result) == [("missing_at_theirs", 1, 9), ("circuit_dates", 1, -200)]
    assert "1 circuit was in service on other days" in result.findings[1].explanation


def test_an_installation_pairs_with_the_installation_not_with_the_circuit() -> None:
    book = [("LON1", "BJS2", "2026-10-10T00:00:00", 22, "C1", 2_200), ("GB-B", "CN-T", LAST, 0, "C1", 500)]
    assert told(compared(Service.IPL, book, book[::-1])) == []
    assert told(compared(Service.IPL, book[:1], book)) == [("missing_at_ours", 1, -500)]


messages = st.tuples(
    st.just("GSC"), st.sampled_from(["441", "442"]), st.integers(1, 28), st.integers(0, 3), st.just("23415")
)
ports = st.tuples(
    st.sampled_from(["GB-B", "CN-T"]),
    st.just("X"),
    st.integers(1, 31),
    st.integers(0, 2**40),
    st.sampled_from(["p1", "p2"]),
)
circuits = st.tuples(
    st.just("LON"), st.just("BJS"), st.integers(1, 31), st.integers(1, 31), st.sampled_from(["C1", "C2"])
)


@settings(max_examples=50, deadline=None)
@given(st.data(), st.sampled_from([(Service.SMS, messages), (Service.DATA, ports), (Service.IPL, circuits)]))
def test_findings_sum_to_the_difference_whatever_the_order_and_the_swap_of_sides_mirrors_them(
    data: st.DataObject, drawn_of: tuple[Service, st.SearchStrategy[tuple[str, str, int, int, str]]]
) -> None:
    service, rows = drawn_of
    made = st.lists(st.tuples(rows, st.integers(0, 10**9)), max_size=8)
    ours, theirs = (
        [
            (a, b, f"2026-10-{day:02d}T08:00:00", quantity, route, amount)
            for (a, b, day, quantity, route), amount in drawn
        ]
        for drawn in (data.draw(made), data.draw(made))
    )
    result, shuffled = compared(service, ours, theirs), compared(service, ours[::-1], theirs[::-1])

    whole = sum(row[5] for row in ours) - sum(row[5] for row in theirs)
    assert sum(each.difference_micros for each in result.findings) == whole
    assert told(shuffled) == told(result)


def test_the_agreements_own_window_counts_for_messages_alone() -> None:
    agreement = replace(agreed(), tolerance=Tolerance(window_ms=60_000))
    assert compared(Service.SMS, [], []).pairs == 0
    scope = BatchScope(AgreementId(bytes(32)), CN_T, GB_B, Service.SMS, OCTOBER)
    tables = [rated(("G", "44", f"2026-10-05T08:00:{second:02d}", 1, "23415", 1)) for second in (0, 50)]
    assert reconcile(*tables, scope=scope, agreement=agreement).pairs == 1
    assert reconcile(*tables, scope=scope, agreement=agreed()).pairs == 0
