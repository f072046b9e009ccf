"""How is each local engine started and told? ganache is the default; anvil the fast one. Same keys, same gas limits."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from deploy.node import anvil, node, package_file

MNEMONIC = "test test test test test test test test test test test junk"
"""The development mnemonic everybody knows.

Warning: its keys are public; they are for chains on this machine only."""
FUNDED_KEYS = 16
BALANCE_ETHER = 1_000_000
GANACHE_STATE = "ganache"
ANVIL_STATE = "anvil.json"


class Engine(StrEnum):
    """A program that runs a local chain."""

    GANACHE = "ganache"
    """From npm; the default."""
    ANVIL = "anvil"
    """From Foundry; fast, and it can reorganise."""


@dataclass(frozen=True, slots=True)
class ChainOptions:
    """What both engines are told alike."""

    port: int
    chain_id: int
    block_gas_limit: int
    state_dir: Path | None
    start_at: int | None
    """Unix seconds of the first block; None is now."""


def command(engine: Engine, options: ChainOptions) -> Sequence[str]:
    """The command line that starts the engine. Raises Unavailable if it is not installed."""
    return _COMMANDS[engine](options)


@lru_cache(maxsize=1)
def funded_keys() -> tuple[bytes, ...]:
    """The private keys both engines endow, in the order of their accounts."""
    from eth_account.hdaccount import key_from_seed, seed_from_mnemonic

    seed = seed_from_mnemonic(MNEMONIC, "")
    return tuple(bytes(key_from_seed(seed, f"m/44'/60'/0'/0/{number}")) for number in range(FUNDED_KEYS))


def _ganache(options: ChainOptions) -> Sequence[str]:
    flags = {
        "server.host": "127.0.0.1",
        "server.port": options.port,
        "chain.chainId": options.chain_id,
        "chain.networkId": options.chain_id,
        "chain.hardfork": "merge",
        "miner.blockGasLimit": options.block_gas_limit,
        "miner.callGasLimit": options.block_gas_limit,
        "wallet.mnemonic": MNEMONIC,
        "wallet.totalAccounts": FUNDED_KEYS,
        "wallet.defaultBalance": BALANCE_ETHER,
        "logging.quiet": "true",
    }
    if options.start_at is not None:
        flags["chain.time"] = datetime.fromtimestamp(options.start_at, UTC).isoformat()
    if options.state_dir is not None:
        flags["database.dbPath"] = str(options.state_dir / GANACHE_STATE)
    program = [str(node()), str(package_file("ganache", "dist", "node", "cli.js"))]
    return [*program, *(f"--{name}={value}" for name, value in flags.items())]


def _anvil(options: ChainOptions) -> Sequence[str]:
    flags: dict[str, object] = {
        "host": "127.0.0.1",
        "port": options.port,
        "chain-id": options.chain_id,
        "hardfork": "paris",
        "gas-limit": options.block_gas_limit,
        "mnemonic": MNEMONIC,
        "accounts": FUNDED_KEYS,
        "balance": BALANCE_ETHER,
        "order": "fifo",
    }
    if options.start_at is not None:
        flags["timestamp"] = options.start_at
    if options.state_dir is not None:
        flags |= {"state": options.state_dir / ANVIL_STATE, "state-interval": 1}
    return [str(anvil()), *(f"--{name}={value}" for name, value in flags.items()), "--prune-history", "--silent"]


_COMMANDS: Mapping[Engine, Callable[[ChainOptions], Sequence[str]]] = {Engine.GANACHE: _ganache, Engine.ANVIL: _anvil}
