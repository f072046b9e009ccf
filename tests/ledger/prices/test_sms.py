"""Does a message cost what its network's price on its day says, and is an unknown network an error?"""

import random
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import CurrencyMismatch, Malformed
from ledger.prices.deck import DeckHistory
from ledger.prices.rating import Rating
from ledger.prices.rating_terms import RatingTerms, RoundingPlace
from ledger.prices.service_terms import SmsBasis, SmsTerms, SmsUnit
from ledger.prices.sms import codes_of_network, is_charged, messages_or_segments, rate_messages, segments_of
from ledger.service import Service
from tests.ledger.prices.service_records import agreed, decks, ms, usage_of

DECK = """\
destination,mcc,mnc,rate
China Mobile,460,00;02;07,0.0105
China,460,,0.0200
United States,310,260,0.0075
Reliance,405,,0.0150
"""


def history(text: str = DECK) -> DeckHistory:
    return decks(Service.SMS, ("2026-09-01", text))


def rated(*rows: tuple[str, int, str], prices: DeckHistory | None = None) -> Rating:
    """Messages of (start, segments, route)."""
    usage = usage_of(("CNT", "8613912345678", start, quantity, route) for start, quantity, route in rows)
    return rate_messages(usage, prices or history(), agreed())


def amounts(rating: Rating) -> list[int]:
    return [int(each) for each in rating.rated["amount_micros"].to_pylist()]


def test_an_unknown_network_is_an_error_never_zero() -> None:
    """C-07: an unauthorised destination must raise, not cost 0."""
    rating = rated(
        ("2026-10-05", 1, "46000"), ("2026-10-05", 1, "20801"), ("2026-10-05", 1, "31026"), ("2026-10-05", 1, "")
    )

    assert amounts(rating) == [10_500]
    assert rating.refused["reason"].to_pylist() == ["unknown network", "unknown network", "the route names no network"]
    assert len(rating.rated) + len(rating.refused) == 4


@pytest.mark.parametrize(
    ("start", "quantity", "route", "reason"),
    [
        ("2026-08-31T23:59:59", 1, "46000", "no rate deck in force"),
        ("2026-10-01", -1, "46000", "negative quantity"),
        ("2026-10-01", 2**62, "46000", "amount out of bounds"),
        ("2026-10-01", 1, "4600", "the route names no network"),
        ("2026-10-01", 1, "٤٦٠00", "the route names no network"),
    ],
)
def test_what_has_no_price_is_refused_with_its_reason(start: str, quantity: int, route: str, reason: str) -> None:
    rating = rated((start, quantity, route))

    assert rating.refused["reason"].to_pylist() == [reason]
    assert len(rating.rated) == 0


def test_the_networks_own_price_goes_before_its_countrys() -> None:
    rating = rated(("2026-10-05", 1, "46002"), ("2026-10-05", 3, "460-01"), ("2026-10-05", 1, "460"))

    assert rating.rated.select(["destination", "code", "charged_quantity", "amount_micros"]).to_pylist() == [
        {"destination": "China Mobile", "code": "46002", "charged_quantity": 1, "amount_micros": 10_500},
        {"destination": "China", "code": "460", "charged_quantity": 3, "amount_micros": 60_000},
        {"destination": "China", "code": "460", "charged_quantity": 1, "amount_micros": 20_000},
    ]


def test_a_network_of_three_digits_is_not_the_one_its_first_two_name() -> None:
    assert codes_of_network("310260") == ("310260", "310")
    assert codes_of_network("31026") == ("31026", "310")
    assert amounts(rated(("2026-10-05", 1, "310260"))) == [7_500]


def test_a_later_price_never_prices_an_earlier_message_again() -> None:
    """C-07, the comm.com example: 10 messages at 1 cent on day 2, 2 cents from day 3 on, 10 on day 4."""
    cent = "destination,mcc,mnc,rate\nX,460,00,0.01\n"
    two_decks = decks(Service.SMS, ("2026-09-01", cent), ("2026-10-03", cent.replace("0.01", "0.02")))
    one_deck = history("destination,mcc,mnc,rate,effective_date\nX,460,00,0.01,\nX,460,00,0.02,2026-10-03\n")
    days = [("2026-10-02", 1, "46000")] * 10 + [("2026-10-04", 1, "46000")] * 10

    for prices in (two_decks, one_deck):
        found = amounts(rated(*days, prices=prices))
        assert (sum(found[:10]), sum(found[10:])) == (100_000, 200_000)


def test_messages_cost_what_the_tutorial_says() -> None:
    """C-07: 0.1 to one destination, 0.2 to another."""
    prices = history("destination,mcc,mnc,rate\nA,204,04,0.1\nB,262,01,0.2\n")
    assert amounts(rated(("2026-10-05", 1, "20404"), ("2026-10-05", 1, "26201"), prices=prices)) == [100_000, 200_000]


def test_a_closed_network_has_no_price_though_its_country_has_one() -> None:
    text = (
        "destination,mcc,mnc,rate,effective_date,status\nC,460,,0.02,,\nM,460,00,0.01,,\nM,460,00,,2026-10-10,blocked\n"
    )
    rating = rated(("2026-10-09", 1, "46000"), ("2026-10-10", 1, "46000"), prices=history(text))
    assert amounts(rating) == [10_000]
    assert rating.refused["reason"].to_pylist() == ["network closed"]


def test_decks_of_another_service_or_currency_are_refused() -> None:
    usage = usage_of([("CNT", "8613912345678", "2026-10-05", 1, "46000")])
    with pytest.raises(Malformed, match="decks of another service"):
        rate_messages(usage, decks(Service.IPL, ("2026-09-01", "destination,circuit,monthly\nX,C1,1\n")), agreed())
    dollars = decks(Service.SMS, ("2026-09-01", DECK))
    with pytest.raises(CurrencyMismatch):
        rate_messages(usage, dollars, replace(agreed(), currency="EUR"))


@pytest.mark.parametrize(
    ("encoding", "length", "segments"),
    [
        ("gsm7", 0, 1),
        ("gsm7", 160, 1),
        ("gsm7", 161, 2),
        ("gsm7", 306, 2),
        ("gsm7", 307, 3),
        ("ucs2", 70, 1),
        ("ucs2", 71, 2),
        ("ucs2", 134, 2),
        ("ucs2", 135, 3),
        ("octets", 140, 1),
        ("octets", 141, 2),
    ],
)
def test_a_text_goes_in_so_many_segments(encoding: str, length: int, segments: int) -> None:
    """3GPP TS 23.040: 160 septets alone, 153 each when joined; 70 and 67 in UCS-2."""
    assert segments_of(length, encoding) == segments


def test_length_and_encoding_go_before_the_parts_the_switch_counted() -> None:
    segment, message = SmsTerms(unit=SmsUnit.SEGMENT), SmsTerms(unit=SmsUnit.MESSAGE)
    assert messages_or_segments(segment, 1, 161, "gsm7") == 2
    assert messages_or_segments(segment, 3, None, None) == 3
    assert messages_or_segments(message, 3, 161, "gsm7") == 1
    for parts, encoding in ((None, None), (0, None), (1, "ebcdic")):
        with pytest.raises(Malformed):
            messages_or_segments(segment, parts, None if encoding is None else 9, encoding)


def test_on_delivery_only_what_was_delivered_is_charged() -> None:
    submit, delivery = SmsTerms(basis=SmsBasis.SUBMIT), SmsTerms(basis=SmsBasis.DELIVERY)
    statuses = ("DELIVRD", " delivered ", "UNDELIV", "EXPIRED", "")
    assert [is_charged(delivery, status) for status in statuses] == [True, True, False, False, False]
    assert all(is_charged(submit, status) for status in statuses)


rows = st.lists(
    st.tuples(
        st.integers(0, 60).map(lambda day: ms("2026-08-25") + day * 86_400_000),
        st.integers(0, 9),
        st.sampled_from(["46000", "460-01", "310260", "99999", "x"]),
    ),
    max_size=30,
)


@settings(max_examples=50, deadline=None)
@given(rows, st.randoms(use_true_random=False), st.integers(0, 30))
def test_order_and_cutting_change_no_amount(drawn: list[tuple[int, int, str]], chance: random.Random, at: int) -> None:
    usage = usage_of(("CNT", "86", "2026-10-01", quantity, route) for _, quantity, route in drawn)
    usage = usage.set_column(3, usage.schema.field(3), pa.array([start for start, _, _ in drawn], pa.int64()))
    order = np.arange(len(drawn))
    np.random.default_rng(chance.randrange(2**32)).shuffle(order)
    whole = rate_messages(usage, history(), agreed())
    parts = [
        rate_messages(part, history(), agreed())
        for part in (usage.take(order).slice(0, at), usage.take(order).slice(at))
    ]

    assert sorted(amounts(whole)) == sorted([*amounts(parts[0]), *amounts(parts[1])])
    assert len(whole.refused) == sum(len(part.refused) for part in parts)


def test_a_message_is_rounded_in_the_place_and_to_the_decimals_agreed() -> None:
    prices = history("destination,mcc,mnc,rate\nX,460,00,0.0149\n")
    usage = usage_of([("CNT", "86", "2026-10-05", 3, "46000")])
    expected = {RoundingPlace.RECORD: 40_000, RoundingPlace.INCREMENT: 30_000}
    for place, micros in expected.items():
        agreement = replace(agreed(), rating=RatingTerms(place=place, decimals=2))
        assert amounts(rate_messages(usage, prices, agreement)) == [micros]
