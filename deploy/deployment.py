"""How do the contracts get onto a chain, so that nobody owns them? Predicted addresses, immutable references.

Every contract is told the others' addresses when it is made; they follow from sender and nonce (CREATE), so no setter
and no owner is needed. A deployment that stands is kept; a half-made one is made again at new addresses.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from deploy.committed import bytecode_of, deployed_bytecode_of
from deploy.igw_seed import IGW_SEED
from ledger.chain.abi import address_of, keccak
from ledger.chain.bindings import (
    IgwListing,
    constructor_agreement_book,
    constructor_carrier_registry,
    constructor_credit_book,
    constructor_payment_book,
    constructor_settlement_book,
    constructor_settlement_token,
    constructor_usage_ledger,
)
from ledger.chain.client import ChainClient, refusal_of_node
from ledger.chain.network import CONTRACTS, Network, dump_network, load_network
from ledger.chain.seen import Receipt
from ledger.chain.transaction import Transaction, contract_address, sign_transaction
from ledger.errors import ChainMismatch, Malformed, NodeRefused, Unavailable
from ledger.identity import Address, CarrierCode, ascii32
from ledger.typed_data import address_of_key

DEPLOY_GAS = 10_000_000
"""Fixed, above what the largest contract needs: eth_estimateGas is ten times slower and can be wrong."""
GAS_PRICE_WEI = 2_000_000_000
RECEIPT_TRIES = 600
RECEIPT_PAUSE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class DeploymentPlan:
    """What the founding members agree on before the first block."""

    members: Sequence[Address]
    """They admit and suspend carriers and list tokens."""
    threshold: int
    """Approvals a proposal needs: more than half of the members."""
    delay_seconds: int
    """Between the last approval and execution."""
    carriers: Mapping[CarrierCode, Address]
    """Founding carriers and their first signing keys."""
    currencies: Sequence[str] = ("USD",)
    """Those without an entry in `tokens` get a SettlementToken, which anybody can mint: for local chains."""
    tokens: Mapping[str, Address] = field(default_factory=dict)
    """Currency -> a settlement token that already exists."""
    igws: Sequence[IgwListing] = IGW_SEED
    """The international gateways listed from the start."""
    name: str = "local"
    confirmations: int = 1
    gas_price_wei: int = GAS_PRICE_WEI

    def __post_init__(self) -> None:
        if not len(self.members) // 2 < self.threshold <= len(self.members):
            raise Malformed(
                "the threshold does not fit the members",
                expected=f"{len(self.members) // 2 + 1} to {len(self.members)}",
                got=self.threshold,
            )


class Creation(NamedTuple):
    """One contract to be made."""

    name: str
    address: Address
    """Predicted."""
    init_code: bytes


def deploy_network(client: ChainClient, sender_key: bytes, plan: DeploymentPlan, path: Path) -> Network:
    """The deployment the network file at `path` names, if it stands on this chain; else a new one, written there.

    Raises ChainMismatch if the file is of another chain or of other contracts; nothing is sent then.
    """
    if not path.exists():
        network = deploy_contracts(client, sender_key, plan)
        dump_network(network, path)
        return network
    network = load_network(path)
    check_deployment(client, network)
    return network


def deploy_contracts(
    client: ChainClient, sender_key: bytes, plan: DeploymentPlan, *, pause: Callable[[float], None] = time.sleep
) -> Network:
    """Make the contracts (and the missing tokens) and pin their code.

    `sender_key` only pays; it has no power over them. Raises ContractRefused, NodeRefused, Unavailable, ChainMismatch.
    """
    sender = address_of_key(sender_key)
    creations = plan_creations(plan, sender, client.nonce(sender))
    receipts = _create_all(client, sender_key, creations, plan.gas_price_wei, pause)
    genesis = client.block("earliest")
    assert genesis is not None, "a chain has a first block"
    made = {creation.name: creation.address for creation in creations}
    network = Network(
        name=plan.name,
        chain_id=client.chain_id(),
        genesis_hash=genesis.hash,
        first_block=min(receipt.block_number for receipt in receipts),
        confirmations=plan.confirmations,
        gas_price_wei=plan.gas_price_wei,
        addresses={name: made[name] for name in CONTRACTS},
        code_hashes={name: keccak(client.code(made[name])) for name in CONTRACTS},
        tokens={currency: plan.tokens.get(currency) or made[currency] for currency in plan.currencies},
    )
    check_deployment(client, network)
    return network


def check_deployment(client: ChainClient, network: Network) -> None:
    """Check that the network's contracts stand on the client's chain and are of this version. Raises ChainMismatch."""
    with ChainClient(client.rpc.url, network) as pinned:
        pinned.check_pins()
    for name in CONTRACTS:
        if not is_compiled_from(client.code(network.addresses[name]), deployed_bytecode_of(name)):
            raise ChainMismatch(
                f"{name} on the chain is of another version",
                expected=f"contracts/artifacts/{name}.json with its immutables",
                got=network.addresses[name],
                todo="Remove the network file to deploy afresh, or use the version that deployed it.",
            )


def is_compiled_from(code: bytes, artifact: bytes) -> bool:
    """Whether code on a chain equals an artifact's but for the immutables, which the artifact leaves zero."""
    return len(code) == len(artifact) and all(
        here == there or there == 0 for here, there in zip(code, artifact, strict=True)
    )


def plan_creations(plan: DeploymentPlan, sender: Address, nonce: int) -> list[Creation]:
    """What to make, in order, each at the address its nonce gives it. Raises Malformed."""
    missing = [currency for currency in plan.currencies if currency not in plan.tokens]
    order = [*missing, *CONTRACTS]
    at = {name: address_of(contract_address(sender, nonce + place)) for place, name in enumerate(order)}
    arguments = _arguments(plan, at) | {
        currency: constructor_settlement_token(f"{currency} settlement token", currency) for currency in missing
    }
    artifacts = dict.fromkeys(missing, "SettlementToken")
    return [Creation(name, at[name], bytecode_of(artifacts.get(name, name)) + arguments[name]) for name in order]


def _arguments(plan: DeploymentPlan, at: Mapping[str, Address]) -> dict[str, bytes]:
    registry, agreements, usage, credit, settlement, payments = (at[name] for name in CONTRACTS)
    carriers = sorted(plan.carriers.items())
    return {
        "CarrierRegistry": constructor_carrier_registry(
            members=tuple(plan.members),
            threshold=plan.threshold,
            delay_seconds=plan.delay_seconds,
            founding_carriers=tuple(ascii32(code) for code, _ in carriers),
            founding_keys=tuple(key for _, key in carriers),
            tokens=tuple(plan.tokens.get(currency) or at[currency] for currency in plan.currencies),
            currencies=tuple(ascii32(currency) for currency in plan.currencies),
            igws=tuple(plan.igws),
        ),
        "AgreementBook": constructor_agreement_book(registry),
        "UsageLedger": constructor_usage_ledger(registry, agreements, credit),
        "CreditBook": constructor_credit_book(registry, agreements, usage, settlement, payments),
        "SettlementBook": constructor_settlement_book(registry, agreements, usage, credit, payments),
        "PaymentBook": constructor_payment_book(registry, agreements, credit, settlement),
    }


def _create_all(
    client: ChainClient,
    sender_key: bytes,
    creations: Sequence[Creation],
    gas_price_wei: int,
    pause: Callable[[float], None],
) -> list[Receipt]:
    sender = address_of_key(sender_key)
    nonce = client.nonce(sender)
    receipts = []
    for place, creation in enumerate(creations):
        made = Transaction(nonce + place, None, creation.init_code, DEPLOY_GAS, gas_price_wei)
        signed = sign_transaction(sender_key, made, client.chain_id())
        client.send_raw(signed.raw)
        receipt = _await_receipt(client, signed.hash, pause)
        if not receipt.succeeded:
            raise _why(client, sender, creation)
        if receipt.contract_address != creation.address:
            raise ChainMismatch(
                f"{creation.name} got another address than predicted",
                expected=creation.address,
                got=receipt.contract_address,
                todo="Deploy again while nothing else sends from this key.",
            )
        receipts.append(receipt)
    return receipts


def _await_receipt(client: ChainClient, tx_hash: bytes, pause: Callable[[float], None]) -> Receipt:
    for _ in range(RECEIPT_TRIES):
        receipt = client.receipt(tx_hash)
        if receipt is not None:
            return receipt
        pause(RECEIPT_PAUSE_SECONDS)
    raise Unavailable(
        "the chain did not take the deployment", got=f"0x{tx_hash.hex()}", todo="Check that it makes blocks."
    )


def _why(client: ChainClient, sender: Address, creation: Creation) -> Exception:
    """The refusal of a constructor: a call of the same code says what the receipt does not."""
    request = {"from": sender, "data": f"0x{creation.init_code.hex()}", "gas": hex(DEPLOY_GAS)}
    try:
        client.rpc.call("eth_call", request, "latest")
    except NodeRefused as refused:
        return refusal_of_node(refused)
    return Unavailable(f"the deployment of {creation.name} failed", got="no reason", todo="Try again.")
