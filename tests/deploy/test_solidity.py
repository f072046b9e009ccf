"""Do the contracts compile, to the same bytes everywhere, through py-solc-x and the stand-in for its compiler?"""

import json
import subprocess
from pathlib import Path

import pytest
import solcx

from deploy import node as node_module
from deploy.committed import bytecode_of
from deploy.compiler import SOLC_VERSION, run_solc, solc_program
from deploy.node import ROOT, node
from deploy.solidity import OUTPUTS, SETTINGS, compile_contracts, compile_sources, read_sources
from ledger.errors import Malformed, Unavailable

HEAD = "// SPDX-License-Identifier: Apache-2.0\npragma solidity ^0.8.24;\n"


def test_a_source_with_a_mistake_is_refused_with_the_compilers_words() -> None:
    with pytest.raises(Malformed, match="Expected"):
        compile_sources({"contracts/X.sol": HEAD + "contract X { function f( }"})


def test_an_import_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(Malformed, match=r"Nowhere\.sol"):
        compile_sources({"contracts/X.sol": HEAD + 'import {A} from "./Nowhere.sol"; contract X {}'})


def test_a_file_outside_the_repository_cannot_be_imported(tmp_path: Path) -> None:
    (tmp_path / "Secret.sol").write_text(HEAD + "contract Secret {}")
    reached = "../" * len(ROOT.parts) + str(tmp_path / "Secret.sol").lstrip("/")
    with pytest.raises(Malformed):
        compile_sources({"contracts/X.sol": HEAD + f'import {{Secret}} from "{reached}"; contract X is Secret {{}}'})


def test_a_machine_without_the_compiler_package_hears_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SOLCX_BINARY_PATH", str(tmp_path / "empty"))
    monkeypatch.setattr(node_module, "PACKAGES", tmp_path)
    monkeypatch.setattr(node_module, "ROOT", tmp_path)
    with pytest.raises(Unavailable, match=r"npm package solc is not installed.*make install"):
        solc_program()


def test_a_warning_of_the_compiler_is_reported() -> None:
    unused = HEAD + "contract X { function f() external pure { uint256 unused; } }"
    (warning,) = compile_sources({"contracts/X.sol": unused}).warnings
    assert "Unused local variable" in warning


def test_the_contracts_compile_without_a_warning() -> None:
    assert list(compile_sources(read_sources()).warnings) == []


def test_every_contract_of_the_design_is_there_and_deployable() -> None:
    compiled = compile_contracts()
    deployable = {name for name, artifact in compiled.items() if artifact.is_deployable}
    assert {
        "CarrierRegistry",
        "AgreementBook",
        "UsageLedger",
        "CreditBook",
        "SettlementBook",
        "PaymentBook",
    } <= deployable
    assert "IUsageLedger" in compiled.keys() - deployable


def test_the_settings_are_those_the_design_measured() -> None:
    assert SETTINGS["evmVersion"] == "paris"
    assert SETTINGS["optimizer"] == {"enabled": True, "runs": 200}
    assert SETTINGS["viaIR"] is False
    assert SETTINGS["metadata"] == {"bytecodeHash": "none", "appendCBOR": False}


def test_a_contract_compiled_alone_and_from_nothing_has_the_committed_bytes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SOLCX_BINARY_PATH", str(tmp_path))
    token = "contracts/mocks/SettlementToken.sol"
    fresh = compile_sources({token: read_sources()[token]}).artifacts["SettlementToken"]
    assert fresh.bytecode == bytecode_of("SettlementToken")


def test_a_kept_answer_is_used_for_the_same_question_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOLCX_BINARY_PATH", str(tmp_path))
    first = run_solc(_request("contract X {}"))
    (answer,) = (tmp_path / "answers").iterdir()
    answer.write_text('{"planted": true}')
    assert run_solc(_request("contract X {}")) == {"planted": True}
    assert run_solc(_request("contract X { }")) != first
    assert len(list((tmp_path / "answers").iterdir())) == 2


def test_enums_and_notices_come_with_the_abi() -> None:
    book = compile_contracts()["ICreditBook"]
    assert book.enums["LimitPolicy"] == ("Refuse", "Flag")
    assert book.notices["CreditIsStopped(bytes32,bytes32)"] == "The debtor's credit is stopped for arrears."


def test_the_pinned_contract_library_is_the_last_that_paris_can_run() -> None:
    package = json.loads((ROOT / "node_modules/@openzeppelin/contracts/package.json").read_text())
    assert package["version"] == "5.4.0"


# THE STAND-IN FOR THE COMPILER


def test_the_stand_in_lives_where_py_solc_x_looks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOLCX_BINARY_PATH", str(tmp_path))
    program = solc_program()
    assert program == solcx.install.get_executable(SOLC_VERSION)
    assert [str(version) for version in solcx.get_installed_solc_versions()] == [SOLC_VERSION]
    output = solcx.compile_standard(
        {
            "language": "Solidity",
            "sources": {"X.sol": {"content": HEAD + "contract X {}"}},
            "settings": {"outputSelection": {"*": {"*": ["abi"]}}},
        },
        solc_version=SOLC_VERSION,
    )
    assert output["contracts"]["X.sol"]["X"]["abi"] == []


def test_a_native_compiler_in_its_place_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOLCX_BINARY_PATH", str(tmp_path))
    native = tmp_path / f"solc-v{SOLC_VERSION}"
    native.write_bytes(b"\x7fELF")
    assert solc_program().read_bytes() == b"\x7fELF"


def test_a_stand_in_of_another_place_is_written_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOLCX_BINARY_PATH", str(tmp_path))
    (tmp_path / f"solc-v{SOLC_VERSION}").write_text("#!/bin/sh\nexec '/gone/node' '/gone/solc.cjs' \"$@\"\n")
    assert "/gone/" not in solc_program().read_text()


def test_the_stand_in_says_its_version_as_the_native_compiler_does() -> None:
    said = _solc("--version").stdout
    assert said.startswith("solc, the solidity compiler commandline interface\nVersion: 0.8.37+commit.")


def test_the_stand_in_says_nothing_but_json() -> None:
    done = _solc("--standard-json", stdin=json.dumps({"language": "Solidity", "sources": {}}))
    assert done.returncode == 0
    assert "errors" in json.loads(done.stdout)
    assert done.stderr == ""


@pytest.mark.parametrize("arguments", [["--combined-json", "abi"], ["--optimize"], []])
def test_the_stand_in_refuses_what_it_cannot_do(arguments: list[str]) -> None:
    done = _solc(*arguments)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "unrecognised option" in done.stderr or "expected" in done.stderr


def test_the_stand_in_reads_imports_below_its_include_paths_only(tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "A.sol").write_text(HEAD + "contract A {}")
    request = {
        "language": "Solidity",
        "sources": {"X.sol": {"content": HEAD + 'import {A} from "A.sol"; contract X is A {}'}},
        "settings": {"outputSelection": {"*": {"*": ["abi"]}}},
    }
    base = ["--standard-json", "--base-path", str(tmp_path)]
    found = _solc(*base, "--include-path", str(tmp_path / "library"), stdin=json.dumps(request))
    assert "X.sol" in json.loads(found.stdout)["contracts"]
    missing = _solc(*base, stdin=json.dumps(request))
    assert any("A.sol" in error["message"] for error in json.loads(missing.stdout)["errors"])


def _request(source: str) -> dict[str, object]:
    return {
        "language": "Solidity",
        "sources": {"X.sol": {"content": HEAD + source}},
        "settings": {**SETTINGS, "outputSelection": {"X.sol": OUTPUTS}},
    }


def _solc(*arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
    program = [str(node()), str(ROOT / "deploy" / "solc.cjs")]
    return subprocess.run([*program, *arguments], input=stdin, capture_output=True, text=True, check=False)
