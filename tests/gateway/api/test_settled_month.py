"""What does the API say after a whole month? Asked by hand, by another carrier, by docs/api.md, by schemathesis."""

import gzip
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, inspect, text

from gateway.api.resources.routes import KINDS
from gateway.composition import domains_of
from gateway.keystore import KeyUse, open_key
from gateway.login import log_in_as
from gateway.signing import Signer
from ledger.chain.network import load_network
from tests.gateway.api.schemathesis_bodies import NDJSON
from tests.gateway.api.settled import PERIOD, Settled, settled_month
from tests.gateway.documents.bank.files import Told, bank_file, entry
from tests.scenarios.gateways import CN_T, GB_B, PASSWORD

pytestmark = pytest.mark.chain
ROOT = Path(__file__).resolve().parents[3]
SCHEMATHESIS = (sys.executable, "-m", "schemathesis.cli", "--config-file")
ALL_CHECKS = ("--checks", "all", "--no-color")
HOOKS = {"SCHEMATHESIS_HOOKS": "tests.gateway.api.schemathesis_bodies", "PYTHONPATH": str(ROOT)}
NEVER_SAME = ("locks", "sending_keys", "chain_", "sessions", "answers", "alembic_version")
"""Tables that are not of what a verb decides: what the chain said, who is logged in, whose turn it is."""
HOOK = "http://127.0.0.1:9/"
"""Nobody listens there."""
INTAKE = "/v1/usageIntake?partner=GB-B&direction=in"
BODIES: dict[str, Any] = {
    "/v1/agreement": {"partner": "GB-B"},
    "/v1/agreementAmendment": {"partner": "GB-B"},
    "/v1/rateDeck": {"partner": "GB-B", "deck": "cn-t.csv", "effectiveAt": 1_800_000_000},
    "/v1/periodClose": {"period": "2026-11"},
    "/v1/reveal": {"partner": "GB-B", "period": PERIOD},
    "/v1/reconciliation": {"partner": "GB-B", "period": PERIOD},
    "/v1/dispute": {"partner": "GB-B", "period": PERIOD},
    "/v1/deposit": {"partner": "GB-B", "amount": {"unit": "USD", "value": "1"}},
    "/v1/depositWithdrawal": {"partner": "GB-B", "amount": {"unit": "USD", "value": "1"}},
    "/v1/webhook": {"url": HOOK},
    "/v1/memberProposal": {"decision": "suspend", "arguments": {"carrier": "GB-B"}},
}
FILES = {
    "/v1/usageImport": b"a_number,b_number,start,duration_ms,trunk\n",
    "/v1/bankStatement": bank_file(entry(Told("4.43", text="no payable of ours", reference="B-1"))),
}
"""Where the body is a file."""


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settled]:
    with settled_month(tmp_path_factory.mktemp("settled")) as month:
        yield month


@pytest.fixture
def desk(settled: Settled) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=settled.url, headers={"Authorization": f"Bearer {settled.token}"}, timeout=120
    ) as client:
        yield client


@pytest.fixture
def partner(settled: Settled) -> Iterator[httpx.Client]:
    """GB-B, logged in at CN-T's gateway with its own key."""
    home = settled.street.gateways[GB_B].home
    key = open_key(home / "keys", KeyUse.SIGNING, PASSWORD)
    signer = Signer(GB_B, key, domains_of(load_network(home / "network.toml")))
    token = log_in_as(signer, GB_B, CN_T, settled.url)["token"]
    with httpx.Client(base_url=settled.url, headers={"Authorization": f"Bearer {token}"}, timeout=120) as client:
        yield client


def test_every_resource_has_id_address_and_type_and_its_own_address_tells_it_again(desk: httpx.Client) -> None:
    empty = []

    for kind in (*(f"/v1/{each.name}" for each in KINDS), "/v1/usage"):
        rows = desk.get(kind, params=_needs(kind)).json()
        if not rows:
            empty.append(kind)
            continue
        for row in rows[:3]:
            one = desk.get(row["href"])
            assert (row["href"], row["@type"]) == (f"{kind}/{row['id']}", kind.removeprefix("/v1/"))
            assert (one.status_code, one.json()) == (200, row)
            assert desk.get(row["href"], headers={"If-None-Match": one.headers["ETag"]}).status_code == 304
    assert empty == []


def test_the_month_is_told_in_states_that_others_know(desk: httpx.Client) -> None:
    bill = desk.get(f"/v1/customerBill/GB-B.{PERIOD}").json()
    (dispute,) = desk.get("/v1/dispute").json()
    (payable,) = desk.get("/v1/payable").json()
    (payment,) = desk.get("/v1/payment").json()

    assert (bill["state"], bill["closedBy"]) == ("partiallyPaid", ["CN-T", "GB-B"])
    assert {item["state"] for item in bill["billItem"]} == {"generated", "credited"}
    assert (dispute["state"], dispute["credited"]) == ("credited", dispute["amount"])
    assert (payable["state"], payable["stage"]) == ("open", "current")
    assert (payment["method"], payment["amount"]) == ("bank", {"unit": "USD", "value": "0.010000"})


def test_pages_follow_each_other_without_gap_and_without_double(desk: httpx.Client) -> None:
    everything = [row["id"] for row in desk.get("/v1/submission").json()]
    seen: list[str] = []
    address = "/v1/submission?limit=3"
    while address:
        page = desk.get(address)
        seen += [row["id"] for row in page.json()]
        address = page.links.get("next", {}).get("url", "")

    assert len(everything) > 6
    assert seen == everything


def test_a_cursor_of_another_question_or_of_somebodys_own_making_is_refused(desk: httpx.Client) -> None:
    address = desk.get("/v1/submission?limit=1").links["next"]["url"]
    cursor = re.sub(".*cursor=", "", address)
    other = cursor[:-2] + ("AA" if cursor[-2:] != "AA" else "BB")

    for asked in (f"kind=close&cursor={cursor}", f"cursor={other}", "cursor=AAAA", "cursor=%C3%A9"):
        answer = desk.get(f"/v1/submission?{asked}")
        assert (asked, answer.status_code, answer.json()["type"]) == (asked, 404, "/problems/not-found")
    misspelt, mistaken = desk.get("/v1/submission?limt=1"), desk.get("/v1/agreement?partner=gb-b")
    assert (misspelt.status_code, misspelt.json()["faults"]) == (
        422,
        [{"at": "query/limt", "fault": "there is no member of this name here"}],
    )
    assert mistaken.json()["faults"][0]["fault"].startswith("not a carrier code: ")
    assert desk.get("/v1/submission?limit=0").status_code == 422
    assert desk.get("/v1/submission?limit=1001").status_code == 422


def test_another_carrier_sees_what_is_between_us_and_for_all_else_hears_that_there_is_nothing(
    desk: httpx.Client, partner: httpx.Client
) -> None:
    shared = ("agreement", "settlementAccount", "customerBill", "dispute", "payable", "payment", "declaration")
    private = ("usage", "finding", "usageImport", "quarantinedRow", "submission", "cdrTransaction", "nettingCycle")
    nothing = partner.get("/v1/no-such-thing")

    for kind in shared:
        assert partner.get(f"/v1/{kind}").json() == desk.get(f"/v1/{kind}").json() != [], kind
    for kind in private:
        (row, *_) = desk.get(f"/v1/{kind}", params=_needs(kind)).json()
        for address in (f"/v1/{kind}", row["href"], f"/v1/{kind}/0x00"):
            answer = partner.get(address, params=_needs(kind) if address == f"/v1/{kind}" else {})
            assert (address, answer.status_code, answer.content) == (address, 404, nothing.content)
    missing = partner.get(f"/v1/dispute/0x{'00' * 32}")
    assert (missing.status_code, missing.content) == (404, nothing.content)
    for method, path in (("POST", "/v1/ageing"), ("PATCH", "/v1/settlementAccount/CN-T.GB-B")):
        assert partner.request(method, path).status_code == 403


def test_a_credit_line_changes_only_on_the_state_that_was_seen(desk: httpx.Client) -> None:
    address = "/v1/settlementAccount/CN-T.GB-B"
    body = {"creditLimit": {"unit": "USD", "value": "1500"}}
    etag = desk.get(address).headers["ETag"]

    assert desk.patch(address, json=body).status_code == 428
    assert desk.patch(address, json=body, headers={"If-Match": '"0"'}).status_code == 412
    assert desk.patch("/v1/settlementAccount/GB-B.CN-T", json=body, headers={"If-Match": etag}).status_code == 403
    granted = desk.patch(f"{address}?dryRun=true", json=body, headers={"If-Match": etag})
    assert (granted.status_code, granted.json()["limit"]["value"]) == (200, "1500.000000")


def test_a_dry_run_of_every_verb_writes_nothing(desk: httpx.Client, settled: Settled) -> None:
    """Each POST and PATCH that says it can be tried; the store's rows and the home's files are the same after."""
    document = desk.get("/openapi.json").json()
    _begin_what_others_name(desk)
    kinds = ("cdrTransaction", "dispute", "payable", "webhook", "usageIntake")
    ids = {kind: desk.get(f"/v1/{kind}").json() for kind in kinds}
    payable = {"payable": ids["payable"][0]["id"]}
    amount = {"amount": {"unit": "USD", "value": "0.01"}}
    before, tried = _written(settled), {}
    for path, method in _dry_verbs(document):
        address = path.replace("{id}", _id_for(path, ids))
        body = BODIES.get(path, {})
        if path in ("/v1/payment", "/v1/paymentConfirmation", "/v1/depositApplication", "/v1/depositSeizure"):
            body = payable | ({} if path.endswith("Seizure") else amount)
            body |= {"bankReference": "SWIFT 2"} if path.endswith("Confirmation") else {}
        if path.endswith("/resolution"):
            body = {"credited": amount["amount"]}
        headers = {"If-Match": "*"}
        if path in FILES:
            said: dict[str, Any] = {"content": FILES[path]}
            address += "?preset=csv&dryRun=true" if path.endswith("Import") else "?dryRun=true"
        else:
            said, address = {"json": body}, f"{address}?dryRun=true"
        if path == "/v1/settlementAccount/{id}":
            said = {"json": {"creditLimit": {"unit": "USD", "value": "2000"}}}
        tried[f"{method} {path}"] = desk.request(method, address, headers=headers, **said).status_code
        after = _written(settled)
        changed = [name for name in after if after[name] != before.get(name)]
        assert changed == [], f"{method} {path} wrote to {changed}"

    assert len(tried) >= 33
    assert sum(status == 200 for status in tried.values()) >= 18, tried
    assert max(tried.values()) < 500, tried


def test_the_page_for_integrators_says_what_happens(settled: Settled, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "api.md").read_text("utf-8")
    steps = [step for block in re.findall(r"```console\n(.*?)```", page, re.DOTALL) for step in _steps(block)]
    python = shlex.join([sys.executable, "-m", "gateway"])
    script = f'gsc() {{ (cd {shlex.quote(str(ROOT))}; {python} "$@"); }}\n'
    script += "".join(f"{command}\nprintf '\\n@@@%s\\n' {at}\n" for at, (command, _) in enumerate(steps))
    home = settled.process.home
    environment = {**os.environ, "GSC": settled.url, "GSC_HOME": str(home), "GSC_PASSWORD": PASSWORD}

    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )

    said = re.split(r"\n@@@\d+\n", done.stdout)
    assert len(steps) > 30
    for (command, expected), got in zip(steps, said, strict=False):
        pattern = ".*".join(re.escape(part) for part in expected.strip().split("…"))
        assert re.fullmatch(pattern, got.strip(), re.DOTALL), f"$ {command}\n{got}\n{done.stderr[-2000:]}"
    assert len(said) == len(steps) + 1
    _the_pages_program_brings_its_file(page, tmp_path, environment)


def test_schemathesis_finds_nothing(desk: httpx.Client, settled: Settled, tmp_path: Path) -> None:
    """Every operation with examples, bounds, wrong data, links, without login: no 5xx, and all as it is described."""
    document = desk.get("/openapi.json").json()
    _begin_what_others_name(desk)
    for path, item in document["paths"].items():
        kind = path.split("/{id}")[0]
        if "{id}" in path and "get" in document["paths"].get(kind, {}):
            rows = desk.get(kind, params=_needs(kind)).json()
            for method, operation in item.items():
                _give_example(operation, [row["id"] for row in (rows[-1:] if method == "delete" else rows[:1])])
    for path in ("/v1/job/{id}", "/v1/job/{id}/events"):
        _give_example(document["paths"][path]["get"], [_job_of(desk)])
    document["components"]["schemas"]["WebhookBody"]["properties"]["url"] |= {"enum": [HOOK], "examples": [HOOK]}
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    config = ROOT / "tests" / "gateway" / "api" / "schemathesis.toml"

    done = subprocess.run(
        [*SCHEMATHESIS, str(config), "run", "openapi.json", "--url", settled.url, *ALL_CHECKS, "--max-examples", "1"],
        cwd=tmp_path,
        env={**os.environ, "GSC_TOKEN": settled.token, **HOOKS},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-12_000:] + done.stderr[-2000:]
    tested = re.search(r"Tested: (\d+)", done.stdout)
    generated = re.search(r"(\d+) generated", done.stdout)
    assert tested is not None and int(tested[1]) > 60, done.stdout[-3000:]
    assert generated is not None and int(generated[1]) > 1000, "it asked too little to show anything"


def _the_pages_program_brings_its_file(page: str, folder: Path, environment: dict[str, str]) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    rows = "a_party,b_party,start,quantity,route\n442079460123,8613912345678,2026-11-01T00:00:07Z,61000,gbb-in\n"
    (folder / "calls.csv.gz").write_bytes(gzip.compress(f"{rows}442079460123,86139,2026-11-01T00:00Z,1,\n".encode()))
    for _ in ("once", "again"):
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=folder,
            env={**environment, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (0, "1 1 [1]\n"), done.stderr[-2000:]


def _begin_what_others_name(desk: httpx.Client) -> None:
    """Two of each that has to be made before it can be asked for: one to be put away, one that stays."""
    for _ in range(2):
        assert desk.post("/v1/webhook", json={"url": HOOK}).status_code == 201
        begun = desk.post(INTAKE, content=NDJSON, headers={"Upload-Complete": "?1"})
        assert (begun.status_code, begun.json()["state"]) == (201, "received")


def _job_of(desk: httpx.Client) -> str:
    """A job that ran."""
    href = desk.get("/v1/usageIntake").json()[0]["href"]
    return str(desk.post(f"{href}/stage?dryRun=true").json()["id"])


def _needs(kind: str) -> dict[str, str]:
    """What a list cannot do without."""
    return {"partner": "GB-B", "period": PERIOD, "creditor": "GB-B"} if kind.endswith("usage") else {}


def _dry_verbs(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if any(each["name"] == "dryRun" for each in operation.get("parameters", [])):
                yield path, method


def _id_for(path: str, ids: dict[str, list[dict[str, Any]]]) -> str:
    kind = path.split("/")[2]
    known = {"customerBill": f"GB-B.{PERIOD}", "settlementAccount": "CN-T.GB-B", "memberProposal": "0x" + "00" * 32}
    return str(known[kind] if kind in known else ids[kind][0]["id"] if kind in ids else "0")


def _written(settled: Settled) -> dict[str, Any]:
    """Every row of CN-T's store that a verb could write, and every file of its home."""
    home = settled.process.home
    engine = create_engine(f"sqlite:///{home / 'gsc.sqlite'}")
    with engine.connect() as connection:
        names = [name for name in inspect(engine).get_table_names() if not name.startswith(NEVER_SAME)]
        rows = {name: sorted(map(repr, connection.execute(text(f"SELECT * FROM {name}")))) for name in names}
    engine.dispose()
    files = {
        str(path.relative_to(home)): path.stat().st_size
        for path in sorted(home.rglob("*"))
        if path.is_file() and not path.name.startswith("gsc.sqlite") and path.suffix != ".log"
    }
    return rows | files


def _steps(block: str) -> Iterator[tuple[str, str]]:
    for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, output = step.partition("\n")
        yield command, output


def _give_example(operation: dict[str, Any], ids: list[str]) -> None:
    for parameter in operation.get("parameters", []):
        if (parameter["in"], parameter["name"]) == ("path", "id") and ids:
            parameter["schema"]["examples"] = ids
        if parameter["name"] == "If-Match":
            parameter["schema"]["examples"] = ["*"]
