"""How do tests write a bank's file? camt.053 as banks send it, with the bookings that a test names."""

from dataclasses import dataclass
from xml.sax.saxutils import escape

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
_CLOSING = (
    '<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="USD">1000.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>'
    "<Dt><Dt>2026-12-01</Dt></Dt></Bal>"
)


@dataclass(frozen=True)
class Told:
    """One booking of a test's file."""

    amount: str = "100.00"
    currency: str = "USD"
    end_to_end: str | None = None
    text: str | None = None
    reference: str | None = "BANK-1"
    way: str = "CRDT"
    state: str = "<Cd>BOOK</Cd>"
    reversal: bool = False


def details(told: Told, *, own_amount: bool = False) -> str:
    ids = f"<EndToEndId>{escape(told.end_to_end)}</EndToEndId>" if told.end_to_end else ""
    amount = f'<Amt Ccy="{told.currency}">{told.amount}</Amt><CdtDbtInd>{told.way}</CdtDbtInd>' if own_amount else ""
    payer = "<RltdPties><Dbtr><Pty><Nm>Example Payer</Nm></Pty></Dbtr></RltdPties>"
    text = f"<RmtInf><Ustrd>{escape(told.text)}</Ustrd></RmtInf>" if told.text else ""
    return f"<TxDtls><Refs>{ids}</Refs>{amount}{payer}{text}</TxDtls>"


def entry(told: Told, payments: str | None = None) -> str:
    reference = f"<AcctSvcrRef>{told.reference}</AcctSvcrRef>" if told.reference else ""
    taken_back = "<RvslInd>true</RvslInd>" if told.reversal else ""
    return (
        f'<Ntry><Amt Ccy="{told.currency}">{told.amount}</Amt><CdtDbtInd>{told.way}</CdtDbtInd>{taken_back}'
        f"<Sts>{told.state}</Sts><BookgDt><Dt>2026-12-01</Dt></BookgDt>{reference}"
        f"<BkTxCd><Prtry><Cd>NTRF</Cd></Prtry></BkTxCd><NtryDtls>{payments or details(told)}</NtryDtls></Ntry>"
    )


def bank_file(*entries: str, namespace: str = NAMESPACE) -> bytes:
    """A statement of one account with these entries."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="{namespace}"><BkToCstmrStmt>'
        "<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-12-01T06:00:00Z</CreDtTm></GrpHdr>"
        "<Stmt><Id>S1</Id><CreDtTm>2026-12-01T06:00:00Z</CreDtTm>"
        "<Acct><Id><IBAN>GB33BUKB20201555555555</IBAN></Id></Acct>"
        f"{_CLOSING}{''.join(entries)}</Stmt></BkToCstmrStmt></Document>"
    ).encode()
