"""Which records of one key belong together? The compiled loops of matching, all in this file.

A loop's machine code is kept on disk and renewed when its own file changes; so a loop calls none of another file.
"""

import numpy as np

from ledger.kernel import kernel
from reconciliation.matching.columns import Columns, Reach
from reconciliation.matching.side import Flags, Ints

EXACT_LIMIT = 256
"""Records of one side in a component that still get the exact assignment; more are paired in order of time."""
NEVER = -1
"""An edge that is not there."""
FAR_MS = 86_400_000
"""Durations that differ by more than a day cost no more than a day: keeps sums within 63 bits."""
LONG_AGO_MS = 2**61
TWIN_MS = 1_000
"""Two records of one side and key that start and last the same within this are one event written twice."""


@kernel
def sweep(
    our_keys: Ints,
    our_rows: Ints,
    ours: Columns,
    their_keys: Ints,
    their_rows: Ints,
    theirs: Columns,
    reach: Reach,
    mate: Ints,
) -> None:
    """Walk the groups of equal keys of both sides in step and match each."""
    i = 0
    j = 0
    while i < len(our_keys) and j < len(their_keys):
        if our_keys[i] < their_keys[j]:
            i += 1
        elif our_keys[i] > their_keys[j]:
            j += 1
        else:
            i_end = i + 1
            while i_end < len(our_keys) and our_keys[i_end] == our_keys[i]:
                i_end += 1
            j_end = j + 1
            while j_end < len(their_keys) and their_keys[j_end] == their_keys[j]:
                j_end += 1
            if i_end - i == 1 and j_end - j == 1:  # nearly all: spared the passing of columns
                x = our_rows[i]
                y = their_rows[j]
                near = abs(ours.start_ms[x] - theirs.start_ms[y]) <= reach.window_ms
                like = reach.limits[x] < 0 or abs(ours.quantity[x] - theirs.quantity[y]) <= reach.limits[x]
                if near and like and ours.key[x] == theirs.key[y]:
                    mate[x] = y
            else:
                _match_group(our_rows[i:i_end], ours, their_rows[j:j_end], theirs, reach, mate)
            i = i_end
            j = j_end


@kernel
def sift(
    our_keys: Ints,
    our_rows: Ints,
    ours: Columns,
    their_keys: Ints,
    their_rows: Ints,
    theirs: Columns,
    amounts: tuple[Ints, Ints],
    reach: Reach,
    mate: Ints,
    loud: tuple[Flags, Flags],
) -> None:
    """Walk the groups of equal keys of both sides in step; what pairs with equal quantity and amount is not `loud`.

    What is within reach of anything that differs stays loud with it: no later rule could see less than all of it.
    """
    apart_ms = max(reach.window_ms, TWIN_MS)
    i = 0
    j = 0
    while i < len(our_keys) and j < len(their_keys):
        if our_keys[i] < their_keys[j]:
            i += 1
        elif our_keys[i] > their_keys[j]:
            j += 1
        else:
            i_end = i + 1
            while i_end < len(our_keys) and our_keys[i_end] == our_keys[i]:
                i_end += 1
            j_end = j + 1
            while j_end < len(their_keys) and their_keys[j_end] == their_keys[j]:
                j_end += 1
            if i_end - i == 1 and j_end - j == 1:  # nearly all: spared the passing of columns
                x = our_rows[i]
                y = their_rows[j]
                near = abs(ours.start_ms[x] - theirs.start_ms[y]) <= reach.window_ms
                same = ours.quantity[x] == theirs.quantity[y] and amounts[0][x] == amounts[1][y]
                if near and same and ours.key[x] == theirs.key[y]:
                    mate[x] = y
                    loud[0][x] = False
                    loud[1][y] = False
            else:
                k = 0
                in_step = i_end - i == j_end - j  # nearly all others: each far from the next, and its partner beside it
                last = np.int64(-LONG_AGO_MS)
                while in_step and k < i_end - i:
                    x = our_rows[i + k]
                    y = their_rows[j + k]
                    start = ours.start_ms[x]
                    other = theirs.start_ms[y]
                    same = ours.quantity[x] == theirs.quantity[y] and amounts[0][x] == amounts[1][y]
                    near = abs(start - other) <= reach.window_ms and min(start, other) > last + apart_ms
                    in_step = same and near and ours.key[x] == theirs.key[y]
                    last = max(start, other)
                    k += 1
                if in_step:
                    for k in range(i_end - i):
                        mate[our_rows[i + k]] = their_rows[j + k]
                        loud[0][our_rows[i + k]] = False
                        loud[1][their_rows[j + k]] = False
                else:
                    xs = our_rows[i:i_end]
                    ys = their_rows[j:j_end]
                    _by_start(xs, ours)
                    _by_start(ys, theirs)
                    _sift_group(xs, ours, ys, theirs, amounts, reach, mate, loud)
            i = i_end
            j = j_end


@kernel
def _sift_pair(
    x: int,
    ours: Columns,
    y: int,
    theirs: Columns,
    amounts: tuple[Ints, Ints],
    reach: Reach,
    mate: Ints,
    loud: tuple[Flags, Flags],
) -> None:
    near = abs(ours.start_ms[x] - theirs.start_ms[y]) <= reach.window_ms
    same = ours.quantity[x] == theirs.quantity[y] and amounts[0][x] == amounts[1][y]
    if near and same and ours.key[x] == theirs.key[y]:
        mate[x] = y
        loud[0][x] = False
        loud[1][y] = False


@kernel
def _sift_group(
    xs: Ints,
    ours: Columns,
    ys: Ints,
    theirs: Columns,
    amounts: tuple[Ints, Ints],
    reach: Reach,
    mate: Ints,
    loud: tuple[Flags, Flags],
) -> None:
    """Cut the records of one key, ascending by start, into clusters farther apart than any rule reaches."""
    apart_ms = max(reach.window_ms, TWIN_MS)
    x = 0
    y = 0
    while x < len(xs) and y < len(ys):
        x_end, y_end = _cluster(xs, ours, x, ys, theirs, y, apart_ms)
        if x_end - x == 1 and y_end - y == 1:
            _sift_pair(xs[x], ours, ys[y], theirs, amounts, reach, mate, loud)
        elif x_end - x == y_end - y:
            _match_group(xs[x:x_end], ours, ys[y:y_end], theirs, reach, mate)
            quiet = True
            for row in xs[x:x_end]:
                other = mate[row]
                if other < 0 or ours.quantity[row] != theirs.quantity[other] or amounts[0][row] != amounts[1][other]:
                    quiet = False
            if quiet:
                for row in xs[x:x_end]:
                    loud[0][row] = False
                    loud[1][mate[row]] = False
        x = x_end
        y = y_end


@kernel
def _cluster(xs: Ints, ours: Columns, x: int, ys: Ints, theirs: Columns, y: int, apart_ms: int) -> tuple[int, int]:
    """Ends of the cluster that begins with x or y, whichever is first: no step in it is longer than `apart_ms`."""
    last = min(ours.start_ms[xs[x]], theirs.start_ms[ys[y]])
    while True:
        if (
            x < len(xs)
            and ours.start_ms[xs[x]] <= last + apart_ms
            and (y == len(ys) or ours.start_ms[xs[x]] <= theirs.start_ms[ys[y]])
        ):
            last = ours.start_ms[xs[x]]
            x += 1
        elif y < len(ys) and theirs.start_ms[ys[y]] <= last + apart_ms:
            last = theirs.start_ms[ys[y]]
            y += 1
        else:
            return x, y


@kernel
def _group_end(keys: Ints, first: int) -> int:
    end = first + 1
    while end < len(keys) and keys[end] == keys[first]:
        end += 1
    return end


@kernel
def _match_group(xs: Ints, ours: Columns, ys: Ints, theirs: Columns, reach: Reach, mate: Ints) -> None:
    """Cut the records of one key into components and match each."""
    _by_start(xs, ours)
    _by_start(ys, theirs)
    x = 0
    y = 0
    while x < len(xs) and y < len(ys):
        delta = ours.start_ms[xs[x]] - theirs.start_ms[ys[y]]
        if delta < -reach.window_ms:
            x += 1
        elif delta > reach.window_ms:
            y += 1
        else:
            x_end, y_end = _component(xs, ours, x, ys, theirs, y, reach.window_ms)
            _match_component(xs[x:x_end], ours, ys[y:y_end], theirs, reach, mate)
            x = x_end
            y = y_end


@kernel
def _by_start(rows: Ints, side: Columns) -> None:
    """Order the rows of one key by start, then by what else they say, then by row (Shell 1959, gaps of Knuth).

    Our own few lines, because numba needs seconds to compile a library sort and most keys have one or two rows.
    """
    gap = 1
    while gap * 3 + 1 < len(rows):
        gap = gap * 3 + 1
    while gap > 0:
        for k in range(gap, len(rows)):
            row = rows[k]
            at = k
            while at >= gap:
                before = rows[at - gap]
                later = side.start_ms[before] - side.start_ms[row]
                if later < 0 or (later == 0 and (side.tie[before], before) < (side.tie[row], row)):
                    break
                rows[at] = before
                at -= gap
            rows[at] = row
        gap //= 3


@kernel
def _component(xs: Ints, ours: Columns, x: int, ys: Ints, theirs: Columns, y: int, window_ms: int) -> tuple[int, int]:
    """Ends of the component that begins with the edge (x, y): nothing beyond is within the window of what is inside."""
    last = max(ours.start_ms[xs[x]], theirs.start_ms[ys[y]])
    x += 1
    y += 1
    while True:
        ours_follow = x < len(xs) and ours.start_ms[xs[x]] <= last + window_ms
        theirs_follow = y < len(ys) and theirs.start_ms[ys[y]] <= last + window_ms
        if ours_follow and (not theirs_follow or ours.start_ms[xs[x]] <= theirs.start_ms[ys[y]]):
            last = max(last, ours.start_ms[xs[x]])
            x += 1
        elif theirs_follow:
            last = max(last, theirs.start_ms[ys[y]])
            y += 1
        else:
            return x, y


@kernel
def _edge(row: int, ours: Columns, other: int, theirs: Columns, reach: Reach) -> int:
    """Cost of pairing two rows, or NEVER. The sort word holds part of the key only, so the whole is compared here."""
    delta = ours.start_ms[row] - theirs.start_ms[other]
    if abs(delta) > reach.window_ms or ours.key[row] != theirs.key[other]:
        return NEVER
    return _deviation(delta, ours.quantity[row] - theirs.quantity[other], reach.limits[row])


@kernel
def _match_component(xs: Ints, ours: Columns, ys: Ints, theirs: Columns, reach: Reach, mate: Ints) -> None:
    if len(xs) == len(ys) and _match_alike(xs, ours, ys, theirs, reach, mate):
        return
    if max(len(xs), len(ys)) > EXACT_LIMIT:
        _match_in_order(xs, ours, ys, theirs, reach, mate)
    elif len(xs) == 1 and len(ys) == 1:
        if _edge(xs[0], ours, ys[0], theirs, reach) >= 0:
            mate[xs[0]] = ys[0]
    else:
        _match_exactly(xs, ours, ys, theirs, reach, mate)


@kernel
def _match_alike(xs: Ints, ours: Columns, ys: Ints, theirs: Columns, reach: Reach, mate: Ints) -> bool:
    """Pair in order of time if so all pair with equal quantities: no assignment has less |start difference| in all."""
    for k in range(len(xs)):
        x = xs[k]
        y = ys[k]
        near = abs(ours.start_ms[x] - theirs.start_ms[y]) <= reach.window_ms
        if not near or ours.quantity[x] != theirs.quantity[y] or ours.key[x] != theirs.key[y]:
            return False
    for k in range(len(xs)):
        mate[xs[k]] = ys[k]
    return True


@kernel
def _match_exactly(xs: Ints, ours: Columns, ys: Ints, theirs: Columns, reach: Reach, mate: Ints) -> None:
    turned = len(xs) > len(ys)
    few = min(len(xs), len(ys))
    costs = np.empty((few, max(len(xs), len(ys))), np.int64)
    for r in range(costs.shape[0]):
        for c in range(costs.shape[1]):
            x = c if turned else r
            y = r if turned else c
            costs[r, c] = _edge(xs[x], ours, ys[y], theirs, reach)
    chosen = np.full(few, -1, np.int64)
    _assign(costs, chosen)
    for r in range(few):
        c = chosen[r]
        if c >= 0:
            x = c if turned else r
            y = r if turned else c
            mate[xs[x]] = ys[y]


@kernel
def _match_in_order(xs: Ints, ours: Columns, ys: Ints, theirs: Columns, reach: Reach, mate: Ints) -> None:
    """Pair a crowd in order of time: as many pairs as the window allows, in one pass, but not always the nearest."""
    x = 0
    y = 0
    while x < len(xs) and y < len(ys):
        if _edge(xs[x], ours, ys[y], theirs, reach) >= 0:
            mate[xs[x]] = ys[y]
            x += 1
            y += 1
        elif ours.start_ms[xs[x]] <= theirs.start_ms[ys[y]]:
            x += 1
        else:
            y += 1


@kernel
def mark_twins(keys: Ints, rows: Ints, side: Columns, matched: Flags, twins: Flags) -> None:
    first = 0
    while first < len(keys):
        end = _group_end(keys, first)
        group = rows[first:end]
        if len(group) > 1:
            _by_start(group, side)
            for at in range(len(group)):
                if not matched[group[at]]:
                    twins[group[at]] = _has_twin(group, at, side, matched)
        first = end


@kernel
def _has_twin(group: Ints, at: int, side: Columns, matched: Flags) -> bool:
    """An earlier twin of any kind, or a later one with a partner: so the first of a lonely pair stays missing."""
    for k in range(len(group)):
        row = group[at]
        other = group[k]
        near = abs(side.start_ms[row] - side.start_ms[other]) <= TWIN_MS
        alike = side.key[row] == side.key[other] and abs(side.quantity[row] - side.quantity[other]) <= TWIN_MS
        if k != at and near and alike and (k < at or matched[other]):
            return True
    return False


@kernel
def _deviation(delta_ms: int, quantity_delta: int, hard: int) -> int:
    """Cost of a pair: |start difference| + |quantity difference|; NEVER if the latter passes `hard` (>= 0)."""
    apart = abs(quantity_delta)
    if hard >= 0 and apart > hard:
        return NEVER
    return abs(delta_ms) + min(apart, FAR_MS)


@kernel
def _assign(costs: Ints, chosen: Ints) -> None:
    """Fill `chosen[row]` with the row's column or -1; rows <= columns; costs are NEVER or >= 0.

    The Hungarian method with potentials (Kuhn 1955, Munkres 1957; shortest augmenting paths), O(rows² columns).
    A missing edge costs more than all the others together, so that the number of pairs comes first.
    """
    rows, columns = costs.shape
    dearest = np.int64(0)
    for row in range(rows):
        chosen[row] = -1
        for column in range(columns):
            dearest = max(dearest, costs[row, column])
    never = (dearest + 1) * (rows + 1)
    highest = np.int64(1) << 62
    row_price = np.zeros(rows + 1, np.int64)
    column_price = np.zeros(columns + 1, np.int64)
    holder = np.zeros(columns + 1, np.int64)
    came_from = np.zeros(columns + 1, np.int64)
    for row in range(1, rows + 1):
        holder[0] = row
        at = 0
        slack = np.full(columns + 1, highest)
        done = np.zeros(columns + 1, np.bool_)
        while holder[at] != 0:
            done[at] = True
            here = holder[at]
            step = highest
            following = 0
            for column in range(1, columns + 1):
                if not done[column]:
                    cost = costs[here - 1, column - 1]
                    reduced = (never if cost < 0 else cost) - row_price[here] - column_price[column]
                    if reduced < slack[column]:
                        slack[column] = reduced
                        came_from[column] = at
                    if slack[column] < step:
                        step = slack[column]
                        following = column
            for column in range(columns + 1):
                if done[column]:
                    row_price[holder[column]] += step
                    column_price[column] -= step
                else:
                    slack[column] -= step
            at = following
        while at != 0:
            before = came_from[at]
            holder[at] = holder[before]
            at = before
    for column in range(1, columns + 1):
        row = holder[column]
        if row > 0 and costs[row - 1, column - 1] >= 0:
            chosen[row - 1] = column - 1
