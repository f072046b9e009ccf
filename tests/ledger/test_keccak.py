"""Is our keccak256 everyone's keccak256?"""

import numpy as np
import pytest
from eth_hash.auto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import keccak as ours
from ledger.hash_constants import KECCAK_ROTATIONS, KECCAK_ROUNDS, SHA256_ROUNDS, SHA256_START

EMPTY = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"


def test_the_hash_of_nothing_is_the_published_one() -> None:
    assert ours.keccak256(b"").hex() == EMPTY


def test_constants_are_the_published_ones() -> None:
    assert KECCAK_ROUNDS[0] == 1 and KECCAK_ROUNDS[23] == 0x8000000080008008
    assert KECCAK_ROTATIONS[0] == (0, 36, 3, 41, 18)
    assert SHA256_ROUNDS[0] == 0x428A2F98 and SHA256_ROUNDS[63] == 0xC67178F2
    assert SHA256_START[0] == 0x6A09E667


@pytest.mark.parametrize("length", [0, 1, 7, 8, 64, 127, 135, 136, 137, 271, 272, 273, 1_000, 100_003])
def test_one_message_hashes_as_in_eth_hash(length: int) -> None:
    message = np.random.default_rng(length).bytes(length)
    assert ours.keccak256(message) == keccak(message)


@given(st.binary(max_size=600))
@settings(max_examples=50, deadline=None)
def test_any_message_hashes_as_in_eth_hash_with_and_without_numba(message: bytes) -> None:
    assert ours.keccak256(message) == keccak(message)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ours, "lanes", None)
        assert ours.keccak256(message) == keccak(message)


@pytest.mark.parametrize("words", [4, 8, 16, 17, 18, 32, 34, 35])
@pytest.mark.parametrize("rows", [1, 7, 8, 9, 41])
def test_rows_hash_as_single_messages_once_and_twice(rows: int, words: int) -> None:
    content = np.random.default_rng(words).integers(0, 2**63, (rows, words)).astype(np.uint64)
    once = [keccak(row.tobytes()) for row in content]
    twice = [keccak(digest) for digest in once]
    for hash_rows in (ours.hash_rows, ours.hash_rows_plainly):
        assert [row.tobytes() for row in hash_rows(content)] == once
        assert [row.tobytes() for row in hash_rows(content, twice=True)] == twice


def test_rows_that_may_not_be_written_are_hashed_and_left_alone() -> None:
    content = np.frombuffer(bytes(range(64)), np.uint64).reshape(2, 4)
    assert ours.hash_rows(content)[0].tobytes() == keccak(bytes(range(32)))
    assert content.tobytes() == bytes(range(64))


def test_a_changed_bit_shows_that_the_comparison_bites() -> None:
    message = bytearray(range(200))
    before = ours.keccak256(bytes(message))
    message[150] ^= 1
    assert ours.keccak256(bytes(message)) != before
