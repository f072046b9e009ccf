"""How surprising is a count, if nothing but chance were at work?"""

import math


def surprise(count: int, expected: float) -> float:
    """Nats of Chernoff's bound: P(at least `count` of a Poisson variable) <= exp(-surprise)."""
    if count <= expected:
        return 0.0
    return count * math.log(count / expected) - count + expected
