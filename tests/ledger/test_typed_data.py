"""Do our digests and signatures pass exactly where the contracts' do?"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st

from ledger.chain.bindings import KeyGrant, Leg, NettingCycle
from ledger.errors import Malformed, SignatureRefused
from ledger.identity import Address, AgreementId, ascii32
from ledger.typed_data import (
    CURVE_ORDER,
    Domain,
    address_of_key,
    digest,
    recover,
    sign_digest,
)

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "signatures.json").read_text())
LEDGER = Address("0x2222222222222222222222222222222222222222")
DOMAIN = Domain(chain_id=1337, verifying_contract=LEDGER)
KEY = bytes(range(1, 33))


LEG = Leg(AgreementId(bytes(31) + b"\x01"), ascii32("CN-T"), 251_330_020_000)
CYCLE = NettingCycle(ascii32("USD"), 7, (bytes(32), b"\xff" * 32), (LEG, LEG), 1_796_083_200)
GRANT = KeyGrant(ascii32("CN-T"), LEDGER, 1, 0, 1, 1_796_083_200)


def raw(text: str) -> bytes:
    return bytes.fromhex(text[2:])


# REFUSALS


@pytest.mark.parametrize("vector", VECTORS["malformed"], ids=lambda vector: vector["name"])
def test_every_malformed_twin_of_a_good_signature_is_refused(vector: dict[str, str]) -> None:
    with pytest.raises(SignatureRefused) as refusal:
        recover(raw(vector["digest"]), raw(vector["signature"]))
    assert refusal.value.expected is not None and refusal.value.got is not None


@pytest.mark.parametrize("vector", VECTORS["wrong"], ids=lambda vector: vector["name"])
def test_a_well_formed_signature_of_another_key_or_text_recovers_to_another_signer(vector: dict[str, str]) -> None:
    assert recover(raw(vector["digest"]), raw(vector["signature"])) != vector["signer"]


def test_the_library_we_do_not_rely_on_takes_the_high_s_twin() -> None:
    """Why the check exists: eth-account recovers the twin that the contracts refuse."""
    twin = next(vector for vector in VECTORS["malformed"] if vector["name"] == "the high-s twin")
    assert Account._recover_hash(raw(twin["digest"]), signature=raw(twin["signature"])) == VECTORS["good"][0]["signer"]


@pytest.mark.parametrize(
    "change",
    [
        {"valid_from": -1},
        {"valid_from": 2**64},
        {"valid_from": True},
        {"valid_from": "10"},
        {"valid_from": 1.0},
        {"carrier": bytes(31)},
        {"carrier": bytes(33)},
        {"carrier": "0x00"},
        {"key": "0x22"},
        {"key": bytes(20)},
    ],
)
def test_a_field_that_does_not_fit_its_type_is_never_coerced(change: dict[str, Any]) -> None:
    with pytest.raises(Malformed) as refusal:
        digest(replace(GRANT, **change), DOMAIN)
    assert refusal.value.expected is not None and refusal.value.got is not None


# WHAT IS RIGHT


@pytest.mark.parametrize("vector", VECTORS["good"], ids=lambda vector: vector["signer"][:8])
def test_the_good_vectors_are_signed_and_recovered(vector: dict[str, str]) -> None:
    assert sign_digest(raw(vector["private_key"]), raw(vector["digest"])) == raw(vector["signature"])
    assert recover(raw(vector["digest"]), raw(vector["signature"])) == vector["signer"]


def test_a_nested_struct_has_the_digest_an_independent_library_computes() -> None:
    leg = {"agreementId": LEG.agreement_id, "creditor": LEG.creditor, "amountMicros": LEG.amount_micros}
    theirs = encode_typed_data(
        {"name": "gsc", "version": "1", "chainId": 1337, "verifyingContract": LEDGER},
        {name: _members(name) for name in ("NettingCycle", "Leg")},
        {
            "currency": CYCLE.currency,
            "nonce": CYCLE.nonce,
            "items": list(CYCLE.items),
            "legs": [leg, leg],
            "deadline": CYCLE.deadline,
        },
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
    assert recover(message, signature) == address_of_key(private_key)


@given(st.integers(0, 64), st.integers(1, 255))
def test_a_changed_byte_never_recovers_to_the_signer(position: int, mask: int) -> None:
    message = keccak(b"message")
    signature = bytearray(sign_digest(KEY, message))
    signature[position] ^= mask
    try:
        recovered = recover(message, bytes(signature))
    except SignatureRefused:
        return
    assert recovered != address_of_key(KEY)


def _members(name: str) -> list[dict[str, str]]:
    body = NettingCycle.TYPE.split(f"{name}(")[-1].split(")")[0]
    return [dict(zip(("type", "name"), part.split(" "), strict=True)) for part in body.split(",")]
