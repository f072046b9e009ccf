"""What does a bank say in camt.053 and camt.054? Each booking with its amount, its references and its state.

Source: ISO 20022, BankToCustomerStatement (camt.053.001.02 to .14) and BankToCustomerDebitCreditNotification
(camt.054, same versions): Ntry is a booking, TxDtls one of the payments behind it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.documents.bank.nodes import Node, nodes_of
from ledger.errors import Malformed
from ledger.money import Micros, parse_micros

_NAMESPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:camt\.05[34]\.001\.[0-9]{2}")
_KEPT = frozenset({"Ntry", "Acct"})
_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,5})?")
_BOOKED = "BOOK"


@dataclass(frozen=True, slots=True)
class Booking:
    """One payment that a bank's file tells of; `line` counts them from 1."""

    line: int
    booked_on: str | None
    """The IBAN or number of our account."""
    amount_micros: Micros
    currency: str
    credit: bool
    """Whether money came in."""
    booked: bool
    """Not: announced only."""
    reversal: bool
    day: str | None
    end_to_end_id: str | None
    texts: tuple[str, ...]
    """Remittance, structured and not."""
    reference: str | None
    """The bank's own; the same booking has the same wherever it is told again."""
    payer: str | None


def read_camt(path: Path) -> list[Booking]:
    """Every payment in a bank's file. Raises Malformed, naming the booking."""
    try:
        with path.open("rb") as stream:
            return list(_bookings(nodes_of(stream, _KEPT, _NAMESPACE)))
    except OSError as error:
        raise Malformed("the bank's file cannot be opened", expected="a camt.053 file", got=str(error)) from None


def _bookings(nodes: Iterator[Node]) -> Iterator[Booking]:
    line, booked_on = 0, None
    for node in nodes:
        if node.name == "Acct":
            booked_on = node.word("Id", "IBAN") or node.word("Id", "Othr", "Id")
            continue
        for booking in _of_entry(node, booked_on, line + 1):
            line = booking.line
            yield booking


def _of_entry(entry: Node, booked_on: str | None, line: int) -> Iterator[Booking]:
    """One booking, or each of the payments that the bank booked as one."""
    payments = list(entry.all("NtryDtls", "TxDtls")) or [Node("TxDtls")]
    for number, payment in enumerate(payments):
        yield _booking(entry, payment, booked_on, line + number, len(payments) > 1)


def _booking(entry: Node, payment: Node, booked_on: str | None, line: int, one_of_many: bool) -> Booking:
    whole = entry.at("Amt")
    own = payment.at("Amt") or payment.at("AmtDtls", "TxAmt", "Amt")
    if one_of_many and own is None:
        raise _unreadable(line, "a payment of a collective booking has no amount of its own", "TxDtls/Amt")
    amount = own if one_of_many else whole
    state = entry.word("Sts", "Cd") or entry.word("Sts")
    end_to_end = payment.word("Refs", "EndToEndId")
    return Booking(
        line=line,
        booked_on=booked_on,
        amount_micros=_amount(amount, line),
        currency=(amount.attributes.get("Ccy", "") if amount else "")[:3],
        credit=(payment.word("CdtDbtInd") or entry.word("CdtDbtInd")) == "CRDT",
        booked=state == _BOOKED,
        reversal=entry.word("RvslInd") in ("true", "1"),
        day=entry.word("BookgDt", "Dt") or entry.word("BookgDt", "DtTm"),
        end_to_end_id=None if end_to_end == "NOTPROVIDED" else end_to_end,
        texts=_texts(payment),
        reference=_reference(entry, payment, line, one_of_many),
        payer=payment.word("RltdPties", "Dbtr", "Nm") or payment.word("RltdPties", "Dbtr", "Pty", "Nm"),
    )


def _texts(payment: Node) -> tuple[str, ...]:
    paths = (("Ustrd",), ("Strd", "CdtrRefInf", "Ref"), ("Strd", "RfrdDocInf", "Nb"), ("Strd", "AddtlRmtInf"))
    told = [each.text.strip() for path in paths for each in payment.all("RmtInf", *path)]
    return tuple(each for each in told if each)


def _reference(entry: Node, payment: Node, line: int, one_of_many: bool) -> str | None:
    """Of the payment if it has one; else of the booking, with its place where that holds several."""
    own = payment.word("Refs", "AcctSvcrRef")
    whole = entry.word("AcctSvcrRef") or entry.word("NtryRef")
    if one_of_many and own in (None, whole):
        end_to_end = payment.word("Refs", "EndToEndId") or payment.word("Refs", "TxId")
        return f"{whole}/{end_to_end}" if whole and end_to_end else None
    return own or whole


def _amount(amount: Node | None, line: int) -> Micros:
    text = amount.text.strip() if amount else ""
    if not _AMOUNT.fullmatch(text):
        raise _unreadable(line, "its amount cannot be read", "at most 12 digits and five places", text)
    return parse_micros(text)


def _unreadable(line: int, why: str, expected: str, got: str = "nothing") -> Malformed:
    return Malformed(f"booking {line} of the bank's file: {why}", expected=expected, got=got[:40] or "nothing")
