"""Whose traffic is a row, and which way did it go? A trunk, bind, port or circuit tells, or the caller does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gateway.formats import fields
from gateway.formats.layout import Preset, TrunkRule
from gateway.formats.rows import Bools, Rows
from ledger.errors import Malformed
from ledger.identity import CarrierCode
from ledger.numbers import Numbering
from ledger.period import Period
from ledger.prices.service_terms import SmsTerms
from ledger.service import Service

MAX_ROUTE = 32
_STORABLE = rf"^[ -~]{{0,{MAX_ROUTE}}}$"


class Direction(StrEnum):
    """Which way a trunk's calls go, seen from the carrier that wrote the file."""

    IN = "in"
    """From the partner to us: we terminate, and are the creditor. A port or circuit: the partner pays for it."""
    OUT = "out"
    """From us to the partner: it terminates, and is the creditor. A port or circuit: we pay for it."""


@dataclass(frozen=True, slots=True)
class Trunk:
    """What a trunk's name means, and what was agreed with its partner about reading."""

    partner: CarrierCode
    direction: Direction
    numbering: Numbering | None = None
    """How numbers are written on it; None: as in the switch's country."""
    sms: SmsTerms = field(default_factory=SmsTerms)
    sample_seconds: int = 300
    zone: ZoneInfo | None = None
    """The agreement's accounting zone, in which a circuit's days begin; None: the switch's."""


@dataclass(frozen=True, slots=True)
class ReadingContext:
    """What the file does not say of the switch that wrote it."""

    zone: ZoneInfo
    country: str
    """ISO 3166, for numbers written nationally: "CN"."""
    trunks: Mapping[str, Trunk]
    unnamed: Mapping[Direction, Trunk] = field(default_factory=lambda: MappingProxyType({}))
    """Whose traffic is on trunks that `trunks` does not name; empty: such rows are quarantined."""
    carrier: CarrierCode | None = None
    """We: a data sample says who sent and who received."""
    period: Period | None = None
    """The month for which an inventory of circuits is read."""


class Stream(NamedTuple):
    """Whose traffic a table holds."""

    partner: CarrierCode
    direction: Direction
    service: Service


class Named(NamedTuple):
    """A trunk, and the name that records call it by; None: as the file does."""

    name: str | None
    trunk: Trunk


class Legs(NamedTuple):
    """For each leg of the rows, the position of its trunk in `known`, or -1. A transit call has two."""

    known: Sequence[Named]
    found: Sequence[NDArray[np.int32]]

    @property
    def unknown(self) -> Bools:
        """Rows that no leg knows."""
        lost: Bools = np.logical_and.reduce([leg < 0 for leg in self.found])
        return lost

    @property
    def first(self) -> NDArray[np.int32]:
        """Each row's trunk, for services whose rows have one."""
        which = self.found[0]
        for leg in self.found[1:]:
            which = np.where(which < 0, leg, which)
        return which


def check_context(preset: Preset, context: ReadingContext) -> None:
    """Raises Malformed if the file and its context do not say whose traffic it is."""
    for name in context.trunks:
        if not name or not name.isascii() or not name.isprintable() or len(name) > MAX_ROUTE:
            raise Malformed("not a trunk name", expected=f"1 to {MAX_ROUTE} ASCII characters", got=repr(name[:60]))
    if not context.unnamed and preset.trunk.came is None and preset.trunk.went is None:
        raise Malformed(
            f"a file of preset {preset.name} does not say whose traffic it holds",
            expected="--partner CODE",
            todo="Name the partner, and the --direction if the file does not say it either.",
        )
    if context.unnamed and len(context.unnamed) > 1 and preset.ways is None:
        raise Malformed(
            f"a file of preset {preset.name} does not say which way its traffic went",
            expected="--direction in (from the partner to us) or --direction out",
        )


def find_legs(rows: Rows, preset: Preset, context: ReadingContext) -> Legs:
    """Look up each row's trunks."""
    named = [Named(name, trunk) for name, trunk in context.trunks.items()]
    unnamed = {direction: len(named) + at for at, direction in enumerate(context.unnamed)}
    known = [*named, *(Named(None, trunk) for trunk in context.unnamed.values())]
    legs = [(Direction.IN, preset.trunk.came), (Direction.OUT, preset.trunk.went)]
    found = [_named(rows, column, direction, named, preset) for direction, column in legs if column]
    lost = np.logical_and.reduce([leg < 0 for leg in found]) if found else np.ones(len(rows.line), np.bool_)
    if unnamed:
        found.append(np.where(lost, _unnamed(rows, preset, unnamed), -1).astype(np.int32))
    return Legs(known, found)


def routes_of(rows: Rows, preset: Preset) -> pa.Array:
    """What the file calls the rows' trunks, where a record can hold it; else ""."""
    columns = [column for column in (preset.trunk.came, preset.trunk.went) if column]
    written = next((rows.raw[column] for column in columns), None)
    return pa.repeat(pa.scalar(""), len(rows.line)) if written is None else storable(written)


def storable(written: pa.Array) -> pa.Array:
    """Text as a leaf can hold it: what is not 32 printable ASCII characters becomes ""."""
    fits = pc.match_substring_regex(written, _STORABLE)
    return pc.if_else(fits, written, pa.scalar(b"", written.type)).cast(pa.string())


def _named(rows: Rows, column: str, direction: Direction, named: Sequence[Named], preset: Preset) -> NDArray[np.int32]:
    """Position of each row's trunk, if it is one of that direction, or -1."""
    found = np.full(len(rows.line), -1, np.int32)
    if not named:
        return found
    usable = np.array([trunk.direction is direction for _, trunk in named] + [False])
    names = pa.array([str(name).encode() for name, _ in named], pa.binary())
    channel = preset.trunk.rule is TrunkRule.CHANNEL
    fields.read_trunks(*fields.buffers_of(rows.raw[column]), channel, *fields.buffers_of(names), found)
    return np.where(usable[found], found, -1).astype(np.int32)


def _unnamed(rows: Rows, preset: Preset, unnamed: Mapping[Direction, int]) -> NDArray[np.int32]:
    if preset.ways is None:
        return np.full(len(rows.line), next(iter(unnamed.values())), np.int32)
    found = np.full(len(rows.line), -1, np.int32)
    for direction, values in ((Direction.IN, preset.ways.came), (Direction.OUT, preset.ways.went)):
        there = pc.is_in(rows.raw[preset.ways.column], pa.array([value.encode() for value in sorted(values)]))
        found[there.to_numpy(zero_copy_only=False)] = unnamed.get(direction, -1)
    return found
