"""Which of a carrier's own records look like fraud? All detectors over both directions, the costliest first."""

from collections.abc import Iterator, Sequence

import numpy as np

from ledger.identity import CarrierCode
from ledger.service import Service
from reconciliation.fraud.answers import answered_tests, false_answer
from reconciliation.fraud.boxes import bypass, sim_boxes
from reconciliation.fraud.bursts import irsf, premium_ranges
from reconciliation.fraud.callbacks import wangiri
from reconciliation.fraud.flow import Flow, Known
from reconciliation.fraud.messages import inflated_sms
from reconciliation.fraud.pumping import traffic_pumping
from reconciliation.matching.side import Flags
from reconciliation.suspicion import Suspicion


def find_frauds(us: CarrierCode, flows: Sequence[Flow], known: Known | None = None) -> tuple[Suspicion, ...]:
    """Everything that looks like fraud in what a carrier handed to others (its debts) and took from them (its claims).

    A Suspicion's rows are those of the flow with its creditor, debtor and service. The order of flows and of rows
    changes nothing but the order of what costs the same.
    """
    evidence = known or Known()
    voice = [flow for flow in flows if flow.service is Service.VOICE and len(flow)]
    outgoing, incoming = [f for f in voice if f.debtor == us], [f for f in voice if f.creditor == us]
    found = [
        *_paid_for(outgoing, incoming, evidence),
        *false_answer(outgoing),
        *(each for flow in outgoing for each in answered_tests(flow, evidence)),
        *(each for flow in incoming for each in sim_boxes(flow, outgoing)),
        *(each for flow in incoming for each in bypass(flow, evidence)),
        *(each for flow in flows if flow.service is Service.SMS and flow.debtor == us for each in inflated_sms(flow)),
    ]
    return tuple(sorted(found, key=_costliest))


def _paid_for(outgoing: Sequence[Flow], incoming: Sequence[Flow], known: Known) -> Iterator[Suspicion]:
    """Calls that somebody is paid for; a record is told once, by the first of these that names it."""
    bursts = [each for flow in outgoing for each in irsf(flow, known)]
    told = [*bursts, *wangiri(incoming, outgoing, known)]
    yield from told
    for flow in outgoing:
        marked = _marked(flow, told)
        heavy = list(premium_ranges(flow, known, marked))
        yield from heavy
        yield from traffic_pumping(flow, incoming, marked | _marked(flow, heavy))


def _marked(flow: Flow, told: Sequence[Suspicion]) -> Flags:
    marked = np.zeros(len(flow), np.bool_)
    for each in told:
        if (each.creditor, each.debtor, each.service) == (flow.creditor, flow.debtor, flow.service):
            marked[each.rows] = True
    return marked


def _costliest(each: Suspicion) -> tuple[int, str, str, str, str]:
    return -each.money_at_risk_micros, each.kind, each.creditor, each.debtor, each.subject
