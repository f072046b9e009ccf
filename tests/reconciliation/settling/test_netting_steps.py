"""Does each step of netting lower what is paid, keep every position, and pass no claim on beyond a credit line?"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from ledger.errors import CurrencyMismatch
from ledger.identity import CarrierCode
from ledger.money import Micros
from reconciliation.settling.netting import Leg, Obligation, net, prove_positions
from reconciliation.settling.netting_steps import CreditLines, net_each_currency, net_in_steps

NAMES = [CarrierCode(name) for name in "ABCDEF"]
A, B, C, D = NAMES[:4]


def owes(debtor: CarrierCode, creditor: CarrierCode, amount: int, currency: str = "USD") -> Obligation:
    return Obligation(debtor, creditor, currency, Micros(amount))


def leg(debtor: CarrierCode, creditor: CarrierCode, amount: int) -> Leg:
    return Leg(debtor, creditor, Micros(amount))


CHAIN = [owes(A, B, 100), owes(B, C, 70)]
"""B owes what it is owed: it could be left out."""


def test_another_currency_is_refused() -> None:
    with pytest.raises(CurrencyMismatch):
        net_in_steps([*CHAIN, owes(A, B, 1, "EUR")], "USD")


def test_legs_that_are_not_the_sum_of_the_statements_are_our_own_mistake() -> None:
    """The planted fault: a payment that a micro is missing from, and one to somebody else."""
    for legs in ([leg(A, B, 99), leg(B, C, 70)], [leg(A, C, 100), leg(B, C, 70)]):
        with pytest.raises(AssertionError, match="not the sum of the statements of"):
            prove_positions(CHAIN, legs)


def test_a_position_names_the_statements_it_is_the_sum_of() -> None:
    _, b, _ = net_in_steps([*CHAIN, owes(A, B, 5)], "USD").set_off.positions
    assert b == (B, 35, 105, 70, 3)


def test_without_lines_nothing_is_passed_on() -> None:
    steps = net_in_steps(CHAIN, "USD")
    assert (steps.novated, steps.legs) == (None, (leg(A, B, 100), leg(B, C, 70)))
    assert steps.remaining_micros == (170, 170)


def test_a_claim_is_passed_on_as_far_as_the_line_goes() -> None:
    steps = net_in_steps(CHAIN, "USD", {(A, C): Micros(40)})
    assert steps.legs == (leg(A, B, 60), leg(A, C, 40), leg(B, C, 30))
    assert steps.remaining_micros == (170, 170, 130)


def test_a_line_below_what_is_owed_already_stops_nothing() -> None:
    assert net_in_steps(CHAIN, "USD", {(A, B): Micros(1)}).legs == (leg(A, B, 100), leg(B, C, 70))


def test_a_line_of_a_carrier_that_has_no_statement_brings_nobody_in() -> None:
    assert net_in_steps(CHAIN, "USD", {(A, D): Micros(500), (D, C): Micros(500)}).legs == (
        leg(A, B, 100),
        leg(B, C, 70),
    )


def test_two_are_offset_before_circles_are_set_off() -> None:
    owed = [owes(A, B, 10), owes(B, A, 4), owes(B, C, 6), owes(C, A, 6)]
    steps = net_in_steps(owed, "USD", {})
    assert steps.offset == (leg(A, B, 6), leg(B, C, 6), leg(C, A, 6))
    assert (steps.gross_micros, *steps.remaining_micros) == (26, 18, 0, 0)


def test_currencies_are_never_mixed_neither_are_their_lines() -> None:
    owed = [owes(A, B, 5), owes(B, A, 3), owes(B, A, 4, "EUR"), owes(A, C, 4, "EUR")]
    euro, dollar = net_each_currency(owed, [owes(B, C, 9, "USD")])
    assert (euro.set_off.currency, euro.legs) == ("EUR", (leg(A, C, 4), leg(B, A, 4)))
    assert (dollar.set_off.currency, dollar.legs) == ("USD", (leg(A, B, 2),))


edges = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(lambda edge: edge[0] != edge[1])
statements = st.lists(st.builds(lambda edge, amount: owes(*edge, amount), edges, st.integers(0, 1_000)), max_size=20)
credit_lines = st.dictionaries(edges, st.builds(Micros, st.integers(0, 2_000)), max_size=15)


@given(statements, credit_lines)
def test_each_step_lowers_what_is_paid_and_keeps_every_position(owed: list[Obligation], lines: CreditLines) -> None:
    steps = net_in_steps(owed, "USD", lines)
    sums = [steps.gross_micros, *steps.remaining_micros]
    assert sums == sorted(sums, reverse=True)
    for legs in (steps.offset, steps.set_off.legs, steps.legs):
        again = [owes(*each) for each in legs]
        positions = {each.carrier: each.amount_micros for each in net(again, "USD").positions if each.amount_micros}
        assert positions == {each.carrier: each.amount_micros for each in steps.set_off.positions if each.amount_micros}
    before = {(each.debtor, each.creditor): each.amount_micros for each in steps.set_off.legs}
    for each in steps.legs:
        edge = (each.debtor, each.creditor)
        assert each.amount_micros <= max(lines.get(edge, 0), before.get(edge, 0))


@given(statements, credit_lines)
def test_what_is_paid_in_the_end_is_the_least_that_linear_programming_finds(
    owed: list[Obligation], lines: CreditLines
) -> None:
    steps = net_in_steps(owed, "USD", lines)
    caps = {(each.debtor, each.creditor): each.amount_micros for each in steps.set_off.legs}
    known = {each.carrier for each in steps.set_off.positions}
    for edge, line in lines.items():
        if known.issuperset(edge):
            caps[edge] = Micros(max(line, caps.get(edge, 0)))
    if not caps:
        return
    balance = np.zeros((len(NAMES), len(caps)))
    for at, (debtor, creditor) in enumerate(caps):
        balance[NAMES.index(debtor), at], balance[NAMES.index(creditor), at] = -1, 1
    wanted = np.zeros(len(NAMES))
    for position in steps.set_off.positions:
        wanted[NAMES.index(position.carrier)] = position.amount_micros
    least = linprog(np.ones(len(caps)), A_eq=balance, b_eq=wanted, bounds=[(0, cap) for cap in caps.values()])
    assert steps.remaining_micros[-1] == round(least.fun)
