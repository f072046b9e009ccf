"""Is every finding and suspicion said in both languages, with its rule, its number and its unit?"""

from dataclasses import replace

import pytest

from gateway.answers import Money
from gateway.desk.drawing import Page, draw
from gateway.desk.views.explained import of_arbitrage, of_suspicion
from gateway.desk.views.suspicions import RiskView, SuspicionView, group_of, risk_of_suspicion
from gateway.desk.wording import LANGUAGES, Words, words_of
from gateway.month.bypassing import FoundArbitrage
from ledger.identity import CarrierCode
from ledger.money import Micros
from ledger.period import Period
from ledger.service import Service
from ledger.store.suspicions import SuspicionRow
from reconciliation.arbitrage.circles import Scheme
from reconciliation.finding import Cause
from reconciliation.suspicion import SuspicionKind

CN_T, GB_B = CarrierCode("CN-T"), CarrierCode("GB-B")
ROW = SuspicionRow(
    period=Period(2026, 10),
    number=1,
    kind="irsf",
    confidence=90,
    service=Service.VOICE,
    creditor=GB_B,
    debtor=CN_T,
    declarer=GB_B,
    subject="441900*",
    currency="USD",
    count=1_234,
    at_risk_micros=Micros(56_780_000),
    rule="30 calls or more",
    explanation="1,234 calls of 2 calling numbers",
    evidence_path=None,
    found_at_ms=0,
)


def missing_of(words: Words) -> set[str]:
    """Words that a page of findings or suspicions would look for in vain."""
    kinds, causes = list(SuspicionKind), list(Cause)
    wanted = {f"{place}.{kind}" for kind in kinds for place in ("suspicion", "suspected", "rule")}
    wanted |= {f"{place}.{cause}" for cause in causes for place in ("cause", "explained", "rule")}
    wanted |= {f"{place}.{scheme}" for scheme in Scheme for place in ("scheme", "arbitrage")}
    return wanted - words.texts.keys()


def page(language: str) -> Page:
    return Page(CN_T, language, asked_language=True, path="/desk/fraud", now_s=0, health_text="", health_mood="")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_cause_and_scheme_has_its_sentence_and_rule(language: str) -> None:
    words = words_of(language)
    without = {key: text for key, text in words.texts.items() if key != "suspected.sim_box"}

    assert missing_of(words) == set()
    assert missing_of(Words(language, without)) == {"suspected.sim_box"}  # the planted gap is found


@pytest.mark.parametrize(("language", "both"), [("en", ("one side", "the other")), ("zh", ("一方", "另一方"))])
def test_a_month_crossing_accuses_neither_side(language: str, both: tuple[str, str]) -> None:
    """Either side may have put the calls into the month that is read."""
    said = words_of(language)("explained.period_crossing", count="2", unit="USD", amount="1.00")
    assert all(each in said for each in both)
    assert "other side" not in said and "对方" not in said


@pytest.mark.parametrize("kind", SuspicionKind)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_suspicion_is_drawn_in_the_readers_language(kind: SuspicionKind, language: str) -> None:
    row = replace(ROW, kind=kind.value)
    one = SuspicionView(row, of_suspicion(row), group_of(kind.value), [], [], 0, 0, None)
    all_ = RiskView([risk_of_suspicion(row, CN_T)], [(group_of(kind.value), "USD", 56_780_000, 1)])
    pages = [draw("suspicion.html", page(language), view=one), draw("risk.html", page(language), view=all_)]

    for text in pages:
        assert (ROW.explanation in text) is (language == "en")
        assert (words_of("zh")(f"suspicion.{kind}") in text) is (language == "zh")
    assert (ROW.rule in pages[0]) is (language == "en")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", SuspicionKind)
def test_the_catalogues_sentence_has_the_number_the_unit_and_what_it_is_about(
    kind: SuspicionKind, language: str
) -> None:
    said = of_suspicion(replace(ROW, kind=kind.value)).said.in_words(words_of(language))

    assert all(each in said for each in ("441900*", "1,234", "USD 56.78"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_ring_of_four_names_them_all(language: str) -> None:
    cycle = tuple(map(CarrierCode, ("CN-T", "GB-B", "HK-X", "US-A")))
    nothing = Money("USD", Micros(0))
    found = FoundArbitrage(
        number=1,
        scheme="ring",
        cycle=cycle,
        destination="Alaska",
        codes=("1907",),
        loser=CN_T,
        gain=Money("USD", Micros(20_000)),
        minutes=0,
        count=0,
        lost=nothing,
        exposed_minutes=0,
        at_risk=nothing,
        creditor=None,
        debtor=None,
        declarer=None,
        explanation="",
        evidence=None,
    )
    said = of_arbitrage(found).in_words(words_of(language))

    assert "GB-B → HK-X" in said
    assert "US-A" in said
