"""Which digests must Solidity, Python and JavaScript share? `python -m tests.contracts.typed_data_vectors` writes them.

One case for every struct that a carrier signs, with the smallest and the largest values its fields take.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from ledger.chain import bindings as b
from ledger.chain.abi import address_of, keccak
from ledger.chain.bound import Struct
from ledger.service import Service
from ledger.typed_data import Domain, digest
from tests.contracts.books import CN, CN_GB, GB, NEVER, USD, ZERO, agreement_id
from tests.contracts.month import credit_line, declaration, dispute, rate_notice, statement

VECTORS = Path(__file__).parents[1] / "vectors" / "typed_data.json"
DOMAIN = Domain(1337, address_of(bytes(12) + b"\xc5" * 20))
MOST_AMOUNT, FULL = 2**128 - 1, b"\xff" * 32
HOLDER = address_of(bytes(12) + b"\x07" * 20)
LINES = (
    b.StatementLine(CN.id, Service.VOICE, 0, MOST_AMOUNT, 0, 0),
    b.StatementLine(GB.id, Service.IPL, MOST_AMOUNT, 1, MOST_AMOUNT - 1, 1),
)
LEGS = (b.Leg(agreement_id(CN_GB), GB.id, 1), b.Leg(FULL, CN.id, MOST_AMOUNT))
SIGNED: Sequence[Struct] = (
    CN_GB,
    rate_notice(GB),
    rate_notice(CN, change=b.RateChange.INCREASE, service=Service.IPL, seq=NEVER),
    credit_line(CN),
    credit_line(GB, limit_micros=MOST_AMOUNT, policy=b.LimitPolicy.FLAG, nonce=NEVER),
    declaration(GB, GB),
    declaration(
        CN, GB, seq=NEVER, count=2**32 - 1, quantity=MOST_AMOUNT, corrects=FULL, igw=FULL, root=ZERO, deadline=0
    ),
    b.PeriodClose(agreement_id(CN_GB), CN.id, 202610, 0, NEVER, NEVER),
    statement(),
    statement(*LINES),
    dispute(GB, MOST_AMOUNT),
    b.Investigation(FULL, 0),
    b.Withdrawal(ZERO, NEVER),
    b.Resolution(keccak(b"dispute"), 1, MOST_AMOUNT, NEVER),
    b.NettingCycle(USD, 0, (), (), NEVER),
    b.NettingCycle(USD, NEVER, (ZERO, FULL), LEGS, 0),
    b.PaymentConfirmation(keccak(b"payable"), MOST_AMOUNT, FULL, NEVER),
    b.PayeeChange(CN.id, HOLDER, 1, NEVER),
    b.KeyGrant(GB.id, HOLDER, 0, NEVER, 1, NEVER),
    b.KeyRevocation(GB.id, HOLDER, 2, NEVER),
    b.Amendment(agreement_id(CN_GB), 2, CN_GB, NEVER),
    b.DepositWithdrawal(agreement_id(CN_GB), GB.id, HOLDER, HOLDER, MOST_AMOUNT, 1, NEVER),
    b.DepositApplication(keccak(b"payable"), HOLDER, 1, NEVER, 0),
)


def case_of(struct: Struct, domain: Domain = DOMAIN) -> dict[str, Any]:
    """The struct as JavaScript is given it: its type string, its domain, its values as text."""
    contract = {
        "name": domain.name,
        "version": domain.version,
        "chainId": str(domain.chain_id),
        "verifyingContract": domain.verifying_contract,
    }
    return {"type": struct.TYPE, "domain": contract, "values": _values(struct)}


def vector_of(struct: Struct) -> dict[str, Any]:
    """Its case and the digest."""
    return {**case_of(struct), "digest": f"0x{digest(struct, DOMAIN).hex()}"}


def _values(struct: Struct) -> Mapping[str, Any]:
    members = re.match(r"\w+\(([^)]*)\)", struct.TYPE)
    assert members is not None, "an EIP-712 type names its members"
    names = [member.split(" ")[1] for member in members.group(1).split(",")]
    assert len(names) == len(fields(struct))  # type: ignore[arg-type]
    return {name: _text(value) for name, value in zip(names, struct.values(), strict=True)}


def _text(value: Any) -> Any:
    if isinstance(value, Struct):
        return _values(value)
    if isinstance(value, tuple):
        return [_text(each) for each in value]
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    return value if isinstance(value, str) else str(int(value))


def main() -> None:
    VECTORS.write_text(json.dumps([vector_of(struct) for struct in SIGNED], indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
