"""Is a payment order what the bank's schema allows, does it sum, and does it name each payable?"""

import xml.etree.ElementTree as ET

import pytest

from gateway.documents.parties import Party
from gateway.documents.payment_order import OrderVersion, Transfer, end_to_end_id, order_xml, remittance_text
from ledger.errors import NotFound
from ledger.identity import CarrierCode
from tests.gateway.documents.schemas import order_faults

CN_T, GB_B, FR_C = CarrierCode("CN-T"), CarrierCode("GB-B"), CarrierCode("FR-C")
PARTIES = {
    GB_B: Party(GB_B, "Example & Sons", "1 Example Street", "London", "EC1A 1AA", "GB", "GB33BUKB20201555555555"),
    CN_T: Party(CN_T, "Example (China)", country="CN", bank_number="0012-345678", bic="BKCHCNBJ"),
    FR_C: Party(FR_C, "Exemple", country="FR", iban="FR1420041010050500013M02606", bic="PSSTFRPPXXX"),
}
NOVEMBER_30, DECEMBER_1 = 1_795_996_800, 1_796_083_200
TRANSFERS = (
    Transfer(bytes([1]) * 32, GB_B, CN_T, "USD", 443, DECEMBER_1),
    Transfer(bytes([2]) * 32, GB_B, FR_C, "USD", 1_000_057, DECEMBER_1),
    Transfer(bytes([3]) * 32, GB_B, FR_C, "JPY", 12_000, NOVEMBER_30 - 86_400),
)


def texts(order: bytes, name: str) -> list[str]:
    return [each.text or "" for each in ET.fromstring(order).iter() if each.tag.endswith(f"}}{name}")]


@pytest.mark.parametrize("version", OrderVersion)
def test_an_order_is_valid_and_sums_in_each_currency(version: OrderVersion) -> None:
    order = order_xml(TRANSFERS, PARTIES, NOVEMBER_30, version)

    assert order_faults(order, version) == []
    assert texts(order, "NbOfTxs") == ["3", "1", "2"]
    assert texts(order, "CtrlSum") == ["12000", "10005.00"]
    assert texts(order, "InstdAmt") == ["12000", "4.43", "10000.57"]


def test_the_schema_bites_an_amount_without_its_currency() -> None:
    order = order_xml(TRANSFERS, PARTIES, NOVEMBER_30, OrderVersion.V09)

    assert order_faults(order.replace(b' Ccy="JPY"', b"", 1), OrderVersion.V09)


def test_each_transfer_names_its_payable_within_what_banks_carry() -> None:
    order = order_xml(TRANSFERS, PARTIES, NOVEMBER_30, OrderVersion.V09)

    assert texts(order, "EndToEndId") == [end_to_end_id(bytes([number]) * 32) for number in (3, 1, 2)]
    assert texts(order, "Ustrd")[1] == remittance_text(bytes([1]) * 32) == "GSC payable 0x" + "01" * 32
    assert {len(each) for each in texts(order, "EndToEndId")} == {35}
    assert max(map(len, texts(order, "PmtInfId"))) <= 35


def test_nothing_is_ordered_for_a_day_that_is_past() -> None:
    assert texts(order_xml(TRANSFERS, PARTIES, NOVEMBER_30, OrderVersion.V03), "ReqdExctnDt") == [
        "2026-11-30",
        "2026-12-01",
    ]


def test_the_same_payables_give_an_order_of_the_same_name_and_others_another() -> None:
    def name(*transfers: Transfer) -> str:
        return texts(order_xml(transfers, PARTIES, NOVEMBER_30, OrderVersion.V09), "MsgId")[0]

    assert name(*TRANSFERS) == name(*reversed(TRANSFERS)) != name(*TRANSFERS[1:])


def test_a_bank_that_is_not_known_is_said_to_be_not_provided() -> None:
    assert "NOTPROVIDED" in texts(order_xml(TRANSFERS, PARTIES, NOVEMBER_30, OrderVersion.V09), "Id")


def test_without_an_account_of_the_creditor_nothing_is_ordered() -> None:
    with pytest.raises(NotFound, match="no bank account of FR-C"):
        order_xml(TRANSFERS, {each: PARTIES[each] for each in (GB_B, CN_T)}, NOVEMBER_30, OrderVersion.V09)
