"""Are SIM boxes and our own numbers from abroad found, and switchboards, couriers and advertisers not?"""

import pytest

from ledger.detector_terms import DetectorTerms
from reconciliation.fraud.boxes import bypass, sim_boxes
from reconciliation.fraud.flow import Known
from tests.reconciliation.fraud.flows import incoming, outgoing, usual
from tests.reconciliation.records import Call

FEW = DetectorTerms(sim_box_calls=20, bypass_calls=5)
CARD = "447700900111"


def card(count: int = 25, lasts: float = 90, step_s: float = 120, spread: int = 10**6) -> list[Call]:
    """One SIM card's calls, one after the other, to different numbers."""
    return [Call(at=k * step_s, lasts=lasts, a=CARD, b=f"86138{k * 7919 % spread:08d}") for k in range(count)]


def test_a_number_that_only_calls_and_always_somebody_else_is_a_box() -> None:
    flow = incoming([*usual(), *card()], FEW)
    (found,) = sim_boxes(flow, [outgoing(usual())])
    assert (found.subject, found.count, found.rows.tolist()) == ("44770090*", 25, list(range(200, 225)))


@pytest.mark.parametrize(
    "calls",
    [card(19), card(step_s=60), card(lasts=40), card(spread=7)],
    ids=["few", "a switchboard: several at once", "an advertiser: short", "the same seven numbers"],
)
def test_what_is_no_box_stays_silent(calls: list[Call]) -> None:
    assert list(sim_boxes(incoming([*usual(), *calls], FEW), [])) == []


def test_a_number_that_is_called_back_is_a_persons() -> None:
    called = outgoing([Call(a="8613800007919", b=CARD)])
    assert list(sim_boxes(incoming([*usual(), *card()], FEW), [called])) == []


def test_cards_of_one_range_are_one_box() -> None:
    cards = [call.but(a=f"44770090{n:04d}") for n in range(3) for call in card()]
    (found,) = sim_boxes(incoming(cards, FEW), [])
    assert (found.count, found.explanation.split()[0]) == (75, "3")


def test_our_own_fixed_numbers_from_abroad_are_a_bypass() -> None:
    spoofed = [Call(at=k, a=f"8621{k:08d}", route="T7") for k in range(6)]
    (found,) = bypass(incoming([*usual(), *spoofed], FEW), Known(own=("8610", "8621")))
    assert (found.subject, found.count) == ("T7", 6)
    assert list(bypass(incoming([*usual(), *spoofed[:4]], FEW), Known(own=("8621",)))) == []
    assert list(bypass(incoming([*usual(), *spoofed], FEW), Known())) == []
