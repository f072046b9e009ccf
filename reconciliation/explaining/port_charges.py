"""Does each side's charge for a port follow from its own samples? What a disputed percentile is made of, to be told.

A port's charge stands beside the samples it was made from, and the declared roots bind both. So whoever holds them can
tell two carriers that measured different octets from one whose charge its own samples do not give.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from ledger.agreement import Agreement
from ledger.identity import CarrierCode
from ledger.money import show_micros
from ledger.period import Period
from ledger.prices.data_rating import charge_moment_ms, wrong_charges
from ledger.prices.deck import DeckHistory
from ledger.prices.service_terms import DataBasis, PercentileDefinition, SampleDirection
from reconciliation.difference import Books, Difference
from reconciliation.finding import Cause
from reconciliation.matching.side import Ints, Side, exact_sum

Wrong = Mapping[str, tuple[int, int]]
"""Ports whose charge does not follow from the side's samples: what it states, what they give."""


def with_samples(
    books: Books, differences: Sequence[Difference], decks: DeckHistory, agreement: Agreement, creditor: CarrierCode
) -> tuple[Difference, ...]:
    """The same differences; those of charges say whether each side's follow from its own samples."""
    at_ms = charge_moment_ms(agreement, books.period)
    charges = [each for each in differences if _is_of_charges(books, each, at_ms)]
    if not charges or agreement.data.basis is not DataBasis.PERCENTILE:
        return tuple(differences)
    tables = [side.source.table() for side in (books.creditor, books.debtor)]
    owed, counted = (wrong_charges(table, decks, agreement, creditor, books.period) for table in tables)
    definitions = [
        _definition(table, decks, agreement, creditor, books.period, wrong)
        for table, wrong in zip(tables, (owed, counted), strict=True)
    ]
    return tuple(
        _told(books, each, (owed, counted), definitions) if _is_of_charges(books, each, at_ms) else each
        for each in differences
    )


def _definition(
    table: pa.Table, decks: DeckHistory, agreement: Agreement, creditor: CarrierCode, period: Period, wrong: Wrong
) -> str | None:
    """The other definition of the percentile, or other direction of the samples, that gives all of a side's charges
    that the agreed one does not; None if there is none, or nothing to explain."""
    if not wrong:
        return None
    mine = table.filter(pc.is_in(table["route"], value_set=pa.array(sorted(wrong), pa.string())))
    terms = agreement.data
    tried = [replace(terms, definition=each) for each in PercentileDefinition if each != terms.definition]
    tried += [replace(terms, direction=each) for each in SampleDirection if each != terms.direction]
    for other in tried:
        if not wrong_charges(mine, decks, replace(agreement, data=other), creditor, period):
            return f"direction {other.direction}" if other.direction != terms.direction else str(other.definition)
    return None


def _is_of_charges(books: Books, difference: Difference, at_ms: int) -> bool:
    return difference.cause is Cause.RATE and bool((books.creditor.start_ms[difference.creditor_rows] == at_ms).all())


def _told(
    books: Books, difference: Difference, wrong: tuple[Wrong, Wrong], definitions: Sequence[str | None]
) -> Difference:
    sides = (books.creditor, difference.creditor_rows), (books.debtor, difference.debtor_rows)
    said = [
        f"{{{who}}}'s {_follows(side, rows, of_side, definition)}"
        for who, (side, rows), of_side, definition in zip(
            ("creditor", "debtor"), sides, wrong, definitions, strict=True
        )
    ]
    off = [_ports(side, rows) & of_side.keys() for (side, rows), of_side in zip(sides, wrong, strict=True)]
    cause, rule = Cause.SAMPLES, "each side's charge follows from its own samples"
    if any(off):
        other = all(definition for ports, definition in zip(off, definitions, strict=True) if ports)
        cause = Cause.PERCENTILE if other else Cause.HEADER_DETAIL
        rule = "a side's charge does not follow from its own samples as agreed"
    return replace(difference, cause=cause, rule=rule, detail=f"{difference.detail}; {', '.join(said)}")


def _ports(side: Side, rows: Ints) -> set[str]:
    return {side.route.of(int(row)) for row in rows}


def _follows(side: Side, rows: Ints, wrong: Wrong, definition: str | None) -> str:
    ports = _ports(side, rows) & wrong.keys()
    if not ports:
        return "follows from its samples"
    if definition is not None:
        return f"follows from its samples by {definition}"
    too_much = sum(wrong[port][0] - wrong[port][1] for port in ports)
    return f"own samples give {show_micros(exact_sum(side.amount[rows]) - too_much, 2)}"
