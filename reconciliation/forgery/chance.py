"""How surprising is a count, if nothing but chance were at work?"""

import math


def surprise(count: int, expected: float) -> float:
    """Nats of Chernoff's bound: P(at least `count` of a Poisson variable) <= exp(-surprise)."""
    if count <= expected:
        return 0.0
    if expected <= 0:
        return math.inf
    return count * math.log(count / expected) - count + expected


def odds_nats(power: int) -> float:
    """Odds of one in ten to this power, in nats."""
    return power * math.log(10)
