"""Does the desk show what stands on the chain, what it cost and what waits, and does a check find harm?"""

import re
import time

import pytest

from gateway.verifying import verify_everything
from ledger.store.declarations import list_declarations
from ledger.store.engine import reading
from tests.gateway.desk.clerk import Clerk
from tests.gateway.disputed import Served
from tests.scenarios.gateways import CN_T

pytestmark = pytest.mark.chain


@pytest.fixture(scope="module")
def cn(served: Served) -> Clerk:
    return Clerk(served.apps[CN_T])


def test_every_declared_batch_leads_to_its_page_its_transaction_and_its_events(served: Served, cn: Clerk) -> None:
    with reading(served[CN_T].engine) as connection:
        declared = list_declarations(connection)
    page = cn.get("/desk/chain").text
    root = f"0x{declared[0].root.hex()}"
    batch = cn.get(f"/desk/chain/batches/{root}").text
    found = re.search(r"/desk/chain/transactions/(0x[0-9a-f]{64})", batch)

    assert all(f"0x{row.root.hex()}" in page for row in declared)
    assert "The records are in our archive." in batch
    assert found is not None
    receipt = cn.get(f"/desk/chain/transactions/{found[1]}").text
    events = cn.get(f"/desk/chain/events?tx={found[1]}").text
    assert "it did what it said" in receipt
    assert "UsageDeclared" in events
    assert root in events


def test_events_are_decoded_filtered_and_paged_to_the_first(cn: Clerk) -> None:
    page = cn.get("/desk/chain/events").text
    seen = re.findall(r"<td>([A-Z]\w+)", page)
    while (earlier := re.search(r'<a rel="next" href="([^"]+)"', page)) is not None:
        page = cn.get(earlier[1].replace("&amp;", "&")).text
        seen += re.findall(r"<td>([A-Z]\w+)", page)
    declared = cn.get("/desk/chain/events?event=UsageDeclared").text
    whole = cn.get("/desk/chain/events?export=events&format=csv").text.splitlines()

    assert len(whole) - 1 == len(seen) > 10
    assert set(re.findall(r"<td>([A-Z]\w+)", declared)) == {"UsageDeclared"}
    assert "AgreementSigned" in cn.get("/desk/chain/events?partner=GB-B&event=AgreementSigned").text
    assert cn.get("/desk/chain/events?block=x").status_code == 422


def test_gas_is_summed_by_kind_and_is_that_of_the_receipts(served: Served, cn: Clerk) -> None:
    rows = cn.get("/desk/chain/gas?export=calls&format=json").json()
    sums = cn.get("/desk/chain/gas?export=spent&format=json").json()

    receipts = served[CN_T].client.receipts([bytes.fromhex(row["transaction"][2:]) for row in rows])
    assert [row["gas"] for row in rows] == [each.gas_used for each in receipts if each]
    assert sum(row["gas"] for row in rows) == sum(row["gas"] for row in sums) > 0


def test_a_hash_that_is_none_and_one_of_nothing_are_told_apart(cn: Clerk) -> None:
    assert cn.get("/desk/chain/batches/0x12").status_code == 422
    assert cn.get(f"/desk/chain/batches/0x{'ab' * 32}").status_code == 404
    assert "No block of the chain holds" in cn.get(f"/desk/chain/transactions/0x{'ab' * 32}").text


def test_a_stranger_begins_no_check(cn: Clerk) -> None:
    assert cn.browser.post("/desk/chain/verify", headers={"Cookie": ""}).status_code == 401
    assert "Verify now" in cn.get("/desk/chain/verify").text


def test_a_check_of_everything_holds_until_a_sealed_file_is_altered(served: Served, cn: Clerk) -> None:
    cn.submit("/desk/chain/verify", "/desk/chain/verify")
    for _ in range(600):
        page = cn.get("/desk/chain/verify").text
        if "<progress" not in page:
            break
        time.sleep(0.05)
    held = verify_everything(served[CN_T])
    with reading(served[CN_T].engine) as connection:
        root = list_declarations(connection)[0].root
    path = served[CN_T].settings.archive_path / f"{root.hex()}.parquet"
    content = path.read_bytes()
    path.write_bytes(content[:-40] + bytes(40))
    broken = verify_everything(served[CN_T])
    path.write_bytes(content)

    assert "Everything holds" in page, page
    assert held.holds
    assert (broken.holds, broken.broken) == (False, 1)
    (harm,) = [check for check in broken.checks if not check.holds]
    assert "cannot be read" in harm.detail
