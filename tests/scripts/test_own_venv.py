"""Do tools get an environment of their own, made once for each lock, that may see the house's packages?"""

import shutil
import subprocess
from pathlib import Path

import pytest

from scripts import engine_tests, own_venv
from scripts.own_venv import OwnVenv


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(own_venv, "ROOT", tmp_path)
    return tmp_path


def test_an_environment_is_made_once_and_sees_the_house_behind_its_own(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty lock needs no registry."""
    tools = OwnVenv("lab", "its tools", with_house=True)
    tools.lock.write_text("# nothing\n", encoding="ascii")
    assert tools.install()
    assert "its tools go into .venv-lab" in capsys.readouterr().out
    ask = [str(tools.python), "-c", "import numpy, ledger; print(numpy.__file__)"]
    seen = subprocess.run(ask, capture_output=True, text=True, check=True, cwd=root)
    assert str(root) not in seen.stdout
    assert tools.install()
    assert capsys.readouterr().out == "", "nothing changed: nothing is done"


def test_a_lock_that_cannot_be_installed_is_said_and_tried_again(
    root: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_venv.venv, "create", lambda folder, **_: folder.mkdir())
    tools = OwnVenv("lab", "its tools")
    tools.lock.write_text("numpy==0.0\n", encoding="ascii")
    monkeypatch.setattr(OwnVenv, "python", property(lambda self: Path(shutil.which("false") or "false")))
    assert not tools.install()
    assert "its tools are not installed" in capfd.readouterr().out
    assert not (tools.folder / ".installed").exists()


def test_an_engine_that_is_none_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert engine_tests.main(["dask"]) == 2
    assert capsys.readouterr().out == "no such engine: dask; expected ray or spark\n"


def test_without_java_spark_is_not_tested(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_tests.shutil, "which", lambda program: None)
    assert engine_tests.main(["spark"]) == 0
    assert capsys.readouterr().out == "java is not installed: Spark not tested\n"
