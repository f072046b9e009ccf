"""Does each side's charge for a port follow from its own samples? What a disputed percentile is made of, to be told.

A port's charge stands beside the samples it was made from, and the declared roots bind both. So whoever holds them can
tell two carriers that measured different octets from one whose charge its own samples do not give.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ledger.agreement import Agreement
from ledger.identity import CarrierCode
from ledger.money import show_micros
from ledger.period import Period
from ledger.prices.data_rating import charge_moment_ms, wrong_charges
from ledger.prices.deck import DeckHistory
from ledger.prices.service_terms import DataBasis, PercentileDefinition, SampleDirection
from reconciliation.difference import Books, Difference, severity_of
from reconciliation.finding import Cause
from reconciliation.matching.side import Flags, Ints, Side, exact_sum

_CAUSES = {
    Cause.SAMPLES: "each side's charge follows from its own samples",
    Cause.PERCENTILE: "a side's charge does not follow from its own samples as agreed",
    Cause.HEADER_DETAIL: "a side's charge does not follow from its own samples as agreed",
}
"""What charges of ports can differ by, with the rule that says so."""


@dataclass(frozen=True, slots=True)
class _Checked:
    """What a side's own samples say of its charges."""

    wrong: Mapping[str, tuple[int, int]]
    """Ports whose charge does not follow from the side's samples: what it states, what they give."""
    definitions: Mapping[str, str | None]
    """Of these ports the other definition of the percentile, or direction, that gives the charge; None if none does."""


def with_samples(
    books: Books, differences: Sequence[Difference], decks: DeckHistory, agreement: Agreement, creditor: CarrierCode
) -> tuple[Difference, ...]:
    """The same differences; those of charges say whether each side's follow from its own samples, each cause apart."""
    at_ms = charge_moment_ms(agreement, books.period)
    asked = agreement.data.basis is DataBasis.PERCENTILE
    if not asked or not any(_is_of_charges(books, each, at_ms) for each in differences):
        return tuple(differences)
    tables = [side.source.table() for side in (books.creditor, books.debtor)]
    owed, counted = (_checked(table, decks, agreement, creditor, books.period) for table in tables)
    found: list[Difference] = []
    for each in differences:
        found += _told_apart(books, each, (owed, counted)) if _is_of_charges(books, each, at_ms) else [each]
    return tuple(found)


def _checked(
    table: pa.Table, decks: DeckHistory, agreement: Agreement, creditor: CarrierCode, period: Period
) -> _Checked:
    wrong = wrong_charges(table, decks, agreement, creditor, period)
    terms = agreement.data
    tried = [replace(terms, definition=each) for each in PercentileDefinition if each != terms.definition]
    tried += [replace(terms, direction=each) for each in SampleDirection if each != terms.direction]
    definitions: dict[str, str | None] = dict.fromkeys(wrong)
    for port in wrong:
        mine = table.filter(pc.equal(table["route"], port))
        for other in tried:
            if not wrong_charges(mine, decks, replace(agreement, data=other), creditor, period):
                is_direction = other.direction != terms.direction
                definitions[port] = f"direction {other.direction}" if is_direction else str(other.definition)
                break
    return _Checked(wrong, definitions)


def _is_of_charges(books: Books, difference: Difference, at_ms: int) -> bool:
    return difference.cause is Cause.RATE and bool((books.creditor.start_ms[difference.creditor_rows] == at_ms).all())


def _told_apart(books: Books, difference: Difference, checked: tuple[_Checked, _Checked]) -> Iterator[Difference]:
    """One difference for each cause that some of the ports have."""
    ports = [books.creditor.route.of(int(row)) for row in difference.creditor_rows]
    causes = [_cause(port, checked) for port in ports]
    for cause, rule in _CAUSES.items():
        mine = np.array([each is cause for each in causes], np.bool_)
        if mine.any():
            part = difference if mine.all() else _part(books, difference, mine)
            said = f"{part.detail}; {', '.join(_follows(books, part, checked))}"
            yield replace(part, cause=cause, rule=rule, detail=said)


def _cause(port: str, checked: tuple[_Checked, _Checked]) -> Cause:
    off = [side for side in checked if port in side.wrong]
    if not off:
        return Cause.SAMPLES
    return Cause.PERCENTILE if all(side.definitions[port] for side in off) else Cause.HEADER_DETAIL


def _part(books: Books, difference: Difference, mine: Flags) -> Difference:
    """Some ports' charges."""
    owed, counted = difference.creditor_micros[mine], difference.debtor_micros[mine]
    ports = sorted({books.creditor.route.of(int(row)) for row in difference.creditor_rows[mine]})
    sums = [show_micros(exact_sum(each), 2) for each in (owed, counted)]
    return replace(
        difference,
        severity=severity_of(exact_sum(owed), exact_sum(counted)),
        creditor_rows=difference.creditor_rows[mine],
        debtor_rows=difference.debtor_rows[mine],
        creditor_micros=owed,
        debtor_micros=counted,
        detail=f"{', '.join(ports)}: {{creditor}} charges {{currency}} {sums[0]}, {{debtor}} reckons {sums[1]}",
    )


def _follows(books: Books, difference: Difference, checked: tuple[_Checked, _Checked]) -> Iterator[str]:
    """Of each side, from what its charges follow."""
    sides = (books.creditor, difference.creditor_rows), (books.debtor, difference.debtor_rows)
    for who, (side, rows), of_side in zip(("creditor", "debtor"), sides, checked, strict=True):
        yield f"{{{who}}}'s {_follows_from(side, rows, of_side)}"


def _follows_from(side: Side, rows: Ints, checked: _Checked) -> str:
    ports = {side.route.of(int(row)) for row in rows} & checked.wrong.keys()
    if not ports:
        return "follows from its samples"
    definitions = {checked.definitions[port] for port in ports}
    if None not in definitions:
        return f"follows from its samples by {' and '.join(sorted(map(str, definitions)))}"
    too_much = sum(checked.wrong[port][0] - checked.wrong[port][1] for port in ports)
    return f"own samples give {show_micros(exact_sum(side.amount[rows]) - too_much, 2)}"
