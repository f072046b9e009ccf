"""Are the decks of the folder those that lie in it now, each read once while its file stays as it is?"""

from pathlib import Path

import pytest

from gateway.month import decks
from gateway.month.decks import deck_files
from ledger.prices.deck import deck_hash
from ledger.prices.deck_file import parse_deck
from ledger.service import Service

UK = "destination,code,rate,increment,currency\nUnited Kingdom,44,0.0080,60/60,USD\n"
DEARER = UK.replace("0.0080", "0.00905")


def test_what_is_no_deck_or_in_another_currency_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "notes.csv").write_text("what,we,said\n")
    (tmp_path / "euro.csv").write_text(UK.replace("USD", "EUR"))
    assert deck_files(tmp_path, "USD", Service.VOICE) == {}


def test_a_deck_is_read_once_and_again_when_its_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, honest = [], decks.load_service_deck
    monkeypatch.setattr(decks, "load_service_deck", lambda *given: read.append(given) or honest(*given))
    path = tmp_path / "uk.csv"
    for text, times in ((UK, 1), (UK, 1), (DEARER, 2)):
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
        deck = parse_deck(text, "USD")
        assert deck_files(tmp_path, "USD", Service.VOICE) == {deck_hash(deck): deck}
        assert len(read) == times
