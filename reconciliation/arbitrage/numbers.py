"""Which numbers begin so?"""

from collections.abc import Collection, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reconciliation.matching.side import Flags


def begins(column: pa.ChunkedArray, beginnings: Sequence[str]) -> Flags:
    """For each number, whether it begins with one of these digits."""
    hit = np.zeros(len(column), np.bool_)
    for beginning in beginnings:
        hit |= np.asarray(pc.starts_with(column, beginning).to_numpy(), np.bool_)
    return hit


def priced_by(column: pa.ChunkedArray, codes: Collection[str], priced: Collection[str]) -> Flags:
    """For each number, whether the longest dial code of all `priced` that it begins with is one of `codes`."""
    mine = frozenset(codes)
    beyond = [each for each in priced if each not in mine and any(each[:end] in mine for end in range(1, len(each)))]
    hit = np.zeros(len(column), np.bool_)
    for length in sorted({len(each) for each in (*mine, *beyond)}):
        hit &= ~begins(column, [each for each in beyond if len(each) == length])
        hit |= begins(column, [each for each in mine if len(each) == length])
    return hit
