"""Is a record without a price taken up again once it has one, exactly once, whatever dies and whatever is closed?"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from gateway import month
from gateway.answers import as_json
from gateway.composition import Gateway, open_gateway
from gateway.keystore import PASSWORD_VARIABLE
from gateway.month import unpriced
from gateway.month.books import book_of, table_of
from gateway.month.parts import directions, wanted_partnerships
from gateway.settings import load_settings
from ledger.period import Period
from ledger.store.engine import reading
from ledger.store.imports import partly_sealed
from tests.gateway.pair import Pair, pair_on_chain, settled
from tests.scenarios.gateways import CN_T, DECKS, GB_B, NOVEMBER, PASSWORD, SEPTEMBER

pytestmark = pytest.mark.chain
OCTOBER = Period(2026, 10)
DAY = 86_400
PRICED = ("+442070000001", "+442070000002", "+442070000003")
UNKNOWN = ("+85221000001", "+35312345678")
"""Hong Kong and Ireland: GB-B's first deck has neither."""
SECOND = DECKS[GB_B] + "Hong Kong,852,0.0200,1/1\n"
THIRD = SECOND + "Ireland,353,0.0300,1/1\n"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """CN-T sealed and declared what its deck prices. GB-B published two more in time, whose files CN-T has not yet."""
    folder = tmp_path_factory.mktemp("pair")
    with pair_on_chain(folder) as pair:
        for at, deck in enumerate((SECOND, THIRD)):
            (pair[GB_B].settings.decks_path / f"gb-b-{at}.csv").write_text(deck)
            month.publish_rates(pair[GB_B], CN_T, f"gb-b-{at}.csv", SEPTEMBER + (20 + at) * DAY)
        settled(pair[GB_B])
        pair.chain.advance_to(NOVEMBER)
        declare_what_is_priced(pair[CN_T], folder / "calls.csv")
        pair[CN_T].engine.dispose()
        yield pair


@pytest.fixture
def us(pair: Pair, tmp_path: Path) -> Iterator[Gateway]:
    """A copy of CN-T's home, on a chain that forgets what the test does."""
    home = shutil.copytree(pair[CN_T].settings.home, tmp_path / "cn-t")
    before = pair.chain.snapshot()
    gateway = open_gateway(load_settings(home), PASSWORD)
    yield gateway
    gateway.close()
    pair.chain.revert(before)


def test_without_a_deck_that_prices_them_they_stay_and_the_answer_says_so(us: Gateway) -> None:
    answer = month.rate(us)

    (left,) = answer.left
    assert (answer.scopes, answer.taken_up) == ((), 0)
    assert (left.partner, left.creditor, left.count, left.priced) == (GB_B, GB_B, 2, 0)
    assert dict(left.reasons) == {"unknown destination": 2}
    assert "gsc rate" in left.todo
    assert as_json(answer)["left"][0]["reasons"] == {"unknown destination": 2}, "what POST /v1/rating answers"


def test_the_command_tells_what_stays_and_what_to_do(us: Gateway) -> None:
    assert "2 stay without a batch, no deck prices them. Have GB-B publish a deck" in gsc(us, "rate")
    assert "2 records have no price and are in no batch" in gsc(us, "close", "--period", "2026-10")


def test_a_deck_that_prices_them_takes_them_up_as_a_further_batch_with_the_next_seq(us: Gateway) -> None:
    hand_over(us, SECOND)
    first = month.rate(us)
    assert (first.taken_up, [each.count for each in first.scopes], first.left[0].count) == (1, [1], 1)
    hand_over(us, THIRD)
    second = month.rate(us)
    assert (second.taken_up, second.left) == (1, ())
    assert second.scopes[0].count == 2, "those taken up before wait too"

    assert month.seal(us).sealed_now == 2
    declared = month.declare(us).declarations
    settled(us)

    assert sorted((each.seq, each.count) for each in declared) == [(1, 3), (2, 1), (3, 1)]
    assert sorted(declared_numbers(us)) == sorted(number[1:] for number in (*PRICED, *UNKNOWN))
    assert not list((us.settings.work_path / "unpriced").iterdir())
    month.close(us, OCTOBER)
    settled(us)


def test_saying_it_again_changes_nothing(us: Gateway) -> None:
    hand_over(us, THIRD)
    assert month.rate(us).taken_up == 2
    again = month.rate(us)
    assert (again.taken_up, again.left, again.scopes[0].count) == (0, (), 2)
    month.seal(us)

    done = month.rate(us)

    assert (done.scopes, done.taken_up, done.left) == ((), 0, ())
    assert month.seal(us).sealed_now == 0


def test_a_dry_run_says_what_would_be_taken_up_and_moves_nothing(us: Gateway) -> None:
    hand_over(us, THIRD)

    first, second = (month.rate(us, dry_run=True) for _ in range(2))

    assert first == second
    assert (first.taken_up, [each.count for each in first.scopes]) == (2, [2])
    assert left_of(us) == [2]


def test_another_partner_or_month_is_left_alone(us: Gateway) -> None:
    hand_over(us, THIRD)

    assert month.rate(us, period=Period(2026, 11)).taken_up == 0
    assert month.rate(us, GB_B, OCTOBER).taken_up == 2


@pytest.mark.parametrize("dies_before", ["write_whole", "move_usage", "set_aside"])
def test_a_crash_between_two_writes_loses_nothing_and_doubles_nothing(
    us: Gateway, monkeypatch: pytest.MonkeyPatch, dies_before: str
) -> None:
    hand_over(us, SECOND)
    with monkeypatch.context() as dying:
        dying.setattr(unpriced, dies_before, die)
        with pytest.raises(PowerCut):
            month.rate(us)
    hand_over(us, THIRD)  # meanwhile more has a price
    month.rate(us)
    month.seal(us)
    month.declare(us)
    settled(us)

    assert sorted(declared_numbers(us)) == sorted(number[1:] for number in (*PRICED, *UNKNOWN))


def test_in_a_closed_period_they_stay_and_the_answer_says_how_many_and_why(us: Gateway) -> None:
    closing = month.close(us, OCTOBER).closes[0]
    assert closing.unpriced == 2, "closing tells what it leaves behind"
    hand_over(us, SECOND)
    on_its_way = month.rate(us)
    settled(us)
    on_chain = month.rate(us)

    for answer in (on_its_way, on_chain):
        (left,) = answer.left
        assert (answer.scopes, answer.taken_up, left.count, left.priced) == ((), 0, 2, 1)
        assert str(left.amount) == "USD 0.02"
        assert "2026-10 is closed" in left.why
        assert "gsc correct --partner GB-B --period 2026-10" in left.todo
    assert left_of(us) == [2]
    aside = pq.read_table(us.settings.work_path / "unpriced" / "1.parquet")
    assert len(aside) == 2, "a person finds them still"


class PowerCut(BaseException):
    """The process dies here."""


def die(*_: object, **__: object) -> None:
    raise PowerCut


def gsc(gateway: Gateway, verb: str, *options: str) -> str:
    """What a command says."""
    command = [sys.executable, "-m", "gateway", verb, "--home", str(gateway.settings.home), *options]
    environment = {**os.environ, PASSWORD_VARIABLE: PASSWORD}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def declare_what_is_priced(gateway: Gateway, calls: Path) -> None:
    rows = [f"+8613900000000,{called},2026-10-02T06:00:00Z,60000,gb-b-out" for called in (*PRICED, *UNKNOWN)]
    calls.write_text("\n".join(["a_number,b_number,start,duration_ms,trunk", *rows]) + "\n")
    month.import_usage(gateway, calls, "csv")
    assert [(each.count, each.refused) for each in month.rate(gateway).scopes] == [(3, 2)]
    assert month.seal(gateway).sealed_now == 1
    month.declare(gateway)
    settled(gateway)


def hand_over(gateway: Gateway, deck: str) -> None:
    """GB-B's file of a published deck arrives."""
    (gateway.settings.decks_path / f"gb-b-{len(deck)}.csv").write_text(deck)


def left_of(gateway: Gateway) -> list[int]:
    with reading(gateway.engine) as connection:
        return [left for _, left in partly_sealed(connection)]


def declared_numbers(gateway: Gateway) -> list[str]:
    """Called numbers of all that CN-T declared, from the archive."""
    (held,) = wanted_partnerships(gateway, GB_B)
    (direction,) = (each for each in directions(held) if each.creditor == GB_B)
    numbers: list[str] = table_of(gateway, book_of(gateway, direction, CN_T, OCTOBER))["b_party"].to_pylist()
    return numbers
