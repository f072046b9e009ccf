"""Which international gateways does the ledger know at its foundation? Exactly those that the convention names.

The convention counts 7 border bureaus and 23 direct channels and names only these 4 and 6: the members list the others
later (`listIgw`), none is invented here. A city can stand twice, as Fuzhou does, so that a code says the kind too.
"""

from collections.abc import Mapping

from ledger.chain.bindings import IgwKind, IgwListing
from ledger.identity import ascii32

BORDER_BUREAUS = 7
DIRECT_CHANNELS = 23
"""How many there are; more than are named."""

NAMED: Mapping[IgwKind, tuple[str, ...]] = {
    IgwKind.GLOBAL_BUREAU: ("BEIJING", "SHANGHAI", "GUANGZHOU"),
    IgwKind.REGIONAL_BUREAU: ("URUMQI", "KUNMING", "NANNING", "FUZHOU", "HARBIN", "HOHHOT", "XIAMEN"),
    IgwKind.BORDER_BUREAU: ("SHENZHEN", "ZHUHAI", "DANDONG", "ERENHOT"),
    IgwKind.DIRECT_CHANNEL: ("KARAMAY", "NANJING", "ZHENGZHOU", "FUZHOU", "DALIAN", "QINGDAO"),
}


def igw_code(kind: IgwKind, city: str) -> str:
    """The code of a named igw: kind and city, "GLOBAL-BEIJING", "CHANNEL-FUZHOU"."""
    words = {"GLOBAL_BUREAU": "GLOBAL", "REGIONAL_BUREAU": "REGIONAL", "BORDER_BUREAU": "BORDER"}
    return f"{words.get(kind.name, 'CHANNEL')}-{city}"


IGW_SEED: tuple[IgwListing, ...] = tuple(
    IgwListing(igw=ascii32(igw_code(kind, city)), kind=kind, valid_from=0, valid_until=0)
    for kind, cities in NAMED.items()
    for city in cities
)
"""As the registry's constructor takes them: valid for all events until the members delist them."""
