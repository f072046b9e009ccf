"""Which terms of an agreement hold at a time? Its first version, or the latest amendment in effect by then.

The chain says which amendments both signed, and from when; the whole of each stands in its file, known by its hash.
"""

from dataclasses import dataclass, replace

from sqlalchemy import Connection

from gateway.composition import Gateway, Partnership
from ledger.agreement import Agreement
from ledger.agreement_file import document_hash
from ledger.errors import NotFound
from ledger.period import UTC_ZONE, Period
from ledger.store.agreements import list_amendments
from ledger.store.engine import reading


@dataclass(frozen=True, slots=True)
class Version:
    """The terms between two amendments."""

    number: int
    valid_from: int
    """Seconds."""
    document_hash: bytes
    agreement: Agreement | None
    """None if its file is not in the home."""


def versions_of(connection: Connection, held: Partnership) -> tuple[Version, ...]:
    """All versions that both have signed, in order; the first is the agreement itself."""
    files = {document_hash(each): each for each in held.amendments}
    first = Version(1, held.terms.valid_from, held.terms.document_hash, held.agreement)
    later = [
        Version(row.version, row.valid_from, row.document_hash, files.get(row.document_hash))
        for row in list_amendments(connection, held.id)
    ]
    return (first, *later)


def in_force(connection: Connection, held: Partnership, at_s: int) -> Partnership:
    """The partnership under the version in effect at a time, in seconds. Raises NotFound without its file."""
    versions = versions_of(connection, held)
    version = next((each for each in reversed(versions) if each.valid_from <= at_s), versions[0])
    if version.agreement is None:
        raise NotFound(
            f"the file of version {version.number} of the agreement with {held.partner} is missing",
            expected=f"an agreement file with hash 0x{version.document_hash.hex()}",
            got=f"{len(held.amendments)} file(s) in agreements/amendments",
            todo=f"Ask {held.partner} for the file that both have signed, and put it there.",
        )
    return replace(held, agreement=version.agreement)


def of_period(gateway: Gateway, held: Partnership, period: Period) -> Partnership:
    """The partnership under the version in effect when a period begins, in UTC as the contracts reckon it.

    Raises NotFound without that version's file.
    """
    begins_ms, _ = period.bounds_ms(UTC_ZONE)
    with reading(gateway.engine) as connection:
        return in_force(connection, held, begins_ms // 1000)
