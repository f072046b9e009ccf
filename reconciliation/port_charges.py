"""Does each side's charge for a port follow from its own samples? What a disputed percentile is made of, to be told.

A port's charge stands beside the samples it was made from, and the declared roots bind both. So whoever holds them can
tell two carriers that measured different octets from one whose charge its own samples do not give.
"""

from collections.abc import Sequence
from dataclasses import replace

from ledger.agreement import Agreement
from ledger.data_rating import charge_moment_ms, recompute_charge
from ledger.deck import DeckHistory
from ledger.errors import Malformed
from ledger.identity import CarrierCode
from ledger.money import show_micros
from ledger.service_terms import DataBasis
from reconciliation.difference import Books, Difference
from reconciliation.finding import Cause
from reconciliation.side import Side, exact_sum

MOST_PORTS = 20
"""Ports whose charges are computed again for the sentence of one difference."""


def with_samples(
    books: Books, differences: Sequence[Difference], decks: DeckHistory, agreement: Agreement, creditor: CarrierCode
) -> tuple[Difference, ...]:
    """The same differences; those of charges say what each side's own samples give."""
    if agreement.data.basis is not DataBasis.PERCENTILE:
        return tuple(differences)
    return tuple(_told(books, each, decks, agreement, creditor) for each in differences)


def _told(
    books: Books, difference: Difference, decks: DeckHistory, agreement: Agreement, creditor: CarrierCode
) -> Difference:
    rows = difference.creditor_rows
    at_ms = charge_moment_ms(agreement, books.period)
    if difference.cause is not Cause.RATE or not bool((books.creditor.start_ms[rows] == at_ms).all()):
        return difference
    ports = sorted({books.creditor.route.of(int(row)) for row in rows})
    if len(ports) > MOST_PORTS:
        return difference
    sides = (
        (books.creditor, "{creditor}", difference.creditor_rows),
        (books.debtor, "{debtor}", difference.debtor_rows),
    )
    said = []
    for side, who, mine in sides:
        stated, computed = exact_sum(side.amount[mine]), _computed(side, ports, decks, agreement, books, creditor)
        if computed is None:
            said.append(f"{who}'s samples give no charge")
        elif computed == stated:
            said.append(f"{who}'s follows from its samples")
        else:
            said.append(f"{who}'s own samples give {show_micros(computed, 2)}")
    return replace(difference, detail=f"{difference.detail}; {', '.join(said)}")


def _computed(
    side: Side, ports: Sequence[str], decks: DeckHistory, agreement: Agreement, books: Books, creditor: CarrierCode
) -> int | None:
    """What a side's samples give for these ports; None if they give no charge."""
    try:
        charges = [recompute_charge(side.table, port, decks, agreement, creditor, books.period) for port in ports]
    except Malformed:
        return None
    return sum(each.amount_micros for each in charges)
