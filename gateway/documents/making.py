"""Which document is wanted? Each kind by its words, for commands and routes alike."""

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.composition import Gateway
from gateway.documents.document import Document
from gateway.documents.payment_order import OrderVersion, payment_order
from gateway.documents.statement.content import statement_content
from gateway.documents.statement.pdf import statement_pdf
from gateway.documents.statement.sheets import findings_table, records_of_month, statement_sheets
from gateway.documents.tables import export, table_format
from gateway.documents.wording import document_words
from gateway.evidence import dispute_bundle, statement_bundle
from ledger.errors import Malformed
from ledger.identity import CarrierCode
from ledger.period import Period

ZIP = "application/zip"


@dataclass(frozen=True, slots=True)
class Streamed:
    """A file too long for memory: its pieces come as they are taken."""

    name: str
    media_type: str
    pieces: Iterator[bytes]


def statement_document(
    gateway: Gateway, partner: CarrierCode, period: Period, format_: str = "pdf", language: str = "en"
) -> Document:
    """The month's statement in "pdf" (of a language) or as a table. Raises Malformed, NotFound, Unavailable."""
    table = None if format_ == "pdf" else table_format(format_)
    document_words(language)
    content = statement_content(gateway, partner, period)
    return statement_pdf(content, language) if table is None else statement_sheets(content, table)


def findings_document(gateway: Gateway, partner: CarrierCode, period: Period, format_: str = "csv") -> Document:
    """Every finding of the month's latest reconciliation. Raises Malformed, NotFound."""
    table = table_format(format_)
    found = findings_table(gateway, partner, period)
    return Document(
        f"findings-{gateway.carrier}-{partner}-{period}.{table}", table.media_type, b"".join(export(found, table))
    )


def records_stream(gateway: Gateway, partner: CarrierCode, period: Period, format_: str = "parquet") -> Streamed:
    """Every sealed record of both sides that we hold of a month. Raises Malformed, NotFound."""
    table = table_format(format_)
    pieces = export(records_of_month(gateway, partner, period), table)
    return Streamed(f"records-{gateway.carrier}-{partner}-{period}.{table}", table.media_type, pieces)


def order_document(gateway: Gateway, partner: CarrierCode | None, version: str = OrderVersion.V09) -> Document:
    """What we owe as a payment order. Raises Malformed, NotFound, Unavailable."""
    if version not in list(OrderVersion):
        raise Malformed("not a payment order that we write", expected=" or ".join(OrderVersion), got=repr(version)[:30])
    return payment_order(gateway, partner, OrderVersion(version))


def month_document(gateway: Gateway, partner: CarrierCode, period: Period) -> Document:
    """A month's evidence. Raises NotFound, Unavailable."""
    content = statement_bundle(gateway, partner, period)
    return Document(f"bundle-{gateway.carrier}-{partner}-{period}.zip", ZIP, content)


def dispute_document(gateway: Gateway, dispute_id: bytes) -> Document:
    """A dispute's evidence. Raises NotFound, Conflict, Unavailable."""
    return Document(f"dispute-{dispute_id.hex()[:16]}.zip", ZIP, dispute_bundle(gateway, dispute_id))
