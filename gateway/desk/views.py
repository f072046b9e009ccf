"""What does each desk page show? Values only: built by gateway.desk.assembling, drawn by the templates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.month.bypassing import FoundArbitrage
from ledger.money import div_half_even
from reconciliation.finding import Finding
from reconciliation.settling.exposure import alerts_at


class Mood(StrEnum):
    """How a state looks."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class State:
    """A state's word (a key of the catalogue) and how it looks."""

    word: str
    mood: Mood = Mood.NOTE


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the month and whether it is done, next, or still to come."""

    word: str
    standing: str


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """One direction and service of a statement, both sides."""

    creditor: str
    debtor: str
    service: str
    ours_micros: int
    theirs_micros: int
    ours_count: int
    theirs_count: int
    agreed_micros: int
    withheld_micros: int
    state: State

    @property
    def difference_micros(self) -> int:
        """Ours minus theirs."""
        return self.ours_micros - self.theirs_micros

    @property
    def difference_bps(self) -> int | None:
        """The difference as hundredths of a percent of theirs; None if they declared nothing."""
        return div_half_even(self.difference_micros * 10_000, self.theirs_micros) if self.theirs_micros else None


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a waterfall, in permille of its width, with the amount it stands for."""

    cause: str
    count: int
    amount_micros: int
    left: int
    width: int
    joint: int
    """Where the next bar begins."""


@dataclass(frozen=True, slots=True)
class Waterfall:
    """The causes of one direction's difference; the bars' amounts sum to `difference_micros`."""

    creditor: str
    service: str
    difference_micros: int
    zero: int
    """Where nothing lies, in permille."""
    bars: Sequence[Bar]


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding, its number in the statement and what became of it."""

    number: int
    finding: Finding
    state: State


@dataclass(frozen=True, slots=True)
class DisputeRow:
    """A dispute of the period, as the chain has it."""

    id: str
    creditor: str
    reason: str
    amount_micros: int
    credited_micros: int
    due_micros: int
    state: State
    opened_at: int
    """Seconds, chain time."""


@dataclass(frozen=True, slots=True)
class CreditRow:
    """A credit line: who granted it to whom, how much of it is used."""

    creditor: str
    debtor: str
    limit_micros: int
    exposure_micros: int
    stopped: bool
    deposit_micros: int = 0
    """Of the limit: what the debtor has deposited."""
    full_at: int | None = None
    """Seconds; when the line is full at this pace, None for never."""

    @property
    def left_micros(self) -> int:
        return self.limit_micros - self.exposure_micros

    @property
    def alert_percent(self) -> int:
        """The highest alert share of the line that is reached: 50, 75, 90, 100, or 0."""
        return max(alerts_at(self.exposure_micros, self.limit_micros), default=0) // 100

    @property
    def used_permille(self) -> int:
        """What the meter draws; a line of zero is full with the first use."""
        if self.limit_micros == 0:
            return 1_000 if self.exposure_micros else 0
        return min(1_000, self.exposure_micros * 1_000 // self.limit_micros)

    @property
    def mood(self) -> Mood:
        if self.stopped or self.alert_percent >= 100:
            return Mood.BAD
        return Mood.WARN if self.alert_percent >= 75 else Mood.GOOD


@dataclass(frozen=True, slots=True)
class PayableRow:
    """What remains to be paid after netting, and how late it is."""

    id: str
    creditor: str
    debtor: str
    amount_micros: int
    outstanding_micros: int
    interest_micros: int
    due_at: int
    days_overdue: int
    state: State


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A sealed batch and where its declaration stands."""

    root: str
    batch_id: str
    declarer: str
    creditor: str
    seq: int
    count: int
    amount_micros: int
    state: State
    transaction: str
    block: int | None


@dataclass(frozen=True, slots=True)
class StatementView:
    """The statement page of one agreement and period."""

    partner: str
    period: str
    currency: str
    agreement_id: str
    steps: Sequence[Step]
    rows: Sequence[ServiceRow]
    waterfalls: Sequence[Waterfall]
    findings: Sequence[FindingRow]
    disputes: Sequence[DisputeRow]
    credit: Sequence[CreditRow]
    payables: Sequence[PayableRow]
    batches: Sequence[BatchRow]
    statement_id: str
    batches_hash: str
    agreed_at: int | None
    agreed_block: int | None
    due_at: int | None
    by_silence: bool
    net_micros: int
    """Agreed, both directions: what the partner owes us; negative if we owe."""
    disputed_micros: int
    next_command: str


@dataclass(frozen=True, slots=True)
class Attention:
    """One thing that needs a person: a sentence's key, its words, and where to go."""

    word: str
    values: Mapping[str, object]
    mood: Mood
    href: str


@dataclass(frozen=True, slots=True)
class PartnerRow:
    """One partner in one period, on the overview."""

    partner: str
    period: str
    currency: str
    ours_micros: int
    theirs_micros: int
    net_micros: int
    disputed_micros: int
    overdue_micros: int
    credit: CreditRow | None
    state: State


@dataclass(frozen=True, slots=True)
class Health:
    """How the gateway itself is."""

    chain_block: int
    chain_time: int
    blocks_behind: int
    outbox: dict[str, int]
    reachable: bool


@dataclass(frozen=True, slots=True)
class OverviewView:
    """The first page: what needs a person, then every partner."""

    periods: Sequence[str]
    period: str
    attention: Sequence[Attention]
    partners: Sequence[PartnerRow]
    payables: Sequence[PayableRow]
    arbitrage: Sequence[FoundArbitrage]
    health: Health


@dataclass(frozen=True, slots=True)
class RecordLine:
    """A pair of records on a finding's list; a side that has none is None."""

    number: int
    ours: "RecordSide | None"
    theirs: "RecordSide | None"
    difference_micros: int


@dataclass(frozen=True, slots=True)
class RecordSide:
    """One side's record: its values and where it is sealed."""

    declarer: str
    root: str
    index: int
    line: int
    a_party: str
    b_party: str
    start_ms: int
    quantity: int
    route: str
    destination: str
    code: str
    charged_quantity: int
    amount_micros: int


@dataclass(frozen=True, slots=True)
class FindingView:
    """The records of one finding, one page of them."""

    partner: str
    period: str
    currency: str
    row: FindingRow
    lines: Sequence[RecordLine]
    shown_from: int
    total: int
    next_after: int | None


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a record: what was checked, and whether it holds."""

    word: str
    holds: bool
    detail: str


@dataclass(frozen=True, slots=True)
class SealView:
    """Where one side's record is sealed, and the checks that show it."""

    side: RecordSide
    checks: Sequence[Check]
    batch: BatchRow
    raw_line: str
    raw_file: str


@dataclass(frozen=True, slots=True)
class RecordView:
    """One call down to its proof: both sides' fields, why they were paired, where each is sealed."""

    partner: str
    period: str
    currency: str
    finding: Finding
    rule: str
    """Why the two were paired."""
    finding_number: int
    ours: SealView | None
    theirs: SealView | None
