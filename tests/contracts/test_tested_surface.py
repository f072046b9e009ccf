"""Is there a refusal that no test meets, or a function that no test calls? The ABIs say what there is."""

import ast
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from deploy.artifacts import ARTIFACTS
from deploy.interface import snake
from deploy.node import ROOT
from ledger.chain.network import CONTRACTS

UNREACHED = {
    "InvalidShortString": "OpenZeppelin's EIP712 stores a name of up to 31 bytes; ours is gsc",
    "StringTooLong": "the same",
}
"""Errors that inherited code declares and no call can bring about."""
SOURCES = {path.name: path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("*.py"))}
TESTS = {name: text for name, text in SOURCES.items() if name.startswith("test_")}


@lru_cache
def named(text: str) -> frozenset[str]:
    """What a Python source takes from the bindings: the x of every `b.x`."""
    return frozenset(
        node.attr
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "b"
    )


def names_in(texts: Iterable[str]) -> set[str]:
    return set().union(*(named(text) for text in texts))


def abi_of(contract: str) -> Sequence[Mapping[str, Any]]:
    artifact = json.loads((ROOT / ARTIFACTS / f"{contract}.json").read_text(encoding="utf-8"))
    abi: Sequence[Mapping[str, Any]] = artifact["abi"]
    return abi


def errors_of(contract: str) -> set[str]:
    return {entry["name"] for entry in abi_of(contract) if entry["type"] == "error"} - UNREACHED.keys()


def transactions_of(contract: str) -> set[str]:
    """The bindings' names of the functions that change something."""
    return {
        f"calldata_{snake(contract)}_{snake(entry['name']).rstrip('_')}"
        for entry in abi_of(contract)
        if entry["type"] == "function" and entry["stateMutability"] not in ("view", "pure")
    }


def unmet(contract: str, tests: Mapping[str, str] = TESTS) -> set[str]:
    """Errors of a contract that no test names."""
    return errors_of(contract) - names_in(tests.values())


@pytest.mark.parametrize("contract", CONTRACTS)
def test_every_refusal_is_met_by_a_test(contract: str) -> None:
    assert errors_of(contract)
    assert unmet(contract) == set()


@pytest.mark.parametrize("contract", CONTRACTS)
def test_every_transaction_is_sent_by_a_test(contract: str) -> None:
    assert transactions_of(contract)
    assert transactions_of(contract) - names_in(SOURCES.values()) == set()


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_refusal_that_lost_its_tests_is_missed(contract: str) -> None:
    """The planted gap: one error struck out of every test."""
    error = min(errors_of(contract))
    gapped = {name: text.replace(f"b.{error}", "b.Nothing") for name, text in TESTS.items()}
    assert error in unmet(contract, gapped)
