"""What has the chain said since we last looked, and did it take anything back?

Block by block, each linked to the one before by its parent's hash; blocks, logs, projections and checkpoint commit
together. A block that is not on the chain any more is taken back with all that hangs on it. Nothing but the contracts'
logs goes in, so reading everything again from the first block gives the same rows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sqlalchemy import Engine, Table

from ledger.chain.client import ChainClient
from ledger.chain.network import Network
from ledger.chain.seen import Block, Log
from ledger.errors import ChainMismatch, Unavailable
from ledger.store.chain_log import (
    CHAIN_TABLES,
    Alarm,
    Checkpoint,
    append_blocks,
    chain_rows,
    checkpoint,
    checkpoints_down,
    roll_back,
)
from ledger.store.engine import lock, open_store, reading, writing

RANGE_BLOCKS = 500
"""Blocks that are read and committed together."""
TRIES = 5
"""How often a range is read again when the chain moves under it."""


@dataclass(frozen=True, slots=True)
class Followed:
    """What one pass did."""

    checkpoint: int | None
    """The last block that was read, None if the chain has none for us yet."""
    blocks: int
    logs: int
    logs_taken_back: int
    alarms: tuple[Alarm, ...]
    """Raised in this pass; `list_alarms` has all."""


class _Moved(Exception):
    """The chain changed between two answers of the node."""


def follow(client: ChainClient, engine: Engine, until: int | None = None) -> Followed:
    """Read up to the latest final block (or `until`), after taking back what is not on the chain any more.

    Final is what has the network's confirmations. Raises Unavailable (what was read stays, another pass goes on),
    ChainMismatch if no block we know is on this chain.
    """
    network = _network(client)
    taken_back = _leave_fork(client, engine, network)
    blocks = logs = 0
    alarms: list[Alarm] = []
    while (start := _next_block(engine, network)) <= (last := _last_block(client, network, until)):
        end = min(start + RANGE_BLOCKS - 1, last)
        read, found, raised, gone = _read_range(client, engine, start, end)
        blocks, logs, taken_back = blocks + read, logs + found, taken_back + gone
        alarms += raised
    with reading(engine) as connection:
        reached = checkpoint(connection)
    return Followed(reached.number if reached else None, blocks, logs, taken_back, tuple(alarms))


def replay(client: ChainClient, url: str, until: int) -> Engine:
    """Read everything from the first block into the empty store at `url`; the caller disposes of the engine."""
    engine = open_store(url)
    follow(client, engine, until)
    return engine


def replay_equals_live(engine: Engine, client: ChainClient) -> list[str]:
    """How a store differs from a fresh reading of the same blocks, one sentence each; none if it is right.

    What is not on the chain any more is taken back first, so a reorganisation is no difference.
    """
    _leave_fork(client, engine, _network(client))
    with reading(engine) as connection:
        reached = checkpoint(connection)
    if reached is None:
        return []
    fresh = replay(client, "sqlite://", reached.number)
    try:
        return [sentence for table in CHAIN_TABLES for sentence in _differences(engine, fresh, table)]
    finally:
        fresh.dispose()


def _network(client: ChainClient) -> Network:
    assert client.network is not None, "following needs a network"
    return client.network


def _next_block(engine: Engine, network: Network) -> int:
    with reading(engine) as connection:
        reached = checkpoint(connection)
    return network.first_block if reached is None else reached.number + 1


def _last_block(client: ChainClient, network: Network, until: int | None) -> int:
    """The latest block that is final, no later than `until`."""
    final = client.block_number() - network.confirmations + 1
    return final if until is None else min(final, until)


def _leave_fork(client: ChainClient, engine: Engine, network: Network) -> int:
    """Take back the stored blocks that are not on the chain; how many logs went. Raises ChainMismatch."""
    with reading(engine) as connection:
        reached = checkpoint(connection)
        if reached is None or _is_on_chain(client, reached):
            return 0
        fork = next((block for block in checkpoints_down(connection) if _is_on_chain(client, block)), None)
    genesis = client.block(0)
    if genesis is None or genesis.hash != network.genesis_hash:
        raise ChainMismatch(
            "no block we know is on this chain",
            expected=f"genesis {network.genesis_hash.hex()}",
            got=f"genesis {genesis.hash.hex() if genesis else 'nothing'}",
            todo="Check the chain URL; this store belongs to another chain.",
        )
    with writing(engine) as connection:
        lock(connection, "follow")
        return roll_back(connection, fork.number if fork else network.first_block - 1)


def _is_on_chain(client: ChainClient, known: Checkpoint) -> bool:
    block = client.block(known.number)
    return block is not None and block.hash == known.hash


def _read_range(client: ChainClient, engine: Engine, start: int, end: int) -> tuple[int, int, list[Alarm], int]:
    """Read and store blocks start to end: blocks, logs, alarms, logs taken back. Raises Unavailable."""
    gone = 0
    for _ in range(TRIES):
        try:
            blocks, logs = _consistent(client, start, end)
            return len(blocks), len(logs), _store(engine, blocks, logs), gone
        except _Moved:
            gone += _leave_fork(client, engine, _network(client))
            if _next_block(engine, _network(client)) != start:
                return 0, 0, [], gone
    raise Unavailable("the chain moves faster than we read", got=f"blocks {start} to {end}", todo="Follow again.")


def _consistent(client: ChainClient, start: int, end: int) -> tuple[list[Block], list[Log]]:
    """Headers and logs of one and the same chain. Raises _Moved if the node's answers do not fit together."""
    blocks = client.blocks(start, end)
    logs = client.logs(start, end)
    tip = client.block(end)
    linked = all(after.parent_hash == before.hash for before, after in pairwise(blocks))
    complete = [block.number for block in blocks] == list(range(start, end + 1))
    if not complete or not linked or tip != blocks[-1]:
        raise _Moved
    hashes = {block.number: block.hash for block in blocks}
    if any(hashes.get(log.block_number) != log.block_hash for log in logs):
        raise _Moved
    return blocks, logs


def _store(engine: Engine, blocks: Sequence[Block], logs: Sequence[Log]) -> list[Alarm]:
    """Commit a range on top of the checkpoint it links to. Raises _Moved if it does not."""
    with writing(engine) as connection:
        lock(connection, "follow")
        reached = checkpoint(connection)
        if reached is not None and (reached.number, reached.hash) != (blocks[0].number - 1, blocks[0].parent_hash):
            raise _Moved
        return append_blocks(connection, blocks, logs)


def _differences(live: Engine, fresh: Engine, table: Table) -> Iterator[str]:
    with reading(live) as ours, reading(fresh) as theirs:
        stored, read_again = chain_rows(ours, table), chain_rows(theirs, table)
    for key in sorted(stored.keys() | read_again.keys()):
        if key not in read_again:
            yield f"{table.name} {key} stands in the store and not on the chain"
        elif key not in stored:
            yield f"{table.name} {key} stands on the chain and not in the store"
        elif stored[key] != read_again[key]:
            yield f"{table.name} {key} differs from what the chain says"
