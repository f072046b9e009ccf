"""How is gsc.toml read? Every table by its own rules; a key that is not known is refused."""

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from gateway.settings.known import known_settings
from gateway.settings.network import desk_of, igw_of, listen_of, peers_of, webhooks_of
from gateway.settings.shapes import SETTINGS_FILE, ClockKind, Settings
from gateway.settings.traffic import capacity_of, numbers_of, switch_of, tadig_of, trunks_of
from gateway.settings.words import one_of, ranges_of, refuse_unknown, table_of, text_of
from ledger.errors import Malformed, NotFound
from ledger.identity import carrier_code


def load_settings(home: Path) -> Settings:
    """Read the home folder's gsc.toml. Raises NotFound or Malformed, naming the known keys."""
    path = home / SETTINGS_FILE
    if not path.is_file():
        raise NotFound(
            f"no {SETTINGS_FILE} in the home folder",
            expected=f"a carrier's home folder with {SETTINGS_FILE}",
            got=str(home),
            todo="Make one with `gsc init --home DIR --carrier CODE`.",
        )
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"{SETTINGS_FILE} is not TOML", got=str(error), todo=f"Correct {path}.") from None
    return parse_settings(home.resolve(), raw)


def parse_settings(home: Path, raw: Mapping[str, Any]) -> Settings:
    """Settings from parsed TOML; unknown keys are refused. Raises Malformed."""
    known = [item.name for item in fields(Settings) if item.name != "home"]
    refuse_unknown(raw, known, "gsc.toml")
    values: dict[str, Any] = {"home": home, "carrier": carrier_code(text_of(raw, "carrier"))}
    for name in ("chain_url", "database"):
        if name in raw:
            values[name] = text_of(raw, name)
    for name in ("network", "archive", "agreements", "decks"):
        if name in raw:
            values[name] = Path(text_of(raw, name))
    if "clock" in raw:
        values["clock"] = one_of(ClockKind, text_of(raw, "clock"), "clock")
    values["listen"] = listen_of(table_of(raw, "listen"))
    values["desk"] = desk_of(table_of(raw, "desk"))
    values["webhooks"] = webhooks_of(table_of(raw, "webhooks"))
    values["switch"] = switch_of(table_of(raw, "switch"))
    values["peers"] = peers_of(table_of(raw, "peers"))
    values["trunks"] = trunks_of(table_of(raw, "trunks"))
    values["capacity"] = capacity_of(table_of(raw, "capacity"))
    values["numbers"] = numbers_of(table_of(raw, "numbers"))
    values["tadig"] = tadig_of(table_of(raw, "tadig"))
    values["igw"] = igw_of(table_of(raw, "igw"))
    values["known"] = known_settings(table_of(raw, "known"))
    values["unallocated"] = ranges_of(raw.get("unallocated", []), "unallocated")
    return Settings(**values)
