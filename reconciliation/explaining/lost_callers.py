"""Which calls have no partner only because their caller was lost on a route whose durations all differ?

A caller that was withheld or rewritten is made up for by the called number, as long as the durations agree within
tolerance (matching/match.py). Where a route counts longer or shorter throughout, that is what they cannot do: they
agree once the route's bias is taken off.
"""

from dataclasses import replace

import numpy as np

from reconciliation.difference import Books
from reconciliation.explaining.number_formats import meeting, nearest
from reconciliation.explaining.quantities import find_biases
from reconciliation.matching.match import Pairing, Rule, classify
from reconciliation.matching.services import TRAITS
from reconciliation.matching.side import Ints, allowed_ms


def with_lost_callers(books: Books) -> Books:
    """The same books; what is alone on both sides and fits its routes' bias is paired, the nearest in time first."""
    pairing = books.pairing
    alone, others = pairing.missing_at_theirs, pairing.missing_at_ours
    if not TRAITS[books.service].lasts or not len(alone) or not len(others):
        return books
    routes, typical = _biased_routes(books)
    near = nearest(*_alike(books, routes, typical)) if len(routes) else []
    if not near:
        return books
    places, other_places = (np.array(each, np.int64) for each in zip(*near, strict=True))
    return replace(books, pairing=_with(books, alone[places], others[other_places]))


def _biased_routes(books: Books) -> tuple[Ints, Ints]:
    """Ascending, each pair of routes with a bias, as `_route_pair` numbers them; and the bias."""
    ours, theirs = books.pairing.ours, books.pairing.theirs
    owed, counted = books.creditor.quantity[ours], books.debtor.quantity[theirs]
    found: dict[int, int] = {}
    for bias in find_biases(books, owed - counted, (owed > 0) & (counted > 0)):
        for route in np.unique(_route_pair(books, ours[bias.pairs], theirs[bias.pairs])).tolist():
            found.setdefault(route, bias.typical)
    routes = sorted(found)
    return np.array(routes, np.int64), np.array([found[route] for route in routes], np.int64)


def _route_pair(books: Books, rows: Ints, others: Ints) -> Ints:
    width = len(books.debtor.route.texts)
    pairs: Ints = books.creditor.route.codes[rows].astype(np.int64) * width + books.debtor.route.codes[others]
    return pairs


def _alike(books: Books, routes: Ints, typical: Ints) -> tuple[Ints, Ints, Ints]:
    """Places of all that might be one call, as (creditor's, debtor's), and how far apart they are."""
    us, them, tolerance = books.creditor, books.debtor, books.tolerance
    rows, other_rows = books.pairing.missing_at_theirs, books.pairing.missing_at_ours
    start = us.start_ms[rows] - books.clocks.ours[rows]
    other_start = them.start_ms[other_rows] - books.clocks.theirs[other_rows]
    step = tolerance.window_ms + 1
    at, other = meeting(us.b_hash[rows], start // step, them.b_hash[other_rows], other_start // step)
    ours, theirs = rows[at], other_rows[other]
    pair = _route_pair(books, ours, theirs)
    place = np.minimum(np.searchsorted(routes, pair), len(routes) - 1)
    apart = np.abs(start[at] - other_start[other])
    longer = np.abs(us.quantity[ours] - them.quantity[theirs] - typical[place])
    like = (us.b_hash[ours] == them.b_hash[theirs]) & (apart <= tolerance.window_ms) & (routes[place] == pair)
    like &= longer <= allowed_ms(np.maximum(us.quantity[ours], them.quantity[theirs]), tolerance)
    return at[like], other[like], (apart + longer)[like]


def _with(books: Books, rows: Ints, others: Ints) -> Pairing:
    old, us, them = books.pairing, books.creditor, books.debtor
    delta_ms = them.start_ms[others] - books.clocks.theirs[others] - us.start_ms[rows] + books.clocks.ours[rows]
    ours = np.concatenate([old.ours, rows])
    order = np.argsort(ours)
    classes = classify(us.quantity[rows], them.quantity[others], books.tolerance)
    return replace(
        old,
        ours=ours[order],
        theirs=np.concatenate([old.theirs, others])[order],
        classes=np.concatenate([old.classes, classes])[order],
        rules=np.concatenate([old.rules, np.full(len(rows), int(Rule.BIASED_ROUTE))])[order],
        delta_ms=np.concatenate([old.delta_ms, delta_ms])[order],
        missing_at_theirs=np.setdiff1d(old.missing_at_theirs, rows),
        missing_at_ours=np.setdiff1d(old.missing_at_ours, others),
    )
