"""Do the credit cells of both pages tell the alert shares of the engine, and when a line will be full?"""

from pathlib import Path

import pytest

from gateway.api.app import build_app
from gateway.composition import Gateway, partnership_with
from gateway.desk.views.credit import CreditRow
from gateway.desk.views.moods import Mood
from ledger.chain.bindings import CreditLineGranted, ExposureChanged, LimitPolicy
from ledger.identity import ascii32
from ledger.store.engine import writing
from tests.gateway.asking import Browser
from tests.gateway.chain_rows import said
from tests.gateway.desk.test_statement import CN_T, GB_B, settled_gateway
from tests.gateway.detoured import agreed


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    made, held = settled_gateway(tmp_path)
    agreed(made, held.id, CN_T, GB_B)
    return made


def pages(gateway: Gateway, exposure: int, language: str) -> tuple[str, str]:
    """The first page and the statement's, once 1,000,000 micros may be owed and `exposure` is."""
    held_id = partnership_with(gateway.settings, GB_B).id
    with writing(gateway.engine) as connection:
        said(connection, CreditLineGranted(held_id, ascii32(GB_B), 1_000_000, LimitPolicy.REFUSE, 0, 1))
        said(connection, ExposureChanged(held_id, ascii32(GB_B), exposure, exposure, 1_000_000))
    browser = Browser(build_app(gateway))
    shown = [browser.get(f"{path}?lang={language}") for path in ("/desk", "/desk/statements/GB-B/2026-10")]
    gateway.close()
    assert [page.status_code for page in shown] == [200, 200]
    return shown[0].text, shown[1].text


@pytest.mark.parametrize(
    ("exposure", "percent", "mood"),
    [
        (0, 0, Mood.GOOD),
        (499_999, 0, Mood.GOOD),
        (500_000, 50, Mood.GOOD),
        (750_000, 75, Mood.WARN),
        (899_999, 75, Mood.WARN),
        (900_000, 90, Mood.WARN),
        (1_000_000, 100, Mood.BAD),
    ],
)
def test_a_cell_tells_the_highest_share_reached(exposure: int, percent: int, mood: Mood) -> None:
    row = CreditRow("GB-B", "CN-T", 1_000_000, exposure, stopped=False)

    assert (row.alert_percent, row.mood) == (percent, mood)


def test_a_line_of_zero_is_full_with_the_first_use_only() -> None:
    unused, used = (CreditRow("GB-B", "CN-T", 0, exposure, stopped=False) for exposure in (0, 1))

    assert (unused.alert_percent, unused.used_permille, unused.mood) == (0, 0, Mood.GOOD)
    assert (used.alert_percent, used.used_permille, used.mood) == (100, 1_000, Mood.BAD)


@pytest.mark.parametrize(("language", "words"), [("en", "90 % of the line reached"), ("zh", "已达额度的 90 %")])
def test_the_statement_tells_the_share_in_the_readers_language(gateway: Gateway, language: str, words: str) -> None:
    _, statement = pages(gateway, 910_000, language)

    assert words in statement


def test_below_half_of_the_line_no_alert_is_told(gateway: Gateway) -> None:
    first, statement = pages(gateway, 499_999, "en")

    assert "of the line reached" not in first + statement
    assert "has reached" not in first


@pytest.mark.parametrize(
    ("exposure", "language", "words"),
    [
        (760_000, "en", "CN-T has reached 75 % of its line with GB-B."),
        (1_000_000, "zh", "CN-T 已达 GB-B 授信额度的 100 %。"),
    ],
)
def test_from_three_quarters_on_the_first_page_asks_for_a_person(
    gateway: Gateway, exposure: int, language: str, words: str
) -> None:
    first, _ = pages(gateway, exposure, language)

    assert words in first
