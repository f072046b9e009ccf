"""Would we notice a contract that no longer is what the committed artifacts and bindings say?"""

import json
import shutil
from pathlib import Path

import pytest

from deploy import artifacts
from deploy.artifacts import ARTIFACTS, BINDINGS, differences, generated_files, main, write
from deploy.node import ROOT


@pytest.fixture(scope="module")
def generated() -> dict[str, str]:
    return dict(generated_files())


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what is committed."""
    shutil.copytree(ROOT / ARTIFACTS, tmp_path / ARTIFACTS)
    (tmp_path / BINDINGS).parent.mkdir(parents=True)
    shutil.copy(ROOT / BINDINGS, tmp_path / BINDINGS)
    return tmp_path


def test_a_changed_bytecode_is_named(generated: dict[str, str], tree: Path) -> None:
    path = tree / ARTIFACTS / "CreditBook.json"
    changed = json.loads(path.read_text())
    changed["bytecode"] = changed["bytecode"][:-2] + "00"
    path.write_text(json.dumps(changed))
    (line,) = differences(generated, tree)
    assert line == "contracts/artifacts/CreditBook.json differs from what the contracts compile to (bytecode)"


def test_a_changed_line_of_the_bindings_is_named(generated: dict[str, str], tree: Path) -> None:
    path = tree / BINDINGS
    lines = path.read_text().splitlines(keepends=True)
    lines[99] = "# changed by hand\n"
    path.write_text("".join(lines))
    (line,) = differences(generated, tree)
    assert line == "ledger/chain/bindings.py differs from what the contracts compile to (from line 100)"


def test_a_missing_artifact_is_named(generated: dict[str, str], tree: Path) -> None:
    (tree / ARTIFACTS / "UsageLedger.json").unlink()
    assert differences(generated, tree) == ["contracts/artifacts/UsageLedger.json is missing"]


def test_an_artifact_of_no_contract_is_named_and_removed(generated: dict[str, str], tree: Path) -> None:
    (tree / ARTIFACTS / "Forgotten.json").write_text("{}")
    assert differences(generated, tree) == ["contracts/artifacts/Forgotten.json belongs to no contract"]
    write(generated, tree)
    assert differences(generated, tree) == []


def test_the_check_says_what_to_run_and_writes_nothing(
    generated: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (ROOT / BINDINGS).read_text()
    monkeypatch.setattr(artifacts, "generated_files", lambda: {**generated, BINDINGS: "other"})
    assert main(["--check"]) == 1
    assert "make artifacts" in capsys.readouterr().err
    assert (ROOT / BINDINGS).read_text() == before


def test_a_contract_that_does_not_compile_is_an_exit_code_and_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("deploy.solidity.read_sources", lambda: {"contracts/X.sol": "contract X {"})
    assert main(["--check"]) == 1
    assert "the contracts do not compile" in capsys.readouterr().err


def test_what_is_committed_is_what_the_contracts_compile_to(generated: dict[str, str]) -> None:
    assert differences(generated) == []


def test_writing_makes_the_tree_equal_and_twice_changes_nothing(generated: dict[str, str], tmp_path: Path) -> None:
    write(generated, tmp_path)
    assert differences(generated, tmp_path) == []
    times = {path: (tmp_path / path).stat().st_mtime_ns for path in generated}
    write(generated, tmp_path)
    assert {path: (tmp_path / path).stat().st_mtime_ns for path in generated} == times
