"""What does a carrier's home folder say about its gateway? `gsc.toml` is read and written strictly.

A home folder holds everything that belongs to one carrier:

    gsc.toml          these settings
    network.toml      the chain's addresses and pins (written by `gsc deploy`, the same file at every carrier)
    keys/             encrypted keys: signing.json (the carrier's word), sending.json (pays gas)
    operator.token    the desk's bearer token
    agreements/       one TOML file for each agreement; later versions of them in amendments/
    decks/            rate decks, CSV
    inbox/            raw CDR files as they came
    mappings/         how files of no known preset are read, one TOML file each
    archive/          sealed batches, ours and revealed ones, named by their Merkle root
    gsc.sqlite        the store, unless `database` names another
"""

from gateway.settings.home import init_home, operator_token, write_atomically
from gateway.settings.known import KnownSettings
from gateway.settings.reading import load_settings, parse_settings
from gateway.settings.shapes import (
    SETTINGS_FILE,
    ClockKind,
    Desk,
    Listen,
    Settings,
    Switch,
    TrunkDirection,
    TrunkSetting,
    Webhooks,
)
from gateway.settings.writing import dump_settings

__all__ = [
    "SETTINGS_FILE",
    "ClockKind",
    "Desk",
    "KnownSettings",
    "Listen",
    "Settings",
    "Switch",
    "TrunkDirection",
    "TrunkSetting",
    "Webhooks",
    "dump_settings",
    "init_home",
    "load_settings",
    "operator_token",
    "parse_settings",
    "write_atomically",
]
