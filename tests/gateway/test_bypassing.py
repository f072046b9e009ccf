"""Does a carrier's own gateway find the calls that went round its price, and nothing else?"""

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from gateway import month
from gateway.answers import as_json
from gateway.api.app import build_app
from gateway.cli import opening
from gateway.cli.app import run
from gateway.composition import Gateway
from ledger import archive
from ledger.errors import NotFound, RootMismatch
from ledger.identity import Root
from ledger.sealing import leaf_is_in, open_leaf
from tests.gateway.asking import Browser
from tests.gateway.detoured import ALASKA, THEIR_AGREEMENT, agreed, declared, published, to_alaska, us_gateway
from tests.reconciliation.records import CN, GB, OCTOBER, US

OF_GB = "447700900001"


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    made = us_gateway(tmp_path)
    yield made
    made.close()


@pytest.fixture
def detoured(gateway: Gateway) -> Gateway:
    """Two weeks from GB-B with 3 calls of CN-T's callers to Alaska in the second; 4 come direct."""
    declared(gateway, GB, to_alaska(5, a=OF_GB))
    declared(gateway, GB, [*to_alaska(2, a=OF_GB), *to_alaska(3), *to_alaska(6, code="1212")], seq=2)
    declared(gateway, CN, to_alaska(4))
    return gateway


def operator(gateway: Gateway) -> Browser:
    app = build_app(gateway)
    browser = Browser(app)
    browser.headers["Authorization"] = f"Bearer {app.state.token}"
    return browser


def test_before_anything_is_declared_the_verb_says_what_to_do(gateway: Gateway) -> None:
    with pytest.raises(NotFound, match="nothing is declared"):
        month.arbitrage(gateway)


def test_calls_without_detour_stay_silent(gateway: Gateway) -> None:
    """GB-B's own callers to Alaska, CN-T's callers where both pay the same, and CN-T's calls direct."""
    declared(gateway, GB, [*to_alaska(5, a=OF_GB), *to_alaska(6, code="1212")])
    declared(gateway, CN, to_alaska(4))
    answer = month.arbitrage(gateway)
    assert (answer.findings, answer.without_numbers) == ((), ())
    assert "Arbitrage" not in Browser(build_app(gateway)).get("/desk?lang=en").text


def test_without_the_partners_numbers_the_answer_says_what_it_cannot_tell(tmp_path: Path) -> None:
    gateway = us_gateway(tmp_path, numbers=False)
    declared(gateway, GB, to_alaska(3))
    answer = month.arbitrage(gateway)
    gateway.close()
    assert (answer.findings, answer.without_numbers) == ((), (CN, GB))


def test_records_that_changed_since_they_were_sealed_are_refused(detoured: Gateway) -> None:
    first, second = sorted(detoured.settings.archive_path.glob("*.parquet"))[:2]
    first.write_bytes(second.read_bytes())
    with pytest.raises(RootMismatch):
        month.arbitrage(detoured)


def test_the_detour_is_found_by_what_one_carrier_knows(detoured: Gateway) -> None:
    (found,) = month.arbitrage(detoured).findings
    assert (found.scheme, found.cycle, found.loser, found.destination) == ("refile", (CN, GB, US), US, ALASKA)
    assert (found.count, found.minutes, str(found.lost), str(found.at_risk)) == (3, 3, "USD 0.18", "USD 0.24")
    assert (found.creditor, found.debtor, found.declarer) == (US, GB, US)
    assert found.codes == ("1907",)


def test_the_evidence_is_the_sealed_records_with_their_leaves(detoured: Gateway) -> None:
    month.arbitrage(detoured)
    shown = pq.read_table(detoured.settings.work_path / "arbitrage" / "2026-10" / "1.parquet").to_pylist()
    assert [row["leaf"] for row in shown] == [2, 3, 4]
    batch = archive.read_by_root(detoured.settings.archive_path, Root(bytes.fromhex(shown[0]["root"])))
    for row in shown:
        assert row["a_party"].startswith("86")
        assert batch.table.slice(row["leaf"], 1).to_pylist()[0]["b_party"] == row["b_party"]
        assert leaf_is_in(batch.root, open_leaf(batch, row["leaf"]))


def test_a_deck_of_others_that_was_given_to_us_shows_the_whole_triangle(detoured: Gateway) -> None:
    agreed(detoured, THEIR_AGREEMENT, CN, GB)
    published(detoured, THEIR_AGREEMENT, GB, {"1907": 5}, given=False)
    unknown = month.arbitrage(detoured)
    assert "GB-B to CN-T" not in unknown.decks
    assert "arrive through GB-B" in unknown.findings[0].explanation
    published(detoured, THEIR_AGREEMENT, GB, {"1907": 6})
    known = month.arbitrage(detoured)
    assert "GB-B to CN-T" in known.decks
    assert "costs CN-T less through GB-B" in known.findings[0].explanation
    assert known.findings[0].lost == unknown.findings[0].lost


def test_what_the_partner_revealed_serves_where_we_declared_nothing(gateway: Gateway) -> None:
    declared(gateway, GB, to_alaska(3), declarer=GB)
    (found,) = month.arbitrage(gateway, OCTOBER).findings
    assert (found.count, found.declarer) == (3, GB)


def test_a_dry_run_keeps_nothing_and_a_repeat_replaces(detoured: Gateway) -> None:
    browser = Browser(build_app(detoured))
    assert len(month.arbitrage(detoured, dry_run=True).findings) == 1
    assert browser.get("/v1/arbitrageFinding?period=2026-10").json() == []
    assert not (detoured.settings.work_path / "arbitrage").exists()
    for _ in range(2):
        answer = month.arbitrage(detoured)
    (told,) = browser.get("/v1/arbitrageFinding?period=2026-10").json()
    assert (told["lost"], told["explanation"]) == (as_json(answer.findings[0].lost), answer.findings[0].explanation)


def test_the_api_searches_and_the_desk_shows_number_unit_side_and_records(detoured: Gateway) -> None:
    desk = operator(detoured)
    assert desk.post("/v1/arbitrageSearch", json={"period": "2026-13"}).status_code == 422
    answer = desk.post("/v1/arbitrageSearch", json={}).json()
    (found,) = answer["findings"]
    assert (answer["period"], found["lost"]) == ("2026-10", {"unit": "USD", "value": "0.180000"})
    page = desk.get("/desk?lang=en").text
    assert f"Calls of CN-T to {ALASKA} reach US-A through GB-B: USD 0.060000 a minute less than direct." in page
    assert f'href="{found["evidence"]}?lang=en"' in page
    assert "套利" in desk.get("/desk?lang=zh").text
    records = desk.get(found["evidence"]).text
    assert records.count("+8613900000001") == 3
    assert "+447700900001" not in records
    assert desk.get("/desk/arbitrage/2026-10/2").status_code == 404


def test_the_command_says_the_same(
    detoured: Gateway, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "opened", lambda home: detoured)
    home = str(detoured.settings.home)
    assert run(["arbitrage", "--home", home, "--period", "2026-10"]) == 0
    said = capsys.readouterr().out
    assert "US-A" in said
    assert "USD 0.18" in said
    assert run(["arbitrage", "--home", home, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == as_json(month.arbitrage(detoured))
