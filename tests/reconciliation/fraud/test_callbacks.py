"""Are dear calls back to numbers that only rang found, and those to a call centre not?"""

import pytest

from reconciliation.fraud.callbacks import wangiri
from reconciliation.fraud.flow import Known
from tests.reconciliation.fraud.flows import DAY_S, HOUR_S, dear, incoming, outgoing, usual
from tests.reconciliation.records import Call

RINGER = "449001234567"


def rings(count: int = 60, lasts: float = 0) -> list[Call]:
    return [Call(at=k * 20, lasts=lasts, a=RINGER, b=f"8613800000{k:03d}") for k in range(count)]


def back(count: int = 6, later_s: int = HOUR_S) -> list[Call]:
    return [dear(Call(at=k * 20 + later_s, lasts=90, a=f"8613800000{k:03d}", b=RINGER)) for k in range(count)]


def test_dear_calls_back_to_a_number_that_rang_many_are_wangiri() -> None:
    (found,) = wangiri([incoming(rings())], [outgoing([*usual(), *back()])], Known())
    assert (found.subject, found.count, found.rows.tolist()) == ("44900123*", 6, list(range(200, 206)))
    assert found.explanation == "1 numbers of 44900123* rang 60 times for a moment and were called back 6 times"


def talks(count: int) -> list[Call]:
    """Of the same number: conversations."""
    return [Call(at=5_000 + k * 300, lasts=200, a=RINGER, b=f"8613900000{k:03d}") for k in range(count)]


@pytest.mark.parametrize(
    ("rung", "called"),
    [
        (rings(49), back()),
        (rings(lasts=30), back()),
        ([*rings(), *talks(10)], back()),
        (rings(), back(4)),
        (rings(), back(later_s=-HOUR_S * 2)),
        (rings(), back(later_s=DAY_S + HOUR_S)),
        (rings(), [call.but(amount=None) for call in back()]),
        (rings(), [call.but(a="8613811111111") for call in back()]),
    ],
    ids=[
        "rang few",
        "talked",
        "talks with one in seven, as a call centre",
        "few called back",
        "called before",
        "called a day later",
        "no dear calls",
        "called by others",
    ],
)
def test_what_is_no_wangiri_stays_silent(rung: list[Call], called: list[Call]) -> None:
    assert list(wangiri([incoming(rung)], [outgoing([*usual(), *called])], Known())) == []


def test_without_records_of_the_rings_nothing_can_be_told() -> None:
    assert list(wangiri([incoming(usual())], [outgoing([*usual(), *back()])], Known())) == []
    assert list(wangiri([], [outgoing(back())], Known())) == []


def test_rings_from_one_partner_and_calls_back_through_another_are_one_campaign() -> None:
    others = outgoing([*usual(), *back(3)])
    (found,) = wangiri([incoming(rings())], [others, outgoing([*usual(), *back()])], Known())
    assert found.count == 6
