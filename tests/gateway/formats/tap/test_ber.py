"""Does the walk find every element of a BER file, and does no file cost it more than an error?"""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.formats.tap import ber
from gateway.formats.tap.ber import APPLICATION, MAX_DEPTH, walk
from gateway.formats.tap.tree import Element, TreeBuilder, path_of, tree_of
from ledger.errors import Malformed
from tests.gateway.formats.tap.encoding import encode, leaf, node

TAGS = st.builds(
    lambda number, tag_class: tag_class << 28 | number,
    st.one_of(st.integers(1, 40), st.sampled_from([127, 128, 16_383, 16_384, 2**28 - 1])),
    st.integers(0, 3),
)
LEAVES = st.builds(Element, TAGS, st.binary(max_size=300))
TREES = st.builds(
    Element,
    TAGS,
    st.recursive(
        st.lists(LEAVES, max_size=4).map(tuple),
        lambda inside: st.lists(st.one_of(LEAVES, st.builds(Element, TAGS, inside)), max_size=4).map(tuple),
        max_leaves=30,
    ),
)


def _data(content: bytes) -> ber.Bytes:
    return np.frombuffer(content, np.uint8)


def _all(content: bytes, *, guard: int = MAX_DEPTH, room: int = ber.ROOM) -> Iterator[tuple[int, bool, int, int, int]]:
    for piece in walk(_data(content), guard=guard, room=room):
        yield from zip(*(column.tolist() for column in piece), strict=True)


@settings(deadline=None)
@given(TREES, st.lists(st.booleans(), max_size=40))
def test_what_was_encoded_is_walked_with_and_without_lengths(tree: Element, indefinite: list[bool]) -> None:
    assert tree_of(_data(encode(tree, indefinite=indefinite))) == tree


@settings(deadline=None)
@given(TREES, st.lists(st.booleans(), max_size=40), st.integers(1, 7))
def test_however_it_is_cut_into_pieces_the_elements_are_the_same(
    tree: Element, indefinite: list[bool], room: int
) -> None:
    content = encode(tree, indefinite=indefinite)
    assert list(_all(content, room=room)) == list(_all(content))
    assert max(len(piece.tag) for piece in walk(_data(content), room=room)) <= room


def test_elements_come_with_tag_depth_and_place() -> None:
    content = node(1, leaf(196, "GBRXX"), node(3, indefinite=True))
    assert list(_all(content)) == [
        (APPLICATION | 1, True, 0, 2, len(content)),
        (APPLICATION | 196, False, 1, 6, 11),
        (APPLICATION | 3, True, 1, 13, -1),
    ]


@pytest.mark.parametrize(
    ("content", "problem", "place"),
    [
        (b"", ber.TRUNCATED, 0),
        (b"\x61", ber.TRUNCATED, 0),
        (b"\x61\x05\x44\x01A", ber.TRUNCATED, 0),
        (b"\x61\x84\x7f\xff\xff\xff", ber.TRUNCATED, 0),
        (b"\x61\x88" + b"\xff" * 8, ber.TRUNCATED, 0),
        (b"\x61\x88" + b"\x7f" + b"\xff" * 7 + b"\0" * 9, ber.TRUNCATED, 0),
        (b"\x61\x89" + b"\0" * 9, ber.LONG_LENGTH, 0),
        (b"\x61\xff" + b"\0" * 127, ber.LONG_LENGTH, 0),
        (b"\x61\x80\x44\x01A", ber.NO_END, 5),
        (b"\x61\x80\x44\x05A", ber.TRUNCATED, 2),
        (b"\x61\x02\x44\x05AAAAA", ber.OVERRUN, 2),
        (b"\x61\x04\x63\x80\x44\x00\0\0", ber.NO_END, 6),
        (b"\x61\x02\0\0", ber.STRAY_END, 2),
        (b"\x61\x80\0\x01A\0\0", ber.STRAY_END, 2),
        (b"\0\0", ber.STRAY_END, 0),
        (b"\x41\x80\0\0", ber.PRIMITIVE_INDEFINITE, 0),
        (b"\x7f\x81\x81\x81\x81\x01\x00", ber.LONG_TAG, 0),
        (b"\x61\x80" * (MAX_DEPTH + 1), ber.DEEP, 2 * MAX_DEPTH),
        (b"\x61\x80" * 100_000, ber.DEEP, 2 * MAX_DEPTH),
    ],
)
def test_damage_is_told_with_its_place(content: bytes, problem: int, place: int) -> None:
    with pytest.raises(Malformed) as refusal:
        list(_all(content))
    assert (refusal.value.message, refusal.value.got) == (ber.PROBLEMS[problem], f"byte {place} of {len(content)}")


def test_the_deepest_that_is_allowed_is_read() -> None:
    content = b"\x61\x80" * MAX_DEPTH + b"\0\0" * MAX_DEPTH
    assert [depth for _, _, depth, _, _ in _all(content)] == list(range(MAX_DEPTH))


def test_only_zeros_may_follow_the_root() -> None:
    assert len(list(_all(node(1) + b"\0" * 10_000))) == 1
    with pytest.raises(Malformed, match="bytes follow the file's one element"):
        list(_all(node(1) + node(1)))


def test_damage_inside_a_guarded_element_costs_that_element_only() -> None:
    broken = node(9, leaf(44, "whole")[:-1])
    content = node(1, node(3, node(9, leaf(1, "a")), broken, node(9, leaf(1, "b")), indefinite=True))
    tags = [tag for tag, *_ in _all(content, guard=2)]
    nine, one = APPLICATION | 9, APPLICATION | 1
    assert tags == [one, APPLICATION | 3, nine, one, nine, -ber.OVERRUN, nine, one]


def test_a_guarded_element_without_length_cannot_be_left() -> None:
    broken = b"\x69\x80\x44\x7f\0\0"
    with pytest.raises(Malformed, match="runs past the end"):
        list(_all(node(1, node(3, broken)), guard=2))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([2, MAX_DEPTH]))
def test_any_bytes_are_read_or_refused(content: bytes, guard: int) -> None:
    try:
        seen = list(_all(content, guard=guard, room=16))
    except Malformed:
        return
    assert 0 < len(seen) <= len(content)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=120))
def test_without_the_compiler_the_walk_is_the_same(content: bytes) -> None:
    data = _data(b"\x61\x80" + content)
    outcomes = []
    for scan in (ber.scan, ber.scan.py_func):  # type: ignore[attr-defined]
        state, ends = np.zeros(4, np.int64), np.zeros(MAX_DEPTH + 1, np.int64)
        limits = np.full(MAX_DEPTH + 1, len(data), np.int64)
        columns = [np.zeros(200, kind) for kind in (np.int32, np.bool_, np.int32, np.int64, np.int64)]
        count = scan(data, state, ends, limits, 2, *columns)
        outcomes.append((count, state.tolist(), [column[:count].tolist() for column in columns]))
    assert outcomes[0] == outcomes[1]


def test_a_tree_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.formats.tap.tree.MAX_ELEMENTS", 10)
    with pytest.raises(Malformed, match="too many elements"):
        tree_of(_data(node(1, *[leaf(1, "")] * 10)))
    with pytest.raises(Malformed, match="element 196 is too long"):
        tree_of(_data(node(1, leaf(196, b"x" * 4_097))))
    with pytest.raises(Malformed, match="no element"):
        TreeBuilder(_data(b"")).finish()


def test_a_path_names_other_classes_than_application() -> None:
    assert path_of((APPLICATION | 1, 16, 2 << 28 | 3, 3 << 28 | 4)) == "1/u16/c3/p4"
