"""Which structs wait for signatures of several carriers, and who signed already?

A statement, a resolution and a netting cycle count only when every party signed the same digest.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from ledger.errors import NotFound
from ledger.identity import AgreementId, CarrierCode
from ledger.period import Period
from ledger.store.rows import all_of
from ledger.store.tables import proposals


@dataclass(frozen=True, slots=True)
class Proposal:
    """One carrier's signature over a struct. `struct` is its ABI encoding, `digest` what was signed.

    Kinds: "statement", "resolution", "netting_cycle", "agreement", "amendment".
    """

    kind: str
    digest: bytes
    signer: CarrierCode
    agreement_id: AgreementId | None
    period: Period | None
    struct: bytes
    signature: bytes
    received_at_ms: int


def record_proposal(connection: Connection, proposal: Proposal) -> None:
    """Remember a checked signature; the same carrier's again for the same digest changes nothing."""
    table = proposals.c
    same = (table.kind == proposal.kind) & (table.digest == proposal.digest) & (table.signer == proposal.signer)
    if connection.execute(select(table.digest).where(same)).one_or_none() is None:
        names = Proposal.__dataclass_fields__
        connection.execute(insert(proposals).values({name: getattr(proposal, name) for name in names}))


def signatures_of(connection: Connection, kind: str, digest: bytes) -> dict[CarrierCode, bytes]:
    """Who signed a digest, and how."""
    same = (proposals.c.kind == kind) & (proposals.c.digest == digest)
    rows = connection.execute(
        select(proposals.c.signer, proposals.c.signature).where(same).order_by(proposals.c.signer)
    )
    return {row.signer: row.signature for row in rows}


def list_proposals(
    connection: Connection, kind: str, agreement_id: AgreementId | None = None, period: Period | None = None
) -> list[Proposal]:
    """Signatures of a kind, oldest first."""
    query = select(proposals).where(proposals.c.kind == kind)
    if agreement_id is not None:
        query = query.where(proposals.c.agreement_id == agreement_id)
    if period is not None:
        query = query.where(proposals.c.period == period)
    order = (proposals.c.received_at_ms, proposals.c.digest, proposals.c.signer)
    return all_of(Proposal, connection.execute(query.order_by(*order)))


def struct_of(connection: Connection, kind: str, digest: bytes) -> bytes:
    """The ABI encoding of the struct behind a digest. Raises NotFound."""
    same = (proposals.c.kind == kind) & (proposals.c.digest == digest)
    found = connection.execute(select(proposals.c.struct).where(same).limit(1)).scalar_one_or_none()
    if found is None:
        raise NotFound(f"no {kind} with this digest was proposed", got=digest.hex())
    return bytes(found)
