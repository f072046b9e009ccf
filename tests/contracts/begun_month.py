"""Where does every random month of the model begin? Half done, so that each step has something to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from ledger.chain import bindings as b
from ledger.identity import ascii32
from ledger.service import Service
from tests.contracts.books import CN_GB, CN_US, NEVER, SEPTEMBER, Books, agreement_id, deploy_books
from tests.contracts.memory_chain import MemoryChain
from tests.contracts.model import Direction, Disputed, Item, Line, Model
from tests.contracts.month import (
    AGREED,
    CARRIERS,
    close_both,
    credit_line,
    dispute,
    grant,
    open_dispute,
    post,
    resolve,
    with_agreements,
)

TERMS = {agreement_id(terms): terms for terms, _, _ in AGREED}
DIRECTIONS: Sequence[Direction] = [
    (name, side) for name, terms in TERMS.items() for side in (terms.carrier_low, terms.carrier_high)
]
SERVICES = (Service.VOICE, Service.SMS)
FIRST_LIMIT = 1_000
FIRST_DECLARED = {Service.VOICE: 300, Service.SMS: 250}
DECIDED = ascii32("split_call")


@dataclass(frozen=True, slots=True)
class Start:
    """Where every random month begins; it is undone after each."""

    books: Books
    model: Model


@lru_cache(maxsize=1)
def start() -> Start:
    """Small lines; two agreements have declared and closed October, the third has not begun."""
    books = deploy_books(MemoryChain(SEPTEMBER))
    with_agreements(books)
    model = Model({agreement_id(terms): (low, high) for terms, low, high in AGREED})
    for direction in DIRECTIONS:
        creditor = CARRIERS[direction[1]]
        word = credit_line(creditor, agreement_id=direction[0], limit_micros=FIRST_LIMIT, nonce=2)
        books.send("CreditBook", grant(books, creditor, word))
        model.lines[direction] = Line(FIRST_LIMIT, nonce=2)
    for direction in DIRECTIONS[:4]:
        for declarer in (direction[1], model.debtor(direction)):
            declare_both_services(books, model, direction, declarer)
    for terms in (CN_GB, CN_US):
        close_both(books, terms)
        model.closed |= {(agreement_id(terms), carrier) for carrier in (terms.carrier_low, terms.carrier_high)}
    for direction in DIRECTIONS[:3]:
        decide_a_dispute(books, model, direction)
    return Start(books, model)


def declare_both_services(books: Books, model: Model, direction: Direction, declarer: bytes) -> None:
    creditor = CARRIERS[direction[1]]
    for service, amount in FIRST_DECLARED.items():
        post(books, CARRIERS[declarer], creditor, amount, agreement_id=direction[0], service=service)
        model.declare(direction, declarer, service, amount)


def decide_a_dispute(books: Books, model: Model, direction: Direction) -> None:
    """Of 40 in dispute 10 are credited; 30 are due and wait for netting."""
    creditor, debtor = CARRIERS[direction[1]], CARRIERS[model.debtor(direction)]
    word = dispute(creditor, 40, agreement_id=direction[0], reason=DECIDED)
    name = books.send("SettlementBook", open_dispute(books, debtor, word)).only(b.DisputeOpened).dispute_id
    model.dispute(name, Disputed(direction, Service.VOICE, 40, DECIDED))
    receipt = books.send("SettlementBook", resolve(books, creditor, debtor, b.Resolution(name, 10, 30, NEVER)))
    model.resolve(name, credited=10)
    item = receipt.only(b.ItemOpened)
    model.items[item.item_id] = Item(direction, 30, item.due_at, name)
