"""What is the 95th percentile of a month's samples? One of five deployed definitions, in exact fractions.

They give 4, 4.8 or 5 on the samples 1 to 5, and neighbouring samples of a month may be far apart: so an agreement names
its definition. Ranks count from 1 in ascending order; n samples, p the percentile as a share.
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ledger.errors import Malformed
from ledger.prices.service_terms import PercentileDefinition

Samples = Sequence[int] | NDArray[np.int64]


def percentile(samples: Samples, percent: int, definition: PercentileDefinition) -> Fraction:
    """The percentile of samples in any order, 1 to 100 percent. Raises Malformed."""
    if not 1 <= percent <= 100:
        raise Malformed("not a percentile", expected="1 to 100", got=percent)
    ordered = np.sort(np.asarray(samples, np.int64))
    if len(ordered) == 0:
        raise Malformed("no samples, no percentile", expected="at least one sample", got=0)
    rank = rank_of(len(ordered), percent, definition)
    below = rank.numerator // rank.denominator
    lower = int(ordered[below - 1])
    upper = int(ordered[min(below, len(ordered) - 1)])
    return lower + (rank - below) * (upper - lower)


def rank_of(count: int, percent: int, definition: PercentileDefinition) -> Fraction:
    """Which rank of `count` samples the definition means, from 1 to count; only LINEAR falls between two."""
    share = Fraction(percent, 100)
    match definition:
        case PercentileDefinition.NEAREST_RANK:
            rank = _ceiling(count * share)
        case PercentileDefinition.DROP_TOP:
            rank = count - _ceiling(count * (1 - share))
        case PercentileDefinition.ROUND:
            rank = _floor(count * share + Fraction(1, 2))
        case PercentileDefinition.LINEAR:
            return 1 + (count - 1) * share
        case PercentileDefinition.FLOOR:
            rank = 1 + _floor((count - 1) * share)
    return Fraction(max(1, rank))


def _floor(value: Fraction) -> int:
    return value.numerator // value.denominator


def _ceiling(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)
