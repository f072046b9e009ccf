"""How does a struct of ours look to a tool that signs EIP-712 data?"""

import re

from gateway.answers import SAFE_INTEGER
from ledger.chain.bound import Struct
from ledger.typed_data import Domain

_DOMAIN = (("name", "string"), ("version", "string"), ("chainId", "uint256"), ("verifyingContract", "address"))
_TYPE = re.compile(r"^(\w+)\(([^()]*)\)$")


def typed_data(struct: Struct, domain: Domain) -> dict[str, object]:
    """What `eth_signTypedData_v4` takes, for a struct that refers to no other."""
    found = _TYPE.match(struct.TYPE)
    assert found is not None, f"{struct.TYPE} refers to other structs"
    kinds = [each.rsplit(" ", 1) for each in found[2].split(",")]
    return {
        "types": {
            "EIP712Domain": [{"name": name, "type": kind} for name, kind in _DOMAIN],
            found[1]: [{"name": name, "type": kind} for kind, name in kinds],
        },
        "primaryType": found[1],
        "domain": {
            "name": domain.name,
            "version": domain.version,
            "chainId": domain.chain_id,
            "verifyingContract": domain.verifying_contract,
        },
        "message": {name: _plain(value) for (_, name), value in zip(kinds, struct.values(), strict=True)},
    }


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value) if abs(value) <= SAFE_INTEGER else str(int(value))
    return value
