"""Who are the carriers, what did they agree, and which rates did they publish? As the chain said."""

from dataclasses import dataclass

from sqlalchemy import Connection, or_

from ledger.chain.bindings import (
    AgreementAmended,
    AgreementSigned,
    CarrierAdmitted,
    CarrierReinstated,
    CarrierRemoved,
    CarrierSuspended,
    KeyGranted,
    KeyRevoked,
    RateChange,
    RateDeckPublished,
    TokenListed,
)
from ledger.errors import NotFound
from ledger.identity import Address, AgreementId, CarrierCode
from ledger.service import Service
from ledger.store.latest import chain_order, latest_of, rows_of, table_of


@dataclass(frozen=True, slots=True)
class CarrierRow:
    """A carrier the members admitted."""

    carrier: CarrierCode
    admitted_at: int
    """Seconds."""
    active: bool
    """Neither suspended nor removed."""


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A signing key of a carrier; times in seconds."""

    carrier: CarrierCode
    key: Address
    valid_from: int
    valid_until: int | None
    revoked_at: int | None

    def is_valid(self, at: int) -> bool:
        """Whether it signs for its carrier at a time in seconds."""
        ends = [end for end in (self.valid_until, self.revoked_at) if end is not None]
        return self.valid_from <= at and all(at < end for end in ends)


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """An agreement both carriers signed."""

    agreement_id: AgreementId
    carrier_low: CarrierCode
    carrier_high: CarrierCode
    currency: str
    services: frozenset[Service]
    document_hash: bytes
    valid_from: int
    """Seconds."""
    block_number: int

    def counterparty(self, carrier: CarrierCode) -> CarrierCode:
        """The other of the two. Raises NotFound if `carrier` is neither."""
        if carrier not in (self.carrier_low, self.carrier_high):
            raise NotFound("not a party of this agreement", got=carrier)
        return self.carrier_high if carrier == self.carrier_low else self.carrier_low


@dataclass(frozen=True, slots=True)
class AmendmentRow:
    """A later version of an agreement, signed by both; the first version is the agreement itself."""

    agreement_id: AgreementId
    version: int
    services: frozenset[Service]
    document_hash: bytes
    valid_from: int
    """Seconds."""
    block_number: int


@dataclass(frozen=True, slots=True)
class RateNoticeRow:
    """A rate deck published for a direction; times in seconds."""

    agreement_id: AgreementId
    creditor: CarrierCode
    service: Service
    change: RateChange
    deck_hash: bytes
    effective_at: int
    seq: int
    published_at: int
    block_number: int


def list_carriers(connection: Connection) -> list[CarrierRow]:
    """All carriers, by code."""
    admitted = latest_of(connection, CarrierAdmitted, "carrier")
    suspended = latest_of(connection, CarrierSuspended, "carrier")
    reinstated = latest_of(connection, CarrierReinstated, "carrier")
    removed = latest_of(connection, CarrierRemoved, "carrier")
    found = []
    for carrier, row in sorted(admitted.items()):
        back = [chain_order(reinstated[carrier])] if carrier in reinstated else []
        active = carrier not in suspended or any(at > chain_order(suspended[carrier]) for at in back)
        found.append(CarrierRow(carrier, row.admitted_at, active and carrier not in removed))
    return found


def list_keys(connection: Connection, carrier: CarrierCode | None = None) -> list[KeyRow]:
    """The keys of a carrier or of all, revoked ones too, oldest first."""
    grants, ends = table_of(KeyGranted), table_of(KeyRevoked)
    revoked = {
        (row.carrier, row.key): row.revoked_at
        for row in rows_of(connection, KeyRevoked, *([ends.carrier == carrier] if carrier else []))
    }
    return [
        KeyRow(row.carrier, row.key, row.valid_from, row.valid_until or None, revoked.get((row.carrier, row.key)))
        for row in rows_of(connection, KeyGranted, *([grants.carrier == carrier] if carrier else []))
    ]


def is_key_of(connection: Connection, carrier: CarrierCode, key: Address, at: int) -> bool:
    """Whether a key signs for a carrier at a time in seconds."""
    return any(each.key == key and each.is_valid(at) for each in list_keys(connection, carrier))


def list_tokens(connection: Connection) -> dict[Address, str]:
    """Settlement token -> its currency."""
    return {row.token: row.currency for row in rows_of(connection, TokenListed)}


def list_agreements(connection: Connection, carrier: CarrierCode | None = None) -> list[AgreementRow]:
    """Agreements of a carrier or of all, oldest first."""
    table = table_of(AgreementSigned)
    wanted = [or_(table.carrier_low == carrier, table.carrier_high == carrier)] if carrier else []
    return [
        AgreementRow(
            agreement_id=row.agreement_id,
            carrier_low=row.carrier_low,
            carrier_high=row.carrier_high,
            currency=row.currency,
            services=_services(row.services),
            document_hash=row.document_hash,
            valid_from=row.valid_from,
            block_number=row.block_number,
        )
        for row in rows_of(connection, AgreementSigned, *wanted)
    ]


def list_amendments(connection: Connection, agreement_id: AgreementId) -> list[AmendmentRow]:
    """The later versions of an agreement, in order."""
    return [
        AmendmentRow(
            agreement_id=row.agreement_id,
            version=row.version,
            services=_services(row.services),
            document_hash=row.document_hash,
            valid_from=row.valid_from,
            block_number=row.block_number,
        )
        for row in rows_of(connection, AgreementAmended, table_of(AgreementAmended).agreement_id == agreement_id)
    ]


def agreement_of(connection: Connection, agreement_id: AgreementId) -> AgreementRow:
    """One agreement. Raises NotFound."""
    for row in list_agreements(connection):
        if row.agreement_id == agreement_id:
            return row
    raise NotFound("no such agreement on the chain", got=agreement_id.hex(), todo="Sign it, or follow the chain.")


def list_rate_notices(
    connection: Connection,
    agreement_id: AgreementId,
    creditor: CarrierCode | None = None,
    service: Service | None = None,
) -> list[RateNoticeRow]:
    """Published rate decks of an agreement, in order of publication."""
    table = table_of(RateDeckPublished)
    wanted = [table.agreement_id == agreement_id]
    wanted += [] if creditor is None else [table.creditor == creditor]
    wanted += [] if service is None else [table.service == service]
    return [
        RateNoticeRow(
            agreement_id=row.agreement_id,
            creditor=row.creditor,
            service=row.service,
            change=RateChange(row.change),
            deck_hash=row.deck_hash,
            effective_at=row.effective_at,
            seq=row.seq,
            published_at=row.published_at,
            block_number=row.block_number,
        )
        for row in rows_of(connection, RateDeckPublished, *wanted)
    ]


def _services(bits: int) -> frozenset[Service]:
    return frozenset(service for service in Service if bits >> service & 1)
