"""Which calls are of a length that no people agree on?"""

import numpy as np

from reconciliation.forgery.chance import odds_nats, surprise
from reconciliation.forgery.suspects import Mark, Suspects

LEAST_MATCHED = 100
"""So many matched calls are needed to know which lengths are usual."""


def regular_durations(suspects: Suspects) -> tuple[Mark, ...]:
    """Many calls of exactly one length, where matched traffic has few.

    Threshold: `least_records` and odds of 10^-`odds_power` against the length's share in matched traffic. Source:
    people hang up when they like, generators when the program says.
    """
    terms, matched = suspects.evidence.terms, suspects.whole.matched_size
    if matched < LEAST_MATCHED:
        return ()
    values, counts = np.unique(suspects.quantity[suspects.blind], return_counts=True)
    several = counts >= terms.least_records
    values, counts = values[several], counts[several]
    seen = suspects.whole.matched_of_quantity(values)
    blind = int(suspects.blind.sum())
    regular = [
        surprise(count, blind * (usual + 1) / (matched + 1)) > odds_nats(terms.odds_power)
        for count, usual in zip(counts.tolist(), seen.tolist(), strict=True)
    ]
    found = suspects.blind & np.isin(suspects.quantity, values[np.array(regular, np.bool_)])
    rule = f"{terms.least_records} or more of exactly one duration, odds under 1e-{terms.odds_power}"
    return (Mark(np.flatnonzero(found), rule, "of too regular duration"),)
