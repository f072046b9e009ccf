"""What do the transactions behind a document say? Signatures, receipts and structs, as the chain carries them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from gateway.answers import camel
from gateway.composition import Gateway, partnership_of_id
from ledger.chain.abi import decode_all
from ledger.chain.bindings import (
    SETTLEMENT_BOOK_AGREE_STATEMENT,
    SETTLEMENT_BOOK_OPEN_DISPUTE,
    SETTLEMENT_BOOK_PROPOSE_STATEMENT,
    Dispute,
)
from ledger.chain.bound import Struct
from ledger.errors import NotFound, Unavailable
from ledger.identity import Address, CarrierCode, text_of_ascii32
from ledger.store.engine import reading
from ledger.store.settlement import StatementRow
from ledger.store.tables import chain_logs
from ledger.typed_data import recover


@dataclass(frozen=True, slots=True)
class Signature:
    """Whose key signed."""

    carrier: CarrierCode
    signer: Address
    signature: bytes


def plain_struct(struct: Struct) -> dict[str, Any]:
    """A struct under Solidity's names: integers as text, bytes in hex, structs within as lists of the same."""
    return {camel(name): _plain(getattr(struct, name)) for name, _ in struct.FIELDS}


def transaction_at(connection: Connection, block_number: int, log_index: int) -> bytes:
    """The hash of the transaction that made a log."""
    at = (chain_logs.c.block_number == block_number) & (chain_logs.c.log_index == log_index)
    return bytes(connection.execute(select(chain_logs.c.tx_hash).where(at)).scalar_one())


def calldata_of(gateway: Gateway, tx_hash: bytes) -> bytes:
    """What a transaction was called with. Raises NotFound, or Unavailable without the chain."""
    found = gateway.client.rpc.call("eth_getTransactionByHash", f"0x{tx_hash.hex()}")
    if found is None:
        raise NotFound("the node does not know the transaction", got=f"0x{tx_hash.hex()}")
    return bytes.fromhex(str(found["input"])[2:])


def receipt_of(gateway: Gateway, tx_hash: bytes) -> Mapping[str, Any]:
    """A transaction's receipt as the node gives it. Raises Unavailable."""
    found = gateway.client.rpc.call("eth_getTransactionReceipt", f"0x{tx_hash.hex()}")
    if found is None:
        raise Unavailable("the node has no receipt of the transaction", got=f"0x{tx_hash.hex()}", todo="Try again.")
    receipt: Mapping[str, Any] = found
    return receipt


def signatures_of_statement(gateway: Gateway, row: StatementRow, tx_hash: bytes) -> Sequence[Signature]:
    """Both carriers' signatures, low first; the proposer's alone where silence accepted.

    None for a transaction that is not a plain call of the settlement book: who signed stands in it all the same.
    """
    data = calldata_of(gateway, tx_hash)
    if data[:4] == SETTLEMENT_BOOK_AGREE_STATEMENT.selector:
        statement, low, high = decode_all([kind for _, kind in SETTLEMENT_BOOK_AGREE_STATEMENT.inputs], data[4:])
        held = _carriers_of(gateway, row)
        return [_signature(gateway, statement, *pair) for pair in zip(held, (low, high), strict=True)]
    if data[:4] == SETTLEMENT_BOOK_PROPOSE_STATEMENT.selector:
        statement, proposer, given = decode_all(
            [kind for _, kind in SETTLEMENT_BOOK_PROPOSE_STATEMENT.inputs], data[4:]
        )
        return [_signature(gateway, statement, CarrierCode(text_of_ascii32(proposer)), given)]
    return ()


def signed_dispute(gateway: Gateway, block_number: int, dispute_id: bytes) -> tuple[Dispute, Signature, bytes] | None:
    """A dispute, its debtor's signature and its transaction; None if that is not a plain call."""
    with reading(gateway.engine) as connection:
        query = select(chain_logs.c.tx_hash).where(
            (chain_logs.c.block_number == block_number) & (chain_logs.c.event == "DisputeOpened")
        )
        hashes = [bytes(each) for each in connection.execute(query.order_by(chain_logs.c.log_index)).scalars()]
    for tx_hash in hashes:
        data = calldata_of(gateway, tx_hash)
        if data[:4] == SETTLEMENT_BOOK_OPEN_DISPUTE.selector:
            struct, given = decode_all([kind for _, kind in SETTLEMENT_BOOK_OPEN_DISPUTE.inputs], data[4:])
            if gateway.signer.digest(struct) == dispute_id:
                debtor = _other(gateway, struct)
                return struct, _signature(gateway, struct, debtor, given), tx_hash
    return None


def _signature(gateway: Gateway, struct: Struct, carrier: CarrierCode, signature: bytes) -> Signature:
    return Signature(carrier, recover(gateway.signer.digest(struct), signature), signature)


def _carriers_of(gateway: Gateway, row: StatementRow) -> tuple[CarrierCode, CarrierCode]:
    return partnership_of_id(gateway.settings, row.agreement_id).carriers


def _other(gateway: Gateway, dispute: Dispute) -> CarrierCode:
    held = partnership_of_id(gateway.settings, dispute.agreement_id)
    return held.agreement.counterparty(CarrierCode(text_of_ascii32(dispute.creditor)))


def _plain(value: object) -> Any:
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Struct):
        return plain_struct(value)
    assert isinstance(value, int), value
    return str(int(value))
