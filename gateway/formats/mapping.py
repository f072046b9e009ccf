"""How might a file of no known preset be read? A proposal from its column names and first rows, saved as a preset.

A person looks at it before it is used: columns are found by what exporters commonly call them, times and durations by
what the sampled values can be.
"""

import csv
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from gateway.formats.layout import FileKind
from gateway.formats.partner_deck.cells import DayOrder, order_of_days
from gateway.formats.preset import parse_preset
from gateway.formats.sniffing import fit, kind_of, sample_lines
from gateway.formats.table_rows import bytes_of, text_columns
from gateway.formats.workbook import read_sheet
from ledger.errors import Malformed
from ledger.service import Service

SAMPLED = 200
_DELIMITERS = ",;\t|"

_NAMES: Mapping[str, str] = {
    "a_party": "aparty anumber ano calling callingnumber callingparty callingpartynumber caller callerid calleridnumber"
    " callernumber cli ani src source sourcenumber origin originator sender senderid sourceaddr from clid srcnumber",
    "b_party": "bparty bnumber bno called callednumber calledparty calledpartynumber callee dialed dialednumber dnis"
    " dst destination destinationnumber recipient destinationaddr msisdn to dstnumber",
    "start": "answer answertime answerdate answeredat callanswered connect connecttime start starttime startdate"
    " startedat callstart callstarttime begin begintime"
    " time timestamp datetime date calldate submitted submitdate submittime",
    "end": "end endtime endedat callend callendtime stop stoptime disconnecttime disconnect hangup hanguptime",
    "quantity": "billmsec billsec billedduration billedseconds billableseconds durationms durationsec durationseconds"
    " duration seconds secs minutes billedmin billedmins billedminutes durationmin"
    " durationmins durationminutes callduration talktime segments parts smsparts messagecount",
    "delivered": "delivered deliverytime deliveredat donedate donetime delivereddate",
    "network": "mccmnc network plmn hnicode",
    "mcc": "mcc",
    "mnc": "mnc",
    "octets_in": "inoctets octetsin ifhcinoctets ifinoctets bytesin inbytes rxbytes",
    "octets_out": "outoctets octetsout ifhcoutoctets ifoutoctets bytesout outbytes txbytes",
    "route": "trunk trunkname trunkgroup route routename gateway account accountname carrier customer vendor systemid"
    " bind port interface ifname circuit circuitid",
    "status": "status disposition state result callstatus stat",
    "value": "cost amount charge price charged monthlycharge priceusd costusd",
}
_ENDS: Mapping[str, str] = {
    "a_party": "aend enda sitea alocation locationa",
    "b_party": "zend endz bend endb sitez siteb zlocation locationb",
    "start": "from since start startdate inservice installed installdate activefrom validfrom",
    "end": "to until end enddate ceased ceasedate activeto validto",
}
"""What an inventory of circuits calls them."""
_WANTED: Mapping[Service, Sequence[str]] = {
    Service.VOICE: ("a_party", "b_party", "start", "end", "quantity", "route", "status", "value"),
    Service.SMS: ("a_party", "b_party", "start", "delivered", "quantity", "network", "mcc", "mnc", "route", "value"),
    Service.DATA: ("start", "octets_in", "octets_out", "route"),
    Service.IPL: ("a_party", "b_party", "start", "end", "route", "value"),
}
_NEEDED: Mapping[Service, tuple[str, ...]] = {
    Service.VOICE: ("b_party", "start", "quantity"),
    Service.SMS: ("b_party", "start"),
    Service.DATA: ("start", "octets_in", "octets_out"),
    Service.IPL: ("b_party", "start"),
}
_GUESSED = "  # a guess"
_ANSWERED = {"answered", "answer", "success", "completed", "connected", "ok", "200"}


UNITS = ("s", "ms", "min")
"""In which a call's length may be counted."""
_UNIT_NAMES = (("ms", r"ms\b|msec|milli"), ("min", r"min"), ("s", r"sec|\bs\b|\(s\)"))


@dataclass(frozen=True, slots=True)
class Help:
    """What a person says of a file."""

    named: tuple[tuple[str, str], ...] = ()
    """Fields, each with the file's column."""
    dates: DayOrder | None = None
    """Where days can be read in two ways."""
    unit: str | None = None
    """In which a call's length is counted; one of UNITS."""


NO_HELP = Help()


@dataclass(frozen=True, slots=True)
class Proposal:
    """A mapping to be looked at."""

    toml: str
    sure_percent: int
    sampled: int
    unused: tuple[str, ...]
    """Columns that nothing was found for."""
    remarks: tuple[str, ...] = ()
    """What was guessed."""
    named: tuple[tuple[str, str], ...] = ()
    """Fields, each with the column that was told or found."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """A file's columns and its first rows, to be looked at."""

    columns: tuple[str, ...]
    rows: tuple[Sequence[str], ...]


@dataclass(frozen=True, slots=True)
class _Header:
    kind: FileKind
    names: tuple[str, ...]
    rows: tuple[Sequence[str], ...]
    """Sampled values."""
    delimiter: str = ","

    def values(self, name: str) -> list[str]:
        at = self.names.index(name)
        return [row[at] for row in self.rows if len(row) > at and row[at] != ""]


def wanted_fields(service_word: str) -> tuple[str, ...]:
    """What a mapping for that service can say of a column."""
    return tuple(_WANTED[Service[service_word.upper()]])


def needed_fields(service_word: str) -> tuple[str, ...]:
    """What every mapping for that service has a column for."""
    return _NEEDED[Service[service_word.upper()]]


def guessed(path: Path, service_word: str) -> Mapping[str, str]:
    """The column for each field that its heading tells, enough of them or not. Raises Malformed as `sampled` does."""
    return _guessed(_header(path), Service[service_word.upper()], {})


def sampled(path: Path, rows: int = 8) -> Sampled:
    """A file's columns and first rows. Raises Malformed for one without named columns."""
    header = _header(path)
    return Sampled(header.names, header.rows[:rows])


def propose(path: Path, service_word: str, help_: Help = NO_HELP, name: str | None = None) -> Proposal:
    """A mapping for a file whose columns have names, called `name` or as the file.

    Raises Malformed where what a service needs is not found, and for days that can be read in two ways.
    """
    if service_word.upper() not in Service.__members__:
        raise Malformed("no such service", expected=", ".join(each.word for each in Service), got=service_word[:20])
    service, header = Service[service_word.upper()], _header(path)
    found = _found(header, service, dict(help_.named))
    text = _toml(name or path.stem, service, header, found, help_)
    preset = parse_preset(text, name or path.stem)
    fitted = fit(path, preset)
    unused = tuple(name for name in header.names if name and name not in found.values())
    return Proposal(text, fitted.sure_percent, fitted.sampled, unused, _remarks(text, found), tuple(found.items()))


def _header(path: Path) -> _Header:
    kind = kind_of(path)
    match kind:
        case FileKind.XLSX:
            rows = read_sheet(path).rows[:SAMPLED]
            at = next((at for at, row in enumerate(rows) if sum(cell != "" for cell in row) > 2), 0)
            return _named(kind, rows[at:])
        case FileKind.PARQUET:
            return _parquet_header(path)
        case FileKind.NDJSON:
            return _json_header(sample_lines(path))
    text = sample_lines(path).decode("utf-8", "replace")
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    return _named(kind, list(csv.reader(text.splitlines(), delimiter=delimiter)), delimiter)


def _named(kind: FileKind, rows: Sequence[Sequence[str]], delimiter: str = ",") -> _Header:
    names = tuple(name.strip() for name in rows[0]) if rows else ()
    if sum(bool(re.search("[A-Za-z]", name)) for name in names) < 3 or any(map(_is_value, names)):
        raise Malformed(
            "the file's first line names no columns",
            expected="a header line",
            got=", ".join(names)[:200] or "nothing",
            todo="Put one above the rows, or write a preset with the columns in order: docs/formats.md.",
        )
    return _Header(kind, names, tuple(rows[1:]), delimiter)


def _is_value(name: str) -> bool:
    """A number or a time, where a name should stand."""
    return re.search(r"\d{5}|\d:\d\d", name) is not None


def _parquet_header(path: Path) -> _Header:
    try:
        with pq.ParquetFile(path, read_dictionary=text_columns(path)) as file:
            names = tuple(file.schema_arrow.names)
            batch = next(file.iter_batches(SAMPLED), pa.RecordBatch.from_pylist([], file.schema_arrow))
        flat = [name for name in names if not pa.types.is_nested(batch.column(name).type)]
        cells = [bytes_of(batch.column(name), name).to_pylist() for name in flat]
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Malformed("the file cannot be read", expected="Parquet", got=str(error)[:200]) from None
    rows = [[cell.decode("utf-8", "replace") for cell in row] for row in zip(*cells, strict=True)]
    return _Header(FileKind.PARQUET, tuple(flat), tuple(rows))


def _json_header(sample: bytes) -> _Header:
    flat = []
    for line in sample.splitlines():
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            flat.append(_flat(value))
    names = tuple(dict.fromkeys(name for row in flat for name in row))
    return _Header(FileKind.NDJSON, names, tuple([row.get(name, "") for name in names] for row in flat))


def _flat(value: Mapping[str, object], above: str = "") -> dict[str, str]:
    out: dict[str, str] = {}
    for name, member in value.items():
        if isinstance(member, dict) and not above:
            out |= _flat(member, f"{name}.")
        elif isinstance(member, str | int | float):
            out[above + name] = str(member)
    return out


def _found(header: _Header, service: Service, named: Mapping[str, str]) -> dict[str, str]:
    """The column for each field. Raises Malformed where one that is needed has none."""
    found = _guessed(header, service, named)
    for field in _NEEDED[service]:
        if field not in found:
            raise Malformed(
                f"no column looks like {field}",
                expected=f"one of {', '.join(_names(service)[field].split()[:6])}, ...",
                got=", ".join(header.names)[:200],
                todo=f"Say which it is: --map {field}='Its heading'.",
            )
    return found


def _guessed(header: _Header, service: Service, named: Mapping[str, str]) -> dict[str, str]:
    """The column for each field: the one that was told, or the first name of its list; each column once."""
    plain = {re.sub("[^a-z0-9]", "", name.rpartition(".")[2].lower()): name for name in reversed(header.names)}
    found = _told(header, service, named)
    for field in _WANTED[service]:
        column = next((plain[name] for name in _names(service)[field].split() if name in plain), None)
        if column is not None and field not in found and column not in found.values():
            found[field] = column
    return found


def _names(service: Service) -> Mapping[str, str]:
    return {**_NAMES, **(_ENDS if service is Service.IPL else {})}


def _told(header: _Header, service: Service, named: Mapping[str, str]) -> dict[str, str]:
    for field, column in named.items():
        if field not in _WANTED[service]:
            raise Malformed(
                f"{service.word} has no such field", expected=", ".join(_WANTED[service]), got=repr(field[:40])
            )
        if column not in header.names:
            raise Malformed("the file has no such column", expected=", ".join(header.names), got=repr(column[:40]))
    return dict(named)


def _toml(name: str, service: Service, header: _Header, found: Mapping[str, str], help_: Help) -> str:
    lines = ["# Proposed from the header and the first rows: look at it before you use it.", f"name = {_quoted(name)}"]
    lines += [f"title = {_quoted(name)}", f'service = "{service.word}"', "", "[file]", f'kind = "{header.kind}"']
    if header.kind is FileKind.CSV:
        lines += [f"delimiter = {_quoted(header.delimiter)}", "header = true"]
    lines += [f"columns = [{', '.join(_quoted(column) for column in dict.fromkeys(found.values()))}]", "", "[fields]"]
    fields = ("a_party", "b_party", "start", "end", "quantity", "delivered", "network", "mcc", "mnc")
    for field in (*fields, "octets_in", "octets_out"):
        if field in found:
            lines.append(f"{field} = {_quoted(found[field])}")
    lines += ["", "[time]", *_time(header.values(found["start"]), help_.dates), ""]
    if service is Service.VOICE:
        lines += ["[quantity]", *_duration(found["quantity"], header.values(found["quantity"]), help_.unit), ""]
    lines += _answered(header, found)
    if "route" in found:
        lines += ["[trunk]", f"any = {_quoted(found['route'])}", ""]
    if "value" in found:
        lines += ["[value]", f"column = {_quoted(found['value'])}", 'currency = ""', ""]
    return "\n".join(lines)


def _time(values: Sequence[str], dates: DayOrder | None) -> list[str]:
    """Its format, from what all values can be. Raises Malformed for days that can be read in two ways."""
    if values and all(re.fullmatch(r"\d{13}", value) for value in values):
        return ['format = "epoch-ms"', 'zone = "utc"']
    if values and all(re.fullmatch(r"\d{10}(\.\d+)?", value) for value in values):
        return ['format = "epoch-s"', 'zone = "utc"']
    days = [found[0] for value in values if (found := re.match(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{4}", value))]
    if values and len(days) == len(values):
        day_first = (dates or order_of_days(days)) is DayOrder.DMY
        day, month = r"(?P<day>\d{1,2})", r"(?P<month>\d{1,2})"
        first, second = (day, month) if day_first else (month, day)
        pattern = rf"^{first}[-/.]{second}[-/.](?P<year>\d{{4}}),? (?P<hour>\d{{1,2}}):(?P<minute>\d{{2}})"
        pattern += r"(?::(?P<second>\d{2})(?:\.(?P<fraction>\d{1,3}))?)?"
        half = r" ?(?P<half>[AaPp][Mm])" if any(value[-1:] in "mM" for value in values) else ""
        return ['format = "pattern"', 'zone = "local"', f"pattern = '{pattern}{half}$'"]
    return ['format = "iso"', 'zone = "local"']


def _duration(column: str, values: Sequence[str], told: str | None) -> list[str]:
    if values and all(re.fullmatch(r"\d+:\d\d:\d\d(\.\d+)?", value) for value in values):
        return ['unit = "s"', r"pattern = '^(?P<hours>\d{1,4}):(?P<minutes>\d{2}):(?P<seconds>\d{2}(?:\.\d{1,9})?)$'"]
    if values and all(re.fullmatch(r"\d+:\d\d", value) for value in values):
        return ['unit = "s"', r"pattern = '^(?P<minutes>\d{1,5}):(?P<seconds>\d{2})$'"]
    named = next((unit for unit, name in _UNIT_NAMES if re.search(name, column.lower().replace("_", " "))), None)
    unit = told or named
    return [f'unit = "{unit}"'] if unit else [f'unit = "s"{_GUESSED}']


def _remarks(text: str, found: Mapping[str, str]) -> tuple[str, ...]:
    if _GUESSED not in text:
        return ()
    return (f"the unit of {found['quantity']} is a guess, s: its name tells none. Say it: --unit s, ms or min",)


def _answered(header: _Header, found: Mapping[str, str]) -> list[str]:
    if "status" not in found:
        return []
    seen = sorted(set(header.values(found["status"])))
    answered = [value for value in seen if value.lower() in _ANSWERED]
    if not answered:
        return []
    other = [value for value in seen if value not in answered]
    lines = ["[[billable]]", f"column = {_quoted(found['status'])}", f"values = [{', '.join(map(_quoted, answered))}]"]
    return [*lines, *([f"# not billable: {', '.join(_quoted(each) for each in other)}"] if other else []), ""]


def _quoted(text: str) -> str:
    return json.dumps(text)
