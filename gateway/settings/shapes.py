"""What is set for a gateway? Frozen values, with what holds where gsc.toml says nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

from gateway.settings.known import KnownSettings
from gateway.webhooks.addresses import Network, parse_networks
from ledger.identity import CarrierCode

SETTINGS_FILE = "gsc.toml"
DEFAULT_DATABASE = "sqlite:///gsc.sqlite"


class ClockKind(StrEnum):
    """Whose time the gateway goes by."""

    CHAIN = "chain"
    """The latest block's time: for local chains whose clock is moved."""
    SYSTEM = "system"
    """This machine's clock."""


class TrunkDirection(StrEnum):
    """Which way a trunk carries traffic, seen from this carrier."""

    IN = "in"
    """From the partner to us: we terminate and are the creditor."""
    OUT = "out"
    """From us to the partner: the partner terminates and is the creditor."""


@dataclass(frozen=True, slots=True)
class TrunkSetting:
    """One trunk of the switch: who is at the other end, and which way it carries traffic."""

    partner: CarrierCode
    direction: TrunkDirection
    country: str = ""
    """Whose national numbers it carries, if not those of the switch's country (ISO 3166)."""
    technical_prefixes: tuple[str, ...] = ()
    """Routing digits that the partner's numbers begin with."""


@dataclass(frozen=True, slots=True)
class Listen:
    """Where the gateway's API and desk listen."""

    host: str = "127.0.0.1"
    port: int = 8100


@dataclass(frozen=True, slots=True)
class Desk:
    """Who reads the desk's pages."""

    open_on_loopback: bool = True
    """A browser on this machine reads without login; writes always need a session."""


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Where webhooks may lead beside public addresses."""

    allow: tuple[str, ...] = ()
    """Own addresses and networks; http is enough there."""

    @property
    def networks(self) -> tuple[Network, ...]:
        return parse_networks(self.allow)


@dataclass(frozen=True, slots=True)
class Switch:
    """How the switch writes its CDRs: local zone, and the country its national numbers belong to (ISO 3166)."""

    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    country: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """A carrier's home folder and what its gsc.toml says; relative paths are relative to the home folder."""

    home: Path
    carrier: CarrierCode
    chain_url: str = "http://127.0.0.1:8545"
    network: Path = Path("network.toml")
    clock: ClockKind = ClockKind.SYSTEM
    database: str = DEFAULT_DATABASE
    archive: Path = Path("archive")
    agreements: Path = Path("agreements")
    decks: Path = Path("decks")
    listen: Listen = field(default_factory=Listen)
    desk: Desk = field(default_factory=Desk)
    webhooks: Webhooks = field(default_factory=Webhooks)
    switch: Switch = field(default_factory=Switch)
    peers: Mapping[CarrierCode, str] = field(default_factory=lambda: MappingProxyType({}))
    trunks: Mapping[str, TrunkSetting] = field(default_factory=lambda: MappingProxyType({}))
    capacity: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Circuits of each trunk, ours and the partners': more calls at once are evidence of forgery."""
    numbers: Mapping[CarrierCode, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """How the numbers of each partner's own callers begin: tells whose call arrives through another."""
    tadig: Mapping[str, CarrierCode] = field(default_factory=lambda: MappingProxyType({}))
    """Whose mobile network a TADIG code in TAP, NRTRDE and RAP files stands for; ours need not be named."""
    igw: Mapping[CarrierCode, str] = field(default_factory=lambda: MappingProxyType({}))
    """Which international gateway each partner's data and private lines cross the border by, unless a command says."""
    unallocated: tuple[str, ...] = ()
    """Number ranges that nobody holds, as the regulators publish them."""
    known: KnownSettings = field(default_factory=KnownSettings)
    """What else is known of numbers, ports and circuits, for the search for fraud and forgery."""

    @property
    def network_path(self) -> Path:
        return self.home / self.network

    @property
    def archive_path(self) -> Path:
        return self.home / self.archive

    @property
    def agreements_path(self) -> Path:
        return self.home / self.agreements

    @property
    def amendments_path(self) -> Path:
        """Files of later versions of the agreements."""
        return self.agreements_path / "amendments"

    @property
    def decks_path(self) -> Path:
        return self.home / self.decks

    @property
    def inbox_path(self) -> Path:
        return self.home / "inbox"

    @property
    def mappings_path(self) -> Path:
        """Mappings that were saved at the desk, one preset a file."""
        return self.home / "mappings"

    @property
    def work_path(self) -> Path:
        """Imported, rated and reconciled tables on their way: all can be made again from inbox, decks and archive."""
        return self.home / "work"

    @property
    def keys_path(self) -> Path:
        return self.home / "keys"

    @property
    def token_path(self) -> Path:
        return self.home / "operator.token"

    @property
    def database_url(self) -> str:
        """The database with a relative SQLite file placed in the home folder."""
        prefix = "sqlite:///"
        name = self.database.removeprefix(prefix)
        if not self.database.startswith(prefix) or name.startswith(("/", ":")) or Path(name).is_absolute():
            return self.database
        return f"{prefix}{(self.home / name).resolve()}"
