"""Which columns does this kind of CDR file have, and what do they mean? Presets are data: gateway/presets/*.toml."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import cast

from ledger.errors import Malformed
from ledger.service import Service

FOLDER = Path(__file__).parent / "presets"


class TimeFormat(StrEnum):
    """How a preset's times are written."""

    STAMP = "stamp"
    """2026-10-01 13:05:59, optionally with a fraction; in the zone the preset names."""
    ISO = "iso"
    """As stamp, with `T` or a blank, and optionally with Z or an offset, which then holds."""
    EPOCH_MS = "epoch-ms"
    """UTC milliseconds since 1970."""


class TrunkRule(StrEnum):
    """How a trunk is named in its column."""

    CHANNEL = "channel"
    """PJSIP/gbb-in-00000a1f: between the technology and the call's number."""
    PLAIN = "plain"
    """The name itself."""


@dataclass(frozen=True, slots=True)
class Preset:
    """How to read one kind of CDR file. Columns are named as in `columns`."""

    name: str
    title: str
    service: Service
    delimiter: str
    header: bool
    """The first line names the columns, in any order."""
    columns: tuple[str, ...]
    a_party: str
    b_party: str
    start: str
    """When charging begins; empty or 0 if the call was not answered."""
    end: str | None
    quantity: str
    quantity_scale: int
    """Base units in one of the column's: 1000 where milliseconds are written as seconds."""
    time_format: TimeFormat
    local_time: bool
    """In the switch's zone rather than in UTC."""
    answered: tuple[str, frozenset[str]] | None
    """Column and values that say a call was answered; None: it was if it has a start."""
    trunk_rule: TrunkRule
    trunk_in: str | None
    trunk_out: str | None
    """Columns of the trunk a call came in by and went out by; the same column where the file has one."""


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
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Malformed(f"preset {path.stem} cannot be read", expected="TOML", got=str(error)) from None
    try:
        return _preset(document)
    except (KeyError, TypeError, ValueError) as error:
        raise Malformed(
            f"preset {path.stem} is broken", expected="the keys of docs/formats.md", got=repr(error)
        ) from None


_KEYS: Mapping[str, frozenset[str]] = {
    "file": frozenset({"delimiter", "header", "columns"}),
    "fields": frozenset({"a_party", "b_party", "start", "end", "quantity"}),
    "time": frozenset({"format", "zone"}),
    "quantity": frozenset({"unit"}),
    "answered": frozenset({"column", "values"}),
    "trunk": frozenset({"rule", "in", "out", "any"}),
}
_SCALES = {"ms": 1, "s": 1000}


def _preset(document: dict[str, object]) -> Preset:
    sections = {key: cast(dict[str, object], document.pop(key, {})) for key in _KEYS}
    for key, section in sections.items():
        _refuse_unknown(set(section) - _KEYS[key])
    file, fields, time, trunk = (sections[key] for key in ("file", "fields", "time", "trunk"))
    answered = sections["answered"]
    preset = Preset(
        name=str(document.pop("name")),
        title=str(document.pop("title")),
        service=Service[str(document.pop("service")).upper()],
        delimiter=str(file["delimiter"]),
        header=bool(file["header"]),
        columns=tuple(cast(list[str], file["columns"])),
        a_party=str(fields["a_party"]),
        b_party=str(fields["b_party"]),
        start=str(fields["start"]),
        end=cast(str | None, fields.get("end")),
        quantity=str(fields["quantity"]),
        quantity_scale=_SCALES[str(sections["quantity"]["unit"])],
        time_format=TimeFormat(str(time["format"])),
        local_time={"local": True, "utc": False}[str(time["zone"])],
        answered=(str(answered["column"]), frozenset(cast(list[str], answered["values"]))) if answered else None,
        trunk_rule=TrunkRule(str(trunk["rule"])),
        trunk_in=cast(str | None, trunk.get("any", trunk.get("in"))),
        trunk_out=cast(str | None, trunk.get("any", trunk.get("out"))),
    )
    _refuse_unknown(set(document))
    _check_columns(preset)
    return preset


def _refuse_unknown(keys: set[str]) -> None:
    if keys:
        raise ValueError(f"unknown key {sorted(keys)[0]}")


def _check_columns(preset: Preset) -> None:
    used = [
        preset.a_party,
        preset.b_party,
        preset.start,
        preset.quantity,
        preset.end,
        preset.trunk_in,
        preset.trunk_out,
    ]
    if preset.answered:
        used.append(preset.answered[0])
    for column in used:
        if column is not None and column not in preset.columns:
            raise ValueError(f"no column {column}")
    if len(preset.delimiter) != 1 or preset.delimiter in '"\r\n' or not preset.delimiter.isascii():
        raise ValueError(f"no delimiter {preset.delimiter!r}")
