"""What did a carrier rate in a month with frauds in it, and how much of that did a search find?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ledger.identity import CarrierCode
from ledger.period import Period
from ledger.service import Service
from ledger.usage import RATED_SCHEMA
from reconciliation.fraud.flow import Flow, Known, flow_of
from reconciliation.suspicion import Suspicion
from scripts.traffic.calls import draw_calls
from scripts.traffic.carriers import CN_T, DIRECTIONS, GB_B, in_trunk, out_trunk
from scripts.traffic.frauds.decoys import decoy_calls
from scripts.traffic.frauds.legs import FROM_GB, FROM_US, LABELS, TO_GB, TO_US, Label, Legs, joined, only
from scripts.traffic.frauds.plants import TEST_NUMBERS, answer_falsely, planted_calls
from scripts.traffic.frauds.texts import draw_texts, table_of
from scripts.traffic.prices import DESTINATIONS, NAMES, UNRATED, Ints, amounts_micros

US = CN_T.code
KNOWN = Known(premium=("449", "1900"), test_numbers=TEST_NUMBERS, own=DESTINATIONS[0].codes)
FRAUDS = (
    Label.IRSF,
    Label.PREMIUM_RANGE,
    Label.WANGIRI,
    Label.FALSE_ANSWER,
    Label.SIM_BOX,
    Label.BYPASS,
    Label.TRAFFIC_PUMPING,
    Label.INFLATED_SMS,
)
"""What a search must find, named as its kinds are."""


UNDETERMINABLE = {
    Label.SLOW_IRSF: Label.IRSF,
    Label.ROTATED_SIM: Label.SIM_BOX,
    Label.UNSEEN_WANGIRI: Label.WANGIRI,
}
"""What no rule tells from honest traffic, and the kind it would be."""


@dataclass(frozen=True, slots=True)
class FraudMonth:
    """CN-T's month: its four directions of calls and the messages it handed to GB-B, with what each record is."""

    flows: tuple[Flow, ...]
    labels: tuple[Ints, ...]
    """Index into LABELS for each record of each flow."""

    @property
    def records(self) -> int:
        return sum(len(flow) for flow in self.flows)


@dataclass(frozen=True, slots=True)
class Score:
    """How much of one kind was found."""

    kind: Label
    planted: int
    """Records."""
    found: int
    """Of these, in a suspicion of this kind."""
    alarms: int
    """Suspicions of this kind."""
    false_alarms: int
    """Of these, with less than half of their records planted."""


def draw_month(seed: int, calls_per_pair: int, month: Period, *, frauds: bool = True) -> FraudMonth:
    """Draw a month of CN-T with or without frauds, always with the honest traffic that looks like them."""
    rng = np.random.default_rng([seed, 7])
    parts = [_honest(rng, calls_per_pair, month), decoy_calls(rng, month)]
    if frauds:
        answer_falsely(rng, parts[0])
        parts.append(planted_calls(rng, month))
    drawn = joined(parts)
    mine = [np.flatnonzero(drawn.direction == way) for way in (TO_GB, TO_US, FROM_GB, FROM_US)]
    texts = draw_texts(rng, calls_per_pair // 2, month)
    if not frauds:
        texts = type(texts)(
            *(getattr(texts, name)[texts.label != LABELS.index(Label.INFLATED_SMS)] for name in texts.__slots__)
        )
    flows = [_flow(only(drawn, rows), month) for rows in mine]
    flows.append(flow_of(table_of(texts), GB_B.code, US, Service.SMS))
    return FraudMonth(tuple(flows), (*(drawn.label[rows] for rows in mine), texts.label))


def score(month: FraudMonth, found: Sequence[Suspicion]) -> tuple[Score, ...]:
    """Count hits and false alarms of each kind."""
    place = {(flow.creditor, flow.debtor, flow.service): at for at, flow in enumerate(month.flows)}
    scores = []
    for kind in (*FRAUDS, *UNDETERMINABLE):
        named = UNDETERMINABLE.get(kind, kind)
        what, mine = LABELS.index(kind), [each for each in found if each.kind == named.value]
        marked = [np.zeros(len(flow), np.bool_) for flow in month.flows]
        wrong = 0
        for each in mine:
            at = place[each.creditor, each.debtor, each.service]
            marked[at][each.rows] = True
            wrong += int((month.labels[at][each.rows] == what).sum()) * 2 < len(each.rows)
        planted = [labels == what for labels in month.labels]
        hits = sum(int((mark & plant).sum()) for mark, plant in zip(marked, planted, strict=True))
        told = (0, 0) if kind in UNDETERMINABLE else (len(mine), wrong)
        scores.append(Score(kind, sum(int(plant.sum()) for plant in planted), hits, *told))
    return tuple(scores)


def _honest(rng: np.random.Generator, calls_per_pair: int, month: Period) -> Legs:
    calls = draw_calls(rng, calls_per_pair, month)
    rows = np.flatnonzero(np.isin(calls.direction, (TO_GB, TO_US, FROM_GB, FROM_US)) & (calls.destination != UNRATED))
    columns = (calls.direction, calls.a, calls.b, calls.destination, calls.trunk, calls.answer_ms, calls.duration_s)
    return Legs(*[*(column[rows] for column in columns), np.zeros(len(rows), np.int64)])


def _flow(drawn: Legs, month: Period) -> Flow:
    way = DIRECTIONS[int(drawn.direction[0])]
    name = out_trunk if way.debtor == CN_T else in_trunk
    routes = pa.array([name(way, number) for number in (1, 2, 3)])
    second, size = drawn.start_ms // 1_000, len(drawn)
    amount = amounts_micros(drawn.direction, drawn.destination, second, drawn.duration_s, month, creditor=True)
    calling = pa.array(drawn.a, mask=drawn.a == 0).cast(pa.string()).fill_null("")
    columns = {
        "line": np.arange(size),
        "a_party": calling,
        "b_party": pa.array(drawn.b).cast(pa.string()),
        "start_ms": drawn.start_ms,
        "quantity": drawn.duration_s * 1_000,
        "route": routes.take(pa.array(drawn.trunk - 1)),
        "destination": pa.array(NAMES).take(pa.array(drawn.destination)),
        "code": pa.repeat("", size),
        "charged_quantity": drawn.duration_s * 1_000,
        "amount_micros": amount,
    }
    return flow_of(pa.table(columns).cast(RATED_SCHEMA), CarrierCode(way.creditor.code), way.debtor.code)
