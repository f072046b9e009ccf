"""Writes a simulated month: `python -m scripts.traffic --out DIR [--seed N] [--calls N] [--month YYYY-MM]`."""

import argparse
from pathlib import Path

from ledger.money import show_micros
from ledger.period import parse_period
from scripts.traffic import Truth, simulate, write


def main() -> None:
    """Write the month and say what is in it."""
    parser = argparse.ArgumentParser(prog="python -m scripts.traffic", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--calls", type=int, default=50_000, help="answered calls of each pair of carriers")
    parser.add_argument("--month", type=parse_period, default=parse_period("2026-10"))
    options = parser.parse_args()
    simulation = simulate(options.seed, options.calls, options.month)
    files = write(simulation, options.out)
    for code, file in files.switches.items():
        print(f"{code}: {file.path} ({len(file.lines):,} rows)")
    _tell(simulation.truth)


def _tell(truth: Truth) -> None:
    for d in truth.directions:
        print(f"{d.debtor} to {d.creditor}:")
        for side, total in (("debtor", d.debtor_total), ("creditor", d.creditor_total)):
            print(f"  {side:9}{total.count:>8,} calls  USD {show_micros(total.amount_micros, 2):>12}")
        for plant in d.plants:
            print(f"  {plant.planted:22}{plant.count:>6,}  USD {show_micros(plant.difference_micros, 2):>10}")


if __name__ == "__main__":
    main()
