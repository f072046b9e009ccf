"""Is an invoice what UBL 2.1 allows, do its amounts sum to the cent, and does it say what it leaves out?"""

import xml.etree.ElementTree as ET
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.documents.invoice import invoice_of
from gateway.documents.minor_units import from_minor, minor_places, show_minor, to_minor
from gateway.documents.parties import Party
from ledger.errors import Conflict
from ledger.identity import CarrierCode
from tests.gateway.documents.schemas import invoice_faults
from tests.gateway.documents.statement.contents import changed, statement_of_october

CN_T, GB_B = CarrierCode("CN-T"), CarrierCode("GB-B")
PARTIES = {
    GB_B: Party(GB_B, 'Example & Sons <"UK">', "1 Example Street", "London", "EC1A 1AA", "GB", bic="BUKBGB22"),
    CN_T: Party(CN_T, "示例运营商", country="CN", bank_number="0012-345678"),
}
_BASIC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"


def text_of(content: bytes, name: str) -> list[str]:
    return [each.text or "" for each in ET.fromstring(content).iter(f"{_BASIC}{name}")]


def with_amounts(*micros: int, currency: str = "USD") -> dict[str, Any]:
    """A statement whose GB-B lines agree these amounts, one a service."""
    content = statement_of_october()
    content["currency"] = currency
    line = content["statement"]["lines"][1]
    content["statement"]["lines"] = [
        line | {"service": str(service), "agreedMicros": str(each), "withheldMicros": "0"}
        for service, each in enumerate(micros)
    ]
    return content


@pytest.mark.parametrize("parties", [{}, PARTIES])
@pytest.mark.parametrize("creditor", [CN_T, GB_B])
def test_an_invoice_is_valid_ubl_with_and_without_what_is_known_of_the_parties(
    parties: dict[CarrierCode, Party], creditor: CarrierCode
) -> None:
    document = invoice_of(statement_of_october(), creditor, parties)

    assert invoice_faults(document.content) == []
    assert document.content == invoice_of(statement_of_october(), creditor, parties).content


def test_the_schema_bites_an_element_out_of_order() -> None:
    content = invoice_of(statement_of_october(), GB_B, PARTIES).content
    planted = content.replace(b"<cbc:UBLVersionID>2.1</cbc:UBLVersionID>", b"", 1).replace(
        b"</cac:InvoicePeriod>", b"</cac:InvoicePeriod><cbc:UBLVersionID>2.1</cbc:UBLVersionID>", 1
    )

    assert invoice_faults(planted)


def test_what_is_disputed_is_not_invoiced_and_says_so() -> None:
    content = invoice_of(statement_of_october(), GB_B, PARTIES).content

    assert text_of(content, "PayableAmount") == ["9150.00"]
    assert "USD 350.000000 more is disputed and not invoiced before it is decided." in text_of(content, "Note")
    assert (text_of(content, "DueDate"), text_of(content, "IssueDate")) == (["2026-12-01"], ["2026-11-01"])


def test_half_cents_of_two_lines_stand_as_a_rounding_amount() -> None:
    """1.004 and 1.004 are 1.00 each and 2.01 together."""
    content = invoice_of(with_amounts(1_004_000, 1_004_000), GB_B, {}).content

    assert invoice_faults(content) == []
    assert text_of(content, "LineExtensionAmount") == ["2.00", "1.00", "1.00"]
    assert (text_of(content, "PayableRoundingAmount"), text_of(content, "PayableAmount")) == (["0.01"], ["2.01"])


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(1, 10**12), min_size=1, max_size=4),
    st.sampled_from(["USD", "JPY", "KWD", "XDR"]),
)
def test_lines_and_rounding_sum_to_what_is_payable_in_every_currency(micros: list[int], currency: str) -> None:
    content = invoice_of(with_amounts(*micros, currency=currency), GB_B, {}).content

    def minor(name: str) -> list[int]:
        return [int(each.replace(".", "")) for each in text_of(content, name)]

    total, *lines = minor("LineExtensionAmount")
    assert sum(lines) == total == minor("TaxExclusiveAmount")[0] == minor("TaxInclusiveAmount")[0]
    assert total + sum(minor("PayableRoundingAmount")) == minor("PayableAmount")[0] == to_minor(sum(micros), currency)
    assert minor("TaxAmount") == [0, 0]


def test_tax_is_outside_the_scope_with_a_reason() -> None:
    content = invoice_of(statement_of_october(), CN_T, PARTIES).content

    assert text_of(content, "TaxExemptionReasonCode") == ["VATEX-EU-O"]
    assert "outside the scope of tax" in text_of(content, "TaxExemptionReason")[0]


def test_before_both_agreed_there_is_no_invoice() -> None:
    with pytest.raises(Conflict, match=r"gsc accept --partner GB-B --period 2026-10"):
        invoice_of(statement_of_october("draft"), CN_T, {})


def test_where_nothing_is_owed_there_is_no_invoice() -> None:
    content = changed(("statement", "lines", 0, "agreedMicros"), "0")

    with pytest.raises(Conflict, match="nothing is owed to CN-T"):
        invoice_of(content, CN_T, {})


@pytest.mark.parametrize(
    ("currency", "micros", "shown"),
    [("USD", 4_431_000, "4.43"), ("USD", 4_435_000, "4.44"), ("USD", 4_445_000, "4.44"), ("JPY", 1_500_000, "2"),
     ("KWD", 1_234_500, "1.234"), ("USD", -15_000, "-0.02")],
)  # fmt: skip
def test_minor_units_are_the_currencys_half_to_even(currency: str, micros: int, shown: str) -> None:
    minor = to_minor(micros, currency)

    assert show_minor(minor, currency) == shown
    assert abs(from_minor(minor, currency) - micros) * 2 <= 10 ** (6 - minor_places(currency))
