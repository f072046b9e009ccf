"""Is this home in order? Chain and contracts as pinned, key registered, outbox moving, replay equal to what we hold."""

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.composition import Gateway, partnerships
from gateway.health import health_of
from ledger.chain.bindings import calldata_carrier_registry_is_key_of, result_carrier_registry_is_key_of
from ledger.errors import GscError
from ledger.follow import replay_equals_live
from ledger.identity import ascii32
from ledger.store.agreements import list_agreements
from ledger.store.engine import reading
from ledger.store.outbox import list_submissions
from ledger.store.states import SubmissionState

STUCK = (SubmissionState.NEEDS_OPERATOR, SubmissionState.REVERTED)


@dataclass(frozen=True, slots=True)
class Checked:
    """One check and its outcome."""

    what: str
    holds: bool
    detail: str


def examine(gateway: Gateway, *, replay: bool = True) -> list[Checked]:
    """Every check, whatever the others say."""
    gateway.catch_up()
    return [*_checks(gateway), *([_replayed(gateway)] if replay else [])]


def _checks(gateway: Gateway) -> Iterator[Checked]:
    health = health_of(gateway)
    yield Checked("chain", health.chain_reachable, f"{health.network}, block {health.head}, {health.lag} behind")
    yield _pinned(gateway)
    yield _registered(gateway)
    yield Checked("alarms", not health.alarms, "; ".join(health.alarms) or "none")
    with reading(gateway.engine) as connection:
        stuck = list_submissions(connection, STUCK)
        held = list_submissions(connection, [SubmissionState.HELD])
        on_chain = {row.agreement_id for row in list_agreements(connection, gateway.carrier)}
    said = ", ".join(f"{row.kind} {row.id}: {row.error}" for row in [*stuck, *held]) or "nothing held or refused"
    yield Checked("outbox", not stuck, said)
    for held_agreement in partnerships(gateway.settings).values():
        known = held_agreement.id in on_chain
        detail = "on chain" if known else "not on chain: gsc agree"
        yield Checked(f"agreement with {held_agreement.partner}", known, detail)


def _pinned(gateway: Gateway) -> Checked:
    try:
        gateway.client.check_pins()
    except GscError as error:
        return Checked("contracts", False, str(error))
    return Checked("contracts", True, "chain id, genesis and code as pinned")


def _registered(gateway: Gateway) -> Checked:
    at = gateway.client.now_ms() // 1000
    known = gateway.client.view(
        gateway.network.carrier_registry,
        calldata_carrier_registry_is_key_of(ascii32(gateway.carrier), gateway.signer.address, at),
        result_carrier_registry_is_key_of,
    )
    return Checked("signing key", known, f"{gateway.signer.address} of {gateway.carrier}")


def _replayed(gateway: Gateway) -> Checked:
    """The second assertion of the rule that a replay from the first block equals the live store."""
    differences = replay_equals_live(gateway.engine, gateway.client)
    return Checked("replay", not differences, "; ".join(differences) or "equal to the live store")
