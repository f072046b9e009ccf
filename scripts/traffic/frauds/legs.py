"""How are drawn records kept, with what each of them is?"""

from dataclasses import dataclass, fields
from enum import StrEnum

import numpy as np

from ledger.period import Period
from scripts.traffic.carriers import CN_T, GB_B, US_A, direction_index
from scripts.traffic.prices import NAMES, Ints

TO_GB, TO_US = direction_index(CN_T, GB_B), direction_index(CN_T, US_A)
FROM_GB, FROM_US = direction_index(GB_B, CN_T), direction_index(US_A, CN_T)
DAY_MS, HOUR_MS = 86_400_000, 3_600_000


class Label(StrEnum):
    """What a record truly is."""

    HONEST = "honest"
    IRSF = "irsf"
    PREMIUM_RANGE = "premium_range"
    WANGIRI = "wangiri"
    """A call back; the rings are RING."""
    RING = "ring"
    FALSE_ANSWER = "false_answer"
    SIM_BOX = "sim_box"
    BYPASS = "bypass"
    TRAFFIC_PUMPING = "traffic_pumping"
    INFLATED_SMS = "inflated_sms"
    SLOW_IRSF = "slow_irsf"
    """Revenue share fraud of many callers over the whole month: not determinable from one month's records."""
    ROTATED_SIM = "rotated_sim"
    """SIM cards of a box that are changed after a hundred calls: not determinable."""
    UNSEEN_WANGIRI = "unseen_wangiri"
    """Calls back to rings that no switch wrote down: not determinable."""
    DECOY = "decoy"
    """Honest, and drawn to look like one of the frauds."""


LABELS = tuple(Label)


@dataclass(frozen=True, slots=True)
class Legs:
    """Records of several directions; all arrays have one length."""

    direction: Ints
    a: Ints
    """0: withheld."""
    b: Ints
    destination: Ints
    trunk: Ints
    start_ms: Ints
    duration_s: Ints
    label: Ints
    """Index into LABELS."""

    def __len__(self) -> int:
        return len(self.direction)


def legs(
    direction: int,
    a: Ints | np.int64,
    b: Ints,
    destination: str,
    start_ms: Ints,
    duration_s: Ints,
    label: Label,
    trunk: int = 1,
) -> Legs:
    """Records of one direction, destination and trunk."""
    size = len(b)
    same = (direction, NAMES.index(destination), trunk, LABELS.index(label))
    way, where, on, what = (np.full(size, each, np.int64) for each in same)
    return Legs(way, np.broadcast_to(a, size).astype(np.int64), b, where, on, start_ms, duration_s, what)


def joined(parts: list[Legs]) -> Legs:
    """One after the other."""
    return Legs(*(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(Legs)))


def only(drawn: Legs, rows: Ints) -> Legs:
    """Some of the records."""
    return Legs(*(getattr(drawn, each.name)[rows] for each in fields(Legs)))


def talk_s(rng: np.random.Generator, count: int, middle_s: int = 95, sigma: float = 1.05) -> Ints:
    """How long people talk."""
    return np.clip(np.exp(rng.normal(np.log(middle_s), sigma, count)), 1, 7_200).astype(np.int64)


def at_ms(rng: np.random.Generator, month: Period, count: int, day: int, days: int, hours: tuple[int, int]) -> Ints:
    """Moments on some days of the month, from its `day` (0 is the first), between two hours of UTC."""
    start = np.datetime64(f"{month.year:04d}-{month.month:02d}-01", "ms").astype(np.int64)
    first, last = hours
    moment = rng.integers(first * HOUR_MS, last * HOUR_MS, count)
    return np.asarray(start + (day + rng.integers(0, days, count)) * DAY_MS + moment, np.int64)


def numbers(rng: np.random.Generator, begin: int, free: int, count: int) -> Ints:
    """Numbers with one beginning and so many free digits."""
    return np.asarray(begin * 10**free + rng.integers(0, 10**free, count), np.int64)
