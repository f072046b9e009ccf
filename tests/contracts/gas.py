"""What does each step of the month cost? `python -m tests.contracts.gas` writes the snapshot the tests compare with."""

import json
from pathlib import Path

from deploy.local_chain import Engine, LocalChain
from ledger.chain import bindings as b
from ledger.chain.abi import keccak
from ledger.identity import Root
from tests.contracts.books import CN, CN_GB, CN_US, DAY, GB, GB_US, SEPTEMBER, US, Books, deploy_books
from tests.contracts.inline import header, inline, records, tree_of
from tests.contracts.month import (
    advance,
    close,
    confirm,
    confirmation,
    cycle,
    declaration,
    declare,
    items_of,
    leg,
    net,
    period_close,
    settle_month,
    with_agreements,
)

SNAPSHOT = Path(__file__).parent / "gas.json"
LEGS = (leg(CN_US, US, 3_000_000), leg(GB_US, US, 2_000_000))
"""CN-T owes 10 and is owed 4 and 3, GB-B owes 4 and 8 and is owed 10, US-A owes 3 and is owed 8."""
DEPTH = 20
"""A proof of twenty siblings: a batch of a million records."""


def measure(books: Books) -> dict[str, int]:
    """Gas of each step, every group undone after it."""
    figures: dict[str, int] = {}
    for group in (declarations, many, inlined, proof, settlement):
        before = books.chain.snapshot()
        figures |= group(books)
        books.chain.revert(before)
    return figures


def declarations(books: Books) -> dict[str, int]:
    """By the creditor and by the debtor; the first of a stream pays for its storage."""
    figures = {}
    for name, declarer in (("creditor", GB), ("debtor", CN)):
        for seq, when in ((1, "the first"), (2, "the next")):
            fresh = declaration(declarer, GB, seq=seq, root=keccak(bytes([seq])))
            figures[f"declare, {name}, {when}"] = books.send("UsageLedger", declare(books, fresh)).gas
    figures["close a period"] = books.send("UsageLedger", close(books, period_close(books, GB))).gas
    return figures


def many(books: Books) -> dict[str, int]:
    """Twenty at once, the first of the stream before them."""
    books.send("UsageLedger", declare(books, declaration(GB, GB)))
    series = tuple(declaration(GB, GB, seq=seq, root=keccak(bytes([seq]))) for seq in range(2, 22))
    signatures = tuple(books.signed(GB, declared, "UsageLedger") for declared in series)
    receipt = books.send("UsageLedger", b.calldata_usage_ledger_declare_many(series, signatures))
    return {"declare, each of 20 in one transaction": receipt.gas // 20}


def inlined(books: Books) -> dict[str, int]:
    """The second declaration of the stream, 100 records."""
    books.send("UsageLedger", declare(books, declaration(GB, GB)))
    calls = records(100)
    receipt = books.send("UsageLedger", inline(books, header(calls, seq=2), calls))
    return {"declare inline, each of 100 records": receipt.gas // 100}


def proof(books: Books) -> dict[str, int]:
    """An inclusion proof sent as a transaction."""
    (call,) = records(1)
    siblings = tuple(keccak(bytes([depth])) for depth in range(DEPTH))
    node = tree_of((call,)).root
    for sibling in siblings:
        node = Root(keccak(min(node, sibling) + max(node, sibling)))
    declared = header((call,), root=node, count=2**DEPTH)
    receipt = books.send("UsageLedger", declare(books, declared))
    calldata = b.calldata_usage_ledger_includes(receipt.only(b.UsageDeclared).batch_id, call, siblings)
    assert b.result_usage_ledger_includes(books.call("UsageLedger", calldata))
    return {"prove a record of a million": books.send("UsageLedger", calldata).gas}


def settlement(books: Books) -> dict[str, int]:
    """A triangle of three agreements from statements to a late payment."""
    agreed = (
        settle_month(books, CN_GB, 4_000_000, 10_000_000),
        settle_month(books, GB_US, 0, 8_000_000),
        settle_month(books, CN_US, 3_000_000, 0),
    )
    netting = cycle(items_of(agreed), *LEGS)
    netted = books.send("SettlementBook", net(books, netting, CN, GB, US))
    owed = netted.all(b.PayableOpened)[0]
    paid = books.send("PaymentBook", confirm(books, US, confirmation(owed.payable_id, 1)))
    books.chain.advance_to(owed.due_at + 15 * DAY)
    steps = [books.send("PaymentBook", advance(owed.payable_id)).gas for _ in range(2)]
    return {
        "agree a statement of two directions": agreed[0].gas,
        "net four items of three carriers to two legs": netted.gas,
        "confirm a payment": paid.gas,
        "advance to overdue": steps[0],
        "advance to stopped credit": steps[1],
    }


def main() -> None:
    with LocalChain(Engine.ANVIL, start_at=SEPTEMBER) as chain:
        books = deploy_books(chain)
        with_agreements(books)
        SNAPSHOT.write_text(json.dumps(measure(books), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
