"""Which columns does this kind of usage file have, and what do they mean? Presets are data: presets/*.toml."""

import tomllib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import cast

import pyarrow as pa
import pyarrow.compute as pc

from gateway.formats.layout import (
    Condition,
    Counters,
    Fields,
    FileKind,
    FileLayout,
    Part,
    Preset,
    QuantityLayout,
    SampleLayout,
    TimeFormat,
    TimeLayout,
    TrunkLayout,
    TrunkRule,
    ValueLayout,
    Ways,
)
from ledger.errors import Malformed
from ledger.service import Service

FOLDER = Path(__file__).parent / "presets"
Section = dict[str, object]

_KEYS: Mapping[str, frozenset[str]] = {
    "file": frozenset(
        {"kind", "columns", "delimiter", "header", "more_columns", "pattern", "marker", "widths", "sheet"}
    ),
    "fields": frozenset(Fields.__dataclass_fields__),
    "time": frozenset({"format", "zone", "pattern", "later"}),
    "quantity": frozenset({"unit", "pattern"}),
    "delivered": frozenset({"column", "values"}),
    "trunk": frozenset({"rule", "in", "out", "any"}),
    "direction": frozenset({"column", "in", "out"}),
    "samples": frozenset({"counters", "bits", "stamp"}),
    "value": frozenset({"column", "currency"}),
}
_LISTS: Mapping[str, frozenset[str]] = {
    "billable": frozenset({"column", "values", "other"}),
    "part": frozenset({"column", "pattern"}),
}
_SCALES: Mapping[Service, Mapping[str, int]] = {
    Service.VOICE: {"ms": 1, "10ms": 10, "s": 1000, "min": 60_000},
    Service.SMS: {"messages": 1, "segments": 1},
    Service.DATA: {"octets": 1, "KiB": 1 << 10, "MiB": 1 << 20, "kB": 1000, "MB": 1_000_000},
    Service.IPL: {"circuit_days": 1},
}
_NEEDED: Mapping[Service, tuple[str, ...]] = {
    Service.VOICE: ("b_party",),
    Service.SMS: ("b_party",),
    Service.DATA: ("octets_in", "octets_out"),
    Service.IPL: ("a_party", "b_party"),
}
_TIME_GROUPS = {"year", "month", "day", "hour", "minute"}
_DURATION_GROUPS = {"hours", "minutes", "seconds", "millis"}


def load_preset(name: str) -> Preset:
    """One of the presets that come with the gateway. Raises Malformed."""
    if name not in preset_names():
        raise Malformed("no such preset", expected=", ".join(preset_names()), got=name[:40])
    return read_preset(FOLDER / f"{name}.toml")


@lru_cache(maxsize=1)
def preset_names() -> tuple[str, ...]:
    """The presets that come with the gateway."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


@lru_cache(maxsize=64)
def read_preset(path: Path) -> Preset:
    """Read a preset file; unknown keys are refused by name. Raises Malformed."""
    try:
        return parse_preset(path.read_text("utf-8"), path.stem)
    except (OSError, UnicodeDecodeError) as error:
        raise Malformed(f"preset {path.stem} cannot be read", expected="TOML", got=str(error)) from None


def parse_preset(text: str, name: str) -> Preset:
    """A preset from TOML. Raises Malformed."""
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise Malformed(f"preset {name} cannot be read", expected="TOML", got=str(error)) from None
    try:
        return _preset(document)
    except (KeyError, TypeError, ValueError, AttributeError, pa.ArrowException) as error:
        raise Malformed(f"preset {name} is broken", expected="the keys of docs/formats.md", got=repr(error)) from None


def _preset(document: Section) -> Preset:
    lists = {key: cast(list[Section], document.pop(key, [])) for key in _LISTS}
    sections = {key: cast(Section, document.pop(key, {})) for key in _KEYS}
    for key, section in sections.items():
        _refuse_unknown(set(section) - _KEYS[key])
    for key, entries in lists.items():
        for entry in entries:
            _refuse_unknown(set(entry) - _LISTS[key])
    service = Service[str(document.pop("service")).upper()]
    delivered, direction, value = (sections[key] for key in ("delivered", "direction", "value"))
    preset = Preset(
        name=str(document.pop("name")),
        title=str(document.pop("title")),
        service=service,
        file=_file(sections["file"]),
        fields=_fields(sections["fields"]),
        time=_time(sections["time"]),
        quantity=_quantity(sections["quantity"], service),
        parts=tuple(_part(entry) for entry in lists["part"]),
        billable=tuple(_condition(entry) for entry in lists["billable"]),
        delivered=_condition(delivered) if delivered else None,
        trunk=_trunk(sections["trunk"]),
        ways=_ways(direction) if direction else None,
        samples=_samples(sections["samples"]),
        value=ValueLayout(str(value["column"]), str(value["currency"])) if value else None,
    )
    _refuse_unknown(set(document))
    _check_columns(preset)
    _check_service(preset)
    return preset


def _file(section: Section) -> FileLayout:
    kind = FileKind(str(section.get("kind", "csv")))
    columns, pattern = tuple(_texts(section.get("columns", []))), str(section.get("pattern", ""))
    if kind is FileKind.FIXED:
        pattern = _pattern_of_widths(columns, cast(list[int], section["widths"]))
    if kind is FileKind.LINES:
        columns = _groups(pattern)
    layout = FileLayout(
        kind=kind,
        columns=columns,
        delimiter=str(section.get("delimiter", ",")),
        header=bool(section.get("header", False)),
        more=bool(section.get("more_columns", False)),
        pattern=pattern,
        marker=str(section.get("marker", "")),
        sheet=cast(str | None, section.get("sheet")),
    )
    if len(layout.delimiter) != 1 or layout.delimiter in '"\r\n' or not layout.delimiter.isascii():
        raise ValueError(f"no delimiter {layout.delimiter!r}")
    if len(set(columns)) != len(columns) or not columns:
        raise ValueError("columns must be named, each once")
    return layout


def _pattern_of_widths(columns: Sequence[str], widths: Sequence[int]) -> str:
    """Fixed positions as a pattern; blanks around a field are not part of it."""
    if len(widths) != len(columns) or any(type(width) is not int or width < 1 for width in widths):
        raise ValueError("a width for each column")
    return "^" + "".join(f"(?P<{name}>.{{{width}}})" for name, width in zip(columns, widths, strict=True))


def _fields(section: Section) -> Fields:
    several = {name: tuple(_texts(section.get(name, []))) for name in ("start", "end", "delivered")}
    single = {name: str(column) for name, column in section.items() if name not in several}
    return Fields(**several, **single)  # type: ignore[arg-type] # the keys were checked


def _time(section: Section) -> TimeLayout:
    layout = TimeLayout(
        format=TimeFormat(str(section["format"])),
        local={"local": True, "utc": False}[str(section["zone"])],
        pattern=str(section.get("pattern", "")),
        later=cast(str | None, section.get("later")),
    )
    if layout.format is TimeFormat.PATTERN and not set(_groups(layout.pattern)) >= _TIME_GROUPS:
        raise ValueError(f"a time's pattern needs the groups {', '.join(sorted(_TIME_GROUPS))}")
    return layout


def _quantity(section: Section, service: Service) -> QuantityLayout:
    pattern = str(section.get("pattern", ""))
    if pattern and not set(_groups(pattern)) & _DURATION_GROUPS:
        raise ValueError(f"a duration's pattern needs one of the groups {', '.join(sorted(_DURATION_GROUPS))}")
    scales = _SCALES[service]
    return QuantityLayout(scales[str(section["unit"])] if "unit" in section else 1, pattern)


def _part(entry: Section) -> Part:
    pattern = str(entry["pattern"])
    return Part(str(entry["column"]), pattern, _groups(pattern))


def _condition(entry: Section) -> Condition:
    other = frozenset(_texts(entry["other"])) if "other" in entry else None
    return Condition(str(entry["column"]), frozenset(_texts(entry["values"])), other)


def _trunk(section: Section) -> TrunkLayout:
    both = section.get("any")
    came, went = section.get("in", both), section.get("out", both)
    return TrunkLayout(TrunkRule(str(section.get("rule", "plain"))), cast(str | None, came), cast(str | None, went))


def _ways(section: Section) -> Ways:
    return Ways(str(section["column"]), frozenset(_texts(section["in"])), frozenset(_texts(section["out"])))


def _samples(section: Section) -> SampleLayout:
    bits = cast(int, section.get("bits", 64))
    if bits not in (32, 64):
        raise ValueError(f"no counter of {bits!r} bits")
    at_end = {"end": True, "begin": False}[str(section.get("stamp", "end"))]
    return SampleLayout(Counters(str(section.get("counters", "delta"))), bits, at_end)


def _groups(pattern: str) -> tuple[str, ...]:
    """The named groups of a regular expression that runs in linear time (RE2). Raises pa.ArrowInvalid, a ValueError."""
    found = pc.extract_regex(pa.array([], pa.binary()), pattern=pattern).type
    return tuple(found.field(at).name for at in range(found.num_fields))


def _texts(value: object) -> list[str]:
    texts = [value] if isinstance(value, str) else cast(list[str], value)
    if not all(isinstance(text, str) for text in texts):
        raise TypeError(f"text, or a list of texts: {value!r}")
    return texts


def _refuse_unknown(keys: set[str]) -> None:
    if keys:
        raise ValueError(f"unknown key {sorted(keys)[0]}")


def _check_columns(preset: Preset) -> None:
    made = {name for part in preset.parts for name in part.names}
    for column in (*preset.raw_columns, *preset.used_columns):
        if column not in preset.file.columns and column not in made:
            raise ValueError(f"no column {column}")


def _check_service(preset: Preset) -> None:
    fields = preset.fields
    lacking = [name for name in _NEEDED[preset.service] if getattr(fields, name) is None]
    lacking += [] if fields.start else ["start"]
    if preset.service is Service.VOICE and not (fields.quantity or fields.end):
        lacking.append("quantity")
    if preset.service is Service.SMS and not (fields.network or (fields.mcc and fields.mnc)):
        lacking.append("network")
    if lacking:
        raise ValueError(f"{preset.service.word} needs {lacking[0]}")
