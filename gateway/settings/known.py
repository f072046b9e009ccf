"""What does gsc.toml say a carrier knows of numbers, ports and circuits? Evidence for the search for fraud and forgery.

[known]
premium = ["1900"]                  # beginnings of numbers that share revenue
test_numbers = ["447700900999"]     # whole numbers that never answer and receive nothing
own = ["8610"]                      # beginnings of our own numbers that do not roam
ceased = ["LON-BJS-9"]              # private lines that were cancelled, or never ordered
peerings = ["usa-in-3"]             # routes that are for the partner's own callers alone

[known.line_mbps]
lon-pop1 = 10000                    # what a port carries at most
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

from gateway.settings.words import quoted, refuse_unknown
from ledger.errors import Malformed


@dataclass(frozen=True, slots=True)
class KnownSettings:
    """The table [known]."""

    premium: tuple[str, ...] = ()
    test_numbers: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    ceased: tuple[str, ...] = ()
    line_mbps: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    peerings: tuple[str, ...] = ()


def known_settings(raw: Mapping[str, Any]) -> KnownSettings:
    """Read [known]; unknown keys are refused. Raises Malformed."""
    names = [each.name for each in fields(KnownSettings)]
    refuse_unknown(raw, names, "[known]")
    return KnownSettings(
        premium=_digits(raw.get("premium", []), "premium"),
        test_numbers=_digits(raw.get("test_numbers", []), "test_numbers"),
        own=_digits(raw.get("own", []), "own"),
        ceased=_names(raw.get("ceased", []), "ceased"),
        peerings=_names(raw.get("peerings", []), "peerings"),
        line_mbps=_rates(raw.get("line_mbps", {})),
    )


def dump_known(known: KnownSettings) -> list[str]:
    """The table's lines, as the reader above takes them back; none if nothing is known."""
    if known == KnownSettings():
        return []
    lists = [
        f"{name} = [{', '.join(map(quoted, getattr(known, name)))}]"
        for name in ("premium", "test_numbers", "own", "ceased", "peerings")
    ]
    rates = [f"{quoted(port)} = {mbps}" for port, mbps in sorted(known.line_mbps.items())]
    return ["", "[known]", *lists, *(["", "[known.line_mbps]", *rates] if rates else [])]


def _names(raw: object, where: str) -> tuple[str, ...]:
    if isinstance(raw, list) and all(isinstance(each, str) and each for each in raw):
        return tuple(raw)
    raise Malformed(f"known.{where} is no list of names", expected='["LON-BJS-9"]', got=repr(raw)[:80])


def _digits(raw: object, where: str) -> tuple[str, ...]:
    if isinstance(raw, list) and all(isinstance(each, str) and each.isascii() and each.isdigit() for each in raw):
        return tuple(raw)
    raise Malformed(f"known.{where} is no list of numbers", expected='["447700900"]', got=repr(raw)[:80])


def _rates(raw: object) -> Mapping[str, int]:
    if isinstance(raw, dict) and all(type(mbps) is int and mbps > 0 for mbps in raw.values()):
        return MappingProxyType(dict(raw))
    raise Malformed("known.line_mbps is no table of line rates", expected="lon-pop1 = 10000", got=repr(raw)[:80])
