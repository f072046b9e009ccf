"""Is it told whether a side's charge for a port follows from its own samples?"""

import pyarrow as pa

from ledger.agreement import Agreement
from ledger.identity import AgreementId
from ledger.prices.data_rating import charge_records, port_charges, rate_data
from ledger.prices.service_terms import DataTerms, MissingSamples, PercentileDefinition
from ledger.service import Service
from ledger.usage import BatchScope
from reconciliation.finding import Cause, Finding
from reconciliation.reconcile import reconcile
from tests.ledger.prices.service_records import CN_T, GB_B, OCTOBER, agreed, decks, samples, table

AGREEMENT = agreed(data=DataTerms(missing=MissingSamples.SKIP))
DECK = decks(Service.DATA, ("2026-09-01", "destination,port,rate,unit\nTransit,p1,3,Mbps\n"))
MBPS_SAMPLE = 10**6 * 300 // 8


def book(*mbps: int, charged_as: tuple[int, ...] | None = None, by: Agreement = AGREEMENT) -> pa.Table:
    """Samples of so many Mbps, and the charge that these, or others, give."""
    usage, other = (
        table(samples("p1", "2026-10-01", [rate * MBPS_SAMPLE for rate in rates]))
        for rates in (mbps, charged_as or mbps)
    )
    charges, _ = port_charges(other, DECK, by, GB_B, OCTOBER)
    rated = rate_data(usage, DECK, AGREEMENT).rated
    return pa.concat_tables([rated, charge_records(charges, AGREEMENT, GB_B, OCTOBER)])


def price_finding(ours: pa.Table, theirs: pa.Table) -> Finding:
    scope = BatchScope(AgreementId(bytes(32)), CN_T, GB_B, Service.DATA, OCTOBER)
    result = reconcile(ours, theirs, scope=scope, agreement=AGREEMENT, decks=DECK)
    (found,) = [each for each in result.findings if each.difference_micros]
    return found


def test_carriers_that_measured_otherwise_are_told_from_one_whose_charge_its_samples_do_not_give() -> None:
    honest = price_finding(book(4, 5), book(4, 6))
    assert honest.cause is Cause.SAMPLES
    assert honest.explanation.count("follows from its samples") == 2

    padded = price_finding(book(4, 5), book(4, 5, charged_as=(4, 8)))
    assert "GB-B's own samples give 15.00, CN-T's follows from its samples" in padded.explanation
    assert padded.cause is Cause.HEADER_DETAIL
    assert (padded.ours_micros, padded.theirs_micros) == (15_000_000, 24_000_000)


def test_a_charge_without_samples_is_told() -> None:
    bare = book(4, 8).filter(pa.array([False, False, True]))
    assert "GB-B's own samples give 0.00" in price_finding(book(4, 5), bare).explanation


def test_a_charge_by_another_definition_of_the_percentile_is_told_with_its_name() -> None:
    linear = agreed(data=DataTerms(missing=MissingSamples.SKIP, definition=PercentileDefinition.LINEAR))
    found = price_finding(book(1, 2, 3, 4, 5), book(1, 2, 3, 4, 5, by=linear))
    assert found.cause is Cause.PERCENTILE
    assert "GB-B's follows from its samples by linear, CN-T's follows from its samples" in found.explanation
