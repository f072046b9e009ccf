"""Do our roots and proofs equal those of the npm library, and does a proof prove only its own leaf?"""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import keccak as keccak_module
from ledger.errors import Malformed
from ledger.keccak import keccak256
from ledger.merkle import build, leaf_words, verify
from ledger.sealing import LeafValues, open_leaf, salt_of, seal
from tests.ledger.records import SCOPE, SECRET, rated

VECTORS = Path(__file__).parents[1] / "vectors"
TYPES = ["uint64", "bytes32", "bytes32", "bytes32", "uint64", "uint64", "bytes32", "uint128"]
SIZES = [1, 2, 3, 7, 100, 5000]


def _npm(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    node = shutil.which("node")
    assert node, "the npm library needs Node: run make install"
    ran = subprocess.run(
        [node, str(VECTORS / "merkle.cjs")],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    answers: list[dict[str, Any]] = json.loads(ran.stdout)
    return answers


def _leaves(count: int) -> list[LeafValues]:
    batch = seal(rated(count), SCOPE, SECRET)
    return [open_leaf(batch, index).leaf for index in range(count)]


def _as_json(leaf: LeafValues) -> list[str]:
    values = (
        leaf.index,
        leaf.salt,
        leaf.a_party,
        leaf.b_party,
        leaf.start_ms,
        leaf.quantity,
        leaf.route,
        leaf.amount_micros,
    )
    return [f"0x{value.hex()}" if isinstance(value, bytes) else str(value) for value in values]


def test_roots_and_proofs_equal_the_npm_library_sorted_and_unsorted() -> None:
    cases, ours = [], []
    for count in SIZES:
        leaves = _leaves(count)
        indices = sorted({0, 1 % count, count // 2, count - 1})
        for sort_leaves in (False, True):
            values = [_as_json(leaf) for leaf in leaves]
            cases.append({"types": TYPES, "values": values, "sortLeaves": sort_leaves, "indices": indices})
            tree = build(leaf_words([leaf.hash() for leaf in leaves]), sort_leaves=sort_leaves)
            proofs = [[f"0x{sibling.hex()}" for sibling in tree.proof(index)] for index in indices]
            ours.append({"root": f"0x{tree.root.hex()}", "proofs": proofs})
    assert len(ours) == 2 * len(SIZES)
    assert _npm(cases) == ours


def test_the_npm_library_sees_a_changed_amount() -> None:
    leaves = _leaves(3)
    values = [_as_json(leaf) for leaf in leaves]
    values[1][7] = str(leaves[1].amount_micros + 1)
    answers = _npm([{"types": TYPES, "values": values, "sortLeaves": False, "indices": []}])
    assert answers[0]["root"] != f"0x{build(leaf_words([leaf.hash() for leaf in leaves])).root.hex()}"


def test_the_committed_vectors_hold() -> None:
    vectors = json.loads((VECTORS / "merkle.json").read_text())
    for vector in vectors["trees"]:
        leaves = [_from_json(values) for values in vector["values"]]
        assert [f"0x{leaf.hash().hex()}" for leaf in leaves] == vector["leaves"]
        tree = build(leaf_words([leaf.hash() for leaf in leaves]))
        assert f"0x{tree.root.hex()}" == vector["root"]
        assert [[f"0x{sibling.hex()}" for sibling in tree.proof(n)] for n in range(len(leaves))] == vector["proofs"]
    secret = bytes.fromhex(vectors["secret"][2:])
    assert salt_of(secret, 1).hex() == vectors["trees"][-1]["values"][1][1][2:]


def _from_json(values: list[str]) -> LeafValues:
    plain = [bytes.fromhex(value[2:]) if value.startswith("0x") else int(value) for value in values]
    return LeafValues(*plain)  # type: ignore[arg-type]


@given(count=st.integers(1, 40), at=st.integers(0, 39), other=st.integers(0, 39))
@settings(max_examples=60, deadline=None)
def test_a_proof_proves_its_leaf_and_no_other(count: int, at: int, other: int) -> None:
    leaves = [keccak256(bytes([n])) for n in range(count)]
    for sort_leaves in (False, True):
        tree = build(leaf_words(leaves), sort_leaves=sort_leaves)
        proof = tree.proof(at % count)
        assert verify(tree.root, leaves[at % count], proof)
        assert verify(tree.root, leaves[other % count], proof) == (other % count == at % count)


def test_the_tree_is_the_same_without_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    leaves = leaf_words([keccak256(bytes([n])) for n in range(41)])
    with_numba = build(leaves).nodes
    monkeypatch.setattr(keccak_module, "lanes", None)
    assert np.array_equal(build(leaves).nodes, with_numba)


def test_a_tree_without_leaves_is_refused() -> None:
    with pytest.raises(Malformed, match="at least one"):
        build(np.empty((0, 4), np.uint64))


@pytest.mark.parametrize("index", [-1, 3])
def test_a_leaf_that_is_not_there_has_no_proof(index: int) -> None:
    with pytest.raises(Malformed, match="0 to 2"):
        build(leaf_words([bytes(32)] * 3)).proof(index)
