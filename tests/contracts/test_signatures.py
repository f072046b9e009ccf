"""Does a signature pass in the contracts exactly where it passes in the gateway?"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.solidity import compile_sources
from ledger.chain import bindings as b
from ledger.chain.abi import DynamicBytes, FixedBytes, address_of, keccak
from ledger.chain.bound import Function, Struct, TypedRefusal
from ledger.chain.network import CONTRACTS
from ledger.errors import ContractRefused
from ledger.identity import Address
from ledger.typed_data import CURVE_ORDER, Domain, digest, sign_digest
from tests.contracts.books import CN, GB, NEVER, ZERO, Books, agreement_id, terms
from tests.contracts.month import credit_line, declaration, rate_notice

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "signatures.json").read_text())
RECOVER = Function(
    "recover(bytes32,bytes)",
    keccak(b"recover(bytes32,bytes)")[:4],
    (("digest", FixedBytes(32)), ("signature", DynamicBytes())),
    (FixedBytes(32),),
)
FORM = (b.ECDSAInvalidSignature, b.ECDSAInvalidSignatureLength, b.ECDSAInvalidSignatureS)
FRESH = terms(CN, GB, document_hash=keccak(b"another document"))


@dataclass(frozen=True, slots=True)
class Door:
    """One function of one contract that takes GB-B's signature."""

    contract: str
    struct: Struct
    calldata: Callable[[Books, bytes], bytes]


def _sign(books: Books, signature: bytes) -> bytes:
    return b.calldata_agreement_book_sign(FRESH, books.signed(CN, FRESH, "AgreementBook"), signature)


GRANT = b.KeyGrant(GB.id, address_of(bytes(12) + b"\x07" * 20), 0, 0, 1, NEVER)
PAYEE = b.PayeeChange(GB.id, address_of(bytes(12) + b"\x07" * 20), 1, NEVER)
DECLARED, LINE, NOTICE = declaration(GB, GB), credit_line(GB, nonce=2), rate_notice(GB)
DOORS = (
    Door("CarrierRegistry", GRANT, lambda books, signature: b.calldata_carrier_registry_grant_key(GRANT, signature)),
    Door("AgreementBook", FRESH, _sign),
    Door("AgreementBook", NOTICE, lambda books, signature: b.calldata_agreement_book_publish_rates(NOTICE, signature)),
    Door("UsageLedger", DECLARED, lambda books, signature: b.calldata_usage_ledger_declare(DECLARED, signature)),
    Door("CreditBook", LINE, lambda books, signature: b.calldata_credit_book_grant(LINE, signature)),
    Door("PaymentBook", PAYEE, lambda books, signature: b.calldata_payment_book_set_payee(PAYEE, signature)),
)


def high_s_twin(good: bytes) -> bytes:
    """The other signature of the same key over the same digest."""
    s = CURVE_ORDER - int.from_bytes(good[32:64], "big")
    return good[:32] + s.to_bytes(32, "big") + bytes([55 - good[64]])


@pytest.fixture(scope="session")
def probe() -> bytes:
    """Creation code of the contracts' reading of a signature."""
    source = (Path(__file__).parent / "Probes.sol").read_text()
    return compile_sources({"tests/contracts/Probes.sol": source}).artifacts["RecoverProbe"].bytecode


def recovered(books: Books, vector: Mapping[str, str]) -> Address:
    calldata = RECOVER.calldata(bytes.fromhex(vector["digest"][2:]), bytes.fromhex(vector["signature"][2:]))
    return address_of(books.call("RecoverProbe", calldata))


# REFUSALS


@pytest.mark.parametrize("vector", VECTORS["malformed"], ids=lambda vector: vector["name"])
def test_what_the_gateway_refuses_by_form_the_contracts_refuse(
    books: Books, probe: bytes, vector: Mapping[str, str]
) -> None:
    books.deploy("RecoverProbe", code=probe)
    with pytest.raises(FORM):
        recovered(books, vector)


@pytest.mark.parametrize("vector", VECTORS["wrong"], ids=lambda vector: vector["name"])
def test_what_another_key_signed_recovers_to_another_address(
    books: Books, probe: bytes, vector: Mapping[str, str]
) -> None:
    books.deploy("RecoverProbe", code=probe)
    assert recovered(books, vector) != vector["signer"]


@pytest.mark.parametrize("door", DOORS, ids=lambda door: type(door.struct).__name__)
@pytest.mark.parametrize(
    "twist",
    [
        high_s_twin,
        lambda good: good[:64] + bytes([good[64] - 27]),
        lambda good: good[:64],
        lambda good: good + b"\0",
        lambda good: bytes(65),
        lambda good: b"",
    ],
    ids=["high-s twin", "v of 0 or 1", "64 bytes", "66 bytes", "zero", "nothing"],
)
def test_every_door_refuses_a_twisted_signature(books: Books, door: Door, twist: Callable[[bytes], bytes]) -> None:
    good = books.signed(GB, door.struct, door.contract)
    books.call(door.contract, door.calldata(books, good))
    with pytest.raises(FORM):
        books.call(door.contract, door.calldata(books, twist(good)))


@pytest.mark.parametrize("door", DOORS, ids=lambda door: type(door.struct).__name__)
def test_every_door_refuses_a_signature_meant_for_elsewhere(books: Books, door: Door) -> None:
    here = books.domains[door.contract]
    elsewhere = (
        Domain(here.chain_id + 1, here.verifying_contract),
        Domain(here.chain_id, books.addresses["USD"]),
        Domain(here.chain_id, here.verifying_contract, name="gsd"),
        Domain(here.chain_id, here.verifying_contract, version="2"),
    )
    for domain in elsewhere:
        signature = sign_digest(GB.key, digest(door.struct, domain))
        with pytest.raises(b.SignerNotAuthorised):
            books.call(door.contract, door.calldata(books, signature))


@pytest.mark.parametrize("door", DOORS, ids=lambda door: type(door.struct).__name__)
def test_every_door_refuses_a_struct_with_another_type(books: Books, door: Door) -> None:
    """The same values under a type with one field more have another digest."""
    longer = door.struct.TYPE.replace(")", ",uint256 extra)", 1)
    words = [kind.hash_word(getattr(door.struct, name)) for name, kind in door.struct.FIELDS]
    struct_hash = keccak(keccak(longer.encode()) + b"".join(words) + ZERO)
    signature = sign_digest(GB.key, keccak(b"\x19\x01" + books.domains[door.contract].separator() + struct_hash))
    with pytest.raises(b.SignerNotAuthorised):
        books.call(door.contract, door.calldata(books, signature))


def test_an_enum_out_of_range_is_not_taken(books: Books) -> None:
    good = b.calldata_usage_ledger_declare(DECLARED, books.signed(GB, DECLARED, "UsageLedger"))
    service = 4 + 32 * 4
    with pytest.raises(ContractRefused):
        books.call("UsageLedger", good[:service] + (4).to_bytes(32, "big") + good[service + 32 :])


@pytest.mark.parametrize("field", [name for name, kind in b.Declaration.FIELDS if not isinstance(kind, FixedBytes)])
def test_a_word_with_stray_bits_is_not_taken(books: Books, field: str) -> None:
    """The ledger hashes a declaration as it came: a bit beyond its type must not pass, even signed."""
    at = 4 + 32 * [name for name, _ in b.Declaration.FIELDS].index(field)
    plain = b.calldata_usage_ledger_declare(DECLARED, bytes(65))
    stray = plain[:at] + b"\x80" + plain[at + 1 : 4 + 16 * 32]
    struct_hash = keccak(keccak(b.Declaration.TYPE.encode()) + stray[4:])
    signature = sign_digest(GB.key, keccak(b"\x19\x01" + books.domains["UsageLedger"].separator() + struct_hash))
    with pytest.raises(ContractRefused) as caught:
        books.call("UsageLedger", stray + b.calldata_usage_ledger_declare(DECLARED, signature)[4 + 16 * 32 :])
    assert not isinstance(caught.value, TypedRefusal), "refused by its form"


# WHAT IS RIGHT


@pytest.mark.parametrize("vector", VECTORS["good"], ids=lambda vector: vector["signer"][:8])
def test_what_the_gateway_takes_the_contracts_take(books: Books, probe: bytes, vector: Mapping[str, str]) -> None:
    books.deploy("RecoverProbe", code=probe)
    assert recovered(books, vector) == vector["signer"]


@pytest.mark.parametrize("contract", CONTRACTS)
def test_each_contract_has_the_domain_we_sign_for(books: Books, contract: str) -> None:
    call = keccak(b"eip712Domain()")[:4]
    found = b.result_usage_ledger_eip712_domain(books.call(contract, call))
    assert (found.name, found.version, found.chain_id) == ("gsc", "1", 1337)
    assert found.verifying_contract == books.addresses[contract]


def test_a_batch_id_is_the_digest_both_sides_compute(books: Books) -> None:
    for declared in (
        DECLARED,
        declaration(CN, GB, agreement_id=agreement_id(FRESH), igw=keccak(b"igw"), seq=2**64 - 1),
    ):
        on_chain = books.call("UsageLedger", b.calldata_usage_ledger_batch_id_of(declared))
        assert on_chain == books.digest(declared, "UsageLedger")
