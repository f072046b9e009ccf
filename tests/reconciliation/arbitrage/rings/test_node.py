"""What does the node find that can read nothing? The same as a search over all decks in the clear, and no more."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import Malformed, Refused
from ledger.identity import CarrierCode
from ledger.money import Nanos
from ledger.prices.deck import DeckHistory, Rate, deck_history, rate_deck
from reconciliation.arbitrage.circles import ArbitrageFinding, Direction, Scheme, find_arbitrage
from reconciliation.arbitrage.rings.masks import Masks
from reconciliation.arbitrage.rings.node import find_rings
from reconciliation.arbitrage.rings.offers import Answer, Edge, Offer, make_offer
from reconciliation.arbitrage.rings.opening import Opened, open_answer

KEY, ROUND, AT_MS = bytes(range(32)), "2026-10 USD", 1_000
CN, GB, US, FR = (CarrierCode(each) for each in ("CN-T", "GB-B", "US-A", "FR-X"))
CODES = ("1907", "86")
Prices = Mapping[Direction, Mapping[str, int]]
REFILE: Prices = {(US, CN): {"1907": 9}, (GB, CN): {"1907": 5}, (US, GB): {"1907": 3}}
RING: Prices = {(US, GB): {"1907": 3}, (GB, CN): {"1907": 4}, (CN, US): {"1907": 6}}


def decks_of(prices: Prices) -> dict[Direction, DeckHistory]:
    return {
        way: deck_history([(0, rate_deck("USD", [Rate(f"to {c}", c, Nanos(p * 10**7)) for c, p in each.items()]))])
        for way, each in prices.items()
    }


def offer_of(us: CarrierCode, prices: Prices) -> Offer:
    mine = {way: each for way, each in prices.items() if us in way}
    return make_offer(us, decks_of(mine), AT_MS, CODES, Masks(KEY, ROUND), ROUND)


def asked(prices: Prices) -> tuple[list[CarrierCode], list[Offer], tuple[Answer, ...]]:
    carriers = sorted({carrier for way in prices for carrier in way})
    offers = [offer_of(each, prices) for each in carriers]
    return carriers, offers, find_rings(offers)


def opened(prices: Prices) -> dict[CarrierCode, Opened]:
    carriers, offers, answers = asked(prices)
    return {
        us: open_answer(answer, offer, us, own_decks(us, prices), AT_MS, CODES, carriers, Masks(KEY, ROUND))
        for us, offer, answer in zip(carriers, offers, answers, strict=True)
    }


def own_decks(us: CarrierCode, prices: Prices) -> dict[Direction, DeckHistory]:
    return decks_of({way: each for way, each in prices.items() if us in way})


def all_rings(prices: Prices) -> list[ArbitrageFinding]:
    return [ring for each in opened(prices).values() for ring in each.rings]


def test_offers_of_two_rounds_and_none_are_refused() -> None:
    one = offer_of(CN, REFILE)
    with pytest.raises(Malformed, match="not one round"):
        find_rings([one, replace(offer_of(GB, REFILE), round_name="2026-11 USD")])
    with pytest.raises(Malformed, match="not one round"):
        find_rings([])


def test_a_carrier_that_offers_twice_or_for_others_is_refused() -> None:
    one, other = offer_of(CN, REFILE), offer_of(GB, REFILE)
    with pytest.raises(Refused, match="twice"):
        find_rings([one, one])
    foreign = next(edge for edge in offer_of(US, REFILE).edges if one.by not in edge[:2])
    with pytest.raises(Refused, match="of other carriers"):
        find_rings([replace(one, edges=(*one.edges, foreign)), other])
    with pytest.raises(Refused, match="two other carriers"):
        make_offer(FR, decks_of(REFILE), AT_MS, CODES, Masks(KEY, ROUND), ROUND)


def test_decks_that_pay_nobody_make_no_ring() -> None:
    assert all_rings({**REFILE, (GB, CN): {"1907": 9}}) == []
    assert all_rings({**REFILE, (US, GB): {"1907": 5}}) == []


def test_a_refile_is_told_to_the_carrier_that_loses_and_to_nobody_else() -> None:
    told = opened(REFILE)
    (found,) = told[US].rings
    assert (found.scheme, found.cycle, found.destination, found.gain_nanos) == (
        Scheme.REFILE,
        (CN, GB, US),
        "to 1907",
        60_000_000,
    )
    assert found.explanation == "to 1907 costs CN-T less through GB-B than from US-A, which forgoes 0.0600 a minute"
    assert told[CN].rings == told[GB].rings == ()


def test_a_ring_is_told_to_the_carrier_that_buys_back_what_it_sold() -> None:
    told = opened(RING)
    (found,) = told[US].rings
    assert (found.scheme, found.cycle, found.gain_nanos) == (Scheme.RING, (US, GB, CN), 30_000_000)
    assert told[CN].rings == told[GB].rings == ()


def test_a_ring_is_none_for_who_buys_the_code_cheaper_elsewhere_or_terminates_it() -> None:
    assert all_rings({**RING, (FR, US): {"1907": 2}}) == []
    carriers, offers, answers = asked(RING)
    at = carriers.index(US)
    masks = Masks(KEY, ROUND)
    left = open_answer(answers[at], offers[at], US, own_decks(US, RING), AT_MS, CODES, carriers, masks, ("1",))
    assert left.rings == ()


def test_a_chain_over_four_carriers_is_found() -> None:
    longer = {(US, GB): {"86": 1}, (GB, FR): {"86": 2}, (FR, CN): {"86": 3}, (US, CN): {"86": 7}}
    (found,) = all_rings(longer)
    assert (found.cycle, found.gain_nanos) == ((CN, FR, GB, US), 60_000_000)
    assert found.explanation.startswith("to 86 costs CN-T less through FR-X and GB-B than from US-A")


def test_an_edge_that_only_one_side_offers_is_not_believed_and_both_are_told() -> None:
    """Else a carrier could make up prices and ask what the others charge."""
    dearer = {**REFILE, (US, CN): {"1907": 8}}
    offers = [offer_of(CN, dearer), offer_of(GB, REFILE), offer_of(US, REFILE)]
    answers = find_rings(offers)
    assert [len(answer.rings) for answer in answers] == [0, 0, 0]
    masks = Masks(KEY, ROUND)
    theirs = open_answer(answers[2], offers[2], US, own_decks(US, REFILE), AT_MS, CODES, (), masks)
    assert theirs.unconfirmed == ((US, CN, ("1907",)),)
    assert len(answers[0].unconfirmed) == 1


def test_an_edge_whose_other_carrier_is_not_there_is_not_believed() -> None:
    answers = find_rings([offer_of(US, REFILE), offer_of(GB, REFILE)])
    assert [len(answer.rings) for answer in answers] == [0, 0]


def test_the_node_sees_no_name_no_code_and_no_price() -> None:
    for offer in asked(REFILE)[1]:
        said = b"".join(part for edge in offer.edges for part in edge)
        for word in (b"CN-T", b"GB-B", b"US-A", b"1907", (90_000_000).to_bytes(4, "big")):
            assert word not in said


def test_every_answer_names_all_offers_so_that_two_carriers_can_compare() -> None:
    _, offers, answers = asked(REFILE)
    assert {answer.offers for answer in answers} == {tuple(sorted(offer.digest for offer in offers))}


def test_an_answer_that_does_not_follow_from_our_offer_is_refused() -> None:
    carriers, offers, answers = asked(REFILE)
    at, masks = carriers.index(US), Masks(KEY, ROUND)
    mine, decks = answers[at], own_decks(US, REFILE)
    changed = replace(offers[at], edges=offers[at].edges[:1])
    with pytest.raises(Refused, match="not to our offer"):
        open_answer(mine, changed, US, decks, AT_MS, CODES, carriers, masks)
    with pytest.raises(Refused, match="not to our offer"):
        open_answer(answers[0], offers[at], US, decks, AT_MS, CODES, carriers, masks)
    made_up = replace(mine, rings=(mine.rings[0]._replace(codes=(bytes(16),)),))
    with pytest.raises(Refused, match="does not follow"):
        open_answer(made_up, offers[at], US, decks, AT_MS, CODES, carriers, masks)
    foreign = replace(mine, unconfirmed=(Edge(bytes(16), bytes(16), bytes(16), bytes(24)),))
    with pytest.raises(Refused, match="does not follow"):
        open_answer(foreign, offers[at], US, decks, AT_MS, CODES, carriers, masks)


markets = st.dictionaries(
    st.sampled_from(list(permutations((CN, GB, US), 2))),
    st.dictionaries(st.sampled_from(CODES), st.integers(1, 6), min_size=1),
    min_size=3,
)


@given(markets)
def test_among_three_carriers_the_node_finds_what_all_decks_in_the_clear_show(prices: Prices) -> None:
    clear = {
        (each.scheme, each.cycle, code)
        for each in find_arbitrage(decks_of(prices), AT_MS)
        for code in each.codes
        if each.scheme == Scheme.RING or (each.cycle[1], each.cycle[0]) in prices
    }
    priced = {key for key in clear if _is_for_the_node(key, prices)}
    assert {(each.scheme, each.cycle, code) for each in all_rings(prices) for code in each.codes} == priced


def _is_for_the_node(key: tuple[Scheme, tuple[CarrierCode, ...], str], prices: Prices) -> bool:
    """Not a refile whose middle has no price, nor a ring whose last carrier buys as cheaply of the first: those two see
    that in their own decks."""
    scheme, (first, middle, last), code = key
    if scheme == Scheme.REFILE:
        return code in prices[middle, first]
    return prices.get((first, last), {}).get(code, 99) > prices[middle, last][code]


@given(markets)
def test_the_order_of_offers_changes_nothing(prices: Prices) -> None:
    _, offers, answers = asked(prices)
    turned = find_rings(offers[::-1])
    assert {answer.to: answer for answer in turned} == {answer.to: answer for answer in answers}
