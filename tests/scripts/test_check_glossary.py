"""Does the glossary check find a word that should not be there, and leave the others alone?"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.check_glossary import FOLDERS, GLOSSARY, ROOT, Glossary, check_file, check_tree, read_glossary

TABLES = """\
| word | means | not |
|---|---|---|
| rate deck | a list of prices | tariff, price plan |
| creditor | who is owed | seller, home (as a party) |
| key, signer | the signing side | wallet |

| allowed name | why |
|---|---|
| `walletconnect`, `TariffApi` | foreign |
| `seller` in `tests/` | foreign |
"""


@pytest.fixture
def glossary() -> Glossary:
    return read_glossary(TABLES)


def _names(path: str, text: str, glossary: Glossary) -> list[tuple[int, str]]:
    return [(slip.line, slip.name) for slip in check_file(Path(path), text, glossary)]


def test_an_avoided_word_is_found_in_snake_camel_and_capitals(glossary: Glossary) -> None:
    text = "wallet_key = 1\nclass SellerRow: ...\nPRICE_PLANS = 2\n"
    assert _names("ledger/x.py", text, glossary) == [(1, "wallet_key"), (2, "SellerRow"), (3, "PRICE_PLANS")]


def test_an_avoided_word_is_found_in_solidity_outside_comments_and_texts(glossary: Glossary) -> None:
    text = '// a wallet\n/* seller\n seller */ uint256 tariffMicros; string s = "wallet";\n'
    assert _names("contracts/X.sol", text, glossary) == [(3, "tariffMicros")]


def test_an_avoided_word_is_found_in_the_code_of_a_document_and_not_in_its_prose(glossary: Glossary) -> None:
    text = "A seller has a `wallet`.\n\n```python\ntariff = 1\n```\n"
    assert _names("docs/x.md", text, glossary) == [(1, "wallet"), (4, "tariff")]


def test_the_slip_names_the_word_to_use(glossary: Glossary) -> None:
    slip = next(check_file(Path("ledger/x.py"), "price_plan = 1\n", glossary))
    assert str(slip) == "ledger/x.py:1: price_plan says 'price plan'; the glossary's word is 'rate deck'"


@pytest.mark.parametrize("name", ["home", "walletconnect", "TariffApi", "resellers", "price", "plan_price"])
def test_words_in_brackets_allowed_names_and_longer_words_are_left_alone(name: str, glossary: Glossary) -> None:
    assert _names("ledger/x.py", f"{name} = 1\n", glossary) == []


def test_a_name_allowed_in_one_folder_is_found_in_the_others(glossary: Glossary) -> None:
    assert _names("tests/gateway/x.py", "seller = 1\n", glossary) == []
    assert _names("gateway/x.py", "seller = 1\n", glossary) == [(1, "seller")]


def test_the_sentence_that_names_a_test_is_prose(glossary: Glossary) -> None:
    assert _names("tests/gateway/x.py", "def test_a_seller_has_a_wallet(): ...\n", glossary) == []


def test_texts_and_comments_of_python_are_left_alone(glossary: Glossary) -> None:
    assert _names("ledger/x.py", '"""A wallet."""\nx = "seller"  # tariff\n', glossary) == []


def test_this_tree_uses_the_words_of_its_glossary() -> None:
    assert [str(slip) for slip in check_tree(ROOT)] == []


def test_the_check_fails_on_a_planted_word_and_passes_without_it(tmp_path: Path) -> None:
    for folder in FOLDERS:
        (tmp_path / folder).mkdir()
    shutil.copy(ROOT / GLOSSARY, tmp_path / GLOSSARY)
    (tmp_path / "ledger" / "good.py").write_text("rate_deck = 1\n")
    command = [sys.executable, "-m", "scripts.check_glossary", str(tmp_path)]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 0
    (tmp_path / "ledger" / "bad.py").write_text("tariff = 1\n")
    failed = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert failed.returncode == 1
    assert "ledger/bad.py:1: tariff says 'tariff'; the glossary's word is 'rate'" in failed.stdout
