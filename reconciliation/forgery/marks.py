"""Which records that only the creditor holds bear marks of forgery, rather than of loss at the debtor?

A loss falls on records blindly; an inventor leaves patterns. Each detector asks one question of the creditor's records
without a partner and is a pure function from them to marks; a record that bears none stays missing. Statistical marks
compare with the same side's matched traffic, so that a busy number is no mark in itself, and need odds worse than one
in a thousand million under the assumption of blind loss. Records of a lost stretch (missing.py) are left out of them.
"""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from ledger.service import Service
from reconciliation.difference import Books
from reconciliation.forgery.circuits import ceased_circuits, overlapping_days
from reconciliation.forgery.concurrency import over_capacity, overlapping_callers
from reconciliation.forgery.durations import regular_durations
from reconciliation.forgery.numbers import dead_numbers, number_clusters, unallocated_numbers
from reconciliation.forgery.suspects import Detector, Evidence, Feature, Mark, Suspects
from reconciliation.forgery.whole import WholeSide, values_of
from reconciliation.matching.missing import lost_stretches
from reconciliation.matching.side import Flags, Ints

DETECTORS: Mapping[Service, tuple[Detector, ...]] = {
    Service.VOICE: (unallocated_numbers, dead_numbers, over_capacity, overlapping_callers, number_clusters),
    Service.SMS: (unallocated_numbers, dead_numbers, number_clusters),
    Service.DATA: (),
    Service.IPL: (ceased_circuits, overlapping_days),
}
"""In order of strength. Samples cost nothing themselves: what is wrong with them is a Suspicion (counters.py)."""


def find_forgery(suspects: Suspects, service: Service = Service.VOICE) -> tuple[Mark, ...]:
    """All marks on the creditor's records without a partner, strongest rule first; one record may bear several."""
    if len(suspects.rows) == 0:
        return ()
    marks = [mark for detector in DETECTORS[service] for mark in detector(suspects) if len(mark.rows)]
    if service is Service.VOICE:
        # forged calls of one length would make suspects of lost ones that happen to last as long: judge the rest
        marked: Flags = np.zeros(len(suspects.rows), np.bool_)
        for mark in marks:
            marked[mark.rows] = True
        marks += [mark for mark in regular_durations(suspects.without(marked)) if len(mark.rows)]
    return tuple(marks)


def suspects_of(books: Books, rows: Ints, evidence: Evidence) -> Suspects:
    """The creditor's rows without a partner."""
    creditor, whole = books.creditor, books.whole
    lost = np.zeros(len(rows), np.bool_)
    for stretch in lost_stretches(creditor, rows, whole, is_creditor=True):
        lost |= stretch.rows
    matched = np.zeros(len(creditor), np.bool_)
    matched[books.pairing.ours] = True
    is_asked = bool(evidence.unallocated or evidence.test_numbers or evidence.ceased)
    texts = creditor.texts(rows, ("b_party", "route")) if is_asked else _no_texts(len(rows))
    return Suspects(
        rows=creditor.row[rows],
        features={feature: values_of(creditor, feature)[rows] for feature in Feature},
        called=texts["b_party"],
        circuits=texts["route"],
        circuit=creditor.b_hash[rows],
        start_ms=creditor.start_ms[rows],
        quantity=creditor.quantity[rows],
        blind=~lost,
        whole=WholeSide(
            whole.creditor,
            creditor.route.texts,
            whole.creditor_records,
            creditor.row[~matched],
            np.sort(creditor.quantity[~matched]),
        ),
        evidence=evidence,
    )


def _no_texts(rows: int) -> pa.Table:
    """Numbers are read again only where evidence names some."""
    empty = pa.repeat("", rows)
    return pa.table({"b_party": empty, "route": empty})
