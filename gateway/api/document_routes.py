"""What can be downloaded? What `gsc document` makes: statement, tables, invoice, payment order, bundles."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse

from gateway.api.guard import require_reader
from gateway.api.models import CarrierText, PeriodText
from gateway.api.verbs.parts import Id32, TheGateway, maybe_partner, raw_of
from gateway.desk.wording import LANGUAGES
from gateway.documents import making
from gateway.documents.document import Document
from gateway.documents.invoice import invoice
from gateway.documents.payment_order import OrderVersion
from gateway.documents.tables import TableFormat
from ledger.identity import carrier_code
from ledger.period import parse_period

router = APIRouter(prefix="/v1/document", tags=["documents"], dependencies=[Depends(require_reader)])
Partner = Annotated[CarrierText, Query(description="The other carrier")]
Month = Annotated[PeriodText, Query(description="Accounting month")]
Table = Annotated[TableFormat, Query(alias="format")]
Language = Annotated[str, Query(pattern=f"^({'|'.join(LANGUAGES)})$", examples=["zh"])]
_TABLES = [each.media_type.split(";")[0] for each in TableFormat]
_XML, _ZIP = ["application/xml"], ["application/zip"]


def _answers(media_types: list[str]) -> dict[int | str, dict[str, Any]]:
    plain, rows = {"schema": {"type": "string", "format": "binary"}}, {"schema": {"type": "array"}}
    content = {each: rows if each == "application/json" else plain for each in media_types}
    return {200: {"description": "The file", "content": content}}


@router.get(
    "/statement", operation_id="statement_pdf", response_class=Response, responses=_answers(["application/pdf"])
)
def get_statement(partner: Partner, period: Month, gateway: TheGateway, lang: Language = "en") -> Response:
    """The month's statement as PDF: both sides, causes, disputes, what both signed, and the statement hash."""
    return _file(making.statement_document(gateway, carrier_code(partner), parse_period(period), "pdf", lang))


@router.get("/lines", operation_id="statement_lines", response_class=Response, responses=_answers(_TABLES))
def get_lines(partner: Partner, period: Month, gateway: TheGateway, format_: Table = TableFormat.CSV) -> Response:
    """The statement's lines as a table; as XLSX with sheets for causes and disputes."""
    return _file(making.statement_document(gateway, carrier_code(partner), parse_period(period), format_))


@router.get("/findings", operation_id="findings_table", response_class=Response, responses=_answers(_TABLES))
def get_findings(partner: Partner, period: Month, gateway: TheGateway, format_: Table = TableFormat.CSV) -> Response:
    """Every finding of the month's latest reconciliation."""
    return _file(making.findings_document(gateway, carrier_code(partner), parse_period(period), format_))


@router.get("/records", operation_id="records_table", response_class=StreamingResponse, responses=_answers(_TABLES))
def get_records(
    partner: Partner, period: Month, gateway: TheGateway, format_: Table = TableFormat.PARQUET
) -> StreamingResponse:
    """Every sealed record of both sides that we hold, as it is read."""
    made = making.records_stream(gateway, carrier_code(partner), parse_period(period), format_)
    return StreamingResponse(made.pieces, media_type=made.media_type, headers=_named(made.name))


@router.get("/invoice", operation_id="invoice", response_class=Response, responses=_answers(_XML))
def get_invoice(partner: Partner, period: Month, gateway: TheGateway, creditor: CarrierText | None = None) -> Response:
    """What both agreed as an invoice in UBL 2.1; ours, unless the partner is named as creditor."""
    return _file(invoice(gateway, carrier_code(partner), parse_period(period), maybe_partner(creditor)))


@router.get("/order", operation_id="payment_order", response_class=Response, responses=_answers(_XML))
def get_order(
    gateway: TheGateway,
    partner: CarrierText | None = None,
    version: Annotated[OrderVersion, Query(alias="as")] = OrderVersion.V09,
) -> Response:
    """What we owe now as a payment order in ISO 20022 pain.001, to one partner or to all."""
    return _file(making.order_document(gateway, maybe_partner(partner), version))


@router.get("/bundle", operation_id="month_bundle", response_class=Response, responses=_answers(_ZIP))
def get_bundle(partner: Partner, period: Month, gateway: TheGateway) -> Response:
    """The month's evidence, which a stranger verifies offline."""
    return _file(making.month_document(gateway, carrier_code(partner), parse_period(period)))


@router.get("/dispute/{id}", operation_id="dispute_bundle", response_class=Response, responses=_answers(_ZIP))
def get_dispute_bundle(id: Id32, gateway: TheGateway) -> Response:
    """A dispute's evidence: records, proofs, signatures, receipts."""
    return _file(making.dispute_document(gateway, raw_of(id)))


def _file(made: Document) -> Response:
    return Response(made.content, media_type=made.media_type, headers=_named(made.name))


def _named(name: str) -> dict[str, str]:
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
