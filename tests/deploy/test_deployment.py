"""Do the contracts get onto a chain, know each other, belong to nobody, and stay when deployed again?"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hexbytes import HexBytes
from web3 import Web3

from deploy.committed import bytecode_of, deployed_bytecode_of
from deploy.deployment import DeploymentPlan, deploy_contracts, deploy_network, is_compiled_from
from deploy.engines import Engine, funded_keys
from deploy.local_chain import LocalChain
from deploy.node import ROOT
from ledger.chain.bindings import (
    CarrierAdmitted,
    MemberRepeated,
    TokenListed,
    calldata_carrier_registry_is_key_of,
    calldata_carrier_registry_threshold,
    calldata_credit_book_agreements,
    calldata_credit_book_registry,
    calldata_credit_book_settlement,
    calldata_credit_book_usage,
    calldata_settlement_token_decimals,
    calldata_usage_ledger_agreements,
    calldata_usage_ledger_credit,
    calldata_usage_ledger_registry,
    result_carrier_registry_is_key_of,
    result_carrier_registry_threshold,
    result_credit_book_agreements,
    result_credit_book_registry,
    result_credit_book_settlement,
    result_credit_book_usage,
    result_settlement_token_decimals,
    result_usage_ledger_agreements,
    result_usage_ledger_credit,
    result_usage_ledger_registry,
)
from ledger.chain.client import ChainClient
from ledger.chain.network import CONTRACTS, Network, dump_network, load_network
from ledger.chain.seen import Log
from ledger.errors import ChainMismatch, Malformed, NotFound
from ledger.identity import Address, ascii32, carrier_code
from ledger.typed_data import address_of_key

pytestmark = pytest.mark.chain
KEYS = funded_keys()
PAYER = KEYS[0]
CN_T, GB_B, US_A = (address_of_key(key) for key in KEYS[1:4])
PLAN = DeploymentPlan(
    members=(CN_T, GB_B, US_A),
    threshold=2,
    delay_seconds=86_400,
    carriers={carrier_code("CN-T"): CN_T, carrier_code("GB-B"): GB_B, carrier_code("US-A"): US_A},
    currencies=("USD", "EUR"),
)


@pytest.fixture(params=list(Engine), scope="module")
def chain(request: pytest.FixtureRequest) -> Iterator[LocalChain]:
    with LocalChain(request.param, start_at=1_788_220_800) as started:
        yield started


@pytest.fixture(scope="module")
def client(chain: LocalChain) -> Iterator[ChainClient]:
    with ChainClient(chain.url) as connected:
        yield connected


@pytest.fixture(scope="module")
def network(client: ChainClient) -> Network:
    return deploy_contracts(client, PAYER, PLAN)


@pytest.mark.parametrize("threshold", [0, 1, 4])
def test_a_threshold_of_half_or_of_more_than_all_is_refused_before_anything_is_sent(threshold: int) -> None:
    with pytest.raises(Malformed, match="2 to 3"):
        replace(PLAN, threshold=threshold)


def test_what_a_constructor_refuses_is_raised_by_name(client: ChainClient) -> None:
    with pytest.raises(MemberRepeated) as refused:
        deploy_contracts(client, PAYER, replace(PLAN, members=(CN_T, CN_T, US_A)))
    assert refused.value.member == CN_T


def test_a_network_file_of_another_chain_is_refused_and_nothing_is_sent(
    client: ChainClient, network: Network, tmp_path: Path
) -> None:
    dump_network(replace(network, genesis_hash=bytes(32)), tmp_path / "network.toml")
    before = client.nonce(address_of_key(PAYER))
    with pytest.raises(ChainMismatch, match="genesis"):
        deploy_network(client, PAYER, PLAN, tmp_path / "network.toml")
    assert client.nonce(address_of_key(PAYER)) == before


def test_a_network_file_with_another_code_hash_is_refused(
    client: ChainClient, network: Network, tmp_path: Path
) -> None:
    forged = replace(network, code_hashes={**network.code_hashes, "UsageLedger": bytes(32)})
    dump_network(forged, tmp_path / "network.toml")
    with pytest.raises(ChainMismatch, match="UsageLedger"):
        deploy_network(client, PAYER, PLAN, tmp_path / "network.toml")


def test_contracts_of_another_version_are_refused(
    client: ChainClient, network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump_network(network, tmp_path / "network.toml")
    other = {name: deployed_bytecode_of(name) for name in CONTRACTS} | {"CreditBook": b"\x60\x80"}
    monkeypatch.setattr("deploy.deployment.deployed_bytecode_of", other.__getitem__)
    with pytest.raises(ChainMismatch, match="CreditBook on the chain is of another version"):
        deploy_network(client, PAYER, PLAN, tmp_path / "network.toml")


def test_deploying_again_keeps_the_deployment(client: ChainClient, tmp_path: Path) -> None:
    path = tmp_path / "network.toml"
    first = deploy_network(client, PAYER, PLAN, path)
    nonce = client.nonce(address_of_key(PAYER))
    assert deploy_network(client, PAYER, PLAN, path) == first == load_network(path)
    assert client.nonce(address_of_key(PAYER)) == nonce


def test_a_deployment_that_was_cut_off_is_made_again_at_other_addresses(
    client: ChainClient, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(ChainClient, "send_raw", _ending_after(2))
        deploy_contracts(client, PAYER, PLAN)
    again = deploy_contracts(client, PAYER, PLAN)
    assert not set(again.addresses.values()) & set(network.addresses.values())


def test_every_contract_knows_the_others(client: ChainClient, network: Network) -> None:
    at = network.addresses
    usage, credit = at["UsageLedger"], at["CreditBook"]
    seen = [
        client.view(usage, calldata_usage_ledger_registry(), result_usage_ledger_registry),
        client.view(usage, calldata_usage_ledger_agreements(), result_usage_ledger_agreements),
        client.view(usage, calldata_usage_ledger_credit(), result_usage_ledger_credit),
        client.view(credit, calldata_credit_book_registry(), result_credit_book_registry),
        client.view(credit, calldata_credit_book_agreements(), result_credit_book_agreements),
        client.view(credit, calldata_credit_book_usage(), result_credit_book_usage),
        client.view(credit, calldata_credit_book_settlement(), result_credit_book_settlement),
    ]
    assert seen == [
        at[name]
        for name in (
            "CarrierRegistry", "AgreementBook", "CreditBook", "CarrierRegistry", "AgreementBook", "UsageLedger",
            "SettlementBook",
        )
    ]  # fmt: skip


def test_the_founding_carriers_and_tokens_are_events_from_the_first_block_on(
    client: ChainClient, network: Network
) -> None:
    addresses = sorted(network.addresses.values())
    logs = client.logs(network.first_block, client.block_number(), addresses)
    events = [log.event() for log in logs]
    assert {event.carrier for event in events if isinstance(event, CarrierAdmitted)} == {
        ascii32(code) for code in PLAN.carriers
    }
    assert {event.token: event.currency for event in events if isinstance(event, TokenListed)} == {
        network.tokens[currency]: ascii32(currency) for currency in ("USD", "EUR")
    }


def test_real_logs_are_decoded_as_web3_decodes_them(client: ChainClient, network: Network) -> None:
    abi = json.loads((ROOT / "contracts" / "artifacts" / "CarrierRegistry.json").read_text())["abi"]
    registry = Web3().eth.contract(address=network.carrier_registry, abi=abi)  # type: ignore[call-overload]
    logs = client.logs(network.first_block, network.first_block + 8, [network.carrier_registry])
    names = [type(log.event()).__name__ for log in logs]
    expected = {"MemberJoined": 3, "CarrierAdmitted": 3, "KeyGranted": 3, "TokenListed": 2, "IgwListed": 20}
    assert {name: names.count(name) for name in names} == expected
    for name, log in zip(names, logs, strict=True):
        theirs = registry.events[name]().process_log(_as_web3_log(log))["args"]
        assert list(theirs.values()) == [getattr(log.event(), field) for field in log.event().__slots__]


def test_founding_keys_sign_for_their_carrier_only(client: ChainClient, network: Network) -> None:
    def is_key(code: str, key: Address) -> bool:
        asked = calldata_carrier_registry_is_key_of(ascii32(code), key, client.now_ms() // 1000)
        return client.view(network.carrier_registry, asked, result_carrier_registry_is_key_of)

    assert is_key("CN-T", CN_T)
    assert not is_key("CN-T", GB_B)
    assert not is_key("CN-T", address_of_key(PAYER))


def test_the_members_decide_by_the_threshold_they_planned(client: ChainClient, network: Network) -> None:
    threshold = client.view(
        network.carrier_registry, calldata_carrier_registry_threshold(), result_carrier_registry_threshold
    )
    assert threshold == 2


def test_a_local_settlement_token_counts_micros(client: ChainClient, network: Network) -> None:
    decimals = client.view(
        network.tokens["USD"], calldata_settlement_token_decimals(), result_settlement_token_decimals
    )
    assert decimals == 6


def test_a_token_that_exists_already_is_listed_and_not_made(client: ChainClient, network: Network) -> None:
    plan = replace(PLAN, currencies=("USD",), tokens={"USD": network.tokens["USD"]})
    before = client.nonce(address_of_key(PAYER))
    assert deploy_contracts(client, PAYER, plan).tokens == {"USD": network.tokens["USD"]}
    assert client.nonce(address_of_key(PAYER)) == before + len(CONTRACTS)


def test_code_is_of_an_artifact_only_if_nothing_but_immutables_differs() -> None:
    artifact = bytes([0x60, 0x80, 0x00, 0x00, 0x01])
    assert is_compiled_from(bytes([0x60, 0x80, 0xAB, 0xCD, 0x01]), artifact)
    assert not is_compiled_from(bytes([0x60, 0x81, 0xAB, 0xCD, 0x01]), artifact)
    assert not is_compiled_from(artifact + b"\0", artifact)
    assert not is_compiled_from(b"", artifact)


def test_every_contract_fits_the_code_size_limit() -> None:
    for name in CONTRACTS:
        assert len(deployed_bytecode_of(name)) <= 24_576, f"{name} is past EIP-170"


def test_bytecode_of_an_unknown_contract_is_not_found() -> None:
    with pytest.raises(NotFound, match="make artifacts"):
        bytecode_of("Nothing")


def _as_web3_log(log: Log) -> dict[str, object]:
    return {
        "address": log.address,
        "topics": [HexBytes(topic) for topic in log.topics],
        "data": HexBytes(log.data),
        "logIndex": log.log_index,
        "transactionIndex": 0,
        "transactionHash": HexBytes(log.tx_hash),
        "blockHash": HexBytes(log.block_hash),
        "blockNumber": log.block_number,
    }


def _ending_after(sends: int):  # type: ignore[no-untyped-def]
    send, left = ChainClient.send_raw, [sends]

    def cut_off(self: ChainClient, raw: bytes) -> bytes:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return send(self, raw)

    return cut_off
