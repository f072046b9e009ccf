"""Is a carrier's name and account read as it stands, and what is none refused with carrier and field?"""

from pathlib import Path

import pytest

from gateway.documents.parties import iban_holds, load_parties, party_of, payable_party
from ledger.errors import Malformed, NotFound
from ledger.identity import CarrierCode

GB_B = CarrierCode("GB-B")


def written(folder: Path, text: str) -> Path:
    (folder / "parties.toml").write_text(text, "utf-8")
    return folder


def test_a_party_is_read_with_its_iban_in_any_spacing(tmp_path: Path) -> None:
    home = written(tmp_path, '["GB-B"]\nname = "Example"\ncountry = "GB"\niban = "GB33 BUKB 2020 1555 5555 55"\n')
    party = load_parties(home)[GB_B]

    assert (party.name, party.iban, party.bic) == ("Example", "GB33BUKB20201555555555", None)
    assert payable_party(load_parties(home), GB_B) == party


def test_without_a_file_a_carrier_is_its_code_and_cannot_be_paid(tmp_path: Path) -> None:
    assert party_of(load_parties(tmp_path), GB_B).name == "GB-B"
    with pytest.raises(NotFound, match=r"parties\.toml"):
        payable_party({}, GB_B)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('["GB-B"]\niban = "GB33BUKB20201555555556"\n', "another checksum"),
        ('["GB-B"]\niban = "GB33"\n', "iban of GB-B is none"),
        ('["GB-B"]\nbic = "BUK"\n', "bic of GB-B is none"),
        ('["GB-B"]\ncountry = "Britain"\n', "country of GB-B is none"),
        ('["GB-B"]\nIBAN = "x"\n', "GB-B cannot be read"),
        ('["GB-B"]\nname = 5\n', "name of GB-B is no text"),
        ('["GB-B"]\nname = "a\\u0000b"\n', "name of GB-B is no text"),
        ('["gb b"]\nname = "x"\n', "carrier"),
        ("GB-B = 5\n", "GB-B cannot be read"),
        ("[[[", "cannot be read"),
    ],
)
def test_what_is_none_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(Malformed, match=said):
        load_parties(written(tmp_path, text))


def test_every_wrong_check_digit_is_found() -> None:
    """The example of ISO 13616's registry for the United Kingdom."""
    good = "GB33BUKB20201555555555"

    assert [digits for digits in range(100) if iban_holds(f"GB{digits:02d}{good[4:]}")] == [33]
