"""Are the thresholds of [detectors] read strictly, and bound by the hash only where there are any?"""

from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.agreement_file import document_hash, dump_agreement, parse_agreement
from ledger.detector_terms import DetectorTerms
from ledger.detector_terms_file import detector_terms_values
from ledger.errors import Malformed

PLAIN = """\
carriers = ["CN-T", "GB-B"]
currency = "USD"
services = ["voice"]
zone = "UTC"
valid_from = 2026-09-01
"""
HASH_BEFORE_THERE_WERE_DETECTORS = "db5dfd4aa731e0fdf6695788454492fdd33e428c1ef4a1fbc41147f196a665ac"


@pytest.mark.parametrize(
    "line",
    [
        "irsf_call = 20",
        "irsf_calls = 0",
        "irsf_calls = -1",
        'irsf_calls = "20"',
        "irsf_calls = true",
        "odds_power = 9.5",
    ],
)
def test_what_is_no_threshold_is_refused(line: str) -> None:
    with pytest.raises(Malformed):
        parse_agreement(f"{PLAIN}\n[detectors]\n{line}\n")


def test_a_threshold_is_read_and_the_others_keep_their_defaults() -> None:
    agreement = parse_agreement(f"{PLAIN}\n[detectors]\nirsf_calls = 40\n")
    assert agreement.detectors == DetectorTerms(irsf_calls=40)


def test_an_agreement_without_the_section_keeps_the_hash_it_had_before_there_was_one() -> None:
    assert document_hash(parse_agreement(PLAIN)).hex() == HASH_BEFORE_THERE_WERE_DETECTORS
    named = "\n".join(f"{each.name} = {each.default}" for each in fields(DetectorTerms))
    agreement = parse_agreement(f"{PLAIN}\n[detectors]\n{named}\n")
    assert document_hash(agreement).hex() == HASH_BEFORE_THERE_WERE_DETECTORS


def test_every_threshold_changes_the_hash() -> None:
    agreements = [parse_agreement(f"{PLAIN}\n[detectors]\n{each.name} = 77\n") for each in fields(DetectorTerms)]
    assert len({document_hash(each) for each in (parse_agreement(PLAIN), *agreements)}) == len(agreements) + 1


@given(st.builds(DetectorTerms, *[st.integers(1, 10**9)] * len(fields(DetectorTerms))))
def test_thresholds_written_are_read_back(terms: DetectorTerms) -> None:
    lines = "\n".join(f"{each.name} = {getattr(terms, each.name)}" for each in fields(terms))
    agreement = parse_agreement(f"{PLAIN}\n[detectors]\n{lines}\n")
    assert agreement.detectors == terms
    assert parse_agreement(dump_agreement(agreement)) == agreement


def test_defaults_bind_nothing() -> None:
    assert detector_terms_values(DetectorTerms()) == []


def test_the_page_names_every_threshold_with_its_default() -> None:
    page = (Path(__file__).parents[2] / "docs" / "formats.md").read_text("utf-8")
    assert [each.name for each in fields(DetectorTerms) if f"| `{each.name}` | {each.default} |" not in page] == []
