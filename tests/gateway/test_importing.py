"""Does `gsc import` say how it reads a file, what became of each row, and what it holds, for all four services?"""

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

import pytest

from gateway.cli import app as cli
from gateway.composition import Gateway
from gateway.formats.reading import Direction
from gateway.month.importing import ImportAnswer, import_usage
from gateway.month.telling import Said
from gateway.settings import Settings, Switch, TrunkDirection, TrunkSetting, init_home
from ledger.errors import Malformed, NotFound
from ledger.identity import CarrierCode
from ledger.period import Period
from ledger.service import Service
from tests.gateway.formats.test_reading import asterisk
from tests.gateway.formats.test_samples import sample_of
from tests.gateway.homes import lonely_gateway

CN = CarrierCode("CN-T")
AGREEMENT = """
carriers = ["CN-T", "GB-B"]
currency = "USD"
services = ["voice", "sms", "data", "ipl"]
zone = "UTC"
valid_from = 2026-09-01

[sms]
basis = "delivery"
"""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """GB-B's home as it is before anything is imported."""
    gateway = lonely_gateway(tmp_path_factory.mktemp("template") / "gb-b", "GB-B")
    (gateway.settings.agreements_path / "cn-t.toml").write_text(AGREEMENT)
    gateway.close()
    return gateway.settings.home


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Iterator[Gateway]:
    """GB-B's, whose switch stands in London."""
    gateway = lonely_gateway(shutil.copytree(template, tmp_path / "gb-b"), "GB-B")
    trunks = {
        "cnt-in": TrunkSetting(CN, TrunkDirection.IN, technical_prefixes=("7788", "99#")),
        "cnt-out": TrunkSetting(CN, TrunkDirection.OUT),
        "cnt-port-1": TrunkSetting(CN, TrunkDirection.IN),
    }
    switch = Switch(ZoneInfo("Europe/London"), "GB")
    yield replace(gateway, settings=replace(gateway.settings, trunks=MappingProxyType(trunks), switch=switch))
    gateway.close()


def _import(home: Gateway, name: str, preset: str = "auto", said: Said | None = None) -> ImportAnswer:
    return import_usage(home, sample_of(name), preset, said=said or Said())


def test_the_preset_is_found_and_the_answer_says_how_sure_and_how_it_reads(home: Gateway) -> None:
    answer = _import(home, "asterisk")
    assert (answer.preset, answer.sure_percent) == ("asterisk", 100)
    assert ("quantity", "billsec") in answer.mapping and ("route", "dstchannel") in answer.mapping
    first = answer.first[0]
    assert (first.line, first.direction, first.b_party) == (1, Direction.IN, "442079460000")
    assert first.start == datetime(2026, 10, 1, 7, 0, 2, tzinfo=UTC)
    assert [tuple(each) for each in answer.reasons] == [("dst: not a number in E.164", 1)]


@pytest.mark.parametrize(
    ("name", "service", "records", "quantity"),
    [
        ("kamailio", Service.VOICE, 2, 61_249 + 60_000),
        ("smpp_receipts", Service.SMS, 2, 2),
        ("interface_64", Service.DATA, 4, 375_000 + 1_125_000 + 50_000 + 500),
    ],
)
def test_records_of_each_service_are_kept_by_creditor_and_month(
    home: Gateway, name: str, service: Service, records: int, quantity: int
) -> None:
    usage = _import(home, name).usage
    assert {(each.service, each.partner, each.period) for each in usage} == {(service, CN, Period(2026, 10))}
    assert (sum(each.count for each in usage), sum(each.quantity for each in usage)) == (records, quantity)


def test_an_inventory_is_read_for_each_month_anew(home: Gateway) -> None:
    said = Said(partner=CN, direction=Direction.IN, period=Period(2026, 10))
    october = _import(home, "ipl_inventory", said=said)
    november = _import(home, "ipl_inventory", said=replace(said, period=Period(2026, 11)))
    assert [(each.period.month, each.count, each.quantity) for each in (*october.usage, *november.usage)] == [
        (10, 3, 31 + 21 + 20),
        (11, 2, 60),
    ]
    assert october.value == "29300.5" and _import(home, "ipl_inventory", said=said).repeated


def test_a_month_for_events_is_refused(home: Gateway) -> None:
    with pytest.raises(Malformed, match="only an inventory"):
        _import(home, "asterisk", said=Said(period=Period(2026, 10)))


def test_an_inventory_without_a_month_is_refused(home: Gateway) -> None:
    with pytest.raises(Malformed, match="read for a month"):
        _import(home, "ipl_inventory", said=Said(partner=CN, direction=Direction.IN))


def test_a_file_that_names_no_trunk_needs_a_partner_and_a_direction(home: Gateway) -> None:
    with pytest.raises(Malformed, match="whose traffic"):
        _import(home, "wholesale")
    with pytest.raises(Malformed, match="which way"):
        _import(home, "wholesale", said=Said(partner=CN))
    answer = _import(home, "wholesale", said=Said(partner=CN, direction=Direction.OUT))
    assert {(each.creditor, each.count) for each in answer.usage} == {(CN, 2)}


def test_a_partner_without_agreement_is_refused(home: Gateway) -> None:
    with pytest.raises(NotFound, match="no agreement with US-A"):
        _import(home, "wholesale", said=Said(partner=CarrierCode("US-A"), direction=Direction.OUT))


def test_the_zone_of_a_file_may_be_another_than_the_switchs(home: Gateway) -> None:
    answer = _import(home, "asterisk", said=Said(zone=ZoneInfo("Asia/Shanghai")))
    assert answer.first[0].start == datetime(2026, 10, 1, 0, 0, 2, tzinfo=UTC)


def test_a_trunks_technical_prefixes_come_off(home: Gateway, tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    path.write_text(asterisk(dst="99#02079460000") + asterisk(src="77880123456", dst="778800442079460001"))
    answer = import_usage(home, path, "asterisk")
    assert [each.b_party for each in answer.first] == ["442079460000", "442079460001"]
    assert answer.first[1].a_party == "77880123456", "callers have none"


def test_a_call_over_midnight_belongs_to_the_month_of_the_agreements_zone_in_which_it_began(
    home: Gateway, tmp_path: Path
) -> None:
    """00:59:40 in London is 23:59:40 UTC while it has summer time, and the agreement's months are UTC's."""
    path = tmp_path / "Master.csv"
    path.write_text(
        asterisk(answer="2026-10-01 00:59:40", end="2026-10-01 01:00:40", billsec="60")
        + asterisk(answer="2026-10-01 01:00:00", end="2026-10-01 01:01:00", billsec="60")
        + asterisk(answer="2026-10-31 23:59:59", end="2026-11-01 02:59:59", billsec="10800")
        + asterisk(answer="2026-12-31 23:59:60", end="2027-01-01 00:01:00", billsec="60")
    )
    usage = import_usage(home, path, "asterisk").usage
    assert [(str(each.period), each.count) for each in usage] == [("2026-09", 1), ("2026-10", 2), ("2026-12", 1)]


def test_a_dry_run_keeps_nothing(home: Gateway) -> None:
    answer = import_usage(home, sample_of("asterisk"), "auto", dry_run=True)
    assert answer.import_id is None and not list(home.settings.inbox_path.iterdir())
    assert not _import(home, "asterisk").repeated


def test_a_dry_run_needs_no_network_no_password_and_no_agreement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GSC_PASSWORD", raising=False)
    init_home(Settings(tmp_path, carrier=CarrierCode("GB-B"), switch=Switch(ZoneInfo("UTC"), "GB")))
    before = sorted(tmp_path.rglob("*"))
    told = ["--home", str(tmp_path), "--partner", "CN-T", "--direction", "in"]
    arguments = ["import", str(sample_of("asterisk")), *told]
    assert cli.run([*arguments, "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "442079460000" in said and "quantity  billsec" in said and "no agreement with CN-T" in said
    assert sorted(tmp_path.rglob("*")) == before
    assert cli.run(arguments) == 1
    assert "keys are locked" in capsys.readouterr().err


def _gsc(home: Gateway, arguments: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> int:
    for opens in ("home_of", "folder_of"):
        monkeypatch.setattr(f"gateway.cli.reading_verbs.{opens}", lambda _: home)
    return cli.run(arguments)


def test_the_command_says_it_all(
    home: Gateway, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(sample_of("cgrates"))
    assert _gsc(home, ["import", path, "--dry-run", "--tz", "UTC"], monkeypatch) == 0
    said = capsys.readouterr().out
    assert "cgrates.csv: preset cgrates, 60 % sure" in said
    assert "b_party   Destination\n" in said and "442079460000" in said
    assert "5 rows: 2 accepted, 2 not billable, 1 quarantined, 0 repeats" in said
    assert "value as the file itself says it: 61.025" in said
    assert "quarantined 1: Usage: not a duration (line 5)" in said and "1.0 min" in said


def test_what_a_newcomer_stumbles_over_is_told(
    home: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "Master.csv"
    path.write_text(asterisk(channel="PJSIP/other-1") * 2)
    assert _gsc(home, ["import", str(path), "--dry-run"], monkeypatch) == 0
    said = capsys.readouterr().out
    assert "quarantined 2: channel: unknown trunk (line 1, 2)" in said and "[trunks] in gsc.toml" in said
    assert _gsc(home, ["import", str(path), "--as", "kamailio", "--dry-run"], monkeypatch) == 0
    assert "0 accepted, 2 not billable" in capsys.readouterr().out


def test_a_header_sends_no_commands_to_the_terminal(
    home: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "calls.csv"
    path.write_text("a_number,b_number,start,duration_ms,trunk,\x1b[2Jx\n1,2,3,4,5,a\x00\n")
    assert _gsc(home, ["import", str(path), "--as", "csv", "--dry-run"], monkeypatch) == 0
    said = capsys.readouterr().out
    assert "\x1b" not in said and "control character" in said


def test_the_answer_as_json_has_the_same(
    home: Gateway, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _gsc(home, ["import", str(sample_of("interface")), "--json"], monkeypatch) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["preset"], answer["accepted"], answer["reasons"][0]["rows"]) == ("interface", 2, 1)
    assert answer["first"][0] == {
        "line": 2,
        "direction": "in",
        "aParty": "CN-T",
        "bParty": "GB-B",
        "start": "2026-10-01T00:00:00+00:00",
        "quantity": 375_000_000,
        "route": "cnt-port-1",
    }


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--tz", "Mars/Olympus"], "not a time zone"),
        (["--tz", "../../etc/passwd"], "not a time zone"),
        (["--direction", "up", "--partner", "CN-T"], "not a direction"),
        (["--direction", "in"], "a direction is a partner's"),
        (["--as", "nortel"], "no such preset"),
        (["--as", "missing.toml"], "cannot be read"),
        (["--partner", "cn t"], "carrier code"),
    ],
)
def test_wrong_words_are_refused(
    home: Gateway,
    arguments: list[str],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert _gsc(home, ["import", str(sample_of("asterisk")), *arguments], monkeypatch) == 2
    assert says in capsys.readouterr().err


def test_a_preset_of_ones_own_is_a_file(home: Gateway, tmp_path: Path) -> None:
    from gateway.formats.preset import FOLDER

    mine = shutil.copy(FOLDER / "asterisk.toml", tmp_path / "mine.toml")
    assert _import(home, "asterisk", str(mine)).accepted == 2


def test_the_presets_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["import", "--help-presets"]) == 0
    assert "ribbon_act" in capsys.readouterr().out
