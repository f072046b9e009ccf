"""Which bookings pay which payables? Each kind of booking once, and no money confirmed that did not come."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.documents.bank.arrivals import CONFIRMABLE, Arrival, Owed, match_bookings
from gateway.documents.bank.camt import Booking
from gateway.documents.payment_order import end_to_end_id, remittance_text
from ledger.identity import CarrierCode
from ledger.money import Micros

CN_T, GB_B = CarrierCode("CN-T"), CarrierCode("GB-B")
MINE = Owed(bytes([1]) * 32, GB_B, CN_T, "USD", 100_004_000, frozenset())
SECOND = Owed(bytes([2]) * 32, GB_B, CN_T, "USD", 50_000_000, frozenset())
THEIRS = Owed(bytes([3]) * 32, CN_T, GB_B, "USD", 100_000_000, frozenset())
PAID = Owed(bytes([4]) * 32, GB_B, CN_T, "USD", 0, frozenset({"hash of OLD"}))
ALL = (MINE, SECOND, THEIRS, PAID)
GOOD = Booking(
    line=1,
    booked_on=None,
    amount_micros=Micros(100_000_000),
    currency="USD",
    credit=True,
    booked=True,
    reversal=False,
    day="2026-12-01",
    end_to_end_id=end_to_end_id(MINE.payable_id),
    texts=(),
    reference="R1",
    payer=None,
)


def matched(*bookings: Booking) -> list[tuple[Arrival, int, int]]:
    hashed = {each.reference: f"hash of {each.reference}" for each in bookings if each.reference}
    return [
        (each.arrival, each.confirm_micros, each.left_micros) for each in match_bookings(bookings, ALL, CN_T, hashed)
    ]


@pytest.mark.parametrize(
    ("changes", "arrival", "confirmed", "left"),
    [
        ({}, Arrival.PAYS, 100_004_000, 0),
        ({"amount_micros": 40_000_000}, Arrival.PAYS_PART, 40_000_000, 60_004_000),
        ({"amount_micros": 100_010_000}, Arrival.PAYS_MORE, 100_004_000, -6_000),
        ({"amount_micros": 99_990_000}, Arrival.PAYS_PART, 99_990_000, 14_000),
        ({"end_to_end_id": end_to_end_id(THEIRS.payable_id)}, Arrival.NOT_OURS, 0, 100_000_000),
        ({"end_to_end_id": end_to_end_id(PAID.payable_id)}, Arrival.NOTHING_OPEN, 0, -100_000_000),
        ({"end_to_end_id": end_to_end_id(PAID.payable_id), "reference": "OLD"}, Arrival.CONFIRMED_BEFORE, 0, 0),
        ({"end_to_end_id": "INVOICE 7"}, Arrival.UNKNOWN, 0, 0),
        ({"end_to_end_id": end_to_end_id(bytes(32))}, Arrival.UNKNOWN, 0, 0),
        ({"end_to_end_id": None}, Arrival.UNKNOWN, 0, 0),
        ({"currency": "EUR"}, Arrival.OTHER_CURRENCY, 0, 100_004_000),
        ({"booked": False}, Arrival.NOT_BOOKED, 0, 100_004_000),
        ({"reversal": True}, Arrival.REVERSAL, 0, 100_004_000),
        ({"credit": False}, Arrival.PAID_OUT, 0, 100_004_000),
        ({"reference": None}, Arrival.NO_REFERENCE, 0, 100_004_000),
    ],
)
def test_each_kind_of_booking_is_told_apart(
    changes: dict[str, object], arrival: Arrival, confirmed: int, left: int
) -> None:
    assert matched(replace(GOOD, **changes)) == [(arrival, confirmed, left)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "texts",
    [
        (remittance_text(MINE.payable_id),),
        (f"payment {end_to_end_id(MINE.payable_id).upper()} thanks",),
        ("nothing here", remittance_text(MINE.payable_id)),
    ],
)
def test_a_payable_named_in_the_text_is_found(texts: tuple[str, ...]) -> None:
    assert matched(replace(GOOD, end_to_end_id=None, texts=texts))[0][0] is Arrival.PAYS


def test_a_text_that_names_two_payables_pays_neither() -> None:
    both = (remittance_text(MINE.payable_id), remittance_text(SECOND.payable_id))

    assert matched(replace(GOOD, end_to_end_id=None, texts=both))[0][0] is Arrival.UNKNOWN


def test_the_same_booking_twice_in_a_file_counts_once() -> None:
    told = matched(replace(GOOD, amount_micros=Micros(40_000_000)), replace(GOOD, amount_micros=Micros(40_000_000)))

    assert [each[:2] for each in told] == [(Arrival.PAYS_PART, 40_000_000), (Arrival.TWICE, 0)]


def test_two_payments_of_one_payable_share_what_is_outstanding() -> None:
    told = matched(
        replace(GOOD, amount_micros=Micros(60_000_000)),
        replace(GOOD, amount_micros=Micros(60_000_000), reference="R2"),
        replace(GOOD, amount_micros=Micros(1_000_000), reference="R3"),
    )

    assert told == [
        (Arrival.PAYS_PART, 60_000_000, 40_004_000),
        (Arrival.PAYS_MORE, 40_004_000, -19_996_000),
        (Arrival.NOTHING_OPEN, 0, -1_000_000),
    ]


BOOKINGS = st.lists(
    st.builds(
        replace,
        st.just(GOOD),
        amount_micros=st.integers(1, 200).map(lambda whole: Micros(whole * 1_000_000)),
        end_to_end_id=st.sampled_from([end_to_end_id(each.payable_id) for each in ALL]),
        reference=st.sampled_from(["OLD", "R1", "R2", "R3", None]),
        booked=st.booleans(),
        currency=st.sampled_from(["USD", "USD", "EUR"]),
    ),
    max_size=8,
)


@given(BOOKINGS)
def test_never_is_more_confirmed_than_came_or_than_is_outstanding(bookings: list[Booking]) -> None:
    hashed = {each.reference: f"hash of {each.reference}" for each in bookings if each.reference}
    proposals = match_bookings(bookings, ALL, CN_T, hashed)

    assert [each.booking for each in proposals] == bookings
    for owed in ALL:
        mine = [each for each in proposals if each.owed is owed]
        assert sum(each.confirm_micros for each in mine) <= owed.outstanding_micros
    for each in proposals:
        assert each.confirm_micros <= each.booking.amount_micros + 5_000
        assert (each.confirm_micros > 0) == (each.arrival in CONFIRMABLE)
