import pytest

from ledger.detector_terms import DetectorTerms
from ledger.prices.deck import DeckHistory
from reconciliation.arbitrage.increments import find_increment_arbitrage
from tests.reconciliation.arbitrage.selling import MOBILE, decks, plain_deck, sold
from tests.reconciliation.records import Call, many

TERMS = DetectorTerms()
MINUTES = decks((0, plain_deck(first_s=60, next_s=60)))
HALF_MINUTES = decks((0, plain_deck(first_s=30, next_s=6)))
SECONDS = decks((0, plain_deck()))
PEOPLE = many(600)


def to_range(count: int, lasts_s: tuple[int, ...], **same: object) -> list[Call]:
    return [
        Call(at=700 * k, lasts=lasts_s[k % len(lasts_s)], a=f"86138{k:08d}", b=f"{MOBILE}80001{k:04d}").but(**same)
        for k in range(count)
    ]


def test_people_end_their_calls_anywhere() -> None:
    for history in (MINUTES, HALF_MINUTES, SECONDS):
        assert find_increment_arbitrage(sold(PEOPLE, history), TERMS) == ()


def test_calls_that_end_just_before_an_increment_are_nobodys_gain() -> None:
    assert find_increment_arbitrage(sold([*PEOPLE, *to_range(60, (58, 59, 60, 118))], MINUTES), TERMS) == ()


def test_terminals_that_call_for_half_a_minute_are_none() -> None:
    assert find_increment_arbitrage(sold([*PEOPLE, *to_range(80, (20, 25, 33, 41))], HALF_MINUTES), TERMS) == ()


def test_by_the_second_nothing_can_be_gained() -> None:
    assert find_increment_arbitrage(sold([*PEOPLE, *to_range(60, (61, 62, 121))], SECONDS), TERMS) == ()


def test_too_few_calls_say_nothing() -> None:
    assert find_increment_arbitrage(sold([*PEOPLE, *to_range(29, (61, 62))], MINUTES), TERMS) == ()


@pytest.mark.parametrize(
    ("history", "lasts_s"), [(MINUTES, (61, 62, 121, 182)), (MINUTES, (1, 2, 3)), (HALF_MINUTES, (1, 2))]
)
def test_a_range_whose_calls_end_just_beyond_is_told(history: DeckHistory, lasts_s: tuple[int, ...]) -> None:
    made = to_range(60, lasts_s)
    (found,) = find_increment_arbitrage(sold([*PEOPLE, *made], history), TERMS)
    assert (found.subject, found.count) == ("44780001*", 60)
    assert found.rows.tolist() == list(range(600, 660))


def test_what_is_at_risk_is_what_was_charged_beyond_the_talk() -> None:
    (found,) = find_increment_arbitrage(sold([*PEOPLE, *to_range(60, (61,))], MINUTES), TERMS)
    assert found.money_at_risk_micros == 60 * 10_000 * 59 // 60
    assert found.explanation == (
        "60 calls to 44780001* end within 3 s beyond an increment: 120 minutes are charged for 61"
    )


def test_a_caller_that_calls_everywhere_for_a_moment_is_told() -> None:
    made = [Call(at=90 * k, lasts=2, a="8613912345678", b=f"{MOBILE}{k * 104_729:09d}") for k in range(50)]
    (found,) = find_increment_arbitrage(sold([*PEOPLE, *made], HALF_MINUTES), TERMS)
    assert (found.subject, found.count) == ("8613912345678", 50)
