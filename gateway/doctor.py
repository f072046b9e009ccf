"""Is this home in order? Chain and contracts as pinned, key registered, outbox moving, replay equal to what we hold."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gateway.composition import Gateway, partnerships
from gateway.exposing import broken_exposures
from gateway.health import health_of
from ledger.chain.bindings import calldata_carrier_registry_is_key_of, result_carrier_registry_is_key_of
from ledger.errors import GscError
from ledger.follow import replay_equals_live
from ledger.identity import ascii32
from ledger.store.agreements import list_agreements
from ledger.store.chain_log import list_alarms
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
    """Every check, whatever the others say; of another chain than ours nothing is read, and nothing is written."""
    pinned = _asked("contracts", lambda: _pinned(gateway))
    found = [_followed(gateway, pinned.holds), pinned]
    found += [_asked("signing key", lambda: _registered(gateway))] if pinned.holds else []
    found += _kept(gateway)
    found += [_asked("exposure", lambda: _counted(gateway))]
    found += [_asked("replay", lambda: _replayed(gateway))] if replay and pinned.holds else []
    return found


def _asked(what: str, check: Callable[[], Checked]) -> Checked:
    """A chain that does not answer, or answers as another one, is a finding."""
    try:
        return check()
    except GscError as error:
        return Checked(what, False, str(error))


def _followed(gateway: Gateway, pinned: bool) -> Checked:
    """Where we are on the chain, after reading what is new."""
    error = _asked("chain", lambda: _caught_up(gateway)) if pinned else None
    health = health_of(gateway)
    if error is not None and not error.holds:
        return error
    return Checked("chain", health.chain_reachable, f"{health.network}, block {health.head}, {health.lag} behind")


def _caught_up(gateway: Gateway) -> Checked:
    gateway.catch_up()
    return Checked("chain", True, "")


def _kept(gateway: Gateway) -> Iterator[Checked]:
    """What the store says, whether the chain answers or not."""
    with reading(gateway.engine) as connection:
        alarms = [f"{alarm.rule}: {alarm.detail}" for alarm in list_alarms(connection)]
        stuck = list_submissions(connection, STUCK)
        held = list_submissions(connection, [SubmissionState.HELD])
        on_chain = {row.agreement_id for row in list_agreements(connection, gateway.carrier)}
    yield Checked("alarms", not alarms, "; ".join(alarms) or "none")
    said = ", ".join(f"{row.kind} {row.id}: {row.error}" for row in [*stuck, *held]) or "nothing held or refused"
    yield Checked("outbox", not stuck, said)
    for held_agreement in partnerships(gateway.settings).values():
        known = held_agreement.id in on_chain
        detail = "on chain" if known else "not on chain: gsc agree"
        yield Checked(f"agreement with {held_agreement.partner}", known, detail)


def _pinned(gateway: Gateway) -> Checked:
    gateway.client.check_pins()
    return Checked("contracts", True, "chain id, genesis and code as pinned")


def _registered(gateway: Gateway) -> Checked:
    at = gateway.client.now_ms() // 1000
    known = gateway.client.view(
        gateway.network.carrier_registry,
        calldata_carrier_registry_is_key_of(ascii32(gateway.carrier), gateway.signer.address, at),
        result_carrier_registry_is_key_of,
    )
    return Checked("signing key", known, f"{gateway.signer.address} of {gateway.carrier}")


def _counted(gateway: Gateway) -> Checked:
    """The second assertion of the rule that an exposure is what was declared less what was credited and paid."""
    with reading(gateway.engine) as connection:
        broken = broken_exposures(connection)
    return Checked("exposure", not broken, "; ".join(broken) or "as declared, credited, netted and paid")


def _replayed(gateway: Gateway) -> Checked:
    """The second assertion of the rule that a replay from the first block equals the live store."""
    differences = replay_equals_live(gateway.engine, gateway.client)
    return Checked("replay", not differences, "; ".join(differences) or "equal to the live store")
