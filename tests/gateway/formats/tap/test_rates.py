"""Are a TAP file's exchange rates held against the published ones?"""

import json
from pathlib import Path

import pytest

from gateway.cli import app as cli
from gateway.formats.tap.rates import RateCheck, check_rates
from ledger.agreement_file import load_agreement
from ledger.errors import Malformed, NotFound
from ledger.prices.fx import RapCode, parse_fx
from tests.gateway.formats.tap.encoding import Batch, call, charges

RATES = "date,base,quote,rate,source\n2026-10-02,XDR,EUR,1.16203,IMF\n"
AGREEMENT = """
carriers = ["CN-T", "GB-B"]
currency = "USD"
services = ["voice"]
zone = "UTC"
valid_from = 2026-09-01
"""
FX = f"""
[fx]
source = "IMF"
[fx.signers]
CN-T = "0x{"11" * 20}"
GB-B = "0x{"22" * 20}"
"""


def _checks(tmp_path: Path, batch: Batch, rates: str = RATES, agreement: str = AGREEMENT + FX) -> list[RateCheck]:
    (tmp_path / "agreement.toml").write_text(agreement)
    (tmp_path / "tap").write_bytes(batch.encoded())
    return list(check_rates(tmp_path / "tap", parse_fx(rates), load_agreement(tmp_path / "agreement.toml")))


def _batch(digits: int, units: int = 71_944_814) -> Batch:
    return Batch([call(charged=charges(("00", units)))], rates=[(1, digits, 5)], places=6, charge=units)


def test_c29_a_lower_rate_than_published_overcharges_and_is_severe(tmp_path: Path) -> None:
    """82.736536 EUR are 71.2 SDR at 1.16203 and 71.944814 at 1.15: 1.05 % too much, RAP 200."""
    (found,) = _checks(tmp_path, _batch(115_000))
    assert (found.check.code, found.check.stated_micros, found.check.published_micros) == (
        RapCode.SEVERE,
        71_944_814,
        71_200_000,
    )
    assert str(found) == "rate 1, EUR: error 200 (severe: charges too much), SDR 71.944814 for 71.200000"


def test_a_higher_rate_undercharges_and_the_published_one_fits(tmp_path: Path) -> None:
    (higher,) = _checks(tmp_path, _batch(120_000))
    assert higher.check.code is RapCode.WARNING and higher.check.difference_ppm < 0
    (equal,) = _checks(tmp_path, _batch(116_203, 71_200_000))
    assert str(equal) == "rate 1, EUR: as published; charges SDR 71.200000"


def test_a_day_without_a_published_rate_is_not_guessed(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        _checks(tmp_path, _batch(115_000), rates=RATES.replace("2026-10-02", "2026-09-02"))


def test_what_is_no_tap_file_or_has_no_terms_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="cannot be checked"):
        _checks(tmp_path, _batch(115_000), agreement=AGREEMENT)
    (tmp_path / "text").write_text("a,b\n")
    with pytest.raises(Malformed, match="cannot be checked"):
        check_rates(tmp_path / "text", parse_fx(RATES), load_agreement(tmp_path / "agreement.toml"))


def test_gsc_fx_tells_each_rate_of_a_tap_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _checks(tmp_path, _batch(115_000))
    (tmp_path / "rates.csv").write_text(RATES)
    names = [str(tmp_path / name) for name in ("rates.csv", "agreement.toml", "tap")]
    assert cli.run(["fx", names[0], "--agreement", names[1], "--tap", names[2]]) == 0
    assert "error 200 (severe: charges too much), SDR 71.944814 for 71.200000" in capsys.readouterr().out
    assert cli.run(["fx", names[0], "--agreement", names[1], "--tap", names[2], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["tap"] == [{"code": 1, "error": 200, "ppm": 10_461}]
