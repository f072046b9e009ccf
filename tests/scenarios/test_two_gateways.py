"""Is anything lost or doubled when a gateway is killed in the middle of submitting?"""

import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from gateway.client import Client, GatewayRefused
from ledger.chain.bindings import UsageDeclared
from ledger.chain.client import ChainClient
from tests.scenarios.gateways import (
    CN_T,
    GB_B,
    NOVEMBER,
    PATIENCE_SECONDS,
    SEPTEMBER,
    Street,
    two_carriers,
    write_calls,
)

PERIOD = "2026-10"
DAYS = 14
CALLS_A_DAY = 3
BATCHES = 2 * DAYS
"""One a day and direction."""

pytestmark = pytest.mark.chain


def test_a_gateway_killed_while_submitting_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    with two_carriers(tmp_path) as street, ExitStack() as stack:
        clients = {carrier: stack.enter_context(gateway.start()) for carrier, gateway in street.gateways.items()}
        _agree(clients)
        street.chain.advance_to(NOVEMBER)
        for carrier, client in clients.items():
            calls = write_calls(tmp_path / f"{carrier}.csv", carrier, days=DAYS, calls_a_day=CALLS_A_DAY)
            assert client.import_usage(calls, "csv", batch_days=1)["accepted"] == 2 * DAYS * CALLS_A_DAY
            client.rate(period=PERIOD)
            assert len(client.seal(period=PERIOD)["batches"]) == BATCHES

        clients[CN_T].declare(period=PERIOD)
        declared_at_kill = _kill_while_submitting(street, clients[CN_T])
        clients[GB_B].declare(period=PERIOD)
        clients[CN_T] = stack.enter_context(street.gateways[CN_T].start())
        again = clients[CN_T].declare(period=PERIOD)

        assert 0 < declared_at_kill < BATCHES, "the kill came too early or too late to show anything"
        assert len(again["declarations"]) == BATCHES
        for client in clients.values():
            assert {each["state"] for each in client.wait_all(seconds=PATIENCE_SECONDS)} == {"final"}
        _assert_each_batch_is_declared_once(street, clients[CN_T])
        _assert_the_month_goes_on(clients)

        assert [gateway.stop() for gateway in street.gateways.values()] == [0, 0]


def _agree(clients: dict[str, Client]) -> None:
    """Agreement, rates and credit on chain."""
    assert clients[CN_T].sign_agreement(GB_B)["submission"] is None
    assert clients[GB_B].sign_agreement(CN_T)["signedBy"] == [CN_T, GB_B]
    clients[GB_B].wait_all(seconds=PATIENCE_SECONDS)
    for carrier, partner in ((CN_T, GB_B), (GB_B, CN_T)):
        clients[carrier].publish_rates(partner, f"{carrier.lower()}.csv", SEPTEMBER)
        clients[carrier].grant_credit(partner, "1000.00")
    for client in clients.values():
        assert {each["state"] for each in client.wait_all(seconds=PATIENCE_SECONDS)} == {"final"}


def _kill_while_submitting(street: Street, client: Client) -> int:
    """Kill CN-T's gateway once some of its declarations are on chain; how many were."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        if len(_declared(street, CN_T)) >= 3:
            street.gateways[CN_T].kill()
            client.close()
            return len(_declared(street, CN_T))
    raise AssertionError("no declaration reached the chain")


def _declared(street: Street, declarer: str) -> list[UsageDeclared]:
    with ChainClient(street.chain.url, street.network) as chain:
        events = chain.events(street.network.first_block, chain.block_number())
    wanted = declarer.encode().ljust(32, b"\0")
    return [each.event for each in events if isinstance(each.event, UsageDeclared) and each.event.declarer == wanted]


def _assert_each_batch_is_declared_once(street: Street, client: Client) -> None:
    declared = _declared(street, CN_T)
    sealed = {each["id"] for each in client.batches(GB_B, PERIOD)}

    assert len(declared) == BATCHES
    assert {f"0x{each.declaration.root.hex()}" for each in declared} == sealed
    for creditor in (CN_T, GB_B):
        wanted = creditor.encode().ljust(32, b"\0")
        seqs = [each.declaration.seq for each in declared if each.declaration.creditor == wanted]
        assert seqs == list(range(1, DAYS + 1)), "the sequence has a gap or a double"
    calls = _calls_of(street, client.health()["sender"])
    assert sorted(calls) == sorted(each["transactionHash"] for each in client.submissions()), (
        "one transaction for each call"
    )


def _calls_of(street: Street, sender: str) -> list[str]:
    """Every transaction the sending key made to a contract."""
    contracts = {address.lower() for address in street.network.addresses.values()}
    with ChainClient(street.chain.url) as chain:
        blocks = [
            chain.rpc.call("eth_getBlockByNumber", hex(number), True) for number in range(chain.block_number() + 1)
        ]
    sent = [each for block in blocks for each in block["transactions"] if each["from"].lower() == sender.lower()]
    return [each["hash"] for each in sent if (each["to"] or "").lower() in contracts]


def _assert_the_month_goes_on(clients: dict[str, Client]) -> None:
    """Close, reveal, reconcile and agree: both sides hold the same calls, so nothing differs."""
    with pytest.raises(GatewayRefused) as refusal:
        clients[CN_T].reveal(GB_B, PERIOD)
    assert (refusal.value.problem_slug, refusal.value.problem_status) == ("period-still-open", 409)
    for client in clients.values():
        client.close_period(PERIOD)
    for client in clients.values():
        client.wait_all(seconds=PATIENCE_SECONDS)
    for carrier, partner in ((CN_T, GB_B), (GB_B, CN_T)):
        assert len(clients[carrier].reveal(partner, PERIOD)["batches"]) == BATCHES
        for direction in clients[carrier].reconcile(partner, PERIOD)["directions"]:
            assert direction["difference"]["value"] == "0.000000"
            assert direction["exact"] == DAYS * CALLS_A_DAY
        assert clients[carrier].dispute(partner, PERIOD)["disputes"] == []
    assert clients[CN_T].accept(GB_B, PERIOD)["signedBy"] == [CN_T]
    agreed = clients[GB_B].accept(CN_T, PERIOD)
    assert agreed["signedBy"] == [CN_T, GB_B]
    assert clients[GB_B].wait(agreed["submission"], seconds=PATIENCE_SECONDS)["state"] == "final"
