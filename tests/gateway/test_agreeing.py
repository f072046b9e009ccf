"""Is the first deck of each service its initial one, also while others wait, and is each published once?"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway import month
from gateway.composition import Gateway, partnership_with
from ledger.agreement_file import dump_agreement
from ledger.chain.bindings import RateChange, RateDeckPublished
from ledger.identity import ascii32
from ledger.service import Service
from ledger.store.engine import reading, writing
from ledger.store.outbox import list_submissions
from tests.gateway.chain_rows import said
from tests.gateway.homes import lonely_gateway
from tests.reconciliation.records import CN, GB, agreement

SOON = 1_800_000_000


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """CN-T's gateway; its agreement file names voice, later versions may name more."""
    monkeypatch.setattr(Gateway, "catch_up", lambda _: None)
    made = lonely_gateway(tmp_path)
    (made.settings.agreements_path / "gb-b.toml").write_text(dump_agreement(agreement()))
    for rate in (3, 4, 5):
        deck = f"destination,code,rate,increment\nChina,86,0.0{rate}00,1/1\n"
        (made.settings.decks_path / f"{rate}.csv").write_text(deck)
    yield made
    made.close()


def test_of_two_decks_that_wait_only_the_first_is_the_initial_one(gateway: Gateway) -> None:
    changes = [month.publish_rates(gateway, GB, f"{rate}.csv", SOON).change for rate in (3, 4, 3)]
    assert changes == ["initial", "increase", "initial"], "the last is the first one said again"
    with reading(gateway.engine) as connection:
        assert len(list_submissions(connection, kind="rates")) == 2


def test_a_service_that_an_amendment_added_begins_with_an_initial_deck(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The planted fault is to count services of the first version only: the chain would miss the initial deck."""
    held = partnership_with(gateway.settings, GB)
    times = (SOON, 1, SOON)
    notice = RateDeckPublished(held.id, ascii32(CN), Service.VOICE, RateChange.INITIAL, b"\1" * 32, *times)
    with writing(gateway.engine) as connection:
        said(connection, notice)
    voice = month.publish_rates(gateway, GB, "4.csv", SOON)
    original = month.agreeing.load_service_deck
    monkeypatch.setattr(
        "gateway.month.agreeing.load_service_deck", lambda path, currency, _: original(path, currency, Service.VOICE)
    )
    data = month.publish_rates(gateway, GB, "5.csv", SOON, service=Service.DATA)

    assert (voice.change, voice.seq) == ("increase", 2)
    assert (data.change, data.seq) == ("initial", 3)
    assert replace(data, submission=None) == replace(
        month.publish_rates(gateway, GB, "5.csv", SOON, service=Service.DATA), submission=None
    )
