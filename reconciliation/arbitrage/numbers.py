"""Which numbers begin so?"""

from collections.abc import Sequence

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
