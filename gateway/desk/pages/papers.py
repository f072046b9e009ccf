"""What answers where a month or a dispute is taken away as a file? Statement, invoice, findings, evidence."""

from collections.abc import Callable

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.composition import Gateway
from gateway.desk.answering import file_of, gateway_of, language_of, problem_of
from gateway.documents.document import Document
from gateway.documents.invoice import invoice
from gateway.documents.making import dispute_document, findings_document, month_document, statement_document
from gateway.health import health_of
from ledger.errors import GscError, NotFound
from ledger.identity import CarrierCode, carrier_code
from ledger.period import Period, parse_period

router = APIRouter(include_in_schema=False)
Making = Callable[[Gateway, CarrierCode, Period, str], Document]
PAPERS: dict[str, Making] = {
    "statement.pdf": lambda gateway, partner, period, language: statement_document(
        gateway, partner, period, "pdf", language
    ),
    "statement.xlsx": lambda gateway, partner, period, _: statement_document(gateway, partner, period, "xlsx"),
    "findings.csv": lambda gateway, partner, period, _: findings_document(gateway, partner, period, "csv"),
    "invoice.xml": lambda gateway, partner, period, _: invoice(gateway, partner, period),
    "bundle.zip": lambda gateway, partner, period, _: month_document(gateway, partner, period),
}
"""By the last word of the address, in the order of the page."""


@router.get("/statements/{partner}/{period}/papers/{name}")
def get_paper(request: Request, partner: str, period: str, name: str) -> Response:
    """A month as a file; the statement in the reader's language."""

    def make(gateway: Gateway) -> Document:
        if name not in PAPERS:
            raise NotFound("no such paper", expected=", ".join(PAPERS), got=name[:40])
        return PAPERS[name](gateway, carrier_code(partner), parse_period(period), language_of(request))

    return _taken(request, make)


@router.get("/disputes/{dispute_id}/bundle.zip")
def get_dispute_bundle(request: Request, dispute_id: str) -> Response:
    """A dispute's evidence, which a stranger verifies."""
    digits = dispute_id.removeprefix("0x")

    def make(gateway: Gateway) -> Document:
        if len(digits) != 64 or not set(digits) <= set("0123456789abcdef"):
            raise NotFound("no such dispute on the chain", got=repr(dispute_id[:80]))
        return dispute_document(gateway, bytes.fromhex(digits))

    return _taken(request, make)


def _taken(request: Request, make: Callable[[Gateway], Document]) -> Response:
    gateway = gateway_of(request)
    try:
        paper = make(gateway)
    except GscError as error:
        return problem_of(request, health_of(gateway), error)
    return file_of([paper.content], paper.name, paper.media_type)
