"""Do the proofs still fit the contracts? Every property has a fault, and every fault its place."""

import pytest

from deploy.solidity import read_sources
from scripts.proofs import CHECK, PROOFS, REFUTED, Fault, Outcome, only, plant, read_faults, tell, unequal

FAULTS = read_faults((PROOFS / "faults.toml").read_text(encoding="utf-8"))
CHECKS = [name for path in PROOFS.glob("*.sol") for name in CHECK.findall(path.read_text(encoding="utf-8"))]
HARNESS = """import {A} from "contracts/A.sol";
import {B} from "./B.sol";
contract AmountChecks is B {
    function check_one(uint8 x) external {}
    function check_two() external {}
}
"""


def test_every_property_meets_a_fault_of_its_own() -> None:
    assert CHECKS and not unequal(CHECKS, FAULTS)
    assert len({fault.check for fault in FAULTS}) == len(FAULTS) == len(CHECKS)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.check)
def test_every_fault_finds_its_place_and_changes_it(fault: Fault) -> None:
    sources = read_sources()
    planted = plant(sources, fault)
    assert [path for path in sources if planted[path] != sources[path]] == [f"contracts/{fault.file}"]


def test_a_fault_whose_place_moved_is_an_error() -> None:
    fault = Fault(check="check_one", file="A.sol", good="x + 1", bad="x")
    with pytest.raises(ValueError, match="fits 2 places"):
        plant({"contracts/A.sol": "x + 1; x + 1"}, fault)


def test_a_property_without_a_fault_is_named() -> None:
    fault = Fault(check="check_one", file="A.sol", good="a", bad="b")
    assert unequal(["check_one", "check_two"], [fault]) == ["check_two"]


def test_a_copy_keeps_one_property_and_sees_the_faulty_contracts() -> None:
    copy = only(HARNESS, "check_two", 7)
    assert CHECK.findall(copy) == ["check_two"]
    assert "contract AmountChecks_7 is B" in copy and '"../contracts/A.sol"' in copy and '"./B.sol"' in copy


def test_what_is_not_refuted_is_told_and_returned(capsys: pytest.CaptureFixture[str]) -> None:
    found = [Outcome("check_one", REFUTED, 1.2, 3), Outcome("check_two", 0, 4.0, 5)]
    assert tell(found, REFUTED, "refuted") == ["check_two"]
    assert (
        capsys.readouterr().out
        == "refuted check_one (1 s, 3 paths)\nNOT refuted (halmos: 0) check_two (4 s, 5 paths)\n"
    )
