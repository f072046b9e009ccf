"""How do the tests talk to the contracts? Three carriers, their agreements and keys, on a chain of one engine."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from deploy.committed import bytecode_of
from deploy.igw_seed import IGW_SEED
from deploy.local_chain import LocalChain
from ledger.chain import bindings as b
from ledger.chain.abi import address_of, keccak
from ledger.chain.bound import Event, Struct, TypedRefusal
from ledger.chain.transaction import contract_address
from ledger.errors import NodeRefused
from ledger.identity import Address, AgreementId, ascii32
from ledger.typed_data import Domain, address_of_key, digest, sign_digest

if TYPE_CHECKING:
    from tests.contracts.memory_chain import MemoryChain

DAY = 86_400
SEPTEMBER = 1_788_220_800
"""2026-09-01 00:00 UTC, seconds."""
OCTOBER, NOVEMBER = SEPTEMBER + 30 * DAY, SEPTEMBER + 61 * DAY
PERIOD = 202610
USD, EUR = ascii32("USD"), ascii32("EUR")
NEVER = 2**64 - 1
"""A deadline that does not bind."""
ZERO = bytes(32)
GAS = 30_000_000
MINED_SECONDS, POLL_SECONDS = 60.0, 0.001
MEMBERS = (8, 9, 10, 11, 12)
"""Accounts of the five members; three of them decide."""
DELAY_SECONDS = 2 * DAY
LIMIT = 1_000_000_000_000


@dataclass(frozen=True, slots=True)
class Carrier:
    """A carrier with its first key."""

    code: str
    key: bytes

    @property
    def id(self) -> bytes:
        return ascii32(self.code)

    @property
    def address(self) -> Address:
        return address_of_key(self.key)


CN, GB, US = (Carrier(code, keccak(code.encode())) for code in ("CN-T", "GB-B", "US-A"))
STRANGER = Carrier("XX-Y", keccak(b"XX-Y"))


def terms(low: Carrier, high: Carrier, **changes: Any) -> b.Terms:
    """The terms of two carriers; 30 days to pay, 1.5 % a month, credit stops 15 days late, the end after 45."""
    agreed = b.Terms(
        carrier_low=low.id,
        carrier_high=high.id,
        currency=USD,
        services=0b1111,
        notice_seconds=7 * DAY,
        payment_seconds=30 * DAY,
        acceptance_seconds=60 * DAY,
        interest_bps=150,
        stop_credit_seconds=15 * DAY,
        terminate_seconds=45 * DAY,
        document_hash=keccak(f"{low.code} {high.code}".encode()),
        valid_from=SEPTEMBER,
    )
    return replace(agreed, **changes)


def agreement_id(agreed: b.Terms) -> AgreementId:
    """What both carriers derive from the terms alone."""
    return AgreementId(agreed.struct_hash())


CN_GB, CN_US, GB_US = terms(CN, GB), terms(CN, US), terms(GB, US)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a transaction did."""

    gas: int
    events: Sequence[Event]

    def only(self, kind: type[Any]) -> Any:
        """Its one event of a kind."""
        (event,) = self.all(kind)
        return event

    def all(self, kind: type[Any]) -> list[Any]:
        """Its events of a kind, in order."""
        return [event for event in self.events if isinstance(event, kind)]


@dataclass(slots=True)
class Books:
    """The contracts and two tokens on a running chain."""

    chain: "LocalChain | MemoryChain"
    codes: Mapping[str, bytes] = field(default_factory=dict)
    """Creation code to use instead of the committed artifacts: planted faults."""
    addresses: dict[str, Address] = field(default_factory=dict)
    accounts: Sequence[Address] = ()
    domains: dict[str, Domain] = field(default_factory=dict)

    # CHAIN

    def now(self) -> int:
        return self.chain.now()

    def send(self, contract: str, calldata: bytes, account: int = 0) -> Receipt:
        """Send a transaction; raises the contract's own refusal if it reverts."""
        request = self._request(contract, calldata, account)
        found = self._receipt(request)
        if int(found["status"], 16) == 0:
            self.call(contract, calldata, account)
            raise AssertionError("the transaction failed, the call does not")
        return Receipt(int(found["gasUsed"], 16), [self._event(log) for log in found["logs"]])

    def call(self, contract: str, calldata: bytes, account: int = 0) -> bytes:
        """What the call returns now; raises the contract's own refusal."""
        return self._ask(self._request(contract, calldata, account))

    def creation(self, name: str, constructor: bytes) -> bytes:
        """The code a creation would leave on the chain; raises the constructor's own refusal."""
        code = (self.codes.get(name) or bytecode_of(name)) + constructor
        return self._ask({"from": self.accounts[0], "gas": hex(GAS), "data": f"0x{code.hex()}"})

    def _ask(self, request: Mapping[str, str]) -> bytes:
        try:
            answer = self.chain.rpc.call("eth_call", request, "latest")
        except NodeRefused as refused:
            if refused.returndata is None:
                raise
            raise b.error_of(refused.returndata) from None
        return bytes.fromhex(answer[2:])

    def deploy(self, name: str, constructor: bytes = b"", code: bytes = b"") -> Address:
        """Create a contract from account 0 and remember it under its name."""
        data = (code or self.codes.get(name) or bytecode_of(name)) + constructor
        request = {"from": self.accounts[0], "gas": hex(GAS), "data": f"0x{data.hex()}"}
        found = self._receipt(request)
        assert int(found["status"], 16) == 1, f"{name} was not created"
        address = address_of(bytes.fromhex(found["contractAddress"][2:]))
        self.addresses[name] = address
        self.domains[name] = Domain(self.chain.chain_id, address)
        return address

    def _receipt(self, request: Mapping[str, str]) -> Any:
        transaction = self.chain.rpc.call("eth_sendTransaction", request)
        deadline = time.monotonic() + MINED_SECONDS
        while time.monotonic() < deadline:  # anvil answers before it has mined
            found = self.chain.rpc.call("eth_getTransactionReceipt", transaction)
            if found is not None:
                return found
            time.sleep(POLL_SECONDS)
        raise AssertionError("the transaction was not mined")

    def _request(self, contract: str, calldata: bytes, account: int) -> Mapping[str, str]:
        return {
            "from": self.accounts[account],
            "to": self.addresses[contract],
            "gas": hex(GAS),
            "data": f"0x{calldata.hex()}",
        }

    def _event(self, log: Mapping[str, Any]) -> Event:
        return b.event_of([bytes.fromhex(topic[2:]) for topic in log["topics"]], bytes.fromhex(log["data"][2:]))

    # SIGNING

    def digest(self, struct: Struct, contract: str) -> bytes:
        return digest(struct, self.domains[contract])

    def signed(self, carrier: Carrier, struct: Struct, contract: str) -> bytes:
        return sign_digest(carrier.key, self.digest(struct, contract))


def deploy_books(chain: "LocalChain | MemoryChain", codes: Mapping[str, bytes] | None = None) -> Books:
    """All contracts, three founding carriers, five members of whom three decide, one listed token."""
    books = Books(chain, codes or {})
    books.accounts = [address_of_key(key) for key in chain.funded_keys]
    for name in ("USD", "EUR"):
        books.deploy("SettlementToken", b.constructor_settlement_token(f"Settlement {name}", name))
        books.addresses[name] = books.addresses["SettlementToken"]
    nonce = int(chain.rpc.call("eth_getTransactionCount", books.accounts[0], "latest"), 16)
    registry, agreements, usage, credit, settlement, payments = (
        address_of(contract_address(books.accounts[0], nonce + step)) for step in range(6)
    )
    books.deploy("CarrierRegistry", registry_arguments(books))
    books.deploy("AgreementBook", b.constructor_agreement_book(registry))
    books.deploy("UsageLedger", b.constructor_usage_ledger(registry, agreements, credit))
    books.deploy("CreditBook", b.constructor_credit_book(registry, agreements, usage, settlement, payments))
    books.deploy("SettlementBook", b.constructor_settlement_book(registry, agreements, usage, credit, payments))
    books.deploy("PaymentBook", b.constructor_payment_book(registry, agreements, credit, settlement))
    assert books.addresses["PaymentBook"] == payments, "the predicted addresses are the real ones"
    return books


def registry_arguments(books: Books, **changes: Any) -> bytes:
    """The constructor's arguments of CarrierRegistry."""
    founders: dict[str, Any] = {
        "members": tuple(books.accounts[member] for member in MEMBERS),
        "threshold": 3,
        "delay_seconds": DELAY_SECONDS,
        "founding_carriers": (CN.id, GB.id, US.id),
        "founding_keys": (CN.address, GB.address, US.address),
        "tokens": (books.addresses["USD"],),
        "currencies": (USD,),
        "igws": IGW_SEED,
    }
    return b.constructor_carrier_registry(**(founders | changes))


@contextmanager
def refused(expected: TypedRefusal) -> Iterator[None]:
    """What happens inside is refused by exactly this error with these arguments."""
    with pytest.raises(type(expected)) as caught:
        yield
    assert caught.value.members == expected.members
