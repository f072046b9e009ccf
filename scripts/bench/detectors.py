"""How much of what is planted do the detectors find, how often are they wrong, and how long does it take?

`make bench BENCH=detectors`, `ARGS="--records 1000000 --seeds 5"`. Each seed draws a carrier's month with frauds,
one creditor's books with ghosts, three carriers' months with games, crossings, flows, detours and decks that make a
ring, beside what is honest and looks like them, and months without any.
"""

import argparse
import time
from collections import Counter
from collections.abc import Sequence

from reconciliation.arbitrage.games import find_games
from reconciliation.fraud.search import find_frauds
from scripts.traffic.arbitrage import count_arbitrage
from scripts.traffic.counting import Counted
from scripts.traffic.forgeries.calls import draw_books
from scripts.traffic.forgeries.others import count_others
from scripts.traffic.forgeries.scoring import judge
from scripts.traffic.frauds.month import KNOWN, US, draw_month, score
from scripts.traffic.games import play
from scripts.traffic.games import score as score_games
from scripts.traffic.simulation import OCTOBER

CALLS_A_RECORD = 0.25
"""Calls of a pair of carriers to draw for each record of the carrier's month."""


class Tally:
    """Sums over the seeds."""

    def __init__(self) -> None:
        self.planted: Counter[str] = Counter()
        self.found: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()
        self.records, self.seconds = 0, 0.0

    def show(self, title: str) -> None:
        """Print the table."""
        rate = self.records / max(self.seconds, 1e-9)
        print(f"\n{title}: {self.records:,} records, {self.seconds:.1f} s of CPU ({rate / 1e6:.2f} M records/s)")
        print(f"{'kind':34}{'planted':>10}{'found':>10}{'recall':>9}{'false alarms':>14}{'for each M':>12}")
        for kind, planted in self.planted.items():
            found, wrong = self.found[kind], self.wrong[kind]
            share = f"{found / planted:.4f}" if planted else "-"
            print(f"{kind:34}{planted:>10,}{found:>10,}{share:>9}{wrong:>14,}{wrong * 1e6 / self.records:>12.2f}")


def main() -> None:
    """Run all seeds, print both tables."""
    parser = argparse.ArgumentParser(prog="python -m scripts.bench.detectors", description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000, help="of each month, about")
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    frauds, honest, ghosts, games = Tally(), Tally(), Tally(), Tally()
    for seed in range(1, given.seeds + 1):
        _search(frauds, honest, seed, given.records)
        _reconcile(ghosts, seed, given.records // 2)
        _play(games, seed, given.records)
    frauds.show("traffic fraud")
    honest.show("the same honest traffic without fraud")
    ghosts.show("invented calls (time includes matching)")
    games.show("games with fees, and months without any")
    seeds = range(1, given.seeds + 1)
    _show("messages, samples, lines, declarations", [count_others(seed, OCTOBER) for seed in seeds])
    _show("crossings, peerings, detours, rings", [count_arbitrage(seed, OCTOBER) for seed in seeds])


def _search(frauds: Tally, honest: Tally, seed: int, records: int) -> None:
    for tally, planted in ((frauds, True), (honest, False)):
        month = draw_month(seed, round(records * CALLS_A_RECORD), OCTOBER, frauds=planted)
        began = time.process_time()
        found = find_frauds(US, month.flows, KNOWN)
        tally.seconds += time.process_time() - began
        tally.records += month.records
        for each in score(month, found):
            tally.planted[each.kind] += each.planted
            tally.found[each.kind] += each.found
            tally.wrong[each.kind] += each.false_alarms


def _play(games: Tally, seed: int, records: int) -> None:
    """Months of 66,000 records with each game once, and half as many of three times their size without any."""
    for part in range(max(1, records // 165_000)):
        drawn = 1_000 * seed + part
        months = [play(drawn)] if part % 2 else [play(drawn), play(drawn, 60_000, games=False)]
        for month in months:
            began = time.process_time()
            terms = {way: each.agreement.detectors for way, each in month.sold.items()}
            found = find_games(month.sold, terms, month.known)
            games.seconds += time.process_time() - began
            games.records += month.records
            result = score_games(month, found)
            games.planted.update({kind.value: count for kind, count in result.games.items()})
            games.found.update({kind.value: count for kind, count in result.hits.items()})
            games.wrong.update(each.kind.value for each in result.false_alarms)


def _show(title: str, drawn: Sequence[Sequence[Counted]]) -> None:
    """What each detector found over all seeds."""
    print(f"\n{title:42}{'records':>10}{'planted':>9}{'found':>8}{'false alarms':>14}")
    for months in zip(*drawn, strict=True):
        sums = [sum(getattr(each, name) for each in months) for name in ("records", "planted", "found", "false_alarms")]
        print(f"{months[0].kind:42}{sums[0]:>10,}{sums[1]:>9,}{sums[2]:>8,}{sums[3]:>14,}")


def _reconcile(ghosts: Tally, seed: int, calls: int) -> None:
    for planted in (True, False):
        books = draw_books(seed, calls, OCTOBER, ghosts=planted)
        began = time.process_time()
        verdict = judge(books, OCTOBER)
        ghosts.seconds += time.process_time() - began
        ghosts.records += len(books.creditor)
        for each in verdict.named:
            ghosts.planted[each.kind] += each.planted
            ghosts.found[each.kind] += each.found
        ghosts.planted["any"] += sum(each.planted for each in verdict.named)
        ghosts.found["any"] += sum(each.found for each in verdict.named)
        ghosts.wrong["any"] += verdict.false_alarms


if __name__ == "__main__":
    main()
