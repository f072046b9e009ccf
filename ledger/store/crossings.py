"""Who is licensed, and which international gateways are listed, for which times? As the chain said.

The same short histories as contracts/base/Validities.sol: what follows the last stretch without a gap prolongs it, and
an end never changes what was valid before it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row

from ledger.chain.bindings import IgwDelisted, IgwKind, IgwListed, LicenceGranted, LicenceRevoked
from ledger.identity import CarrierCode
from ledger.store.latest import chain_order, rows_of

INTERNATIONAL = "BASIC-INTL"
"""The class of licence that covers international data and private lines (contracts/registry/Crossings.sol)."""


class Validity(NamedTuple):
    """Seconds of UTC: from `begin` up to, not including, `end`; None is without end."""

    begin: int
    end: int | None


@dataclass(frozen=True, slots=True)
class LicenceRow:
    """A carrier's licence of one class."""

    carrier: CarrierCode
    licence: str
    validities: tuple[Validity, ...]


@dataclass(frozen=True, slots=True)
class IgwRow:
    """An international gateway."""

    igw: str
    kind: IgwKind
    validities: tuple[Validity, ...]


def list_licences(connection: Connection, carrier: CarrierCode | None = None) -> list[LicenceRow]:
    """The licences of a carrier or of all, by carrier and class."""
    said = [(row, None) for row in rows_of(connection, LicenceGranted)]
    ended = [(row, row.revoked_at) for row in rows_of(connection, LicenceRevoked)]
    by_class = _by_name([*said, *ended], ("carrier", "licence"))
    return [
        LicenceRow(code, licence, _history(steps))
        for (code, licence), steps in sorted(by_class.items())
        if carrier in (None, code)
    ]


def list_igws(connection: Connection) -> list[IgwRow]:
    """All international gateways, by code."""
    listed = [(row, None) for row in rows_of(connection, IgwListed)]
    ended = [(row, row.delisted_at) for row in rows_of(connection, IgwDelisted)]
    kinds = {row.igw: IgwKind(row.kind) for row, _ in listed}
    by_code = _by_name([*listed, *ended], ("igw",))
    return [IgwRow(igw, kinds[igw], _history(steps)) for (igw,), steps in sorted(by_code.items())]


def covers(validities: Sequence[Validity], first: int, last: int) -> bool:
    """Whether one stretch holds all seconds from `first` to `last`."""
    return any(each.begin <= first and (each.end is None or last < each.end) for each in validities)


def shown(validities: Sequence[Validity]) -> str:
    """The stretches for a person, in UTC: "from 2026-09-01", "2026-09-01 to 2027-09-01 12:00", "always"."""
    return ", ".join(_stretch(each) for each in validities) or "never"


def moment(seconds: int) -> str:
    """A time for a person, in UTC: "2026-09-01", or with minutes or seconds where it has some."""
    try:
        at = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return f"second {seconds}"
    parts = "%Y-%m-%d" if seconds % 86_400 == 0 else "%Y-%m-%d %H:%M" if seconds % 60 == 0 else "%Y-%m-%d %H:%M:%S"
    return at.strftime(parts)


def _stretch(each: Validity) -> str:
    if each.end is None:
        return f"from {moment(each.begin)}" if each.begin else "always"
    return f"{moment(each.begin)} to {moment(each.end)}"


Step = tuple[Row[Any], int | None]
"""An event and, if it ends something, when."""


def _by_name(steps: Iterable[Step], names: tuple[str, ...]) -> dict[tuple[Any, ...], list[Step]]:
    """The steps of each thing, in chain order."""
    found: dict[tuple[Any, ...], list[Step]] = {}
    for step in sorted(steps, key=lambda each: chain_order(each[0])):
        found.setdefault(tuple(getattr(step[0], name) for name in names), []).append(step)
    return found


def _history(steps: Iterable[Step]) -> tuple[Validity, ...]:
    validities: list[Validity] = []
    for row, ended_at in steps:
        if ended_at is not None:
            last = validities.pop()
            validities += [Validity(last.begin, ended_at)] if last.begin < ended_at else []
        elif validities and validities[-1].end == row.valid_from:
            validities[-1] = Validity(validities[-1].begin, row.valid_until or None)
        else:
            validities.append(Validity(row.valid_from, row.valid_until or None))
    return tuple(validities)
