"""On seeded months with games and honest decoys: is every game found, and nobody else accused?"""

from functools import cache

import pytest

from reconciliation.arbitrage.games import Known, find_games
from reconciliation.suspicion import GAMES, SuspicionKind
from scripts.traffic.game_plants import GAMES as PLANTED
from scripts.traffic.games import GameMonth, Score, play, score

SEEDS = (31, 32)
CALLS = 12_000


@cache
def month(seed: int, *, games: bool = True) -> GameMonth:
    print(f"seed {seed}")
    return play(seed, CALLS, games=games)


def searched(made: GameMonth) -> Score:
    terms = {way: each.agreement.detectors for way, each in made.sold.items()}
    return score(made, find_games(made.sold, terms, made.known))


@pytest.mark.parametrize("seed", SEEDS)
def test_every_game_is_found_and_nobody_else_is_accused(seed: int) -> None:
    found = searched(month(seed))
    assert found.hits == found.games
    assert found.false_alarms == ()


def test_a_month_without_games_has_no_suspicion() -> None:
    found = searched(month(SEEDS[0], games=False))
    assert (found.games, found.false_alarms) == ({}, ())


def test_each_kind_of_call_game_was_planted() -> None:
    """A month without games would pass the first test."""
    assert {kind for kind, _, _ in PLANTED} == GAMES - {SuspicionKind.UNLICENSED_CROSSING}
    assert len(month(SEEDS[0]).games) == len(PLANTED)


def test_without_the_debtors_records_and_peerings_what_needs_them_stays_unsaid() -> None:
    made = month(SEEDS[0])
    terms = {way: each.agreement.detectors for way, each in made.sold.items()}
    less = score(made, find_games(made.sold, terms, Known()))
    assert less.hits[SuspicionKind.PEERING_RESALE] == 0
    assert less.hits[SuspicionKind.REWRITTEN_CALLER] < less.games[SuspicionKind.REWRITTEN_CALLER]
    assert less.false_alarms == ()
