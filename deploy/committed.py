"""What bytecode do we deploy? Reads the committed artifacts; needs no compiler."""

import json
from importlib import resources

from ledger.errors import NotFound


def bytecode_of(contract: str) -> bytes:
    """The committed creation code of a contract, without its constructor's arguments. Raises NotFound."""
    return _committed(contract, "bytecode")


def deployed_bytecode_of(contract: str) -> bytes:
    """The committed code of a contract as it stands on a chain, with zeros for its immutables. Raises NotFound."""
    return _committed(contract, "deployedBytecode")


def _committed(contract: str, member: str) -> bytes:
    file = resources.files("contracts") / "artifacts" / f"{contract}.json"
    if not file.is_file():
        raise NotFound(
            f"no artifact of {contract}", expected=f"contracts/artifacts/{contract}.json", todo="Run `make artifacts`."
        )
    return bytes.fromhex(json.loads(file.read_text(encoding="utf-8"))[member].removeprefix("0x"))
