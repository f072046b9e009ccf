"""How does a debtor's bank hear what to pay? The payables that are open, as a payment order in ISO 20022 pain.001.

One group, one block of transfers for each currency. A transfer's end-to-end id names its payable (the first 128 bits of
its id), and so does its text in full: what comes back in the creditor's camt.053 is recognised by either. The order's
ids follow from what it pays, so a bank that gets it twice sees that. Source: ISO 20022 message definition reports,
CustomerCreditTransferInitiationV09 and V03.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from gateway.composition import Gateway, partnership_of_id
from gateway.documents.document import Document
from gateway.documents.minor_units import show_minor, to_minor
from gateway.documents.parties import Party, load_parties, payable_party
from gateway.documents.xml import Part, part, written
from gateway.month.paying import outstanding_of
from ledger.canonical import canonical_hash
from ledger.errors import NotFound
from ledger.identity import CarrierCode
from ledger.store.engine import reading
from ledger.store.settlement import PayableRow, list_payables

XML = "application/xml"
_LOWEST = 1
"""Minor units: a bank moves nothing smaller."""


class OrderVersion(StrEnum):
    """Which version of the message a bank takes."""

    V09 = "pain.001.001.09"
    """Of 2019; what SWIFT and SEPA use."""
    V03 = "pain.001.001.03"
    """Of 2009; what older bank software reads."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """One payment of an order; the amount in minor units of its currency."""

    payable_id: bytes
    debtor: CarrierCode
    creditor: CarrierCode
    currency: str
    minor: int
    due_at: int


def end_to_end_id(payable_id: bytes) -> str:
    """35 characters that name a payable at a bank (ISO 20022 Max35Text)."""
    return f"GSC{payable_id.hex()[:32]}"


def remittance_text(payable_id: bytes) -> str:
    """The payable in full, as the transfer's text (Max140Text)."""
    return f"GSC payable 0x{payable_id.hex()}"


def payment_order(
    gateway: Gateway, partner: CarrierCode | None = None, version: OrderVersion = OrderVersion.V09
) -> Document:
    """An order for everything we owe now, interest included; to one partner or to all.

    Raises NotFound if nothing is open or an account is not known; Malformed, Unavailable.
    """
    gateway.catch_up()
    with reading(gateway.engine) as connection:
        rows = [row for row in list_payables(connection) if row.debtor == gateway.carrier and row.outstanding_micros]
    wanted = [row for row in rows if partner in (None, row.creditor)]
    transfers = [each for row in wanted if (each := _transfer(gateway, row)).minor >= _LOWEST]
    if not transfers:
        raise NotFound(
            f"there is nothing that {gateway.carrier} could pay {partner or 'anybody'} through a bank",
            expected="an open payable of a minor unit or more",
            got=f"{len(wanted)} open payable(s), all smaller" if wanted else "no open payable",
            todo="See what is open: `gsc age`.",
        )
    parties = load_parties(gateway.settings.home)
    name = f"order-{gateway.carrier}-{partner or 'all'}-{_day(gateway.now_s)}.xml"
    return Document(name, XML, order_xml(transfers, parties, gateway.now_s, version))


def order_xml(
    transfers: Sequence[Transfer], parties: Mapping[CarrierCode, Party], now_s: int, version: OrderVersion
) -> bytes:
    """The order of these transfers, all of one debtor. Nothing is ordered for a day that is past. Raises NotFound."""
    in_order = sorted(transfers, key=lambda each: (each.currency, each.due_at, each.payable_id))
    name = _order_name(in_order)
    debtor = payable_party(parties, in_order[0].debtor)
    blocks: dict[tuple[str, str], list[Transfer]] = {}
    for each in in_order:
        blocks.setdefault((each.currency, _day(max(each.due_at, now_s))), []).append(each)
    head = part(
        "GrpHdr",
        [
            part("MsgId", name),
            part("CreDtTm", datetime.fromtimestamp(now_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")),
            part("NbOfTxs", str(len(in_order))),
            part("InitgPty", part("Nm", debtor.name)),
        ],
    )
    told = [
        _block(f"{name}-{number}", debtor, day, each, parties, version)
        for number, ((_, day), each) in enumerate(blocks.items(), start=1)
    ]
    initiation = part("CstmrCdtTrfInitn", [head, *told])
    return written(part("Document", initiation, xmlns=f"urn:iso:std:iso:20022:tech:xsd:{version}"))


def _transfer(gateway: Gateway, row: PayableRow) -> Transfer:
    currency = partnership_of_id(gateway.settings, row.agreement_id).currency
    minor = to_minor(sum(outstanding_of(gateway, row.payable_id)), currency)
    return Transfer(row.payable_id, row.debtor, row.creditor, currency, minor, row.due_at)


def _order_name(transfers: Sequence[Transfer]) -> str:
    """The same payables and amounts, the same name: 27 characters, which leaves eight for the block's number."""
    return f"GSC{canonical_hash('order', [[each.payable_id, each.minor] for each in transfers]).hex()[:24]}"


def _block(
    name: str,
    debtor: Party,
    day: str,
    transfers: Sequence[Transfer],
    parties: Mapping[CarrierCode, Party],
    version: OrderVersion,
) -> Part | None:
    currency = transfers[0].currency
    total = show_minor(sum(each.minor for each in transfers), currency)
    return part(
        "PmtInf",
        [
            part("PmtInfId", name),
            part("PmtMtd", "TRF"),
            part("NbOfTxs", str(len(transfers))),
            part("CtrlSum", total),
            part("ReqdExctnDt", day if version is OrderVersion.V03 else part("Dt", day)),
            _party("Dbtr", debtor),
            part("DbtrAcct", [_held_at(debtor), part("Ccy", currency)]),
            _bank("DbtrAgt", debtor, version),
            part("ChrgBr", "SHAR"),
            *(_one(each, payable_party(parties, each.creditor), version) for each in transfers),
        ],
    )


def _one(transfer: Transfer, creditor: Party, version: OrderVersion) -> Part | None:
    amount = show_minor(transfer.minor, transfer.currency)
    name = end_to_end_id(transfer.payable_id)
    return part(
        "CdtTrfTxInf",
        [
            part("PmtId", [part("InstrId", name), part("EndToEndId", name)]),
            part("Amt", part("InstdAmt", amount, Ccy=transfer.currency)),
            _bank("CdtrAgt", creditor, version),
            _party("Cdtr", creditor),
            part("CdtrAcct", _held_at(creditor)),
            part("RmtInf", part("Ustrd", remittance_text(transfer.payable_id))),
        ],
    )


def _party(name: str, party: Party) -> Part | None:
    address = [
        part("StrtNm", party.street),
        part("PstCd", party.postal_code[:16] if party.postal_code else None),
        part("TwnNm", party.city[:35] if party.city else None),
        part("Ctry", party.country),
    ]
    return part(name, [part("Nm", party.name), part("PstlAdr", address)])


def _held_at(party: Party) -> Part | None:
    other = part("Othr", part("Id", party.bank_number))
    return part("Id", part("IBAN", party.iban) if party.iban else other)


def _bank(name: str, party: Party, version: OrderVersion) -> Part | None:
    """An agent must be named; a bank that is not known is said to be not provided, as the European guides do."""
    known = part("BIC" if version is OrderVersion.V03 else "BICFI", party.bic)
    return part(name, part("FinInstnId", known or part("Othr", part("Id", "NOTPROVIDED"))))


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
