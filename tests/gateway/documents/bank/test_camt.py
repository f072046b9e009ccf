"""Is a bank's file read as it stands, and does a hostile one harm nobody?"""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.documents.bank import nodes
from gateway.documents.bank.camt import Booking, read_camt
from ledger.errors import Malformed
from tests.gateway.documents.bank.files import Told, bank_file, details, entry


def read(folder: Path, content: bytes) -> list[Booking]:
    path = folder / "bank.xml"
    path.write_bytes(content)
    return read_camt(path)


def test_a_booking_is_read_with_what_identifies_it(tmp_path: Path) -> None:
    [booking] = read(tmp_path, bank_file(entry(Told("4.43", end_to_end="GSC" + "ab" * 16, text="thanks & regards"))))

    assert booking == Booking(
        line=1,
        booked_on="GB33BUKB20201555555555",
        amount_micros=4_430_000,
        currency="USD",
        credit=True,
        booked=True,
        reversal=False,
        day="2026-12-01",
        end_to_end_id="GSC" + "ab" * 16,
        texts=("thanks & regards",),
        reference="BANK-1",
        payer="Example Payer",
    )


@pytest.mark.parametrize(
    ("told", "name", "value"),
    [
        (Told(way="DBIT"), "credit", False),
        (Told(state="<Cd>PDNG</Cd>"), "booked", False),
        (Told(state="BOOK"), "booked", True),
        (Told(reversal=True), "reversal", True),
        (Told(end_to_end="NOTPROVIDED"), "end_to_end_id", None),
        (Told(reference=None), "reference", None),
    ],
)
def test_direction_state_and_what_is_missing_are_read(tmp_path: Path, told: Told, name: str, value: object) -> None:
    [booking] = read(tmp_path, bank_file(entry(told)))

    assert getattr(booking, name) == value


def test_each_payment_of_a_collective_booking_stands_by_itself(tmp_path: Path) -> None:
    payments = "".join(details(Told(amount, end_to_end=f"E{amount}"), own_amount=True) for amount in ("60.00", "40.00"))
    bookings = read(tmp_path, bank_file(entry(Told(), payments), entry(Told("1.00", reference="BANK-2"))))

    assert [(each.line, each.amount_micros, each.reference) for each in bookings] == [
        (1, 60_000_000, "BANK-1/E60.00"),
        (2, 40_000_000, "BANK-1/E40.00"),
        (3, 1_000_000, "BANK-2"),
    ]


def test_a_notification_camt_054_is_read_alike(tmp_path: Path) -> None:
    content = bank_file(entry(Told()), namespace="urn:iso:std:iso:20022:tech:xsd:camt.054.001.02")

    assert [each.amount_micros for each in read(tmp_path, content)] == [100_000_000]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no XML"),
        (b"PK\x03\x04", "no XML"),
        (bank_file(entry(Told()))[:-20], "no XML"),
        (bank_file(), None),
        (b"<Document/>", "XML of another kind"),
        (
            bank_file(entry(Told()), namespace="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"),
            "XML of another kind",
        ),
        (bank_file(entry(Told())).replace(b' xmlns="', b' x="'), "XML of another kind"),
        (bank_file(entry(Told("-5.00"))), "booking 1 of the bank's file: its amount"),
        (bank_file(entry(Told("1e9"))), "its amount cannot be read"),
        (bank_file(entry(Told("1.0000001"))), "its amount cannot be read"),
        (bank_file(entry(Told("99999999999999"))), "its amount cannot be read"),
        (bank_file(entry(Told(), details(Told()) * 2)), "no amount of its own"),
    ],
)
def test_what_is_no_bank_file_is_refused_with_the_reason(tmp_path: Path, content: bytes, said: str | None) -> None:
    if said is None:
        assert read(tmp_path, content) == []
    else:
        with pytest.raises(Malformed, match=said):
            read(tmp_path, content)


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;">]>',
        '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/evil.dtd">',
        '<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1:9/p">%p;]>',
    ],
)
def test_a_document_type_is_refused_before_an_entity_can_stand(tmp_path: Path, doctype: str) -> None:
    content = bank_file(entry(Told(text="&x;"))).replace(b"&amp;x;", b"&x;")
    head, body = content.split(b"?>", 1)

    with pytest.raises(Malformed, match="document type"):
        read(tmp_path, head + b"?>" + doctype.encode() + body)


@pytest.mark.parametrize(
    ("limit", "value", "content", "said"),
    [
        ("MAX_BYTES", 100, bank_file(entry(Told())), "more than 100 bytes"),
        ("MAX_DEPTH", 40, bank_file("<A>" * 41 + "</A>" * 41), "stand within each other"),
        ("MAX_PARTS", 10, bank_file(entry(Told())), "more than 10 elements"),
        ("MAX_TEXT", 100, bank_file(entry(Told(text="x" * 101))), "more than 100 characters"),
    ],
)
def test_what_has_no_end_is_not_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, content: bytes, said: str
) -> None:
    monkeypatch.setattr(nodes, limit, value)

    with pytest.raises(Malformed, match=said):
        read(tmp_path, content)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 900), st.binary(max_size=6))
def test_a_changed_byte_anywhere_gives_bookings_or_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, at: int, other: bytes
) -> None:
    content = bank_file(entry(Told(end_to_end="GSC" + "ab" * 16)))

    try:
        read(tmp_path_factory.getbasetemp(), content[:at] + other + content[at + len(other) :])
    except Malformed as refusal:
        assert refusal.message
