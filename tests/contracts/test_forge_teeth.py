"""Do the faults planted against the months still fit the contracts? `tests.contracts.forge.teeth` plants them."""

import pytest

from deploy.solidity import read_sources
from tests.contracts.forge.__main__ import count_steps
from tests.contracts.forge.teeth import HERE, Fault, plant, read_faults

FAULTS = read_faults((HERE / "faults.toml").read_text(encoding="utf-8"))
MONTHS = "\n".join(path.read_text(encoding="utf-8") for path in HERE.glob("*.sol"))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.rule)
def test_every_fault_finds_its_place_and_its_rule_is_written(fault: Fault) -> None:
    sources = read_sources()
    planted = plant(sources, fault)
    assert [path for path in sources if planted[path] != sources[path]] == [f"contracts/{fault.file}"]
    assert f'"{fault.rule}"' in MONTHS


def test_a_fault_whose_place_moved_is_an_error() -> None:
    with pytest.raises(ValueError, match="fits 0 places"):
        plant({"contracts/A.sol": "x"}, Fault(rule="no gap", file="A.sol", good="x + 1", bad="x"))


def test_the_steps_of_all_runs_add_up() -> None:
    assert count_steps("pay=2;net all=0\npay=3;net all=0\n") == {"pay": 5, "net all": 0}


def test_no_run_at_all_shows_no_step() -> None:
    assert not count_steps("")
