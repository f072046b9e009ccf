"""Does the page say what was signed, in both languages, and do its bars sum?"""

import string
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.documents.statement.page import net_of, page_of
from gateway.documents.statement.pdf import draw_pdf, statement_pdf
from gateway.documents.statement.shapes import exactly, grouped, percent_of, places_of
from gateway.documents.wording import CATALOGUES, document_words
from ledger.errors import Malformed
from ledger.money import parse_micros
from tests.gateway.documents.statement.contents import cause, changed, statement_of_october


def names_in(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_both_catalogues_have_the_same_keys_and_names() -> None:
    english, chinese = (tomllib.loads((CATALOGUES / f"{each}.toml").read_text("utf-8")) for each in ("en", "zh"))

    assert english.keys() == chinese.keys()
    for key in english:
        assert names_in(english[key]) == names_in(chinese[key]), key


def test_another_language_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Malformed, match="en or zh"):
        document_words("xx")


def test_the_page_says_in_words_what_both_signed() -> None:
    assert page_of(statement_of_october(), "en")["signed"]["lines"] == [
        "Voice: GB-B owes CN-T USD 1,204.10 now.",
        "Voice: CN-T owes GB-B USD 9,150.00 now. A further USD 350.00 is disputed and waits for the outcome.",
        "SMS: CN-T owes GB-B USD 0.00 now.",
        "Both directions together, CN-T owes GB-B USD 7,945.90.",
        "Payable by 2026-12-01, after netting with other carriers.",
        f"It covers the sealed usage batches with the joint hash 0x{bytes(range(32)).hex()}, and no others.",
    ]
    assert "GB-B 现应付 CN-T USD 1,204.10。" in page_of(statement_of_october(), "zh")["signed"]["lines"][0]


def test_a_draft_says_that_nobody_signed_it() -> None:
    page = page_of(statement_of_october("draft"), "en")

    assert (page["title"], page["draft"]) == ("Settlement statement, draft", True)
    assert not any("Payable" in each for each in page["signed"]["lines"])


def test_silence_is_named() -> None:
    assert page_of(statement_of_october("by_silence"), "en")["state"] == "Signed by GB-B; accepted by CN-T by silence."


def test_both_sides_stand_with_difference_and_share_exactly() -> None:
    rows = page_of(statement_of_october(), "en")["sides"]["rows"]

    assert rows[1] == [
        "Voice",
        "GB-B",
        "9,500.000000\n72,000 records",
        "9,100.000001\n71,000 records",
        "399.999999",
        "4.40",
        "9,150.000000",
        "350.000000",
    ]
    assert rows[2][5] == "−100.00"


def test_causes_lead_from_their_figure_to_ours_with_the_carriers_names() -> None:
    fall = page_of(statement_of_october(), "en")["causes"][1]

    assert fall["theirs"] == ["GB-B declared", "9,500.000000"]
    assert [(bar["label"], bar["amount"]) for bar in fall["bars"]] == [
        ("Missing at CN-T", "−350.000000"),
        ("Duration, within tolerance", "−60.000000"),
        ("Rounding", "+10.000001"),
    ]
    assert (fall["sum"][1], fall["ours"]) == ("−399.999999", ["CN-T declared", "9,100.000001"])


def test_a_direction_that_was_not_compared_says_so() -> None:
    falls = page_of(changed(("causes",), []), "en")["causes"]

    assert [each["compared"] for each in falls] == [True, False, False]


@given(st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=12))
def test_each_bar_begins_where_the_one_before_it_ended(amounts: list[int]) -> None:
    causes = [cause(f"cause_{at}", 1, amount) for at, amount in enumerate(amounts)]
    bars = page_of(changed(("causes",), causes), "en")["causes"][1]["bars"]

    assert [bar["to"] for bar in bars[:-1]] == [bar["from"] for bar in bars[1:]]
    assert all(0 <= bar[end] <= 1_000 for bar in bars for end in ("from", "to"))
    for bar, amount in zip(bars, amounts, strict=True):
        assert parse_micros(bar["amount"].replace("−", "-").replace(",", "")) == amount


@pytest.mark.parametrize("language", ["en", "zh"])
def test_two_renders_give_the_same_bytes_without_a_date(language: str) -> None:
    first, second = (draw_pdf(statement_of_october(), language) for _ in range(2))

    assert first == second
    assert not any(word in first for word in (b"CreationDate", b"ModDate", b"CreateDate", b"ModifyDate"))


def test_the_chinese_page_carries_the_glyphs_it_shows() -> None:
    """No glyph is missing: the font of the locked package has them all, none comes from the machine."""
    document = statement_pdf(statement_of_october(), "zh")

    assert document.name == "statement-CN-T-GB-B-2026-10-zh.pdf"
    assert b"NotoSansSC" in document.content


def test_whoever_owes_net_is_named() -> None:
    assert net_of(statement_of_october()) == ("CN-T", "GB-B", 7_945_900_000)


@pytest.mark.parametrize(
    ("micros", "shown"),
    [
        (0, "0.00"),
        (1_204_100_000, "1,204.10"),
        (-84_000, "−0.084"),
        (1, "0.000001"),
        (-1_234_567_890_000, "−1,234,567.89"),
    ],
)
def test_amounts_are_exact_with_two_places_or_more(micros: int, shown: str) -> None:
    assert exactly(micros) == shown


def test_a_column_has_one_number_of_places() -> None:
    assert [grouped(each, places_of([1_500_000, 12_000])) for each in (1_500_000, 12_000)] == ["1.500", "0.012"]
    assert (percent_of(1, 3), percent_of(-1, 0)) == ("33.33", "—")
