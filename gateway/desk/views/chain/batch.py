"""What is known of one sealed batch? Its declaration, its transaction, and whether we hold its records."""

from dataclasses import dataclass

from gateway.composition import Gateway, partnership_of_id
from gateway.desk.shapes import hexed
from gateway.desk.views.batches import BatchRow, batch_rows
from ledger import archive
from ledger.errors import NotFound
from ledger.store.batches import list_batches
from ledger.store.declarations import DeclarationRow, list_declarations
from ledger.store.engine import reading


@dataclass(frozen=True, slots=True)
class BatchView:
    """One batch."""

    partner: str
    period: str
    currency: str
    service: str
    row: BatchRow
    declared: DeclarationRow | None
    """None while it waits."""
    held: bool
    """Whether its records are in our archive."""


def batch_view(gateway: Gateway, root: bytes) -> BatchView:
    """The batch of a root: ours, or a partner's that was declared. Raises NotFound."""
    with reading(gateway.engine) as connection:
        declared = next((row for row in list_declarations(connection) if row.root == root), None)
        sealed = next((row for row in list_batches(connection) if row.root == root), None)
        scope = declared.scope if declared else sealed.scope if sealed else None
        if scope is None:
            raise NotFound("no such batch", got=hexed(root), todo="See the batches: /desk/chain.")
        held = partnership_of_id(gateway.settings, scope.agreement_id)
        rows = batch_rows(connection, gateway, held, scope.period, list_declarations(connection, held.id, scope.period))
    return BatchView(
        partner=held.partner,
        period=str(scope.period),
        currency=held.currency,
        service=scope.service.word,
        row=next(row for row in rows if row.root == hexed(root)),
        declared=declared,
        held=(gateway.settings.archive_path / archive.archive_name(root)).is_file(),
    )
