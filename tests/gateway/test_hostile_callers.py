"""What can a stranger, or a carrier that means harm, do at the HTTP door? Be refused by name, and nothing else."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.api.app import build_app
from gateway.composition import Gateway, Partnership, partnership_with
from gateway.month import accepting
from gateway.month.accepting import statement_of
from gateway.month.resolving import check_resolution, resolution_of
from gateway.requests import RevealRequest
from ledger.agreement import Agreement
from ledger.agreement_file import dump_agreement
from ledger.chain.bindings import DisputeState, Resolution, Statement
from ledger.chain.client import ChainClient
from ledger.errors import Refused
from ledger.identity import AgreementId, BatchId, CarrierCode, ascii32
from ledger.money import Micros
from ledger.period import Period
from ledger.service import Service
from ledger.store.engine import reading
from ledger.store.proposals import list_proposals
from ledger.store.settlement import DisputeRow
from reconciliation.settling.statement import DeclaredBatch, OpenDispute, draw_statement
from tests.gateway.asking import Browser
from tests.gateway.homes import lonely_gateway

JSON = {"content-type": "application/json"}
CN, GB = CarrierCode("CN-T"), CarrierCode("GB-B")
OCTOBER = Period(2026, 10)
NOW_MS = int(datetime(2026, 11, 5, tzinfo=UTC).timestamp()) * 1000
AGREEMENT = Agreement(CN, GB, "USD", frozenset({Service.VOICE}), ZoneInfo("UTC"), NOW_MS)


@pytest.fixture
def held(gateway: Gateway) -> Partnership:
    (gateway.settings.agreements_path / "cn-t_gb-b.toml").write_text(dump_agreement(AGREEMENT))
    return partnership_with(gateway.settings, GB)


@pytest.fixture
def october(held: Partnership, monkeypatch: pytest.MonkeyPatch) -> Statement:
    """A chain on which both have closed October, GB-B claims 100 and we withhold 20; every signature is GB-B's."""
    declared = [
        DeclaredBatch(BatchId(bytes([n]) * 32), declarer, GB, Service.VOICE, Micros(amount))
        for n, (declarer, amount) in enumerate([(CN, 80), (GB, 100)])
    ]
    draft = draw_statement(AGREEMENT, OCTOBER, declared, [OpenDispute(GB, Service.VOICE, Micros(20))])
    monkeypatch.setattr(accepting, "draw", lambda *_: draft)
    monkeypatch.setattr(Gateway, "catch_up", lambda _: None)
    monkeypatch.setattr(ChainClient, "now_ms", lambda _: NOW_MS)
    monkeypatch.setattr(ChainClient, "view", lambda *_: True)
    return statement_of(held, draft)


def offered(gateway: Gateway, statement: Statement) -> dict[str, object]:
    """A proposal as a peer posts it."""
    signature = gateway.signer.sign(statement).signature
    return {
        "kind": "statement",
        "struct": f"0x{statement.abi_encode().hex()}",
        "signer": GB,
        "signature": f"0x{signature.hex()}",
    }


def kept(gateway: Gateway) -> list[CarrierCode]:
    """Whose signatures under statements the store holds."""
    with reading(gateway.engine) as connection:
        return [proposal.signer for proposal in list_proposals(connection, "statement")]


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    made = lonely_gateway(tmp_path)
    yield made
    made.close()


@pytest.fixture
def stranger(gateway: Gateway) -> Browser:
    return Browser(build_app(gateway))


@pytest.fixture
def operator(gateway: Gateway) -> Browser:
    app = build_app(gateway)
    browser = Browser(app)
    browser.headers["Authorization"] = f"Bearer {app.state.token}"
    return browser


@pytest.mark.parametrize("path", ["/peer/v1/reveals", "/peer/v1/proposals", "/v1/periodClose"])
@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 50_000, b'{"a": 1' + b"9" * 6_000 + b"}", b"\xff\xfe\0"])
def test_a_body_that_no_reader_can_read_is_malformed_and_the_gateway_lives(
    stranger: Browser, path: str, body: bytes
) -> None:
    """The body is read before the token is asked for: whoever reaches the port can send one."""
    answer = stranger.post(path, content=body, headers=JSON)

    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/malformed")
    assert answer.json()["expected"]
    assert stranger.get("/health").json() == {"status": "up"}


def test_opening_a_key_leaves_the_recursion_limit_as_it_was(tmp_path: Path) -> None:
    """One of the keyfile's imports raises it to 100,000: then nested JSON kills the process instead of raising."""
    opened = (
        "import sys; from pathlib import Path; from gateway.keystore import KeyUse, create_key, open_key\n"
        "limit = sys.getrecursionlimit(); folder = Path(sys.argv[1])\n"
        "create_key(folder, KeyUse.SIGNING, 'right', demo=True); open_key(folder, KeyUse.SIGNING, 'right')\n"
        "assert 'eth_keyfile' in sys.modules and sys.getrecursionlimit() == limit, sys.getrecursionlimit()\n"
    )

    ended = subprocess.run([sys.executable, "-c", opened, str(tmp_path)], capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/access-grants/99999999999999999999999999", {}),
        ("GET", "/v1/access-grants/0", {}),
        ("GET", "/v1/access-grants/%EF%BC%91", {}),
        ("POST", "/v1/rateDeck", {"json": {"partner": "GB-B", "deck": "\0", "effectiveAt": 1}}),
        (
            "POST",
            "/v1/rateDeck",
            {"content": b'{"partner":"GB-B","deck":"\\ud800","effectiveAt":1}'},
        ),
        ("POST", "/v1/usageImport?preset=%00.toml", {"content": b""}),
        ("POST", "/v1/usageImport?preset=/etc/anything.toml", {"content": b""}),
        ("POST", "/v1/usageImport?preset=../presets/csv", {"content": b""}),
    ],
)
def test_what_no_path_number_or_name_can_be_is_malformed(
    operator: Browser, method: str, path: str, body: dict[str, object]
) -> None:
    """None of these is our mistake, and none of them opens a file."""
    answer = operator.request(method, path, headers=JSON, **body)

    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/malformed")


def test_a_preset_of_ones_own_is_no_file_that_a_caller_names(
    operator: Browser, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(gateway.settings.home)

    answer = operator.post("/v1/usageImport?preset=gsc.toml", content=b"a,b\n")

    assert answer.status_code == 422
    assert answer.json()["expected"].startswith("asterisk, ")


def test_a_requester_that_is_no_text_is_malformed(stranger: Browser, gateway: Gateway, held: Partnership) -> None:
    request = RevealRequest(held.id, 202610, b"\xff" * 32, bytes(32), bytes(32), 2**40)
    signature = gateway.signer.sign(request).signature

    answer = stranger.post(
        "/peer/v1/reveals", json={"request": f"0x{request.abi_encode().hex()}", "signature": f"0x{signature.hex()}"}
    )

    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/malformed")


def altered(statement: Statement) -> dict[str, Statement]:
    """Every way to shade a statement by one figure."""
    (line,) = statement.lines
    return {
        "more agreed": replace(statement, lines=(replace(line, agreed_micros=100),)),
        "nothing withheld": replace(statement, lines=(replace(line, agreed_micros=100, withheld_micros=0),)),
        "our count shaded": replace(statement, lines=(replace(line, debtor_micros=100),)),
        "a line missing": replace(statement, lines=()),
        "a line twice": replace(statement, lines=(line, line)),
        "another creditor": replace(statement, lines=(replace(line, creditor=ascii32(CN)),)),
        "other batches": replace(statement, batches_hash=bytes(32)),
        "signed for ever": replace(statement, deadline=2**64 - 1),
    }


def test_a_statement_with_another_figure_is_refused_by_name_and_not_kept(
    stranger: Browser, gateway: Gateway, october: Statement
) -> None:
    """The counterparty signs it properly: only the figures are not those of the chain."""
    for name, statement in altered(october).items():
        answer = stranger.post("/peer/v1/proposals", json=offered(gateway, statement))
        again = stranger.post("/peer/v1/proposals", json=offered(gateway, statement))

        assert (name, answer.status_code, answer.json()["type"]) == (name, 403, "/problems/refused")
        assert answer.json()["expected"] != answer.json()["got"], name
        assert again.json() == answer.json(), name
    assert kept(gateway) == []


def test_the_statement_that_we_draw_too_is_kept_and_our_word_waits_for_our_desk(
    stranger: Browser, gateway: Gateway, october: Statement
) -> None:
    answer = stranger.post("/peer/v1/proposals", json=offered(gateway, october))

    assert (answer.status_code, answer.json()["signature"]) == (200, None)
    assert kept(gateway) == [GB]


@pytest.mark.parametrize(
    ("credited", "due", "later"), [(51, 0, 0), (50, 50, 0), (0, 0, 0), (2**127, 1, 0), (20, 30, 1)]
)
def test_a_resolution_that_does_not_part_the_dispute_as_we_would_is_refused(
    credited: int, due: int, later: int
) -> None:
    dispute = DisputeRow(
        dispute_id=bytes(32),
        agreement_id=AgreementId(bytes(32)),
        period=OCTOBER,
        creditor=GB,
        service=Service.VOICE,
        reason="duration",
        amount_micros=Micros(50),
        evidence_hash=bytes(32),
        opened_at=NOW_MS // 1000,
        state=DisputeState.GENERATED,
        credited_micros=Micros(0),
        due_micros=Micros(0),
        block_number=1,
    )
    drawn = resolution_of(dispute, 20)
    check_resolution(dispute, drawn)

    with pytest.raises(Refused, match="is not what we draw"):
        check_resolution(dispute, Resolution(dispute.dispute_id, credited, due, drawn.deadline + later))
