"""Do three desks and a stranger find a ring with four commands each, and is bad input told?"""

import json
from pathlib import Path

import pytest

from gateway.cli.app import run

HEADER = "destination,code,rate,increment,currency\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, rate in (("us-cn", "0.09"), ("gb-cn", "0.05"), ("us-gb", "0.03")):
        (tmp_path / f"{name}.csv").write_text(f"{HEADER}Alaska,1907,{rate},1/1,USD\nStates,1212,0.01,1/1,USD\n")
    assert run(["rings", "key", "--out", str(tmp_path / "key")]) == 0
    return tmp_path


def ours(folder: Path, us: str, *decks: str) -> list[str]:
    """Options of a carrier: "sells CN-T us-cn"."""
    given = ["--key", str(folder / "key"), "--round", "2026-10", "--us", us]
    for deck in decks:
        way, partner, name = deck.split()
        given += [f"--{way}", f"{partner}={folder / name}.csv"]
    return given


US = ("sells CN-T us-cn", "sells GB-B us-gb")
CN = ("buys US-A us-cn", "buys GB-B gb-cn")
GB = ("buys US-A us-gb", "sells CN-T gb-cn")


def found(folder: Path) -> dict[str, Path]:
    """All offers made and answered; each carrier's answer."""
    for us, decks in (("US-A", US), ("CN-T", CN), ("GB-B", GB)):
        assert run(["rings", "offer", *ours(folder, us, *decks), "--out", str(folder / f"{us}.offer")]) == 0
    offers = [str(path) for path in sorted(folder.glob("*.offer"))]
    assert run(["rings", "find", *offers, "--out", str(folder / "answers")]) == 0
    return {path.name[:4]: path for path in (folder / "answers").iterdir()}


def test_the_carrier_that_loses_reads_where_and_the_others_read_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = found(folder)
    capsys.readouterr()
    assert run(["rings", "open", str(answers["US-A"]), *ours(folder, "US-A", *US), "--json"]) == 0
    (ring,) = json.loads(capsys.readouterr().out)["rings"]
    assert (ring["cycle"], ring["codes"], ring["gain"]) == (["CN-T", "GB-B", "US-A"], ["1907"], "0.060000")
    assert run(["rings", "open", str(answers["CN-T"]), *ours(folder, "CN-T", *CN)]) == 0
    assert "3 carriers took part: no chain of sales takes CN-T's money" in capsys.readouterr().out


def test_a_deck_that_the_partner_has_otherwise_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "old.csv").write_text(f"{HEADER}Alaska,1907,0.07,1/1,USD\nStates,1212,0.01,1/1,USD\n")
    one, other = folder / "one.offer", folder / "other.offer"
    assert run(["rings", "offer", *ours(folder, "US-A", *US), "--out", str(one)]) == 0
    assert run(["rings", "offer", *ours(folder, "CN-T", "buys US-A old"), "--out", str(other)]) == 0
    assert run(["rings", "find", str(one), str(other), "--out", str(folder / "out")]) == 0
    (answer,) = (folder / "out").glob("one-*.json")
    capsys.readouterr()
    assert run(["rings", "open", str(answer), *ours(folder, "US-A", *US)]) == 0
    told = capsys.readouterr().out
    assert "US-A's deck for CN-T: the other side offered other prices, or none, of 1 codes (1907)" in told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["offer", "--sells", "CN-T"], "names no deck"),
        (["offer", "--round", "spring", "--sells", "CN-T={0}/us-cn.csv"], "the round names no month"),
        (["offer", "--key", "{0}/us-cn.csv", "--sells", "CN-T={0}/us-cn.csv"], "not a round's key"),
        (["offer", "--key", "{0}/absent", "--sells", "CN-T={0}/us-cn.csv"], "no such file"),
        (["offer", "--codes", "{0}/us-cn.csv", "--sells", "CN-T={0}/us-cn.csv"], "not a dial code"),
    ],
)
def test_bad_input_is_told(folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    verb, *rest = (each.format(folder) for each in arguments)
    whole = {"--key": str(folder / "key"), "--round": "2026-10", "--us": "US-A", "--out": str(folder / "o")}
    whole |= dict(zip(rest[::2], rest[1::2], strict=True))
    assert run(["rings", verb, *(part for pair in whole.items() for part in pair)]) == 2
    assert words in capsys.readouterr().err


def test_a_key_is_never_overwritten(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (folder / "key").read_text()
    assert run(["rings", "key", "--out", str(folder / "key")]) == 2
    assert (folder / "key").read_text() == before
    assert "cannot be written" in capsys.readouterr().err
    assert (folder / "key").stat().st_mode & 0o077 == 0


def test_what_is_no_offer_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rings", "find", str(folder / "us-cn.csv"), "--out", str(folder / "out")]) == 2
    assert "not an offer" in capsys.readouterr().err
