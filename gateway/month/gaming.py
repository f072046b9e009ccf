"""Which games with settlement fees does a month of a home show, beside detours? Its part of the verb *arbitrage*.

Voice is searched on our count of each direction (else the partner's, once revealed), with the debtor's records beside
the creditor's where we hold both, and the decks of the decks folder; data and private lines against the registers of
licences and international gateways, as the chain has them.
"""

from collections.abc import Iterator, Mapping, Sequence

from gateway.composition import Gateway, Partnership
from gateway.month.crossing import CROSSING
from gateway.month.holding import Held, held_of, held_records
from gateway.month.parts import Direction as AgreedDirection
from gateway.month.parts import directions
from gateway.month.suspecting import FoundIn, suspicion_row
from ledger.identity import CarrierCode
from ledger.period import Period
from ledger.prices.deck import DeckHistory
from ledger.service import Service
from ledger.store.crossings import INTERNATIONAL, Validity, list_igws, list_licences
from ledger.store.engine import reading
from ledger.store.suspicions import SuspicionRow
from reconciliation.arbitrage.circles import Direction
from reconciliation.arbitrage.crossings import Crossed, Registers, Valid, find_unlicensed
from reconciliation.arbitrage.games import Known, find_games
from reconciliation.arbitrage.sold import Sold


def game_rows(
    gateway: Gateway,
    among: Sequence[Partnership],
    decks: Mapping[str, Mapping[Direction, DeckHistory]],
    period: Period,
    *,
    dry_run: bool,
) -> list[SuspicionRow]:
    """What is suspected of the month, the costliest first; `decks` are those we know, by currency."""
    found = [*_in_calls(gateway, among, decks, period), *_in_crossings(gateway, among, period)]
    ordered = sorted(found, key=lambda each: -each.suspicion.money_at_risk_micros)
    return [
        suspicion_row(gateway, each, period, number, "games", dry_run=dry_run) for number, each in enumerate(ordered, 1)
    ]


def _in_calls(
    gateway: Gateway,
    among: Sequence[Partnership],
    decks: Mapping[str, Mapping[Direction, DeckHistory]],
    period: Period,
) -> Iterator[FoundIn]:
    ways = {
        (way.creditor, way.debtor): way
        for partnership in among
        for way in directions(partnership)
        if way.service is Service.VOICE
    }
    held = {key: kept for key, way in ways.items() if (kept := held_records(gateway, way, period)) is not None}
    sold = {key: _sold(ways[key], kept, decks, period) for key, kept in held.items()}
    terms = {key: ways[key].held.agreement.detectors for key in sold}
    debtors = {
        key: theirs.table
        for key, way in ways.items()
        if way.creditor == gateway.carrier and (theirs := held_of(gateway, way, period, way.debtor)) is not None
    }
    numbers, peerings = gateway.settings.numbers, gateway.settings.known.peerings
    for each in find_games(sold, terms, Known(numbers, debtors, peerings)):
        key = each.creditor, each.debtor
        yield FoundIn(each, ways[key].held.currency, held[key].book.declarer, held[key])


def _sold(
    way: AgreedDirection, kept: Held, decks: Mapping[str, Mapping[Direction, DeckHistory]], period: Period
) -> Sold:
    known = decks.get(way.held.currency, {}).get((way.creditor, way.debtor))
    return Sold(way.creditor, way.debtor, kept.table, way.held.agreement, period, known)


def _in_crossings(gateway: Gateway, among: Sequence[Partnership], period: Period) -> Iterator[FoundIn]:
    registers = _registers(gateway)
    for partnership in among:
        for way in directions(partnership):
            kept = held_records(gateway, way, period) if way.service in CROSSING else None
            if kept is None:
                continue
            igws = [batch.igw for batch in kept.book.batches for _ in range(batch.count)]
            sample_ms = way.held.agreement.data.sample_seconds * 1000
            crossed = Crossed(way.service, way.creditor, way.debtor, kept.table, igws, sample_ms)
            for each in find_unlicensed(crossed, registers):
                yield FoundIn(each, partnership.currency, kept.book.declarer, kept)


def _registers(gateway: Gateway) -> Registers:
    with reading(gateway.engine) as connection:
        igws = {row.igw: _valid(row.validities) for row in list_igws(connection)}
        licences: dict[CarrierCode, Sequence[Valid]] = {
            row.carrier: _valid(row.validities) for row in list_licences(connection) if row.licence == INTERNATIONAL
        }
    return Registers(licences, igws)


def _valid(validities: Sequence[Validity]) -> Sequence[Valid]:
    return [Valid(each.begin * 1000, None if each.end is None else each.end * 1000) for each in validities]
