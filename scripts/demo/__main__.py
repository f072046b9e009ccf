"""Settles October 2026 between three carriers: `python -m scripts.demo [--exit] [--seed N] [--calls N]`."""

import argparse
import signal
import sys
import time
from pathlib import Path

from rich.console import Console

from deploy.engines import Engine
from ledger.errors import GscError
from scripts.demo.running import STEPS, Options, prepared
from scripts.demo.telling import StepFailed, Telling

PAGE_WIDTH = 112
DEFAULT_HOME = Path(__file__).resolve().parent.parent.parent / ".demo"


def main() -> int:
    """Run the month; the exit code is 0 only if every step did what it says."""
    options, stay = _options()
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    telling = Telling(Console(width=max(Console().width, PAGE_WIDTH)))
    failure = ""
    try:
        with prepared(options, telling) as stage:
            for act in STEPS:
                act(stage)
            if stay:
                _stay(telling, stage.home(next(iter(stage.desks))).url)
    except (StepFailed, GscError) as error:
        failure = str(error)
        print(f"demo: {failure}", file=sys.stderr)
    except KeyboardInterrupt:
        failure = "interrupted"
        print("demo: stopped; running it again begins afresh", file=sys.stderr)
    summary = telling.summary(seed=options.seed, calls=options.calls, engine=options.engine.value, failure=failure)
    if not stay:
        print(summary, flush=True)
    return 1 if failure else 0


def _stay(telling: Telling, url: str) -> None:
    """Leave the desk page open until Ctrl-C."""
    telling.say(f"the desk of CN-T stays open: {url}/desk")
    while True:
        time.sleep(3600)


def _options() -> tuple[Options, bool]:
    parser = argparse.ArgumentParser(prog="python -m scripts.demo", description=__doc__)
    parser.add_argument("--exit", action="store_true", help="end by itself, with a summary in JSON as the last line")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--calls", type=int, default=50_000, help="answered calls of each pair of carriers")
    parser.add_argument("--engine", type=Engine, choices=list(Engine), default=Engine.GANACHE)
    parser.add_argument("--home", type=Path, default=DEFAULT_HOME, help="folder of the demonstration, emptied first")
    parser.add_argument("--port", type=int, default=None, help="of CN-T's gateway; any free one by default")
    given = parser.parse_args()
    options = Options(given.seed, given.calls, given.engine, given.home, given.port)
    return options, not given.exit


if __name__ == "__main__":
    sys.exit(main())
