"""Which agreement files and rate decks stand behind the hashes on chain?"""

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from ledger.errors import NotFound
from ledger.identity import AgreementId
from ledger.store.rows import all_of, one_of
from ledger.store.tables import documents


@dataclass(frozen=True, slots=True)
class Document:
    """A file by the hash that stands on chain. Kinds: "agreement", "deck", "evidence"."""

    hash: bytes
    kind: str
    agreement_id: AgreementId | None
    name: str
    content: bytes
    added_at_ms: int


def keep_document(connection: Connection, document: Document) -> None:
    """Keep a document; keeping the same one again changes nothing."""
    if connection.execute(select(documents.c.hash).where(documents.c.hash == document.hash)).one_or_none() is None:
        names = Document.__dataclass_fields__
        connection.execute(insert(documents).values({name: getattr(document, name) for name in names}))


def document(connection: Connection, hash_: bytes) -> Document:
    """The document of a hash. Raises NotFound."""
    found = connection.execute(select(documents).where(documents.c.hash == hash_)).one_or_none()
    if found is None:
        raise NotFound("no document with this hash", got=hash_.hex(), todo="Ask the partner for it and add it.")
    return one_of(Document, found)


def list_documents(connection: Connection, kind: str, agreement_id: AgreementId | None = None) -> list[Document]:
    """Documents of a kind, oldest first; of one agreement or of all."""
    query = select(documents).where(documents.c.kind == kind).order_by(documents.c.added_at_ms, documents.c.hash)
    if agreement_id is not None:
        query = query.where(documents.c.agreement_id == agreement_id)
    return all_of(Document, connection.execute(query))
