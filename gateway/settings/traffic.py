"""What does the traffic come by? Tables of gsc.toml: switch, trunks, capacity, numbers, tadig."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.settings.shapes import Switch, TrunkDirection, TrunkSetting
from gateway.settings.words import one_of, ranges_of, refuse_unknown, table_of, text_of
from ledger.errors import Malformed
from ledger.identity import CarrierCode, carrier_code
from ledger.numbers import numbering_of

_PREFIX = re.compile(r"[0-9#*]{1,15}", re.ASCII)


def switch_of(raw: Mapping[str, Any]) -> Switch:
    """[switch]. Raises Malformed."""
    refuse_unknown(raw, ["zone", "country"], "[switch]")
    country = text_of(raw, "country") if "country" in raw else ""
    if country:
        numbering_of(country)  # raises Malformed: better now than with the first file
    zone = text_of(raw, "zone") if "zone" in raw else "UTC"
    try:
        return Switch(zone=ZoneInfo(zone), country=country)
    except (ZoneInfoNotFoundError, ValueError):
        raise Malformed("not a time zone", expected="an IANA name such as Asia/Shanghai", got=repr(zone)) from None


def trunks_of(raw: Mapping[str, Any]) -> Mapping[str, TrunkSetting]:
    """[trunks.*]. Raises Malformed."""
    trunks = {}
    for name in raw:
        table = table_of(raw, name)
        refuse_unknown(table, ["partner", "direction", "country", "technical_prefixes"], f"[trunks.{name}]")
        direction = one_of(TrunkDirection, text_of(table, "direction"), f"trunks.{name}.direction")
        country = text_of(table, "country") if "country" in table else ""
        if country:
            numbering_of(country)  # raises Malformed: better now than with the first file
        prefixes = _prefixes(table.get("technical_prefixes", []), f"trunks.{name}.technical_prefixes")
        trunks[name] = TrunkSetting(carrier_code(text_of(table, "partner")), direction, country, prefixes)
    return MappingProxyType(trunks)


def capacity_of(raw: Mapping[str, Any]) -> Mapping[str, int]:
    """[capacity]. Raises Malformed."""
    for name, circuits in raw.items():
        if type(circuits) is not int or circuits < 1:
            raise Malformed(f"capacity.{name} is no number of circuits", expected="1 or more", got=repr(circuits))
    return MappingProxyType(dict(raw))


def numbers_of(raw: Mapping[str, Any]) -> Mapping[CarrierCode, tuple[str, ...]]:
    """[numbers]. Raises Malformed."""
    return MappingProxyType({carrier_code(code): ranges_of(raw[code], f"numbers.{code}") for code in raw})


def tadig_of(raw: Mapping[str, Any]) -> Mapping[str, CarrierCode]:
    """[tadig]. Raises Malformed."""
    for code in raw:
        if not (len(code) == 5 and code.isascii() and code.isalnum() and code == code.upper()):
            raise Malformed("not a TADIG code", expected="five of A-Z and 0-9, such as GBRXX", got=repr(code[:40]))
    return MappingProxyType({code: carrier_code(text_of(raw, code)) for code in raw})


def _prefixes(raw: object, where: str) -> tuple[str, ...]:
    if not isinstance(raw, list) or not all(isinstance(each, str) and _PREFIX.fullmatch(each) for each in raw):
        raise Malformed(f"{where} is no list of prefixes", expected='["1234#"], digits, # and *', got=repr(raw)[:80])
    return tuple(raw)
