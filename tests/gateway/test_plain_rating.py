"""Is a plain file rated month by month under everything agreed, with exchange rates that both have signed?"""

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from gateway.cli.app import run
from gateway.formats.usage_file import write_rated
from gateway.fx_signing import sign_rates, signers_of
from gateway.keystore import KeyUse, create_key
from gateway.plain_rating import (
    PlainFiles,
    PlainRating,
    moved_by,
    rate_plain,
    read_rated,
    read_signatures,
    split_outside,
    with_late,
)
from gateway.settings import Settings, init_home
from ledger.agreement import Agreement
from ledger.agreement_file import dump_agreement, parse_agreement
from ledger.errors import Malformed, SignatureRefused
from ledger.identity import CarrierCode
from ledger.prices.deck import deck_history
from ledger.prices.deck_file import parse_deck
from ledger.prices.service_terms import DataTerms, MissingSamples
from ledger.service import Service
from ledger.typed_data import address_of_key
from tests.ledger.prices.service_records import agreed, decks, usage_of
from tests.ledger.records import OCTOBER_MS, usage
from tests.ledger.test_agreement_file import LEAST

CN, GB = CarrierCode("CN-T"), CarrierCode("GB-B")
KEYS = {CN: bytes(31) + b"\x07", GB: bytes(31) + b"\x08"}
MINUTE, MONTH_MS = 60_000, 31 * 86_400_000
DEAL = '[[deals]]\nname = "d"\ncreditor = "GB-B"\ncommitted_amount = "10"\n'
TIERS = '[[deals.tiers]]\nfrom_minutes = 0\nrate = "3"\n[[deals.tiers]]\nfrom_minutes = 2\nrate = "0"\n'
DECK = parse_deck("destination,code,rate,increment,currency\nUK,44,1,1/1,USD\n")
EUROS = parse_deck("destination,code,rate,increment,currency\nUK,44,1,1/1,EUR\n")


def _rated(table: pa.Table, agreement: Agreement, **given: object) -> PlainRating:
    return rate_plain(table, deck_history([(0, DECK)]), agreement, PlainFiles(GB, **given))  # type: ignore[arg-type]


def test_each_month_has_its_own_commitment() -> None:
    table = usage(("4420", 0, 4 * MINUTE), ("4420", MONTH_MS, 7 * MINUTE), ("9", 5, MINUTE))
    got = _rated(table, parse_agreement(LEAST + DEAL))
    assert got.rated.select(["line", "amount_micros"]).to_pylist() == [
        {"line": 1, "amount_micros": 4_000_000},
        {"line": 2, "amount_micros": 7_000_000},
        {"line": 0, "amount_micros": 6_000_000},
        {"line": 0, "amount_micros": 3_000_000},
    ]
    assert got.refused["reason"].to_pylist() == ["unknown destination"]


def test_what_begins_before_the_agreement_or_after_2099_is_quarantined_and_never_priced() -> None:
    agreement = parse_agreement(LEAST)
    before, far = agreement.valid_from_ms - OCTOBER_MS, 4_102_444_800_000 - OCTOBER_MS
    got = _rated(usage(*(("4420", at, MINUTE) for at in (before - 1, before, far - 1, far))), agreement)
    assert got.rated["line"].to_pylist() == [2, 3]
    assert got.refused.select(["line", "reason"]).to_pylist() == [
        {"line": 1, "reason": "before the agreement is valid"},
        {"line": 4, "reason": "begins after the year 2099"},
    ]


def test_samples_between_others_than_the_two_carriers_are_quarantined() -> None:
    pairs = [("CN-T", "GB-B"), ("GB-B", "GB-B"), ("GB-B", "US-A"), ("GB-B", "CN-T")]
    rows = [("1", at, 10) for at in range(len(pairs))]
    table = usage(*rows)
    for place, name in ((1, "a_party"), (2, "b_party")):
        table = table.set_column(place, table.schema.field(name), pa.array([pair[place - 1] for pair in pairs]))
    inside, outside = split_outside(table, Service.DATA, parse_agreement(LEAST))
    assert inside["line"].to_pylist() == [1, 4]
    assert outside.select(["line", "reason"]).to_pylist() == [
        {"line": line, "reason": "not between CN-T and GB-B"} for line in (2, 3)
    ]


@pytest.mark.parametrize("unit", ["segment", "message"])
def test_the_heading_of_messages_names_what_is_charged(
    unit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.toml").write_text(f'{LEAST}[sms]\nunit = "{unit}"\nbasis = "submit"\n'.replace('"voice"', '"sms"'))
    Path("deck.csv").write_text("destination,mcc,mnc,rate\nUK,234,,0.03\n")
    Path("sms.csv").write_text("a_party,b_party,start,route,parts\nX,447,2026-10-05T08:00:00Z,23415,2\n")
    assert run(["rate", "sms.csv", "--deck", "deck.csv", "--agreement", "a.toml"]) == 0
    assert f" charged {unit}s " in capsys.readouterr().out


def test_what_came_late_is_told_with_what_it_moved() -> None:
    agreement = parse_agreement(LEAST + DEAL + TIERS)
    table, late = usage(("4420", 5, 2 * MINUTE)), usage(("4420", 1, 2 * MINUTE))
    before, after = _rated(table, agreement), _rated(with_late(table, late), agreement)
    assert [(each.line, each.before_micros, each.after_micros) for each in moved_by(before, after)] == [
        (1, 6_000_000, 0),
        (2, None, 6_000_000),
    ]


def test_rated_records_are_read_back_from_the_file_they_were_written_to(tmp_path: Path) -> None:
    rated = _rated(usage(("4420", 0, MINUTE)), parse_agreement(LEAST)).rated
    path = tmp_path / "rated.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        write_rated(rated, stream)
    assert read_rated(path).to_pylist() == rated.to_pylist()
    path.write_text("a,b\n1,2\n")
    with pytest.raises(Malformed, match="not a file of rated records"):
        read_rated(path)


def test_exchange_rates_count_once_both_homes_have_signed_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GSC_PASSWORD", "secret")
    signers = "".join(f'{carrier} = "{address_of_key(key)}"\n' for carrier, key in KEYS.items())
    agreement = parse_agreement(f'{LEAST}[fx]\nsource = "ECB"\n[fx.signers]\n{signers}')
    path = tmp_path / "rates.csv"
    path.write_text("date,base,quote,rate,source\n2026-10-01,EUR,USD,1.25,ECB\n")
    history, given = deck_history([(0, EUROS)]), PlainFiles(GB, fx=path)
    for carrier, key in KEYS.items():
        with pytest.raises(SignatureRefused, match=f"{carrier} has not signed"):
            rate_plain(usage(("4420", 0, MINUTE)), history, agreement, given)
        settings = Settings(home=tmp_path / carrier, carrier=carrier)
        init_home(settings)
        create_key(settings.keys_path, KeyUse.SIGNING, "secret", demo=True, key=key)
        sign_rates(path, agreement, settings.home)
    assert list(signers_of(path, agreement)) == [CN, GB]
    got = rate_plain(usage(("4420", 0, MINUTE)), history, agreement, given)
    assert got.rated["amount_micros"].to_pylist() == [1_250_000]
    with pytest.raises(SignatureRefused, match="does not name our key"):
        sign_rates(path, parse_agreement(LEAST), tmp_path / CN)


def test_a_deck_in_another_currency_needs_rates_and_a_day_where_one_is_agreed(tmp_path: Path) -> None:
    history = deck_history([(0, EUROS)])
    with pytest.raises(Malformed, match="in another currency"):
        rate_plain(usage(("4420", 0, MINUTE)), history, parse_agreement(LEAST), PlainFiles(GB))
    path = tmp_path / "rates.csv"
    (tmp_path / "rates.csv.sig").write_text("CN-T = 'zz'\n")
    with pytest.raises(Malformed, match="cannot be read"):
        read_signatures(path)
    agreement = parse_agreement(f'{LEAST}[fx]\nsource = "ECB"\nrates = "0x{"00" * 32}"\n')
    with pytest.raises(Malformed, match="the exchange rates cannot be read"):
        rate_plain(usage(("4420", 0, MINUTE)), history, agreement, PlainFiles(GB, fx=path, fx_day=date(2026, 10, 1)))


def test_an_outage_of_a_circuit_that_nobody_knows_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "outages.csv"
    path.write_text("circuit,begin,end\nC8,2026-10-05T00:00:00Z,2026-10-05T01:00:00Z\n")
    history = decks(Service.IPL, ("2026-09-01", "destination,circuit,monthly,install\nLine,C1,3100,\n"))
    inventory = usage_of([("LON1", "BJS2", "2026-10-01", 31, "C1")])
    with pytest.raises(Malformed, match="nobody knows") as refusal:
        rate_plain(inventory, history, agreed(), PlainFiles(GB, outages=path))
    assert refusal.value.got == "C8"


@pytest.mark.parametrize(("missing", "code", "says"), [("skip", 0, "8,927 intervals"), ("refuse", 1, "no charge")])
def test_missing_samples_are_told_and_a_port_without_a_charge_is_a_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], missing: str, code: int, says: str
) -> None:
    terms = agreed(data=DataTerms(missing=MissingSamples(missing)))
    (tmp_path / "agreement.toml").write_text(dump_agreement(terms))
    (tmp_path / "deck.csv").write_text("destination,port,rate,unit\nTransit,p1,3,Mbps\n")
    (tmp_path / "samples.csv").write_text(
        "a_party,b_party,start,quantity,route\n"
        "GB-B,CN-T,2026-10-05T08:00:00Z,375000000,p1\nCN-T,GB-B,2026-10-05T08:00:00Z,375000000,p1\n"
    )
    files = [str(tmp_path / name) for name in ("samples.csv", "deck.csv", "agreement.toml")]
    assert run(["rate", files[0], "--deck", files[1], "--agreement", files[2]]) == code
    assert says in capsys.readouterr().err
