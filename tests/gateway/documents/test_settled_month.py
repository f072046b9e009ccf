"""Do a real month's documents hold: on the chain, at both carriers, in a clean environment, and at the bank?"""

import hashlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gateway.api.app import build_app
from gateway.cli.app import run
from gateway.composition import Gateway
from gateway.desk.wording import LANGUAGES
from gateway.documents.bank.confirming import confirm_from_bank
from gateway.documents.invoice import invoice
from gateway.documents.making import dispute_document, month_document, order_document, records_stream
from gateway.documents.parties import FILE
from gateway.documents.payment_order import end_to_end_id
from gateway.documents.statement.checking import check_pdf
from gateway.documents.statement.content import statement_content
from gateway.documents.statement.pdf import draw_pdf
from gateway.keystore import PASSWORD_VARIABLE
from ledger.identity import CarrierCode
from ledger.money import parse_micros
from ledger.store.engine import reading
from ledger.store.settlement import list_disputes, list_payables, list_statements
from tests.gateway.asking import Browser
from tests.gateway.documents.bank.files import Told, bank_file, entry
from tests.gateway.documents.october import CALLS, MORE_AT_GB_B, OCTOBER, agreed, october
from tests.gateway.documents.schemas import invoice_faults, order_faults
from tests.gateway.pair import Pair, settled
from tests.scenarios.gateways import CN_T, GB_B, PASSWORD

pytestmark = pytest.mark.chain
PARTIES = """
["CN-T"]
name = "Example Carrier (China)"
bank_number = "0012-345678"
["GB-B"]
name = "Example Carrier (UK)"
iban = "GB33BUKB20201555555555"
"""


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with pytest.MonkeyPatch.context() as patched, october(tmp_path_factory.mktemp("october"), patched) as pair:
        for gateway in pair.gateways.values():
            (gateway.settings.home / FILE).write_text(PARTIES)
        yield pair


def other(carrier: CarrierCode) -> CarrierCode:
    return GB_B if carrier == CN_T else CN_T


def run_bundle_script(folder: Path, bundle: bytes) -> "subprocess.CompletedProcess[str]":
    """As a stranger: the script out of the zip, isolated, without packages, in another folder, with no environment."""
    path = folder / "bundle.zip"
    path.write_bytes(bundle)
    with zipfile.ZipFile(path) as archive:
        archive.extract("verify.py", folder)
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    command = [sys.executable, "-I", "-S", str(folder / "verify.py"), str(path)]
    return subprocess.run(command, capture_output=True, text=True, cwd=elsewhere, env={})


def test_a_months_documents_from_draft_to_the_banks_confirmation(pair: Pair, tmp_path: Path) -> None:
    draft = statement_content(pair[CN_T], GB_B, OCTOBER)
    assert (draft["state"], draft["standing"], draft["signatures"]) == ("draft", None, [])
    assert check_pdf(draw_pdf(draft, "en"), pair[CN_T]).holds

    agreed(pair)
    told = check_pdf(draw_pdf(draft, "en"), pair[CN_T])
    assert told.holds, "the draft's lines are those that both signed then"
    both_carriers_documents_say_the_same(pair)
    the_statement_is_the_chains(pair, tmp_path)
    the_bundles_hold_in_a_clean_environment(pair, tmp_path)
    the_records_leave_whole(pair)
    the_commands_say_what_comes_next(pair, tmp_path)
    the_routes_give_the_same_files(pair)
    the_banks_word_pays_the_payable_once(pair, tmp_path)


def both_carriers_documents_say_the_same(pair: Pair) -> None:
    contents = {carrier: statement_content(pair[carrier], other(carrier), OCTOBER) for carrier in (CN_T, GB_B)}
    for name in ("statementId", "statement", "signatures", "standing", "disputes"):
        assert contents[CN_T][name] == contents[GB_B][name], name
    drawn = {carrier: invoice(pair[carrier], other(carrier), OCTOBER, CN_T).content for carrier in (CN_T, GB_B)}
    assert drawn[CN_T] == drawn[GB_B], "each draws the other's invoice to the byte"
    assert invoice_faults(drawn[CN_T]) == []


def the_statement_is_the_chains(pair: Pair, folder: Path) -> None:
    content = statement_content(pair[CN_T], GB_B, OCTOBER)
    with reading(pair[CN_T].engine) as connection:
        [row] = [each for each in list_statements(connection) if each.agreed_at]
    assert content["statementId"] == f"0x{row.statement_id.hex()}"
    assert {each["carrier"] for each in content["signatures"]} == {CN_T, GB_B}
    for language in LANGUAGES:
        checked = check_pdf(draw_pdf(content, language), pair[GB_B])
        assert checked.holds, checked.faults
        assert "holds this hash" in checked.proven[-1]
    (folder / "statement.pdf").write_bytes(draw_pdf(content, "en"))


def the_bundles_hold_in_a_clean_environment(pair: Pair, folder: Path) -> None:
    with reading(pair[CN_T].engine) as connection:
        [dispute] = list_disputes(connection)
    month, disputed = month_document(pair[GB_B], CN_T, OCTOBER), dispute_document(pair[CN_T], dispute.dispute_id)
    for made in (month, disputed):
        ran = run_bundle_script(folder, made.content)
        assert (ran.returncode, "BROKEN" in ran.stdout, ran.stderr) == (0, False, ""), ran.stdout
    assert month_document(pair[GB_B], CN_T, OCTOBER).content == month.content
    assert f"0x{dispute.dispute_id.hex()}" in ran.stdout
    with zipfile.ZipFile(folder / "bundle.zip") as archive:
        content = json.loads(archive.read("bundle.json"))
        named = json.loads(archive.read("manifest.json"))["sha256"]
        pages = [name for name in archive.namelist() if name.endswith(".pdf")]
        assert all(named[name] == hashlib.sha256(archive.read(name)).hexdigest() for name in pages)
    assert sum(len(batch["records"]) for batch in content["batches"]) == MORE_AT_GB_B
    assert len(pages) == len(LANGUAGES)


def the_records_leave_whole(pair: Pair) -> None:
    streamed = records_stream(pair[CN_T], GB_B, OCTOBER)
    table = pq.read_table(pa.BufferReader(b"".join(streamed.pieces)))

    assert len(table) == 4 * CALLS + MORE_AT_GB_B
    content = statement_content(pair[CN_T], GB_B, OCTOBER)
    claimed = sum(int(each["creditorMicros"]) + int(each["debtorMicros"]) for each in content["statement"]["lines"])
    assert sum(int(each.scaleb(6)) for each in table["amount"].to_pylist()) == claimed


def the_commands_say_what_comes_next(pair: Pair, folder: Path) -> None:
    home = ["--home", str(pair[CN_T].settings.home)]
    month = ["--partner", "GB-B", "--period", "2026-10"]
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(PASSWORD_VARIABLE, PASSWORD)
        for kind in ("statement", "findings", "records", "invoice", "bundle"):
            assert run(["document", kind, *month, *home, "--out", str(folder / kind)]) == 0
            assert (folder / kind).stat().st_size > 0
        assert run(["document", "statement", *month, *home, "--dry-run", "--out", str(folder / "none")]) == 0
        assert not (folder / "none").exists()
        assert run(["document", "statement", *month, *home, "--lang", "fr"]) == 2
        assert run(["document", "order", *home]) == 2, "CN-T owes nothing"
        for name in ("statement", "bundle"):
            assert run(["verify", str(folder / name)]) == 0
        assert run(["verify", str(folder / "statement"), *home]) == 0
        assert run(["verify", str(folder / "invoice")]) == 2


def the_routes_give_the_same_files(pair: Pair) -> None:
    app = build_app(pair[CN_T])
    desk, month = Browser(app), "partner=GB-B&period=2026-10"
    desk.headers["Authorization"] = f"Bearer {app.state.token}"
    content = statement_content(pair[CN_T], GB_B, OCTOBER)

    assert desk.get(f"/v1/document/statement?{month}&lang=zh").content == draw_pdf(content, "zh")
    assert desk.get(f"/v1/document/bundle?{month}").content == month_document(pair[CN_T], GB_B, OCTOBER).content
    kinds = ("lines?format=xlsx&", "findings?format=csv&", "records?format=json&", "invoice?creditor=GB-B&")
    answers = [desk.get(f"/v1/document/{kind}{month}") for kind in kinds]
    assert [each.status_code for each in answers] == [200] * len(kinds)
    assert "invoice-GB-B-CN-T-2026-10.xml" in answers[-1].headers["Content-Disposition"]
    refused = [desk.get(f"/v1/document/{each}").status_code for each in ("order", f"lines?format=pdf&{month}")]
    assert refused == [404, 422]
    assert Browser(app, "http://example.org").get(f"/v1/document/statement?{month}").status_code == 401


def the_banks_word_pays_the_payable_once(pair: Pair, folder: Path) -> None:
    debtor, creditor = pair[GB_B], pair[CN_T]
    order = order_document(debtor, None)
    assert order_faults(order.content, "pain.001.001.09") == []
    with reading(creditor.engine) as connection:
        [payable] = list_payables(connection)
    assert end_to_end_id(payable.payable_id).encode() in order.content
    path = folder / "bank.xml"
    path.write_bytes(
        bank_file(
            entry(Told("4.43", end_to_end=end_to_end_id(payable.payable_id), reference="B-1")),
            entry(Told("1.00", text="no payable of ours", reference="B-2")),
        )
    )
    assert [each.what for each in confirm_from_bank(creditor, path, dry_run=True).bookings] == [
        "pays",
        "refers to no payable",
    ]
    first = the_route_confirms_it(creditor, path.read_bytes())
    waiting = confirm_from_bank(creditor, path)
    settled(creditor)
    again = confirm_from_bank(creditor, path)

    told = [parse_micros(each["confirmed"]["value"]) for each in first["bookings"]]
    assert told == [payable.outstanding_micros, 0]
    assert first["bookings"][0]["payableId"] == f"0x{payable.payable_id.hex()}"
    assert [each.what for each in waiting.bookings] == ["confirmed before", "refers to no payable"]
    assert [each.what for each in again.bookings] == ["confirmed before", "refers to no payable"]
    assert _outstanding(creditor) == 0


def the_route_confirms_it(creditor: Gateway, file: bytes) -> dict[str, Any]:
    """The same file as a request: refused unless it is a bank's, tried, then done once under its key."""
    app, address, key = build_app(creditor), "/v1/bankStatement?name=bank.xml", {"Idempotency-Key": "bank 1"}
    desk = Browser(app)
    assert desk.post(address, content=file).status_code == 401
    desk.headers = {"Authorization": f"Bearer {app.state.token}", "Content-Type": "application/xml"}
    for other in (b"", b"no XML", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', file[:-20]):
        answer = desk.post(address, content=other)
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/malformed"), other
    tried = desk.post(f"{address}&dryRun=true", key, content=file).json()
    done, again = (desk.post(address, key, content=file) for _ in range(2))

    assert [each["what"] for each in tried["bookings"]] == ["pays", "refers to no payable"]
    assert (tried["dryRun"], tried["bookings"][0]["submission"]["state"]) == (True, "dry run")
    assert (done.status_code, again.content, again.headers["Idempotent-Replay"]) == (200, done.content, "true")
    assert desk.post(address, key, content=file + b" ").json()["type"] == "/problems/request-conflict"
    told: dict[str, Any] = done.json()
    return told


def _outstanding(gateway: Gateway) -> int:
    with reading(gateway.engine) as connection:
        return sum(each.outstanding_micros for each in list_payables(connection))
