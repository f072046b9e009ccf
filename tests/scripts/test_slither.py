"""Does the judge of slither's findings refuse what is neither excepted nor needed? slither itself: `make slither`."""

import pytest

from deploy.solidity import read_sources
from scripts.slither import FOLDER, Finding, Policy, judge, read_findings, read_policy

ORIGIN = Finding("tx-origin", "Planted.trustsItsOrigin")
EXCEPTED = Finding("unused-return", "CreditBook.deposit")
POLICY = Policy(["tx-origin", "unused-return"], frozenset({"tx-origin"}), {EXCEPTED: "Asked for its refusal only."})

LIST = """
detectors = ["tx-origin"]
planted = ["tx-origin"]
[[exception]]
detector = "DETECTOR"
places = ["A.b", "PLACE"]
reason = "So it is meant."
"""


def test_a_finding_without_an_exception_is_a_fault() -> None:
    found = frozenset({ORIGIN, EXCEPTED, Finding("tx-origin", "CreditBook.grant")})
    assert list(judge(found, POLICY)) == ["tx-origin in CreditBook.grant"]


def test_an_exception_that_nobody_needs_is_a_fault() -> None:
    said = list(judge(frozenset({ORIGIN}), POLICY))
    assert said == ["the exception for unused-return in CreditBook.deposit is not needed any more: take it out"]


def test_a_run_that_misses_the_planted_fault_shows_nothing() -> None:
    (said,) = judge(frozenset({EXCEPTED}), POLICY)
    assert said.startswith("tx-origin was planted in") and said.endswith("the run shows nothing")


def test_what_is_planted_elsewhere_does_not_count_as_planted() -> None:
    elsewhere = frozenset({EXCEPTED, Finding("tx-origin", "PlantedBook.grant")})
    assert [said.split()[0] for said in judge(elsewhere, POLICY)] == ["tx-origin", "tx-origin"]


def test_the_excepted_and_the_planted_are_no_fault() -> None:
    assert list(judge(frozenset({ORIGIN, EXCEPTED}), POLICY)) == []


@pytest.mark.parametrize(("detector", "place"), [("suicidal", "A.c"), ("tx-origin", "A.b")])
def test_an_exception_is_of_the_list_and_stands_once(detector: str, place: str) -> None:
    with pytest.raises(ValueError, match="detectors"):
        read_policy(LIST.replace("DETECTOR", detector).replace("PLACE", place))


def test_a_place_is_named_by_its_contract_also_inside_a_function() -> None:
    contract = {"type": "contract", "name": "Netting", "type_specific_fields": {"parent": {"type": "file"}}}
    function = {"type": "function", "name": "net", "type_specific_fields": {"parent": contract}}
    node = {"type": "node", "name": "total = 1", "type_specific_fields": {"parent": function}}
    said = [{"check": "suicidal", "elements": [element]} for element in (contract, function, node)]
    places = {finding.place for finding in read_findings({"success": True, "results": {"detectors": said}})}
    assert places == {"Netting", "Netting.net"}


def test_a_run_that_failed_is_not_taken_for_a_clean_one() -> None:
    with pytest.raises(RuntimeError, match="slither failed: no solc"):
        read_findings({"success": False, "error": "no solc", "results": {}})


def test_the_committed_list_names_places_that_the_contracts_have() -> None:
    policy = read_policy((FOLDER / "detectors.toml").read_text(encoding="utf-8"))
    sources = "\n".join(read_sources().values())
    for finding, reason in policy.reasons.items():
        contract, member, *_ = finding.place.split(".")
        assert f" {contract} " in sources, finding
        assert f"{member}(" in sources or f"constant {member} =" in sources, finding
        assert reason.endswith("."), finding
