"""Is a route that answers before anybody answers found, and a busy hotline not?"""

import pytest

from reconciliation.fraud.answers import answered_tests, false_answer
from reconciliation.fraud.flow import Known
from tests.reconciliation.fraud.flows import outgoing, usual
from tests.reconciliation.records import Call

TEST_NUMBER = "447700900999"


def twice(k: int, *, route: str = "T1", b: str | None = None, short: float = 5, pause_s: float = 30) -> list[Call]:
    """A call that ends within seconds and is dialled again."""
    a, called = f"86137{k:08d}", b or f"4478{k * 7919:08d}"
    return [
        Call(at=k * 600, lasts=short, a=a, b=called, route=route),
        Call(at=k * 600 + short + pause_s, lasts=90, a=a, b=called, route="T1"),
    ]


def rows(calls: list[list[Call]]) -> list[Call]:
    return [call for each in calls for call in each]


def test_a_route_whose_short_calls_are_dialled_again_answers_falsely() -> None:
    flow = outgoing([*usual(2_000), *rows([twice(k, route="T9") for k in range(40)])])
    (found,) = false_answer([flow])
    assert (found.subject, found.count) == ("T9", 40)
    assert set(found.rows.tolist()) == set(range(2_000, 2_080, 2))


@pytest.mark.parametrize(
    "calls",
    [
        rows([twice(k, route="T9") for k in range(29)]),
        rows([twice(k, route="T9", b="447711223344") for k in range(80)]),
        rows([twice(k, route="T9", short=40) for k in range(80)]),
        rows([twice(k, route="T9", pause_s=400) for k in range(80)]),
    ],
    ids=["few", "one busy ticket line", "longer talks", "not dialled again"],
)
def test_what_is_no_false_answer_stays_silent(calls: list[Call]) -> None:
    assert list(false_answer([outgoing([*usual(2_000), *calls])])) == []


def test_what_every_route_does_alike_is_no_mark_of_one() -> None:
    calls = [call.but(route=f"T{k % 4}") for k, call in enumerate(usual(2_000))]
    again = [call.but(route=f"T{k % 4}") for k in range(400) for call in twice(k)]
    assert list(false_answer([outgoing([*calls, *again])])) == []


def test_the_second_try_may_go_another_way() -> None:
    pairs = [twice(k, route="T9") for k in range(40)]
    first, again = outgoing([*usual(2_000), *(p[0] for p in pairs)]), outgoing([*usual(500), *(p[1] for p in pairs)])
    assert [each.subject for each in false_answer([first, again])] == ["T9"]


def test_a_charged_call_to_a_test_number_is_proof() -> None:
    tests = [Call(at=k, lasts=lasts, b=TEST_NUMBER, route="T9") for k, lasts in enumerate((8, 0, 3))]
    (found,) = answered_tests(outgoing([*usual(), *tests]), Known(test_numbers=(TEST_NUMBER,)))
    assert (found.count, found.confidence, found.rows.tolist()) == (2, 99, [200, 202])
    assert list(answered_tests(outgoing(usual()), Known(test_numbers=(TEST_NUMBER,)))) == []
    assert list(answered_tests(outgoing(tests), Known())) == []
