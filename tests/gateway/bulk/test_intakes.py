"""Does usage in bulk reach the chain once, whatever breaks off on the way and whoever signs?"""

import gzip
import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from eth_account.messages import encode_typed_data

from gateway.api.app import build_app
from gateway.bulk.bodies import Form, Packing
from gateway.bulk.sending import form_of, signed_batch
from gateway.client import Client
from gateway.composition import Gateway
from gateway.keystore import KeyUse, open_key
from ledger.errors import Malformed, SignatureRefused
from ledger.keccak import keccak256
from ledger.store.engine import reading
from ledger.store.imports import list_quarantined
from ledger.typed_data import sign_digest
from tests.gateway.asking import Browser
from tests.gateway.disputed import serving
from tests.gateway.pair import Pair, pair_on_chain, settled
from tests.scenarios.gateways import CN_T, NOVEMBER, PASSWORD

pytestmark = pytest.mark.chain
NDJSON = {"Content-Type": "application/x-ndjson"}
BEGIN = "/v1/usageIntake?partner=GB-B&direction=in&name=october.ndjson"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with pair_on_chain(tmp_path_factory.mktemp("bulk")) as found:
        found.chain.advance_to(NOVEMBER)
        yield found


@pytest.fixture(scope="module")
def us(pair: Pair) -> Gateway:
    return pair[CN_T]


@pytest.fixture(scope="module")
def operator(us: Gateway) -> Browser:
    browser = Browser(build_app(us))
    browser.headers["Authorization"] = f"Bearer {browser.app.state.token}"
    return browser


def call(minute: int, **changes: Any) -> dict[str, Any]:
    """A call to China in October."""
    start = f"2026-10-{1 + minute // 1440:02}T{minute // 60 % 24:02}:{minute % 60:02}:00Z"
    row = {"a_party": "442079460123", "b_party": "8613912345678", "start": start, "quantity": 61_000, "route": "gbb-in"}
    return {**row, **changes}


def ndjson(rows: list[dict[str, Any]]) -> bytes:
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


def begun(operator: Browser, body: bytes, **headers: str) -> httpx.Response:
    return operator.post(BEGIN, content=body, headers={**NDJSON, **headers})


def staged(operator: Browser, intake: httpx.Response, query: str = "") -> dict[str, Any]:
    """The job's answer once it is over."""
    job = operator.post(f"{intake.json()['href']}/stage{query}")
    assert job.status_code == 202
    for _ in range(600):
        found = operator.get(job.headers["Location"]).json()
        if found["state"] != "running":
            assert found["state"] == "done", found
            answer: dict[str, Any] = found["answer"]
            return answer
        time.sleep(0.05)
    raise AssertionError("the job does not end")


# REFUSALS


def test_a_form_that_nobody_reads_is_refused(operator: Browser) -> None:
    answer = operator.post(BEGIN, content=b"x", headers={"Content-Type": "application/zip"})
    assert (answer.status_code, answer.json()["type"]) == (415, "/problems/unsupported-form")
    assert "application/x-ndjson" in answer.json()["expected"]


def test_bytes_for_another_place_are_refused_with_where_they_would_begin(operator: Browser) -> None:
    intake = begun(operator, b'{"a_party": ')
    later = operator.request(
        "PATCH", intake.json()["href"], headers={"Upload-Offset": "5", "Upload-Complete": "?1"}, content=b"x"
    )
    assert (later.status_code, later.json()["offset"]) == (409, "12")
    assert operator.request("HEAD", intake.json()["href"]).headers["Upload-Offset"] == "12"


def test_what_is_not_complete_is_not_staged(operator: Browser) -> None:
    intake = begun(operator, ndjson([call(1)]))
    for asked in ("", "?dryRun=true"):
        answer = operator.post(f"{intake.json()['href']}/stage{asked}")
        assert (answer.status_code, answer.json()["detail"]) == (409, "the intake is not complete")
    assert operator.request("DELETE", f"{intake.json()['href']}?dryRun=true").status_code == 204
    assert operator.get(intake.json()["href"]).status_code == 200
    assert operator.request("DELETE", intake.json()["href"]).status_code == 204
    assert operator.get(intake.json()["href"]).status_code == 404


def test_one_key_is_one_intake_and_another_body_under_it_is_refused(operator: Browser) -> None:
    body = ndjson([call(2)])
    first, again = (begun(operator, body, **{"Idempotency-Key": "k-2", "Upload-Complete": "?1"}) for _ in range(2))
    other = begun(operator, ndjson([call(3)]), **{"Idempotency-Key": "k-2", "Upload-Complete": "?1"})
    elsewhere = operator.post(BEGIN.replace("=in", "=out"), headers={**NDJSON, "Idempotency-Key": "k-2"})
    assert first.json() == again.json()
    assert (other.status_code, elsewhere.status_code) == (409, 409)
    operator.request("DELETE", first.json()["href"])


def test_a_signature_of_another_key_declares_nothing(operator: Browser) -> None:
    intake = begun(operator, ndjson([call(4)]), **{"Upload-Complete": "?1"})
    (batch,) = staged(operator, intake)["batches"]
    forged = sign_digest(bytes(31) + b"\x05", bytes.fromhex(batch["digest"][2:]))
    href = f"{intake.json()['href']}/commit"
    answer = operator.post(href, json={"signatures": {batch["root"]: f"0x{forged.hex()}"}})
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/signature-refused")
    assert operator.post(href, json={"signatures": {}}).json()["detail"] == "a batch has no signature"


def test_a_page_of_intakes_that_nobody_can_mean_is_refused(operator: Browser) -> None:
    hrefs = [begun(operator, b"{").json()["href"] for _ in range(2)]
    cursor = operator.get("/v1/usageIntake?limit=1").links["next"]["url"].partition("cursor=")[2]
    for query, status in (
        (f"state=receiving&cursor={cursor}", 404),
        ("cursor=AAAA", 404),
        ("limit=1001", 422),
        ("partner=gb-b", 422),
        ("state=eaten", 422),
        ("offset=1", 422),
        ("fields=key", 422),
    ):
        assert (query, operator.get(f"/v1/usageIntake?{query}").status_code) == (query, status)
    for href in hrefs:
        operator.request("DELETE", href)


# WHAT IS RIGHT


def test_intakes_are_told_by_page_and_by_what_they_are(operator: Browser) -> None:
    part, whole, other = (
        operator.post(BEGIN.replace("=october", f"=page-{at}").replace("=in", f"={way}"), {**NDJSON, **said}).json()
        for at, way, said in ((0, "in", {}), (1, "in", {"Upload-Complete": "?1"}), (2, "out", {}))
    )
    told = operator.get("/v1/usageIntake?limit=1000")
    seen, address = [], "/v1/usageIntake?limit=2&fields=name,state"
    while address:
        page = operator.get(address)
        seen += page.json()
        address = page.links.get("next", {}).get("url", "")

    def asked(query: str) -> set[str]:
        return {each["id"] for each in operator.get(f"/v1/usageIntake?{query}").json()}

    assert (told.headers["X-Total-Count"], "Link" in told.headers) == (str(len(told.json())), False)
    assert seen == [{name: each[name] for name in ("id", "href", "@type", "name", "state")} for each in told.json()]
    assert asked("state=receiving&name=page-0.ndjson&direction=in") == {part["id"]}
    assert asked("state=receiving") & {part["id"], whole["id"], other["id"]} == {part["id"], other["id"]}
    assert (asked("name=page-1.ndjson"), asked("direction=out")) == ({whole["id"]}, {other["id"]})
    assert asked("partner=GB-B&service=voice") == {each["id"] for each in told.json()}
    assert asked("partner=SG-S") == asked("service=sms") == set()
    for each in (part, whole, other):
        operator.request("DELETE", each["href"])


def test_an_intake_that_is_known_already_still_says_where_it_goes_on(operator: Browser) -> None:
    intake = begun(operator, b"{").json()
    told = operator.get(f"{intake['href']}?fields=received")
    known = operator.get(intake["href"], {"If-None-Match": told.headers["ETag"]})
    assert told.json() == {"id": intake["id"], "href": intake["href"], "@type": "usageIntake", "received": 1}
    assert (known.status_code, known.headers["Upload-Offset"], known.headers["Upload-Complete"]) == (304, "1", "?0")
    operator.request("DELETE", intake["href"])


def test_an_intake_that_broke_off_goes_on_where_it_stopped_and_the_carriers_own_key_signs(
    operator: Browser, us: Gateway
) -> None:
    body = gzip.compress(ndjson([call(minute) for minute in range(100, 160)]))
    intake = begun(operator, body[:100], **{"Content-Encoding": "gzip"})
    href = intake.json()["href"]
    assert operator.get(href).json()["state"] == "receiving"
    at = int(operator.request("HEAD", href).headers["Upload-Offset"])
    done = operator.request(
        "PATCH", href, headers={"Upload-Offset": str(at), "Upload-Complete": "?1"}, chunks=[body[at:200], body[200:]]
    )
    assert done.json()["received"] == len(body)
    tried = staged(operator, intake, "?dryRun=true")
    assert (tried["accepted"], tried["dryRun"], tried["importId"]) == (60, True, None)
    assert operator.get(href).json()["state"] == "received", "it was read, and nothing of it kept"
    answer = staged(operator, intake)
    (batch,) = answer["batches"]
    assert (answer["accepted"], batch["count"], batch["quantity"]) == (60, 60, str(60 * 61_000))
    key = open_key(us.settings.keys_path, KeyUse.SIGNING, PASSWORD)
    (batch,) = operator.get(f"{href}/declaration").json()["batches"]
    shown = encode_typed_data(full_message=batch["typedData"])
    assert keccak256(b"\x19" + shown.version + shown.header + shown.body).hex() == batch["digest"][2:]
    signature = sign_digest(key, bytes.fromhex(batch["digest"][2:]))
    signed = {"signatures": {batch["root"]: f"0x{signature.hex()}"}}
    committed, repeat = (operator.post(f"{href}/commit", {"Idempotency-Key": "commit"}, json=signed) for _ in range(2))
    assert committed.json()[0]["submission"]["state"] == "signed", committed.text
    assert (repeat.content, repeat.headers["Idempotent-Replay"]) == (committed.content, "true")
    assert staged(operator, intake, "?dryRun=true")["repeated"]
    settled(us)
    (after,) = operator.get(f"{href}/declaration").json()["batches"]
    assert after["typedData"] is None
    assert after["digest"] == batch["digest"]


def test_columns_come_as_well_and_bad_rows_wait_with_line_and_reason(operator: Browser, us: Gateway) -> None:
    rows = [call(minute) for minute in range(200, 204)]
    rows[1]["quantity"], rows[2]["b_party"] = -1, "+86139"
    table = pa.Table.from_pylist(rows)
    sink = io.BytesIO()
    pq.write_table(table, sink)
    stream = io.BytesIO()
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    for content, form in (
        (sink.getvalue(), "application/vnd.apache.parquet"),
        (stream.getvalue(), "application/vnd.apache.arrow.stream"),
    ):
        intake = begun(operator, content, **{"Content-Type": form, "Upload-Complete": "?1"})
        answer = staged(operator, intake)
        assert (answer["accepted"], answer["quarantined"]) == (2, 2)
        with reading(us.engine) as connection:
            waiting = list_quarantined(connection, int(answer["usageImport"]))
        assert [(row.line, row.reason.split(":")[0]) for row in waiting] == [(2, "quantity"), (3, "b_party")]


def test_the_same_bytes_again_are_the_import_they_were(operator: Browser) -> None:
    body = ndjson([call(minute) for minute in range(300, 303)])
    first, again = (staged(operator, begun(operator, body, **{"Upload-Complete": "?1"})) for _ in range(2))
    assert first == again


def test_the_same_records_packed_are_the_import_they_were(operator: Browser) -> None:
    body = ndjson([call(minute) for minute in range(310, 313)])
    packed = begun(operator, gzip.compress(body), **{"Content-Encoding": "gzip", "Upload-Complete": "?1"})
    first, again = (staged(operator, intake) for intake in (begun(operator, body, **{"Upload-Complete": "?1"}), packed))
    assert (again["usageImport"], again["batches"]) == (first["usageImport"], first["batches"])


def test_a_jobs_events_end_with_its_answer(operator: Browser) -> None:
    intake = begun(operator, ndjson([call(400)]), **{"Upload-Complete": "?1"})
    staged(operator, intake)
    told = operator.get(f"/v1/job/stage-{intake.json()['id']}/events")
    assert told.headers["content-type"].startswith("text/event-stream")
    *_, last = told.text.strip().split("\n\n")
    name, data = last.split("\n", 1)
    assert name == "event: done"
    job = json.loads(data.removeprefix("data: "))
    assert (job["answer"]["accepted"], job["done"]) == (1, 1), "it does not begin to count anew at its end"


def test_a_program_brings_a_file_with_its_own_key_and_again_changes_nothing(us: Gateway, tmp_path: Path) -> None:
    path = tmp_path / "november.ndjson.gz"
    path.write_bytes(gzip.compress(ndjson([call(minute) for minute in range(500, 540)])))
    with serving(us), Client(f"http://127.0.0.1:{us.settings.listen.port}", us.signer) as client:
        first, again = (client.submit(path, "GB-B", "in") for _ in range(2))
        (declared,) = first.declarations
    settled(us)
    assert (first.accepted, first.quarantined, declared["count"]) == (40, 0, 40)
    assert (again.intake, again.declarations[0]["batchId"]) == (first.intake, declared["batchId"])


@pytest.mark.parametrize("change", [{"root": "0x" + "11" * 32}, {"count": 5}, {"amountMicros": 1}])
def test_a_gateway_that_shows_another_declaration_gets_no_signature(
    change: dict[str, Any], operator: Browser, us: Gateway
) -> None:
    """A figure changed in what is shown, and then in what is wanted as well."""
    intake = begun(operator, ndjson([call(600)]), **{"Upload-Complete": "?1"})
    (batch,) = staged(operator, intake)["batches"]
    batch["typedData"]["message"].update(change)
    with pytest.raises(SignatureRefused, match="another declaration"):
        signed_batch(us.signer, batch)


def test_a_name_that_says_no_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="does not say"):
        form_of(tmp_path / "october.zip")
    assert form_of(tmp_path / "october.csv.zst") == (Form.CSV, Packing.ZSTD)
