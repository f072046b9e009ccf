"""Is every change of a price, a code or a destination told, and the notice it needs?"""

from ledger.money import Nanos
from ledger.prices.deck import Rate, RateDeck, RateStatus, rate_deck
from ledger.prices.deck_changes import Change, deck_changes

DAY_MS = 86_400_000


def _rate(code: str, nanos: int, destination: str = "UK", **other: object) -> Rate:
    return Rate(destination, code, Nanos(nanos), **other)  # type: ignore[arg-type]


def _deck(*rates: Rate) -> RateDeck:
    return rate_deck("USD", rates)


BEFORE = _deck(_rate("44", 10), _rate("447", 20, "Mobile"), _rate("33", 30, "France"), _rate("86", 5, "China"))


def test_increases_decreases_new_codes_closures_and_moves_are_told_by_code() -> None:
    after = _deck(
        _rate("44", 11),
        _rate("447", 19, "Mobile"),
        _rate("4475", 20, "Mobile B"),
        _rate("86", 5, "China"),
        _rate("1", 1, "US"),
    )
    changes = {each.code: each for each in deck_changes(BEFORE, after, 0)}
    assert {code: each.change for code, each in changes.items()} == {
        "44": Change.INCREASE,
        "447": Change.DECREASE,
        "4475": Change.SAME,
        "33": Change.CLOSED,
        "86": Change.SAME,
        "1": Change.NEW,
    }
    assert [code for code, each in changes.items() if each.is_moved] == ["4475"]


def test_a_code_that_leaves_the_deck_has_the_price_of_the_shorter_one() -> None:
    (change,) = [each for each in deck_changes(BEFORE, _deck(_rate("44", 10)), 0) if each.code == "447"]
    assert change.change is Change.DECREASE and change.is_moved


def test_a_blocked_code_is_closed_and_a_removed_one_is_not() -> None:
    blocked, removed = (
        {each.code: each.change for each in deck_changes(BEFORE, _deck(_rate("44", 10), closing), 0)}
        for closing in (_rate("447", 0, status=RateStatus.BLOCKED), _rate("447", 0, status=RateStatus.REMOVED))
    )
    assert (blocked["447"], removed["447"]) == (Change.CLOSED, Change.DECREASE)


def test_longer_increments_and_fees_are_increases_though_the_rate_is_lower() -> None:
    old = _deck(_rate("44", 10**9))
    for new in (
        _rate("44", 9 * 10**8, first=60_000, next=60_000),
        _rate("44", 9 * 10**8, connect_nanos=Nanos(10**7)),
        _rate("44", 10**9, attempt_nanos=Nanos(1)),
        _rate("44", 10**9, min_nanos=Nanos(10**8)),
    ):
        assert [each.change for each in deck_changes(old, _deck(new), 0)] == [Change.INCREASE]


def test_increases_and_closures_need_their_notice_and_decreases_none() -> None:
    after = _deck(_rate("44", 11, effective_ms=8 * DAY_MS), _rate("447", 19, "Mobile"), _rate("86", 6, "China"))
    short = {each.code: each.is_short(7, 0) for each in deck_changes(BEFORE, after, 2 * DAY_MS)}
    assert short == {"44": False, "447": False, "86": True, "33": True}
    assert not any(each.is_short(7, 0) for each in deck_changes(BEFORE, after, 7 * DAY_MS))
