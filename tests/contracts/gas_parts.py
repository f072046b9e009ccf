"""Where does the gas of a declaration go? `python -m tests.contracts.gas_parts` writes what ganache's trace says.

What the chain itself asks for (transaction, calldata, slots, calls, logs, the signature) is told apart from what the
contracts compute: only the latter can be written better.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from deploy.local_chain import Engine, LocalChain
from ledger.chain.abi import keccak
from tests.contracts.books import GB, SEPTEMBER, Books, deploy_books
from tests.contracts.month import declaration, declare, with_agreements

SNAPSHOT = Path(__file__).parent / "gas_parts.json"
TRANSACTION, ZERO_BYTE, OTHER_BYTE = 21_000, 4, 16
KINDS = {"SLOAD": "storage read", "SSTORE": "storage written", "EXTCODESIZE": "calls", "CALL": "calls"}
SIGNATURE = 1
"""Address of the precompiled contract that recovers a signer."""
_ADDRESS = (1 << 160) - 1


class Step(NamedTuple):
    """One instruction of one contract and the gas it took, without what a contract it called took."""

    contract: str
    kind: str
    gas: int


def measure(books: Books) -> dict[str, int]:
    """Gas by part of the creditor's second declaration of a stream, all checks on; they add up to the transaction's."""
    books.send("UsageLedger", declare(books, declaration(GB, GB)))
    call = declare(books, declaration(GB, GB, seq=2, root=keccak(b"\2")))
    target = books.addresses["UsageLedger"]
    request = {"from": books.accounts[0], "to": target, "gas": hex(1_000_000), "data": f"0x{call.hex()}"}
    sent = books.chain.rpc.call("eth_sendTransaction", request)
    trace = books.chain.rpc.call("debug_traceTransaction", sent, {})
    parts = Counter({"transaction": TRANSACTION, "calldata": sum(OTHER_BYTE if byte else ZERO_BYTE for byte in call)})
    for step in steps(trace["structLogs"], {int(address, 16): name for name, address in books.addresses.items()}):
        parts[f"{step.contract}: {step.kind}"] += step.gas
    return {part: gas for part, gas in parts.most_common() if gas}


def steps(trace: Sequence[Mapping[str, Any]], contracts: Mapping[int, str]) -> Iterator[Step]:
    """The instructions of a trace, each with its own gas. A contract's last one is free: it returns."""
    inside = ["UsageLedger"]
    for place, entry in enumerate(trace):
        after = next((at for at in range(place + 1, len(trace)) if trace[at]["depth"] <= entry["depth"]), place)
        ends = trace[after]["depth"] < entry["depth"] or after == place
        spent = 0 if ends else _gas(entry) - _gas(trace[after])
        called = 0 if ends or after == place + 1 else _gas(trace[place + 1]) - _gas(trace[after - 1])
        yield Step(inside[-1], _kind(entry), spent - called)
        if ends:
            inside.pop()
        elif after > place + 1:
            inside.append(contracts[int(entry["stack"][-2], 16) & _ADDRESS])


def _kind(entry: Mapping[str, Any]) -> str:
    op = entry["op"]
    if op == "STATICCALL":
        return "signature" if int(entry["stack"][-2], 16) == SIGNATURE else "calls"
    return "log" if op.startswith("LOG") else KINDS.get(op, "computation")


def _gas(entry: Mapping[str, Any]) -> int:
    """ganache tells it in hexadecimal."""
    return int(entry["gas"], 16)


def main() -> None:
    with LocalChain(Engine.GANACHE, start_at=SEPTEMBER) as chain:
        books = deploy_books(chain)
        with_agreements(books)
        SNAPSHOT.write_text(json.dumps(measure(books), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
