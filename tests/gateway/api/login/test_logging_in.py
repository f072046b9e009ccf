"""Who gets a session, what is it good for, and when is it over?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from gateway.api.app import build_app
from gateway.api.login.showing import read_challenge
from gateway.api.problems import TooManyAttempts
from gateway.composition import Gateway
from gateway.login import log_in_as
from gateway.settings import Desk
from gateway.signing import Signer
from ledger.chain.bindings import KeyGranted, KeyRevoked, calldata_carrier_registry_is_key_of
from ledger.chain.client import ChainClient
from ledger.errors import SignatureRefused, Unavailable
from ledger.identity import Address, CarrierCode, ascii32
from ledger.store.engine import reading, writing
from ledger.store.tables import access_grants, sessions
from ledger.typed_data import address_of_key, recover
from tests.gateway.asking import Browser
from tests.gateway.chain_rows import said as chain_said
from tests.gateway.homes import SIGNING_KEY, lonely_gateway

CN, GB = CarrierCode("CN-T"), CarrierCode("GB-B")
PARTNERS_KEY, AUDITORS_KEY, STRANGERS_KEY = (bytes(31) + bytes([at]) for at in (21, 22, 23))
NOW_MS = 1_791_849_600_000


@dataclass
class Wall:
    """This machine's clock, in the test's hand."""

    ms: int = NOW_MS

    def now_ms(self) -> int:
        return self.ms


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """CN-T's; the registry knows CN-T's signing key and GB-B's, and nobody else's."""
    made = lonely_gateway(tmp_path)
    known = {
        calldata_carrier_registry_is_key_of(ascii32(carrier), address_of_key(key), NOW_MS // 1000)
        for carrier, key in ((CN, SIGNING_KEY), (GB, PARTNERS_KEY))
    }
    monkeypatch.setattr(ChainClient, "now_ms", lambda _: NOW_MS)
    monkeypatch.setattr(ChainClient, "view", lambda _, address, asked, __: asked in known)
    yield made
    made.close()


@pytest.fixture
def app(gateway: Gateway, wall: Wall) -> FastAPI:
    return build_app(gateway, wall)


@pytest.fixture
def stranger(app: FastAPI) -> Browser:
    """From another machine: nothing is open to it."""
    return Browser(app, "http://gateway.example:8100")


def challenge(browser: Browser, key: bytes, carrier: str | None) -> dict[str, Any]:
    drawn: dict[str, Any] = browser.post("/v1/challenges", json={"key": address_of_key(key), "carrier": carrier}).json()
    return drawn


def signed(gateway: Gateway, key: bytes, said: dict[str, Any]) -> str:
    given = read_challenge(
        said["audience"],
        said["carrier"],
        said["key"],
        bytes.fromhex(said["nonce"][2:]),
        said["issuedAt"],
        said["expiresAt"],
    )
    return f"0x{Signer(CN, key, gateway.signer.domains).sign(given).signature.hex()}"


def log_in(gateway: Gateway, browser: Browser, key: bytes, carrier: str | None) -> httpx.Response:
    said = challenge(browser, key, carrier)["challenge"]
    return browser.post("/v1/sessions", json={"challenge": said, "signature": signed(gateway, key, said)})


def bearer(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json()['token']}"}


def test_a_key_that_the_registry_does_not_know_opens_nothing_whoever_it_names(
    gateway: Gateway, stranger: Browser
) -> None:
    """An unknown carrier, another's key and an unknown key hear the very same words."""
    answers = [
        log_in(gateway, stranger, key, carrier)
        for key, carrier in (
            (STRANGERS_KEY, "CN-T"),
            (PARTNERS_KEY, "CN-T"),
            (STRANGERS_KEY, "XX-X"),
            (STRANGERS_KEY, None),
        )
    ]

    assert {(each.status_code, each.text) for each in answers} == {(403, answers[0].text)}
    assert answers[0].json()["type"] == "/problems/signature-refused"


def test_our_own_key_is_the_desk_and_a_partners_key_is_that_carrier(gateway: Gateway, stranger: Browser) -> None:
    desk, partner = log_in(gateway, stranger, SIGNING_KEY, "CN-T"), log_in(gateway, stranger, PARTNERS_KEY, "GB-B")

    assert (desk.json()["role"], desk.json()["carrier"]) == ("desk", "CN-T")
    assert (partner.json()["role"], partner.json()["carrier"]) == ("carrier", "GB-B")
    assert stranger.get("/v1/payable", bearer(desk)).status_code == 200
    said = stranger.get("/v1/sessions/current", bearer(partner)).json()
    assert said == {name: value for name, value in partner.json().items() if name != "token"}


def test_the_token_is_told_once_and_kept_as_a_hash(gateway: Gateway, stranger: Browser) -> None:
    token = log_in(gateway, stranger, SIGNING_KEY, "CN-T").json()["token"]

    kept = (gateway.settings.home / "gsc.sqlite").read_bytes()
    wal = gateway.settings.home / "gsc.sqlite-wal"
    assert token.encode() not in kept + (wal.read_bytes() if wal.exists() else b"")
    with reading(gateway.engine) as connection:
        assert len(connection.execute(select(sessions.c.token_hash)).all()) == 1


def test_a_challenge_opens_one_session(gateway: Gateway, stranger: Browser) -> None:
    said = challenge(stranger, SIGNING_KEY, "CN-T")["challenge"]
    body = {"challenge": said, "signature": signed(gateway, SIGNING_KEY, said)}

    assert stranger.post("/v1/sessions", json=body).status_code == 201
    assert stranger.post("/v1/sessions", json=body).status_code == 403


@pytest.mark.parametrize(
    "shaded",
    [
        {"audience": "GB-B"},
        {"carrier": "GB-B"},
        {"carrier": None},
        {"nonce": "0x" + "11" * 32},
        {"expiresAt": 2**40},
        {"issuedAt": 0},
    ],
)
def test_a_challenge_that_we_did_not_draw_so_is_refused(
    gateway: Gateway, stranger: Browser, shaded: dict[str, Any]
) -> None:
    """Signed properly by our own key: a challenge of another gateway, or one that was changed."""
    said = challenge(stranger, SIGNING_KEY, "CN-T")["challenge"] | shaded

    answer = stranger.post("/v1/sessions", json={"challenge": said, "signature": signed(gateway, SIGNING_KEY, said)})

    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/signature-refused")


def test_a_challenge_that_lay_too_long_is_refused(gateway: Gateway, stranger: Browser, wall: Wall) -> None:
    said = challenge(stranger, SIGNING_KEY, "CN-T")["challenge"]
    wall.ms += 121_000

    answer = stranger.post("/v1/sessions", json={"challenge": said, "signature": signed(gateway, SIGNING_KEY, said)})

    assert answer.status_code == 403


def test_a_signature_of_another_key_under_our_challenge_is_refused(gateway: Gateway, stranger: Browser) -> None:
    said = challenge(stranger, SIGNING_KEY, "CN-T")["challenge"]

    for signature in (signed(gateway, PARTNERS_KEY, said), "0x" + "00" * 65, "0x" + "ff" * 65):
        answer = stranger.post("/v1/sessions", json={"challenge": said, "signature": signature})
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/signature-refused")


def test_the_typed_data_is_what_public_tools_sign(gateway: Gateway, stranger: Browser) -> None:
    from eth_account import Account

    drawn = challenge(stranger, SIGNING_KEY, "CN-T")

    made = Account.sign_typed_data(SIGNING_KEY, full_message=drawn["typedData"])

    assert recover(bytes.fromhex(drawn["digest"][2:]), bytes(made.signature)) == address_of_key(SIGNING_KEY)
    body = {"challenge": drawn["challenge"], "signature": "0x" + made.signature.hex().removeprefix("0x")}
    assert stranger.post("/v1/sessions", json=body).status_code == 201


def test_a_session_ends_with_its_hour_and_with_logging_out(gateway: Gateway, stranger: Browser, wall: Wall) -> None:
    first, second = (bearer(log_in(gateway, stranger, SIGNING_KEY, "CN-T")) for _ in range(2))

    assert stranger.request("DELETE", "/v1/sessions/current", first).status_code == 204
    assert stranger.get("/v1/sessions/current", first).status_code == 401
    assert stranger.get("/v1/sessions/current", second).status_code == 200
    wall.ms += 3_600_000
    assert stranger.get("/v1/sessions/current", second).status_code == 401


@pytest.mark.parametrize("ended", ["revoked", "run out"])
def test_a_session_ends_when_the_registry_ends_its_key(gateway: Gateway, stranger: Browser, ended: str) -> None:
    """The store follows the chain: what it has read is enough, no call to the node for each request."""
    headers = bearer(log_in(gateway, stranger, PARTNERS_KEY, "GB-B"))
    assert stranger.get("/v1/sessions/current", headers).status_code == 200
    key = address_of_key(PARTNERS_KEY)
    with writing(gateway.engine) as connection:
        if ended == "revoked":
            chain_said(connection, KeyGranted(ascii32(GB), key, 1, 0), KeyRevoked(ascii32(GB), key, 2))
        else:
            chain_said(connection, KeyGranted(ascii32(GB), key, 1, 1))

    assert stranger.get("/v1/sessions/current", headers).status_code == 401


def test_another_carrier_may_not_write_and_sees_nothing_of_the_desks_pages(gateway: Gateway, stranger: Browser) -> None:
    headers = bearer(log_in(gateway, stranger, PARTNERS_KEY, "GB-B"))

    written = stranger.post("/v1/ageing", headers)
    hidden, nothing = (stranger.get(path, headers) for path in ("/v1/usageImport", "/v1/no-such-thing"))

    assert (written.status_code, written.json()["type"]) == (403, "/problems/not-for-this-role")
    assert (hidden.status_code, hidden.content) == (nothing.status_code, nothing.content)
    assert hidden.status_code == 404


def test_an_auditor_reads_everything_and_writes_nothing_until_the_desk_takes_its_word_back(
    gateway: Gateway, stranger: Browser, app: FastAPI
) -> None:
    desk = {"Authorization": f"Bearer {app.state.token}"}
    body = {"label": "yearly audit", "key": address_of_key(AUDITORS_KEY).lower()}
    grant = stranger.post("/v1/access-grants", desk, json=body).json()

    auditor = bearer(log_in(gateway, stranger, AUDITORS_KEY, None))

    assert stranger.get("/v1/payable", auditor).status_code == 200
    assert stranger.post("/v1/ageing", auditor).status_code == 403
    assert stranger.get("/v1/access-grants", auditor).status_code == 403
    assert stranger.request("DELETE", grant["href"], desk).status_code == 204
    assert stranger.get("/v1/payable", auditor).status_code == 401
    assert log_in(gateway, stranger, AUDITORS_KEY, None).status_code == 403
    assert [each["state"] for each in stranger.get("/v1/access-grants", desk).json()] == ["ended"]


def test_a_code_lets_one_auditor_in_once_and_is_kept_as_a_hash(
    gateway: Gateway, stranger: Browser, app: FastAPI
) -> None:
    desk = {"Authorization": f"Bearer {app.state.token}"}
    code = stranger.post("/v1/access-grants", desk, json={"label": "yearly audit"}).json()["code"]

    first, second = (stranger.post("/v1/sessions", json={"code": code}) for _ in range(2))

    assert (first.json()["role"], second.status_code) == ("auditor", 403)
    with reading(gateway.engine) as connection:
        (kept,) = connection.execute(select(access_grants.c.code_hash)).scalars()
    assert code.encode() not in kept


def test_ten_failures_from_one_address_are_enough_for_a_minute(gateway: Gateway, stranger: Browser, wall: Wall) -> None:
    for _ in range(10):
        assert stranger.post("/v1/sessions", json={"code": "a" * 32}).status_code == 403

    stopped = stranger.post("/v1/sessions", json={"code": "a" * 32})
    assert (stopped.status_code, stopped.json()["type"]) == (429, "/problems/too-many-attempts")
    assert int(stopped.headers["Retry-After"]) == 60
    assert log_in(gateway, stranger, SIGNING_KEY, "CN-T").status_code == 429, "whatever it shows now"
    wall.ms += 60_000
    assert log_in(gateway, stranger, SIGNING_KEY, "CN-T").status_code == 201
    assert TooManyAttempts.status == 429


def test_a_registry_that_does_not_answer_lets_nobody_in(
    gateway: Gateway, stranger: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(*_: object) -> bool:
        raise Unavailable("the node does not answer")

    monkeypatch.setattr(ChainClient, "view", silent)

    assert log_in(gateway, stranger, SIGNING_KEY, "CN-T").status_code == 503


def test_a_settings_line_closes_reading_on_this_machine(gateway: Gateway) -> None:
    opened = Browser(build_app(gateway))
    closed = Browser(build_app(replace(gateway, settings=replace(gateway.settings, desk=Desk(open_on_loopback=False)))))

    assert (opened.get("/v1/payable").status_code, closed.get("/v1/payable").status_code) == (200, 401)
    for header in ("X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"):
        assert opened.get("/v1/payable", {header: "for=192.0.2.1"}).status_code == 401, header
    assert opened.get("/v1/sessions/current").json()["role"] == "auditor"
    for shown in ("Bearer over", "Bearer", "Basic YTpi", ""):
        assert opened.get("/v1/payable", {"Authorization": shown}).status_code == 401, "it would see more than it did"


@dataclass
class Relay:
    """A gateway that hands on the challenge of another one."""

    answer: dict[str, Any]

    def __call__(self, *_: object, **__: object) -> dict[str, Any]:
        return self.answer


@pytest.mark.parametrize(
    "shade",
    [
        lambda said: said | {"audience": "GB-B"},
        lambda said: said | {"carrier": "GB-B"},
        lambda said: said | {"key": str(address_of_key(STRANGERS_KEY))},
        lambda said: said | {"expiresAt": said["issuedAt"] + 10**6},
    ],
)
def test_our_key_signs_no_challenge_of_another_gateway_that_this_one_hands_on(
    gateway: Gateway,
    stranger: Browser,
    monkeypatch: pytest.MonkeyPatch,
    shade: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    drawn = challenge(stranger, SIGNING_KEY, "CN-T")
    monkeypatch.setattr("gateway.login._asked", Relay(drawn | {"challenge": shade(drawn["challenge"])}))

    with pytest.raises(SignatureRefused, match="another challenge"):
        log_in_as(gateway.signer, CN, CN, "http://relay.example")


def test_an_address_in_any_capitals_is_the_same_key(gateway: Gateway, stranger: Browser) -> None:
    upper = "0x" + address_of_key(SIGNING_KEY)[2:].upper()

    drawn = stranger.post("/v1/challenges", json={"key": upper, "carrier": "CN-T"}).json()

    assert drawn["challenge"]["key"] == Address(address_of_key(SIGNING_KEY))
