"""Is each cause that a finding can have found in one month of four services, named, and nothing else accused?

The engine alone, without a chain. CN-T and GB-B are honest and equal but for what is planted here; of each cause it is
known how many records bear it. The voices from CN-T to GB-B have the most, those back another currency, and so on.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from ledger.agreement import Agreement
from ledger.identity import AgreementId, BatchId, CarrierCode
from ledger.money import Micros, Nanos
from ledger.period import Period
from ledger.prices.data_rating import charge_records, port_charges, rate_data
from ledger.prices.deal_terms import Deal, Tier
from ledger.prices.deck import Rate, deck_history, rate_deck
from ledger.prices.rating_terms import OTHER, Origin, RatingTerms
from ledger.prices.service_terms import DataTerms, IplTerms, MissingSamples, OutageCredit, PercentileDefinition
from ledger.service import Service
from ledger.usage import BatchScope
from reconciliation import reconcile as engine
from reconciliation.explaining.late import LateRecords, with_late
from reconciliation.explaining.unrevealed import UnrevealedBatch, unrevealed_proposal
from reconciliation.finding import Cause, mirrored
from reconciliation.reconcile import Known, Reconciliation, reconcile
from tests.ledger.prices.service_records import agreed, decks, samples
from tests.ledger.prices.service_records import table as usage
from tests.reconciliation.explaining.test_explainer import priced
from tests.reconciliation.matching.test_services import Row, rated
from tests.reconciliation.records import (
    CN,
    GB,
    MONTH_END_MS,
    NOON_MS,
    OCTOBER,
    Call,
    agreement,
    table,
)

DAY_S, FIRST_S, END_S = 86_400, -9 * 86_400, (MONTH_END_MS - NOON_MS) // 1_000
CHANGE_S = 2 * DAY_S


@dataclass
class Book:
    """One direction and service of the month as GB-B, who is us, and CN-T hold it, and what is planted there."""

    service: Service
    terms: Agreement
    ours: pa.Table
    theirs: pa.Table
    planted: Counter[Cause]
    creditor: CarrierCode = GB
    known: Known = field(default_factory=Known)
    late: LateRecords | None = None

    def answer(self, us: CarrierCode = GB) -> Reconciliation:
        scope = BatchScope(AgreementId(bytes(32)), us, self.creditor, self.service, OCTOBER)
        sides = (self.ours, self.theirs) if us == GB else (self.theirs, self.ours)
        result = reconcile(*sides, scope=scope, agreement=self.terms, **self.known)
        if self.late is None:
            return result
        late = self.late
        if us != GB:
            late = LateRecords(late.theirs, late.ours, late.theirs_alone, late.ours_alone, late.corrects)
        return with_late(result, late, self.terms)


def told(answer: Reconciliation) -> Counter[Cause]:
    found: Counter[Cause] = Counter()
    for each in answer.findings:
        found[each.cause] += each.count
    return found


# VOICE, FROM CN-T TO GB-B

CODES = {
    "447": "United Kingdom Mobile",
    "449": "United Kingdom Premium",
    "4420": "London",
    "4428": "Belfast",
    "4433": "Machines",
    "4466": "Reserved",
}
PRICES = {"447": 20_000_000, "449": 90_000_000, "4428": 31_234_567, "4433": 12_000_000, "4466": 50_000_000}
FAR = Rate("London", "4420", Nanos(60_000_000), origin=OTHER)
NEAR = Rate("London", "4420", Nanos(10_000_000))
RATES = [NEAR, FAR, *(Rate(CODES[code], code, Nanos(nanos)) for code, nanos in PRICES.items())]
BEFORE = [replace(each, nanos=Nanos(70_000_000)) if each.code == "449" else each for each in RATES]
DECKS = deck_history([(0, rate_deck("USD", BEFORE)), (NOON_MS + CHANGE_S * 1_000, rate_deck("USD", RATES))])
MISSED = deck_history([(0, rate_deck("USD", BEFORE))])
PLACELESS = deck_history([(0, rate_deck("USD", [NEAR]))])
TIER = Deal("machines", GB, frozenset({"Machines"}), (Tier(36_000_000, Nanos(9_000_000)),))
VOICE_TERMS = replace(
    agreement(),
    rating=RatingTerms(origins=(Origin("home", frozenset({"44"})),)),
    deals=(TIER,),
)


@cache
def group(number: int, count: int, code: str = "447", route: str = "T1") -> tuple[Call, ...]:
    """Honest calls of one route to one code, over the month's middle, with numbers that no other group has."""
    step = 17 * DAY_S // count
    calls = [
        Call(
            at=FIRST_S + 1_801 * number + k * step,
            lasts=31 + (k * 37 + number) % 240,
            a=f"86139{number:02d}{k * 7919 % 10**6:06d}",
            b=f"{code}{number:02d}{k * 104729 % 10**6:06d}",
            route=route,
        )
        for k in range(count)
    ]
    return tuple(priced(calls, DECKS, VOICE_TERMS))


Plant = Callable[[Sequence[Call]], tuple[Sequence[Call], Sequence[Call], int]]
"""From honest calls to what we and they hold of them, and how many records bear the cause."""


def each_(calls: Sequence[Call], change: Callable[[Call], Call]) -> list[Call]:
    return [change(call) for call in calls]


def longer(call: Call, seconds: float) -> Call:
    lasts = call.lasts + seconds
    return call.but(lasts=lasts, charged=lasts, amount=round((call.amount or 0) * lasts / call.lasts))


def in_parts(calls: Sequence[Call]) -> list[Call]:
    """Each call as two records, the second from where the first ends."""
    half = [longer(call, -(call.lasts // 2)) for call in calls]
    rest = [longer(call, -part.lasts).but(at=call.at + part.lasts) for call, part in zip(calls, half, strict=True)]
    return [*half, *rest]


def at_code(call: Call, code: str, destination: str) -> Call:
    return call.but(code=code, destination=destination, amount=(call.amount or 0) * 3)


VOICE: dict[Cause, tuple[tuple[Call, ...], Plant]] = {
    Cause.MISSING_AT_THEIRS: (group(1, 9), lambda c: (c, (), len(c))),
    Cause.MISSING_AT_OURS: (group(2, 8), lambda c: ((), c, len(c))),
    Cause.ZERO_DURATION: (group(3, 4), lambda c: (c, each_(c, lambda x: x.but(lasts=0, charged=0, amount=0)), len(c))),
    Cause.DURATION: (group(4, 7), lambda c: (each_(c, lambda x: longer(x, 90)), c, len(c))),
    Cause.DURATION_WITHIN_TOLERANCE: (group(5, 30), lambda c: (c, each_(c, lambda x: longer(x, 1)), len(c))),
    Cause.DURATION_BIAS: (group(6, 120, route="T6"), lambda c: (each_(c, lambda x: longer(x, 9)), c, len(c))),
    Cause.SPLIT_CALL: (group(7, 5), lambda c: (c, in_parts(c), 2 * len(c))),
    Cause.CLOCK_OFFSET: (group(8, 120, route="T8"), lambda c: (c, each_(c, lambda x: x.but(at=x.at + 47)), len(c))),
    Cause.TIME_ZONE: (group(9, 120, route="T9"), lambda c: (c, each_(c, lambda x: x.but(at=x.at - 28_800)), len(c))),
    Cause.PERIOD_CROSSING: (
        tuple(Call(at=END_S - 1, b=f"44790000{k:04d}", amount=20_000) for k in range(3)),
        lambda c: (c, (), len(c)),
    ),
    Cause.DUPLICATE_AT_OURS: (group(11, 6), lambda c: ([*c, *c], c, len(c))),
    Cause.DUPLICATE_AT_THEIRS: (group(12, 5), lambda c: (c, [*c, *c], len(c))),
    Cause.RATE: (
        group(13, 60, "449"),
        lambda c: (c, priced(list(c), MISSED, VOICE_TERMS), sum(x.at >= CHANGE_S for x in c)),
    ),
    Cause.DESTINATION: (group(14, 10), lambda c: (each_(c, lambda x: at_code(x, "4479", "Islands")), c, len(c))),
    Cause.ROUNDING: (
        group(15, 60, "4428"),
        lambda c: (c, each_(c, lambda x: x.but(amount=round((x.amount or 0), -4))), len(c)),
    ),
    Cause.INVENTED: (group(16, 12, "4466"), lambda c: (c, (), len(c))),
    Cause.NUMBER_FORMAT: (group(17, 10), lambda c: (c, each_(c, lambda x: x.but(b="0" + x.b[2:])), 2 * len(c))),
    Cause.ORIGIN_CLASS: (
        group(18, 60, "4420"),
        lambda c: (c, priced(list(c), PLACELESS, VOICE_TERMS), len(c)),
    ),
    Cause.NEGATIVE_DECLARATION: (
        tuple(each.but(amount=-700) for each in group(19, 2)),
        lambda c: (c, (), len(c)),
    ),
    Cause.VOLUME_COUNTER: (
        group(20, 40, "4433"),
        lambda c: (c, each_(c, lambda x: x.but(amount=(x.amount or 0) * 3 // 4)), len(c)),
    ),
}


def voice() -> Book:
    ours, theirs = list(group(0, 600)), list(group(0, 600))
    planted: Counter[Cause] = Counter({Cause.LATE_RECORD: 2})
    for cause, (calls, plant) in VOICE.items():
        mine, others, count = plant(calls)
        ours += mine
        theirs += others
        planted[cause] += count
    forgotten = group(40, 2)
    late = LateRecords(table(forgotten), table(()), table(()), table(()), (Period(2026, 9),))
    known: Known = {"decks": DECKS, "unallocated": ("4466",)}
    return Book(Service.VOICE, VOICE_TERMS, table(ours), table(theirs), planted, known=known, late=late)


# VOICE, FROM GB-B TO CN-T


def currency() -> Book:
    """CN-T's prices to two destinations are 7 % above what GB-B made of another day's exchange rate."""
    calls = [*group(30, 60), *group(31, 60, "4428")]
    other = [call.but(amount=round((call.amount or 0) * 0.93)) for call in calls]
    planted = Counter({Cause.CURRENCY: 120})
    return Book(Service.VOICE, agreement(), table(other), table(calls), planted, creditor=CN)


# MESSAGES


def messages() -> Book:
    """GB-B charges what was submitted, CN-T what was delivered; three messages have another number of segments."""
    sent: list[Row] = [
        ("GSC", f"447700{k:06d}", f"2026-10-{1 + k % 31:02d}T{8 + k % 12:02d}:{k % 60:02d}:00", 1, "23415", 30_000)
        for k in range(900)
    ]
    long: list[Row] = [(*row[:3], 2, row[4], 60_000) for row in sent[1:4]]
    delivered = [row for k, row in enumerate(sent) if k % 15]
    planted = Counter({Cause.DELIVERY_BASIS: 60, Cause.SEGMENTS: 3})
    return Book(Service.SMS, agreed(), rated(sent[0], *long, *sent[4:]), rated(*delivered), planted)


# DATA

SAMPLED = agreed(data=DataTerms(missing=MissingSamples.SKIP))
LINEAR = agreed(data=DataTerms(missing=MissingSamples.SKIP, definition=PercentileDefinition.LINEAR))
PORTS = "destination,port,rate,unit\nTransit,p1;p2;p3;p4,3,Mbps\n"
DATA_DECKS = decks(Service.DATA, ("2026-09-01", PORTS))
MBPS_SAMPLE = 10**6 * 300 // 8


def port(name: str, mbps: Sequence[int], charged: Sequence[int] = (), by: Agreement = SAMPLED) -> list[pa.Table]:
    """Samples of so many Mbps, and the charge that these, or others, give."""
    sampled, other = (
        usage(samples(name, "2026-10-01", [each * MBPS_SAMPLE for each in rates])) for rates in (mbps, charged or mbps)
    )
    charges = charge_records(port_charges(other, DATA_DECKS, by, GB, OCTOBER)[0], SAMPLED, GB, OCTOBER)
    return [rate_data(sampled, DATA_DECKS, SAMPLED).rated, charges.filter(pc.equal(charges["route"], name))]


def data() -> Book:
    """One port agrees; one was measured otherwise, one charged beyond its samples, one by another percentile."""
    five = [1, 2, 3, 4, 5]
    ours = [*port("p1", five), *port("p2", [*five[:4], 6]), *port("p3", five, [1, 2, 3, 4, 9]), *port("p4", five)]
    theirs = [*port("p1", five), *port("p2", five), *port("p3", five), *port("p4", five, by=LINEAR)]
    planted = Counter({Cause.SAMPLES: 2, Cause.HEADER_DETAIL: 1, Cause.PERCENTILE: 1})
    known: Known = {"decks": DATA_DECKS}
    return Book(Service.DATA, SAMPLED, pa.concat_tables(ours), pa.concat_tables(theirs), planted, known=known)


# PRIVATE LINES


def lines() -> Book:
    """One line agrees; one began two days earlier for GB-B, one has another credit for outages."""

    def line(name: str, begin: str, days: int, amount: int) -> Row:
        return ("LON1", "BJS2", f"2026-10-{begin}T00:00:00", days, name, amount)

    ours = [line("C1", "01", 31, 3_100), line("C2", "08", 24, 2_400), line("C3", "01", 31, 3_100)]
    theirs = [line("C1", "01", 31, 3_100), line("C2", "10", 22, 2_200), line("C3", "01", 31, 3_000)]
    terms = agreed(ipl=IplTerms(credit=OutageCredit.HOUR))
    planted = Counter({Cause.CIRCUIT_DATES: 1, Cause.OUTAGE_MINUTES: 1})
    return Book(Service.IPL, terms, rated(*ours), rated(*theirs), planted)


BOOKS = (voice, currency, messages, data, lines)
books = pytest.mark.parametrize("drawn", BOOKS)


@books
def test_every_planted_fault_is_found_and_named_and_nothing_else_accused(drawn: Callable[[], Book]) -> None:
    book = drawn()
    assert told(book.answer()) == book.planted


@books
def test_the_findings_explain_the_whole_difference_to_the_last_micro(drawn: Callable[[], Book]) -> None:
    book = drawn()
    answer = book.answer()
    assert sum(each.difference_micros for each in answer.findings) == answer.totals.difference_micros
    late = 0 if book.late is None else sum(book.late.ours["amount_micros"].to_pylist())
    ours, theirs = (sum(side["amount_micros"].to_pylist()) for side in (book.ours, book.theirs))
    assert answer.totals.difference_micros == ours + late - theirs


@books
def test_the_partner_is_told_the_same_of_the_same_records(drawn: Callable[[], Book]) -> None:
    book = drawn()
    assert told(book.answer(CN)) == Counter({mirrored(cause): count for cause, count in book.planted.items()})


def test_what_a_creditor_does_not_reveal_has_a_name_too() -> None:
    batch = UnrevealedBatch(BatchId(bytes(32)), 7, Micros(700), "the root is another one")
    proposal = unrevealed_proposal(
        BatchScope(AgreementId(bytes(32)), GB, GB, Service.VOICE, OCTOBER), "USD", [batch], 10**6
    )
    assert proposal is not None
    assert (proposal.cause, proposal.count) == (Cause.NOT_REVEALED, 7)


def test_no_cause_is_left_out() -> None:
    """Who adds a cause plants it here."""
    assert {Cause.NOT_REVEALED, *(cause for drawn in BOOKS for cause in drawn().planted)} == set(Cause)


@pytest.mark.parametrize("forgotten", ["named", "Explainer", "with_samples"])
def test_an_engine_that_forgets_to_name_is_noticed(forgotten: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted faults: differences that stay as they were found."""

    def as_they_are(_: object, differences: object, *rest: object) -> object:
        return differences

    class Silent:
        def __init__(self, *_: object) -> None: ...

        def explain(self, differences: object) -> object:
            return differences

    monkeypatch.setattr(engine, forgotten, Silent if forgotten == "Explainer" else as_they_are)
    assert any(told(book.answer()) != book.planted for book in (drawn() for drawn in BOOKS))
