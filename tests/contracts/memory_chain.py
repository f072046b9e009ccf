"""How do the contract tests run without a chain's process? revm in this one, behind the few methods of a LocalChain.

A transaction takes a fifth of a millisecond, so that hundreds of faulty deployments and thousands of random months are
affordable. It keeps no blocks: what depends on them (reorganisations, finality) is tested on the engines.
"""

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pyrevm import EVM, BlockEnv, CfgEnv, Env

from deploy.engines import funded_keys
from ledger.errors import Malformed, NodeRefused

CHAIN_ID = 1337
BLOCK_GAS = 500_000_000
_OUTPUT = re.compile(r"output: 0x([0-9a-f]*)")


class MemoryChain:
    """A chain in memory: the part of LocalChain's surface that `Books` uses. One block for each transaction."""

    chain_id = CHAIN_ID

    def __init__(self, start_at: int) -> None:
        """`start_at` is the first block's time, unix seconds."""
        self.rpc = self
        self._evm = EVM(Env(cfg=CfgEnv(chain_id=CHAIN_ID)), spec_id="MERGE", gas_limit=BLOCK_GAS)
        self._receipts: dict[str, Mapping[str, Any]] = {}
        self._snapshots: dict[str, tuple[Any, int, int]] = {}
        self._names = itertools.count(1)
        self._number = 0
        self._now = start_at
        self._set_clock()

    # LIKE LocalChain

    @property
    def funded_keys(self) -> Sequence[bytes]:
        return funded_keys()

    def now(self) -> int:
        return self._now

    def advance_to(self, unix_seconds: int) -> None:
        """Raises Malformed if that is in the past."""
        if unix_seconds < self._now:
            raise Malformed("the chain's time goes forward only", expected=f"{self._now} or later", got=unix_seconds)
        self._now = unix_seconds
        self._set_clock()

    def snapshot(self) -> str:
        name = hex(next(self._names))
        self._snapshots[name] = (self._evm.snapshot(), self._now, self._number)
        return name

    def revert(self, snapshot: str) -> None:
        checkpoint, self._now, self._number = self._snapshots.pop(snapshot)
        self._evm.revert(checkpoint)
        self._set_clock()

    # LIKE Rpc

    def call(self, method: str, *params: Any) -> Any:
        """The result of one JSON-RPC call. Raises NodeRefused with what a reverted call gave back."""
        return self._METHODS[method](self, *params)

    def _eth_call(self, request: Mapping[str, str], _block: str) -> str:
        before = self._evm.snapshot()
        try:
            return f"0x{self._execute(request).hex()}"
        except RuntimeError as reverted:
            raise _refused(reverted) from None
        finally:
            self._evm.revert(before)

    def _send(self, request: Mapping[str, str]) -> str:
        self._now, self._number = self._now + 1, self._number + 1
        self._set_clock()
        created, status = None, 1
        try:
            if "to" in request:
                self._execute(request)
            else:
                created = self._evm.deploy(request["from"], bytes.fromhex(request["data"][2:]))
        except RuntimeError:
            status = 0
        result = self._evm.result
        assert result is not None, "something was executed"
        name = f"0x{len(self._receipts):064x}"
        self._receipts[name] = {
            "status": hex(status),
            "gasUsed": hex(result.gas_used),
            "contractAddress": created,
            "logs": [_log(log) for log in result.logs] if status else [],
        }
        return name

    def _receipt(self, name: str) -> Mapping[str, Any]:
        return self._receipts[name]

    def _nonce(self, account: str, _block: str) -> str:
        return hex(self._evm.basic(account).nonce)

    _METHODS = {  # noqa: RUF012
        "eth_call": _eth_call,
        "eth_sendTransaction": _send,
        "eth_getTransactionReceipt": _receipt,
        "eth_getTransactionCount": _nonce,
    }

    def _execute(self, request: Mapping[str, str]) -> bytes:
        data, gas = bytes.fromhex(request["data"][2:]), int(request["gas"], 16)
        if "to" in request:
            return bytes(self._evm.message_call(request["from"], request["to"], calldata=data, gas=gas))
        return bytes(self._evm.get_code(self._evm.deploy(request["from"], data)) or b"")

    def _set_clock(self) -> None:
        self._evm.set_block_env(BlockEnv(number=self._number, timestamp=self._now, gas_limit=BLOCK_GAS))


def _refused(reverted: RuntimeError) -> NodeRefused:
    output = _OUTPUT.search(str(reverted))
    returndata = bytes.fromhex(output.group(1)) if output else b""
    return NodeRefused("eth_call", "execution reverted", returndata=returndata)


def _log(log: Any) -> Mapping[str, Any]:
    return {"address": log.address, "topics": log.topics, "data": f"0x{log.data[1].hex()}"}
