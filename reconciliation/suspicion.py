"""What does a detector say about records or declarations that look like fraud, or like forgery without a difference?"""

from dataclasses import dataclass
from enum import StrEnum

from ledger.identity import CarrierCode
from ledger.money import Micros
from ledger.service import Service
from reconciliation.matching.side import Ints


class SuspicionKind(StrEnum):
    """What it looks like; the names of the trade (i3forum, Fraud classification, release 3.3)."""

    IRSF = "irsf"
    """International revenue share fraud: a burst of calls of few callers to one dear number range."""
    WANGIRI = "wangiri"
    """Numbers that rang many of ours for a moment, and were called back dearly."""
    INFLATED_SMS = "inflated_sms"
    """Artificially inflated traffic: one sender's burst of messages to neighbouring numbers."""
    FALSE_ANSWER = "false_answer"
    """A route that says "answered" before anybody answers."""
    SIM_BOX = "sim_box"
    """A subscriber's number that hands many people's calls on."""
    BYPASS = "bypass"
    """Our own country's numbers calling in from abroad."""
    TRAFFIC_PUMPING = "traffic_pumping"
    """An exchange that is called far more, and longer, than it calls."""
    PREMIUM_RANGE = "premium_range"
    """A caller's heavy use of numbers known to share revenue."""
    FAKE_RECEIPT = "fake_receipt"
    """Messages counted as delivered where nothing can receive them."""
    COUNTER_RESET = "counter_reset"
    """A sample that a counter's reset or wrap explains, or that its port could not carry."""
    GHOST_CIRCUIT = "ghost_circuit"
    """A private line charged beyond its days, or twice under two names."""
    SEQUENCE_GAP = "sequence_gap"
    """A declarer's sequence numbers leave one out."""
    BACK_DATED = "back_dated"
    """A declaration of events that had not begun, or of a month already closed, as if it were in time."""
    CHANGED_ROOT = "changed_root"
    """Two roots for one sequence number, or records revealed under another root than declared."""
    REWRITTEN_CALLER = "rewritten_caller"
    """Calls whose calling number was rewritten or lost, so that another origin prices them."""
    INCREMENT_ARBITRAGE = "increment_arbitrage"
    """Calls cut to lie where an increment charges most, or least, for what was talked."""
    RATE_DATE_STUFFING = "rate_date_stuffing"
    """Traffic moved over a rate change, to the cheap side of it."""
    TIER_STUFFING = "tier_stuffing"
    """Traffic made so that the month's volume reaches a cheaper tier."""
    BALANCED_VOLUME = "balanced_volume"
    """Traffic made in one direction so that more of the other counts as balanced."""
    PEERING_RESALE = "peering_resale"
    """Others' traffic over a peering that is for the partner's own."""
    UNLICENSED_CROSSING = "unlicensed_crossing"
    """Data or a private line over a border without a licence, or around the international gateways."""


GAMES = frozenset(
    {
        SuspicionKind.REWRITTEN_CALLER,
        SuspicionKind.INCREMENT_ARBITRAGE,
        SuspicionKind.RATE_DATE_STUFFING,
        SuspicionKind.TIER_STUFFING,
        SuspicionKind.BALANCED_VOLUME,
        SuspicionKind.PEERING_RESALE,
        SuspicionKind.UNLICENSED_CROSSING,
    }
)
"""Arbitrage of settlement fees: what `gsc arbitrage` looks for beside detours; the rest is `gsc fraud`'s."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """One explained suspicion about the traffic of one direction and service."""

    kind: SuspicionKind
    confidence: int
    """Percent: 99 where evidence or arithmetic proves it; less where a statistic speaks."""
    service: Service
    creditor: CarrierCode
    debtor: CarrierCode
    subject: str
    """What it is about: a number, a range ("1900155*"), a route, a circuit, a batch."""
    count: int
    """Records (or declarations) that show it."""
    money_at_risk_micros: Micros
    """What they cost the debtor."""
    rows: Ints
    """These records, as rows of the table that was given; empty for declarations."""
    rule: str
    """The rule and threshold that made it."""
    explanation: str
    """A sentence for a clerk."""
