"""How is this gateway? How far behind the chain, what the outbox holds, what raised an alarm."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.composition import Gateway
from ledger.errors import GscError
from ledger.identity import Address, CarrierCode
from ledger.store.chain_log import checkpoint, list_alarms
from ledger.store.engine import reading
from ledger.store.outbox import count_by_state


@dataclass(frozen=True, slots=True)
class GatewayHealth:
    """The gateway's state at one moment."""

    carrier: CarrierCode
    signer: Address
    sender: Address
    network: str
    chain_id: int
    chain_reachable: bool
    head: int
    """The chain's latest block, 0 if it does not answer."""
    followed: int
    """The last block we have read."""
    lag: int
    chain_time: int
    """Seconds; of the last block we have read."""
    outbox: Mapping[str, int]
    alarms: tuple[str, ...]


def health_of(gateway: Gateway) -> GatewayHealth:
    """Ask the chain and the store; a chain that does not answer is a finding, not an error."""
    try:
        head, reachable = gateway.client.block_number(), True
    except GscError:
        head, reachable = 0, False
    with reading(gateway.engine) as connection:
        last = checkpoint(connection)
        counts = {state.value: number for state, number in count_by_state(connection).items()}
        alarms = tuple(f"{alarm.rule}: {alarm.detail}" for alarm in list_alarms(connection))
    followed = last.number if last else 0
    return GatewayHealth(
        carrier=gateway.carrier,
        signer=gateway.signer.address,
        sender=gateway.sender,
        network=gateway.network.name,
        chain_id=gateway.network.chain_id,
        chain_reachable=reachable,
        head=head,
        followed=followed,
        lag=max(0, head - followed),
        chain_time=last.timestamp if last else 0,
        outbox=counts,
        alarms=alarms,
    )
