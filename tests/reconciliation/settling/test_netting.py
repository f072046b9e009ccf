import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from ledger.errors import CurrencyMismatch, Malformed, Refused
from ledger.identity import CarrierCode
from ledger.money import Micros, parse_micros, show_micros
from reconciliation.settling import netting
from reconciliation.settling.netting import Leg, NettingResult, Obligation, net, net_bilaterally


def owes(debtor: str, creditor: str, amount: int, currency: str = "USD") -> Obligation:
    return Obligation(CarrierCode(debtor), CarrierCode(creditor), currency, Micros(amount))


def legs_of(result: NettingResult) -> list[tuple[str, str, int]]:
    return [(leg.debtor, leg.creditor, leg.amount_micros) for leg in result.legs]


def positions_of(result: NettingResult) -> dict[str, int]:
    return {position.carrier: position.amount_micros for position in result.positions}


def test_another_currency_is_refused_by_name() -> None:
    with pytest.raises(CurrencyMismatch) as refusal:
        net([owes("A", "B", 1, "EUR")], "USD")
    assert (refusal.value.expected, refusal.value.got) == ("USD", "EUR")


@pytest.mark.parametrize("wrong", [owes("A", "B", -1), owes("A", "A", 1)])
def test_a_negative_or_circular_obligation_is_refused(wrong: Obligation) -> None:
    with pytest.raises(Malformed):
        net([wrong], "USD")


def test_sums_beyond_63_bits_are_refused_rather_than_wrapped() -> None:
    with pytest.raises(Malformed):
        net([owes("A", "B", 2**62), owes("B", "C", 2**62), owes("C", "A", 2**62)], "USD")


def test_limits_that_cannot_carry_the_positions_are_refused() -> None:
    with pytest.raises(Refused):
        net([owes("A", "B", 10)], "USD", novate=True, limits={(CarrierCode("A"), CarrierCode("B")): 9})


def test_nothing_nets_to_nothing() -> None:
    assert (net([], "USD").legs, net([], "USD").gross_micros) == ((), 0)


def test_a_cycle_of_three_is_set_off() -> None:
    result = net([owes("CN-T", "GB-B", 100), owes("GB-B", "US-A", 80), owes("US-A", "CN-T", 50)], "USD")
    assert legs_of(result) == [("CN-T", "GB-B", 50), ("GB-B", "US-A", 30)]
    assert positions_of(result) == {"CN-T": -50, "GB-B": 20, "US-A": 30}
    assert (result.gross_micros, result.netted_micros, result.remaining_micros) == (230, 150, 80)


def test_set_off_makes_nobody_a_larger_debtor_where_novation_does_c22() -> None:
    owed = [owes("0", "1", 1_000), owes("0", "2", 2_000), owes("1", "2", 5_000)]
    assert legs_of(net(owed, "USD")) == [("0", "1", 1_000), ("0", "2", 2_000), ("1", "2", 5_000)]
    assert legs_of(net(owed, "USD", novate=True)) == [("0", "2", 3_000), ("1", "2", 4_000)]


def test_the_friends_of_c22_owe_joe() -> None:
    share = 4_200_000
    owed = [owes(who, "JOE", share) for who in ("SUE", "BOB", "ELLEN")]
    owed += [owes("SUE", "JOE", 24_400_000), owes("BOB", "SUE", 12_200_000)]
    assert legs_of(net(owed, "USD", novate=True)) == [
        ("BOB", "JOE", 16_400_000),
        ("ELLEN", "JOE", 4_200_000),
        ("SUE", "JOE", 16_400_000),
    ]


def test_the_textbook_matrix_of_c23_moves_five_of_forty_three() -> None:
    rows = ["GF4", "GS5", "GI6", "FG3", "FS3", "FI5", "SG4", "SF2", "SI2", "IG5", "IF3", "IS1"]
    result = net([owes(row[0], row[1], int(row[2])) for row in rows], "USD")
    assert result.gross_micros == 43
    assert positions_of(result) == {"F": -2, "G": -3, "I": 4, "S": 1}
    assert result.remaining_micros == 5


def test_the_batch_of_c19_leaves_each_what_was_published() -> None:
    """yeti bill_cdr_batch_spec: opening sums, prices and what is given back; what is negative is no obligation."""
    opening = [("YETI", "C1", "10"), ("YETI", "C2", "20"), ("YETI", "V1", "30"), ("YETI", "V2", "40")]
    sold = [("C1", "YETI", "10"), ("C1", "YETI", "10"), ("C2", "YETI", "11")]
    bought = [("YETI", "V1", "99"), ("YETI", "V1", "1100"), ("YETI", "V2", "1120")]
    given_back = [("YETI", "C1", "3.999"), ("V2", "YETI", "0.99999")]
    owed = [owes(*pair, parse_micros(text)) for *pair, text in [*opening, *sold, *bought, *given_back]]
    positions = positions_of(net(owed, "USD"))
    assert {carrier: show_micros(micros) for carrier, micros in positions.items() if carrier != "YETI"} == {
        "C1": "-6.001000",
        "C2": "9.000000",
        "V1": "1229.000000",
        "V2": "1159.000010",
    }
    for ignored in (owes("C1", "YETI", parse_micros("-110")), owes("YETI", "V2", parse_micros("-555"))):
        with pytest.raises(Malformed):
            net([*owed, ignored], "USD")


def test_bilateral_netting_leaves_larger_cycles_alone() -> None:
    owed = [owes("A", "B", 5), owes("B", "A", 3), owes("B", "C", 9), owes("C", "A", 9)]
    assert net_bilaterally(owed, "USD") == (
        Leg(CarrierCode("A"), CarrierCode("B"), Micros(2)),
        Leg(CarrierCode("B"), CarrierCode("C"), Micros(9)),
        Leg(CarrierCode("C"), CarrierCode("A"), Micros(9)),
    )


def test_the_certificate_refuses_a_flow_that_is_not_optimal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted fault: a solver that sets nothing off."""
    monkeypatch.setattr(netting, "_solve", lambda graph, supply: graph.amount)
    with pytest.raises(AssertionError, match="not optimal"):
        net([owes("A", "B", 5), owes("B", "A", 5)], "USD")


carriers = st.sampled_from("ABCDEF")
obligations = st.lists(
    st.builds(owes, carriers, carriers, st.integers(0, 1_000)).filter(lambda o: o.debtor != o.creditor), max_size=25
)


@given(obligations)
def test_positions_stay_and_sum_to_zero_and_no_leg_grows(owed: list[Obligation]) -> None:
    result = net(owed, "USD")
    moved = dict.fromkeys((position.carrier for position in result.positions), 0)
    for debtor, creditor, amount in legs_of(result):
        moved[CarrierCode(debtor)] -= amount
        moved[CarrierCode(creditor)] += amount
        assert amount <= sum(o.amount_micros for o in owed if (o.debtor, o.creditor) == (debtor, creditor))
    assert moved == positions_of(result)
    assert sum(moved.values()) == 0


@given(obligations)
def test_what_remains_is_the_least_that_linear_programming_finds(owed: list[Obligation]) -> None:
    result = net(owed, "USD")
    names = sorted({name for o in owed for name in (o.debtor, o.creditor)})
    if not names:
        return
    balance = np.zeros((len(names), len(owed)))
    for k, each in enumerate(owed):
        balance[names.index(each.debtor), k], balance[names.index(each.creditor), k] = 1, -1
    amounts = np.array([o.amount_micros for o in owed])
    least = linprog(np.ones(len(owed)), A_eq=balance, b_eq=balance @ amounts, bounds=[(0, a) for a in amounts])
    assert result.remaining_micros == round(least.fun)


@given(obligations, st.randoms())
def test_the_order_of_obligations_changes_nothing(owed: list[Obligation], chance: "object") -> None:
    mixed = list(owed)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert net(mixed, "USD") == net(owed, "USD")


def test_two_thousand_carriers_net() -> None:
    chance = np.random.default_rng(23)
    ends = chance.integers(0, 2_000, (80_000, 2))
    amounts = chance.integers(1, 10**12, 80_000)
    owed = [owes(f"C{a}", f"C{b}", int(x)) for (a, b), x in zip(ends.tolist(), amounts.tolist(), strict=True) if a != b]
    began = time.perf_counter()
    result = net(owed, "USD")
    print(f"{len(owed)} obligations netted in {time.perf_counter() - began:.2f} s")
    assert 0 < result.remaining_micros < result.gross_micros
    assert len(result.duals) == 2_000
