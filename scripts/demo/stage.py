"""What does every step of the demonstration work with? The desks' clients, the truth, the clock and the telling."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from gateway.client import Client, Json
from ledger.identity import CarrierCode
from ledger.money import Micros, parse_micros
from scripts.demo.expecting import Expectations, Way
from scripts.demo.house import CarrierHome, House
from scripts.demo.telling import StepFailed, Telling
from scripts.traffic import SimulationFiles

PATIENCE_SECONDS = 90.0
POLL_SECONDS = 0.2
Answer = TypeVar("Answer")
Pair = tuple[CarrierCode, CarrierCode]


@dataclass(frozen=True, slots=True)
class Stage:
    """The running demonstration."""

    telling: Telling
    house: House
    files: SimulationFiles
    truth: Expectations
    desks: Mapping[CarrierCode, Client]

    @property
    def month(self) -> str:
        """The accounting month as the gateways take it."""
        return str(self.truth.month)

    @property
    def ways(self) -> tuple[Way, ...]:
        """All six directions."""
        return tuple(self.truth.directions)

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The three agreements, low carrier first."""
        return tuple(sorted({(min(way), max(way)) for way in self.ways}))

    def home(self, carrier: CarrierCode) -> CarrierHome:
        return self.house.homes[carrier]

    def at_every_desk(self, act: Callable[[CarrierCode, Client], Answer]) -> dict[CarrierCode, Answer]:
        """Do the same at all desks at once; each in a thread of its own, with its own client."""
        with ThreadPoolExecutor(len(self.desks)) as pool:
            futures = {code: pool.submit(act, code, client) for code, client in self.desks.items()}
            return {code: future.result() for code, future in futures.items()}

    def until(self, what: str, holds: Callable[[], bool]) -> None:
        """Wait for the gateways' own work behind the scenes. Raises StepFailed if it does not come."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            if time.monotonic() > deadline:
                raise StepFailed(f"waited {PATIENCE_SECONDS:.0f} seconds in vain for: {what}")
            time.sleep(POLL_SECONDS)

    def outboxes(self) -> dict[CarrierCode, Sequence[Json]]:
        """Every desk's submissions. Raises StepFailed if one was refused or needs a person."""
        found = self.at_every_desk(lambda _, client: client.submissions())
        for code, submissions in found.items():
            for each in submissions:
                if each["state"] in ("reverted", "needs_operator"):
                    raise StepFailed(f"{code}'s {each['kind']} was refused: {each['reason']}")
        return found

    def settle(self, **waiting: int) -> dict[CarrierCode, Sequence[Json]]:
        """Wait until all submissions of all desks are final, but for as many as stand in each state of `waiting`."""
        last: dict[CarrierCode, Sequence[Json]] = {}

        def at_rest() -> bool:
            last.update(self.outboxes())
            states = Counter(each["state"] for mine in last.values() for each in mine)
            return {state: n for state, n in states.items() if state != "final"} == waiting

        self.until(f"final submissions, with {waiting or 'nothing'} waiting", at_rest)
        self.until("all gateways to have read the chain", self._all_followed)
        return last

    def _all_followed(self) -> bool:
        return not any(health["lag"] for health in self.at_every_desk(lambda _, desk: desk.health()).values())

    def move_clock(self, when: datetime) -> None:
        """Let the chain's time go on to a moment; it never goes back."""
        seconds = int(when.timestamp())
        if seconds > self.house.chain.now():
            self.house.chain.advance_to(seconds)

    def today(self) -> datetime:
        """The chain's time."""
        return datetime.fromtimestamp(self.house.chain.now(), UTC)


def micros(money: Any) -> Micros:
    """An answer's {"unit", "value"} as micros."""
    return parse_micros(money["value"])


def other(pair: Pair, carrier: CarrierCode) -> CarrierCode:
    """The pair's other carrier."""
    return pair[1] if carrier == pair[0] else pair[0]
