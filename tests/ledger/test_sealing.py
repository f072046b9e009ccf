"""Does a root bind every value a carrier declared, and does an opened leaf show nothing else?"""

import hmac

import pyarrow as pa
import pytest
from eth_abi import encode
from eth_hash.auto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import keccak as keccak_module
from ledger.errors import Malformed
from ledger.sealing import LeafValues, OpenedLeaf, leaf_is_in, open_leaf, salts, salts_plainly, seal
from tests.ledger.records import SCOPE, SECRET, rated, rated_of

TYPES = ["uint64", "bytes32", "bytes32", "bytes32", "uint64", "uint64", "bytes32", "uint128"]
BOUND = {"a_party": "1", "b_party": "2", "start_ms": 1, "quantity": 1, "route": "3", "amount_micros": 1}
"""What a leaf binds, with something to add."""


def _changed(table: pa.Table, **values: object) -> pa.Table:
    rows = table.to_pylist()
    rows[0] |= values
    return rated_of(rows)


@pytest.mark.parametrize("column", ["start_ms", "quantity", "amount_micros"])
def test_a_negative_value_is_refused(column: str) -> None:
    with pytest.raises(Malformed, match=f"{column} of 0 or more"):
        seal(_changed(rated(3), **{column: -1}), SCOPE, SECRET)


@pytest.mark.parametrize(
    ("column", "value"),
    [("a_party", "1" * 33), ("b_party", "٤٤٢٠"), ("route", "a\0b"), ("route", "é")],
)
def test_text_that_does_not_fit_a_leaf_is_refused(column: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    table = _changed(rated(3), **{column: value})
    with pytest.raises(Malformed, match="does not fit"):
        seal(table, SCOPE, SECRET)
    monkeypatch.setattr(keccak_module, "lanes", None)
    with pytest.raises(Malformed, match="does not fit"):
        seal(table, SCOPE, SECRET)


def test_a_short_secret_a_null_an_empty_table_and_other_columns_are_refused() -> None:
    with pytest.raises(Malformed, match="32 bytes"):
        seal(rated(1), SCOPE, b"short")
    with pytest.raises(Malformed, match="1 to"):
        seal(rated(0), SCOPE, SECRET)
    with pytest.raises(Malformed, match="not a rated table"):
        seal(rated(1).drop_columns("route"), SCOPE, SECRET)
    holed = rated(2).set_column(2, rated(1).schema.field("b_party"), pa.array(["44", None]))
    with pytest.raises(Malformed, match="b_party in every row"):
        seal(holed, SCOPE, SECRET)


def test_a_leaf_is_the_double_hash_of_the_abi_encoding() -> None:
    opened = open_leaf(seal(rated(5), SCOPE, SECRET), 3)
    leaf = opened.leaf
    salt = hmac.digest(SECRET, (3).to_bytes(8, "big"), "sha256")
    a, b, route = (text.encode().ljust(32, b"\0") for text in ("8613800000003", "44200000003", "gbb-in-2"))
    values = (3, salt, a, b, 1_790_812_802_931, 3_001, route, 615)
    assert leaf == LeafValues(*values)
    assert leaf.hash() == keccak(keccak(encode(TYPES, values)))


def test_totals_are_the_sums_of_the_leaves_even_past_63_bits() -> None:
    batch = seal(rated(100), SCOPE, SECRET)
    leaves = [open_leaf(batch, index).leaf for index in range(100)]
    assert batch.count == 100
    assert batch.quantity == sum(leaf.quantity for leaf in leaves)
    assert batch.amount_micros == sum(leaf.amount_micros for leaf in leaves)
    assert (batch.from_ms, batch.to_ms) == (leaves[0].start_ms, leaves[99].start_ms)
    huge = rated_of([row | {"amount_micros": 2**63 - 1} for row in rated(4).to_pylist()])
    assert seal(huge, SCOPE, SECRET).amount_micros == 4 * (2**63 - 1)


def test_every_leaf_of_a_batch_proves_against_its_root_and_against_no_other() -> None:
    batch, other = seal(rated(9), SCOPE, SECRET), seal(rated(10), SCOPE, SECRET)
    for index in range(9):
        assert leaf_is_in(batch.root, open_leaf(batch, index))
        assert not leaf_is_in(other.root, open_leaf(batch, index))


@given(st.integers(1, 30), st.integers(0, 29), st.sampled_from(sorted(BOUND)))
@settings(max_examples=60, deadline=None)
def test_altering_any_bound_value_of_any_row_changes_the_root(count: int, at: int, column: str) -> None:
    rows = rated(count).to_pylist()
    before = seal(rated_of(rows), SCOPE, SECRET)
    rows[at % count][column] += BOUND[column]
    after = seal(rated_of(rows), SCOPE, SECRET)
    assert after.root != before.root
    forged = OpenedLeaf(open_leaf(after, at % count).leaf, open_leaf(before, at % count).proof)
    assert not leaf_is_in(before.root, forged)


@given(st.integers(2, 30), st.data())
@settings(max_examples=40, deadline=None)
def test_dropping_repeating_or_swapping_rows_changes_the_root(count: int, data: st.DataObject) -> None:
    rows = rated(count).to_pylist()
    root = seal(rated_of(rows), SCOPE, SECRET).root
    at = data.draw(st.integers(1, count - 1))
    swapped = [*rows[: at - 1], rows[at], rows[at - 1], *rows[at + 1 :]]
    for changed in (rows[:at], [*rows, rows[at]], swapped):
        assert seal(rated_of(changed), SCOPE, SECRET).root != root


def test_another_secret_gives_another_root_and_other_salts() -> None:
    table = rated(3)
    assert seal(table, SCOPE, bytes(32)).root != seal(table, SCOPE, SECRET).root
    opened = [open_leaf(seal(table, SCOPE, secret), 1).leaf.salt for secret in (bytes(32), SECRET)]
    assert opened[0] != opened[1]


def test_the_root_does_not_depend_on_how_the_table_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    table = rated(9_001)
    whole = seal(table, SCOPE, SECRET)
    pieces = pa.concat_tables([table.slice(0, 10), table.slice(10, 4_096), table.slice(4_106)])
    assert seal(pieces, SCOPE, SECRET).root == whole.root
    assert (
        seal(table.slice(5, 100), SCOPE, SECRET).root
        == seal(rated_of(table.slice(5, 100).to_pylist()), SCOPE, SECRET).root
    )
    monkeypatch.setattr(keccak_module, "lanes", None)
    assert seal(table, SCOPE, SECRET).root == whole.root


@pytest.mark.parametrize("first", [0, 1, 2**32 - 5, 2**40])
def test_salts_in_lanes_are_those_of_hashlib(first: int) -> None:
    assert salts(SECRET, first, 37).tobytes() == salts_plainly(SECRET, first, 37).tobytes()


ascii_texts = st.text(st.characters(min_codepoint=1, max_codepoint=127), max_size=32)


@given(st.lists(st.tuples(ascii_texts, ascii_texts, ascii_texts, st.integers(0, 2**63 - 1)), min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_every_leaf_is_the_hash_of_its_opened_values(values: list[tuple[str, str, str, int]]) -> None:
    """Texts of any length, of which the last ones cannot be read by whole words."""
    rows = rated(len(values)).to_pylist()
    for row, (a_party, b_party, route, amount) in zip(rows, values, strict=True):
        row |= {"a_party": a_party, "b_party": b_party, "route": route, "amount_micros": amount, "quantity": amount}
    batch = seal(rated_of(rows), SCOPE, SECRET)
    assert [batch.tree.leaf(at) for at in range(len(rows))] == [
        open_leaf(batch, at).leaf.hash() for at in range(len(rows))
    ]


@given(st.integers(0, 19), st.sampled_from(["a_party", "b_party", "route"]), st.integers(0, 31), st.booleans())
@settings(max_examples=80, deadline=None)
def test_one_character_that_is_not_ascii_or_nul_is_seen_anywhere(row: int, column: str, at: int, nul: bool) -> None:
    rows = rated(20).to_pylist()
    rows[row][column] = "1" * at + ("\0" if nul else "\x80")
    with pytest.raises(Malformed, match="does not fit"):
        seal(rated_of(rows), SCOPE, SECRET)
