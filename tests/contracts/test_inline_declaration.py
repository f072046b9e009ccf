"""Does the contract compute the same root as everybody else, and is every record in it?"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ledger.chain import bindings as b
from ledger.chain.abi import keccak
from ledger.chain.bound import TypedRefusal
from ledger.identity import BatchId
from ledger.inline import pack_records
from ledger.sealing import LeafValues
from tests.contracts.books import GB, ZERO, Books, refused
from tests.contracts.inline import header, inline, keyed, raw_inline, records, tree_of
from tests.contracts.month import exposure

LEDGER = "UsageLedger"


def includes(books: Books, batch_id: BatchId, call: b.UsageRecord, proof: tuple[bytes, ...]) -> bool:
    calldata = b.calldata_usage_ledger_includes(batch_id, call, proof)
    return b.result_usage_ledger_includes(books.call(LEDGER, calldata))


# REFUSALS

THREE = records(3)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"root": keccak(b"?")}, b.RootMismatch(keccak(b"?"), tree_of(THREE).root)),
        ({"count": 2}, b.InlineTotalsMismatch(96, 144)),
        ({"count": 4}, b.InlineTotalsMismatch(192, 144)),
        ({"quantity": 183_004}, b.InlineTotalsMismatch(183_004, 183_003)),
        ({"amount_micros": 36_902}, b.InlineTotalsMismatch(36_902, 36_903)),
        (
            {"to_ms": THREE[2].start_ms - 1},
            b.EventTimesInvalid(THREE[0].start_ms, THREE[2].start_ms - 1, THREE[2].start_ms),
        ),
        ({"corrects": keccak(b"?")}, b.CorrectedDeclarationMissing(BatchId(keccak(b"?")))),
        ({"seq": 2}, b.SequenceUnexpected(1, 2)),
    ],
)
def test_a_header_that_does_not_describe_its_records_is_refused(
    books: Books, changes: Mapping[str, Any], refusal: TypedRefusal
) -> None:
    with refused(refusal):
        books.call(LEDGER, inline(books, header(THREE, **changes), THREE))


def test_records_stand_at_their_index(books: Books) -> None:
    """Swapped, they are other leaves."""
    packed = pack_records([LeafValues(*call.values()) for call in THREE], THREE[0].start_ms)
    swapped = packed.records[48:96] + packed.records[:48] + packed.records[96:]
    with pytest.raises(b.RootMismatch):
        books.call(LEDGER, raw_inline(books, header(THREE), packed.routes, swapped))


def test_an_earlier_start_than_the_headers_shifts_every_record(books: Books) -> None:
    with pytest.raises(b.RootMismatch):
        books.call(LEDGER, inline(books, header(THREE, from_ms=THREE[0].start_ms - 1), THREE))


def test_a_route_that_is_not_listed_is_refused(books: Books) -> None:
    packed = pack_records([LeafValues(*call.values()) for call in THREE], THREE[0].start_ms)
    with refused(b.InlineRouteUnknown(0, 0)):
        books.call(LEDGER, raw_inline(books, header(THREE), (), packed.records))


@pytest.mark.parametrize("size", [0, 143, 145])
def test_half_a_record_is_refused(books: Books, size: int) -> None:
    packed = pack_records([LeafValues(*call.values()) for call in THREE], THREE[0].start_ms)
    short = (packed.records + b"\0")[:size]
    with refused(b.InlineTotalsMismatch(144, size)):
        books.call(LEDGER, raw_inline(books, header(THREE), packed.routes, short))


def test_a_record_changed_on_the_way_changes_the_root(books: Books) -> None:
    shaded = (THREE[0], replace(THREE[1], b_party=keyed(b"?")), THREE[2])
    with refused(b.RootMismatch(tree_of(THREE).root, tree_of(shaded).root)):
        books.call(LEDGER, inline(books, header(THREE), shaded))


def test_more_than_500_records_go_as_a_root(books: Books) -> None:
    many = records(501)
    with refused(b.InlineTooLarge(500, 501)):
        books.call(LEDGER, raw_inline(books, header(many), (), b""))


def test_nothing_is_included_in_an_unknown_batch(books: Books) -> None:
    unknown = BatchId(keccak(b"unknown"))
    for calldata in (
        b.calldata_usage_ledger_includes(unknown, THREE[0], ()),
        b.calldata_usage_ledger_root_of(unknown),
    ):
        with refused(b.BatchUnknown(unknown)):
            books.call(LEDGER, calldata)


def test_a_changed_record_or_proof_proves_nothing(books: Books) -> None:
    calls = records(7)
    tree = tree_of(calls)
    batch_id = books.send(LEDGER, inline(books, header(calls), calls)).only(b.UsageDeclared).batch_id
    proof = tree.proof(4)
    assert includes(books, batch_id, calls[4], proof)
    for change in (
        {"index": 5},
        {"salt": keccak(b"?")},
        {"a_party": ZERO},
        {"b_party": ZERO},
        {"start_ms": 1},
        {"quantity": 1},
        {"route": ZERO},
        {"amount_micros": 1},
    ):
        assert not includes(books, batch_id, replace(calls[4], **change), proof)  # type: ignore[arg-type]
    assert not includes(books, batch_id, calls[4], tree.proof(3))
    assert not includes(books, batch_id, calls[4], proof[:-1])
    assert not includes(books, batch_id, calls[4], (*proof, ZERO))


# WHAT IS RIGHT


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 8, 9, 31, 100])
def test_the_contracts_root_is_ours(books: Books, count: int) -> None:
    calls = records(count)
    receipt = books.send(LEDGER, inline(books, header(calls), calls))
    batch_id = receipt.only(b.UsageDeclared).batch_id
    assert books.call(LEDGER, b.calldata_usage_ledger_root_of(batch_id)) == tree_of(calls).root
    assert exposure(books, GB) == sum(call.amount_micros for call in calls)


def test_every_record_is_told_and_proven(books: Books) -> None:
    calls = records(5)
    receipt = books.send(LEDGER, inline(books, header(calls), calls))
    told = receipt.all(b.UsageRecorded)
    batch_id = receipt.only(b.UsageDeclared).batch_id
    leaves = [LeafValues(*call.values()).hash() for call in calls]
    assert [event.leaf for event in told] == leaves
    assert all(includes(books, batch_id, call, tree_of(calls).proof(call.index)) for call in calls)


def test_a_committed_batch_is_proven_record_by_record_too(books: Books) -> None:
    calls = records(1000)
    declared = header(calls)
    signature = books.signed(GB, declared, LEDGER)
    receipt = books.send(LEDGER, b.calldata_usage_ledger_declare(declared, signature))
    batch_id, tree = receipt.only(b.UsageDeclared).batch_id, tree_of(calls)
    assert all(includes(books, batch_id, calls[index], tree.proof(index)) for index in (0, 1, 511, 512, 999))


def test_the_most_that_go_inline_fit_one_block(books: Books) -> None:
    calls = records(500)
    assert len(books.send(LEDGER, inline(books, header(calls), calls)).all(b.UsageRecorded)) == 500
