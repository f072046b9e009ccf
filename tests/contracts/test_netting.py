"""Do a few legs do exactly what many items would have done, and nothing else?"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from ledger.chain import bindings as b
from ledger.chain.abi import keccak
from ledger.chain.bound import TypedRefusal
from tests.contracts.books import (
    CN,
    CN_GB,
    CN_US,
    EUR,
    GB,
    GB_US,
    STRANGER,
    US,
    USD,
    Books,
    Carrier,
    agreement_id,
    refused,
    terms,
)
from tests.contracts.month import (
    credit_line,
    cycle,
    exposure,
    grant,
    items_of,
    leg,
    net,
    settle_month,
    sign_agreement,
)

BOOK = "SettlementBook"
CROWD = tuple(Carrier(f"X-{number:02}", keccak(b"%d" % number)) for number in range(51))


@pytest.fixture(scope="module")
def october(agreed: Books) -> Iterator[tuple[Books, tuple[bytes, ...]]]:
    """CN-T owes GB-B 10, GB-B owes US-A 8, US-A owes CN-T 3: positions CN -7, GB +2, US +5."""
    before = agreed.chain.snapshot()
    settled = (
        settle_month(agreed, CN_GB, 0, 10_000_000),
        settle_month(agreed, GB_US, 0, 8_000_000),
        settle_month(agreed, CN_US, 3_000_000, 0),
    )
    yield agreed, items_of(settled)
    agreed.chain.revert(before)


@pytest.fixture
def triangle(october: tuple[Books, tuple[bytes, ...]]) -> Iterator[tuple[Books, tuple[bytes, ...]]]:
    """That month; everything a test does is undone."""
    before = october[0].chain.snapshot()
    yield october
    october[0].chain.revert(before)


NETTED = (leg(CN_GB, GB, 2_000_000), leg(CN_US, US, 5_000_000))


# REFUSALS: FORM


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (lambda items: cycle([], *NETTED), b.CycleEmpty()),
        (lambda items: cycle([items[0]] * 201), b.CycleTooLarge(200, 201)),
        (lambda items: cycle(items, *[NETTED[0]] * 201), b.CycleTooLarge(200, 201)),
        (lambda items: cycle(items[::-1], *NETTED), b.CycleNotOrdered(1)),
        (lambda items: cycle((items[0], items[0]), *NETTED), b.CycleNotOrdered(1)),
        (lambda items: cycle(items, NETTED[0], NETTED[0]), b.CycleNotOrdered(1)),
        (lambda items: cycle(items, leg(CN_GB, GB, 0)), b.AmountZero()),
        (lambda items: cycle(items, *NETTED, currency=EUR), b.CurrencyMismatch(EUR, USD)),
        (lambda items: cycle((keccak(b"?"),), *NETTED), b.ItemUnknown(keccak(b"?"))),
    ],
    ids=["no items", "items", "legs", "descending", "twice an item", "twice a leg", "zero", "currency", "unknown"],
)
def test_a_cycle_that_is_not_well_formed_is_refused(
    triangle: tuple[Books, tuple[bytes, ...]],
    change: Callable[[tuple[bytes, ...]], b.NettingCycle],
    refusal: TypedRefusal,
) -> None:
    books, items = triangle
    with refused(refusal):
        books.call(BOOK, net(books, change(items), CN, GB, US))


def test_legs_out_of_order_are_refused(triangle: tuple[Books, tuple[bytes, ...]]) -> None:
    books, items = triangle
    netting = cycle(items, *NETTED)
    with refused(b.CycleNotOrdered(1)):
        books.call(BOOK, net(books, replace(netting, legs=netting.legs[::-1]), CN, GB, US))


def test_a_leg_needs_an_agreement_and_its_party(triangle: tuple[Books, tuple[bytes, ...]]) -> None:
    books, items = triangle
    unsigned = terms(CN, GB, document_hash=keccak(b"never signed"))
    with refused(b.AgreementUnknown(agreement_id(unsigned))):
        books.call(BOOK, net(books, cycle(items, leg(unsigned, GB, 2_000_000)), CN, GB, US))
    with refused(b.NotAParty(agreement_id(CN_GB), US.id)):
        books.call(BOOK, net(books, cycle(items, leg(CN_GB, US, 2_000_000)), CN, GB, US))


def test_a_leg_in_another_currency_is_refused(triangle: tuple[Books, tuple[bytes, ...]]) -> None:
    books, items = triangle
    euros = terms(CN, GB, currency=EUR)
    sign_agreement(books, euros, CN, GB)
    with refused(b.CurrencyMismatch(USD, EUR)):
        books.call(BOOK, net(books, cycle(items, leg(euros, GB, 2_000_000)), CN, GB, US))


# REFUSALS: PARTIES


def test_every_party_touched_must_be_there(triangle: tuple[Books, tuple[bytes, ...]]) -> None:
    books, items = triangle
    for missing, parties in ((US, (CN, GB)), (GB, (CN, US)), (CN, (GB, US))):
        with refused(b.PartyMissing(missing.id)):
            books.call(BOOK, net(books, cycle(items, *NETTED), *parties))


def test_nobody_else_may_be_there(triangle: tuple[Books, tuple[bytes, ...]]) -> None:
    books, items = triangle
    for idle in (STRANGER, CN):
        with refused(b.PartyNotTouched(idle.id)):
            books.call(BOOK, net(books, cycle(items, *NETTED), CN, GB, US, idle))
    with refused(b.CycleTooLarge(50, 51)):
        books.call(BOOK, net(books, cycle(items, *NETTED), *CROWD))


def test_every_party_signs_for_itself(triangle: tuple[Books, tuple[bytes, ...]]) -> None:
    books, items = triangle
    netting, parties = cycle(items, *NETTED), (CN.id, GB.id, US.id)
    ours = books.signed(CN, netting, BOOK)
    theirs = books.signed(GB, netting, BOOK)
    with refused(b.PartiesMismatch(3, 2)):
        books.call(BOOK, b.calldata_settlement_book_net(netting, parties, (ours, theirs)))
    with refused(b.SignerNotAuthorised(US.id, GB.address)):
        books.call(BOOK, b.calldata_settlement_book_net(netting, parties, (ours, theirs, theirs)))


def test_a_cycle_after_its_deadline_is_refused(triangle: tuple[Books, tuple[bytes, ...]]) -> None:
    books, items = triangle
    with pytest.raises(b.DeadlinePassed):
        books.call(BOOK, net(books, cycle(items, *NETTED, deadline=books.now() - 1), CN, GB, US))


# REFUSALS: AMOUNTS


@pytest.mark.parametrize(
    ("legs", "refusal"),
    [
        ((), b.PositionMismatch(CN.id, -7_000_000, 0)),
        ((leg(CN_GB, GB, 2_000_000),), b.PositionMismatch(CN.id, -7_000_000, -2_000_000)),
        (
            (leg(CN_GB, GB, 2_000_001), leg(CN_US, US, 5_000_000)),
            b.PositionMismatch(CN.id, -7_000_000, -7_000_001),
        ),
        (
            (leg(CN_GB, GB, 2_000_001), leg(CN_US, US, 4_999_999)),
            b.PositionMismatch(GB.id, 2_000_000, 2_000_001),
        ),
        (
            (leg(CN_GB, CN, 2_000_000), leg(CN_US, US, 5_000_000)),
            b.PositionMismatch(CN.id, -7_000_000, -3_000_000),
        ),
    ],
    ids=["no legs", "a leg missing", "one micro more", "one micro to the wrong party", "the wrong way round"],
)
def test_legs_that_do_not_give_everyone_its_position_are_refused(
    triangle: tuple[Books, tuple[bytes, ...]], legs: tuple[b.Leg, ...], refusal: TypedRefusal
) -> None:
    books, items = triangle
    with refused(refusal):
        books.call(BOOK, net(books, cycle(items, *legs), CN, GB, US))


def test_netting_never_makes_more_to_pay_than_there_was(triangle: tuple[Books, tuple[bytes, ...]]) -> None:
    books, items = triangle
    round_trip = (leg(CN_GB, GB, 20_000_000), leg(GB_US, US, 18_000_000), leg(CN_US, CN, 13_000_000))
    with refused(b.NettingGrows(21_000_000, 51_000_000)):
        books.call(BOOK, net(books, cycle(items, *round_trip), CN, GB, US))


def test_an_item_is_netted_once(triangle: tuple[Books, tuple[bytes, ...]]) -> None:
    books, items = triangle
    netting = cycle(items, *NETTED)
    cycle_id = books.send(BOOK, net(books, netting, CN, GB, US)).only(b.NettingCycleExecuted).cycle_id
    with refused(b.CycleAlreadyExecuted(cycle_id)):
        books.call(BOOK, net(books, netting, CN, GB, US))
    with refused(b.ItemAlreadyNetted(items[0])):
        books.call(BOOK, net(books, replace(netting, nonce=2), CN, GB, US))


def test_a_leg_that_grows_a_debt_meets_the_line(triangle: tuple[Books, tuple[bytes, ...]]) -> None:
    """CN-T owed US-A nothing; the cycle would make it owe 5 where 4 are lent."""
    books, items = triangle
    line = credit_line(US, agreement_id=agreement_id(CN_US), limit_micros=4_000_000, nonce=2)
    books.send("CreditBook", grant(books, US, line))
    netting = net(books, cycle(items, *NETTED), CN, GB, US)
    with refused(b.CreditLineExceeded(agreement_id(CN_US), US.id, 5_000_000, 4_000_000)):
        books.call(BOOK, netting)
    books.send("CreditBook", grant(books, US, replace(line, policy=b.LimitPolicy.FLAG, nonce=3)))
    overrun = books.send(BOOK, netting).only(b.CreditLineOverrun)
    assert (overrun.exposure_micros, overrun.limit_micros) == (5_000_000, 4_000_000)


# WHAT IS RIGHT


def test_the_triangle_is_netted(triangle: tuple[Books, tuple[bytes, ...]]) -> None:
    books, items = triangle
    receipt = books.send(BOOK, net(books, cycle(items, *NETTED), CN, GB, US))
    executed = receipt.only(b.NettingCycleExecuted)
    assert (executed.gross_micros, executed.netted_micros) == (21_000_000, 7_000_000)
    positions = {event.carrier: event.position_micros for event in receipt.all(b.PositionNetted)}
    assert positions == {CN.id: -7_000_000, GB.id: 2_000_000, US.id: 5_000_000}
    assert sum(positions.values()) == 0
    assert [event.item_id for event in receipt.all(b.ItemNetted)] == list(items)
    opened = {(event.creditor, event.debtor, event.amount_micros) for event in receipt.all(b.PayableOpened)}
    assert opened == {(GB.id, CN.id, 2_000_000), (US.id, CN.id, 5_000_000)}


def test_exposures_move_from_items_to_legs(triangle: tuple[Books, tuple[bytes, ...]]) -> None:
    books, items = triangle
    books.send(BOOK, net(books, cycle(items, *NETTED), CN, GB, US))
    assert [exposure(books, *direction) for direction in ((GB, CN_GB), (US, CN_US), (US, GB_US), (CN, CN_US))] == [
        2_000_000,
        5_000_000,
        0,
        0,
    ]
