"""Which loops must be compiled before the first month is fast? Runs each on a small month; numba keeps the result.

`python -m scripts.compile_kernels`: part of the installation, so that no command and no demo waits for a compiler.
"""

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa

from gateway.formats.preset import load_preset
from gateway.formats.reading import Direction, Reading, ReadingContext, Stream, Trunk, read_cdr
from gateway.formats.tap.files import read_tap
from gateway.formats.tap.sides import TapContext
from ledger.agreement import Agreement
from ledger.identity import AgreementId, CarrierCode
from ledger.keccak import hash_rows
from ledger.prices.deck import deck_history
from ledger.prices.deck_file import load_deck
from ledger.prices.rating import rate
from ledger.sealing import leaf_is_in, open_leaf, salts, seal
from ledger.service import Service
from ledger.usage import BatchScope
from reconciliation.reconcile import reconcile
from reconciliation.streaming.sources import table_source
from reconciliation.streaming.stream import USUAL_WAY, Month, streamed
from scripts.traffic import Simulation, SimulationFiles, simulate, write
from scripts.traffic.carriers import CARRIERS, trunks_of
from scripts.traffic.papers import agreement_of

_SEED, _CALLS = 1, 4_000
_ROAMING = bytes.fromhex(
    "617d5f2901025f2501015f2605464f4f30315f240542415230325f2701315f1f0e32303236303130353131303030305f2d052b3032303062"
    "4363415f2208133713371337133f550e32303236303130353130303030305f2d052b3032303053013d5801005f31078613800138000f5b0c"
    "343432303739343630303030540101"
)
"""An NRTRDE file of one call."""
_COUNTRIES = {"CN-T": "CN", "GB-B": "GB", "US-A": "US"}


def main() -> None:
    """Read three switches' files; rate, seal and reconcile each direction."""
    with tempfile.TemporaryDirectory() as folder:
        simulation = simulate(_SEED, _CALLS)
        files = write(simulation, Path(folder))
        readings = {plan.code: _read(files, plan.code) for plan in CARRIERS}
        _read_roaming(Path(folder) / "roaming")
        for direction in simulation.truth.directions:
            _settle(simulation, files, readings, direction.debtor, direction.creditor)


def _read(files: SimulationFiles, carrier: CarrierCode) -> Reading:
    plan = next(plan for plan in CARRIERS if plan.code == carrier)
    trunks = {name: Trunk(partner, Direction(way)) for name, (partner, way) in trunks_of(plan).items()}
    context = ReadingContext(zone=plan.zone, country=_COUNTRIES[carrier], trunks=trunks)
    return read_cdr(files.switches[carrier].path, load_preset(plan.switch.value), context)


def _read_roaming(path: Path) -> None:
    path.write_bytes(_ROAMING)
    read = read_tap(path, TapContext(CarrierCode("CN-T"), {"FOO01": CarrierCode("GB-B")}))
    assert read.reading.counts.accepted == 1


def _settle(
    simulation: Simulation,
    files: SimulationFiles,
    readings: dict[CarrierCode, Reading],
    debtor: CarrierCode,
    creditor: CarrierCode,
) -> None:
    plans = {plan.code: plan for plan in CARRIERS}
    agreement = agreement_of((plans[debtor], plans[creditor]), simulation.month)
    decks = deck_history(
        (paper.effective_s * 1000, load_deck(paper.path))
        for paper in files.papers.decks
        if (paper.creditor, paper.debtor) == (creditor, debtor)
    )
    owed, counted = (
        rate(readings[side].tables[Stream(partner, way, Service.VOICE)], decks, agreement).rated
        for side, partner, way in ((creditor, debtor, Direction.IN), (debtor, creditor, Direction.OUT))
    )
    scope = BatchScope(AgreementId(bytes(32)), creditor, creditor, Service.VOICE, simulation.month)
    _seal(owed, scope)
    circuits = dict.fromkeys(owed["route"].unique().to_pylist(), 60)
    _ask_neighbours(owed, counted, scope, agreement)
    reconcile(owed, counted, scope=scope, agreement=agreement, decks=decks, capacity=circuits)


def _ask_neighbours(owed: pa.Table, counted: pa.Table, scope: BatchScope, agreement: Agreement) -> None:
    """What only a month asks in which a price changed and durations differ."""
    month = Month(scope.service, scope.period.bounds_ms(agreement.zone), agreement.zone, agreement.tolerance)
    first = np.zeros(1, np.int64)
    with streamed(table_source(owed), table_source(counted), month, USUAL_WAY) as sides:
        sides.whole.creditor.nearest(first, first, first)


def _seal(rated: pa.Table, scope: BatchScope) -> None:
    batch = seal(rated, scope, bytes(32))
    salts(batch.secret, 0, 1)
    hash_rows(np.zeros((1, 32), np.uint64), twice=True)
    assert leaf_is_in(batch.root, open_leaf(batch, 0))


if __name__ == "__main__":
    main()
