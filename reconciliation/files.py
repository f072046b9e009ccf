"""What do plain files say, with no chain and no database? Two sides' records reconciled, obligations netted."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from ledger.agreement import Agreement
from ledger.cells import plain_cell
from ledger.errors import GscError, Malformed, Refused, RowMalformed
from ledger.identity import AgreementId, CarrierCode, carrier_code
from ledger.money import Micros, parse_micros
from ledger.period import Period
from ledger.prices.deck import DeckHistory
from ledger.prices.fx import Conversion
from ledger.service import Service
from ledger.unreadable import why_unreadable
from ledger.usage import FIRST_MS, LAST_MS, RATED_SCHEMA, BatchScope
from reconciliation.plain import netting_plain, proposal_plain, reconciliation_plain
from reconciliation.reconcile import reconcile_sources
from reconciliation.settling.disputes import dispute_proposals
from reconciliation.settling.netting import Obligation
from reconciliation.settling.netting_steps import net_each_currency
from reconciliation.streaming.sources import Source, file_source, table_source
from reconciliation.streaming.stream import USUAL_WAY, Way
from reconciliation.totals import QUARTER_MS

RECORD = (("a_party",), ("b_party",), ("start_ms", "start"), ("quantity",), ("amount_micros", "amount"))
"""Columns that a file of records needs, one of each."""
SAME = (("start_ms", "start"), ("amount_micros", "amount"))
"""Columns that say the same thing: a file has one of two."""
OBLIGATION = ("debtor", "creditor", "currency", "amount")
MAX_FIELD = 1_000
MAX_PARTY = 32
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INT64 = 2**63
_YEARS = "between 2000 and 2100"


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A row that could not be read."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Records:
    """A file's records as a RatedTable, and the rows that could not be read."""

    table: pa.Table
    quarantined: tuple[Quarantined, ...]


class Row:
    """One line's cells by column name; an absent column is empty."""

    def __init__(self, header: Sequence[str], cells: Sequence[str]) -> None:
        self.width, self.expected = len(cells), len(header)
        self.cells = dict(zip(header, cells, strict=False))

    def __getitem__(self, column: str) -> str:
        return plain_cell(self.cells.get(column, "").strip())[:MAX_FIELD]

    def check_width(self) -> None:
        """Raises RowMalformed."""
        if self.width != self.expected:
            raise RowMalformed("another number of cells than the header", expected=self.expected, got=self.width)


def reconcile_files(
    ours_path: Path,
    theirs_path: Path,
    agreement: Agreement,
    *,
    ours: CarrierCode | None = None,
    creditor: CarrierCode | None = None,
    period: Period | None = None,
    service: Service = Service.VOICE,
    decks: DeckHistory | None = None,
    into: Conversion | None = None,
    way: Way = USUAL_WAY,
) -> dict[str, object]:
    """Reconcile two CSV or Parquet files; see `read_records` for their columns.

    Unless told otherwise we are the agreement's lower carrier and check the other's claim, for the month most
    records are of. By the creditor's `decks` it is named how a price differs; `into` converts their currency.
    `way` says where the work is done (streaming/stream.py); the answer is the same for all.

    Raises Malformed for a file that is none, Refused for a carrier that is no party.
    """
    (us, our_rest), (them, their_rest) = (_source(path, service) for path in (ours_path, theirs_path))
    declarer = ours or agreement.low
    if declarer not in (agreement.low, agreement.high):
        expected = f"{agreement.low} or {agreement.high}"
        raise Refused("we are no party of the agreement", expected=expected, got=declarer)
    claimant = creditor or agreement.counterparty(declarer)
    month = period or _month(us, them, agreement=agreement)
    scope = BatchScope(AgreementId(bytes(32)), declarer, claimant, service, month)
    answer = reconcile_sources(us, them, scope=scope, agreement=agreement, decks=decks, into=into, way=way)
    return {
        **reconciliation_plain(answer),
        "disputes": [proposal_plain(proposal) for proposal in dispute_proposals(answer, agreement)],
        "quarantined": {
            "ours": [{"line": row.line, "reason": row.reason} for row in our_rest],
            "theirs": [{"line": row.line, "reason": row.reason} for row in their_rest],
        },
    }


def _source(path: Path, service: Service) -> tuple[Source, tuple[Quarantined, ...]]:
    """A file's records, of a Parquet file unread, and the rows that could not be read."""
    if path.suffix.lower() == ".parquet":
        return _parquet(path), ()
    records = read_records(path, service)
    return table_source(records.table), records.quarantined


def net_file(path: Path, lines: Path | None = None) -> dict[str, object]:
    """Net a CSV of debtor, creditor, currency, amount: one cycle for each currency. Raises Malformed with the line.

    `lines`, with the same columns, are credit lines within which claims may be passed on.
    """
    granted = None if lines is None else _obligations(lines)
    return {"cycles": [netting_plain(steps) for steps in net_each_currency(_obligations(path), granted)]}


def read_records(path: Path, service: Service = Service.VOICE) -> Records:
    """Read usage records with amounts.

    Parquet: RATED_SCHEMA (ledger/usage.py), such as an archive file. CSV with a header: a_party, b_party (digits; of
    messages the recipient's alone, of samples carriers, of circuits their ends),
    start_ms (UTC milliseconds) or start (ISO 8601, UTC if it names no offset), quantity (milliseconds for voice),
    amount_micros or amount (decimal); optional line, route, destination, code, charged_quantity.
    """
    if path.suffix.lower() == ".parquet":
        return Records(_parquet(path).table(), ())
    columns: dict[str, list[object]] = {name: [] for name in RATED_SCHEMA.names}
    quarantined: list[Quarantined] = []
    for line, row in _rows(path, RECORD):
        try:
            values = _record(line, row, service)
        except GscError as error:
            quarantined.append(Quarantined(line, str(error)))
            continue
        for name, value in values.items():
            columns[name].append(value)
    return Records(pa.Table.from_pydict(columns, schema=RATED_SCHEMA), tuple(quarantined))


def _parquet(path: Path) -> Source:
    """Raises Malformed for a start that no clock shows, before it is asked for its day."""
    source = file_source([path])
    outside = [each for each in _start_bounds(source) if not FIRST_MS <= each < LAST_MS]
    if outside:
        raise Malformed(
            f"{path.name} has a start_ms that is not {_YEARS}",
            expected=f"{FIRST_MS} to {LAST_MS - 1}: milliseconds since 1970, UTC",
            got=str(outside[0]),
            todo="Milliseconds are expected, not seconds or microseconds; take out rows of a wrong clock.",
        )
    return source


def _start_bounds(source: Source) -> tuple[int, ...]:
    """Least and largest start; none without records."""
    known = source.bounds("start_ms")
    if known is not None:
        return known
    read = (table["start_ms"].to_numpy() for piece in source.pieces for _, table in source.read(piece, ("start_ms",)))
    found = [each for column in read for each in (int(column.min()), int(column.max()))]
    return (min(found), max(found)) if found else ()


def _record(line: int, row: Row, service: Service) -> dict[str, object]:
    row.check_width()
    quantity = _integer(row["quantity"], "quantity")
    charged = row["charged_quantity"]
    return {
        "line": _integer(row["line"], "line") if row["line"] else line,
        "a_party": _party(row, "a_party", digits=service is Service.VOICE, may_be_empty=service <= Service.SMS),
        "b_party": _party(row, "b_party", digits=service <= Service.SMS, may_be_empty=False),
        "start_ms": _start_ms(row),
        "quantity": quantity,
        "route": row["route"],
        "destination": row["destination"],
        "code": row["code"],
        "charged_quantity": _integer(charged, "charged_quantity") if charged else quantity,
        "amount_micros": _amount(row),
    }


def _amount(row: Row) -> int:
    """Less than nothing is for the engine to name."""
    if micros := row["amount_micros"]:
        amount = _integer(micros.removeprefix("-"), "amount_micros")
        return -amount if micros.startswith("-") else amount
    return parse_micros(row["amount"])


def _start_ms(row: Row) -> int:
    start = _integer(row["start_ms"], "start_ms") if row["start_ms"] else _moment_ms(row["start"])
    if FIRST_MS <= start < LAST_MS:
        return start
    raise RowMalformed("a start that no clock shows", expected=_YEARS, got=(row["start_ms"] or row["start"])[:40])


def _moment_ms(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text if text.isascii() else "")
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return (aware - EPOCH) // timedelta(milliseconds=1)
    except ValueError:
        raise RowMalformed("not a start", expected="2026-10-31T23:59:59Z", got=repr(text[:40])) from None


def _integer(text: str, column: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 19 and int(text) < _INT64:
        return int(text)
    raise RowMalformed(f"{column} is not a count", expected="digits, 63 bits at most", got=repr(text[:40]))


def _party(row: Row, column: str, *, digits: bool, may_be_empty: bool) -> str:
    text = row[column]
    if digits:
        return _digits(text, column, may_be_empty=may_be_empty)
    if text.isascii() and len(text) <= MAX_PARTY and (text or may_be_empty):
        return text
    raise RowMalformed(f"{column} names nobody", expected=f"at most {MAX_PARTY} ASCII characters", got=repr(text[:40]))


def _digits(text: str, column: str, *, may_be_empty: bool) -> str:
    number = text.removeprefix("+")
    if (number.isascii() and number.isdigit() and len(number) <= 32) or (may_be_empty and not text):
        return number
    raise RowMalformed(f"{column} is not a number", expected="E.164 digits", got=repr(text[:40]))


def _obligations(path: Path) -> list[Obligation]:
    return [_obligation(line, row) for line, row in _rows(path, tuple((name,) for name in OBLIGATION))]


def _obligation(line: int, row: Row) -> Obligation:
    try:
        row.check_width()
        debtor, creditor = carrier_code(row["debtor"]), carrier_code(row["creditor"])
        return Obligation(debtor, creditor, _currency(row["currency"]), _owed(row))
    except Malformed as error:
        raise RowMalformed(f"line {line}: {error.message}", expected=error.expected, got=error.got) from None


def _owed(row: Row) -> Micros:
    amount = _amount(row)
    if amount < 0:
        raise RowMalformed("a negative amount", expected="0 or more", got=row["amount"][:40])
    return Micros(amount)


def _currency(text: str) -> str:
    if len(text) == 3 and text.isascii() and text.isalpha() and text.isupper():
        return text
    raise RowMalformed("not a currency", expected="three capitals of ISO 4217, for example USD", got=repr(text[:20]))


def _rows(path: Path, required: Sequence[Sequence[str]]) -> Iterator[tuple[int, Row]]:
    """Line number and cells by column. Raises Malformed for a file without one of each of these columns."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            header = [name.strip().lower() for name in next(reader, [])]
            _check_header(path, header, required)
            for cells in reader:
                if cells:
                    yield reader.line_num, Row(header, cells)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        got = why_unreadable(error, path)[:200]
        raise Malformed(f"{path} cannot be read as CSV", expected="UTF-8, RFC 4180", got=got) from None


def _check_header(path: Path, header: list[str], required: Sequence[Sequence[str]]) -> None:
    absent = [" or ".join(names) for names in required if not any(name in header for name in names)]
    twice = sorted({name for name in header if header.count(name) > 1})
    both = [" and ".join(names) for names in SAME if set(names) <= set(header)]
    if absent:
        fault, todo = f"lacks columns: {', '.join(absent)}", "docs/formats.md shows an example."
    elif twice or both:
        said = [f"has a column twice: {', '.join(twice)}"] if twice else [f"says one thing in {each}" for each in both]
        fault, todo = said[0], "Take out the one that is not meant: which is right cannot be told."
    else:
        return
    raise Malformed(
        f"{path.name} {fault}",
        expected=", ".join(" or ".join(names) for names in required),
        got=", ".join(header)[:200] or "nothing",
        todo=todo,
    )


def month_of(*tables: pa.Table, agreement: Agreement) -> Period:
    """The accounting month of the records in the middle: a clock error at the edge does not decide. Raises Malformed
    for files without records."""
    return _month(*(table_source(table) for table in tables), agreement=agreement)


def _month(*sources: Source, agreement: Agreement) -> Period:
    """By quarter hours: no zone's month begins within one."""
    quarters = Counter[int]()
    for source in sources:
        for piece in source.pieces:
            for _, table in source.read(piece, ("start_ms",)):
                found, counts = np.unique(table["start_ms"].to_numpy() // QUARTER_MS, return_counts=True)
                quarters.update(dict(zip(found.tolist(), counts.tolist(), strict=True)))
    if not quarters:
        raise Malformed("the files are empty", expected="records of one month", got="none", todo="Name the period.")
    ordered = sorted(quarters)
    reached = np.cumsum([quarters[each] for each in ordered])
    middle = ordered[int(np.searchsorted(reached, (reached[-1] + 1) // 2))]
    moment = datetime.fromtimestamp(middle * QUARTER_MS // 1000, UTC).astimezone(agreement.zone)
    return Period(moment.year, moment.month)
