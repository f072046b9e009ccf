"""Verb *fraud*: which records and declarations of a month look like fraud, or like forgery without a difference?

Asked of what we hold: our own sealed records in both directions (else what the partner revealed), both sides' samples,
every declaration on the chain, and what gsc.toml says we know. What is suspected is stored for the desk, each suspicion
with the records that show it. Nobody is asked, so the chain may be down.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection

from gateway.answers import Money
from gateway.composition import Gateway, Partnership, partnerships
from gateway.month.books import is_correction
from gateway.month.holding import Held, held_of, held_records, keep_rows, sealed_rows
from gateway.month.parts import Direction, directions
from ledger.errors import NotFound
from ledger.identity import CarrierCode
from ledger.money import Micros
from ledger.period import Period
from ledger.prices.service_terms import SmsBasis
from ledger.service import Service
from ledger.store.batches import list_revealed
from ledger.store.declarations import DeclarationRow, list_closes, list_declarations
from ledger.store.engine import reading, writing
from ledger.store.suspicions import SuspicionRow, list_suspicions, replace_suspicions
from reconciliation.forgery.circuits import ghost_circuits
from reconciliation.forgery.counters import over_line_rate, wrapped_samples
from reconciliation.forgery.declarations import Declared, find_in_declarations
from reconciliation.forgery.receipts import fake_receipts
from reconciliation.forgery.suspects import Evidence
from reconciliation.fraud.flow import Known, flow_of
from reconciliation.fraud.search import find_frauds
from reconciliation.suspicion import GAMES, Suspicion, SuspicionKind

FRAUDS = frozenset(SuspicionKind) - GAMES
"""What this search looks for."""


@dataclass(frozen=True, slots=True)
class FoundSuspicion:
    """One suspicion, and what it puts at risk."""

    number: int
    kind: str
    confidence: int
    """Percent."""
    service: Service
    creditor: CarrierCode
    debtor: CarrierCode
    declarer: CarrierCode | None
    """Whose count the records are, or who declared."""
    subject: str
    count: int
    at_risk: Money
    rule: str
    explanation: str
    evidence: str | None
    """The desk's page of the records."""


@dataclass(frozen=True, slots=True)
class FraudAnswer:
    """What a period's search suspects, the costliest first."""

    period: Period
    suspicions: tuple[FoundSuspicion, ...]
    records: int
    """Searched."""
    unknown: tuple[str, ...]
    """Keys of [known] in gsc.toml that are empty: what they tell cannot be told."""
    dry_run: bool


class FoundIn(NamedTuple):
    """A suspicion, and where its records lie."""

    suspicion: Suspicion
    currency: str
    declarer: CarrierCode | None
    held: Held | None


def fraud(gateway: Gateway, period: Period | None = None, *, dry_run: bool = False) -> FraudAnswer:
    """Search a month, by default the last we declared for; a repeat replaces what was found. Raises NotFound."""
    held = tuple(partnerships(gateway.settings).values())
    with reading(gateway.engine) as connection:
        month = period or _last_period(connection, gateway, held)
    found, records = _search(gateway, held, month)
    ordered = sorted(found, key=lambda each: -each.suspicion.money_at_risk_micros)
    rows = [
        suspicion_row(gateway, each, month, number, "fraud", dry_run=dry_run) for number, each in enumerate(ordered, 1)
    ]
    if not dry_run:
        with writing(gateway.engine) as connection:
            rows = replace_suspicions(connection, month, rows, FRAUDS)
    known = gateway.settings.known
    unknown = tuple(name for name in ("premium", "test_numbers", "own") if not getattr(known, name))
    return FraudAnswer(month, tuple(map(suspicion_of, rows)), records, unknown, dry_run)


def found_suspicions(gateway: Gateway, period: Period) -> tuple[FoundSuspicion, ...]:
    """What the latest search of a period suspected."""
    with reading(gateway.engine) as connection:
        return tuple(map(suspicion_of, list_suspicions(connection, period)))


def suspicion_of(row: SuspicionRow) -> FoundSuspicion:
    """A stored suspicion as answers show it."""
    return FoundSuspicion(
        number=row.number,
        kind=row.kind,
        confidence=row.confidence,
        service=row.service,
        creditor=row.creditor,
        debtor=row.debtor,
        declarer=row.declarer,
        subject=row.subject,
        count=row.count,
        at_risk=Money(row.currency, row.at_risk_micros),
        rule=row.rule,
        explanation=row.explanation,
        evidence=f"/desk/fraud/{row.period}/{row.number}" if row.evidence_path else None,
    )


def _last_period(connection: Connection, gateway: Gateway, held: Sequence[Partnership]) -> Period:
    declared = [row for each in held for row in list_declarations(connection, each.id, declarer=gateway.carrier)]
    if not declared:
        raise NotFound("nothing is declared yet", expected="a month with records", todo="See `gsc declare`.")
    return max(row.scope.period for row in declared)


def _search(gateway: Gateway, among: Sequence[Partnership], period: Period) -> tuple[list[FoundIn], int]:
    """What is suspected, and how many records were searched."""
    known = gateway.settings.known
    evidence = Evidence(unallocated=gateway.settings.unallocated, test_numbers=known.test_numbers, ceased=known.ceased)
    ways = [way for partnership in among for way in directions(partnership)]
    kept = {way: held for way in ways if (held := held_records(gateway, way, period)) is not None}
    found = list(_in_usage(gateway, kept))
    for way, held in kept.items():
        found += [_found(each, way, held) for each in _in_messages(way, held, evidence)]
        found += _in_claims(gateway, way, period, evidence)
    for partnership in among:
        found += _in_declarations(gateway, partnership, period)
    return found, sum(len(held.table) for held in kept.values())


def _in_usage(gateway: Gateway, kept: Mapping[Direction, Held]) -> Iterator[FoundIn]:
    by_flow = {(way.creditor, way.debtor, way.service): (way, held) for way, held in kept.items()}
    known = gateway.settings.known
    flows = [
        flow_of(held.table, way.creditor, way.debtor, way.service, way.held.agreement.detectors)
        for way, held in kept.items()
        if way.service in (Service.VOICE, Service.SMS)
    ]
    for each in find_frauds(gateway.carrier, flows, Known(known.premium, known.test_numbers, known.own)):
        yield _found(each, *by_flow[each.creditor, each.debtor, each.service])


def _in_messages(way: Direction, held: Held, evidence: Evidence) -> Iterator[Suspicion]:
    if way.service is Service.SMS and way.held.agreement.sms.basis is SmsBasis.DELIVERY:
        yield from fake_receipts(held.table, evidence, way.creditor, way.debtor)


def _in_claims(gateway: Gateway, way: Direction, period: Period, evidence: Evidence) -> Iterator[FoundIn]:
    """The creditor's samples against what the port carries and against the debtor's; its private lines."""
    if way.service not in (Service.DATA, Service.IPL):
        return
    claimed = held_of(gateway, way, period, way.creditor)
    if claimed is None:
        return
    found = _in_samples if way.service is Service.DATA else _in_circuits
    for each in found(gateway, way, period, claimed, evidence):
        yield _found(each, way, claimed)


def _in_samples(
    gateway: Gateway, way: Direction, period: Period, claimed: Held, evidence: Evidence
) -> Iterator[Suspicion]:
    rates, seconds = gateway.settings.known.line_mbps, way.held.agreement.data.sample_seconds
    yield from over_line_rate(claimed.table, rates, seconds, way.creditor, way.debtor)
    counted = held_of(gateway, way, period, way.debtor)
    if counted is not None:
        yield from wrapped_samples(claimed.table, counted.table, way.creditor, way.debtor)


def _in_circuits(
    gateway: Gateway, way: Direction, period: Period, claimed: Held, evidence: Evidence
) -> Iterator[Suspicion]:
    yield from ghost_circuits(claimed.table, evidence, way.creditor, way.debtor)


def _in_declarations(gateway: Gateway, partnership: Partnership, period: Period) -> Iterator[FoundIn]:
    """What all declarations of the agreement show of the month's."""
    with reading(gateway.engine) as connection:
        rows = list_declarations(connection, partnership.id)
        closed = {
            (each.declarer, each.period): each.closed_at * 1000 for each in list_closes(connection, partnership.id)
        }
        months = sorted({row.scope.period for row in rows})
        revealed = [each for month in months for each in list_revealed(connection, partnership.id, month)]
    refusals = {each.batch_id: each.refusal for each in revealed}
    declared = [_declared(row, partnership, closed, refusals.get(row.batch_id)) for row in rows]
    of_month = {(each.creditor, f"{each.declarer} {each.seq}"): each for each in declared if each.period == period}
    for each in find_in_declarations(declared, partnership.agreement.detectors.late_days):
        one = of_month.get((each.creditor, each.subject))
        if one is not None:
            yield FoundIn(each, partnership.currency, one.declarer, None)


def _declared(
    row: DeclarationRow,
    partnership: Partnership,
    closed: Mapping[tuple[CarrierCode, Period], int],
    refusal: str | None,
) -> Declared:
    scope = row.scope
    return Declared(
        declarer=scope.declarer,
        creditor=scope.creditor,
        debtor=partnership.agreement.counterparty(scope.creditor),
        service=scope.service,
        period=scope.period,
        seq=row.seq,
        root=row.root.hex(),
        records=row.count,
        from_ms=row.from_ms,
        to_ms=row.to_ms,
        amount_micros=row.amount_micros,
        declared_ms=row.declared_at * 1000,
        closed_ms=closed.get((scope.declarer, scope.period)),
        is_correction=is_correction(row),
        refusal=refusal,
    )


def _found(suspicion: Suspicion, way: Direction, held: Held) -> FoundIn:
    return FoundIn(suspicion, way.held.currency, held.book.declarer, held)


def suspicion_row(
    gateway: Gateway, found: FoundIn, period: Period, number: int, search: str, *, dry_run: bool
) -> SuspicionRow:
    """A suspicion for the store; its records are kept among those of the search, unless it is a dry run."""
    suspicion, path = found.suspicion, None
    if found.held is not None and len(suspicion.rows) and not dry_run:
        path = keep_rows(gateway, search, period, number, sealed_rows(found.held, suspicion.rows))
    return SuspicionRow(
        period=period,
        number=number,
        kind=suspicion.kind.value,
        confidence=suspicion.confidence,
        service=suspicion.service,
        creditor=suspicion.creditor,
        debtor=suspicion.debtor,
        declarer=found.declarer,
        subject=suspicion.subject,
        currency=found.currency,
        count=suspicion.count,
        at_risk_micros=Micros(suspicion.money_at_risk_micros),
        rule=suspicion.rule,
        explanation=suspicion.explanation,
        evidence_path=path,
        found_at_ms=gateway.clock.now_ms(),
    )
