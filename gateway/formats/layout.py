"""What can a preset say of a usage file? Values only; `gateway.formats.preset` reads them from TOML."""

from dataclasses import dataclass, field
from enum import StrEnum

from ledger.service import Service


class FileKind(StrEnum):
    """How a file holds its rows."""

    CSV = "csv"
    """Separated fields, one row a line."""
    LINES = "lines"
    """Free text, one row a line, taken apart by a pattern."""
    FIXED = "fixed"
    """One row a line, each column at a fixed position."""
    NDJSON = "ndjson"
    """A JSON object a line."""
    PARQUET = "parquet"
    """Apache Parquet."""
    XLSX = "xlsx"
    """A sheet of a workbook, with a header row."""


class TimeFormat(StrEnum):
    """How a preset's times are written."""

    STAMP = "stamp"
    """2026-10-01 13:05:59, optionally with a fraction; in the zone the preset names."""
    ISO = "iso"
    """As stamp, with `T` or a blank, and optionally with Z or an offset, which then holds."""
    EPOCH_MS = "epoch-ms"
    """UTC milliseconds since 1970."""
    EPOCH_S = "epoch-s"
    """UTC seconds since 1970, optionally with a fraction."""
    PATTERN = "pattern"
    """As the pattern's groups say: year, month, day, hour, minute, and second, fraction, half, zone where there are."""


class TrunkRule(StrEnum):
    """How a trunk is named in its column."""

    CHANNEL = "channel"
    """PJSIP/gbb-in-00000a1f: between the technology and the call's number."""
    PLAIN = "plain"
    """The name itself."""


class Counters(StrEnum):
    """What an interface's octet columns count."""

    DELTA = "delta"
    """Octets since the row before."""
    CUMULATIVE = "cumulative"
    """Octets since the counter was last set back."""


@dataclass(frozen=True, slots=True)
class FileLayout:
    """Where rows and columns are."""

    kind: FileKind
    columns: tuple[str, ...]
    """CSV without header and fixed positions: all, in order; else those that are used."""
    delimiter: str = ","
    header: bool = False
    """The first line names the columns, in any order."""
    more: bool = False
    """Lines may have further columns behind those named."""
    pattern: str = ""
    """LINES and FIXED: a regular expression whose named groups are the columns."""
    marker: str = ""
    """LINES: what every row has; a line without it is no usage."""
    sheet: str | None = None
    """XLSX: its name; None: the first."""


@dataclass(frozen=True, slots=True)
class Part:
    """Columns taken out of another column by a regular expression's named groups."""

    column: str
    pattern: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """A column and the values that a row counts for."""

    column: str
    values: frozenset[str]
    other: frozenset[str] | None = None
    """The values it does not count for; with None any other value."""


@dataclass(frozen=True, slots=True)
class Fields:
    """Which column holds what; a service uses some of them (docs/decisions/0004-one-record-for-four-services.md)."""

    start: tuple[str, ...]
    """When charging begins, in one column or in two; voice: empty or 0 if the call was not answered."""
    a_party: str | None = None
    b_party: str | None = None
    end: tuple[str, ...] = ()
    """Voice: when the call ended. IPL: the first day without service, empty if there is none."""
    quantity: str | None = None
    """None: voice, from start to end; sms, 1."""
    delivered: tuple[str, ...] = ()
    """SMS: when the message was delivered."""
    network: str | None = None
    """SMS: MCC and MNC of the recipient's network in one column."""
    mcc: str | None = None
    mnc: str | None = None
    octets_in: str | None = None
    """Data: what came in through the port."""
    octets_out: str | None = None


@dataclass(frozen=True, slots=True)
class TimeLayout:
    """How times are written."""

    format: TimeFormat
    local: bool
    """In the switch's zone rather than in UTC."""
    pattern: str = ""
    later: str | None = None
    """A column of what passed between the time written and `start`; `quantity` says how it is written."""


@dataclass(frozen=True, slots=True)
class QuantityLayout:
    """How quantities are written."""

    scale: int = 1
    """Base units in one of the column's: 1000 where milliseconds are written as seconds."""
    pattern: str = ""
    """Durations in words, by the groups hours, minutes, seconds and millis."""


@dataclass(frozen=True, slots=True)
class TrunkLayout:
    """Where the trunk, port, bind or circuit is named."""

    rule: TrunkRule = TrunkRule.PLAIN
    came: str | None = None
    """Column of what traffic came in by; the same as `went` where the file has one."""
    went: str | None = None


@dataclass(frozen=True, slots=True)
class Ways:
    """A column that says which way traffic went: for files whose trunks are not known by name."""

    column: str
    came: frozenset[str]
    went: frozenset[str]


@dataclass(frozen=True, slots=True)
class SampleLayout:
    """How an interface's counters are read."""

    counters: Counters = Counters.DELTA
    bits: int = 64
    """Of a cumulative counter: a smaller value means that it wrapped (32) or was set back (64)."""
    at_end: bool = True
    """The time is that of the sample's end."""


@dataclass(frozen=True, slots=True)
class ValueLayout:
    """What the file itself says an event costs; shown, never settled on."""

    column: str
    currency: str


@dataclass(frozen=True, slots=True)
class Preset:
    """How to read one kind of usage file."""

    name: str
    title: str
    service: Service
    file: FileLayout
    fields: Fields
    time: TimeLayout
    quantity: QuantityLayout = field(default_factory=QuantityLayout)
    parts: tuple[Part, ...] = ()
    billable: tuple[Condition, ...] = ()
    """A row counts if all hold; without any, voice counts if it has a start."""
    delivered: Condition | None = None
    """SMS: which messages count where the agreement says delivery."""
    trunk: TrunkLayout = field(default_factory=TrunkLayout)
    ways: Ways | None = None
    samples: SampleLayout = field(default_factory=SampleLayout)
    value: ValueLayout | None = None

    @property
    def raw_columns(self) -> tuple[str, ...]:
        """The columns of the file that are read, each once."""
        made = {name for part in self.parts for name in part.names}
        used = [*(part.column for part in self.parts), *self.used_columns]
        return tuple(dict.fromkeys(name for name in used if name not in made))

    @property
    def used_columns(self) -> tuple[str, ...]:
        """The columns that mean something, the file's and those made of them."""
        return tuple(dict.fromkeys(column for _, column in self.mapping))

    @property
    def mapping(self) -> tuple[tuple[str, str], ...]:
        """What is read from which column."""
        one = ("a_party", "b_party", "quantity", "network", "mcc", "mnc", "octets_in", "octets_out")
        pairs = [(name, getattr(self.fields, name)) for name in one]
        pairs += [(name, each) for name in ("start", "end", "delivered") for each in getattr(self.fields, name)]
        pairs += [("start", self.time.later), ("route", self.trunk.came), ("route", self.trunk.went)]
        pairs += [("billable", each.column) for each in self.billable]
        pairs += [("delivered", self.delivered.column)] if self.delivered else []
        pairs += [("direction", self.ways.column)] if self.ways else []
        pairs += [("value", self.value.column)] if self.value else []
        return tuple(dict.fromkeys((name, column) for name, column in pairs if column is not None))
