"""What remains to be paid after each step of netting: two carriers offset, all set off, claims novated within lines?

Each step only lowers what is paid, and leaves each carrier the position that its statements say. The first two make
nobody a new or larger debtor. Novation may, but never beyond what the creditor granted: a leg is at most the credit
line of its debtor at its creditor, or what set-off left of the obligation if that is more already.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ledger.identity import CarrierCode
from ledger.money import Micros
from reconciliation.settling.netting import Leg, NettingResult, Obligation, net, net_bilaterally, prove_positions

CreditLines = Mapping[tuple[CarrierCode, CarrierCode], Micros]
"""What a creditor lets a debtor owe, by (debtor, creditor)."""


@dataclass(frozen=True, slots=True)
class NettingSteps:
    """One cycle in one currency, step by step."""

    gross_micros: Micros
    offset: tuple[Leg, ...]
    """What two carriers owe each other is offset, pair by pair."""
    set_off: NettingResult
    """Circles of any length are set off as well; its positions name the statements."""
    novated: tuple[Leg, ...] | None
    """Claims passed on within credit lines; None unless lines were given."""

    @property
    def legs(self) -> tuple[Leg, ...]:
        """What is paid in the end."""
        return self.set_off.legs if self.novated is None else self.novated

    @property
    def remaining_micros(self) -> tuple[Micros, ...]:
        """The sum after each step, never rising."""
        steps = [self.offset, self.set_off.legs, *([] if self.novated is None else [self.novated])]
        return tuple(Micros(sum(leg.amount_micros for leg in legs)) for legs in steps)


def net_in_steps(obligations: Iterable[Obligation], currency: str, lines: CreditLines | None = None) -> NettingSteps:
    """Net the statements of one currency; lines are for the last step, which is left out without them.

    Raises CurrencyMismatch, Malformed (a negative amount, a carrier that owes itself).
    """
    statements = list(obligations)
    set_off = net(statements, currency)
    novated = None if lines is None else _novate(set_off, lines)
    if novated is not None:
        prove_positions(statements, novated)
    return NettingSteps(set_off.gross_micros, net_bilaterally(statements, currency), set_off, novated)


def net_each_currency(
    obligations: Iterable[Obligation], lines: Iterable[Obligation] | None = None
) -> tuple[NettingSteps, ...]:
    """A cycle for each currency, ascending; a line has the form of the largest obligation it allows."""
    listed, granted = list(obligations), None if lines is None else list(lines)
    cycles = []
    for currency in sorted({each.currency for each in listed}):
        of = [each for each in listed if each.currency == currency]
        mine = None
        if granted is not None:
            mine = {(line.debtor, line.creditor): line.amount_micros for line in granted if line.currency == currency}
        cycles.append(net_in_steps(of, currency, mine))
    return tuple(cycles)


def _novate(set_off: NettingResult, lines: CreditLines) -> tuple[Leg, ...]:
    left = [Obligation(leg.debtor, leg.creditor, set_off.currency, leg.amount_micros) for leg in set_off.legs]
    limits: dict[tuple[CarrierCode, CarrierCode], int] = dict(lines)
    for leg in left:
        edge = (leg.debtor, leg.creditor)
        limits[edge] = max(leg.amount_micros, lines.get(edge, 0))
    return net(left, set_off.currency, novate=True, limits=limits).legs
