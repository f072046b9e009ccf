"""Does everything that this home holds still agree with the chain? Every check of the doctor, and every sealed file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.composition import Gateway
from gateway.doctor import Checked, examine
from ledger import archive
from ledger.archive import DeclaredTotals
from ledger.errors import GscError
from ledger.store.batches import good_reveals, list_batches
from ledger.store.declarations import DeclarationRow, list_declarations
from ledger.store.engine import reading


@dataclass(frozen=True, slots=True)
class Verdict:
    """Every check and its outcome."""

    checks: Sequence[Checked]
    at_ms: int
    """When it ended."""

    @property
    def holds(self) -> bool:
        return all(check.holds for check in self.checks)

    @property
    def broken(self) -> int:
        return sum(not check.holds for check in self.checks)


def verify_everything(gateway: Gateway, told: Callable[[int], None] = lambda _: None) -> Verdict:
    """Examine the home, then read each archive file again: its records must hash to the root on chain, with the count
    and totals that were declared. `told` hears how many steps of `steps_of` are done."""
    checks = list(examine(gateway))
    told(1)
    for at, row in enumerate(_held(gateway)):
        checks.append(_archived(gateway.settings.archive_path, row))
        told(at + 2)
    return Verdict(checks, gateway.clock.now_ms())


def steps_of(gateway: Gateway) -> int:
    """How many steps it takes."""
    return 1 + len(_held(gateway))


def _held(gateway: Gateway) -> list[DeclarationRow]:
    """The declarations whose records we hold: our own, and what was revealed and is what was sealed."""
    with reading(gateway.engine) as connection:
        mine = {batch.batch_id for batch in list_batches(connection)}
        held = mine | good_reveals(connection)
        return [row for row in list_declarations(connection) if row.batch_id in held]


def _archived(folder: Path, row: DeclarationRow) -> Checked:
    what = f"{row.scope.declarer} seq {row.seq}, owed to {row.scope.creditor}, {row.scope.period}"
    declared = DeclaredTotals(row.root, row.count, row.quantity, row.amount_micros, row.from_ms, row.to_ms)
    try:
        archive.check_against(archive.read_by_root(folder, row.root), declared)
    except GscError as error:
        return Checked(what, False, str(error))
    except OSError as error:
        return Checked(what, False, f"the archive file cannot be read: {error}")
    return Checked(what, True, f"0x{row.root.hex()}, {row.count:,} records")
