"""Lets a submitter live and kills it with -9, again and again, until the outbox is empty. Run as a process of its own.

Each life is a fork, so that only the first one pays for the imports. One kind of life dies at a random call of the
node, before it or after it; the other is shot from outside at a random time.
"""

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from gateway.outbox import Submitter
from ledger.chain.client import ChainClient
from ledger.errors import NodeRefused, Unavailable
from ledger.store.engine import open_store, reading
from ledger.store.outbox import list_submissions
from ledger.store.states import SubmissionState

CALLS = ("block_number", "nonce", "call", "send_raw", "receipt", "block")
LEASE_MS = 150
GAS_PRICE_WEI = 10**10
PATIENCE_SECONDS = 60


class MachineClock:
    """This machine's."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


class Mortal(ChainClient):
    """A node's client that kills its process at the n-th point it passes."""

    def __init__(self, url: str, points: int | None) -> None:
        super().__init__(url)
        self._points = points
        for name in CALLS:
            setattr(self, name, self._mortal(getattr(self, name)))

    def _mortal(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: object, **options: object) -> Any:
            self._pass()
            answer = method(*args, **options)
            self._pass()
            return answer

        return called

    def _pass(self) -> None:
        if self._points is not None:
            self._points -= 1
            if self._points < 0:
                os.kill(os.getpid(), signal.SIGKILL)


def main(chain_url: str, store_url: str, key: str, seed: str, kills: str) -> None:
    """Print how many lives ended by kill -9; the last one ends by itself."""
    rng, killed, lives = random.Random(int(seed)), 0, 0
    while True:
        lives += 1
        last = killed >= int(kills)
        points = None if last or lives % 2 else rng.randrange(60)
        child = os.fork()
        if child == 0:
            live(chain_url, store_url, key, f"life {lives}", points)
            os._exit(0)
        if not last and points is None:
            time.sleep(rng.uniform(0.05, 0.4))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
            killed += 1
        elif os.WEXITSTATUS(status) != 0:
            sys.exit(f"life {lives} ended with {os.WEXITSTATUS(status)}")
        elif last:
            break
    print(killed)


def live(chain_url: str, store_url: str, key: str, holder: str, points: int | None) -> None:
    """Submit until all is final."""
    store = open_store(store_url)
    chain = Mortal(chain_url, points)
    submitter = Submitter(
        store,
        chain,
        bytes.fromhex(key),
        MachineClock(),
        holder=holder,
        gas_price_wei=GAS_PRICE_WEI,
        lease_ms=LEASE_MS,
    )
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            submitter.step()
        except (Unavailable, NodeRefused):
            continue
        with reading(store) as connection:
            if all(row.state == SubmissionState.FINAL for row in list_submissions(connection)):
                return
    os._exit(3)


if __name__ == "__main__":
    main(*sys.argv[1:])
