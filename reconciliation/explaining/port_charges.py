"""Does each side's charge for a port follow from its own samples? What a disputed percentile is made of, to be told.

A port's charge stands beside the samples it was made from, and the declared roots bind both. So whoever holds them can
tell two carriers that measured different octets from one whose charge its own samples do not give.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ledger.agreement import Agreement
from ledger.identity import CarrierCode
from ledger.money import show_micros
from ledger.prices.data_rating import charge_moment_ms, wrong_charges
from ledger.prices.deck import DeckHistory
from ledger.prices.service_terms import DataBasis
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
    tables = (side.source.table() for side in (books.creditor, books.debtor))
    owed, counted = (wrong_charges(table, decks, agreement, creditor, books.period) for table in tables)
    return tuple(
        _told(books, each, owed, counted) if _is_of_charges(books, each, at_ms) else each for each in differences
    )


def _is_of_charges(books: Books, difference: Difference, at_ms: int) -> bool:
    return difference.cause is Cause.RATE and bool((books.creditor.start_ms[difference.creditor_rows] == at_ms).all())


def _told(books: Books, difference: Difference, owed: Wrong, counted: Wrong) -> Difference:
    said = [
        f"{{creditor}}'s {_follows(books.creditor, difference.creditor_rows, owed)}",
        f"{{debtor}}'s {_follows(books.debtor, difference.debtor_rows, counted)}",
    ]
    return replace(difference, detail=f"{difference.detail}; {', '.join(said)}")


def _follows(side: Side, rows: Ints, wrong: Wrong) -> str:
    ports = {side.route.of(int(row)) for row in rows} & wrong.keys()
    if not ports:
        return "follows from its samples"
    too_much = sum(wrong[port][0] - wrong[port][1] for port in ports)
    return f"own samples give {show_micros(exact_sum(side.amount[rows]) - too_much, 2)}"
