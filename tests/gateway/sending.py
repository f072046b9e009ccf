"""What do tests of the outbox need? A key with funds, declarations to send, and the states they end in."""

from collections.abc import Sequence

from sqlalchemy import Engine as Store

from deploy.local_chain import Engine
from gateway.outbox import (
    Submission,
    Submitter,
    enqueue_declaration,
)
from ledger.chain.abi import keccak
from ledger.chain.bindings import UsageDeclared
from ledger.chain.client import ChainClient
from ledger.chain.transaction import Transaction, sign_transaction
from ledger.identity import CarrierCode
from ledger.store.engine import reading, writing
from ledger.store.outbox import list_submissions
from ledger.store.states import SubmissionState
from ledger.typed_data import address_of_key
from tests.contracts import month
from tests.contracts.books import CN, CN_GB, Books, Carrier, agreement_id

WITH_GB = agreement_id(CN_GB)
CN_T, GB_B = CarrierCode("CN-T"), CarrierCode("GB-B")
KEY = keccak(b"sending key of the outbox")
PRICE = 10**10
GAS = 500_000
BUILT, SIGNED, QUEUED, SENT = (SubmissionState(word) for word in ("built", "signed", "queued", "sent"))
MINED, FINAL, HELD, REVERTED = (SubmissionState(word) for word in ("mined", "final", "held", "reverted"))
NEEDS_OPERATOR = SubmissionState.NEEDS_OPERATOR


class MachineClock:
    """A clock the test moves."""

    def __init__(self) -> None:
        self.ms = 1_000_000

    def now_ms(self) -> int:
        return self.ms


def put_declarations(
    books: Books, store: Store, creditor: Carrier, amounts: Sequence[int], gas: int = GAS
) -> list[int]:
    """CN-T declares amounts of a direction, one after the other; the ids of the submissions."""

    def submission(seq: int, amount: int) -> Submission:
        declaration = month.declaration(CN, creditor, seq=seq, amount_micros=amount)
        return Submission(
            kind="declare",
            subject=books.digest(declaration, "UsageLedger"),
            target=books.addresses["UsageLedger"],
            calldata=month.declare(books, declaration),
            gas=gas,
            agreement_id=WITH_GB,
        )

    with writing(store) as connection:
        code = CN_T if creditor is CN else GB_B
        return [
            enqueue_declaration(connection, WITH_GB, CN_T, code, lambda seq, a=amount: submission(seq, a), 0)[0]  # type: ignore[misc]
            for amount in amounts
        ]


def real_submitter(
    store: Store, client: ChainClient, confirmations: int = 1, clock: MachineClock | None = None
) -> Submitter:
    return Submitter(
        store, client, KEY, clock or MachineClock(), holder="us", confirmations=confirmations, gas_price_wei=PRICE
    )


def fund(books: Books, key: bytes = KEY) -> None:
    """Give a sending key something to pay gas with."""
    with ChainClient(books.chain.url) as client:
        payer, nonce = books.chain.funded_keys[5], client.nonce(books.accounts[5])
        gift = Transaction(nonce, address_of_key(key), b"", 21_000, PRICE, value_wei=10**18)
        signed = sign_transaction(payer, gift, client.chain_id())
        client.send_raw(signed.raw)
        await_receipt(client, signed.hash)


def open_key(client: ChainClient, key: bytes) -> None:
    """Use up nonce 0, as the submitter does by itself."""
    signed = sign_transaction(key, Transaction(0, address_of_key(key), b"", 21_000, PRICE), client.chain_id())
    client.send_raw(signed.raw)
    await_receipt(client, signed.hash)


def await_receipt(client: ChainClient, tx_hash: bytes) -> None:
    for _ in range(2_000):
        if client.receipt(tx_hash) is not None:
            return
    raise AssertionError("not mined")


def automine(books: Books, *, on: bool) -> None:
    if books.chain.engine is Engine.ANVIL:
        books.chain.rpc.call("evm_setAutomine", on)
    else:
        books.chain.rpc.call("miner_start" if on else "miner_stop")


def declared(client: ChainClient) -> list[int]:
    """The amounts declared on the chain, in its order."""
    events = client.events(0, client.block_number())
    return [each.event.declaration.amount_micros for each in events if isinstance(each.event, UsageDeclared)]


def pause() -> None:
    """The engines mine at once; nothing to wait for."""


def states(store: Store) -> list[SubmissionState]:
    with reading(store) as connection:
        return [row.state for row in list_submissions(connection)]
