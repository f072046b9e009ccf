"""Does a node's answer become a value, its refusal a typed error, and another chain a stop?"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from deploy.local_chain import Engine, LocalChain
from ledger.chain.abi import keccak
from ledger.chain.bindings import (
    CreditLineExceeded,
    UsageDeclared,
    calldata_usage_ledger_last_seq,
    error_of,
    result_usage_ledger_last_seq,
)
from ledger.chain.client import READ_PAUSES, ChainClient, refusal_of_node
from ledger.chain.network import CONTRACTS, Network
from ledger.chain.transaction import Transaction, sign_transaction
from ledger.errors import ChainMismatch, ContractRefused, Malformed, NodeRefused, Unavailable
from ledger.identity import Address
from ledger.typed_data import address_of_key
from tests.contracts import month
from tests.contracts.books import CN, CN_GB, LIMIT, SEPTEMBER, Books, agreement_id, deploy_books
from tests.contracts.conftest import with_agreements
from tests.ledger.followed import network_of

NOWHERE = Address("0x2222222222222222222222222222222222222222")
PRICE = 10**10


@pytest.fixture(scope="module", params=list(Engine), ids=str)
def books(request: pytest.FixtureRequest) -> Iterator[Books]:
    with LocalChain(request.param, start_at=SEPTEMBER) as chain:
        deployed = deploy_books(chain)
        with_agreements(deployed)
        yield deployed


@pytest.fixture
def network(books: Books) -> Network:
    return network_of(books)


@pytest.fixture
def client(books: Books, network: Network) -> Iterator[ChainClient]:
    with ChainClient(books.chain.url, network) as connected:
        yield connected


# REFUSALS


@pytest.mark.chain
def test_a_reverted_call_raises_the_contracts_typed_refusal(books: Books, client: ChainClient) -> None:
    too_much = month.declare(books, month.declaration(CN, CN, amount_micros=LIMIT + 1))
    with pytest.raises(CreditLineExceeded) as refusal:
        client.call(books.addresses["UsageLedger"], too_much)
    assert refusal.value.members["exposure_micros"] == str(LIMIT + 1)
    assert refusal.value.members["limit_micros"] == str(LIMIT)
    assert isinstance(refusal.value, ContractRefused)


@pytest.mark.chain
def test_a_call_that_is_no_function_is_refused_without_a_reason(books: Books, client: ChainClient) -> None:
    with pytest.raises(ContractRefused) as refusal:
        client.call(books.addresses["UsageLedger"], b"\xff\xff\xff\xff")
    assert refusal.value.members["error"] == ""


@pytest.mark.chain
def test_bytes_that_are_no_transaction_are_refused_by_the_node(client: ChainClient) -> None:
    with pytest.raises(NodeRefused):
        client.send_raw(b"\x01\x02")


@pytest.mark.chain
@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("chain id", {"chain_id": 1}),
        ("genesis block", {"genesis_hash": bytes(32)}),
        ("code of CreditBook", {"code_hashes": {name: bytes(32) for name in ("CreditBook",)}}),
        ("code of AgreementBook", {"addresses": dict.fromkeys(("AgreementBook",), NOWHERE)}),
    ],
)
def test_another_chain_or_contract_than_pinned_is_a_mismatch(
    client: ChainClient, network: Network, what: str, change: Mapping[str, Any]
) -> None:
    client.check_pins()
    merged = {
        name: {**getattr(network, name), **value} if isinstance(value, dict) else value
        for name, value in change.items()
    }
    client.network = replace(network, **merged)
    with pytest.raises(ChainMismatch, match=what):
        client.check_pins()


@pytest.mark.parametrize(
    "error",
    [
        NodeRefused("eth_call", "execution reverted: custom error", code=3, returndata=bytes.fromhex("00000000")),
        NodeRefused("eth_call", "VM Exception while processing transaction: revert", code=-32000, returndata=b""),
        NodeRefused("eth_call", "execution reverted", code=3),
    ],
)
def test_a_revert_without_a_known_error_is_still_the_contracts_refusal(error: NodeRefused) -> None:
    assert isinstance(refusal_of_node(error), ContractRefused)


def test_what_the_node_itself_refuses_stays_the_nodes_refusal() -> None:
    error = NodeRefused("eth_call", "header not found", code=-32000)
    assert refusal_of_node(error) is error


def test_a_node_that_is_down_is_asked_again_a_few_times_and_then_unavailable() -> None:
    paused: list[float] = []
    with ChainClient("http://127.0.0.1:9", pause=paused.append) as client, pytest.raises(Unavailable):
        client.block_number()
    assert tuple(paused) == READ_PAUSES


def test_sending_is_never_repeated_by_the_client() -> None:
    paused: list[float] = []
    with ChainClient("http://127.0.0.1:9", pause=paused.append) as client, pytest.raises(Unavailable):
        client.send_raw(b"\x01")
    assert paused == []


def test_a_read_succeeds_when_the_node_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    client = ChainClient("http://127.0.0.1:9", pause=lambda _: None)
    answers: list[object] = [Unavailable("down"), Unavailable("down"), "0x10"]

    def call(*_: object) -> object:
        answer = answers.pop(0)
        if isinstance(answer, Unavailable):
            raise answer
        return answer

    monkeypatch.setattr(client.rpc, "call", call)
    assert client.block_number() == 16


@pytest.mark.parametrize("answer", [None, 16, "16", {"number": 1}])
def test_an_answer_that_is_no_number_is_malformed(answer: object, monkeypatch: pytest.MonkeyPatch) -> None:
    client = ChainClient("http://127.0.0.1:9")
    monkeypatch.setattr(client.rpc, "call", lambda *_: answer)
    with pytest.raises(Malformed):
        client.block_number()


# READING


@pytest.mark.chain
def test_blocks_link_and_the_latest_ones_time_is_the_clock(books: Books, client: ChainClient) -> None:
    head = client.block_number()
    blocks = client.blocks(0, head)
    assert [block.number for block in blocks] == list(range(head + 1))
    assert all(after.parent_hash == before.hash for before, after in pairwise(blocks))
    assert client.now_ms() == books.now() * 1000 == blocks[-1].timestamp * 1000
    assert client.block(head + 1000) is None
    assert len(client.blocks(head, head + 5)) == 1


@pytest.mark.chain
def test_events_are_typed_and_in_chain_order_and_views_are_decoded(books: Books, client: ChainClient) -> None:
    before = client.block_number()
    batch_ids = [month.post(books, CN, CN, amount) for amount in (3, 4)]
    found = client.events(before + 1, client.block_number())
    declared = [each for each in found if isinstance(each.event, UsageDeclared)]
    assert [each.event.batch_id for each in declared] == batch_ids  # type: ignore[attr-defined]
    places = [(each.log.block_number, each.log.log_index) for each in found]
    assert places == sorted(places)
    call = calldata_usage_ledger_last_seq(agreement_id(CN_GB), CN.id, CN.id)
    assert client.view(books.addresses["UsageLedger"], call, result_usage_ledger_last_seq) == 2
    assert client.logs(0, before, [NOWHERE]) == []


@pytest.mark.chain
def test_a_transaction_is_known_and_has_a_receipt_once_it_is_mined(books: Books, client: ChainClient) -> None:
    key = books.chain.funded_keys[6]
    sender = address_of_key(key)
    transfer = Transaction(client.nonce(sender), NOWHERE, b"", 21_000, PRICE, value_wei=7)
    signed = sign_transaction(key, transfer, client.chain_id())
    assert not client.knows(signed.hash)
    assert client.receipt(signed.hash) is None
    assert client.send_raw(signed.raw) == signed.hash
    receipt = next(found for _ in range(2_000) if (found := client.receipt(signed.hash)) is not None)
    assert (receipt.succeeded, receipt.gas_used, receipt.contract_address) == (True, 21_000, None)
    assert client.knows(signed.hash)
    assert client.receipts([signed.hash, bytes(32)]) == [receipt, None]
    assert (client.balance(NOWHERE), client.nonce(sender)) == (7, transfer.nonce + 1)


@pytest.mark.chain
def test_the_pinned_code_is_the_code_on_the_chain(client: ChainClient, network: Network) -> None:
    for name in CONTRACTS:
        assert keccak(client.code(network.addresses[name])) == network.code_hashes[name]
    assert client.code(NOWHERE) == b""


def test_an_unknown_custom_error_keeps_its_selector() -> None:
    assert error_of(bytes.fromhex("deadbeef")).members["error"] == "0xdeadbeef"
