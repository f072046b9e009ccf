"""Does a carrier's key sign from its grant to its end, and never again after?"""

from typing import Any

import pytest

from ledger.chain import bindings as b
from ledger.chain.abi import keccak
from ledger.chain.bound import TypedRefusal
from ledger.typed_data import address_of_key
from tests.contracts.books import (
    CN,
    DAY,
    GB,
    NEVER,
    STRANGER,
    ZERO,
    Books,
    Carrier,
    refused,
)
from tests.contracts.month import decide, declaration, declare
from tests.contracts.registry import NEXT, REGISTRY, granted, is_key, key_grant, revoked


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"nonce": 0}, b.NonceUnexpected(1, 0)),
        ({"nonce": 2}, b.NonceUnexpected(1, 2)),
        ({"key": GB.address}, b.KeyAlreadyTaken(GB.address, GB.id)),
        ({"key": CN.address}, b.KeyAlreadyTaken(CN.address, CN.id)),
        ({"key": "0x" + "00" * 20}, b.KeyAlreadyTaken("0x" + "00" * 20, ZERO)),  # type: ignore[arg-type]
        ({"carrier": STRANGER.id}, b.CarrierUnknown(STRANGER.id)),
        ({"valid_from": NEVER - 9, "valid_until": NEVER - 10}, b.KeyWindowEmpty(NEVER - 9, NEVER - 10)),
    ],
)
def test_a_grant_that_does_not_fit_is_refused(books: Books, changes: dict[str, Any], refusal: TypedRefusal) -> None:
    with refused(refusal):
        books.call(REGISTRY, granted(books, key_grant(**changes)))


def test_a_grant_after_its_deadline_is_refused(books: Books) -> None:
    with pytest.raises(b.DeadlinePassed):
        books.call(REGISTRY, granted(books, key_grant(deadline=books.now() - 1)))


@pytest.mark.parametrize("signer", [NEXT, GB, STRANGER], ids=["the new key itself", "another carrier", "a stranger"])
def test_only_a_valid_key_of_the_carrier_grants_and_revokes(books: Books, signer: Carrier) -> None:
    refusal = b.SignerNotAuthorised(CN.id, signer.address)
    with refused(refusal):
        books.call(REGISTRY, granted(books, key_grant(), signer))
    with refused(refusal):
        books.call(REGISTRY, revoked(books, b.KeyRevocation(CN.id, CN.address, 1, NEVER), signer))


def test_a_key_that_was_not_granted_cannot_be_revoked(books: Books) -> None:
    with refused(b.KeyNotGranted(CN.id, GB.address)):
        books.call(REGISTRY, revoked(books, b.KeyRevocation(CN.id, GB.address, 1, NEVER)))


def test_a_revoked_key_signs_nothing_more_and_never_comes_back(books: Books) -> None:
    books.send(REGISTRY, granted(books, key_grant()))
    books.send(REGISTRY, revoked(books, b.KeyRevocation(CN.id, CN.address, 2, NEVER), NEXT))
    with refused(b.SignerNotAuthorised(CN.id, CN.address)):
        books.call("UsageLedger", declare(books, declaration(CN, GB)))
    with refused(b.KeyAlreadyTaken(CN.address, CN.id)):
        books.call(REGISTRY, granted(books, key_grant(key=CN.address, nonce=3), NEXT))
    with refused(b.KeyNotGranted(CN.id, CN.address)):
        books.call(REGISTRY, revoked(books, b.KeyRevocation(CN.id, CN.address, 3, NEVER), NEXT))


def test_a_key_signs_only_within_its_window(books: Books) -> None:
    start, end = books.now() + DAY, books.now() + 2 * DAY
    books.send(REGISTRY, granted(books, key_grant(valid_from=start, valid_until=end)))
    fresh = declaration(CN, GB)
    calldata = b.calldata_usage_ledger_declare(fresh, books.signed(NEXT, fresh, "UsageLedger"))
    with refused(b.SignerNotAuthorised(CN.id, NEXT.address)):
        books.call("UsageLedger", calldata)
    books.chain.advance_to(start)
    books.call("UsageLedger", calldata)
    books.chain.advance_to(end)
    with refused(b.SignerNotAuthorised(CN.id, NEXT.address)):
        books.call("UsageLedger", calldata)


def test_a_key_for_good_signs_from_its_first_day_on(books: Books) -> None:
    start = books.now() + DAY
    books.send(REGISTRY, granted(books, key_grant(valid_from=start)))
    fresh = declaration(CN, GB)
    calldata = b.calldata_usage_ledger_declare(fresh, books.signed(NEXT, fresh, "UsageLedger"))
    with refused(b.SignerNotAuthorised(CN.id, NEXT.address)):
        books.call("UsageLedger", calldata)
    books.chain.advance_to(start)
    books.call("UsageLedger", calldata)


def test_the_newest_key_ends_on_its_day_and_the_older_one_signs_on(books: Books) -> None:
    end = books.now() + DAY
    books.send(REGISTRY, granted(books, key_grant(valid_until=end)))
    fresh = declaration(CN, GB)
    ours, theirs = (books.signed(signer, fresh, "UsageLedger") for signer in (CN, NEXT))
    for signature in (ours, theirs):
        books.call("UsageLedger", b.calldata_usage_ledger_declare(fresh, signature))
    books.chain.advance_to(end)
    with refused(b.SignerNotAuthorised(CN.id, NEXT.address)):
        books.call("UsageLedger", b.calldata_usage_ledger_declare(fresh, theirs))
    books.call("UsageLedger", b.calldata_usage_ledger_declare(fresh, ours))


def test_a_revoked_newest_key_leaves_the_older_one_valid(books: Books) -> None:
    books.send(REGISTRY, granted(books, key_grant()))
    books.send(REGISTRY, revoked(books, b.KeyRevocation(CN.id, NEXT.address, 2, NEVER)))
    fresh = declaration(CN, GB)
    signature = books.signed(NEXT, fresh, "UsageLedger")
    with refused(b.SignerNotAuthorised(CN.id, NEXT.address)):
        books.call("UsageLedger", b.calldata_usage_ledger_declare(fresh, signature))
    books.call("UsageLedger", declare(books, fresh))


def test_a_suspended_carrier_can_still_lock_out_a_stolen_key(books: Books) -> None:
    decide(books, b.calldata_carrier_registry_suspend(CN.id))
    books.send(REGISTRY, revoked(books, b.KeyRevocation(CN.id, CN.address, 1, NEVER)))
    assert not is_key(books, CN, books.now())


def test_what_a_key_signed_before_its_revocation_stays_valid(books: Books) -> None:
    signed_at = books.now()
    batch_id = books.send("UsageLedger", declare(books, declaration(CN, GB))).only(b.UsageDeclared).batch_id
    books.chain.advance_to(signed_at + DAY)
    books.send(REGISTRY, granted(books, key_grant()))
    books.send(REGISTRY, revoked(books, b.KeyRevocation(CN.id, CN.address, 2, NEVER), NEXT))
    assert is_key(books, CN, signed_at)
    assert books.call("UsageLedger", b.calldata_usage_ledger_root_of(batch_id)) == declaration(CN, GB).root


def test_a_grant_never_reaches_back_before_its_block(books: Books) -> None:
    granted_key = books.send(REGISTRY, granted(books, key_grant(valid_from=1))).only(b.KeyGranted)
    assert granted_key.valid_from == books.now()
    assert not is_key(books, NEXT, books.now() - 1)


def test_each_grant_and_revocation_uses_up_one_nonce(books: Books) -> None:
    books.send(REGISTRY, granted(books, key_grant()))
    call = b.calldata_carrier_registry_nonce_of(CN.id)
    assert b.result_carrier_registry_nonce_of(books.call(REGISTRY, call)) == 2
    with refused(b.NonceUnexpected(2, 1)):
        books.call(REGISTRY, granted(books, key_grant(key=address_of_key(keccak(b"another")))))
