"""How does a month leave as tables? The statement's lines, causes and disputes, its findings, and its records."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gateway.composition import Gateway, partnership_with
from gateway.documents.document import Document
from gateway.documents.statement.content import Content
from gateway.documents.statement.page import lines_of
from gateway.documents.tables import MONEY, TableFormat, export, money_column, rows_of, rows_table
from gateway.documents.workbook import Sheet, workbook
from gateway.month.books import Book, book_of, revealed_book
from gateway.month.parts import directions
from gateway.month.versions import of_period
from ledger import archive
from ledger.identity import CarrierCode
from ledger.period import Period
from ledger.store.engine import reading
from ledger.store.findings import latest_reconciliations, list_findings

_TEXT, _WHOLE = pa.string(), pa.int64()
LINES = pa.schema(
    {
        "period": _TEXT,
        "creditor": _TEXT,
        "debtor": _TEXT,
        "service": _TEXT,
        "currency": _TEXT,
        "creditor_claims": MONEY,
        "debtor_counted": MONEY,
        "difference": MONEY,
        "agreed": MONEY,
        "withheld": MONEY,
        "statement_id": _TEXT,
    }
)
CAUSES = pa.schema({"creditor": _TEXT, "service": _TEXT, "cause": _TEXT, "records": _WHOLE, "ours_less_theirs": MONEY})
DISPUTES = pa.schema(
    {
        "dispute_id": _TEXT,
        "creditor": _TEXT,
        "service": _TEXT,
        "reason": _TEXT,
        "state": _TEXT,
        "amount": MONEY,
        "credited": MONEY,
        "due": MONEY,
    }
)
FINDINGS = pa.schema(
    {
        "creditor": _TEXT,
        "service": _TEXT,
        "cause": _TEXT,
        "severity": _TEXT,
        "records": _WHOLE,
        "ours": MONEY,
        "theirs": MONEY,
        "difference": MONEY,
        "route": _TEXT,
        "destination": _TEXT,
        "day": _TEXT,
        "explanation": _TEXT,
        "rule": _TEXT,
    }
)
RECORDS = pa.schema(
    {
        "declarer": _TEXT,
        "creditor": _TEXT,
        "service": _TEXT,
        "root": _TEXT,
        "index": _WHOLE,
        "line": _WHOLE,
        "a_party": _TEXT,
        "b_party": _TEXT,
        "start": pa.timestamp("ms", "UTC"),
        "quantity": _WHOLE,
        "route": _TEXT,
        "destination": _TEXT,
        "code": _TEXT,
        "charged_quantity": _WHOLE,
        "amount": MONEY,
    }
)
_READ_ROWS = 50_000


def statement_sheets(content: Content, format_: TableFormat) -> Document:
    """The statement as a table: its lines; as a workbook with further sheets for causes and disputes."""
    lines, name = lines_table(content), f"statement-{content['drawnBy']}-{content['partner']}-{content['period']}"
    if format_ is TableFormat.XLSX:
        tables = {"Lines": lines, "Causes": causes_table(content), "Disputes": disputes_table(content)}
        pieces = workbook(
            *(Sheet(each.schema.names, rows_of(each.to_batches()), title) for title, each in tables.items())
        )
    else:
        pieces = export(lines, format_)
    return Document(f"{name}.{format_}", format_.media_type, b"".join(pieces))


def lines_table(content: Content) -> pa.Table:
    """One row for each signed line, under LINES."""
    return rows_table(
        LINES,
        [
            (
                content["period"],
                line.creditor,
                line.debtor,
                line.service,
                content["currency"],
                line.claimed,
                line.counted,
                line.claimed - line.counted,
                line.agreed,
                line.withheld,
                content["statementId"],
            )
            for line in lines_of(content)
        ],
    )


def causes_table(content: Content) -> pa.Table:
    """One row for each cause, under CAUSES."""
    rows = [
        (each["creditor"], each["service"], each["cause"], int(each["count"]), int(each["amountMicros"]))
        for each in content["causes"]
    ]
    return rows_table(CAUSES, rows)


def disputes_table(content: Content) -> pa.Table:
    """One row for each dispute, under DISPUTES."""
    words, amounts = ("disputeId", "creditor", "service", "reason", "state"), ("amount", "credited", "due")
    rows = [
        (*(each[name] for name in words), *(int(each[f"{name}Micros"]) for name in amounts))
        for each in content["disputes"]
    ]
    return rows_table(DISPUTES, rows)


def findings_table(gateway: Gateway, partner: CarrierCode, period: Period) -> pa.Table:
    """Every finding of the latest reconciliation of a month with one partner, under FINDINGS. Raises NotFound."""
    held = of_period(gateway, partnership_with(gateway.settings, partner), period)
    with reading(gateway.engine) as connection:
        found = [
            row
            for run in latest_reconciliations(connection, held.id, period)
            for row in list_findings(connection, run.id or 0)
        ]
    rows = [
        (
            row.creditor,
            row.service.word,
            row.cause,
            row.severity,
            row.count,
            row.ours_micros,
            row.theirs_micros,
            row.ours_micros - row.theirs_micros,
            row.route,
            row.destination,
            row.day,
            row.explanation,
            row.rule,
        )
        for row in found
    ]
    return rows_table(FINDINGS, rows)


def records_of_month(gateway: Gateway, partner: CarrierCode, period: Period) -> pa.RecordBatchReader:
    """Every sealed record of both sides that we hold of a month with one partner, under RECORDS: read as it is taken.

    Raises NotFound for a partner without agreement.
    """
    held = of_period(gateway, partnership_with(gateway.settings, partner), period)
    books = [
        (book, direction.creditor, direction.service.word)
        for direction in directions(held)
        for book in (book_of(gateway, direction, gateway.carrier, period), revealed_book(gateway, direction, period))
    ]
    batches = (
        batch for book, creditor, service in books for batch in _record_batches(gateway, book, creditor, service)
    )
    return pa.RecordBatchReader.from_batches(RECORDS, batches)


def _record_batches(gateway: Gateway, book: Book, creditor: str, service: str) -> Iterator[pa.RecordBatch]:
    for declared in book.batches:
        said = (book.declarer, creditor, service, f"0x{declared.root.hex()}")
        with pq.ParquetFile(gateway.settings.archive_path / archive.archive_name(declared.root)) as file:
            first = 0
            for piece in file.iter_batches(_READ_ROWS):
                yield _record_batch(piece, said, first)
                first += piece.num_rows


def _record_batch(piece: pa.RecordBatch, said: tuple[str, ...], first: int) -> pa.RecordBatch:
    rows = piece.num_rows
    columns = {name: pa.repeat(value, rows) for name, value in zip(RECORDS.names[:4], said, strict=True)}
    columns |= {
        "index": pa.array(range(first, first + rows), _WHOLE),
        "start": pc.cast(piece["start_ms"], pa.timestamp("ms", "UTC")),
        "amount": money_column(piece["amount_micros"]),
    }
    arrays = [
        columns[name] if name in columns else piece[name].cast(RECORDS.field(name).type) for name in RECORDS.names
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=RECORDS)
