"""What do the tests declare record by record?"""

from dataclasses import replace
from typing import Any

from ledger.chain import bindings as b
from ledger.chain.abi import keccak
from ledger.identity import ascii32
from ledger.inline import pack_records
from ledger.merkle import MerkleTree, build, leaf_words
from ledger.sealing import LeafValues
from tests.contracts.books import GB, OCTOBER, ZERO, Books
from tests.contracts.month import declaration

LEDGER = "UsageLedger"
SECRET = keccak(b"batch secret")


def keyed(number: bytes) -> bytes:
    """What stands for a number."""
    return keccak(SECRET + number)[:16] + bytes(16)


def records(count: int) -> tuple[b.UsageRecord, ...]:
    """Calls a minute apart; numbers are keyed hashes of 16 bytes, as an inline declaration wants them."""
    return tuple(
        b.UsageRecord(
            index=index,
            salt=ZERO,
            a_party=keyed(b"A%d" % index),
            b_party=keyed(b"B%d" % index),
            start_ms=OCTOBER * 1000 + 60_000 * index,
            quantity=61_000 + index,
            route=ascii32("SIP/1"),
            amount_micros=12_300 + index,
        )
        for index in range(count)
    )


def tree_of(calls: tuple[b.UsageRecord, ...]) -> MerkleTree:
    return build(leaf_words([LeafValues(*call.values()).hash() for call in calls]))


def header(calls: tuple[b.UsageRecord, ...], **changes: Any) -> b.Declaration:
    """GB-B's declaration of these calls."""
    declared = declaration(
        GB,
        GB,
        root=tree_of(calls).root,
        count=len(calls),
        from_ms=calls[0].start_ms,
        to_ms=calls[-1].start_ms,
        quantity=sum(call.quantity for call in calls),
        amount_micros=sum(call.amount_micros for call in calls),
    )
    return replace(declared, **changes)


def inline(books: Books, declared: b.Declaration, calls: tuple[b.UsageRecord, ...]) -> bytes:
    """The calldata of declareInline, signed by GB-B."""
    packed = pack_records([LeafValues(*call.values()) for call in calls], calls[0].start_ms)
    return raw_inline(books, declared, packed.routes, packed.records)


def raw_inline(books: Books, declared: b.Declaration, routes: tuple[bytes, ...], packed: bytes) -> bytes:
    """The same, whatever the routes and records."""
    signature = books.signed(GB, declared, LEDGER)
    return b.calldata_usage_ledger_declare_inline(declared, routes, packed, signature)
