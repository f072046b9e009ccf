"""Does looking at a column's bytes say the same as the pattern does of each text?"""

import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway.bulk.judging
from gateway.bulk.judging import NUMBER, TEXT, Kind, unlike

numbers = st.text("0123456789", max_size=16)
texts = st.lists(st.none() | numbers | st.text(max_size=34) | st.just("44"), max_size=8)


def by_pattern(text: str | None, kind: Kind, *, or_empty: bool) -> bool:
    fits = text is not None and re.fullmatch(kind.pattern.strip("^$"), text) is not None
    return not (fits or (or_empty and text == ""))


@given(texts, st.sampled_from((NUMBER, TEXT)))
def test_bytes_and_pattern_say_the_same(given_texts: list[str | None], kind: Kind) -> None:
    for or_empty in (False, True):
        asked = [text or "" for text in given_texts] if or_empty else given_texts
        column = pa.array(["left out", *asked], pa.string())[1:]
        answer = unlike(column, kind, or_empty=or_empty).to_pylist()
        assert answer == [by_pattern(text, kind, or_empty=or_empty) for text in asked]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("0441", NUMBER),
        ("4" * 16, NUMBER),
        ("44/", NUMBER),
        ("44:", NUMBER),
        ("", TEXT),
        ("r" * 33, TEXT),
        ("a\x7f", TEXT),
    ],
)
def test_a_text_next_to_a_kind_is_not_of_it(text: str, kind: Kind) -> None:
    assert unlike(pa.array(["44", text]), kind).to_pylist() == [False, True]


def test_a_look_at_bytes_that_forgets_a_rule_would_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: everything looks as it should."""
    monkeypatch.setattr(gateway.bulk.judging, "_all_are", lambda *_, **__: True)
    assert unlike(pa.array(["44", "0441"]), NUMBER).to_pylist() != [False, True]
