"""Which of two records with one key and start comes first? A hash of what else they say decides, never their order."""

import numpy as np

from ledger.kernel import kernel
from reconciliation.matching.keys import Ints, Words


@kernel
def tie_of(
    quantity: Ints,
    charged: Ints,
    amount: Ints,
    route: Ints,
    destination: Ints,
    code: Ints,
    route_hash: Words,
    destination_hash: Words,
    code_hash: Words,
) -> Ints:
    """One word for each record; names are places in columns of their texts' hashes."""
    tie = np.empty(len(quantity), np.int64)
    for k in range(len(quantity)):
        word = np.uint64(quantity[k]) * np.uint64(0x9E3779B97F4A7C15)
        word = (word ^ (word >> np.uint64(29)) ^ np.uint64(charged[k])) * np.uint64(0x9E3779B97F4A7C15)
        word = (word ^ (word >> np.uint64(29)) ^ np.uint64(amount[k])) * np.uint64(0x9E3779B97F4A7C15)
        word = (word ^ (word >> np.uint64(29)) ^ route_hash[route[k]]) * np.uint64(0xBF58476D1CE4E5B9)
        word = (word ^ (word >> np.uint64(32)) ^ destination_hash[destination[k]]) * np.uint64(0xBF58476D1CE4E5B9)
        word = (word ^ (word >> np.uint64(32)) ^ code_hash[code[k]]) * np.uint64(0xBF58476D1CE4E5B9)
        tie[k] = np.int64(word ^ (word >> np.uint64(32)))
    return tie
