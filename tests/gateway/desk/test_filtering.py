"""Which months are offered, and where does the way to "the statement" lead?"""

from pathlib import Path

from gateway.api.app import build_app
from gateway.composition import partnership_with
from gateway.desk.filtering import choices_of
from ledger.agreement_file import dump_agreement
from ledger.chain.bindings import Declaration, UsageDeclared
from ledger.identity import AgreementId, BatchId, CarrierCode, ascii32
from ledger.service import Service
from ledger.store.engine import writing
from tests.gateway.asking import Browser
from tests.gateway.chain_rows import said
from tests.gateway.homes import lonely_gateway
from tests.reconciliation.records import agreement


def declared(number: int, of: AgreementId, period: int) -> UsageDeclared:
    """A declaration of a month under an agreement."""
    declaration = Declaration(
        agreement_id=of,
        declarer=ascii32("CN-T"),
        creditor=ascii32("GB-B"),
        seq=number,
        service=Service.VOICE,
        period=period,
        root=bytes([number] * 32),
        count=1,
        from_ms=1,
        to_ms=2,
        quantity=1,
        amount_micros=1,
        deck_hash=bytes(32),
        corrects=bytes(32),
        igw=bytes(32),
        deadline=9,
    )
    return UsageDeclared(BatchId(bytes([number] * 32)), of, ascii32("CN-T"), declaration, 1)


def test_a_month_that_only_others_declared_is_not_ours_to_look_at(tmp_path: Path) -> None:
    gateway = lonely_gateway(tmp_path)
    browser = Browser(build_app(gateway))
    nowhere = browser.get("/desk/statements?lang=zh")
    (gateway.settings.agreements_path / "gb-b.toml").write_text(dump_agreement(agreement()))
    ours = partnership_with(gateway.settings, CarrierCode("GB-B")).id
    foreign = AgreementId(bytes(31) + b"\x09")
    with writing(gateway.engine) as connection:
        said(connection, declared(1, ours, 202610), declared(2, foreign, 202611))
    choices = choices_of(gateway)
    latest = browser.get("/desk/statements?lang=zh&service=voice")
    asked = browser.get("/desk/statements?partner=GB-B&period=2026-11")
    gateway.close()

    assert (choices.periods, choices.partners) == (("2026-10",), ("GB-B",))
    assert nowhere.headers["location"] == "/desk?lang=zh", "nothing is declared yet: the first page says what to do"
    assert latest.headers["location"] == "/desk/statements/GB-B/2026-10?lang=zh&service=voice"
    assert asked.headers["location"] == "/desk/statements/GB-B/2026-10", "a month that is not there is not asked for"
