"""Does the contract take a dispute of what a creditor never revealed, and can a stranger check its evidence?"""

from pathlib import Path

import pytest

from gateway import month
from gateway.evidence import dispute_bundle
from gateway.verify_bundle import read_bundle, verify
from ledger.chain.bindings import DisputeState
from ledger.period import Period
from ledger.store.engine import reading
from ledger.store.settlement import dispute_of
from tests.gateway.pair import pair_on_chain, settled
from tests.scenarios.gateways import CN_T, GB_B, NOVEMBER, write_calls

pytestmark = pytest.mark.chain
OCTOBER = Period(2026, 10)


def test_a_creditor_that_never_reveals_is_not_accepted_by_silence(tmp_path: Path) -> None:
    with pair_on_chain(tmp_path) as pair:
        pair.chain.advance_to(NOVEMBER)
        for carrier in (CN_T, GB_B):
            calls = write_calls(tmp_path / f"{carrier}.csv", carrier, days=2, calls_a_day=2)
            month.import_usage(pair[carrier], calls, "csv")
            month.rate(pair[carrier])
            month.seal(pair[carrier])
            month.declare(pair[carrier])
            settled(pair[carrier])
            month.close(pair[carrier], OCTOBER)
            settled(pair[carrier])

        (asked,) = month.dispute(pair[CN_T], GB_B, OCTOBER, unrevealed=True).disputes
        settled(pair[CN_T])
        (again,) = month.dispute(pair[CN_T], GB_B, OCTOBER, unrevealed=True).disputes
        with reading(pair[CN_T].engine) as connection:
            row = dispute_of(connection, asked.dispute_id)
        drawn = month.accept(pair[CN_T], GB_B, OCTOBER, dry_run=True)
        (tmp_path / "dispute.zip").write_bytes(dispute_bundle(pair[CN_T], asked.dispute_id))

    assert (row.reason, row.state, row.amount_micros) == ("not_revealed", DisputeState.GENERATED, asked.amount.micros)
    assert (again.dispute_id, again.state) == (asked.dispute_id, "generated")
    (line,) = (each for each in drawn.lines if each.creditor == GB_B)
    assert (line.creditor_amount.micros, line.agreed.micros) == (asked.amount.micros, 0)
    bundle = read_bundle(str(tmp_path / "dispute.zip"))
    assert verify(bundle)[1] == []
    assert [batch["records"] for batch in bundle["batches"]] == [[]] * len(bundle["batches"]) != []
