from ledger.detector_terms import DetectorTerms
from ledger.money import Nanos
from ledger.prices.rating_terms import INVALID, OTHER, Origin, RatingTerms, Surcharge
from reconciliation.arbitrage.callers import find_lines_twice, find_nameless, find_renamed
from reconciliation.arbitrage.sold import Sold
from reconciliation.suspicion import Suspicion
from tests.reconciliation.arbitrage.selling import sold
from tests.reconciliation.records import GB, US, Call, many

TERMS = DetectorTerms()
NEAR = RatingTerms(
    origins=(Origin("near", frozenset({"86"})),),
    surcharges=(Surcharge("far", frozenset({OTHER}), Nanos(50_000_000)),),
)
STRICT = RatingTerms(
    origins=NEAR.origins, surcharges=(Surcharge("far", frozenset({OTHER, INVALID}), Nanos(50_000_000)),)
)
PEOPLE = many(300)


def renamed(count: int, sent: str, kept: str) -> tuple[list[Call], list[Call]]:
    """The same calls as the creditor got them and as the debtor has them."""
    calls = [Call(at=50 * k, b=f"44799{k:07d}") for k in range(count)]
    return (
        [call.but(a=f"{sent}{k:05d}" if sent else "") for k, call in enumerate(calls)],
        [call.but(a=f"{kept}{k:05d}") for k, call in enumerate(calls)],
    )


def asked(sent: str, kept: str, count: int = 30, terms: RatingTerms = NEAR) -> tuple[Suspicion, ...]:
    ours, theirs = renamed(count, sent, kept)
    return find_renamed(sold([*PEOPLE, *ours], rating=terms), sold([*PEOPLE, *theirs], rating=terms).table, TERMS)


def test_callers_that_arrive_as_they_were_sent_are_none() -> None:
    month = sold(PEOPLE, rating=NEAR)
    assert find_renamed(month, month.table, TERMS) == ()


def test_a_caller_rewritten_within_its_origin_or_to_a_dearer_one_gains_nobody() -> None:
    assert asked("86137", "86138") == ()
    assert asked("4915", "86138") == ()


def test_callers_lost_on_the_way_and_surcharged_for_it_are_none() -> None:
    assert asked("", "4915", terms=STRICT) == ()


def test_a_few_are_none() -> None:
    assert asked("86137", "4915", count=19) == ()


def test_far_callers_that_arrive_as_near_ones_are_told_with_the_price_between() -> None:
    (found,) = asked("86137", "4915")
    assert (found.subject, found.count, found.confidence) == ("near", 30, 99)
    assert found.rows.tolist() == list(range(300, 330))
    assert found.money_at_risk_micros == 30 * 50_000


def test_far_callers_that_arrive_without_a_number_are_told() -> None:
    (found,) = asked("", "4915")
    assert (found.subject, found.count) == ("invalid", 30)


LINES = [f"4477009000{k:02d}" for k in range(6)]
DIRECT = [
    Call(at=20_000 * k + 4_000 * j, lasts=1_800, a=a, b=f"4470{k}{j}00000")
    for k, a in enumerate(LINES)
    for j in range(3)
]


def through(at_s: tuple[int, ...], lines: list[str] = LINES) -> list[Call]:
    """Calls of these lines through another carrier, so many seconds after each line's first direct call begins."""
    return [
        Call(at=20_000 * k + at, lasts=120, a=a, b=f"44712{k:02d}{at:06d}") for k, a in enumerate(lines) for at in at_s
    ]


def twice(calls: list[Call], direct: list[Call] = DIRECT) -> tuple[Suspicion, ...]:
    directly = sold(direct)
    of_us = Sold(GB, US, directly.table, directly.agreement, directly.period, directly.decks)
    return find_lines_twice(sold([*PEOPLE, *calls]), of_us, ("4477",), TERMS)


def test_travellers_call_through_another_carrier_while_they_do_not_call_directly() -> None:
    assert twice(through((2_000, 2_300, 2_600, 3_000))) == ()


def test_a_line_in_two_calls_at_once_now_and_then_is_a_transfer() -> None:
    assert twice(through((100, 400, 2_600, 3_000))) == ()


def test_a_switchboards_number_in_many_calls_at_once_tells_nothing() -> None:
    board = [call.but(at=call.at + 60) for call in DIRECT]
    assert twice(through((100, 400, 700, 1_000)), [*DIRECT, *board]) == ()


def test_numbers_borrowed_while_their_lines_speak_are_told() -> None:
    borrowed = through((100, 400, 700, 1_000))
    (found,) = twice(borrowed)
    assert (found.subject, found.count, found.debtor) == (US, 24, "CN-T")
    assert found.rows.tolist() == list(range(300, 324))


def nameless(count: int, terms: RatingTerms, *, share_of: int = 300) -> tuple[Suspicion, ...]:
    people = [call.but(a=f"4915{k:08d}") for k, call in enumerate(many(share_of))]
    made = [Call(at=50 * k, a="", b=f"44799{k:07d}") for k in range(count)]
    return find_nameless(sold([*people, *made], rating=terms), TERMS)


def test_as_many_nameless_calls_as_the_trade_allows_are_none() -> None:
    assert nameless(30, NEAR) == ()


def test_nameless_calls_that_cost_as_much_as_the_others_are_none() -> None:
    assert nameless(100, STRICT) == ()


def test_nameless_calls_that_save_a_surcharge_are_told() -> None:
    (found,) = nameless(100, NEAR)
    assert (found.count, found.money_at_risk_micros) == (100, 100 * 50_000)
