"""Do two gateways show each other sealed records only when they may, and is a changed record caught?"""

import json
import shutil
from contextlib import ExitStack
from pathlib import Path

import httpx
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from gateway import verify_bundle
from gateway.client import Client, GatewayRefused
from gateway.composition import Gateway, open_gateway, partnership_with
from gateway.evidence import statement_bundle
from gateway.requests import REQUEST_SECONDS, RevealRequest
from gateway.settings import load_settings
from gateway.signing import Signer
from ledger.identity import AgreementId, CarrierCode, ascii32
from ledger.period import parse_period
from tests.scenarios.gateways import CN_T, GB_B, NOVEMBER, PASSWORD, PATIENCE_SECONDS, SEPTEMBER, Street, two_carriers
from tests.scenarios.gateways import write_calls as write_both_ways

PERIOD = "2026-10"

pytestmark = pytest.mark.chain


def test_records_are_revealed_to_the_counterparty_after_both_closes_and_a_changed_one_is_caught(
    tmp_path: Path,
) -> None:
    with two_carriers(tmp_path) as street, ExitStack() as stack:
        clients = {carrier: stack.enter_context(gateway.start()) for carrier, gateway in street.gateways.items()}
        _declare_october(street, clients, tmp_path)
        ours = open_gateway(load_settings(street.gateways[CN_T].home), PASSWORD)
        stack.callback(ours.close)
        root = bytes.fromhex(clients[GB_B].batches(CN_T, PERIOD)[0]["id"][2:])

        early = _ask(street, ours, root)
        _close_october(clients)
        assert (early.status_code, early.json()["type"]) == (409, "/problems/period-still-open")
        _assert_only_the_counterparty_is_answered(street, ours, root)
        _assert_a_changed_record_is_refused_by_name(street, clients)

        revealed = clients[CN_T].reveal(GB_B, PERIOD)
        assert {batch["refusal"] for batch in revealed["batches"]} == {None}
        assert clients[CN_T].reveal(GB_B, PERIOD)["fetchedNow"] == 0
        _assert_the_month_is_evidence(ours, tmp_path)


def _declare_october(street: Street, clients: dict[CarrierCode, Client], folder: Path) -> None:
    clients[CN_T].sign_agreement(GB_B)
    clients[GB_B].sign_agreement(CN_T)
    clients[GB_B].wait_all(seconds=PATIENCE_SECONDS)
    for carrier, partner in ((CN_T, GB_B), (GB_B, CN_T)):
        clients[carrier].publish_rates(partner, f"{carrier.lower()}.csv", SEPTEMBER)
        clients[carrier].grant_credit(partner, "1000.00")
    for client in clients.values():
        client.wait_all(seconds=PATIENCE_SECONDS)
    street.chain.advance_to(NOVEMBER)
    for carrier, client in clients.items():
        client.import_usage(write_both_ways(folder / f"{carrier}.csv", carrier, days=10, calls_a_day=2), "csv")
        client.rate(period=PERIOD)
        client.seal(period=PERIOD)
        client.declare(period=PERIOD)
    for client in clients.values():
        assert {each["state"] for each in client.wait_all(seconds=PATIENCE_SECONDS)} == {"final"}


def _close_october(clients: dict[CarrierCode, Client]) -> None:
    for client in clients.values():
        client.close_period(PERIOD)
    for client in clients.values():
        client.wait_all(seconds=PATIENCE_SECONDS)


def _request(ours: Gateway, root: bytes, nonce: bytes, **changed: object) -> RevealRequest:
    values: dict[str, object] = {
        "agreement_id": partnership_with(ours.settings, GB_B).id,
        "period": 202610,
        "requester": ascii32(CN_T),
        "root": root,
        "nonce": nonce,
        "deadline": ours.now_s + REQUEST_SECONDS,
    }
    return RevealRequest(**(values | changed))  # type: ignore[arg-type]


def _ask(street: Street, ours: Gateway, root: bytes, nonce: bytes = bytes(32), **changed: object) -> httpx.Response:
    request = _request(ours, root, nonce, **changed)
    return _post(street, request, ours.signer)


def _post(street: Street, request: RevealRequest, signer: Signer) -> httpx.Response:
    listen = load_settings(street.gateways[GB_B].home).listen
    body = {"request": f"0x{request.abi_encode().hex()}", "signature": f"0x{signer.sign(request).signature.hex()}"}
    return httpx.post(f"http://{listen.host}:{listen.port}/peer/v1/reveals", json=body, timeout=60, trust_env=False)


def _assert_only_the_counterparty_is_answered(street: Street, ours: Gateway, root: bytes) -> None:
    nonce = b"\x01" * 32
    stranger = Signer(CN_T, b"\x09" * 32, ours.signer.domains)
    refusals = {
        "a stranger's key": _post(street, _request(ours, root, nonce), stranger),
        "another carrier": _ask(street, ours, root, nonce, requester=ascii32("US-A")),
        "another agreement": _ask(street, ours, root, nonce, agreement_id=AgreementId(bytes(32))),
        "a root of nobody": _ask(street, ours, bytes(32), nonce),
        "another period": _ask(street, ours, root, nonce, period=202609),
        "too late": _ask(street, ours, root, nonce, deadline=ours.now_s - 1),
        "too far ahead": _ask(street, ours, root, nonce, deadline=ours.now_s + 10**6),
    }

    said = {name: (answer.status_code, answer.json()["type"]) for name, answer in refusals.items()}
    assert said == {
        "a stranger's key": (403, "/problems/signature-refused"),
        "another carrier": (404, "/problems/not-found"),
        "another agreement": (404, "/problems/not-found"),
        "a root of nobody": (404, "/problems/not-found"),
        "another period": (409, "/problems/period-still-open"),
        "too late": (403, "/problems/refused"),
        "too far ahead": (403, "/problems/refused"),
    }
    assert _ask(street, ours, root, nonce).status_code == 200
    again = _ask(street, ours, root, nonce)
    assert (again.status_code, again.json()["type"]) == (409, "/problems/request-conflict")


def _assert_a_changed_record_is_refused_by_name(street: Street, clients: dict[CarrierCode, Client]) -> None:
    """GB-B makes one of its sealed calls dearer; CN-T refuses that file, keeps the others, and says which."""
    archive = street.gateways[GB_B].home / "archive"
    batches = clients[GB_B].batches(CN_T, PERIOD)
    path = archive / f"{batches[0]['id'][2:]}.parquet"
    kept = path.with_suffix(".kept")
    shutil.copy(path, kept)
    table = pq.read_table(path)
    at = table.schema.get_field_index("amount_micros")
    table = table.set_column(at, table.schema.field(at), pc.add(table.column(at), 1))
    pq.write_table(table, path)

    with pytest.raises(GatewayRefused) as refusal:
        clients[CN_T].reveal(GB_B, PERIOD)

    assert (refusal.value.problem_slug, refusal.value.problem_status) == ("root-mismatch", 409)
    assert refusal.value.members["refused"] == [batches[0]["declaration"]["id"]]
    assert len(refusal.value.members["accepted"]) == len(batches) - 1
    assert not (street.gateways[CN_T].home / "archive" / path.name).exists()
    with pytest.raises(GatewayRefused, match="not revealed, or not what was sealed"):
        clients[CN_T].reconcile(GB_B, PERIOD)
    shutil.move(kept, path)


def _assert_the_month_is_evidence(ours: Gateway, folder: Path) -> None:
    """Both sides' declarations with their signatures check out offline; a changed one does not."""
    path = folder / "october.zip"
    path.write_bytes(statement_bundle(ours, GB_B, parse_period(PERIOD)))

    content, proven, faults = verify_bundle.verify_file(str(path))

    assert faults == []
    assert {line.split(" ")[0] for line in proven if "signed batch" in line} == {CN_T, GB_B}
    content["batches"][0]["declaration"]["amountMicros"] = "1"
    assert verify_bundle.verify(json.loads(json.dumps(content)))[1]
