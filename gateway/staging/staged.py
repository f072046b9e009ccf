"""Which files were brought to the desk and not imported yet, and how does somebody want each to be read?"""

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from gateway.formats.preset import load_preset, preset_names, read_preset
from gateway.month.sources import AUTO, ROAMING
from gateway.month.telling import Said, said_of
from gateway.settings import Settings
from ledger.errors import Malformed, NotFound

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}", re.ASCII)
_WRITE_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL


@dataclass(frozen=True, slots=True)
class Choice:
    """How a file is to be read; "" is what the home folder and the file itself say."""

    preset: str = AUTO
    """A preset's name, "auto", "tap", or "mapping:NAME" of a saved mapping."""
    zone: str = ""
    partner: str = ""
    direction: str = ""
    period: str = ""

    def said(self) -> Said:
        """As the verbs take it. Raises Malformed."""
        return said_of(self.zone or None, self.partner or None, self.direction or None, self.period or None)


@dataclass(frozen=True, slots=True)
class Staged:
    """A file that waits, named by the SHA-256 of its content."""

    id: str
    name: str
    size: int
    path: Path
    choice: Choice


def stage(settings: Settings, name: str, chunks: Iterable[bytes]) -> Staged:
    """Put a file where it waits; the same content again is the same file, as it was chosen to be read before.

    Raises Malformed for a file that holds nothing.
    """
    folder = _folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{secrets.token_hex(8)}.part"
    digest, size = hashlib.sha256(), 0
    try:
        with os.fdopen(os.open(part, _WRITE_NEW, 0o600), "wb") as file:
            for chunk in chunks:
                file.write(chunk)
                digest.update(chunk)
                size += len(chunk)
        if not size:
            raise Malformed("the file is empty", expected="a usage file", got="no bytes", todo="Choose another file.")
        place = folder / digest.hexdigest()
        if place.exists():
            return staged_file(settings, place.name)
        place.mkdir()
        part.replace(place / "file")
    finally:
        part.unlink(missing_ok=True)
    made = Staged(place.name, Path(name).name[:200] or "file", size, place / "file", Choice())
    _write(made)
    return made


def staged_file(settings: Settings, staged_id: str) -> Staged:
    """A file that waits. Raises NotFound."""
    place = _folder(settings) / staged_id
    if not re.fullmatch(r"[0-9a-f]{64}", staged_id, re.ASCII) or not (place / "staged.json").is_file():
        raise NotFound("no such file waits", got=staged_id[:70], todo="Bring it again: /desk/imports.")
    said = json.loads((place / "staged.json").read_text("utf-8"))
    path = place / "file"
    return Staged(staged_id, said["name"], path.stat().st_size, path, Choice(**said["choice"]))


def list_staged(settings: Settings) -> list[Staged]:
    """All files that wait, by name."""
    places = _folder(settings).glob("*/staged.json")
    found = [staged_file(settings, place.parent.name) for place in places]
    return sorted(found, key=lambda each: (each.name, each.id))


def choose(settings: Settings, staged: Staged, choice: Choice) -> Staged:
    """Say how it is to be read. Raises Malformed for a preset or a word there is none of."""
    preset_of(settings, choice.preset)
    choice.said()
    chosen = replace(staged, choice=choice)
    _write(chosen)
    return chosen


def put_away(settings: Settings, staged: Staged) -> None:
    """It waits no longer; what was imported of it is kept in the inbox."""
    shutil.rmtree(_folder(settings) / staged.id, ignore_errors=True)


def preset_of(settings: Settings, name: str) -> str:
    """What a verb takes as the preset: the name, or the path of a saved mapping. Raises Malformed."""
    if name in (AUTO, ROAMING):
        return name
    if not name.startswith("mapping:"):
        return load_preset(name).name
    path = mapping_path(settings, name.removeprefix("mapping:"))
    if not path.is_file():
        raise Malformed("no such mapping", expected=", ".join(mapping_names(settings)) or "a saved one", got=name[:50])
    read_preset(path)
    return str(path)


def preset_choices(settings: Settings) -> list[str]:
    """Every word that a choice may have."""
    return [AUTO, *(f"mapping:{name}" for name in mapping_names(settings)), *preset_names(), ROAMING]


def mapping_names(settings: Settings) -> list[str]:
    """The saved mappings."""
    return sorted(path.stem for path in settings.mappings_path.glob("*.toml"))


def mapping_path(settings: Settings, name: str) -> Path:
    """Where a mapping of that name is kept. Raises Malformed."""
    if not _NAME.fullmatch(name):
        raise Malformed("not a name of a mapping", expected="1 to 40 of a-z, 0-9, - and _", got=repr(name[:50]))
    return settings.mappings_path / f"{name}.toml"


def save_mapping(settings: Settings, name: str, toml: str) -> Path:
    """Keep a mapping under a name; one of the same name gives way. Raises Malformed."""
    path = mapping_path(settings, name)
    path.parent.mkdir(exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(toml, "utf-8")
    try:
        read_preset(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def _folder(settings: Settings) -> Path:
    return settings.work_path / "staged"


def _write(staged: Staged) -> None:
    path = staged.path.with_name("staged.json")
    part = path.with_suffix(".part")
    part.write_text(json.dumps({"name": staged.name, "choice": asdict(staged.choice)}), "utf-8")
    part.replace(path)
