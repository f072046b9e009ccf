"""Which fraud do plain files of rated usage show, with no chain and no database?"""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from ledger.agreement import Agreement
from ledger.errors import Malformed, Refused
from ledger.identity import CarrierCode
from ledger.money import show_micros
from ledger.service import Service
from reconciliation.files import read_records
from reconciliation.fraud.flow import Known, flow_of
from reconciliation.fraud.search import find_frauds
from reconciliation.suspicion import Suspicion


def search_files(
    outgoing: Sequence[Path],
    incoming: Sequence[Path],
    agreement: Agreement,
    *,
    us: CarrierCode | None = None,
    service: Service = Service.VOICE,
    known: Sequence[Sequence[str] | None] = (),
) -> dict[str, object]:
    """Search what we owe for and what is owed to us with one partner; see reconciliation.files for the columns.

    We are the agreement's lower carrier unless told. `known` are premium beginnings, test numbers and own beginnings.
    Each suspicion names the lines of its records, files one after the other. Raises Malformed, Refused.
    """
    ours = us or agreement.low
    if ours not in (agreement.low, agreement.high):
        raise Refused("we are no party of the agreement", expected=f"{agreement.low} or {agreement.high}", got=ours)
    evidence = Known(*(_digits(each or ()) for each in known))
    partner = agreement.counterparty(ours)
    tables: dict[CarrierCode, pa.Table] = {}
    quarantined: list[dict[str, object]] = []
    for creditor, paths in ((partner, outgoing), (ours, incoming)):
        records = [(path, read_records(path, service)) for path in paths]
        for path, read in records:
            quarantined += [{"file": path.name, "line": row.line, "reason": row.reason} for row in read.quarantined]
        if records:
            tables[creditor] = pa.concat_tables([read.table for _, read in records])
    flows = [
        flow_of(table, creditor, agreement.counterparty(creditor), service, agreement.detectors)
        for creditor, table in tables.items()
    ]
    found = find_frauds(ours, flows, evidence)
    return {
        "us": ours,
        "partner": partner,
        "service": service.word,
        "currency": agreement.currency,
        "records": sum(len(table) for table in tables.values()),
        "suspicions": [_plain(each, tables[each.creditor]) for each in found],
        "quarantined": quarantined,
    }


def _plain(suspicion: Suspicion, table: pa.Table) -> dict[str, object]:
    return {
        "kind": suspicion.kind.value,
        "confidence": suspicion.confidence,
        "creditor": suspicion.creditor,
        "debtor": suspicion.debtor,
        "subject": suspicion.subject,
        "count": suspicion.count,
        "atRisk": show_micros(suspicion.money_at_risk_micros),
        "rule": suspicion.rule,
        "explanation": suspicion.explanation,
        "lines": table["line"].take(pa.array(suspicion.rows)).to_pylist(),
    }


def _digits(texts: Sequence[str]) -> tuple[str, ...]:
    for text in texts:
        if not (text.isascii() and text.isdigit()):
            raise Malformed("not the digits of a number", expected="digits, such as 1900", got=repr(text[:40]))
    return tuple(texts)
