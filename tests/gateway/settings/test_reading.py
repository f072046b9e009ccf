"""Does gsc.toml mean what it says, and is anything else refused?"""

import tomllib
from pathlib import Path

import pytest

from gateway.settings import dump_settings, load_settings, parse_settings
from ledger.errors import Malformed, NotFound


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


def test_a_folder_without_settings_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="gsc init"):
        load_settings(tmp_path)


@pytest.mark.parametrize("said", ["yes", 1, None])
def test_whether_this_machine_reads_without_login_is_said_with_true_or_false(said: object) -> None:
    with pytest.raises(Malformed, match="open_on_loopback"):
        parse_settings(Path(), {"carrier": "CN-T", "desk": {"open_on_loopback": said}})
    closed = parse_settings(Path(), {"carrier": "CN-T", "desk": {"open_on_loopback": False}})
    assert not closed.desk.open_on_loopback
    assert parse_settings(Path(), tomllib.loads(dump_settings(closed))) == closed
