"""Does every way of writing a number come to the same E.164 digits, and does the rest stay as it was?"""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import Malformed
from ledger.numbers import NUMBERING, Numbering, NumberKind, numbering_of, to_e164

LONDON, MOBILE = "442079460000", "8613800138000"


@pytest.mark.parametrize(
    ("country", "written", "meant"),
    [
        ("GB", "+442079460000", LONDON),
        ("GB", "00442079460000", LONDON),
        ("GB", "02079460000", LONDON),
        ("GB", "442079460000", LONDON),
        ("GB", "+44 (20) 7946-0000", LONDON),
        ("GB", "020 7946 0000", LONDON),
        ("CN", "013800138000", MOBILE),
        ("CN", "008613800138000", MOBILE),
        ("CN", "00442079460000", LONDON),
        ("US", "011442079460000", LONDON),
        ("US", "12125550123", "12125550123"),
        ("US", "2125550123", "12125550123"),
        ("US", "+12125550123", "12125550123"),
        ("HK", "23456789", "85223456789"),
        ("IT", "0612345678", None),
        ("JP", "01044207946", "44207946"),
    ],
)
def test_a_number_is_read_as_its_country_writes_it(country: str, written: str, meant: str | None) -> None:
    got = to_e164(pa.array([written]), numbering_of(country))
    if meant is None:
        assert got.kind[0] == NumberKind.INVALID
    else:
        assert (got.text.to_pylist(), got.kind[0]) == ([meant], NumberKind.VALID)


@pytest.mark.parametrize("written", ["", "anonymous", "Restricted", "unknown", "-", "+", "<>"])
def test_what_has_no_digit_is_withheld(written: str) -> None:
    got = to_e164(pa.array([written]), NUMBERING["GB"])
    assert (got.text.to_pylist(), got.kind[0]) == ([""], NumberKind.WITHHELD)


@pytest.mark.parametrize(
    "written",
    [
        "1234",
        "012",
        "1234567890123456",
        "44207a460000",
        "٤٤٢٠٧٩٤٦",
        "+0442079460000",
        "44207946+000",
        "0" * 40,
        "１２３４５６",
    ],
)
def test_what_is_no_number_is_kept_as_it_was_written(written: str) -> None:
    got = to_e164(pa.array([written]), NUMBERING["CN"])
    assert (got.text.to_pylist(), got.kind[0]) == ([written], NumberKind.INVALID)


@pytest.mark.parametrize(("digits", "kind"), [(4, 2), (5, 0), (15, 0), (16, 2)])
def test_a_number_has_5_to_15_digits(digits: int, kind: int) -> None:
    assert to_e164(pa.array(["4" * digits]), NUMBERING["GB"]).kind.tolist() == [kind]


def test_a_technical_prefix_comes_off_first() -> None:
    trunk = Numbering("44", technical_prefixes=("1234",))
    got = to_e164(pa.array(["123400442079460000", "123402079460000", "02079460000"]), trunk)
    assert got.text.to_pylist() == [LONDON] * 3


def test_the_longest_of_several_technical_prefixes_comes_off() -> None:
    trunk = Numbering("44", technical_prefixes=("12", "1234#", "99"))
    written = ["1234#00442079460000", "9902079460000", "1202079460000", "02079460000", "99", "12*97"]
    got = to_e164(pa.array(written), trunk)
    assert got.text.to_pylist() == [LONDON] * 4 + ["", "12*97"]
    assert got.kind.tolist() == [0, 0, 0, 0, NumberKind.WITHHELD, NumberKind.INVALID]


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("sip:+442079460000@192.0.2.1;user=phone", LONDON),
        ("<sip:02079460000@192.0.2.1:5060>", LONDON),
        ("tel:+44-20-7946-0000;npdi", LONDON),
        ("SIPS:00442079460000@example.net", LONDON),
        ("sip:anonymous@anonymous.invalid", ""),
        ("sip:alice@192.0.2.1", ""),
    ],
)
def test_a_number_is_taken_out_of_a_uri(written: str, number: str) -> None:
    assert to_e164(pa.array([written]), NUMBERING["GB"]).text.to_pylist() == [number]


def test_a_uri_without_a_number_is_kept_as_it_was_written() -> None:
    got = to_e164(pa.array(["sip:*97@192.0.2.1", "+442079460000"]), NUMBERING["GB"])
    assert got.text.to_pylist() == ["sip:*97@192.0.2.1", LONDON]
    assert got.kind.tolist() == [NumberKind.INVALID, NumberKind.VALID]


def test_an_unknown_country_is_refused() -> None:
    with pytest.raises(Malformed, match="no numbering is known"):
        numbering_of("XX")


def test_columns_may_be_sliced_chunked_or_empty() -> None:
    column = pa.chunked_array([["x", "+44207946"], ["0044207947", ""], []])
    assert to_e164(column, NUMBERING["GB"]).text.to_pylist() == ["", "44207946", "44207947", ""]
    assert to_e164(column.chunk(0).slice(1), NUMBERING["GB"]).text.to_pylist() == ["44207946"]
    assert to_e164(pa.chunked_array([], pa.string()), NUMBERING["GB"]).text.to_pylist() == []


def _plainly(written: str, numbering: Numbering) -> tuple[str, int]:
    rest = written
    digits = "".join(character for character in rest if character in "0123456789")
    strange = set(rest) - set("0123456789 -().+")
    plus = "+" in rest
    misplaced = plus and (rest.count("+") > 1 or any(character in "0123456789" for character in rest.split("+")[0]))
    if not digits and not any(ord(character) > 127 for character in rest):
        return "", NumberKind.WITHHELD
    national = False
    if not plus or misplaced:
        if digits.startswith(numbering.international_prefix):
            digits = digits.removeprefix(numbering.international_prefix)
        elif numbering.national_prefix and digits.startswith(numbering.national_prefix):
            digits, national = digits.removeprefix(numbering.national_prefix), True
        else:
            national = len(digits) == numbering.national_digits
    number = numbering.country_code + digits if national else digits
    bad = strange or misplaced or not 5 <= len(number) <= 15 or (not national and number[0] == "0")
    return (written, NumberKind.INVALID) if bad else (number, NumberKind.VALID)


@given(st.lists(st.text("0123456789 +-(a٣", max_size=18), max_size=6), st.sampled_from(sorted(NUMBERING)))
@settings(max_examples=300, deadline=None)
def test_columns_are_read_as_single_numbers(column: list[str], country: str) -> None:
    got = to_e164(pa.array(column, pa.string()), NUMBERING[country])
    expected = [_plainly(written, NUMBERING[country]) for written in column]
    assert list(zip(got.text.to_pylist(), got.kind.tolist(), strict=True)) == expected


@given(st.lists(st.text("0123456789+ -(a:/\u0663", max_size=20), max_size=12), st.sampled_from(sorted(NUMBERING)))
@settings(max_examples=200, deadline=None)
def test_a_number_is_read_alike_alone_and_among_others(written: list[str], country: str) -> None:
    """Alone it stands at the end of its column, where it is read one digit after the other."""
    together = to_e164(pa.array(written, pa.string()), NUMBERING[country])
    alone = [to_e164(pa.array([each]), NUMBERING[country]) for each in written]
    assert together.text.to_pylist() == [each.text[0].as_py() for each in alone]
    assert together.kind.tolist() == [each.kind[0] for each in alone]
