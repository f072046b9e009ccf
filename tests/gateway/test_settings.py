"""Does a home folder's gsc.toml mean what it says, and is anything else refused?"""

import stat
import tomllib
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

import pytest

from gateway.known import KnownSettings
from gateway.settings import (
    ClockKind,
    Listen,
    Settings,
    Switch,
    TrunkDirection,
    TrunkSetting,
    Webhooks,
    dump_settings,
    init_home,
    load_settings,
    operator_token,
    parse_settings,
)
from ledger.errors import Conflict, Malformed, NotFound
from ledger.identity import CarrierCode

GB_B = CarrierCode("GB-B")


def full(home: Path) -> Settings:
    return Settings(
        home=home.resolve(),
        carrier=CarrierCode("CN-T"),
        chain_url="http://127.0.0.1:9545",
        clock=ClockKind.CHAIN,
        listen=Listen(port=8101),
        webhooks=Webhooks(("127.0.0.1", "10.1.0.0/16")),
        switch=Switch(zone=ZoneInfo("Asia/Shanghai"), country="CN"),
        peers=MappingProxyType({GB_B: "http://127.0.0.1:8102"}),
        trunks=MappingProxyType({'odd "name"': TrunkSetting(GB_B, TrunkDirection.IN, "US", ("1234#", "99"))}),
        capacity=MappingProxyType({"gbb-in-1": 60}),
        numbers=MappingProxyType({GB_B: ("44",)}),
        tadig=MappingProxyType({"GBRXX": GB_B}),
        igw=MappingProxyType({GB_B: "GLOBAL-BEIJING"}),
        unallocated=("447700900",),
        known=KnownSettings(("1900",), ("447700900999",), ("8610",), ("LON-BJS-9",), {"lon-pop1": 10_000}),
    )


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"carrier": "CN-T", "chainurl": "x"}, "chain_url"),
        ({"carrier": "CN-T", "listen": {"prot": 1}}, "host, port"),
        ({"carrier": "CN-T", "webhooks": {"alow": []}}, "one of allow"),
        ({"carrier": "CN-T", "trunks": {"a": {"partner": "GB-B", "way": "in"}}}, "partner, direction"),
    ],
)
def test_an_unknown_key_is_refused_and_the_known_ones_are_named(
    tmp_path: Path, raw: dict[str, object], expected: str
) -> None:
    with pytest.raises(Malformed, match="unknown key") as refusal:
        parse_settings(tmp_path, raw)

    assert expected in str(refusal.value.expected)


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"carrier": "cn-t"},
        {"carrier": "CN-T", "clock": "sundial"},
        {"carrier": "CN-T", "listen": {"port": True}},
        {"carrier": "CN-T", "listen": {"port": 70_000}},
        {"carrier": "CN-T", "switch": {"zone": "Mars/Olympus"}},
        {"carrier": "CN-T", "peers": {"GB-B": "ftp://x"}},
        {"carrier": "CN-T", "trunks": {"a": {"partner": "GB-B", "direction": "up"}}},
        {"carrier": "CN-T", "trunks": {"a": {"partner": "GB-B", "direction": "in", "country": "Atlantis"}}},
        {"carrier": "CN-T", "trunks": {"a": {"partner": "GB-B", "direction": "in", "technical_prefixes": ["x"]}}},
        {"carrier": "CN-T", "trunks": {"a": {"partner": "GB-B", "direction": "in", "technical_prefixes": "12"}}},
        {"carrier": "CN-T", "capacity": {"a": 0}},
        {"carrier": "CN-T", "known": {"premium": "1900"}},
        {"carrier": "CN-T", "known": {"own": ["+86"]}},
        {"carrier": "CN-T", "known": {"ceased": [1]}},
        {"carrier": "CN-T", "known": {"line_mbps": {"a": 0}}},
        {"carrier": "CN-T", "known": {"premiums": []}},
        {"carrier": "CN-T", "unallocated": ["+44"]},
        {"carrier": "CN-T", "numbers": {"GB-B": "44"}},
        {"carrier": "CN-T", "peers": "GB-B"},
        {"carrier": "CN-T", "tadig": {"gbrxx": "GB-B"}},
        {"carrier": "CN-T", "tadig": {"GBRX": "GB-B"}},
        {"carrier": "CN-T", "tadig": {"GBRXX": "gb b"}},
    ],
)
def test_a_setting_that_means_nothing_is_refused(tmp_path: Path, raw: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        parse_settings(tmp_path, raw)


def test_settings_are_written_and_read_back_equal(tmp_path: Path) -> None:
    settings = full(tmp_path)

    init_home(settings)

    assert load_settings(tmp_path) == settings


def test_making_the_same_home_again_changes_nothing_and_another_one_is_refused(tmp_path: Path) -> None:
    init_home(full(tmp_path))
    token = operator_token(full(tmp_path))
    init_home(full(tmp_path))

    assert operator_token(full(tmp_path)) == token
    with pytest.raises(Conflict):
        init_home(Settings(home=tmp_path.resolve(), carrier=CarrierCode("US-A")))


def test_a_folder_without_settings_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="gsc init"):
        load_settings(tmp_path)


def test_the_operators_token_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    init_home(full(tmp_path))

    assert stat.S_IMODE((tmp_path / "operator.token").stat().st_mode) == 0o600


def test_a_relative_database_lies_in_the_home_and_another_url_is_left_alone(tmp_path: Path) -> None:
    home = tmp_path.resolve()

    assert full(tmp_path).database_url == f"sqlite:///{home / 'gsc.sqlite'}"
    other = parse_settings(home, {"carrier": "CN-T", "database": "postgresql://db/gsc"})
    assert other.database_url == "postgresql://db/gsc"


def test_folders_with_numbers_and_keys_are_their_owners_alone(tmp_path: Path) -> None:
    """Imported files, rated records, sealed ones with their secrets: all hold traffic that a competitor would read."""
    init_home(full(tmp_path))

    for name in ("keys", "inbox", "work", "archive"):
        assert (name, stat.S_IMODE((tmp_path / name).stat().st_mode)) == (name, 0o700)


@pytest.mark.parametrize("said", ["yes", 1, None])
def test_whether_this_machine_reads_without_login_is_said_with_true_or_false(said: object) -> None:
    with pytest.raises(Malformed, match="open_on_loopback"):
        parse_settings(Path(), {"carrier": "CN-T", "desk": {"open_on_loopback": said}})
    closed = parse_settings(Path(), {"carrier": "CN-T", "desk": {"open_on_loopback": False}})
    assert not closed.desk.open_on_loopback
    assert parse_settings(Path(), tomllib.loads(dump_settings(closed))) == closed
