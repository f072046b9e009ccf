"""Do the same values always give the same bytes, and other values other bytes?"""

import json
from pathlib import Path
from typing import Any

import pytest
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st

from ledger.canonical import Value, canonical_bytes, canonical_hash

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "canonical.json").read_text("utf-8")
)

plain = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.binary(max_size=8)
values = st.lists(st.recursive(plain, lambda inner: st.lists(inner, max_size=4), max_leaves=8), max_size=5)


def _value(shown: Any) -> Value:
    """Vectors write integers as {"int": "1"} and bytes as {"hex": "00ff"}: JSON has neither."""
    match shown:
        case {"int": digits}:
            return int(digits)
        case {"hex": digits}:
            return bytes.fromhex(digits)
        case list():
            return [_value(item) for item in shown]
        case _:
            return shown  # type: ignore[no-any-return]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["kind"])
def test_the_committed_vectors_hold(vector: dict[str, Any]) -> None:
    content = [_value(shown) for shown in vector["values"]]
    assert canonical_bytes(vector["kind"], content).hex() == vector["bytes"]
    assert canonical_hash(vector["kind"], content) == keccak(bytes.fromhex(vector["bytes"]))
    assert canonical_hash(vector["kind"], content).hex() == vector["keccak256"]


def test_bytes_as_written_by_hand() -> None:
    by_hand = "01" + "7300000001" + "6b" + "6c0000000d" + "6900000001" + "05" + "7300000002" + "6162"
    assert canonical_bytes("k", [5, "ab"]).hex() == by_hand


@given(values, values)
def test_different_values_have_different_bytes(one: list[Value], other: list[Value]) -> None:
    same = _typed(one) == _typed(other)
    assert (canonical_bytes("k", one) == canonical_bytes("k", other)) == same


def _typed(value: Value) -> object:
    """Python takes True for 1; documents do not."""
    return [_typed(item) for item in value] if isinstance(value, list) else (type(value), value)


def test_moving_a_boundary_between_texts_changes_the_bytes() -> None:
    assert canonical_bytes("k", ["ab", "c"]) != canonical_bytes("k", ["a", "bc"])
    assert canonical_bytes("ka", ["b"]) != canonical_bytes("k", ["ab"])
