"""Do the bindings say exactly what the contracts, eth_abi, eth_account and web3 say? For every one of them."""

import inspect
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest
from eth_abi import decode, encode
from eth_account._utils.encode_typed_data.encoding_and_hashing import hash_type
from eth_account.messages import _hash_eip191_message, encode_typed_data
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from web3 import Web3
from web3._utils.events import get_event_data

from deploy.bindings import generate_bindings
from deploy.interface import snake
from deploy.node import ROOT
from deploy.solidity import compile_contracts, compile_sources, read_sources
from ledger.chain import bindings
from ledger.chain.abi import AbiType, AddressType, ArrayType, Integer, StructType, address_bytes
from ledger.chain.bound import Event, Function, Struct, TypedRefusal
from ledger.errors import ContractRefused, Malformed
from ledger.identity import Address
from ledger.service import Service
from ledger.typed_data import Domain, digest
from tests.deploy.values import plain, values_of

FUNCTIONS = {name: value for name, value in vars(bindings).items() if isinstance(value, Function)}
STRUCTS = [value for value in vars(bindings).values() if inspect.isclass(value) and issubclass(value, Struct)][1:]
ABIS = {file.stem: json.loads(file.read_text())["abi"] for file in (ROOT / "contracts" / "artifacts").glob("*.json")}
EVENT_ABIS = {entry["name"]: entry for abi in ABIS.values() for entry in abi if entry["type"] == "event"}
FEW = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
CODEC = Web3().codec

DECLARATION = {
    "agreement_id": bytes(32), "declarer": bytes(32), "creditor": bytes(32), "seq": 1, "service": Service.VOICE,
    "period": 202610, "root": bytes(32), "count": 3, "from_ms": 0, "to_ms": 1, "quantity": 5, "amount_micros": 7,
    "deck_hash": bytes(32), "corrects": bytes(32), "igw": bytes(32), "deadline": 9,
}  # fmt: skip


# WHAT IS REFUSED


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seq", True),
        ("seq", "1"),
        ("seq", 1.0),
        ("seq", -1),
        ("seq", 2**64),
        ("quantity", 2**128),
        ("count", None),
        ("root", bytes(31)),
        ("root", bytes(33)),
        ("root", b""),
        ("root", ""),
        ("root", 0),
        ("root", "0x" + "00" * 32),
        ("root", bytearray(32)),
        ("service", 0),
        ("service", bindings.LimitPolicy.REFUSE),
    ],
)
def test_a_value_that_does_not_fit_its_field_never_becomes_a_struct(field: str, value: object) -> None:
    with pytest.raises(Malformed, match=f"Declaration.{field} does not fit"):
        bindings.Declaration(**{**DECLARATION, field: value})


def test_a_list_of_lines_is_refused_where_a_tuple_is_due() -> None:
    with pytest.raises(Malformed, match=r"Statement\.lines"):
        bindings.Statement(bytes(32), 202610, [], bytes(32), 1)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", ["0x" + "ab" * 20, "0x" + "AB" * 20, "ab" * 20, "0x1234", "", b"\0" * 20, 0])
def test_an_address_without_its_checksum_is_refused(key: Any) -> None:
    with pytest.raises(Malformed):
        bindings.KeyRevocation(bytes(32), key, 1, 1)


def test_an_argument_that_does_not_fit_is_named() -> None:
    with pytest.raises(Malformed, match=r"lastSeq\.creditor"):
        bindings.calldata_usage_ledger_last_seq(bytes(32), bytes(32), b"GB-B")


def test_a_short_result_is_malformed() -> None:
    with pytest.raises(Malformed, match="ends early"):
        bindings.result_usage_ledger_last_seq(b"")


def test_a_result_outside_its_type_is_malformed() -> None:
    with pytest.raises(Malformed, match="uint64"):
        bindings.result_usage_ledger_last_seq((2**64).to_bytes(32, "big"))


def test_an_array_longer_than_its_data_is_malformed() -> None:
    (name,) = [name for name in FUNCTIONS if name.endswith("REGISTRY_EIP712_DOMAIN")]
    huge = (2**255).to_bytes(32, "big")
    with pytest.raises(Malformed):
        FUNCTIONS[name].results(huge * 8)


def test_a_log_of_another_event_is_malformed() -> None:
    with pytest.raises(Malformed, match="not a log of PeriodClosed"):
        bindings.PeriodClosed.decode([bindings.UsageDeclared.TOPIC0, *[bytes(32)] * 3], bytes(96))


def test_a_log_with_too_little_data_is_malformed() -> None:
    with pytest.raises(Malformed, match="not a log of PeriodClosed"):
        bindings.PeriodClosed.decode([bindings.PeriodClosed.TOPIC0, *[bytes(32)] * 3], bytes(95))


def test_a_log_of_no_contract_of_ours_is_malformed() -> None:
    with pytest.raises(Malformed, match="no event of these contracts"):
        bindings.event_of([bytes(32)], b"")


# EQUAL TO OTHER LIBRARIES


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_calls_are_encoded_as_eth_abi_encodes_them(name: str) -> None:
    function = FUNCTIONS[name]
    kinds = [kind for _, kind in function.inputs]

    @FEW
    @given(st.tuples(*map(values_of, kinds)))
    def check(values: tuple[Any, ...]) -> None:
        theirs = encode(_names(kinds), [plain(k, v) for k, v in zip(kinds, values, strict=True)])
        assert function.calldata(*values) == Web3.keccak(text=function.signature)[:4] + theirs
        assert getattr(bindings, f"calldata_{name.lower()}")(*values) == function.calldata(*values)

    check()


@pytest.mark.parametrize("name", sorted(name for name, function in FUNCTIONS.items() if function.outputs))
def test_results_are_decoded_as_eth_abi_encodes_them(name: str) -> None:
    function = FUNCTIONS[name]

    @FEW
    @given(st.tuples(*map(values_of, function.outputs)))
    def check(values: tuple[Any, ...]) -> None:
        given_ = encode(_names(function.outputs), [plain(k, v) for k, v in zip(function.outputs, values, strict=True)])
        read = getattr(bindings, f"result_{name.lower()}")(given_)
        assert (tuple(read) if len(values) > 1 else (read,)) == values

    check()


@pytest.mark.parametrize("event", list(bindings.EVENTS.values()), ids=lambda event: event.__name__)
def test_logs_are_decoded_as_web3_decodes_them(event: type[Event]) -> None:
    abi = EVENT_ABIS[event.__name__]

    @FEW
    @given(st.data())
    def check(data: st.DataObject) -> None:
        values = {part["name"]: data.draw(_strategy(part), part["name"]) for part in abi["inputs"]}
        topics, raw = _log_of(event, abi, values)
        theirs = get_event_data(CODEC, abi, _as_web3_log(topics, raw))["args"]
        ours = bindings.event_of(topics, raw)
        assert type(ours) is event
        assert {snake(name): _comparable(value) for name, value in theirs.items()} == {
            name: _comparable(getattr(ours, name)) for name in ours.__slots__
        }

    check()


@pytest.mark.parametrize("error", list(bindings.ERRORS.values()), ids=lambda error: error.__name__)
def test_refusals_carry_their_typed_arguments(error: type[TypedRefusal]) -> None:
    kinds = [kind for _, kind in error.FIELDS]

    @FEW
    @given(st.tuples(*map(values_of, kinds)))
    def check(values: tuple[Any, ...]) -> None:
        arguments = encode(_names(kinds), [plain(k, v) for k, v in zip(kinds, values, strict=True)])
        refusal = bindings.error_of(Web3.keccak(text=error.SIGNATURE)[:4] + arguments)
        assert type(refusal) is error
        assert tuple(getattr(refusal, name) for name, _ in error.FIELDS) == values
        assert set(refusal.members) == {"error", *(name for name, _ in error.FIELDS)}
        json.dumps(refusal.members)
        assert refusal.todo

    check()


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.__name__)
def test_digests_equal_those_of_another_library(struct: type[Struct]) -> None:
    domain = Domain(1337, Address("0x5FbDB2315678afecb367f032d93F642f64180aa3"))

    @FEW
    @given(values_of(StructType(struct)))
    def check(value: Struct) -> None:
        message = {
            "types": _eip712_types(struct.TYPE),
            "primaryType": struct.__name__,
            "domain": {"name": "gsc", "version": "1", "chainId": 1337, "verifyingContract": domain.verifying_contract},
            "message": _eip712_message(value),
        }
        assert digest(value, domain) == _hash_eip191_message(encode_typed_data(full_message=message))

    check()
    types = {name: fields for name, fields in _eip712_types(struct.TYPE).items() if name != "EIP712Domain"}
    assert struct.typehash() == hash_type(struct.__name__, types)


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.__name__)
def test_structs_are_encoded_as_eth_abi_encodes_their_fields(struct: type[Struct]) -> None:
    kinds = [kind for _, kind in struct.FIELDS]

    @FEW
    @given(values_of(StructType(struct)))
    def check(value: Struct) -> None:
        theirs = encode(_names(kinds), [plain(k, v) for k, v in zip(kinds, value.values(), strict=True)])
        assert value.abi_encode() == theirs
        assert decode(_names(kinds), theirs) == decode(_names(kinds), value.abi_encode())

    check()


# EQUAL TO THE CONTRACTS


def test_the_type_strings_in_the_contracts_are_the_generated_ones() -> None:
    generated = {struct.TYPE for struct in STRUCTS}
    written = _type_strings("\n".join(read_sources().values()))
    assert written <= generated, written - generated
    signed = {struct.TYPE for struct in STRUCTS if any(name == "deadline" for name, _ in struct.FIELDS)}
    assert signed <= written, signed - written


def test_a_field_renamed_in_a_contract_only_would_be_seen() -> None:
    sources = "\n".join(read_sources().values()).replace("uint64 seq,uint8 service", "uint64 number,uint8 service")
    assert not _type_strings(sources) <= {struct.TYPE for struct in STRUCTS}


def test_every_event_and_error_of_the_contracts_is_bound() -> None:
    entries = [entry for abi in ABIS.values() for entry in abi]
    assert {e["name"] for e in entries if e["type"] == "event"} <= {
        event.__name__ for event in bindings.EVENTS.values()
    }
    assert {e["name"] for e in entries if e["type"] == "error"} <= {
        error.__name__ for error in bindings.ERRORS.values()
    }
    assert {"UsageDeclared", "StatementAgreed"} <= {event.__name__ for event in bindings.EVENTS.values()}
    assert {"ECDSAInvalidSignature", "CreditLineExceeded"} <= {error.__name__ for error in bindings.ERRORS.values()}


# REFUSALS


def test_a_credit_refusal_shows_its_arguments() -> None:
    refused = bindings.CreditLineExceeded(bytes(range(32)), b"CN-T".ljust(32, b"\0"), 1_200_000, 1_000_000)
    assert refused.slug == "credit-line-exceeded"
    assert refused.status == 409
    assert refused.exposure_micros == 1_200_000
    assert refused.members == {
        "error": "CreditLineExceeded",
        "agreement_id": f"0x{bytes(range(32)).hex()}",
        "creditor": "CN-T",
        "exposure_micros": "1200000",
        "limit_micros": "1000000",
    }
    assert "past its credit line" in str(refused)
    assert (refused.expected, refused.got) == ("1000000", "1200000")


def test_arguments_named_expected_and_got_keep_their_types() -> None:
    refused = bindings.SequenceUnexpected(4, 6)
    assert (refused.expected, refused.got) == (4, 6)
    assert refused.members == {"error": "SequenceUnexpected", "expected": "4", "got": "6"}


@pytest.mark.parametrize(
    ("returndata", "says"),
    [
        (b"", "without a reason"),
        (b"\x01\x02\x03\x04", "do not know"),
        (b"\x01", "do not know"),
        (bytes.fromhex("4e487b71") + (0x11).to_bytes(32, "big"), "overflowed"),
        (bytes.fromhex("4e487b71") + (0x99).to_bytes(32, "big"), "panicked"),
        (bytes.fromhex("08c379a0") + encode(["string"], ["no money"]), "no money"),
        (bytes.fromhex("08c379a0") + b"\xff" * 40, "do not know"),
        (bindings.CreditLineExceeded.SELECTOR + bytes(31), "do not know"),
    ],
)
def test_whatever_a_reverted_call_returns_becomes_a_refusal(returndata: bytes, says: str) -> None:
    refusal = bindings.error_of(returndata)
    assert type(refusal) is ContractRefused
    assert says in str(refusal)
    assert refusal.status == 409


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_no_returndata_breaks_the_decoder(returndata: bytes) -> None:
    assert isinstance(bindings.error_of(returndata), ContractRefused)


def test_every_refusal_has_a_slug_of_its_own() -> None:
    slugs = [error.slug for error in bindings.ERRORS.values()]
    assert len(set(slugs)) == len(slugs)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug) for slug in slugs)


# THE GENERATOR


def test_the_generator_gives_the_same_text_twice_whatever_the_order() -> None:
    artifacts = compile_contracts()
    backwards = dict(reversed(artifacts.items()))
    assert generate_bindings(artifacts) == generate_bindings(backwards)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("contract C { struct S { uint8 a; } function f(S calldata s) external {} } "
         "contract D { error S(); function f() external { revert S(); } }", "S is both struct and error"),
        ("contract C { struct S { uint8 a; } function f(S calldata s) external {} } "
         "contract D { struct S { uint16 a; } function f(S calldata s) external {} }", "two different structs named S"),
        ("contract C { function f(uint256[2] calldata x) external {} }", "fixed-size arrays"),
        ("contract C { function f(function() external g) external {} }", "without a binding"),
        ("contract C { function f(uint8 x) external {} function f(uint16 x) external {} }", "two different signatures"),
        ("enum Service { Voice, Fax } contract C { function f(Service x) external {} }", "Service of the ledger"),
    ],
)  # fmt: skip
def test_what_has_no_binding_is_refused_by_name(source: str, says: str) -> None:
    text = f"// SPDX-License-Identifier: Apache-2.0\npragma solidity ^0.8.24;\n{source}"
    with pytest.raises(Malformed, match=says):
        generate_bindings(compile_sources({"contracts/C.sol": text}).artifacts)


def test_names_become_snake_case_and_no_keyword() -> None:
    named = {
        "fromMs": "from_ms", "aParty": "a_party", "igw": "igw", "ECDSAInvalidSignatureS": "ecdsa_invalid_signature_s",
        "DOMAIN_SEPARATOR": "domain_separator", "from": "from_", "str": "str_", "interestMicros_": "interest_micros",
    }  # fmt: skip
    assert {name: snake(name) for name in named} == named


def test_the_bindings_do_not_import_web3() -> None:
    program = "import sys, ledger.chain.bindings; sys.exit('web3' in sys.modules or 'eth_account' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


# BELOW


def _names(kinds: Any) -> list[str]:
    return [kind.canonical for kind in kinds]


def _strategy(part: Any) -> st.SearchStrategy[Any]:
    type_ = part["type"]
    if type_.endswith("[]"):
        return st.lists(_strategy({**part, "type": type_[:-2]}), max_size=3)
    if type_ == "tuple":
        return st.tuples(*map(_strategy, part["components"]))
    if type_ == "uint8":
        return st.integers(0, 1)  # enums with two members or more
    if type_.startswith(("uint", "int")):
        return values_of(Integer(int(type_.lstrip("uint")), signed=type_.startswith("int")))
    if type_ == "address":
        return values_of(AddressType())
    if type_ == "bool":
        return st.booleans()
    if type_ == "string":
        return st.text(st.characters(codec="utf-8"), max_size=40)
    length = type_.removeprefix("bytes")
    return st.binary(min_size=int(length), max_size=int(length)) if length else st.binary(max_size=70)


def _log_of(event: type[Event], abi: Any, values: dict[str, Any]) -> tuple[list[bytes], bytes]:
    indexed = [part for part in abi["inputs"] if part["indexed"]]
    others = [part for part in abi["inputs"] if not part["indexed"]]
    topics = [event.TOPIC0, *(encode([part["type"]], [values[part["name"]]]) for part in indexed)]
    return topics, encode(list(map(_canonical, others)), [values[part["name"]] for part in others])


def _canonical(part: Any) -> str:
    if not part["type"].startswith("tuple"):
        return str(part["type"])
    return f"({','.join(map(_canonical, part['components']))}){part['type'][5:]}"


def _as_web3_log(topics: list[bytes], data: bytes) -> Any:
    return {
        "address": "0x" + "00" * 20, "topics": topics, "data": data, "logIndex": 0, "transactionIndex": 0,
        "transactionHash": bytes(32), "blockHash": bytes(32), "blockNumber": 1,
    }  # fmt: skip


def _comparable(value: Any) -> Any:
    if isinstance(value, Struct):
        return _comparable(value.values())
    if isinstance(value, Mapping):
        return _comparable(list(value.values()))
    return tuple(map(_comparable, value)) if isinstance(value, list | tuple) else value


def _eip712_types(type_string: str) -> dict[str, list[dict[str, str]]]:
    types = {
        name: [{"type": part.split()[0], "name": part.split()[1]} for part in fields.split(",")]
        for name, fields in re.findall(r"(\w+)\(([^)]*)\)", type_string)
    }
    domain = (("name", "string"), ("version", "string"), ("chainId", "uint256"), ("verifyingContract", "address"))
    return types | {"EIP712Domain": [{"name": name, "type": type_} for name, type_ in domain]}


def _eip712_message(value: Struct) -> dict[str, Any]:
    names = [part["name"] for part in _eip712_types(value.TYPE)[type(value).__name__]]
    return {
        name: _eip712_value(kind, getattr(value, field))
        for name, (field, kind) in zip(names, value.FIELDS, strict=True)
    }


def _eip712_value(kind: AbiType, value: Any) -> Any:
    if isinstance(kind, StructType):
        return _eip712_message(value)
    if isinstance(kind, ArrayType):
        return [_eip712_value(kind.item, item) for item in value]
    return address_bytes(value) if isinstance(kind, AddressType) else plain(kind, value)


def _type_strings(source: str) -> set[str]:
    """Every EIP-712 type string in Solidity source; adjacent literals are one."""
    joined = re.sub(r'"\s+"', "", re.sub(r"//[^\n]*", "", source))
    return set(re.findall(r'"([A-Z]\w+\(\w+ \w+[^"]*\))"', joined))
