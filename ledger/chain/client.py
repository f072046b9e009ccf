"""What does the chain say, and is it the chain we mean?

Reads are idempotent, so they are tried again when the node does not answer; sending is not: the outbox decides.
A reverted call raises the contract's own typed refusal, whichever engine answered.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal, Self, TypeVar

from ledger.chain.abi import address_of, keccak
from ledger.chain.bindings import error_of
from ledger.chain.network import Network
from ledger.chain.rpc import JsonRpcCall, Rpc
from ledger.chain.seen import Block, ChainEvent, Log, Receipt
from ledger.errors import ChainMismatch, ContractRefused, Malformed, NodeRefused, Unavailable
from ledger.identity import Address

Result = TypeVar("Result")

BlockTag = int | Literal["latest", "earliest", "pending"]
READ_PAUSES = (0.05, 0.25)
"""Seconds before a read is tried again."""
BATCH_CALLS = 200
"""Calls in one JSON-RPC batch."""
LOG_BLOCKS = 2_000
"""Blocks in one eth_getLogs."""
REVERT_WORDS = ("revert", "invalid opcode", "vm exception")


class ChainClient:
    """One node. Safe to share between threads. It is a Clock too: the time is the latest block's."""

    def __init__(
        self, url: str, network: Network | None = None, *, pause: Callable[[float], None] = time.sleep
    ) -> None:
        """Nothing is sent yet; `check_pins` makes sure that it is the network's chain. Raises Malformed."""
        self.rpc = Rpc(url)
        self.network = network
        self._pause = pause
        self._chain_id: int | None = None

    # THE CHAIN

    def chain_id(self) -> int:
        """EIP-155 id; asked once."""
        if self._chain_id is None:
            self._chain_id = _number(self._read("eth_chainId"))
        return self._chain_id

    def block_number(self) -> int:
        """The latest block's number."""
        return _number(self._read("eth_blockNumber"))

    def block(self, at: BlockTag = "latest") -> Block | None:
        """A block's header, None if there is none with that number."""
        found = self._read("eth_getBlockByNumber", _tag(at), False)
        return None if found is None else _block(found)

    def blocks(self, first: int, last: int) -> list[Block]:
        """The headers from first to last; shorter if the chain is."""
        found = self._read_all([("eth_getBlockByNumber", (hex(n), False)) for n in range(first, last + 1)])
        return [_block(block) for block in found if block is not None]

    def now_ms(self) -> int:
        """The latest block's time, UTC milliseconds: a Clock that only the chain moves."""
        latest = self.block()
        assert latest is not None
        return latest.timestamp * 1000

    def code(self, address: Address) -> bytes:
        """The code of a contract, empty if there is none."""
        return _bytes(self._read("eth_getCode", address, "latest"))

    def nonce(self, address: Address) -> int:
        """How many transactions of the address are mined: its next nonce."""
        return _number(self._read("eth_getTransactionCount", address, "latest"))

    def balance(self, address: Address) -> int:
        """In wei."""
        return _number(self._read("eth_getBalance", address, "latest"))

    def check_pins(self) -> None:
        """Check chain id, genesis and the code of every contract. Raises ChainMismatch, Unavailable."""
        assert self.network is not None, "there is no network to compare with"
        self._chain_id = None
        _pin("chain id", self.network.chain_id, self.chain_id())
        genesis = self.block("earliest")
        _pin("genesis block", self.network.genesis_hash.hex(), genesis.hash.hex() if genesis else None)
        for name, address in sorted(self.network.addresses.items()):
            code = self.code(address)
            _pin(f"code of {name}", self.network.code_hashes[name].hex(), keccak(code).hex() if code else None)

    # CALLS AND TRANSACTIONS

    def call(
        self, to: Address, data: bytes, *, sender: Address | None = None, block: BlockTag = "latest", gas: int = 0
    ) -> bytes:
        """What a call would return, without a transaction.

        Raises the contract's typed refusal (a ContractRefused), NodeRefused, Unavailable.
        """
        request = {"to": to, "data": f"0x{data.hex()}"}
        request |= {"from": sender} if sender else {}
        request |= {"gas": hex(gas)} if gas else {}
        try:
            return _bytes(self._read("eth_call", request, _tag(block)))
        except NodeRefused as refusal:
            raise refusal_of_node(refusal) from None

    def view(self, to: Address, data: bytes, result: Callable[[bytes], Result]) -> Result:
        """A call, decoded: view(network.usage_ledger, calldata_..._last_seq(...), result_..._last_seq)."""
        return result(self.call(to, data))

    def send_raw(self, raw: bytes) -> bytes:
        """Hand a signed transaction to the node, once; its hash. Raises NodeRefused, Unavailable (fate unknown)."""
        return _bytes(self.rpc.call("eth_sendRawTransaction", f"0x{raw.hex()}"))

    def knows(self, tx_hash: bytes) -> bool:
        """Whether the node holds a transaction, waiting or mined."""
        return self._read("eth_getTransactionByHash", f"0x{tx_hash.hex()}") is not None

    def receipt(self, tx_hash: bytes) -> Receipt | None:
        """What became of a transaction, None if no block of the chain holds it."""
        found = self._read("eth_getTransactionReceipt", f"0x{tx_hash.hex()}")
        return None if found is None else _receipt(found)

    def receipts(self, tx_hashes: Sequence[bytes]) -> list[Receipt | None]:
        """What became of many transactions, in their order."""
        found = self._read_all([("eth_getTransactionReceipt", (f"0x{each.hex()}",)) for each in tx_hashes])
        return [None if each is None else _receipt(each) for each in found]

    # LOGS AND EVENTS

    def logs(self, first: int, last: int, addresses: Sequence[Address] | None = None) -> list[Log]:
        """The logs of the network's contracts (or of `addresses`) in blocks first to last, in chain order."""
        if addresses is None:
            assert self.network is not None, "there is no network whose contracts to watch"
            addresses = sorted(self.network.addresses.values())
        found: list[Log] = []
        for start in range(first, last + 1, LOG_BLOCKS):
            end = min(start + LOG_BLOCKS - 1, last)
            wanted = {"fromBlock": hex(start), "toBlock": hex(end), "address": list(addresses)}
            found += [_log(log) for log in self._read("eth_getLogs", wanted)]
        return sorted(found, key=lambda log: (log.block_number, log.log_index))

    def events(self, first: int, last: int) -> list[ChainEvent]:
        """The decoded events of the network's contracts in blocks first to last. Raises Malformed."""
        return [ChainEvent(log.event(), log) for log in self.logs(first, last)]

    def close(self) -> None:
        """Give the connection back."""
        self.rpc.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, method: str, *params: object) -> Any:
        return self._again(partial(self.rpc.call, method, *params))

    def _read_all(self, calls: Sequence[JsonRpcCall]) -> list[Any]:
        found: list[Any] = []
        for start in range(0, len(calls), BATCH_CALLS):
            found += self._again(partial(self.rpc.batch, calls[start : start + BATCH_CALLS]))
        for answer in found:
            if isinstance(answer, NodeRefused):
                raise answer
        return found

    def _again(self, read: Callable[[], Result]) -> Result:
        for pause in READ_PAUSES:
            try:
                return read()
            except Unavailable:
                self._pause(pause)
        return read()


def refusal_of_node(refusal: NodeRefused) -> NodeRefused | ContractRefused:
    """The contract's typed refusal behind a node's error, or the node's error itself."""
    if refusal.returndata:
        return error_of(refusal.returndata)
    if any(word in refusal.reason.lower() for word in REVERT_WORDS):
        return error_of(b"")
    return refusal


def _pin(what: str, expected: object, got: object) -> None:
    if expected != got:
        raise ChainMismatch(
            f"another {what} than the network file pins",
            expected=expected,
            got=got if got is not None else "nothing",
            todo="Check the chain URL and the network file; write nothing until they agree.",
        )


def _tag(at: BlockTag) -> str:
    return hex(at) if isinstance(at, int) else at


def _block(found: Mapping[str, Any]) -> Block:
    return Block(
        _number(found["number"]), _bytes(found["hash"]), _bytes(found["parentHash"]), _number(found["timestamp"])
    )


def _log(found: Mapping[str, Any]) -> Log:
    return Log(
        address=address_of(_bytes(found["address"])),
        topics=tuple(_bytes(topic) for topic in found["topics"]),
        data=_bytes(found["data"]),
        block_number=_number(found["blockNumber"]),
        block_hash=_bytes(found["blockHash"]),
        tx_hash=_bytes(found["transactionHash"]),
        log_index=_number(found["logIndex"]),
    )


def _receipt(found: Mapping[str, Any]) -> Receipt:
    created = found.get("contractAddress")
    return Receipt(
        tx_hash=_bytes(found["transactionHash"]),
        block_number=_number(found["blockNumber"]),
        block_hash=_bytes(found["blockHash"]),
        succeeded=_number(found["status"]) == 1,
        gas_used=_number(found["gasUsed"]),
        contract_address=address_of(_bytes(created)) if created else None,
        logs=tuple(_log(log) for log in found.get("logs", ())),
    )


def _number(text: object) -> int:
    if not isinstance(text, str) or not text.startswith("0x"):
        raise Malformed("the node answered no number", expected="0x...", got=repr(text)[:80])
    return int(text, 16)


def _bytes(text: object) -> bytes:
    if not isinstance(text, str) or not text.startswith("0x"):
        raise Malformed("the node answered no bytes", expected="0x...", got=repr(text)[:80])
    return bytes.fromhex(text[2:])
