"""What do tests of arbitrage need? US-A's gateway with October's archive: Alaska through GB-B is cheap for CN-T."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from gateway.composition import Gateway, Partnership, partnership_with
from ledger import archive
from ledger.agreement import Agreement
from ledger.agreement_file import dump_agreement
from ledger.chain.bindings import AgreementSigned, Declaration, RateChange, RateDeckPublished, UsageDeclared
from ledger.identity import AgreementId, BatchId, CarrierCode, ascii32
from ledger.money import Nanos
from ledger.prices.deck import Rate, deck_hash, rate_deck
from ledger.prices.deck_file import dump_deck
from ledger.sealing import seal
from ledger.service import Service
from ledger.store.batches import RevealedBatch, record_revealed
from ledger.store.engine import writing
from ledger.usage import BatchScope
from tests.gateway.chain_rows import said
from tests.gateway.homes import lonely_gateway
from tests.reconciliation.records import CN, GB, OCTOBER, US, Call, agreement, table

ALASKA = "United States Alaska"
PLACES = {"1907": ALASKA, "1212": "United States"}
SEPTEMBER_S = int(datetime(2026, 9, 1, tzinfo=UTC).timestamp())
THEIR_AGREEMENT = AgreementId(b"\x0c" * 32)
"""Of CN-T and GB-B."""


def us_gateway(home: Path, *, numbers: bool = True) -> Gateway:
    """US-A, which asks of CN-T 9 hundredths a minute to Alaska and of GB-B 3; elsewhere 1 of both. No records yet."""
    gateway = lonely_gateway(home, "US-A")
    known = {CN: ("86",), GB: ("44",)} if numbers else {}
    gateway = replace(gateway, settings=replace(gateway.settings, numbers=known))
    for partner in (CN, GB):
        terms: Agreement = replace(agreement(), low=partner, high=US)
        (gateway.settings.agreements_path / f"{partner.lower()}.toml").write_text(dump_agreement(terms))
    for partner, alaska in ((CN, 9), (GB, 3)):
        agreed(gateway, held_with(gateway, partner).id, partner, US)
        published(gateway, held_with(gateway, partner).id, US, {"1907": alaska, "1212": 1})
    return gateway


def held_with(gateway: Gateway, partner: CarrierCode) -> Partnership:
    return partnership_with(gateway.settings, partner)


def agreed(gateway: Gateway, agreement_id: AgreementId, low: CarrierCode, high: CarrierCode) -> None:
    """The chain says that two carriers signed an agreement on voice in dollars."""
    signed = AgreementSigned(agreement_id, ascii32(low), ascii32(high), ascii32("USD"), 1, bytes(32), SEPTEMBER_S)
    with writing(gateway.engine) as connection:
        said(connection, signed)


def published(
    gateway: Gateway, agreement_id: AgreementId, creditor: CarrierCode, prices: dict[str, int], *, given: bool = True
) -> None:
    """The chain says the hash of a deck, prices in hundredths; its file is in the decks folder if given to us."""
    deck = rate_deck("USD", [Rate(PLACES[code], code, Nanos(price * 10**7)) for code, price in prices.items()])
    hashed = deck_hash(deck)
    if given:
        (gateway.settings.decks_path / f"{hashed.hex()}.csv").write_text(dump_deck(deck))
    times = (SEPTEMBER_S, 1, SEPTEMBER_S)
    notice = RateDeckPublished(agreement_id, ascii32(creditor), Service.VOICE, RateChange.INITIAL, hashed, *times)
    with writing(gateway.engine) as connection:
        said(connection, notice)


def declared(
    gateway: Gateway, partner: CarrierCode, calls: Iterable[Call], *, seq: int = 1, declarer: CarrierCode = US
) -> bytes:
    """A batch of what the partner hands us, sealed, archived and on chain; its root. The partner's was revealed."""
    held = held_with(gateway, partner)
    scope = BatchScope(held.id, declarer, US, Service.VOICE, OCTOBER)
    batch = seal(table(calls), scope, bytes([seq]) * 32)
    archive.write(batch, gateway.settings.archive_path)
    said_of_it = Declaration(
        agreement_id=held.id,
        declarer=ascii32(declarer),
        creditor=ascii32(US),
        seq=seq,
        service=Service.VOICE,
        period=OCTOBER.key,
        root=batch.root,
        count=batch.count,
        from_ms=batch.from_ms,
        to_ms=batch.to_ms,
        quantity=batch.quantity,
        amount_micros=batch.amount_micros,
        deck_hash=bytes(32),
        corrects=bytes(32),
        igw=bytes(32),
        deadline=2**40,
    )
    batch_id = BatchId(said_of_it.struct_hash())
    with writing(gateway.engine) as connection:
        said(connection, UsageDeclared(batch_id, held.id, ascii32(declarer), said_of_it, SEPTEMBER_S))
        if declarer != US:
            name = archive.archive_name(batch.root)
            record_revealed(connection, RevealedBatch(batch_id, batch.root, scope, name, 1, None))
    return batch.root


def to_alaska(count: int, *, a: str = "8613900000001", code: str = "1907") -> list[Call]:
    """Calls of a minute, a minute apart."""
    place = PLACES[code]
    return [Call(at=60 * k, a=a, b=f"{code}{k:07d}", code=code, destination=place, amount=30_000) for k in range(count)]
