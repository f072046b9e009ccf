"""Which messages are said to be delivered where nothing can be?"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ledger.identity import CarrierCode
from ledger.money import Micros
from ledger.service import Service
from reconciliation.forgery.suspects import Evidence
from reconciliation.matching.side import exact_sum
from reconciliation.suspicion import Suspicion, SuspicionKind


def fake_receipts(
    messages: pa.Table, evidence: Evidence, creditor: CarrierCode, debtor: CarrierCode
) -> Iterator[Suspicion]:
    """Charged messages to numbers that receive nothing, on whoever's count: the debtor counts the creditor's receipts.

    Rule: any message counted as delivered to an unallocated range, or to a test number whose SIM card is off. No
    threshold. Source: number ranges and test numbers given as evidence. Only where delivery is what counts
    (`[sms] basis`): a message handed over in vain is charged honestly under `submit`. A receipt made up for a number
    that exists is not determinable from records.
    """
    called = messages["b_party"]
    tests = pa.array(evidence.test_numbers, pa.string())
    dead = np.asarray(pc.is_in(called, value_set=tests).to_numpy(), np.bool_)
    for beginning in evidence.unallocated:
        dead |= np.asarray(pc.starts_with(called, beginning).to_numpy(), np.bool_)
    rows = np.flatnonzero(dead & (np.asarray(messages["charged_quantity"].to_numpy(), np.int64) > 0))
    for route in sorted(set(messages["route"].take(pa.array(rows)).to_pylist())):
        mine = rows[np.asarray(pc.equal(messages["route"].take(pa.array(rows)), route).to_numpy(), np.bool_)]
        amounts = np.asarray(messages["amount_micros"].to_numpy(), np.int64)[mine]
        yield Suspicion(
            kind=SuspicionKind.FAKE_RECEIPT,
            confidence=99,
            service=Service.SMS,
            creditor=creditor,
            debtor=debtor,
            subject=route,
            count=len(mine),
            money_at_risk_micros=Micros(exact_sum(amounts)),
            rows=mine,
            rule="counted as delivered to an unallocated range or a number that receives nothing",
            explanation=f"{len(mine):,} messages to network {route} count as delivered to numbers that receive nothing",
        )
