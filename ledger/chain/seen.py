"""What does a node show us? Blocks, logs and receipts as values."""

from dataclasses import dataclass

from ledger.chain.bindings import event_of
from ledger.chain.bound import Event
from ledger.identity import Address


@dataclass(frozen=True, slots=True)
class Block:
    """A block's header, as far as we need it."""

    number: int
    hash: bytes
    parent_hash: bytes
    timestamp: int
    """Seconds."""


@dataclass(frozen=True, slots=True)
class Log:
    """One raw log of a contract."""

    address: Address
    topics: tuple[bytes, ...]
    data: bytes
    block_number: int
    block_hash: bytes
    tx_hash: bytes
    log_index: int

    def event(self) -> Event:
        """Decoded through the bindings. Raises Malformed if no contract of ours emits it."""
        return event_of(self.topics, self.data)


@dataclass(frozen=True, slots=True)
class ChainEvent:
    """A decoded event and the log it came from."""

    event: Event
    log: Log


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a mined transaction."""

    tx_hash: bytes
    block_number: int
    block_hash: bytes
    succeeded: bool
    gas_used: int
    contract_address: Address | None = None
    """Of a deployment."""
    logs: tuple[Log, ...] = ()
