"""Verb *arbitrage*: who sends calls round a dear price of ours, who plays with our fees, and what does it cost?

A carrier knows less than the engine may use: the decks of its decks folder whose hashes stand on chain (its own, those
published to it, and any other it was given) and the records of its archive (its own, else those revealed to it). What
was found is stored for the desk, each finding with the records that show it. Nobody is asked, so the chain may be down.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from gateway.answers import Money
from gateway.composition import Gateway, Partnership, partnerships
from gateway.month.decks import deck_files
from gateway.month.gaming import game_rows
from gateway.month.holding import Held, held_records, keep_rows, sealed_rows
from gateway.month.parts import directions
from gateway.month.suspecting import FoundSuspicion, suspicion_of
from ledger.errors import NotFound
from ledger.identity import CarrierCode
from ledger.money import NANOS_PER_MICRO, Micros, div_half_even
from ledger.period import Period
from ledger.prices.deck import DeckHistory, deck_history
from ledger.service import Service
from ledger.store.agreements import list_agreements, list_rate_notices
from ledger.store.arbitrages import ArbitrageRow, list_arbitrages, replace_arbitrages
from ledger.store.declarations import list_declarations
from ledger.store.engine import reading, writing
from ledger.store.suspicions import replace_suspicions
from reconciliation.arbitrage.circles import ArbitrageFinding, Direction, Traffic
from reconciliation.arbitrage.detours import find_detours, loser
from reconciliation.suspicion import GAMES

SERVICE = Service.VOICE
"""Detours are about minutes to dial codes: voice."""


@dataclass(frozen=True, slots=True)
class FoundArbitrage:
    """One detour and what it costs the carrier that loses."""

    number: int
    scheme: str
    cycle: tuple[CarrierCode, ...]
    """In the order the call travels."""
    loser: CarrierCode
    destination: str
    codes: tuple[str, ...]
    gain: Money
    """For each minute: what the loser forgoes."""
    count: int
    """Calls that went the way."""
    minutes: int
    lost: Money
    exposed_minutes: int
    """Still sent direct, and free to move."""
    at_risk: Money
    creditor: CarrierCode | None
    """Of the records that show it."""
    debtor: CarrierCode | None
    declarer: CarrierCode | None
    """Whose count they are."""
    explanation: str
    evidence: str | None
    """The desk's page of these records."""


@dataclass(frozen=True, slots=True)
class ArbitrageAnswer:
    """What a period's search found, the costliest first."""

    period: Period
    findings: tuple[FoundArbitrage, ...]
    """Detours."""
    games: tuple[FoundSuspicion, ...]
    """Everything else: rate dates, tiers, balances, increments, callers, peerings, crossings."""
    decks: tuple[str, ...]
    """Directions whose decks are known: "US-A to CN-T"."""
    without_numbers: tuple[CarrierCode, ...]
    """Partners whose own numbers gsc.toml does not say: their calls through others cannot be told."""
    dry_run: bool


def arbitrage(gateway: Gateway, period: Period | None = None, *, dry_run: bool = False) -> ArbitrageAnswer:
    """Search a month, by default the last we declared for; a repeat replaces what was found. Raises NotFound."""
    held = tuple(partnerships(gateway.settings).values())
    with reading(gateway.engine) as connection:
        month = period or _last_period(connection, gateway, held)
    found: list[ArbitrageRow] = []
    by_currency = {currency: known_decks(gateway, currency) for currency in sorted({each.currency for each in held})}
    known = {f"{creditor} to {debtor}" for decks in by_currency.values() for creditor, debtor in decks}
    for currency, decks in by_currency.items():
        among = [each for each in held if each.currency == currency and SERVICE in each.agreement.services]
        found += _search(gateway, among, decks, month, dry_run=dry_run, before=len(found))
    games = game_rows(gateway, held, by_currency, month, dry_run=dry_run)
    if not dry_run:
        with writing(gateway.engine) as connection:
            replace_arbitrages(connection, month, found)
            games = replace_suspicions(connection, month, games, GAMES)
    numbers = gateway.settings.numbers
    silent = tuple(sorted(each.partner for each in held if each.partner not in numbers))
    return ArbitrageAnswer(
        month, tuple(map(arbitrage_of, found)), tuple(map(suspicion_of, games)), tuple(sorted(known)), silent, dry_run
    )


def found_arbitrage(gateway: Gateway, period: Period) -> tuple[FoundArbitrage, ...]:
    """What the latest search of a period found."""
    with reading(gateway.engine) as connection:
        return tuple(map(arbitrage_of, list_arbitrages(connection, period)))


def arbitrage_of(row: ArbitrageRow) -> FoundArbitrage:
    """A stored finding as answers show it."""
    return FoundArbitrage(
        number=row.number,
        scheme=row.scheme,
        cycle=tuple(CarrierCode(each) for each in row.cycle.split(">")),
        loser=row.loser,
        destination=row.destination,
        codes=tuple(row.codes.split(";")),
        gain=Money(row.currency, Micros(div_half_even(row.gain_nanos, NANOS_PER_MICRO))),
        count=row.count,
        minutes=row.minutes,
        lost=Money(row.currency, row.lost_micros),
        exposed_minutes=row.exposed_minutes,
        at_risk=Money(row.currency, row.at_risk_micros),
        creditor=row.creditor,
        debtor=row.debtor,
        declarer=row.declarer,
        explanation=row.explanation,
        evidence=f"/desk/arbitrage/{row.period}/{row.number}" if row.evidence_path else None,
    )


def _last_period(connection: Connection, gateway: Gateway, held: Sequence[Partnership]) -> Period:
    declared = [row for each in held for row in list_declarations(connection, each.id, declarer=gateway.carrier)]
    if not declared:
        raise NotFound("nothing is declared yet", expected="a month with records", todo="See `gsc declare`.")
    return max(row.scope.period for row in declared)


def known_decks(gateway: Gateway, currency: str) -> dict[Direction, DeckHistory]:
    """Every direction of whose published decks we hold a file, our own or not."""
    files = deck_files(gateway.settings.decks_path, currency, SERVICE)
    known: dict[Direction, DeckHistory] = {}
    with reading(gateway.engine) as connection:
        for row in list_agreements(connection):
            notices = [] if row.currency != currency else list_rate_notices(connection, row.agreement_id, None, SERVICE)
            for creditor in (row.carrier_low, row.carrier_high):
                mine = {
                    notice.effective_at * 1000: files[notice.deck_hash]
                    for notice in notices
                    if notice.creditor == creditor and notice.deck_hash in files
                }
                if mine:
                    known[creditor, row.counterparty(creditor)] = deck_history(mine.items())
    return known


def _search(
    gateway: Gateway,
    among: Sequence[Partnership],
    decks: Mapping[Direction, DeckHistory],
    period: Period,
    *,
    dry_run: bool,
    before: int,
) -> list[ArbitrageRow]:
    """The rows of one currency, numbered after those `before`; the evidence is written unless it is a dry run."""
    if not among:
        return []
    records = {
        (each.creditor, each.debtor): held
        for partnership in among
        for each in directions(partnership)
        if each.service == SERVICE and (held := held_records(gateway, each, period)) is not None
    }
    spans = [period.bounds_ms(each.agreement.zone) for each in among]
    traffic = Traffic({way: held.table for way, held in records.items()}, gateway.settings.numbers)
    found = find_detours(gateway.carrier, decks, traffic, min(s[0] for s in spans), max(s[1] for s in spans))
    rows = []
    for number, finding in enumerate(found, before + 1):
        path = None if dry_run else _keep_evidence(gateway, records, finding, period, number)
        row = _row(gateway, finding, period, number, among[0].currency)
        declarer = records[finding.direction].book.declarer if finding.direction else None
        rows.append(replace(row, declarer=declarer, evidence_path=path))
    return rows


def _keep_evidence(
    gateway: Gateway, records: Mapping[Direction, Held], finding: ArbitrageFinding, period: Period, number: int
) -> str | None:
    """Write the records that show a finding, each with its batch's root and its leaf; the file's place in the home."""
    if finding.direction is None or not len(finding.rows):
        return None
    return keep_rows(gateway, "arbitrage", period, number, sealed_rows(records[finding.direction], finding.rows))


def _row(gateway: Gateway, finding: ArbitrageFinding, period: Period, number: int, currency: str) -> ArbitrageRow:
    creditor, debtor = finding.direction or (None, None)
    return ArbitrageRow(
        period=period,
        number=number,
        scheme=finding.scheme.value,
        cycle=">".join(finding.cycle),
        loser=loser(finding),
        destination=finding.destination,
        codes=";".join(finding.codes),
        currency=currency,
        gain_nanos=finding.gain_nanos,
        count=len(finding.rows),
        minutes=finding.minutes,
        lost_micros=finding.lost_micros,
        exposed_minutes=finding.exposed_minutes,
        at_risk_micros=finding.at_risk_micros,
        creditor=creditor,
        debtor=debtor,
        declarer=None,
        evidence_path=None,
        explanation=finding.explanation,
        found_at_ms=gateway.clock.now_ms(),
    )
