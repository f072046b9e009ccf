"""Which directions of a month were compared, and where are their records?"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from gateway.composition import Gateway, Partnership, partnership_with
from gateway.month.listing import list_path
from gateway.records.reading import RecordList
from ledger.errors import NotFound
from ledger.identity import CarrierCode
from ledger.period import Period
from ledger.store.engine import reading
from ledger.store.findings import ReconciliationRow, latest_reconciliations, list_findings


@dataclass(frozen=True)
class Compared:
    """A direction and service that was reconciled, and its place on the page of the statement."""

    held: Partnership
    run: ReconciliationRow
    exceptions_path: Path
    findings_before: int
    """How many findings of other directions have lower numbers."""
    findings: int

    @property
    def creditor(self) -> CarrierCode:
        return self.run.scope.creditor

    @property
    def service(self) -> str:
        return self.run.scope.service.word

    @cached_property
    def records(self) -> RecordList:
        """All its records. Raises Malformed if the list is gone or broken."""
        return RecordList(list_path(self.exceptions_path))


def compared_directions(gateway: Gateway, partner: CarrierCode, period: Period) -> list[Compared]:
    """Every direction that was reconciled, in the order of the statement. Raises NotFound for an unknown partner."""
    held = partnership_with(gateway.settings, partner)
    with reading(gateway.engine) as connection:
        runs = sorted(
            latest_reconciliations(connection, held.id, period), key=lambda run: (run.scope.creditor, run.scope.service)
        )
        counts = [len(list_findings(connection, run.id or 0)) for run in runs]
    return [
        Compared(held, run, gateway.settings.home / (run.exceptions_path or ""), sum(counts[:at]), counts[at])
        for at, run in enumerate(runs)
    ]


def direction_of(compared: Sequence[Compared], creditor: str, service: str) -> Compared:
    """The one asked for; "" is any. Raises NotFound."""
    found = [each for each in compared if creditor in ("", each.creditor) and service in ("", each.service)]
    if not found:
        known = ", ".join(f"{each.service} owed to {each.creditor}" for each in compared)
        raise NotFound(
            "this direction was not reconciled",
            expected=known or "a reconciled month",
            got=" ".join(each for each in (service, creditor) if each) or "nothing",
            todo="Reconcile the month: `gsc reconcile`.",
        )
    return found[0]
