"""Which numbers do invented records name that real ones would not?"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reconciliation.forgery.chance import odds_nats, surprise
from reconciliation.forgery.suspects import Feature, Mark, Suspects
from reconciliation.matching.keys import withheld_hash
from reconciliation.matching.side import Flags, Ints, Words


def unallocated_numbers(suspects: Suspects) -> tuple[Mark, ...]:
    """Events at numbers that nobody holds: calls cannot have been answered, nor messages delivered.

    Source: the number ranges given as evidence (national numbering plans, ITU-T E.164.1 assignments). No threshold.
    """
    if not suspects.evidence.unallocated:
        return ()
    hit = np.zeros(len(suspects.rows), np.bool_)
    for beginning in suspects.evidence.unallocated:
        hit |= np.asarray(pc.starts_with(suspects.called, beginning).to_numpy(), np.bool_)
    return (Mark(np.flatnonzero(hit), "called number in an unallocated range", "to numbers that nobody holds"),)


def dead_numbers(suspects: Suspects) -> tuple[Mark, ...]:
    """Calls answered, or messages delivered, at test numbers that never answer and receive nothing.

    Source: the whole numbers given as evidence; testing services keep such SIM cards (i3forum, release 3.3). No
    threshold.
    """
    hit = pc.is_in(suspects.called, value_set=pa.array(suspects.evidence.test_numbers, pa.string()))
    rows = np.flatnonzero(np.asarray(hit.to_numpy(), np.bool_))
    return (Mark(rows, "a test number that never answers", "to test numbers that receive nothing"),)


def number_clusters(suspects: Suspects) -> tuple[Mark, ...]:
    """Numbers, or blocks of 100 called numbers, that lack partners far more often than the traffic does.

    Threshold: `least_records` and odds of 10^-`odds_power` (Chernoff's bound on a Poisson tail with the side's own loss
    share). Source: a blind loss spreads over numbers as the traffic does.
    """
    marks = []
    terms = suspects.evidence.terms
    for feature in Feature:
        rows, numbers = _clusters(suspects, feature, suspects.features[feature])
        rule = f"{terms.least_records} or more of one {feature.words} without partner, odds under 1e-{terms.odds_power}"
        marks.append(Mark(rows, rule, f"in {numbers} {feature.words}{'s' if numbers != 1 else ''}"))
    return tuple(marks)


def _clusters(suspects: Suspects, feature: Feature, column: Words) -> tuple[Ints, int]:
    """Records of the values that lack partners too often for their share of the traffic, and how many values."""
    terms = suspects.evidence.terms
    values, counts = np.unique(column[suspects.blind], return_counts=True)
    several = (counts >= terms.least_records) & ~_is_withheld(feature, values)
    values, counts = values[several], counts[several]
    whole = suspects.whole.how_many(feature, values)
    share = int(suspects.blind.sum()) / max(1, suspects.whole.size)
    suspicious = [
        count * 2 > all_of_it and surprise(count, all_of_it * share) > odds_nats(terms.odds_power)
        for count, all_of_it in zip(counts.tolist(), whole.tolist(), strict=True)
    ]
    chosen = values[np.array(suspicious, np.bool_)]
    found: Flags = suspects.blind & np.isin(column, chosen)
    return np.flatnonzero(found), len(chosen)


def _is_withheld(feature: Feature, values: Words) -> Flags:
    """Callers that are not told are many, and no number."""
    withheld: Flags = (values == withheld_hash()) & (feature is Feature.CALLING_NUMBER)
    return withheld
