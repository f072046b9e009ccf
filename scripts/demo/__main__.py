"""Settles October 2026 between three carriers: `python -m scripts.demo [--exit] [--seed N] [--calls N]`."""

import argparse
import contextlib
import os
import signal
import sys
import time
import traceback
from pathlib import Path

from rich.console import Console

from deploy.engines import Engine
from gateway.login import login_link
from ledger.errors import GscError
from scripts.demo.house import CarrierHome
from scripts.demo.running import STEPS, Options, prepared
from scripts.demo.screenshot import take_screenshot
from scripts.demo.telling import StepFailed, Telling
from scripts.traffic.carriers import CN_T

PAGE_WIDTH = 112
DEFAULT_HOME = Path(__file__).resolve().parent.parent.parent / ".demo"


def main() -> int:
    """Run the month; the exit code is 0 only if every step did what it says."""
    options, stay = _options()
    for ending in (signal.SIGINT, signal.SIGTERM):  # a shell's background job is born ignoring SIGINT
        signal.signal(ending, signal.default_int_handler)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    telling = Telling(Console(width=max(Console().width, PAGE_WIDTH)))
    failure = ""
    try:
        with prepared(options, telling) as stage:
            for act in STEPS:
                act(stage)
            if options.screenshot:
                take_screenshot(_statement_url(stage.home(CN_T.code), stage.month), options.screenshot)
            if stay:
                _stay(telling, stage.home(CN_T.code), stage.month)
    except (StepFailed, GscError) as error:
        failure = str(error)
        print(f"demo: {failure}", file=sys.stderr)
    except Exception as error:  # noqa: BLE001  # process boundary: the summary is still the last line
        failure = repr(error)
        traceback.print_exc()
    except KeyboardInterrupt:
        failure = "interrupted"
        print("demo: stopped; running it again begins afresh", file=sys.stderr)
    summary = telling.summary(seed=options.seed, calls=options.calls, engine=options.engine.value, failure=failure)
    if not stay:
        print(summary, flush=True)
    return 1 if failure else 0


def _stay(telling: Telling, home: CarrierHome, month: str) -> None:
    """Leave the desk page open until Ctrl-C."""
    where = os.path.relpath(home.home)
    with_home = f"GSC_PASSWORD_FILE={where}/password .venv/bin/gsc"
    telling.say("")
    telling.say(f"[bold]The desk of {home.code} stays open:[/bold] {_statement_url(home, month)}")
    telling.say(f"To sign there, log in within two minutes: {_login_url(home, month)}")
    telling.say(f"later: {with_home} login --browser --home {where}")
    telling.say("Try next, from another terminal:")
    for line in what_next(with_home, where, month):
        telling.say(f"  {line}")
    telling.say("Ctrl-C ends the gateways and the chain; running it again begins afresh.")
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(3600)
    telling.say("stopped")


def what_next(with_home: str, where: str, month: str) -> tuple[str, ...]:
    """Commands for another terminal."""
    return (
        f"{with_home} doctor --home {where}",
        f"{with_home} document bundle --home {where} --partner US-A --period {month} --out us-a.zip",
        ".venv/bin/gsc verify us-a.zip",
        "less docs/tour.md docs/api.md",
    )


def _statement_url(home: CarrierHome, month: str) -> str:
    return f"{home.url}/desk/statements/US-A/{month}"


def _login_url(home: CarrierHome, month: str) -> str:
    """A link that is good once, and leads to the statement."""
    link = login_link(home.url, (home.home / "operator.token").read_text("ascii").strip())
    return f"{link['href']}&to=/desk/statements/US-A/{month}"


def _options() -> tuple[Options, bool]:
    parser = argparse.ArgumentParser(prog="python -m scripts.demo", description=__doc__)
    parser.add_argument("--exit", action="store_true", help="end by itself, with a summary in JSON as the last line")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--calls", type=int, default=50_000, help="answered calls of each pair of carriers")
    parser.add_argument("--engine", type=Engine, choices=list(Engine), default=Engine.GANACHE)
    parser.add_argument("--home", type=Path, default=DEFAULT_HOME, help="folder of the demonstration, emptied first")
    parser.add_argument("--port", type=int, default=None, help="of CN-T's gateway; any free one by default")
    parser.add_argument("--screenshot", type=Path, default=None, help="save CN-T's statement page as PNG here")
    given = parser.parse_args()
    options = Options(given.seed, given.calls, given.engine, given.home, given.port, given.screenshot)
    return options, not given.exit


if __name__ == "__main__":
    sys.exit(main())
