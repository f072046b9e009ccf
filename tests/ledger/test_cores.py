"""Is work that is shared by the cores, or done ahead, the same work in the same order?"""

import os
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.cores import ahead, in_order, in_parallel


def _counted(made: list[int], most: int) -> Iterator[int]:
    for number in range(most):
        made.append(number)
        yield number


def test_what_fails_in_one_piece_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        in_parallel(lambda piece: 1 // piece, [1, 0, 2])
    pieces = in_order(lambda piece: 1 // piece, [1, 0, 2])
    assert next(pieces) == 1
    with pytest.raises(ZeroDivisionError):
        next(pieces)


def test_what_fails_while_a_piece_is_made_is_raised_in_its_place() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise OSError("gone")

    taken = []
    with pytest.raises(OSError, match="gone"):
        taken.extend(ahead(broken()))
    assert taken == [] or taken == [1]


@given(st.lists(st.integers()))
@settings(deadline=None)
def test_pieces_come_back_in_their_order(pieces: list[int]) -> None:
    assert in_parallel(lambda piece: piece * 2, pieces) == [piece * 2 for piece in pieces]
    assert list(in_order(lambda piece: piece * 2, pieces)) == [piece * 2 for piece in pieces]
    assert list(ahead(iter(pieces))) == pieces


def test_one_piece_is_made_ahead_and_no_more() -> None:
    made: list[int] = []
    pieces = ahead(_counted(made, 100))
    for number in range(5):
        assert next(pieces) == number
        assert made[-1] <= number + 1
    pieces.close()
    assert made[-1] <= 5


def test_no_more_pieces_are_worked_on_than_there_are_cores() -> None:
    made: list[int] = []
    pieces = in_order(lambda piece: piece, _counted(made, 10_000))
    for number in range(5):
        assert next(pieces) == number
        assert made[-1] <= number + (os.cpu_count() or 1)
    pieces.close()


def test_pieces_are_made_beside_the_thread_that_uses_them() -> None:
    makers = list(ahead(threading.get_ident() for _ in range(3)))
    assert threading.get_ident() not in makers
    assert len(set(makers)) == 1
