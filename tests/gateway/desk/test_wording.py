"""Does each language say the same, and does what is counted agree with its number?"""

import re
import string
from pathlib import Path

import pytest

from gateway.desk import wording
from gateway.desk.wording import One, Words, words_of

ENGINES_OWN = ("explained.", "suspected.")
"""In English a finding and a suspicion speak the engine's sentence; these are for the other languages."""
SAME_FOR_ONE = {
    "findings.hint",
    "deck.unchanged",
    "sheet.more",
    "webhook.behind",
    "webhook.failures",
}
"""What counts without naming what: "1 more" is as right as "2 more"."""
COUNTING = ("{count}", "{days}", "{versions}", "{records}")


def names_in(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_both_catalogues_have_the_same_keys_and_names() -> None:
    english, chinese = words_of("en").texts, words_of("zh").texts

    assert english.keys() == chinese.keys()
    for key in english:
        assert names_in(english[key]) == names_in(chinese[key]), key


def test_the_chinese_catalogue_is_chinese() -> None:
    plain = [key for key, text in words_of("zh").texts.items() if not re.search("[\u4e00-\u9fff]", text)]

    assert plain == ["other_language"]


def in_brackets(text: str) -> list[str]:
    """Endings that leave it to the reader how many there are."""
    return re.findall(r"\w\((?:s|es|ies)\)", text)


def english_texts() -> list[str]:
    english = words_of("en")
    return [*english.texts.values(), *(one.text for one in english.ones.values())]


def test_no_text_leaves_the_number_to_the_reader() -> None:
    assert in_brackets("1 open dispute(s), 2 entry(ies)") == ["e(s)", "y(ies)"]
    assert [text for text in english_texts() if in_brackets(text)] == []


def test_every_english_text_that_counts_says_what_one_is() -> None:
    english = words_of("en")
    counting = {
        key
        for key, text in english.texts.items()
        if any(each in text for each in COUNTING) and not key.startswith(ENGINES_OWN)
    }

    assert len(english.ones) > 30
    assert counting - english.ones.keys() == SAME_FOR_ONE


def test_one_says_what_many_say_and_counts_by_a_name_of_theirs() -> None:
    english = words_of("en")
    for key, one in english.ones.items():
        assert one.by in names_in(english.texts[key]), key
        assert names_in(one.text) | {one.by} == names_in(english.texts[key]), key
        assert one.text != english.texts[key], key


def test_chinese_has_one_form_for_any_number() -> None:
    assert words_of("zh").ones == {}


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 findings"), (1, "1 finding"), ("1", "1 finding"), (2, "2 findings"), ("1,001", "1,001 findings")],
)
def test_the_text_agrees_with_its_number_however_it_is_shown(count: object, said: str) -> None:
    assert words_of("en")("risk.count", count=count) == said


def test_another_name_than_count_may_count() -> None:
    words = Words("en", {"late": "{days} days late"}, {"late": One("days", "{days} day late")})

    assert (words("late", days=1), words("late", days=11)) == ("1 day late", "11 days late")
    with pytest.raises(KeyError):
        words("late", count=1)


def test_a_text_that_stands_in_two_files_is_a_mistake_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "xx"
    folder.mkdir()
    (folder / "one.toml").write_text('a = "a"\n"b.c".one = "b"\n"b.c".other = "bs"\n')
    monkeypatch.setattr(wording, "CATALOGUES", tmp_path)
    assert words_of.__wrapped__("xx") == Words("xx", {"a": "a", "b.c": "bs"}, {"b.c": One("count", "b")})
    (folder / "two.toml").write_text('"b.c" = "again"\n')

    with pytest.raises(AssertionError, match=r"two\.toml repeats"):
        words_of.__wrapped__("xx")
