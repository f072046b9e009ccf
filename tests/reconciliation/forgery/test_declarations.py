"""Are gaps, dates that do not fit and changed roots found in what was declared, and honest declarers left alone?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.money import Micros
from ledger.period import Period
from ledger.service import Service
from reconciliation.forgery.declarations import CLOCK_MS, Declared, find_in_declarations
from reconciliation.suspicion import SuspicionKind
from tests.reconciliation.records import CN, GB

DAY_MS = 86_400_000
OCTOBER, NOVEMBER = Period(2026, 10), Period(2026, 11)


def declared(seq: int, day: float = 0.0, *, after_days: float = 0.5, **changes: object) -> Declared:
    """GB-B's declaration of one day's events, half a day after they end."""
    to_ms = int(day * DAY_MS)
    one = Declared(
        declarer=GB,
        creditor=GB,
        debtor=CN,
        service=Service.VOICE,
        period=OCTOBER,
        seq=seq,
        root=f"{seq:064x}",
        records=10,
        from_ms=to_ms - DAY_MS,
        to_ms=to_ms,
        amount_micros=Micros(seq * 1_000_000),
        declared_ms=to_ms + int(after_days * DAY_MS),
    )
    return one._replace(**changes)


def told(*stream: Declared) -> list[tuple[str, str, int]]:
    return [(each.kind.value, each.subject, each.count) for each in find_in_declarations(stream, late_days=3)]


@given(st.permutations(range(1, 9)), st.integers(0, 2))
def test_an_honest_declarer_is_left_alone_in_any_order(order: list[int], late_days: int) -> None:
    """Files of another service, of another month, and up to two days late."""
    stream = [declared(seq, seq) for seq in order]
    stream += [declared(9, 8 - late_days, after_days=late_days + 1)]
    stream += [declared(10, 1, after_days=9, service=Service.SMS), declared(11, 2, after_days=9, period=NOVEMBER)]
    assert told(*stream) == []


def test_a_number_that_is_left_out_is_a_gap() -> None:
    (found,) = find_in_declarations([declared(1, 1), declared(2, 2), declared(5, 3)], 3)
    assert (found.kind, found.subject, found.count) == (SuspicionKind.SEQUENCE_GAP, "GB-B 5", 2)
    assert found.explanation == "GB-B's declarations leave out number 3, 4; the next one is 5"
    assert told(declared(2, 1)) == [("sequence_gap", "GB-B 2", 1)]


def test_each_declarer_and_direction_has_a_sequence_of_its_own() -> None:
    theirs = [declared(seq, seq, declarer=CN) for seq in (1, 2)]
    other = [declared(seq, seq, creditor=CN, debtor=GB) for seq in (1, 2, 3)]
    assert told(*theirs, *other, declared(1, 1)) == []


def test_two_roots_for_one_number_are_equivocation() -> None:
    twin = declared(2, 2)._replace(root="ff" * 32)
    assert told(declared(1, 1), declared(2, 2), twin) == [("changed_root", "GB-B 2", 2)]
    assert told(declared(1, 1), declared(2, 2), declared(2, 2)) == []


def test_a_revealed_file_that_is_not_what_was_declared_is_a_changed_root() -> None:
    (found,) = find_in_declarations([declared(1, 1, refusal="the root is another one")], 3)
    assert (found.kind, found.confidence, found.money_at_risk_micros) == (SuspicionKind.CHANGED_ROOT, 99, 1_000_000)
    assert "the root is another one" in found.explanation


def test_no_event_begins_after_its_declaration() -> None:
    early = declared(1, 2, after_days=-0.25)
    (found,) = find_in_declarations([early], 3)
    assert (found.kind, found.confidence) == (SuspicionKind.BACK_DATED, 95)
    assert found.explanation == "GB-B declared number 1 6 hours before its last event"
    assert told(early._replace(declared_ms=early.to_ms - CLOCK_MS)) == []
    assert told(early._replace(service=Service.IPL)) == []


def test_after_a_close_only_corrections_come() -> None:
    late = declared(1, 1, closed_ms=DAY_MS)
    assert told(late) == [("back_dated", "GB-B 1", 1)]
    assert told(late._replace(is_correction=True)) == told(late._replace(closed_ms=late.declared_ms)) == []


@pytest.mark.parametrize(("days", "said"), [(2, []), (3, [("back_dated", "GB-B 2", 1)])])
def test_events_that_end_days_before_those_already_declared_came_late(days: int, said: list[object]) -> None:
    late = declared(2, 10 - days, after_days=days + 1)
    assert told(declared(1, 10), late) == said
    assert told(declared(1, 10), late._replace(is_correction=True)) == []
