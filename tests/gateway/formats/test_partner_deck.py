"""Does a partner's rate deck become the rate deck it means, and is what cannot be read refused by its line?"""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.cli import app as cli
from gateway.formats.partner_deck.cells import DayOrder, codes_of, day_of, increments_of, order_of_days, price_of
from gateway.formats.partner_deck.files import PartnerDeck, Reading, read_partner_deck
from gateway.formats.partner_deck.headers import likeness, understand
from gateway.formats.workbook import Place, Sheet
from ledger.errors import Malformed
from ledger.prices.deck import Rate, RateStatus
from tests.gateway.formats.workbooks import workbook
from tests.ledger.test_agreement_file import LEAST

LIST = """\
Wholesale rates of GB-B;;;;;;
Valid from 15 October 2026;;;;;;
;;;;;;
Country;Country Code;Area Codes;Price per min (USD);Billing Increments;Effective;Change
United Kingdom;44;;0,0081;60/60;15/10/2026;increase
United Kingdom Mobile;44;7, 7400-7409;0,0200;1/1;15/10/2026;decrease
Jersey;44;1534;;1/1;20/10/2026;closed
"""


def _read(tmp_path: Path, text: str, **how: object) -> PartnerDeck:
    path = tmp_path / "partner.csv"
    path.write_text(text, "utf-8")
    return read_partner_deck(path, Reading(**how))  # type: ignore[arg-type]


def _told(rate: Rate) -> tuple[str, str, int, int, RateStatus]:
    return rate.destination, rate.code, rate.nanos, rate.first, rate.status


def test_a_list_with_a_title_split_codes_and_a_closure_is_understood(tmp_path: Path) -> None:
    found = _read(tmp_path, LIST)
    assert found.header.line == 4 and found.lines == 3 and found.deck.currency == "USD"
    assert [(each.heading, each.column) for each in found.header.columns] == [
        ("Country", "destination"),
        ("Country Code", "country_code"),
        ("Area Codes", "area_code"),
        ("Price per min (USD)", "rate"),
        ("Billing Increments", "increment"),
        ("Effective", "effective_date"),
        ("Change", "status"),
    ]
    assert [_told(rate) for rate in found.deck.rates] == [
        ("United Kingdom", "44", 8_100_000, 60_000, RateStatus.OPEN),
        ("Jersey", "441534", 0, 1_000, RateStatus.BLOCKED),
        ("United Kingdom Mobile", "447", 20_000_000, 1_000, RateStatus.OPEN),
        ("United Kingdom Mobile", "44740", 20_000_000, 1_000, RateStatus.OPEN),
    ]
    assert found.deck.rates[0].effective_ms == 1_792_022_400_000


def test_a_workbook_reads_as_its_csv(tmp_path: Path) -> None:
    path = tmp_path / "partner.xlsx"
    rows = [["Destination", "Prefix", "Rate USD", "First", "Next"], ["UK", 44, 0.0081, 60, 6]]
    path.write_bytes(workbook(rows))
    found = read_partner_deck(path, Reading())
    assert [_told(rate) for rate in found.deck.rates] == [("UK", "44", 8_100_000, 60_000, RateStatus.OPEN)]
    assert found.deck.rates[0].next == 6_000


def test_a_workbook_that_would_burst_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.formats.workbook.MAX_UNPACKED_BYTES", 1_000)
    path = tmp_path / "bomb.xlsx"
    path.write_bytes(workbook([["x"]], {"xl/media/image1.png": "0" * 1_000}))
    with pytest.raises(Malformed, match="too much to open"):
        read_partner_deck(path, Reading())


SPELLED = "Dest,Prefix,Rate USD,{}\nUK,44,0.01,60/6\n"


@pytest.mark.parametrize("heading", ["Interval", "Min/Incr"])
def test_usual_headings_are_understood(tmp_path: Path, heading: str) -> None:
    (rate,) = _read(tmp_path, SPELLED.format(heading)).deck.rates
    assert (rate.nanos, rate.first, rate.next) == (10_000_000, 60_000, 6_000)


def test_a_missing_column_is_named_with_those_left_over(tmp_path: Path) -> None:
    with pytest.raises(Malformed) as refusal:
        _read(tmp_path, "Destination,Code,Hinta,Xyz\nUK,44,0.01,60/6\n")
    assert "Missing: rate; left over: Hinta, Xyz" in refusal.value.todo


def test_a_code_with_00_is_told_to_drop_it(tmp_path: Path) -> None:
    with pytest.raises(Malformed) as refusal:
        _read(tmp_path, "Destination,Code,Rate USD,Increment\nChile,0056,0.01,60/6\n")
    assert "drop the 00" in str(refusal.value.got)


def test_two_decimal_separators_are_remarked(tmp_path: Path) -> None:
    text = 'Dest,Code,Rate USD,Increment\nUK,44,"0,01",1/1\nUK,45,0.02,1/1\n'
    assert "two decimal separators" in _read(tmp_path, text).remarks[0]
    assert _read(tmp_path, LIST).remarks == ()


def test_formulas_and_other_sheets_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prices = [["Dest", "Code", "Rate USD", "Increment"], ["UK", "44", "0.01", "1/1"]]
    sheet = Sheet(prices, frozenset({Place(2, 3)}))
    monkeypatch.setattr("gateway.formats.partner_deck.files.read_sheet", lambda *_: sheet)
    found = read_partner_deck(tmp_path / "a.xlsx", Reading())
    assert found.remarks == ("1 cells computed by a formula, the first in line 2, Rate USD",)
    sheet = Sheet([["Welcome"]], frozenset(), ("Cover", "Prices"))
    with pytest.raises(Malformed) as refusal:
        read_partner_deck(tmp_path / "a.xlsx", Reading())
    assert "--sheet 'Prices'" in refusal.value.todo


def test_a_missing_file_a_folder_and_a_binary_file_are_refused_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    binary = tmp_path / "b.csv"
    binary.write_bytes(bytes([0xFF, 0x1B, 0, 7, 10]) * 9)
    for path, says in ((tmp_path / "x.csv", "no such file"), (tmp_path, "a folder"), (binary, "a binary file")):
        assert cli.run(["deck", str(path)]) == 2
        assert says in capsys.readouterr().err
    assert cli.run(["deck", str(tmp_path / "x.xlsx")]) == 2
    assert "no such file" in capsys.readouterr().err


def test_a_deck_in_another_currency_than_the_agreement_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.toml").write_text(LEAST)
    (tmp_path / "d.csv").write_text(SPELLED.format("Interval").replace("USD", "EUR"))
    assert cli.run(["deck", str(tmp_path / "d.csv"), "--agreement", str(tmp_path / "a.toml")]) == 2
    assert "EUR" in capsys.readouterr().err


def test_a_person_can_say_what_a_column_is(tmp_path: Path) -> None:
    text = "Nimi,Koodi,Hinta\nUK,44,0.01\n"
    with pytest.raises(Malformed, match="columns are not understood") as refusal:
        _read(tmp_path, text)
    assert "Koodi: not used" in str(refusal.value.got)
    named = {"destination": "Nimi", "code": "koodi", "rate": "Hinta"}
    found = _read(tmp_path, text, named=named, currency="EUR", increment="30/6")
    assert (found.deck.currency, found.deck.rates[0].first, found.deck.rates[0].next) == ("EUR", 30_000, 6_000)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not understood"),
        ("destination,code,rate\nUK,44,0.01\n", "names no currency"),
        ("destination,code,rate,currency\nUK,44,0.01,USD\nFR,33,0.01,EUR\n", "names two currencies"),
        ("destination,code,rate,currency\nUK,44,0.01,USD\n", "line 2: no increment"),
        ("destination,code,rate,increment,currency\nUK,44,free,1/1,USD\nUK,447,1,1/1,USD\n", "line 2: not a price"),
        ("destination,code,rate,increment,currency\n,44,1,1/1,USD\n", "line 2: not a rate"),
        ("destination,code,rate,increment,currency\nUK,044,1,1/1,USD\n", "line 2: not a dial code"),
        ("destination,code,rate,increment,currency\nUK,4420-4,1,1/1,USD\nUK,45-44,1,1/1,USD\n", "line 3: not a range"),
        ("destination,code,rate,increment,currency\nUK,44,1,1/1,USD\nGB,44,1,1/1,USD\n", "two rates from one date"),
        ('destination,code\n"UK,44\n', "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_refused_and_never_priced_at_zero(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(Malformed) as refusal:
        _read(tmp_path, text)
    assert says in f"{refusal.value.message}; {refusal.value.got}"


@pytest.mark.parametrize(
    ("cell", "country", "codes"),
    [
        ("44", "", ["44"]),
        ("+44; 45", "", ["44", "45"]),
        ("4420-4429", "", ["442"]),
        ("4420-29", "", ["442"]),
        ("4418-4421", "", ["4418", "4419", "4420", "4421"]),
        ("7 - 8, 91/92", "44", ["447", "448", "4491", "4492"]),
        ("10-29", "1", ["11", "12"]),
    ],
)
def test_a_cell_of_codes_says_each_of_them(cell: str, country: str, codes: list[str]) -> None:
    assert list(codes_of(cell, country)) == codes


@given(st.integers(1_000, 9_999), st.integers(0, 2_000))
@settings(max_examples=30, deadline=None)
def test_a_range_becomes_the_codes_that_begin_just_its_numbers(low: int, length: int) -> None:
    high = min(low + length, 9_999)
    codes = list(codes_of(f"{low}-{high}"))
    numbers = {number for number in range(1_000, 10_000) if any(str(number).startswith(code) for code in codes)}
    assert numbers == set(range(low, high + 1))
    assert len(codes) <= 54


@pytest.mark.parametrize("text", ["", "x", "44-", "0044", "-44", "4" * 16, "٤٤", "45-44", "4-45", "1-999999999999999"])
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        list(codes_of(text))


@pytest.mark.parametrize(
    ("text", "nanos"),
    [("0.0123", 12_300_000), ("$ 0.0123", 12_300_000), ("0,0123", 12_300_000), ("1e-05", 10_000), ("0.01 USD", 10**7)],
)
def test_a_price_is_read_as_it_is_written(text: str, nanos: int) -> None:
    assert price_of(text) == nanos


@pytest.mark.parametrize("text", ["", "n/a", "-0.01", "1,234.5", "0.0000000001", "1 2", "٠.١", "=1+1"])
def test_what_is_no_price_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        price_of(text)


def test_increments_are_read_in_seconds() -> None:
    assert [increments_of(text) for text in ("60/6", "30+6", "1", "1 - 1", "60 sec")] == [
        (60_000, 6_000),
        (30_000, 6_000),
        (1_000, 1_000),
        (1_000, 1_000),
        (60_000, 60_000),
    ]
    for wrong in ("0/1", "60/0", "minute", "9999"):
        with pytest.raises(Malformed):
            increments_of(wrong)


def test_the_order_of_day_and_month_is_told_by_the_cells_or_asked_for() -> None:
    assert order_of_days(["2026-10-05", ""]) is None
    assert order_of_days(["05/10/2026", "15/10/2026"]) is DayOrder.DMY
    assert order_of_days(["10/05/2026", "10/15/2026"]) is DayOrder.MDY
    for unclear in (["05/10/2026"], ["15/10/2026", "10/15/2026"]):
        with pytest.raises(Malformed, match="two ways"):
            order_of_days(unclear)
    days = [day_of(text, DayOrder.DMY) for text in ("2026-10-05", "05.10.2026", "5-Oct-2026", "Oct 5, 2026")]
    assert days == [date(2026, 10, 5)] * 4
    with pytest.raises(Malformed, match="not a day"):
        day_of("31/02/2026", DayOrder.DMY)


def test_a_column_must_sound_and_look_like_ours() -> None:
    assert likeness("Dial Code", "code") == 100
    assert likeness("Colour", "code") < 70
    header = understand([["Destination", "Code", "Rate", "Rate change"], ["UK", "44", "0.01", "increase"]], {})
    assert header.place("rate") == 2 and header.place("status") == 3
    with pytest.raises(Malformed):
        understand([["Destination", "Code", "Rate"], ["UK", "mobile", "0.01"]], {})
