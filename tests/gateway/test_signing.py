"""Does the carrier's key sign our structs and nothing else?"""

import copy
import pickle

import pytest

from gateway.composition import SIGNED_FOR, domains_of
from gateway.requests import LoginRequest, RevealRequest
from gateway.signing import Signer
from gateway.thread.entries import DisputeEntry
from ledger.chain import bindings
from ledger.chain.bound import Struct
from ledger.chain.network import CONTRACTS, Network
from ledger.errors import Malformed
from ledger.identity import Address, AgreementId, CarrierCode
from ledger.typed_data import address_of_key

KEY = bytes(31) + b"\x07"
NETWORK = Network(
    name="test",
    chain_id=1337,
    genesis_hash=bytes(32),
    first_block=0,
    confirmations=1,
    gas_price_wei=0,
    addresses={name: address_of_key(bytes(31) + bytes([at + 1])) for at, name in enumerate(CONTRACTS)},
    code_hashes={name: bytes(32) for name in CONTRACTS},
    tokens={},
)


def signer() -> Signer:
    return Signer(CarrierCode("CN-T"), KEY, domains_of(NETWORK))


def request(deadline: int = 9) -> RevealRequest:
    return RevealRequest(AgreementId(bytes(32)), 202610, b"CN-T".ljust(32, b"\0"), bytes(32), bytes(32), deadline)


@pytest.mark.parametrize("foreign", [b"bytes", "text", 7, {"deadline": 9}, None, bindings.StatementLine])
def test_anything_that_is_not_a_struct_of_ours_is_refused(foreign: object) -> None:
    with pytest.raises(Malformed, match="only the generated structs"):
        signer().sign(foreign)


def test_a_subclass_cannot_pass_for_the_struct_it_extends() -> None:
    class Disguised(RevealRequest):
        pass

    disguised = Disguised(*request().values())

    with pytest.raises(Malformed):
        signer().sign(disguised)


def test_a_signature_names_its_signer_and_no_other_struct() -> None:
    signed = signer().sign(request())

    assert signer().domains.signer_of(request(), signed.signature) == address_of_key(KEY)
    assert signer().domains.signer_of(request(deadline=10), signed.signature) != address_of_key(KEY)


def test_a_signature_for_one_chain_says_nothing_on_another() -> None:
    elsewhere = domains_of(Network(**{**_values(NETWORK), "chain_id": 1}))

    assert elsewhere.signer_of(request(), signer().sign(request()).signature) != address_of_key(KEY)


def test_every_struct_that_a_contract_reads_with_a_signature_is_signed_for_exactly_one_contract() -> None:
    named = [struct for structs in SIGNED_FOR.values() for struct in structs]
    parts = {bindings.IgwListing, bindings.Leg, bindings.StatementLine, bindings.UsageRecord}
    generated = {each for each in vars(bindings).values() if isinstance(each, type) and issubclass(each, Struct)}

    assert len(named) == len(set(named))
    assert set(named) - {RevealRequest, LoginRequest, DisputeEntry} == generated - parts - {Struct}


def test_the_key_is_neither_shown_nor_copied() -> None:
    ours = signer()

    assert KEY.hex() not in repr(ours)
    for copied in (copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="holds a key"):
            copied(ours)


def _values(network: Network) -> dict[str, object]:
    return {name: getattr(network, name) for name in network.__dataclass_fields__}


def test_addresses_of_the_network_are_the_verifying_contracts() -> None:
    assert isinstance(NETWORK.usage_ledger, str)
    assert NETWORK.domain("UsageLedger").verifying_contract == Address(NETWORK.usage_ledger)
