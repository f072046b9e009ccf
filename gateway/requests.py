"""What does a carrier ask a gateway for, its own or another's? Request structs of ours, signed like everything else.

They never go on chain; their domains are the contracts', so a request made for one network is worth nothing on another.
"""

from dataclasses import dataclass
from typing import ClassVar

from ledger.chain.abi import AddressType, FixedBytes, Integer, keccak
from ledger.chain.bound import Fields, Struct
from ledger.identity import Address, AgreementId

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


_LOGIN_TYPE = (
    "LoginRequest(bytes32 audience,bytes32 carrier,address key,bytes32 nonce,uint64 issuedAt,uint64 expiresAt)"
)


@dataclass(frozen=True, slots=True)
class LoginRequest(Struct):
    """Asks one gateway for a session in the name of a carrier, or of a key that its desk let in."""

    TYPE: ClassVar[str] = _LOGIN_TYPE
    TYPEHASH: ClassVar[bytes] = keccak(_LOGIN_TYPE.encode("ascii"))
    FIELDS: ClassVar[Fields] = (
        ("audience", FixedBytes(32)),
        ("carrier", FixedBytes(32)),
        ("key", AddressType()),
        ("nonce", FixedBytes(32)),
        ("issued_at", Integer(64)),
        ("expires_at", Integer(64)),
    )

    audience: bytes
    """Whose gateway is asked: what is signed for one is worth nothing at another."""
    carrier: bytes
    """In whose name; zeros for an auditor."""
    key: Address
    nonce: bytes
    """Drawn by the gateway; opens one session."""
    issued_at: int
    """Seconds."""
    expires_at: int
    """Seconds; of the challenge, not of the session."""
