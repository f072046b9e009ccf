"""Do our digests and signatures pass exactly where the contracts' do?"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import Malformed, SignatureRefused
from ledger.identity import Address
from ledger.typed_data import (
    CURVE_ORDER,
    Domain,
    address_of_key,
    digest,
    recover,
    require_signer,
    sign_digest,
)

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "signatures.json").read_text())
LEDGER = Address("0x2222222222222222222222222222222222222222")
DOMAIN = Domain(chain_id=1337, verifying_contract=LEDGER)
KEY = bytes(range(1, 33))


@dataclass(frozen=True, slots=True)
class Leg:
    EIP712_TYPE: ClassVar[str] = "Leg(bytes32 agreementId,uint128 amountMicros,address payee)"
    agreement_id: bytes
    amount_micros: int
    payee: str


@dataclass(frozen=True, slots=True)
class Cycle:
    EIP712_TYPE: ClassVar[str] = (
        "Cycle(bytes32 currency,int256 position,bytes32[] items,Leg[] legs,string note,bytes extra,bool flagged)"
        "Leg(bytes32 agreementId,uint128 amountMicros,address payee)"
    )
    currency: bytes
    position: int
    items: tuple[bytes, ...]
    legs: tuple[Leg, ...]
    note: str
    extra: bytes
    flagged: bool


LEG = Leg(bytes(31) + b"\x01", 251_330_020_000, LEDGER)
CYCLE = Cycle(b"USD".ljust(32, b"\0"), -5, (bytes(32), b"\xff" * 32), (LEG, LEG), "é", b"\0\1", True)


def raw(text: str) -> bytes:
    return bytes.fromhex(text[2:])


# REFUSALS


@pytest.mark.parametrize("vector", VECTORS["malformed"], ids=lambda vector: vector["name"])
def test_every_malformed_twin_of_a_good_signature_is_refused(vector: dict[str, str]) -> None:
    with pytest.raises(SignatureRefused) as refusal:
        recover(raw(vector["digest"]), raw(vector["signature"]))
    assert refusal.value.expected is not None and refusal.value.got is not None


@pytest.mark.parametrize("vector", VECTORS["wrong"], ids=lambda vector: vector["name"])
def test_a_well_formed_signature_of_another_key_or_text_is_refused(vector: dict[str, str]) -> None:
    with pytest.raises(SignatureRefused, match="another key signed"):
        require_signer(raw(vector["digest"]), raw(vector["signature"]), Address(vector["signer"]))


def test_the_library_we_do_not_rely_on_takes_the_high_s_twin() -> None:
    """Why the check exists: eth-account recovers the twin that the contracts refuse."""
    twin = next(vector for vector in VECTORS["malformed"] if vector["name"] == "the high-s twin")
    assert Account._recover_hash(raw(twin["digest"]), signature=raw(twin["signature"])) == VECTORS["good"][0]["signer"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"amount_micros": -1}, "uint128"),
        ({"amount_micros": 2**128}, "uint128"),
        ({"amount_micros": True}, "uint128"),
        ({"amount_micros": "10"}, "uint128"),
        ({"amount_micros": 1.0}, "uint128"),
        ({"agreement_id": bytes(31)}, "bytes32"),
        ({"agreement_id": bytes(33)}, "bytes32"),
        ({"agreement_id": "0x00"}, "bytes32"),
        ({"payee": "0x22"}, "address"),
        ({"payee": bytes(20)}, "address"),
    ],
)
def test_a_field_that_does_not_fit_its_type_is_never_coerced(change: dict[str, Any], expected: str) -> None:
    with pytest.raises(Malformed) as refusal:
        digest(replace(LEG, **change), DOMAIN)
    assert refusal.value.expected == expected


# WHAT IS RIGHT


@pytest.mark.parametrize("vector", VECTORS["good"], ids=lambda vector: vector["signer"][:8])
def test_the_good_vectors_are_signed_and_recovered(vector: dict[str, str]) -> None:
    assert sign_digest(raw(vector["private_key"]), raw(vector["digest"])) == raw(vector["signature"])
    assert recover(raw(vector["digest"]), raw(vector["signature"])) == vector["signer"]


def test_a_nested_struct_has_the_digest_an_independent_library_computes() -> None:
    message = {
        "currency": CYCLE.currency,
        "position": CYCLE.position,
        "items": list(CYCLE.items),
        "legs": [
            {"agreementId": leg.agreement_id, "amountMicros": leg.amount_micros, "payee": leg.payee}
            for leg in CYCLE.legs
        ],
        "note": CYCLE.note,
        "extra": CYCLE.extra,
        "flagged": CYCLE.flagged,
    }
    theirs = encode_typed_data(
        {"name": "gsc", "version": "1", "chainId": 1337, "verifyingContract": LEDGER},
        {name: _members(name) for name in ("Cycle", "Leg")},
        message,
    )
    assert digest(CYCLE, DOMAIN) == keccak(b"\x19\x01" + theirs.header + theirs.body)


@pytest.mark.parametrize(
    "other",
    [
        Domain(1, LEDGER),
        Domain(1337, Address("0x" + "33" * 20)),
        Domain(1337, LEDGER, name="gsd"),
        Domain(1337, LEDGER, version="2"),
    ],
)
def test_another_chain_contract_or_version_has_another_digest(other: Domain) -> None:
    assert digest(LEG, other) != digest(LEG, DOMAIN)


@given(key=st.integers(1, CURVE_ORDER - 1), message=st.binary(min_size=32, max_size=32))
def test_what_a_key_signs_recovers_to_its_address(key: int, message: bytes) -> None:
    private_key = key.to_bytes(32, "big")
    signature = sign_digest(private_key, message)
    assert len(signature) == 65
    require_signer(message, signature, address_of_key(private_key))


@given(st.integers(0, 64), st.integers(1, 255))
def test_a_changed_byte_never_recovers_to_the_signer(position: int, mask: int) -> None:
    message = keccak(b"message")
    signature = bytearray(sign_digest(KEY, message))
    signature[position] ^= mask
    with pytest.raises(SignatureRefused):
        require_signer(message, bytes(signature), address_of_key(KEY))


def _members(name: str) -> list[dict[str, str]]:
    body = Cycle.EIP712_TYPE.split(f"{name}(")[-1].split(")")[0]
    return [dict(zip(("type", "name"), part.split(" "), strict=True)) for part in body.split(",")]
