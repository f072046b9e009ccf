"""What do both carriers sign for one agreement and period? The same lines, from what the chain holds alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ledger.agreement import Agreement
from ledger.errors import Conflict, Refused
from ledger.identity import BatchId, CarrierCode, ascii32
from ledger.keccak import keccak256
from ledger.money import Micros, show_micros
from ledger.period import Period
from ledger.service import Service
from reconciliation.reconcile import Reconciliation


class DeclaredBatch(NamedTuple):
    """One declaration of the period, as the chain holds it."""

    batch_id: BatchId
    declarer: CarrierCode
    creditor: CarrierCode
    service: Service
    amount_micros: Micros


class OpenDispute(NamedTuple):
    """What the debtor withholds for now."""

    creditor: CarrierCode
    service: Service
    amount_micros: Micros


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One direction and service: creditor's amount = agreed + withheld."""

    creditor: CarrierCode
    service: Service
    creditor_micros: Micros
    debtor_micros: Micros
    agreed_micros: Micros
    withheld_micros: Micros

    @property
    def difference_micros(self) -> Micros:
        """Creditor's minus debtor's."""
        return Micros(self.creditor_micros - self.debtor_micros)


@dataclass(frozen=True, slots=True)
class StatementDraft:
    """The account of one agreement and period, before it is signed; lines ordered by (creditor, service)."""

    agreement: Agreement
    period: Period
    lines: tuple[StatementLine, ...]
    batches_hash: bytes

    def agreed_for(self, creditor: CarrierCode) -> Micros:
        """What is payable now to one of the two, over all services."""
        return Micros(sum(line.agreed_micros for line in self.lines if line.creditor == creditor))

    @property
    def net_to_low_micros(self) -> Micros:
        """What the agreement's lower carrier is owed net of what it owes."""
        return Micros(self.agreed_for(self.agreement.low) - self.agreed_for(self.agreement.high))


def draw_statement(
    agreement: Agreement,
    period: Period,
    declared: Iterable[DeclaredBatch],
    disputes: Iterable[OpenDispute] = (),
    reconciliations: Sequence[Reconciliation] = (),
) -> StatementDraft:
    """Draw the statement; both sides get the same from the same chain.

    Reconciliations, where given, must explain the difference of the line they belong to to the last micro.
    Raises Refused (a carrier that is no party), Conflict (disputes larger than the line, totals that differ).
    """
    batches = list(declared)
    withheld = _withheld(disputes)
    keys = sorted({(batch.creditor, batch.service) for batch in batches} | withheld.keys(), key=_order)
    lines = tuple(_line(agreement, key, batches, withheld.get(key, 0)) for key in keys)
    for reconciliation in reconciliations:
        _check_explained(reconciliation, lines)
    return StatementDraft(agreement, period, lines, batches_hash(batch.batch_id for batch in batches))


def batches_hash(batch_ids: Iterable[BatchId]) -> bytes:
    """keccak256 of all batch ids of the period, in ascending order, concatenated."""
    return keccak256(b"".join(sorted(batch_ids)))


def _order(key: tuple[CarrierCode, Service]) -> tuple[bytes, int]:
    return ascii32(key[0]), int(key[1])


def _withheld(disputes: Iterable[OpenDispute]) -> dict[tuple[CarrierCode, Service], int]:
    sums: dict[tuple[CarrierCode, Service], int] = {}
    for dispute in disputes:
        key = (dispute.creditor, dispute.service)
        sums[key] = sums.get(key, 0) + dispute.amount_micros
    return sums


def _line(
    agreement: Agreement, key: tuple[CarrierCode, Service], batches: Sequence[DeclaredBatch], withheld: int
) -> StatementLine:
    creditor, service = key
    if creditor not in (agreement.low, agreement.high):
        raise Refused("not a party", expected=f"{agreement.low} or {agreement.high}", got=creditor)
    debtor = agreement.counterparty(creditor)
    owed, counted = _declared(batches, key, creditor), _declared(batches, key, debtor)
    if withheld > owed:
        raise Conflict(
            f"more is disputed than {creditor} declared",
            expected=f"at most {show_micros(owed)} {agreement.currency}",
            got=show_micros(withheld),
            todo="Withdraw a dispute.",
        )
    return StatementLine(creditor, service, Micros(owed), Micros(counted), Micros(owed - withheld), Micros(withheld))


def _declared(batches: Sequence[DeclaredBatch], key: tuple[CarrierCode, Service], declarer: CarrierCode) -> int:
    return sum(b.amount_micros for b in batches if (b.creditor, b.service) == key and b.declarer == declarer)


def _check_explained(reconciliation: Reconciliation, lines: Sequence[StatementLine]) -> None:
    scope = reconciliation.scope
    mine = [line for line in lines if (line.creditor, line.service) == (scope.creditor, scope.service)]
    expected = sum(line.difference_micros for line in mine)
    explained = sum(finding.difference_micros for finding in reconciliation.findings)
    got = explained if scope.declarer == scope.creditor else -explained
    if expected != got:
        raise Conflict(
            "the findings do not explain the difference of the declared totals",
            expected=show_micros(expected),
            got=show_micros(got),
            todo="Reconcile again with the records that prove against the declared roots.",
        )
