"""How does a month of rated records become one root that cannot be shaded later?

A leaf is keccak256(keccak256(abi.encode(index, salt, aParty, bParty, startMs, quantity, route, amountMicros))): eight
words (contracts/interfaces/IUsageLedger.sol, UsageRecord). The salt is HMAC-SHA256(batch secret, index), so that
opening one leaf tells nothing of its neighbours and no number can be guessed from a hash.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ledger import keccak
from ledger.cores import in_parallel
from ledger.errors import Malformed
from ledger.hash_constants import SHA256_ROUNDS, SHA256_START
from ledger.identity import Root, ascii32
from ledger.keccak import Words, hash_rows, keccak256
from ledger.merkle import MerkleTree, build, verify
from ledger.money import Micros
from ledger.pieces import number_part, text_parts
from ledger.usage import RATED_SCHEMA, BatchScope

SECRET_BYTES = 32
MAX_COUNT = 2**32 - 1
MOST_INLINE = 500
"""Records of an inline declaration (contracts/UsageLedger.sol)."""
PARTY_BYTES = 16
"""Of a keyed hash that stands for a party."""
NO_SALT = bytes(32)
"""Of an inline leaf: what is public needs none."""
_LEAF_WORDS = 32
_ROWS_AT_ONCE = 1 << 16
"""What a core hashes in one go."""


@dataclass(frozen=True, slots=True)
class LeafValues:
    """One record as the contract takes it (UsageRecord); parties and route are ASCII, left-aligned in 32 bytes."""

    index: int
    salt: bytes
    a_party: bytes
    b_party: bytes
    start_ms: int
    quantity: int
    route: bytes
    amount_micros: int

    def encoded(self) -> bytes:
        """The 256 bytes of abi.encode."""
        number = [value.to_bytes(32, "big") for value in (self.index, self.start_ms, self.quantity, self.amount_micros)]
        parties = self.salt + self.a_party + self.b_party
        return number[0] + parties + number[1] + number[2] + self.route + number[3]

    def hash(self) -> bytes:
        """The leaf's hash."""
        return keccak256(keccak256(self.encoded()))


@dataclass(frozen=True, slots=True)
class OpenedLeaf:
    """One record of a batch and the siblings that prove it."""

    leaf: LeafValues
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, eq=False)
class UsageBatch:
    """Rated records sealed together under one root; `secret` must stay with the carrier until it reveals them."""

    scope: BatchScope
    root: Root
    count: int
    from_ms: int
    """First event, UTC."""
    to_ms: int
    """Last event, UTC."""
    quantity: int
    amount_micros: Micros
    table: pa.Table
    """RATED_SCHEMA, in leaf order."""
    secret: bytes
    tree: MerkleTree
    inline: bool = False
    """Its records travel in the transaction: leaves hold keyed hashes of the parties, and no salt."""


def seal(rated: pa.Table, scope: BatchScope, secret: bytes, *, inline: bool = False) -> UsageBatch:
    """Seal a RatedTable in row order under a secret of 32 random bytes, for an inline declaration if told so.

    Raises Malformed.
    """
    _check_sealable(rated, secret)
    if inline and len(rated) > MOST_INLINE:
        raise Malformed("too many records for an inline declaration", expected=f"at most {MOST_INLINE}", got=len(rated))
    bounds = pc.min_max(rated["start_ms"])
    tree = build(_inline_hashes(rated, secret) if inline else _leaf_hashes(rated, secret))
    return UsageBatch(
        scope=scope,
        root=tree.root,
        count=len(rated),
        from_ms=bounds["min"].as_py(),
        to_ms=bounds["max"].as_py(),
        quantity=_exact_sum(rated["quantity"]),
        amount_micros=Micros(_exact_sum(rated["amount_micros"])),
        table=rated,
        secret=secret,
        tree=tree,
        inline=inline,
    )


def open_leaf(batch: UsageBatch, index: int) -> OpenedLeaf:
    """One record with its proof: what shows it to a stranger, and nothing else. Raises Malformed."""
    proof = batch.tree.proof(index)
    row = batch.table.slice(index, 1).to_pylist()[0]
    return OpenedLeaf(_leaf(row, index, batch.secret, inline=batch.inline), proof)


def inline_leaves(batch: UsageBatch) -> list[LeafValues]:
    """The leaves of a batch that was sealed for an inline declaration, in order."""
    assert batch.inline, "other leaves never leave the archive together"
    return [_leaf(row, index, batch.secret, inline=True) for index, row in enumerate(batch.table.to_pylist())]


def leaf_is_in(root: bytes, opened: OpenedLeaf) -> bool:
    """Does the opened leaf prove against the root?"""
    return verify(root, opened.leaf.hash(), opened.proof)


def keyed_party(secret: bytes, party: str) -> bytes:
    """What stands for a party where everybody reads it: the first 16 bytes of HMAC-SHA256(secret, "party:" and its
    text), left-aligned in 32. Equal parties of one batch have equal hashes; those of two batches do not."""
    return hmac.digest(secret, b"party:" + party.encode("ascii"), "sha256")[:PARTY_BYTES].ljust(32, b"\0")


def salt_of(secret: bytes, index: int) -> bytes:
    """HMAC-SHA256(secret, index as 8 bytes big-endian)."""
    return hmac.digest(secret, index.to_bytes(8, "big"), "sha256")


def salts(secret: bytes, first: int, count: int) -> Words:
    """`salt_of` for indices [first, first + count), as (count, 4) words."""
    if keccak.lanes is None:
        return salts_plainly(secret, first, count)
    out = np.empty((count, 4), np.uint64)
    keccak.lanes.hmac_of_indices(*_hmac_states(secret), first, out, 0)
    return out


def salts_plainly(secret: bytes, first: int, count: int) -> Words:
    """`salts` with hashlib alone."""
    joined = b"".join(salt_of(secret, index) for index in range(first, first + count))
    return np.frombuffer(joined, np.uint64).reshape(count, 4)


def encode_leaves_plainly(table: pa.Table, secret: bytes) -> Words:
    """(n, 32) words: abi.encode of each row's leaf, row by row."""
    rows = table.select(_LEAF_COLUMNS).to_pylist()
    encoded = [_leaf(row, index, secret, inline=False).encoded() for index, row in enumerate(rows)]
    return np.frombuffer(b"".join(encoded), np.uint64).reshape(len(rows), _LEAF_WORDS)


_LEAF_COLUMNS = ["a_party", "b_party", "start_ms", "quantity", "route", "amount_micros"]
"""In the order of the leaf, in which the kernels take them."""
_LEAF_NUMBERS = ["start_ms", "quantity", "amount_micros"]


def _leaf(row: Mapping[str, Any], index: int, secret: bytes, *, inline: bool) -> LeafValues:
    a_party, b_party = ascii32(row["a_party"]), ascii32(row["b_party"])
    if inline:
        a_party, b_party = keyed_party(secret, row["a_party"]), keyed_party(secret, row["b_party"])
    return LeafValues(
        index=index,
        salt=NO_SALT if inline else salt_of(secret, index),
        a_party=a_party,
        b_party=b_party,
        start_ms=row["start_ms"],
        quantity=row["quantity"],
        route=ascii32(row["route"]),
        amount_micros=row["amount_micros"],
    )


def _inline_hashes(table: pa.Table, secret: bytes) -> Words:
    """At most 500 leaves, one by one."""
    rows = table.select(_LEAF_COLUMNS).to_pylist()
    encoded = [_leaf(row, index, secret, inline=True).encoded() for index, row in enumerate(rows)]
    return hash_rows(np.frombuffer(b"".join(encoded), np.uint64).reshape(len(rows), _LEAF_WORDS), twice=True)


def _leaf_hashes(table: pa.Table, secret: bytes) -> Words:
    if keccak.lanes is None:
        return hash_rows(encode_leaves_plainly(table, secret), twice=True)
    states = _hmac_states(secret)
    hashes = np.empty((len(table), 4), np.uint64)

    def hash_piece(first: int) -> bool:
        piece = table.slice(first, _ROWS_AT_ONCE).combine_chunks()
        columns = [part for name in _LEAF_COLUMNS for part in _parts(piece[name].chunk(0))]
        assert keccak.lanes is not None
        fits: bool = keccak.lanes.hash_leaves(*states, *columns, first, hashes[first : first + _ROWS_AT_ONCE])
        return fits

    if not all(in_parallel(hash_piece, range(0, len(table), _ROWS_AT_ONCE))):
        raise Malformed("does not fit a leaf", expected="parties and route of at most 32 ASCII characters")
    return hashes


def _parts(column: pa.Array) -> tuple[NDArray[np.generic], ...]:
    """A column as the kernels take it: a text's offsets and bytes, or numbers."""
    return text_parts(column) if column.type == pa.string() else (number_part(column),)


def _check_sealable(rated: pa.Table, secret: bytes) -> None:
    if len(secret) != SECRET_BYTES:
        raise Malformed("not a batch secret", expected=f"{SECRET_BYTES} bytes", got=f"{len(secret)} bytes")
    if rated.schema != RATED_SCHEMA:
        raise Malformed("not a rated table", expected=RATED_SCHEMA.names, got=rated.schema.names)
    if not 0 < len(rated) <= MAX_COUNT:
        raise Malformed("a batch needs records", expected=f"1 to {MAX_COUNT}", got=len(rated))
    for name in _LEAF_COLUMNS:
        if rated[name].null_count:
            raise Malformed("a record lacks a value", expected=f"{name} in every row", got="null")
    for name in _LEAF_NUMBERS:
        least = pc.min(rated[name]).as_py()
        if least < 0:
            raise Malformed("a negative value cannot be sealed", expected=f"{name} of 0 or more", got=least)


def _exact_sum(column: pa.ChunkedArray) -> int:
    """Sum of int64 values that may pass 63 bits: halves of 32 bits are summed apart."""
    values = column.to_numpy()
    return (int((values >> 32).sum()) << 32) + int((values & 0xFFFFFFFF).sum())


def _hmac_states(secret: bytes) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """The inner and outer SHA-256 states of HMAC (RFC 2104) with this key of at most 64 bytes."""
    key = secret.ljust(64, b"\0")
    return _state_after(bytes(byte ^ 0x36 for byte in key)), _state_after(bytes(byte ^ 0x5C for byte in key))


def _state_after(block: bytes) -> NDArray[np.uint32]:
    """The SHA-256 state after one block of 64 bytes: hashlib hides it, and HMAC needs it once a key."""
    w = [int.from_bytes(block[at : at + 4], "big") for at in range(0, 64, 4)]
    for t in range(16, 64):
        early, late = w[t - 15], w[t - 2]
        small0 = _right(early, 7) ^ _right(early, 18) ^ (early >> 3)
        small1 = _right(late, 17) ^ _right(late, 19) ^ (late >> 10)
        w.append((w[t - 16] + small0 + w[t - 7] + small1) & 0xFFFFFFFF)
    a, b, c, d, e, f, g, h = SHA256_START
    for t in range(64):
        first = h + (_right(e, 6) ^ _right(e, 11) ^ _right(e, 25)) + (g ^ (e & (f ^ g))) + SHA256_ROUNDS[t] + w[t]
        second = (_right(a, 2) ^ _right(a, 13) ^ _right(a, 22)) + ((a & b) | (c & (a | b)))
        a, b, c, d, e, f, g, h = (first + second) & 0xFFFFFFFF, a, b, c, (d + first) & 0xFFFFFFFF, e, f, g
    after = (a, b, c, d, e, f, g, h)
    return np.array([(start + end) & 0xFFFFFFFF for start, end in zip(SHA256_START, after, strict=True)], np.uint32)


def _right(word: int, bits: int) -> int:
    return (word >> bits | word << (32 - bits)) & 0xFFFFFFFF
