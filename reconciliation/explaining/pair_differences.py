"""Why do the amounts of pairs differ? First the price, by destination; then the quantity, by its cause."""

from collections.abc import Iterator, Mapping

import numpy as np

from ledger.money import show_micros
from ledger.service import Service
from reconciliation.difference import Books, Difference, day_of, severity_of, span_words
from reconciliation.explaining.prices import PriceParts, is_rounding, price_parts
from reconciliation.explaining.quantities import Bias, quantity_causes
from reconciliation.finding import Cause, Severity
from reconciliation.matching.services import TRAITS
from reconciliation.matching.side import Flags, Ints, Names, exact_sum

SPLIT_RULE = "records of one side that follow one another last together what one of the other does, within tolerance"
SPLIT_DETAIL = "one side wrote the call in parts"


def pair_differences(books: Books, split: Flags) -> Iterator[Difference]:
    """Differences whose parts sum, over all pairs, to the difference of the pairs' amounts; `split` are the pairs of
    split_calls.py."""
    parts = price_parts(books)
    yield from _price_differences(books, parts)
    yield from _quantity_differences(books, parts, split)


def _quantity_differences(books: Books, parts: PriceParts, split: Flags) -> Iterator[Difference]:
    """The quantity's part of each pair: from the middle amount to the debtor's."""
    causes = quantity_causes(books, split)
    counted = books.debtor.amount[books.pairing.theirs]
    dearer = parts.middle_micros > counted
    if causes.zero.any():
        yield _pairs(books, parts, causes.zero, Cause.ZERO_DURATION, "quantity 0 on one side only", "")
    if causes.split.any():
        yield _pairs(books, parts, causes.split, Cause.SPLIT_CALL, SPLIT_RULE, SPLIT_DETAIL, notice=True)
    for bias in causes.biases:
        rule = "90 % of the route's pairs differ one way, by more than the tolerance"
        yield _pairs(books, parts, bias.pairs, Cause.DURATION_BIAS, rule, _bias_words(books, bias), route=bias.route)
    if causes.within.any():
        tolerance = books.tolerance
        rule = f"quantities differ by at most {tolerance.duration_ms} ms or {tolerance.duration_bps / 100:g} %"
        yield _pairs(books, parts, causes.within, Cause.DURATION_WITHIN_TOLERANCE, rule, "", notice=True)
    rule = "quantities differ beyond the tolerance, without a pattern on the route"
    for mine in (causes.beyond & dearer, causes.beyond & ~dearer):
        if mine.any():
            yield _pairs(books, parts, mine, Cause.DURATION, rule, _one_way(books, mine))


def _bias_words(books: Books, bias: Bias) -> str:
    longer, span = "longer" if bias.typical > 0 else "shorter", span_words(abs(bias.typical))
    days = books.days_of(bias.first_ms, bias.last_ms)
    if bias.is_even:
        return f"{{creditor}} counts {span} {longer} than {{debtor}} on each call of {bias.route}, {days}"
    return f"{{creditor}} counts calls of {bias.route} {longer} than {{debtor}}, by {span} in the middle, {days}"


def _one_way(books: Books, mine: Flags) -> str:
    ours = books.creditor.quantity[books.pairing.ours[mine]]
    theirs = books.debtor.quantity[books.pairing.theirs[mine]]
    who = "{creditor}" if int(ours.sum()) > int(theirs.sum()) else "{debtor}"
    apart = int(np.median(np.abs(ours - theirs)))
    if not TRAITS[books.service].lasts:
        return f"{who} has more, {apart:,} in the middle"
    return f"{who} has the longer duration, {span_words(apart)} in the middle"


def _pairs(
    books: Books,
    parts: PriceParts,
    mine: Flags,
    cause: Cause,
    rule: str,
    detail: str,
    *,
    route: str | None = None,
    notice: bool = False,
) -> Difference:
    creditor_rows, debtor_rows = books.pairing.ours[mine], books.pairing.theirs[mine]
    creditor, debtor = parts.middle_micros[mine], books.debtor.amount[debtor_rows]
    disputed = severity_of(exact_sum(creditor), exact_sum(debtor))
    return Difference(
        cause=cause,
        severity=Severity.NOTICE if notice else disputed,
        rule=rule,
        creditor_rows=creditor_rows,
        debtor_rows=debtor_rows,
        creditor_micros=creditor,
        debtor_micros=debtor,
        fields="quantity",
        route=route,
        detail=detail,
    )


def _price_differences(books: Books, parts: PriceParts) -> Iterator[Difference]:
    """The price's part: from the creditor's amount to the middle; a group for each pair of destinations."""
    rows = np.flatnonzero(parts.differs)
    if len(rows) == 0:
        return
    ours, theirs = books.pairing.ours[rows], books.pairing.theirs[rows]
    moved = books.creditor.code.codes[ours] != books.debtor.code.codes[theirs]
    group = books.creditor.destination.codes[ours] * (len(books.debtor.destination.texts) + 1)
    group = (group + books.debtor.destination.codes[theirs]) * 2 + moved
    order = np.argsort(group, kind="stable")
    for some in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        yield _price_group(books, parts, rows[some], moved=bool(moved[some[0]]))


def _price_group(books: Books, parts: PriceParts, rows: Ints, *, moved: bool) -> Difference:
    ours, theirs = books.pairing.ours[rows], books.pairing.theirs[rows]
    owed, middle = books.creditor.amount[ours], parts.middle_micros[rows]
    name, other = books.creditor.destination.of(int(ours[0])), books.debtor.destination.of(int(theirs[0]))
    cause, rule, fields = Cause.RATE, "same code, another price on the same quantity", "amount_micros"
    if moved:
        cause, rule, fields = Cause.DESTINATION, "the dial codes differ", "code,amount_micros"
    elif is_rounding(owed, middle, books.creditor.charged[ours], books.debtor.charged[theirs]):
        cause, rule = Cause.ROUNDING, "same code and price, another rounding of amount or quantity"
    start = books.creditor.start_ms[ours]
    days = books.days_of(int(start.min()), int(start.max()))
    detail = f"{name}, {days}"
    if moved:
        codes, others = _listed(books.creditor.code, ours), _listed(books.debtor.code, theirs)
        detail += f": {{creditor}} rates {name} (code {codes}), {{debtor}} {other} (code {others})"
    elif cause == Cause.RATE:
        unit, per = _PRICED[books.service]
        first, second = (_mean_price(amounts, books.creditor.charged[ours], per) for amounts in (owed, middle))
        detail += f": {{creditor}} charges {{currency}} {first}{unit}, {{debtor}} reckons {second}"
    severity = severity_of(exact_sum(owed), exact_sum(middle))
    return Difference(
        cause=cause,
        severity=Severity.NOTICE if cause == Cause.ROUNDING else severity,
        rule=rule,
        creditor_rows=ours,
        debtor_rows=theirs,
        creditor_micros=owed,
        debtor_micros=middle,
        fields=fields,
        destination=name,
        day=day_of(int(start.min()), books.zone),
        detail=detail,
    )


def _listed(names: Names, rows: Ints) -> str:
    """The few texts of these rows, in order."""
    texts = [names.texts[code] for code in np.unique(names.codes[rows]).tolist()]
    return ", ".join(texts[:3]) + (" ..." if len(texts) > 3 else "")


_PRICED: Mapping[Service, tuple[str, int | None]] = {
    Service.VOICE: (" a minute", 60_000),
    Service.SMS: (" a message", 1),
    Service.DATA: ("", None),
    Service.IPL: ("", None),
}
"""How the price of a group is told: per so much of its quantity, or as a sum."""


def _mean_price(amounts: Ints, charged: Ints, per: int | None) -> str:
    """Mean price over a group, or its sum, for the sentence only."""
    if per is None:
        return show_micros(exact_sum(amounts), 2)
    return show_micros(exact_sum(amounts) * per // max(1, exact_sum(charged)), 4)
