"""Which root stands for these leaves, and what proves that one leaf is among them?

The tree is OpenZeppelin's StandardMerkleTree: a complete binary heap whose last nodes are the leaves in reverse, each
inner node the keccak256 of its two children, the smaller first. Our batches keep row order (`sortLeaves: false` there).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ledger.errors import Malformed
from ledger.identity import Root
from ledger.keccak import Words, hash_level, keccak256


@dataclass(frozen=True, slots=True, eq=False)
class MerkleTree:
    """All nodes of a tree over n leaves."""

    nodes: Words
    """(2n - 1, 4) little-endian words; node 0 is the root."""
    places: Words | None
    """Where each leaf stands among the sorted ones; None if leaves kept their order."""

    @property
    def root(self) -> Root:
        return Root(self.nodes[0].tobytes())

    def __len__(self) -> int:
        return (len(self.nodes) + 1) // 2

    def leaf(self, index: int) -> bytes:
        """The hash of leaf `index`, in the order given to `build`. Raises Malformed."""
        hashed: bytes = self.nodes[self._node_of(index)].tobytes()
        return hashed

    def proof(self, index: int) -> tuple[bytes, ...]:
        """The siblings from leaf `index` (in the order given to `build`) up to the root. Raises Malformed."""
        node, siblings = self._node_of(index), []
        while node > 0:
            siblings.append(self.nodes[node + 1 if node % 2 else node - 1].tobytes())
            node = (node - 1) // 2
        return tuple(siblings)

    def _node_of(self, index: int) -> int:
        if not 0 <= index < len(self):
            raise Malformed("no such leaf", expected=f"0 to {len(self) - 1}", got=index)
        return len(self.nodes) - 1 - (index if self.places is None else int(self.places[index]))


def build(leaves: Words, *, sort_leaves: bool = False) -> MerkleTree:
    """The tree over leaf hashes of shape (n, 4), n > 0; `sort_leaves` is npm's default. Raises Malformed."""
    count = len(leaves)
    if count == 0:
        raise Malformed("a tree needs leaves", expected="at least one", got=0)
    places = None
    if sort_leaves:
        order = np.lexsort([leaves[:, word].byteswap() for word in (3, 2, 1, 0)])
        places = np.empty(count, np.uint64)
        places[order] = np.arange(count, dtype=np.uint64)
        leaves = leaves[order]
    nodes = np.empty((2 * count - 1, 4), np.uint64)
    nodes[count - 1 :] = leaves[::-1]
    high = count - 1
    while high > 0:
        low = high // 2
        hash_level(nodes, low, high)
        high = low
    return MerkleTree(nodes, places)


def leaf_words(hashes: Sequence[bytes]) -> Words:
    """Leaf hashes given as 32-byte strings, in the form `build` takes."""
    return np.frombuffer(b"".join(hashes), np.uint64).reshape(-1, 4)


def verify(root: bytes, leaf: bytes, proof: Sequence[bytes]) -> bool:
    """Does the proof lead from the leaf's hash to the root?"""
    node = leaf
    for sibling in proof:
        node = keccak256(node + sibling if node <= sibling else sibling + node)
    return node == root
