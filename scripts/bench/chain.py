"""What does a CDR cost on the chain, and how many can be declared in a second? `make bench BENCH=chain`.

A declaration costs the same for one record and for a million: its gas is divided by the records it seals. Beside it the
baseline, one transaction for each CDR. Both are sent the same way, in one ordered batch; sealing is not part of it.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.deployment import DeploymentPlan, deploy_contracts
from deploy.engines import Engine
from deploy.local_chain import LocalChain
from deploy.node import ROOT
from deploy.solidity import compile_sources
from ledger.chain import bindings as b
from ledger.chain.abi import address_of, keccak
from ledger.chain.client import ChainClient
from ledger.chain.network import Network
from ledger.chain.seen import Log, Receipt
from ledger.chain.transaction import SignedTransaction, Transaction, sign_transaction
from ledger.identity import Address, AgreementId, CarrierCode, ascii32
from ledger.service import Service
from ledger.typed_data import Domain, address_of_key, digest, sign_digest

SEPTEMBER = 1_788_220_800
"""2026-09-01 00:00 UTC, seconds."""
DAY = 86_400
SIZES = (1, 1_000, 1_000_000)
TRANSACTIONS = {Engine.GANACHE: 60, Engine.ANVIL: 200}
"""Of each kind; a run of all stays under a minute."""
MINED_SECONDS = 60.0
DECODINGS = 20
GAS, GAS_PRICE_WEI = 1_000_000, 2_000_000_000
NEVER = 2**64 - 1
LOW, HIGH = keccak(b"CN-T"), keccak(b"GB-B")
"""The carriers' keys."""
TERMS = b.Terms(
    carrier_low=ascii32("CN-T"),
    carrier_high=ascii32("GB-B"),
    currency=ascii32("USD"),
    services=0b1111,
    notice_seconds=7 * DAY,
    payment_seconds=30 * DAY,
    acceptance_seconds=60 * DAY,
    interest_bps=150,
    stop_credit_seconds=15 * DAY,
    terminate_seconds=45 * DAY,
    document_hash=keccak(b"bench"),
    valid_from=SEPTEMBER,
)


@dataclass(frozen=True, slots=True)
class Cost:
    """Gas of one transaction of a kind, and how many a second the engine took."""

    gas: int
    each_second: float
    logs: Sequence[Log]


class Sender:
    """One paying key on one chain; its transactions go out in order."""

    def __init__(self, client: ChainClient, key: bytes) -> None:
        self.client = client
        self._key = key
        self._nonce = client.nonce(address_of_key(key))
        self._chain_id = client.chain_id()

    def sign(self, to: Address | None, data: bytes, gas: int = GAS) -> SignedTransaction:
        made = Transaction(self._nonce, to, data, gas, GAS_PRICE_WEI)
        self._nonce += 1
        return sign_transaction(self._key, made, self._chain_id)

    def send(self, *signed: SignedTransaction) -> list[Receipt]:
        """Send in one JSON-RPC batch and wait until all are mined. Asserts that all succeeded."""
        sent = self.client.rpc.batch([("eth_sendRawTransaction", [f"0x{one.raw.hex()}"]) for one in signed])
        assert all(isinstance(answer, str) for answer in sent), sent
        deadline = time.monotonic() + MINED_SECONDS
        while time.monotonic() < deadline:
            found = self.client.receipts([one.hash for one in signed])
            receipts = [receipt for receipt in found if receipt is not None]
            if len(receipts) == len(signed):
                assert all(receipt.succeeded for receipt in receipts), "a transaction failed"
                return receipts
            time.sleep(0.01)
        raise AssertionError("the chain did not mine in time")


def measure(engine: Engine, baseline: bytes) -> tuple[Cost, Cost]:
    """A declaration and the baseline on one engine. The chain is made for it and ends with it."""
    with LocalChain(engine, start_at=SEPTEMBER) as chain, ChainClient(chain.url) as client:
        payer = chain.funded_keys[0]
        members = tuple(address_of_key(key) for key in chain.funded_keys[1:4])
        carriers = {CarrierCode("CN-T"): address_of_key(LOW), CarrierCode("GB-B"): address_of_key(HIGH)}
        network = deploy_contracts(client, payer, DeploymentPlan(members, 2, DAY, carriers))
        sender = Sender(client, payer)
        declare = _declarations(sender, network)
        store = _baseline(sender, baseline)
        count = TRANSACTIONS[engine]
        return _cost(sender, declare, count), _cost(sender, store, count)


def _cost(sender: Sender, make: Callable[[int], SignedTransaction], count: int) -> Cost:
    """The first pays for its storage, as the first of a stream does: it is sent before."""
    sender.send(make(0))
    signed = [make(number) for number in range(1, count + 1)]
    started = time.perf_counter()
    receipts = sender.send(*signed)
    seconds = time.perf_counter() - started
    gas = round(sum(receipt.gas_used for receipt in receipts) / count)
    return Cost(gas, count / seconds, [log for receipt in receipts for log in receipt.logs])


def _declarations(sender: Sender, network: Network) -> Callable[[int], SignedTransaction]:
    """The creditor's declarations, every check on: agreement, line, sequence, signature."""
    at = network.addresses
    domains = {name: Domain(network.chain_id, address) for name, address in at.items()}
    agreement, creditor = AgreementId(TERMS.struct_hash()), TERMS.carrier_high
    line = b.CreditLine(agreement, creditor, 10**15, b.LimitPolicy.REFUSE, 1, NEVER)
    terms_digest, line_digest = digest(TERMS, domains["AgreementBook"]), digest(line, domains["CreditBook"])
    signed = b.calldata_agreement_book_sign(TERMS, sign_digest(LOW, terms_digest), sign_digest(HIGH, terms_digest))
    granted = b.calldata_credit_book_grant(line, sign_digest(HIGH, line_digest))
    sender.send(sender.sign(at["AgreementBook"], signed), sender.sign(at["CreditBook"], granted))

    def make(number: int) -> SignedTransaction:
        declared = _declaration(agreement, creditor, number + 1)
        signature = sign_digest(HIGH, digest(declared, domains["UsageLedger"]))
        return sender.sign(at["UsageLedger"], b.calldata_usage_ledger_declare(declared, signature))

    return make


def _declaration(agreement: AgreementId, creditor: bytes, seq: int) -> b.Declaration:
    return b.Declaration(
        agreement_id=agreement,
        declarer=creditor,
        creditor=creditor,
        seq=seq,
        service=Service.VOICE,
        period=202608,
        root=keccak(seq.to_bytes(8, "big")),
        count=1_000_000,
        from_ms=(SEPTEMBER - 31 * DAY) * 1000,
        to_ms=(SEPTEMBER - 1) * 1000,
        quantity=180_000_000_000,
        amount_micros=36_900_000,
        deck_hash=keccak(b"deck"),
        corrects=bytes(32),
        igw=bytes(32),
        deadline=NEVER,
    )


def _baseline(sender: Sender, code: bytes) -> Callable[[int], SignedTransaction]:
    (made,) = sender.send(sender.sign(None, code))
    assert made.contract_address is not None, "the baseline stands"
    to = made.contract_address
    selector = keccak(b"store(bytes32,(bytes32,uint64,uint64,uint128))")[:4]

    def make(number: int) -> SignedTransaction:
        fields = (SEPTEMBER * 1000 + number, 61_000 + number, 12_300)
        words = keccak(b"id%d" % number) + keccak(b"A%d" % number)
        return sender.sign(to, selector + words + b"".join(value.to_bytes(32, "big") for value in fields))

    return make


# DECODING


def decoding(logs: Sequence[Log]) -> tuple[float, float]:
    """Seconds for each log: through the bindings, through web3's process_log."""
    declared = [log for log in logs if log.topics[0] == b.UsageDeclared.TOPIC0]
    assert declared, "declarations leave a log"
    ours = _seconds(lambda: [log.event() for log in declared], DECODINGS)
    event, raw = _web3_event(), [_raw(log) for log in declared]
    assert event.process_log(raw[0])["args"]["declaration"]["seq"] == declared[0].event().declaration.seq  # type: ignore[attr-defined]
    theirs = _seconds(lambda: [event.process_log(log) for log in raw], 1)
    return ours / len(declared), theirs / len(declared)


def _seconds(work: Callable[[], object], times: int) -> float:
    started = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - started) / times


def _web3_event() -> Any:
    import json

    from web3 import Web3

    artifact = json.loads((ROOT / "contracts" / "artifacts" / "UsageLedger.json").read_text(encoding="utf-8"))
    return Web3().eth.contract(abi=artifact["abi"]).events.UsageDeclared()


def _raw(log: Log) -> Any:
    """The log as web3 gives it to process_log."""
    from hexbytes import HexBytes
    from web3.datastructures import AttributeDict

    return AttributeDict(
        {
            "address": address_of(bytes.fromhex(log.address[2:])),
            "topics": [HexBytes(topic) for topic in log.topics],
            "data": HexBytes(log.data),
            "blockNumber": log.block_number,
            "blockHash": HexBytes(log.block_hash),
            "transactionHash": HexBytes(log.tx_hash),
            "transactionIndex": 0,
            "logIndex": log.log_index,
        }
    )


# REPORT


def main() -> None:
    source = "scripts/bench/StoredCdr.sol"
    text = (ROOT / source).read_text(encoding="utf-8")
    baseline = compile_sources({source: text}).artifacts["StoredCdr"].bytecode
    logs: Sequence[Log] = ()
    for engine in Engine:
        declared, stored = measure(engine, baseline)
        logs = declared.logs
        print(f"{engine}: one transaction for each CDR (baseline): {stored.gas:,} gas, {stored.each_second:,.0f} CDR/s")
        print(f"  a declaration, whatever it seals: {declared.gas:,} gas, {declared.each_second:,.0f} a second")
        for size in SIZES:
            gas, each_second = declared.gas / size, declared.each_second * size
            ratios = f"{stored.gas / gas:,.1f} x less gas, {each_second / stored.each_second:,.1f} x as many a second"
            print(f"  N = {size:>9,}: {gas:>11,.2f} gas/CDR {each_second:>15,.0f} CDR/s   {ratios}")
    ours, theirs = decoding(logs)
    print(
        f"decoding a declaration's log: bindings {ours * 1e6:.1f} µs, web3 process_log {theirs * 1e6:.1f} µs, "
        f"ratio {theirs / ours:.1f}"
    )


if __name__ == "__main__":
    main()
