"""Does the HTTP door let in only who may, take only what fits, and answer every refusal by name?"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from gateway.api import bounds
from gateway.api.app import build_app
from gateway.api.problems import problem_of
from gateway.api.verbs import members
from gateway.composition import Gateway
from ledger.chain.bindings import ERRORS, CreditLineExceeded
from ledger.errors import GscError
from ledger.identity import AgreementId
from tests.gateway.asking import Browser
from tests.gateway.homes import lonely_gateway

CDR = "a_number,b_number,start,duration_ms,trunk\n+8613912345678,+442079460123,2026-10-05T08:00:00Z,61000,gbb-out\n"


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    made = lonely_gateway(tmp_path)
    yield made
    made.close()


@pytest.fixture
def app(gateway: Gateway) -> FastAPI:
    return build_app(gateway)


@pytest.fixture
def stranger(app: FastAPI) -> Browser:
    return Browser(app)


@pytest.fixture
def operator(stranger: Browser, app: FastAPI) -> Browser:
    stranger.headers["Authorization"] = f"Bearer {app.state.token}"
    return stranger


def test_every_write_without_the_operators_token_is_refused(stranger: Browser, app: FastAPI) -> None:
    paths = [
        path.replace("{id}", "0x" + "00" * 32)
        for path, methods in app.openapi()["paths"].items()
        if "post" in methods and path.startswith("/v1/") and path not in ("/v1/challenges", "/v1/sessions")
    ]

    assert len(paths) > 15
    for path in paths:
        answer = stranger.post(path, json={}, headers={"Authorization": "Bearer wrong", "Idempotency-Key": "k"})
        assert (path, answer.status_code) == (path, 401)
        assert answer.json()["type"] == "/problems/not-signed-in"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_page_elsewhere_cannot_read_by_a_name_it_made_up(stranger: Browser) -> None:
    """DNS rebinding: the browser is on this machine, the name is not."""
    assert stranger.get("/v1/health", headers={"Host": "evil.example:8100"}).status_code == 401
    assert stranger.get("/desk", headers={"Host": "evil.example:8100"}).status_code == 401


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/periodClose", {"period": "2026-10", "force": True}),
        ("/v1/periodClose", {"period": "2026-13"}),
        ("/v1/periodClose", {"period": "2026-١٠"}),
        ("/v1/periodClose", {"period": 202610}),
        ("/v1/agreement", {"partner": "gb-b"}),
        ("/v1/deposit", {"partner": "GB-B", "amount": {"unit": "USD", "value": 100}}),
        ("/v1/deposit", {"partner": "GB-B", "amount": {"unit": "usd", "value": "100"}}),
        ("/v1/rateDeck", {"partner": "GB-B", "deck": "a.csv", "effectiveAt": "1"}),
        ("/v1/rateDeck", {"partner": "GB-B", "deck": "a.csv", "effectiveAt": True}),
    ],
)
def test_a_body_that_does_not_fit_is_refused_with_the_place(
    operator: Browser, path: str, body: dict[str, object]
) -> None:
    answer = operator.post(path, json=body)

    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json()["faults"][0]["at"].startswith("body/")


def test_a_partner_without_agreement_is_not_found_and_says_what_to_do(operator: Browser) -> None:
    answer = operator.post("/v1/agreement", json={"partner": "US-A"})

    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
    assert "gsc agree" in answer.json()["todo"]


def test_a_chain_that_does_not_answer_is_a_503_to_be_tried_again(operator: Browser) -> None:
    answer = operator.post("/v1/nettingCycle", json={"currency": "USD"})

    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable")
    assert answer.headers["Retry-After"]


def test_reads_go_on_while_the_chain_does_not_answer(operator: Browser) -> None:
    assert operator.get("/v1/health").json()["chainReachable"] is False
    assert operator.get("/v1/payable").json() == []


def test_an_address_that_is_none_is_a_problem_too(operator: Browser) -> None:
    answer = operator.get("/v1/nothing")

    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert operator.request("DELETE", "/v1/health").json()["status"] == 405


def test_a_body_past_the_bound_is_refused_while_it_comes(operator: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MAX_BODY_BYTES", 100)
    chunks = (b" " * 60 for _ in range(3))

    answer = operator.post("/v1/agreement", chunks=chunks)

    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-large")


def test_our_own_mistake_tells_a_number_and_nothing_else(operator: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def mistaken(_: Gateway) -> None:
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr(members, "health_of", mistaken)

    answer = operator.get("/v1/health")

    assert (answer.status_code, answer.json()["type"]) == (500, "/problems/our-mistake")
    assert "hunter2" not in answer.text
    assert "Traceback" not in answer.text


def test_a_repeat_under_one_key_gets_the_same_answer_and_another_request_is_refused(operator: Browser) -> None:
    key = {"Idempotency-Key": "one"}
    first = operator.post("/v1/ageing?dryRun=true", headers=key)
    assert first.status_code == 503, "a refusal is not kept: trying again is right"
    sealed = operator.post("/v1/cdrTransaction", json={}, headers={"Idempotency-Key": "two"})
    again = operator.post("/v1/cdrTransaction", json={}, headers={"Idempotency-Key": "two"})
    other = operator.post("/v1/cdrTransaction", json={"partner": "GB-B"}, headers={"Idempotency-Key": "two"})

    assert (sealed.status_code, sealed.json()) == (200, again.json())
    assert again.headers["Idempotent-Replay"] == "true"
    assert "Idempotent-Replay" not in sealed.headers
    assert (other.status_code, other.json()["type"]) == (409, "/problems/request-conflict")


@pytest.mark.parametrize("key", ["", "é", "x" * 201])
def test_a_key_that_is_none_is_refused(operator: Browser, key: str) -> None:
    headers = {"Idempotency-Key": key.encode("latin-1")}

    assert operator.post("/v1/cdrTransaction", json={}, headers=headers).status_code == 422


def test_a_files_name_stays_a_name(operator: Browser, gateway: Gateway) -> None:
    answer = operator.post("/v1/usageImport?preset=csv&name=../../evil.csv", content=CDR)

    assert (answer.status_code, answer.json()["fileName"]) == (200, "evil.csv")
    assert answer.json()["quarantine"][0]["line"] == 2, "its trunk is not in the settings"
    assert not (gateway.settings.home.parent / "evil.csv").exists()


@pytest.mark.parametrize("name", ["", ".", "..", "folder/..", "%20"])
def test_a_file_without_a_name_has_a_plain_one(operator: Browser, name: str) -> None:
    answer = operator.post(f"/v1/usageImport?preset=csv&dryRun=true&name={name}", content=CDR)
    assert (answer.status_code, answer.json()["fileName"]) == (200, "upload.csv")


def test_an_unknown_preset_is_refused_by_name(operator: Browser) -> None:
    answer = operator.post("/v1/usageImport?preset=nortel", content=CDR)

    assert answer.status_code in (404, 422)
    assert "asterisk" in str(answer.json())


@pytest.mark.parametrize("said", ["tz=Mars/Olympus", "partner=gb%20b", "direction=up", "direction=in", "period=2026"])
def test_what_is_said_beside_a_file_must_make_sense(operator: Browser, said: str) -> None:
    assert operator.post(f"/v1/usageImport?preset=csv&{said}", content=CDR).status_code == 422


def test_every_error_has_a_slug_and_a_status_of_a_refusal() -> None:
    classes = list(_descendants(GscError))

    assert len(classes) > 15
    for each in classes:
        assert 400 <= each.status < 600, each
        assert each.status != 500, each
        assert each.slug == each.slug.lower()
        assert " " not in each.slug


def test_a_contracts_refusal_keeps_its_arguments_with_integers_as_text() -> None:
    refusal = CreditLineExceeded(AgreementId(b"\x01" * 32), b"GB-B".ljust(32, b"\0"), 2**64, 5)

    problem = problem_of(refusal)

    assert problem["type"] == "/problems/credit-line-exceeded"
    assert problem["status"] == 409
    assert problem["exposureMicros"] == str(2**64)
    assert problem["limitMicros"] == "5"
    assert len(ERRORS) > 50


def test_a_peer_with_an_unreadable_request_is_refused_not_crashed(stranger: Browser) -> None:
    body = {"request": "0x00", "signature": "0x" + "00" * 65}
    answer = stranger.post("/peer/v1/reveals", json=body)

    assert answer.status_code == 422
    for kind in ("agreement", "statement", "resolution", "netting_cycle"):
        proposal = {"kind": kind, "struct": "0x" + "00" * 64, "signer": "GB-B", "signature": "0x" + "00" * 65}
        refused = stranger.post("/peer/v1/proposals", json=proposal)
        assert refused.status_code in (403, 404, 422, 503), (kind, refused.text)


def _descendants(kind: type[GscError]) -> Iterator[type[GscError]]:
    for each in kind.__subclasses__():
        yield each
        yield from _descendants(each)
