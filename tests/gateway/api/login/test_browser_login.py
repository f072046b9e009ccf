"""How does a browser log in, and what can another page make it do? Nothing."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI

from gateway.api.app import build_app
from gateway.composition import Gateway
from tests.gateway.asking import Browser
from tests.gateway.homes import lonely_gateway

PLACE = "http://gateway.example:8100"
OWN = {"Origin": PLACE}


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    made = lonely_gateway(tmp_path)
    yield made
    made.close()


@pytest.fixture
def app(gateway: Gateway) -> FastAPI:
    return build_app(gateway)


@pytest.fixture
def browser(app: FastAPI) -> Browser:
    return Browser(app, PLACE)


@pytest.fixture
def code(browser: Browser, app: FastAPI) -> str:
    """Of a link that the desk asked for."""
    link = browser.post("/v1/login-links", {"Authorization": f"Bearer {app.state.token}"}).json()["href"]
    assert link.startswith(f"{PLACE}/login?code=")
    return str(link.partition("code=")[2])


@pytest.fixture
def cookie(browser: Browser, code: str) -> dict[str, str]:
    answer = browser.post("/login", OWN, data={"code": code})
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk"), answer.text
    return {"Cookie": answer.headers["set-cookie"].partition(";")[0]}


def csrf(browser: Browser, cookie: dict[str, str]) -> str:
    return str(browser.get("/v1/sessions/current", cookie).json()["csrf"])


def test_opening_the_link_uses_nothing_up_and_the_button_does(browser: Browser, code: str) -> None:
    pages = [browser.get(f"/login?code={code}") for _ in range(3)]
    assert {page.status_code for page in pages} == {200}
    assert code in pages[0].text

    first, second = (browser.post("/login", OWN, data={"code": code}) for _ in range(2))

    assert (first.status_code, second.status_code) == (303, 403)
    assert "role=alert" in second.text


@pytest.mark.parametrize(
    ("to", "where"),
    [
        ("/desk/statements/US-A/2026-10", "/desk/statements/US-A/2026-10"),
        ("", "/desk"),
        ("//elsewhere.example/desk", "/desk"),
        ("/desk/../logout", "/desk"),
        ("/desk\\@elsewhere.example", "/desk"),
        ("/desk/'><script>", "/desk"),
        ("https://elsewhere.example", "/desk"),
    ],
)
def test_a_login_leads_to_a_page_of_this_desk_only(browser: Browser, code: str, to: str, where: str) -> None:
    page = browser.get(f"/login?code={code}&to={quote(to)}")
    answer = browser.post("/login", OWN, data={"code": code, "to": to})

    assert f"name=to value='{where}'" in page.text
    assert (answer.status_code, answer.headers["location"]) == (303, where)


def test_the_cookie_is_for_this_gateway_and_out_of_reach_of_scripts(browser: Browser, code: str) -> None:
    said = browser.post("/login", OWN, data={"code": code}).headers["set-cookie"].lower()

    assert said.startswith("gsc_session_cn-t=gsc_")
    for mark in ("httponly", "samesite=strict", "path=/", "max-age="):
        assert mark in said
    assert "domain" not in said


def test_the_cookie_is_only_sent_over_tls_where_there_is_tls(app: FastAPI) -> None:
    browser = Browser(app, "https://gateway.example")
    link = browser.post("/v1/login-links", {"Authorization": f"Bearer {app.state.token}"}).json()["href"]
    code = link.partition("code=")[2]

    said = browser.post("/login", {"Origin": "https://gateway.example"}, data={"code": code}).headers["set-cookie"]

    assert "; secure" in said.lower()


def test_a_link_waits_two_minutes(browser: Browser, app: FastAPI, code: str) -> None:
    real = app.state.clock.now_ms()

    class Later:
        def now_ms(self) -> int:
            return int(real + 121_000)

    app.state.clock = Later()

    assert browser.post("/login", OWN, data={"code": code}).status_code == 403


def test_the_cookie_reads_and_a_write_needs_the_sessions_mark(browser: Browser, cookie: dict[str, str]) -> None:
    mark = csrf(browser, cookie)

    assert browser.get("/v1/payable", cookie).status_code == 200
    bare = browser.post("/v1/cdrTransaction", cookie | OWN, json={})
    wrong = browser.post("/v1/cdrTransaction", cookie | OWN | {"X-CSRF-Token": "0" * 64}, json={})
    right = browser.post("/v1/cdrTransaction", cookie | OWN | {"X-CSRF-Token": mark}, json={})

    assert [(each.status_code, each.json().get("type")) for each in (bare, wrong)] == [
        (403, "/problems/forged-form")
    ] * 2
    assert right.status_code == 200, right.text


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": "http://evil.example"},
        {"Origin": f"{PLACE}.evil.example"},
        {"Origin": "http://gateway.example"},
        OWN | {"Sec-Fetch-Site": "cross-site"},
        OWN | {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_write_of_another_page_is_refused_even_with_the_mark(
    browser: Browser, cookie: dict[str, str], headers: dict[str, str]
) -> None:
    mark = {"X-CSRF-Token": csrf(browser, cookie)}

    answer = browser.post("/v1/cdrTransaction", cookie | mark | headers, json={})

    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/forged-form")


def test_a_page_elsewhere_logs_nobody_in_as_somebody_else(browser: Browser, code: str) -> None:
    answer = browser.post("/login", {"Origin": "http://evil.example"}, data={"code": code})

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_logging_out_ends_the_session_behind_the_cookie(browser: Browser, cookie: dict[str, str]) -> None:
    refused = browser.post("/logout", cookie | OWN, data={"csrf": "no"})
    done = browser.post("/logout", cookie | OWN, data={"csrf": csrf(browser, cookie)})

    assert (refused.status_code, done.status_code) == (403, 303)
    assert browser.get("/v1/sessions/current", cookie).status_code == 401


def test_a_cookie_of_another_gateway_on_this_machine_opens_nothing(browser: Browser, cookie: dict[str, str]) -> None:
    token = cookie["Cookie"].partition("=")[2]

    assert browser.get("/v1/payable", {"Cookie": f"gsc_session_GB-B={token}"}).status_code == 401
    assert browser.get("/v1/payable", {"Cookie": cookie["Cookie"][:-1] + "x"}).status_code == 401
    both = cookie | {"Authorization": "Bearer wrong"}
    assert browser.get("/v1/payable", both).status_code == 401, "who shows a wrong token gets no second try"


def test_the_login_page_runs_no_script_and_rests_in_no_cache(browser: Browser) -> None:
    page = browser.get("/login?code=%3Cscript%3Ealert(1)%3C/script%3E")
    chinese = browser.get("/login", {"Accept-Language": "zh-CN,zh;q=0.9"})

    assert "<script" not in page.text
    assert page.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["referrer-policy"] == "same-origin", "under no-referrer forms come with the origin null"
    assert "登录" in chinese.text


def test_no_answer_is_for_pages_elsewhere_or_for_a_cache(browser: Browser, app: FastAPI) -> None:
    desk = {"Authorization": f"Bearer {app.state.token}", "Origin": "http://evil.example"}
    answers: list[httpx.Response] = [browser.get("/v1/payable", desk), browser.get("/health", desk)]
    answers.append(browser.request("OPTIONS", "/v1/payable", desk | {"Access-Control-Request-Method": "GET"}))

    for answer in answers:
        assert not [name for name in answer.headers if re.match("access-control-", name)]
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
