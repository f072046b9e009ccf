"""What does a carrier's home folder say about its gateway? Reads and writes `gsc.toml`, strictly.

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

import os
import re
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.known import KnownSettings, dump_known, known_settings
from gateway.webhooks.addresses import Network, parse_networks
from ledger.errors import Conflict, Malformed, NotFound
from ledger.identity import CarrierCode, carrier_code, registry_code
from ledger.numbers import numbering_of

SETTINGS_FILE = "gsc.toml"
DEFAULT_DATABASE = "sqlite:///gsc.sqlite"
_PREFIX = re.compile(r"[0-9#*]{1,15}", re.ASCII)

Word = TypeVar("Word", bound=StrEnum)


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
    _refuse_unknown(raw, known, "gsc.toml")
    values: dict[str, Any] = {"home": home, "carrier": carrier_code(_text(raw, "carrier"))}
    for name in ("chain_url", "database"):
        if name in raw:
            values[name] = _text(raw, name)
    for name in ("network", "archive", "agreements", "decks"):
        if name in raw:
            values[name] = Path(_text(raw, name))
    if "clock" in raw:
        values["clock"] = _one_of(ClockKind, _text(raw, "clock"), "clock")
    values["listen"] = _listen(_table(raw, "listen"))
    values["desk"] = _desk(_table(raw, "desk"))
    values["webhooks"] = _webhooks(_table(raw, "webhooks"))
    values["switch"] = _switch(_table(raw, "switch"))
    values["peers"] = _peers(_table(raw, "peers"))
    values["trunks"] = _trunks(_table(raw, "trunks"))
    values["capacity"] = _capacity(_table(raw, "capacity"))
    values["numbers"] = _numbers(_table(raw, "numbers"))
    values["tadig"] = _tadig(_table(raw, "tadig"))
    values["igw"] = _igw(_table(raw, "igw"))
    values["known"] = known_settings(_table(raw, "known"))
    values["unallocated"] = _ranges(raw.get("unallocated", []), "unallocated")
    return Settings(**values)


def dump_settings(settings: Settings) -> str:
    """The settings as gsc.toml; `parse_settings` reads them back equal."""
    openly = str(settings.desk.open_on_loopback).lower()
    lines = [
        "# A carrier's gateway: see `gsc doctor` and docs/formats.md.",
        f"carrier = {_quoted(settings.carrier)}",
        f"chain_url = {_quoted(settings.chain_url)}",
        f"network = {_quoted(settings.network.as_posix())}",
        f"clock = {_quoted(settings.clock)}  # chain (latest block) or system",
        f"database = {_quoted(settings.database)}",
        f"archive = {_quoted(settings.archive.as_posix())}",
        f"agreements = {_quoted(settings.agreements.as_posix())}",
        f"decks = {_quoted(settings.decks.as_posix())}",
        f"unallocated = [{_quoted_all(settings.unallocated)}]",
        "",
        "[listen]",
        f"host = {_quoted(settings.listen.host)}",
        f"port = {settings.listen.port}",
        "",
        "[desk]",
        f"open_on_loopback = {openly}  # a browser on this machine reads, no login",
        "",
        "[webhooks]",
        f"allow = [{_quoted_all(settings.webhooks.allow)}]  # own networks that webhooks may lead into",
        "",
        "[switch]",
        f"zone = {_quoted(settings.switch.zone.key)}",
        f"country = {_quoted(settings.switch.country)}",
        "",
        "[peers]",
        *(f"{_quoted(code)} = {_quoted(url)}" for code, url in sorted(settings.peers.items())),
    ]
    lines += ["", "[capacity]", *(f"{_quoted(name)} = {number}" for name, number in sorted(settings.capacity.items()))]
    lines += ["", "[numbers]"]
    lines += [f"{_quoted(code)} = [{_quoted_all(ranges)}]" for code, ranges in sorted(settings.numbers.items())]
    lines += ["", "[tadig]", *(f"{_quoted(code)} = {_quoted(whose)}" for code, whose in sorted(settings.tadig.items()))]
    lines += ["", "[igw]", *(f"{_quoted(code)} = {_quoted(igw)}" for code, igw in sorted(settings.igw.items()))]
    lines += dump_known(settings.known)
    for name, trunk in sorted(settings.trunks.items()):
        lines += ["", f"[trunks.{_quoted(name)}]", f"partner = {_quoted(trunk.partner)}"]
        lines += [f"direction = {_quoted(trunk.direction)}"]
        lines += [f"country = {_quoted(trunk.country)}"] if trunk.country else []
        if trunk.technical_prefixes:
            lines += [f"technical_prefixes = [{_quoted_all(trunk.technical_prefixes)}]"]
    return "\n".join(lines) + "\n"


def init_home(settings: Settings) -> Path:
    """Write a new home folder; the same settings again change nothing, other ones raise Conflict."""
    path = settings.home / SETTINGS_FILE
    text = dump_settings(settings)
    if path.exists() and path.read_text("utf-8") != text:
        raise Conflict(
            f"the home folder already has another {SETTINGS_FILE}",
            got=str(path),
            todo="Edit that file, or choose another --home.",
        )
    folders = (settings.home, settings.keys_path, settings.inbox_path, settings.work_path)
    for folder in (*folders, settings.archive_path, settings.agreements_path, settings.decks_path):
        folder.mkdir(parents=True, exist_ok=True)
    for folder in (settings.keys_path, settings.inbox_path, settings.work_path, settings.archive_path):
        folder.chmod(0o700)
    if not path.exists():
        write_atomically(path, text.encode("utf-8"))
    operator_token(settings)
    return path


def operator_token(settings: Settings) -> str:
    """The desk's bearer token, made on first use; only its owner may read the file."""
    path = settings.token_path
    if not path.exists():
        write_atomically(path, secrets.token_urlsafe(32).encode("ascii"), mode=0o600)
    return path.read_text("ascii").strip()


def write_atomically(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file so that a reader, or a crash, sees the old or the new content, never a part."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    partial.chmod(mode)
    partial.replace(path)


def _listen(raw: Mapping[str, Any]) -> Listen:
    _refuse_unknown(raw, ["host", "port"], "[listen]")
    port = raw.get("port", Listen().port)
    if type(port) is not int or not 0 < port < 65_536:
        raise Malformed("not a port", expected="listen.port from 1 to 65535", got=repr(port))
    return Listen(host=_text(raw, "host") if "host" in raw else Listen().host, port=port)


def _desk(raw: Mapping[str, Any]) -> Desk:
    _refuse_unknown(raw, ["open_on_loopback"], "[desk]")
    said = raw.get("open_on_loopback", Desk().open_on_loopback)
    if type(said) is not bool:
        raise Malformed("desk.open_on_loopback says neither", expected="true or false", got=repr(said)[:40])
    return Desk(said)


def _webhooks(raw: Mapping[str, Any]) -> Webhooks:
    _refuse_unknown(raw, ["allow"], "[webhooks]")
    said = raw.get("allow", [])
    if not isinstance(said, list) or not all(isinstance(each, str) for each in said):
        raise Malformed("webhooks.allow is no list of addresses", expected='["127.0.0.1"]', got=repr(said)[:80])
    parse_networks(said)  # raises Malformed: better now than with the first webhook
    return Webhooks(tuple(said))


def _switch(raw: Mapping[str, Any]) -> Switch:
    _refuse_unknown(raw, ["zone", "country"], "[switch]")
    country = _text(raw, "country") if "country" in raw else ""
    if country:
        numbering_of(country)  # raises Malformed: better now than with the first file
    zone = _text(raw, "zone") if "zone" in raw else "UTC"
    try:
        return Switch(zone=ZoneInfo(zone), country=country)
    except (ZoneInfoNotFoundError, ValueError):
        raise Malformed("not a time zone", expected="an IANA name such as Asia/Shanghai", got=repr(zone)) from None


def _peers(raw: Mapping[str, Any]) -> Mapping[CarrierCode, str]:
    peers = {}
    for code in raw:
        url = _text(raw, code).rstrip("/")
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
            raise Malformed(f"peer {code} has no usable URL", expected="http://host:port", got=repr(url))
        peers[carrier_code(code)] = url
    return MappingProxyType(peers)


def _trunks(raw: Mapping[str, Any]) -> Mapping[str, TrunkSetting]:
    trunks = {}
    for name in raw:
        table = _table(raw, name)
        _refuse_unknown(table, ["partner", "direction", "country", "technical_prefixes"], f"[trunks.{name}]")
        direction = _one_of(TrunkDirection, _text(table, "direction"), f"trunks.{name}.direction")
        country = _text(table, "country") if "country" in table else ""
        if country:
            numbering_of(country)  # raises Malformed: better now than with the first file
        prefixes = _prefixes(table.get("technical_prefixes", []), f"trunks.{name}.technical_prefixes")
        trunks[name] = TrunkSetting(carrier_code(_text(table, "partner")), direction, country, prefixes)
    return MappingProxyType(trunks)


def _capacity(raw: Mapping[str, Any]) -> Mapping[str, int]:
    for name, circuits in raw.items():
        if type(circuits) is not int or circuits < 1:
            raise Malformed(f"capacity.{name} is no number of circuits", expected="1 or more", got=repr(circuits))
    return MappingProxyType(dict(raw))


def _numbers(raw: Mapping[str, Any]) -> Mapping[CarrierCode, tuple[str, ...]]:
    return MappingProxyType({carrier_code(code): _ranges(raw[code], f"numbers.{code}") for code in raw})


def _tadig(raw: Mapping[str, Any]) -> Mapping[str, CarrierCode]:
    for code in raw:
        if not (len(code) == 5 and code.isascii() and code.isalnum() and code == code.upper()):
            raise Malformed("not a TADIG code", expected="five of A-Z and 0-9, such as GBRXX", got=repr(code[:40]))
    return MappingProxyType({code: carrier_code(_text(raw, code)) for code in raw})


def _igw(raw: Mapping[str, Any]) -> Mapping[CarrierCode, str]:
    return MappingProxyType({carrier_code(code): registry_code(_text(raw, code)) for code in raw})


def _ranges(raw: object, where: str) -> tuple[str, ...]:
    if not isinstance(raw, list) or not all(
        isinstance(each, str) and each.isascii() and each.isdigit() for each in raw
    ):
        raise Malformed(f"{where} is no list of number ranges", expected='["447700900"]', got=repr(raw)[:80])
    return tuple(raw)


def _prefixes(raw: object, where: str) -> tuple[str, ...]:
    if not isinstance(raw, list) or not all(isinstance(each, str) and _PREFIX.fullmatch(each) for each in raw):
        raise Malformed(f"{where} is no list of prefixes", expected='["1234#"], digits, # and *', got=repr(raw)[:80])
    return tuple(raw)


def _refuse_unknown(raw: Mapping[str, Any], known: list[str], where: str) -> None:
    unknown = sorted(raw.keys() - set(known))
    if unknown:
        raise Malformed(
            f"unknown key in {where}: {', '.join(unknown)}",
            expected=f"one of {', '.join(known)}",
            todo="Correct the spelling or remove it.",
        )


def _text(raw: Mapping[str, Any], name: str) -> str:
    value = raw.get(name)
    if not isinstance(value, str):
        raise Malformed(f"{name} is missing or not text", expected=f'{name} = "…"', got=repr(value))
    return value


def _table(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = raw.get(name, {})
    if not isinstance(value, dict):
        raise Malformed(f"{name} is not a table", expected=f"[{name}]", got=repr(value))
    return value


def _one_of(kind: type[Word], value: str, where: str) -> Word:
    if value not in {member.value for member in kind}:
        raise Malformed(f"unknown {where}", expected=" or ".join(member.value for member in kind), got=repr(value))
    return kind(value)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _quoted_all(texts: tuple[str, ...]) -> str:
    return ", ".join(map(_quoted, texts))
