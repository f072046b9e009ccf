"""What does a creditor's bookkeeping send? The agreed amounts of a statement as an invoice in UBL 2.1.

Source: OASIS, Universal Business Language 2.1 (2013), UBL-Invoice-2.1.xsd; the meaning of the amounts after EN 16931-1
(BG-22): payable = sum of lines + rounding. Each line is rounded to minor units by itself, the whole once from its exact
amount; what lies between stands as PayableRoundingAmount.
"""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from gateway.composition import Gateway
from gateway.documents.document import Document
from gateway.documents.minor_units import show_minor, to_minor
from gateway.documents.parties import Party, load_parties, party_of
from gateway.documents.statement.content import Content, statement_content
from gateway.documents.statement.page import Line, lines_of
from gateway.documents.wording import document_words
from gateway.documents.xml import Part, part, written
from ledger.errors import Conflict
from ledger.identity import CarrierCode
from ledger.money import show_micros
from ledger.period import Period, parse_period

_ROOT = {
    "xmlns": "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2",
    "xmlns:cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "xmlns:cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
}
XML = "application/xml"
COMMERCIAL_INVOICE, CREDIT_TRANSFER = "380", "30"
"""UNTDID 1001 and 4461."""
_ONE = "C62"
"""UN/ECE Recommendation 20: one."""
_TAX_REASON = "Settlement between carriers: outside the scope of tax here; each carrier states tax under its own law"


def invoice(gateway: Gateway, partner: CarrierCode, period: Period, creditor: CarrierCode | None = None) -> Document:
    """The invoice of one of the two, ourselves unless told otherwise, for what both agreed of a month.

    Both carriers draw the same bytes but for what their parties.toml says. Raises Conflict before both agreed, or if
    nothing is owed; NotFound, Malformed, Unavailable.
    """
    content = statement_content(gateway, partner, period)
    return invoice_of(content, creditor or gateway.carrier, load_parties(gateway.settings.home))


def invoice_of(content: Content, creditor: CarrierCode, parties: Mapping[CarrierCode, Party]) -> Document:
    """The invoice of a statement's content. Raises Conflict."""
    _require_agreed(content)
    lines = [line for line in lines_of(content) if line.creditor == creditor and line.agreed]
    if not lines:
        raise Conflict(
            f"nothing is owed to {creditor} for {content['period']}",
            expected="an agreed amount above zero",
            got="none",
            todo="The partner's invoice: --creditor PARTNER.",
        )
    supplier, customer = party_of(parties, creditor), party_of(parties, CarrierCode(lines[0].debtor))
    number = f"{creditor}-{lines[0].debtor}-{content['period']}"
    parts = [*_head(content, number, lines), *_parties(supplier, customer), *_how_to_pay(content, supplier, number)]
    root = part("Invoice", [*parts, *_amounts(content, lines), *_lines(content, lines)], **_ROOT)
    return Document(f"invoice-{number}.xml", XML, written(root))


def _require_agreed(content: Content) -> None:
    if content["state"] == "draft":
        raise Conflict(
            f"{content['period']} is not agreed yet",
            expected="a statement that both signed",
            got="a draft",
            todo=f"Agree to it: `gsc accept --partner {content['partner']} --period {content['period']}`.",
        )


def _head(content: Content, number: str, lines: Sequence[Line]) -> list[Part | None]:
    period = parse_period(content["period"])
    last = monthrange(period.year, period.month)[1]
    return [
        part("cbc:UBLVersionID", "2.1"),
        part("cbc:ID", number),
        part("cbc:IssueDate", _day(content["standing"]["agreedAt"])),
        part("cbc:DueDate", _day(content["standing"]["dueAt"])),
        part("cbc:InvoiceTypeCode", COMMERCIAL_INVOICE),
        *(part("cbc:Note", note) for note in _notes(content, lines)),
        part("cbc:DocumentCurrencyCode", content["currency"]),
        part(
            "cac:InvoicePeriod",
            [part("cbc:StartDate", f"{period}-01"), part("cbc:EndDate", f"{period}-{last:02d}")],
        ),
        part("cac:StatementDocumentReference", [part("cbc:ID", content["statementId"])]),
        part("cac:ContractDocumentReference", [part("cbc:ID", content["statement"]["agreementId"])]),
    ]


def _notes(content: Content, lines: Sequence[Line]) -> list[str]:
    currency, exact = content["currency"], sum(line.agreed for line in lines)
    notes = [f"Exact amount {currency} {show_micros(exact)}, rounded to minor units once, half to even."]
    withheld = sum(line.withheld for line in lines)
    if withheld:
        notes.append(f"{currency} {show_micros(withheld)} more is disputed and not invoiced before it is decided.")
    notes.append("Payable after netting: the settlement book on the chain says what remains to be paid.")
    return notes


def _parties(supplier: Party, customer: Party) -> list[Part | None]:
    return [
        part("cac:AccountingSupplierParty", _party(supplier)),
        part("cac:AccountingCustomerParty", _party(customer)),
    ]


def _party(party: Party) -> Part | None:
    address = [
        part("cbc:StreetName", party.street),
        part("cbc:CityName", party.city),
        part("cbc:PostalZone", party.postal_code),
        part("cac:Country", part("cbc:IdentificationCode", party.country)),
    ]
    return part(
        "cac:Party",
        [
            part("cac:PartyIdentification", part("cbc:ID", party.code)),
            part("cac:PartyName", part("cbc:Name", party.name)),
            part("cac:PostalAddress", address),
            part("cac:PartyLegalEntity", part("cbc:RegistrationName", party.name)),
        ],
    )


def _how_to_pay(content: Content, supplier: Party, number: str) -> list[Part | None]:
    bank = part("cac:FinancialInstitutionBranch", part("cbc:ID", supplier.bic))
    number_at_bank = part("cbc:ID", supplier.iban or supplier.bank_number)
    held_by = part("cbc:Name", supplier.name) if number_at_bank else None
    return [
        part(
            "cac:PaymentMeans",
            [
                part("cbc:PaymentMeansCode", CREDIT_TRANSFER),
                part("cbc:PaymentDueDate", _day(content["standing"]["dueAt"])),
                part("cbc:PaymentID", number),
                part("cac:PayeeFinancialAccount", [number_at_bank, held_by, bank] if number_at_bank else None),
            ],
        ),
    ]


def _amounts(content: Content, lines: Sequence[Line]) -> list[Part | None]:
    currency = content["currency"]
    rounded = sum(to_minor(line.agreed, currency) for line in lines)
    payable = to_minor(sum(line.agreed for line in lines), currency)

    def amount(name: str, minor: int) -> Part | None:
        return part(name, show_minor(minor, currency), currencyID=currency)

    category = part(
        "cac:TaxCategory",
        [
            part("cbc:ID", "O"),
            part("cbc:TaxExemptionReasonCode", "VATEX-EU-O"),
            part("cbc:TaxExemptionReason", _TAX_REASON),
            part("cac:TaxScheme", part("cbc:ID", "VAT")),
        ],
    )
    return [
        part(
            "cac:TaxTotal",
            [
                amount("cbc:TaxAmount", 0),
                part("cac:TaxSubtotal", [amount("cbc:TaxableAmount", rounded), amount("cbc:TaxAmount", 0), category]),
            ],
        ),
        part(
            "cac:LegalMonetaryTotal",
            [
                amount("cbc:LineExtensionAmount", rounded),
                amount("cbc:TaxExclusiveAmount", rounded),
                amount("cbc:TaxInclusiveAmount", rounded),
                amount("cbc:PayableRoundingAmount", payable - rounded) if payable != rounded else None,
                amount("cbc:PayableAmount", payable),
            ],
        ),
    ]


def _lines(content: Content, lines: Sequence[Line]) -> list[Part | None]:
    return [_line(content, at, line) for at, line in enumerate(lines, start=1)]


def _line(content: Content, number: int, line: Line) -> Part | None:
    currency, words = content["currency"], document_words("en")
    amount = show_minor(to_minor(line.agreed, currency), currency)
    side = "ours" if line.creditor == content["drawnBy"] else "theirs"
    records = sum(
        int(each[side])
        for each in content["counts"]
        if (each["creditor"], each["service"]) == (line.creditor, line.service)
    )
    facts = {"records": str(records), "exact amount": show_micros(line.agreed)}
    item = part(
        "cac:Item",
        [
            part(
                "cbc:Name", f"{words(f'service.{line.service}')}, {content['period']}, {line.debtor} to {line.creditor}"
            ),
            part(
                "cac:ClassifiedTaxCategory",
                [part("cbc:ID", "O"), part("cac:TaxScheme", part("cbc:ID", "VAT"))],
            ),
            *(
                part("cac:AdditionalItemProperty", [part("cbc:Name", name), part("cbc:Value", value)])
                for name, value in facts.items()
            ),
        ],
    )
    return part(
        "cac:InvoiceLine",
        [
            part("cbc:ID", str(number)),
            part("cbc:InvoicedQuantity", "1", unitCode=_ONE),
            part("cbc:LineExtensionAmount", amount, currencyID=currency),
            item,
            part("cac:Price", part("cbc:PriceAmount", amount, currencyID=currency)),
        ],
    )


def _day(seconds: object) -> str:
    return datetime.fromtimestamp(int(str(seconds)), UTC).strftime("%Y-%m-%d")
