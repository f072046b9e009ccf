"""What should the books say? The settlement of one month in plain integers: the tests' second opinion."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.contracts.books import DAY, Carrier

INTEREST_UNIT = 10_000 * 30 * DAY
"""Basis points a month of 30 days, in seconds."""
MOST_DISPUTES = 64

Direction = tuple[bytes, bytes]
"""Agreement id, creditor's id."""


@dataclass(slots=True)
class Line:
    """What the creditor of a direction allows."""

    limit_micros: int
    flags: bool = False
    nonce: int = 1


@dataclass(slots=True)
class Item:
    """Something payable that waits for netting."""

    direction: Direction
    amount_micros: int
    due_at: int
    source: bytes = b""
    """Statement or dispute."""
    netted: bool = False


@dataclass(slots=True)
class Disputed:
    """A dispute, whether it is still open or was taken back, and what must be paid before it is settled."""

    direction: Direction
    service: int
    amount_micros: int
    reason: bytes = b""
    is_open: bool = True
    is_withdrawn: bool = False
    is_due: bool = False
    left_to_pay: list[bytes] | None = None
    """The debtor's payables of the cycle that netted what is due; None until then."""


@dataclass(slots=True)
class Payable:
    """A leg of a netting cycle."""

    direction: Direction
    principal_micros: int
    due_at: int
    accrued_at: int
    accrued: int = 0
    """Micros x basis points x seconds."""
    interest_paid_micros: int = 0
    stage: int = 0

    def accrued_by(self, at: int, bps: int) -> int:
        return self.accrued + bps * self.principal_micros * max(at - self.accrued_at, 0)

    def interest_micros(self, at: int, bps: int) -> int:
        return self.accrued_by(at, bps) // INTEREST_UNIT - self.interest_paid_micros


@dataclass(slots=True)
class Model:
    """October between three carriers. Every method that changes it assumes that its `may_` said yes."""

    parties: Mapping[bytes, tuple[Carrier, Carrier]]
    """By agreement."""
    lines: dict[Direction, Line] = field(default_factory=dict)
    seqs: Counter[tuple[Direction, bytes]] = field(default_factory=Counter)
    """By direction and declarer."""
    declared: Counter[tuple[Direction, bytes, int]] = field(default_factory=Counter)
    """By direction, declarer and service; micros."""
    closed: set[tuple[bytes, bytes]] = field(default_factory=set)
    withheld: Counter[tuple[Direction, int]] = field(default_factory=Counter)
    disputes: dict[bytes, Disputed] = field(default_factory=dict)
    agreed: set[bytes] = field(default_factory=set)
    items: dict[bytes, Item] = field(default_factory=dict)
    payables: dict[bytes, Payable] = field(default_factory=dict)
    moves: defaultdict[Direction, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Every change of a direction's exposure, in order: declared, credited, netted, opened again as a leg, paid."""

    # QUESTIONS

    def debtor(self, direction: Direction) -> bytes:
        low, high = self.parties[direction[0]]
        return high.id if direction[1] == low.id else low.id

    def exposure(self, direction: Direction) -> int:
        return sum(self.moves[direction])

    def is_stopped(self, direction: Direction) -> bool:
        return any(
            due.stage >= 2 and due.principal_micros for due in self.payables.values() if due.direction == direction
        )

    def both_closed(self, agreement: bytes) -> bool:
        return all((agreement, carrier.id) in self.closed for carrier in self.parties[agreement])

    def may_declare(self, direction: Direction, declarer: bytes, seq: int, amount: int) -> bool:
        if (direction[0], declarer) in self.closed or seq != self.seqs[direction, declarer] + 1:
            return False
        return declarer != direction[1] or (not self.is_stopped(direction) and self._fits(direction, amount))

    def is_settled(self, name: bytes) -> bool:
        left = self.disputes[name].left_to_pay
        return left is not None and not any(self.payables[payable].principal_micros for payable in left)

    def may_dispute(self, direction: Direction, service: int, amount: int, reason: bytes) -> bool:
        about = (direction, service, reason)
        standing = (each for each in self.disputes.values() if not each.is_withdrawn)
        withheld = self.withheld[direction, service] + amount
        count = sum(dispute.direction == direction for dispute in self.disputes.values())
        return (
            amount > 0
            and self.both_closed(direction[0])
            and direction[0] not in self.agreed
            and withheld <= self.declared[direction, direction[1], service]
            and count < MOST_DISPUTES
            and all((each.direction, each.service, each.reason) != about for each in standing)
        )

    def may_net(self, items: Iterable[bytes], legs: Mapping[Direction, int]) -> bool:
        after = Counter({direction: self.exposure(direction) for direction in legs})
        for item in items:
            after[self.items[item].direction] -= self.items[item].amount_micros
        return all(
            self.lines[direction].flags
            or after[direction] + amount <= max(self.lines[direction].limit_micros, self.exposure(direction))
            for direction, amount in legs.items()
        )

    def positions(self, items: Iterable[bytes]) -> Counter[bytes]:
        """What each carrier is owed (or owes, below zero) from these items."""
        owed: Counter[bytes] = Counter()
        for item in (self.items[name] for name in items):
            owed[item.direction[1]] += item.amount_micros
            owed[self.debtor(item.direction)] -= item.amount_micros
        return owed

    def _fits(self, direction: Direction, amount: int) -> bool:
        line = self.lines[direction]
        return line.flags or self.exposure(direction) + amount <= line.limit_micros

    # STEPS

    def declare(self, direction: Direction, declarer: bytes, service: int, amount: int) -> None:
        self.seqs[direction, declarer] += 1
        self.declared[direction, declarer, service] += amount
        if declarer == direction[1]:
            self.moves[direction].append(amount)

    def dispute(self, name: bytes, disputed: Disputed) -> None:
        self.disputes[name] = disputed
        self.withheld[disputed.direction, disputed.service] += disputed.amount_micros

    def withdraw(self, name: bytes) -> int:
        """What becomes an item of its own: all of it if the statement is agreed already, else nothing."""
        dispute = self.disputes[name]
        dispute.is_open, dispute.is_withdrawn = False, True
        if dispute.direction[0] in self.agreed:
            return dispute.amount_micros
        self.withheld[dispute.direction, dispute.service] -= dispute.amount_micros
        return 0

    def resolve(self, name: bytes, credited: int) -> None:
        dispute = self.disputes[name]
        dispute.is_open, dispute.is_due = False, credited < dispute.amount_micros
        self.moves[dispute.direction].append(-credited)

    def net(self, items: Sequence[bytes]) -> int:
        """Returns when the legs are due."""
        for item in (self.items[name] for name in items):
            item.netted = True
            self.moves[item.direction].append(-item.amount_micros)
        return max(self.items[name].due_at for name in items)

    def await_payment(self, items: Iterable[bytes], payables: Sequence[bytes]) -> None:
        """Disputes among the items are settled once their debtor has paid its own of the cycle's payables."""
        for item in (self.items[name] for name in items):
            dispute = self.disputes.get(item.source)
            if dispute is not None and dispute.is_due:
                debtor = self.debtor(dispute.direction)
                owed = [name for name in payables if self.debtor(self.payables[name].direction) == debtor]
                dispute.left_to_pay = owed

    def owe(self, name: bytes, direction: Direction, amount: int, due_at: int) -> None:
        self.payables[name] = Payable(direction, amount, due_at, due_at)
        self.moves[direction].append(amount)

    def pay(self, name: bytes, amount: int, at: int, bps: int) -> None:
        """Interest first, then principal."""
        due = self.payables[name]
        interest = min(amount, due.interest_micros(at, bps))
        due.accrued, due.accrued_at = due.accrued_by(at, bps), max(at, due.accrued_at)
        due.interest_paid_micros += interest
        due.principal_micros -= amount - interest
        self.moves[due.direction].append(interest - amount)
