"""How do these tests write down a carrier's usage? Calls of tests/reconciliation/records.py as a flow."""

from collections.abc import Iterable

from ledger.detector_terms import DetectorTerms
from ledger.identity import CarrierCode
from ledger.service import Service
from reconciliation.fraud.flow import Flow, flow_of
from tests.reconciliation.records import CN, GB, Call, table

HOUR_S, DAY_S = 3_600, 86_400


def outgoing(calls: Iterable[Call], terms: DetectorTerms | None = None, service: Service = Service.VOICE) -> Flow:
    """CN-T hands these to GB-B and owes; we are CN-T."""
    return flow_of(table(calls), GB, CN, service, terms)


def incoming(calls: Iterable[Call], terms: DetectorTerms | None = None, partner: CarrierCode = GB) -> Flow:
    """GB-B hands these to CN-T."""
    return flow_of(table(calls), CN, partner, Service.VOICE, terms)


def usual(count: int = 200) -> list[Call]:
    """Ordinary calls to many numbers, two cents a minute."""
    return [
        Call(
            at=-6 * DAY_S + k * 5_003,
            lasts=30 + k * 37 % 240,
            a=f"86139{k * 7919 % 10**8:08d}",
            b=f"4477{k * 15485863 % 10**8:08d}",
        )
        for k in range(count)
    ]


def dear(call: Call, times: int = 5) -> Call:
    """The same call at so many times the usual price."""
    return call.but(amount=call.lasts_ms * 20_000 * times // 60_000)
