"""Which carriers, trunks and directions does the simulated month have?"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ledger.identity import CarrierCode


class Switch(StrEnum):
    """What writes the carrier's CDR file; the value is the gateway's preset."""

    ASTERISK = "asterisk"
    """cdr_csv, Master.csv."""
    FREESWITCH = "freeswitch"
    """mod_cdr_csv, the example template with the SIP gateway appended."""


@dataclass(frozen=True, slots=True)
class CarrierPlan:
    """One carrier, its switch and its habits of writing numbers."""

    code: CarrierCode
    short: str
    """How the partners' trunks to it are named: "cnt" in "cnt-in-1"."""
    zone: ZoneInfo
    country_code: str
    national_prefix: str
    """Before a national number: "0", or "" where there is none."""
    international_prefix: str
    """Before a foreign number: "00" or "011"."""
    switch: Switch
    file_name: str


CN_T = CarrierPlan(
    CarrierCode("CN-T"), "cnt", ZoneInfo("Asia/Shanghai"), "86", "0", "00", Switch.ASTERISK, "cn-t-master.csv"
)
GB_B = CarrierPlan(
    CarrierCode("GB-B"), "gbb", ZoneInfo("Europe/London"), "44", "0", "00", Switch.FREESWITCH, "gb-b-cdr.csv"
)
US_A = CarrierPlan(
    CarrierCode("US-A"), "usa", ZoneInfo("America/New_York"), "1", "", "011", Switch.ASTERISK, "us-a-master.csv"
)
CARRIERS = (CN_T, GB_B, US_A)


class Direction(NamedTuple):
    """Traffic one carrier hands another: `debtor` owes, `creditor` terminates and is owed."""

    debtor: CarrierPlan
    creditor: CarrierPlan
    share: float
    """Of the pair's calls."""

    @property
    def word(self) -> str:
        """The direction as truth and files name it: "CN-T>GB-B"."""
        return f"{self.debtor.code}>{self.creditor.code}"


DIRECTIONS = (
    Direction(CN_T, GB_B, 0.54),
    Direction(GB_B, CN_T, 0.46),
    Direction(CN_T, US_A, 0.52),
    Direction(US_A, CN_T, 0.48),
    Direction(GB_B, US_A, 0.51),
    Direction(US_A, GB_B, 0.49),
)
PAIRS = ((CN_T, GB_B), (CN_T, US_A), (GB_B, US_A))

TRUNK_SHARES = (0.45, 0.35, 0.20)
"""Each direction runs over three trunks, numbered from 1."""


def direction_index(debtor: CarrierPlan, creditor: CarrierPlan) -> int:
    """Position in DIRECTIONS."""
    return next(i for i, d in enumerate(DIRECTIONS) if (d.debtor, d.creditor) == (debtor, creditor))


def out_trunk(direction: Direction, number: int) -> str:
    """The trunk as the debtor's switch names it: "gbb-out-1"."""
    return f"{direction.creditor.short}-out-{number}"


def in_trunk(direction: Direction, number: int) -> str:
    """The same trunk as the creditor's switch names it: "cnt-in-1"."""
    return f"{direction.debtor.short}-in-{number}"


def trunks_of(carrier: CarrierPlan) -> dict[str, tuple[CarrierCode, str]]:
    """Every trunk of the carrier's switch: name to (partner, "in" or "out")."""
    found = {}
    for direction in DIRECTIONS:
        for number in range(1, len(TRUNK_SHARES) + 1):
            if carrier == direction.debtor:
                found[out_trunk(direction, number)] = (direction.creditor.code, "out")
            elif carrier == direction.creditor:
                found[in_trunk(direction, number)] = (direction.debtor.code, "in")
    return found
