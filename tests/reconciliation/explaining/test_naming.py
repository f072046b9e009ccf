"""Has every reason of the trade its own name, and only where it is one?"""

from collections.abc import Sequence
from dataclasses import replace

from ledger.agreement import Agreement
from ledger.identity import AgreementId
from ledger.money import Nanos
from ledger.prices.deal_terms import Deal, Tier
from ledger.prices.deck import Rate, deck_history, rate_deck
from ledger.prices.rating import rate
from ledger.prices.rating_terms import OTHER, Origin, RatingTerms, Surcharge
from ledger.prices.service_terms import IplTerms, OutageCredit
from ledger.service import Service
from ledger.usage import USAGE_SCHEMA, BatchScope
from reconciliation.finding import Cause, Severity
from reconciliation.reconcile import Reconciliation, reconcile
from tests.ledger.prices.service_records import agreed
from tests.reconciliation.matching.test_services import Row, rated
from tests.reconciliation.records import CN, GB, OCTOBER, Call, agreement, many, scope, table

PEOPLE = many(60)
FIXED = [
    call.but(at=call.at + 300, b=f"4412{k:08d}", code="441", destination="United Kingdom", amount=call.lasts_ms // 5)
    for k, call in enumerate(PEOPLE)
]


def compared(ours: Sequence[Call], theirs: Sequence[Call], terms: Agreement | None = None) -> Reconciliation:
    """Ours is GB-B, the creditor."""
    return reconcile(table(ours), table(theirs), scope=scope(), agreement=terms or agreement())


def causes(result: Reconciliation) -> list[tuple[str, int]]:
    return [(each.cause.value, each.count) for each in result.findings]


def priced(calls: Sequence[Call], factor: float) -> list[Call]:
    amounts = table(calls)["amount_micros"].to_pylist()
    return [call.but(amount=round(amount * factor)) for call, amount in zip(calls, amounts, strict=True)]


def test_prices_of_several_destinations_that_differ_by_one_factor_are_a_currencys() -> None:
    both = [*PEOPLE, *FIXED]
    result = compared(both, priced(both, 0.93))
    (found,) = result.findings
    assert (found.cause, found.count, found.severity) == (Cause.CURRENCY, 120, Severity.DISPUTE)
    assert "GB-B's prices to 2 destinations are 1.0752" in found.explanation
    assert found.difference_micros == result.totals.difference_micros


def test_one_destinations_factor_is_its_rate_and_two_factors_are_two_rates() -> None:
    assert causes(compared(PEOPLE, priced(PEOPLE, 0.93))) == [("rate", 60)]
    two = [*priced(PEOPLE, 0.93), *priced(FIXED, 0.9)]
    assert causes(compared([*PEOPLE, *FIXED], two)) == [("rate", 60), ("rate", 60)]


TIERS = replace(agreement(), deals=(Deal("volume", GB, tiers=(Tier(3_600_000, Nanos(15_000_000)),)),))


def test_a_tier_that_one_side_has_reached_and_the_other_not_is_a_counters() -> None:
    passed = [call.but(amount=call.lasts_ms * 15 // 60) if k > 30 else call for k, call in enumerate(PEOPLE)]
    assert causes(compared(PEOPLE, [c.but(amount=c.lasts_ms * 15_000 // 60_000) for c in PEOPLE], TIERS)) == [
        ("volume_counter", 60)
    ]
    assert causes(compared(PEOPLE, priced(PEOPLE, 0.5), TIERS)) == [("rate", 60)]
    assert causes(compared(PEOPLE, passed)) != [("volume_counter", 29)]


def test_a_discounts_tier_is_a_counters() -> None:
    deals = (Deal("volume", GB, tiers=(Tier(3_600_000, discount_bps=1_000),)),)
    assert causes(compared(PEOPLE, priced(PEOPLE, 0.9), replace(agreement(), deals=deals))) == [("volume_counter", 60)]


def test_calls_whose_number_each_side_writes_its_own_way_are_one_finding_each_way() -> None:
    national = [call.but(b="0" + call.b[2:], amount=call.lasts_ms // 3) for call in PEOPLE[:10]]
    result = compared(PEOPLE, [*national, *PEOPLE[10:]])
    assert causes(result) == [("number_format", 10), ("number_format", 10)]
    assert all(each.severity is Severity.NOTICE for each in result.findings)
    assert "GB-B begins the number with 4477, CN-T with 077" in result.findings[0].explanation


def test_other_calls_of_like_numbers_stay_missing() -> None:
    later = [call.but(b="0" + call.b[2:], at=call.at + 90) for call in PEOPLE[:10]]
    assert {each.cause for each in compared(PEOPLE, [*later, *PEOPLE[10:]]).findings} == {
        Cause.MISSING_AT_OURS,
        Cause.MISSING_AT_THEIRS,
    }


def test_a_record_of_less_than_nothing_is_told_as_such() -> None:
    credit = PEOPLE[3].but(at=PEOPLE[3].at + 900, amount=-500)
    assert causes(compared([*PEOPLE, credit], PEOPLE)) == [("negative_declaration", 1)]


def test_a_caller_that_one_side_did_not_ask_for_is_an_origins() -> None:
    terms = RatingTerms(
        origins=(Origin("home", frozenset({"44"})),), surcharges=(Surcharge("far", frozenset({OTHER}), Nanos(10**8)),)
    )
    asked = replace(agreement(), rating=terms)
    deck = deck_history([(0, rate_deck("USD", [Rate("United Kingdom Mobile", "447", Nanos(2 * 10**7))]))])
    usage = table(PEOPLE).select(USAGE_SCHEMA.names).cast(USAGE_SCHEMA)
    ours, theirs = (rate(usage, deck, each).rated for each in (asked, agreement()))
    result = reconcile(ours, theirs, scope=scope(), agreement=asked, decks=deck)
    (found,) = result.findings
    assert (found.cause, found.count) == (Cause.ORIGIN_CLASS, 60)
    assert "CN-T's amounts on these codes follow from rates that do not ask where a call comes from: 60 of 60" in (
        found.explanation
    )


def of_service(service: Service, ours: list[Row], theirs: list[Row], terms: Agreement | None = None) -> Reconciliation:
    """Ours is GB-B, the creditor."""
    asked = BatchScope(AgreementId(bytes(32)), GB, GB, service, OCTOBER)
    return reconcile(rated(*ours), rated(*theirs), scope=asked, agreement=terms or agreed())


def messages(count: int) -> list[Row]:
    return [
        ("GSC", f"447700{k:06d}", f"2026-10-{1 + k % 31:02d}T{8 + k % 12:02d}:{k % 60:02d}:00", 1, "23415", 30_000)
        for k in range(count)
    ]


def test_messages_that_only_one_side_charges_all_month_are_a_basis() -> None:
    sent = messages(900)
    delivered = [row for k, row in enumerate(sent) if k % 15]
    (found,) = of_service(Service.SMS, sent, delivered).findings
    assert (found.cause, found.count, found.severity) == (Cause.DELIVERY_BASIS, 60, Severity.DISPUTE)
    assert "as if GB-B charged messages that were submitted, CN-T those that were delivered" in found.explanation


def test_a_few_messages_those_of_a_week_or_losses_on_both_sides_are_no_basis() -> None:
    sent = messages(900)
    few = [row for k, row in enumerate(sent) if k % 45]
    assert causes(of_service(Service.SMS, sent, few)) == [("missing_at_theirs", 20)]
    week = [row for k, row in enumerate(sent) if k % 31 > 6 or k > 300]
    assert Cause.DELIVERY_BASIS not in {each.cause for each in of_service(Service.SMS, sent, week).findings}
    one, other = ([row for k, row in enumerate(sent) if k % 15 != rest] for rest in (0, 7))
    assert {each.cause for each in of_service(Service.SMS, one, other).findings} == {
        Cause.MISSING_AT_OURS,
        Cause.MISSING_AT_THEIRS,
    }


def line(days: int, amount: int) -> list[Row]:
    return [("LON1", "BJS2", "2026-10-01T00:00:00", days, "C1", amount)]


def test_a_lines_amount_with_the_same_days_is_another_credit_for_outages_where_they_are_credited() -> None:
    credited = agreed(ipl=IplTerms(credit=OutageCredit.HOUR))
    (found,) = of_service(Service.IPL, line(31, 3_100), line(31, 3_000), credited).findings
    assert (found.cause, found.difference_micros) == (Cause.OUTAGE_MINUTES, 100)
    assert causes(of_service(Service.IPL, line(31, 3_100), line(31, 3_000))) == [("rate", 1)]


def test_each_cause_has_its_sentence_and_is_the_same_from_both_sides() -> None:
    """A name that only one side hears would open a dispute that the other cannot find."""
    both = [*PEOPLE, *FIXED]
    for ours, theirs in ((both, priced(both, 0.93)), (PEOPLE, [c.but(b="0" + c.b[2:]) for c in PEOPLE])):
        mine = compared(ours, theirs)
        other = reconcile(table(theirs), table(ours), scope=scope(CN), agreement=agreement())
        assert {each.cause for each in mine.findings} == {each.cause for each in other.findings}
        assert all(len(each.explanation) > 20 for each in (*mine.findings, *other.findings))
