"""How does one gateway ask another for its records? A request struct of our own, signed like everything else.

It never goes on chain; its domain is the usage ledger's, so a request made for one network is worth nothing on another.
"""

from dataclasses import dataclass
from typing import ClassVar

from ledger.chain.abi import FixedBytes, Integer, keccak
from ledger.chain.bound import Fields, Struct
from ledger.identity import AgreementId

REQUEST_SECONDS = 300
"""How long a request may wait before it is answered."""

_REVEAL_TYPE = (
    "RevealRequest(bytes32 agreementId,uint32 period,bytes32 requester,bytes32 root,bytes32 nonce,uint64 deadline)"
)


@dataclass(frozen=True, slots=True)
class RevealRequest(Struct):
    """Asks the counterparty for one sealed batch; answered once both sides have closed the period."""

    TYPE: ClassVar[str] = _REVEAL_TYPE
    TYPEHASH: ClassVar[bytes] = keccak(_REVEAL_TYPE.encode("ascii"))
    FIELDS: ClassVar[Fields] = (
        ("agreement_id", FixedBytes(32)),
        ("period", Integer(32)),
        ("requester", FixedBytes(32)),
        ("root", FixedBytes(32)),
        ("nonce", FixedBytes(32)),
        ("deadline", Integer(64)),
    )

    agreement_id: AgreementId
    period: int
    requester: bytes
    root: bytes
    nonce: bytes
    """Random; answered once."""
    deadline: int
    """Seconds."""
