"""Was a calling number rewritten, or dropped, so that another origin prices the call?

Where rates depend on where a call comes from, the calling number is money: a refiler puts a cheap origin's number in
its place, or none. Three questions tell, each sure of what it says: does the debtor's own record of the same call name
a dearer caller; is the same line at the same time in a call of its own carrier; do more calls lack a caller than the
trade allows, and cheaper for it? Source: ITU-T E.157 (calling line identification), D.99 and E.370 (refile); the
missing-CPN clause (cases.md C-15); the surcharge for missing and invalid CLI (cases.md C-27).
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ledger.detector_terms import DetectorTerms
from ledger.money import div_half_even
from ledger.prices.origin import origin_of
from ledger.prices.rating import rate
from ledger.prices.rating_terms import INVALID
from ledger.usage import USAGE_SCHEMA
from reconciliation.arbitrage.numbers import begins
from reconciliation.arbitrage.sold import Sold, suspect
from reconciliation.matching.keys import text_hashes
from reconciliation.matching.match import Rule, match
from reconciliation.matching.services import clocks_of, tolerance_of
from reconciliation.matching.side import Ints, Words, exact_sum, side_of
from reconciliation.suspicion import Suspicion, SuspicionKind

PROVEN, LIKELY, SHARE = 99, 90, 70
"""Percent: by the debtor's own record, by a line in two places, by a share alone."""


def find_renamed(sold: Sold, debtors: pa.Table, terms: DetectorTerms) -> tuple[Suspicion, ...]:
    """Calls whose caller in the debtor's own records has a dearer price than the caller that arrived.

    `debtors` is the debtor's RatedTable of the same direction and month. Pairs are the match's on the called number,
    start and quantity. Threshold: `rewritten_calls`. Money at risk: the price with the debtor's caller minus what was
    charged. Calls that lost their caller and are dearer for it are none: the surcharge paid for that.
    """
    if sold.decks is None or not len(sold.table) or not len(debtors):
        return ()
    ours, theirs = side_of(sold.table), side_of(debtors)
    tolerance = tolerance_of(sold.agreement, sold.decks.service)
    pairing = match(ours, theirs, tolerance, clocks_of(ours, theirs, tolerance, sold.decks.service))
    renamed = pairing.rules == Rule.CALLED_NUMBER
    rows, others = pairing.ours[renamed], pairing.theirs[renamed]
    told = np.asarray(pc.not_equal(debtors["a_party"].take(pa.array(others)), "").to_numpy(), np.bool_)
    rows, others = rows[told], others[told]
    dearer = _with_callers(sold, rows, debtors["a_party"].take(pa.array(others))) - sold.column("amount_micros")[rows]
    rows, dearer = rows[dearer > 0], dearer[dearer > 0]
    if len(rows) < terms.rewritten_calls:
        return ()
    order = np.argsort(rows)
    rule = f"{terms.rewritten_calls} or more calls whose caller in the debtor's records has a dearer price"
    return (
        suspect(
            sold,
            SuspicionKind.REWRITTEN_CALLER,
            PROVEN,
            _origins(sold, rows),
            rows[order],
            exact_sum(dearer),
            rule,
            f"{len(rows):,} calls arrived from {sold.debtor} with another caller than its own records name, and cost "
            "less for it",
        ),
    )


def find_lines_twice(sold: Sold, direct: Sold, own: Sequence[str], terms: DetectorTerms) -> tuple[Suspicion, ...]:
    """Callers of another carrier's that arrive through the debtor while they are in calls that come direct.

    `direct` is the direction from the callers' own carrier, whose numbers begin with one of `own`. Threshold:
    `least_overlaps` calls of a number at once with its direct ones, `rewritten_calls` in all; numbers whose direct
    calls overlap each other are switchboards and tell nothing. Travellers and honest overflow call from one place at a
    time. Money at risk: the direct price of these minutes minus what was charged.
    """
    mine = text_hashes(sold.table["a_party"])
    candidates = np.flatnonzero(
        begins(sold.table["a_party"], own) & np.isin(mine, text_hashes(direct.table["a_party"]))
    )
    if not len(candidates):
        return ()
    lines = _lines_twice(sold, direct, mine, candidates, terms)
    rows = candidates[np.isin(mine[candidates], lines)]
    if len(rows) < terms.rewritten_calls:
        return ()
    at_direct = _mean_price(direct, sold.column("charged_quantity")[rows], sold.table["code"].take(pa.array(rows)))
    risk = at_direct - exact_sum(sold.column("amount_micros")[rows])
    return (
        suspect(
            sold,
            SuspicionKind.REWRITTEN_CALLER,
            LIKELY,
            direct.debtor,
            rows,
            risk,
            f"{terms.least_overlaps} or more calls of a number at once with its own carrier's",
            f"{len(lines):,} numbers of {direct.debtor} arrive through {sold.debtor} while they are in calls that come "
            f"direct: {len(rows):,} calls have a caller that is not theirs",
        ),
    )


def find_nameless(sold: Sold, terms: DetectorTerms) -> tuple[Suspicion, ...]:
    """Calls without a valid caller, more of them than the trade allows, and cheaper than those with one.

    Threshold: `unknown_caller_bps` of the direction's calls, and `rewritten_calls`. Money at risk: the mean price of
    named callers' minutes to the same codes minus what was charged.
    """
    names, places = np.unique(sold.table["a_party"].to_pylist(), return_inverse=True)
    origins = sold.agreement.rating.origins
    invalid = np.array([origin_of(str(name), origins) == INVALID for name in names], np.bool_)[places]
    rows = np.flatnonzero(invalid)
    if len(rows) < terms.rewritten_calls or len(rows) * 10_000 < len(invalid) * terms.unknown_caller_bps:
        return ()
    named = Sold(
        sold.creditor, sold.debtor, sold.table.filter(pa.array(~invalid)), sold.agreement, sold.period, sold.decks
    )
    usual = _mean_price(named, sold.column("charged_quantity")[rows], sold.table["code"].take(pa.array(rows)))
    risk = usual - exact_sum(sold.column("amount_micros")[rows])
    if risk <= 0:
        return ()
    return (
        suspect(
            sold,
            SuspicionKind.REWRITTEN_CALLER,
            SHARE,
            "no valid caller",
            rows,
            risk,
            f"{terms.unknown_caller_bps / 100:g} % of the calls without a valid caller, and cheaper than the others",
            f"{len(rows):,} of {len(invalid):,} calls from {sold.debtor} have no valid caller, and cost less than "
            "those that have one",
        ),
    )


def _with_callers(sold: Sold, rows: Ints, callers: pa.ChunkedArray) -> Ints:
    """What our records would cost with these callers; 0 where that has no price."""
    assert sold.decks is not None
    usage = sold.table.select(USAGE_SCHEMA.names).take(pa.array(rows)).cast(USAGE_SCHEMA)
    usage = usage.set_column(0, USAGE_SCHEMA.field("line"), pa.array(np.arange(len(rows))))
    usage = usage.set_column(1, USAGE_SCHEMA.field("a_party"), callers.cast(pa.string()))
    rated = rate(usage.cast(USAGE_SCHEMA), sold.decks, sold.agreement).rated
    amounts = np.zeros(len(rows), np.int64)
    amounts[rated["line"].to_numpy()] = rated["amount_micros"].to_numpy()
    return amounts


def _origins(sold: Sold, rows: Ints) -> str:
    origins = sold.agreement.rating.origins
    seen = {origin_of(each, origins) for each in sold.table["a_party"].take(pa.array(rows)).to_pylist()}
    return ", ".join(sorted(seen))


def _lines_twice(sold: Sold, direct: Sold, mine: Words, candidates: Ints, terms: DetectorTerms) -> Words:
    theirs = text_hashes(direct.table["a_party"])
    start, end = _spans(sold)
    direct_start, direct_end = _spans(direct)
    found = []
    for line, rows in _groups(mine[candidates], candidates).items():
        own = np.flatnonzero(theirs == line)
        own = own[np.argsort(direct_start[own], kind="stable")]
        if len(rows) < terms.least_overlaps or bool((direct_start[own][1:] < direct_end[own][:-1]).any()):
            continue
        before = np.searchsorted(direct_start[own], end[rows] - 1_000)
        latest = direct_end[own][np.maximum(before - 1, 0)]
        overlaps = (before > 0) & (latest > start[rows] + 1_000)
        if int(overlaps.sum()) >= terms.least_overlaps:
            found.append(line)
    return np.array(found, np.uint64)


def _groups(values: Words, rows: Ints) -> Mapping[int, Ints]:
    order = np.argsort(values, kind="stable")
    lines, begins = np.unique(values[order], return_index=True)
    parts = np.split(rows[order], begins[1:])
    return dict(zip(lines.tolist(), parts, strict=True))


def _spans(sold: Sold) -> tuple[Ints, Ints]:
    start = sold.column("start_ms")
    return start, start + sold.column("quantity")


def _mean_price(of: Sold, charged: Ints, codes: pa.ChunkedArray) -> int:
    """What so much would cost at the mean price of another table's minutes to the same codes; of all where it has
    none of a code."""
    code, amount, volume = of.table["code"].to_pylist(), of.column("amount_micros"), of.column("charged_quantity")
    sums: dict[str, list[int]] = {}
    for name, paid, talked in zip(code, amount.tolist(), volume.tolist(), strict=True):
        both = sums.setdefault(name, [0, 0])
        both[0], both[1] = both[0] + paid, both[1] + talked
    all_paid, all_talked = exact_sum(amount), exact_sum(volume)
    total = 0
    for name, talked in zip(codes.to_pylist(), charged.tolist(), strict=True):
        paid, of_code = sums.get(name, [all_paid, all_talked])
        total += div_half_even(paid * talked, max(1, of_code))
    return total
