"""What reads a usage file: a preset, or our reading of roaming files? Both give the same pieces."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, Protocol

from gateway.composition import Gateway, HomeFolder
from gateway.formats.files import Told, raw_lines
from gateway.formats.layout import Preset
from gateway.formats.preset import load_preset, read_preset
from gateway.formats.reading import CdrReader, Counts, Piece
from gateway.formats.sniffing import sniff
from gateway.formats.tally import FileValue
from gateway.formats.tap.audit import AuditLine
from gateway.formats.tap.files import SNIFFED_BYTES, FileKind, TapReader, kind_of, raw_events
from gateway.formats.tap.heads import FileName
from gateway.formats.tap.resolving import Resolved, file_key, missing_before, resolve_returns
from gateway.formats.tap.sides import TapContext, sides_of
from gateway.formats.tap.wording import lines_of, returned_text
from gateway.formats.trunks import Direction
from gateway.month.telling import Said, reading_context
from ledger.errors import Conflict, Malformed
from ledger.service import Service
from ledger.store.engine import reading
from ledger.store.imports import list_imports

AUTO = "auto"
"""Instead of a preset's name: the one that fits the file best."""
ROAMING = "tap"
"""Instead of a preset's name: a TAP, NRTRDE or RAP file."""

HELD_FILES = 2_000
"""Roaming files among which a number is looked for: a year of them with six partners."""


class FieldSource(NamedTuple):
    """What is read from which column."""

    field: str
    column: str


class Source(Protocol):
    """One usage file on its way in. What it says of itself is known once its pieces were taken."""

    preset: str
    sure_percent: int | None
    """How sure it is that the preset is the right one; None: the caller named it."""
    mapping: tuple[FieldSource, ...]

    def pieces(self, told: Told | None) -> Iterator[Piece]:
        """Its usage, piece by piece. Raises Malformed."""

    def counts(self) -> Counts:
        """What became of its rows."""

    def value(self) -> FileValue | None:
        """What it costs, as it says itself."""

    def raw(self, lines: Iterable[int]) -> Iterator[str]:
        """Its rows as they stand, by their numbers in ascending order."""

    def audit(self) -> tuple[AuditLine, ...]:
        """Its own totals against what it holds."""

    def notes(self) -> tuple[str, ...]:
        """What else a person should know of it."""


def open_source(gateway: Gateway | HomeFolder, path: Path, preset: str, said: Said) -> Source:
    """The file under the preset of that name, of a TOML file, or the one that fits best. Raises Malformed."""
    with path.open("rb") as file:
        roaming = kind_of(file.read(SNIFFED_BYTES)) is not None
    if preset == ROAMING or (preset == AUTO and roaming):
        return RoamingSource(gateway, path, None if preset == ROAMING else 100, said)
    chosen, sure_percent = choose_preset(preset, path)
    return PresetSource(gateway, path, chosen, sure_percent, said)


def choose_preset(name: str, path: Path) -> tuple[Preset, int | None]:
    """A preset by name, by its own TOML file, or "auto": the one that fits best, and how sure that is in percent.

    Raises Malformed.
    """
    if name == AUTO:
        sniffed = sniff(path)
        return sniffed.preset, sniffed.sure_percent
    return (read_preset(Path(name)) if name.endswith(".toml") else load_preset(name)), None


class PresetSource:
    """Rows of a preset."""

    def __init__(
        self, gateway: Gateway | HomeFolder, path: Path, chosen: Preset, sure_percent: int | None, said: Said
    ) -> None:
        if said.period is not None and chosen.service is not Service.IPL:
            raise Malformed(
                "only an inventory of circuits is read for a month",
                expected="no --period: the events' times tell",
                got=f"{said.period} for preset {chosen.name}",
            )
        self.preset, self.sure_percent = chosen.name, sure_percent
        self.mapping = tuple(FieldSource(*pair) for pair in chosen.mapping)
        self._path, self._kind = path, chosen.file.kind
        self._reader = CdrReader(chosen, reading_context(gateway.settings, said))

    def pieces(self, told: Told | None) -> Iterator[Piece]:
        return self._reader.pieces(self._path, told)

    def counts(self) -> Counts:
        return self._reader.counts()

    def value(self) -> FileValue | None:
        return self._reader.value()

    def raw(self, lines: Iterable[int]) -> Iterator[str]:
        return raw_lines(self._path, self._kind, lines)

    def audit(self) -> tuple[AuditLine, ...]:
        return ()

    def notes(self) -> tuple[str, ...]:
        return ()


class RoamingSource:
    """Events of a TAP, NRTRDE or RAP file. NRTRDE tells them early and against fraud: TAP bills the same ones later."""

    preset = ROAMING
    mapping: tuple[FieldSource, ...] = ()

    def __init__(self, gateway: Gateway | HomeFolder, path: Path, sure_percent: int | None, said: Said) -> None:
        if said != Said():
            raise Malformed(
                "a roaming file says itself whose traffic it holds, and when it was",
                expected="no --tz, --partner, --direction or --period",
                todo="Say in gsc.toml, in [tadig], whose network is whose.",
            )
        self.sure_percent = sure_percent
        self._gateway, self._path = gateway, path
        self._context = TapContext(gateway.carrier, gateway.settings.tadig)
        self._reader = TapReader(path, self._context)
        self._key = file_key(path)
        self._held = self._imported() if self._key or self._reader.kind is FileKind.RAP else {}
        self._keys = {key: name for held, name in self._held.items() if (key := file_key(held))}
        if self._key in self._keys:
            raise Conflict(
                f"number {self._key.sequence} of {self._key.sender} was imported before, with other content",
                expected="a number that was not used yet",
                got=f"the number of {self._keys[self._key]}",
                todo="Ask the sender which of the two holds: both would count the same events twice.",
            )

    def pieces(self, told: Told | None) -> Iterator[Piece]:
        for piece in self._reader.pieces(told):
            yield Piece({}, piece.quarantined) if self._reader.kind is FileKind.NRTRDE else piece

    def counts(self) -> Counts:
        counts = self._reader.counts()
        if self._reader.kind is not FileKind.NRTRDE:
            return counts
        return replace(counts, accepted=0, not_billable=counts.accepted + counts.not_billable)

    def value(self) -> FileValue | None:
        return self._reader.value()

    def raw(self, lines: Iterable[int]) -> Iterator[str]:
        return raw_events(self._path, lines)

    def audit(self) -> tuple[AuditLine, ...]:
        return self._reader.file().audit

    def notes(self) -> tuple[str, ...]:
        """What the file says of itself; a return with the event and import it is about, if we hold that."""
        file = self._reader.file()
        returns = map(self._returned, resolve_returns(file.returned, self._held))
        return (*lines_of(replace(file, returned=())), *returns, *self._meaning(file.name))

    def _returned(self, each: Resolved) -> str:
        told = returned_text(each.returned)
        if each.path is None:
            return told
        events = f", event {', '.join(map(str, each.events))}" if each.events else ""
        return f"{told}; imported as {self._held[each.path]}{events}"

    def _meaning(self, name: FileName) -> Iterator[str]:
        """What the file is good for."""
        if self._key and (missing := missing_before(self._key, self._keys)):
            first, last = missing
            yield f"not imported: number {first:05}" if first == last else f"not imported: {first:05} to {last:05}"
        if self._reader.kind is FileKind.NRTRDE:
            yield "NRTRDE tells events early and unpriced: none of them is kept as usage, since TAP bills them"
        if self._reader.kind is FileKind.TAP:
            sides = sides_of(name, self._context)
            if sides.direction is Direction.OUT:
                yield f"these are {sides.partner}'s own records: declared as our count they can only agree with its own"

    def _imported(self) -> dict[Path, str]:
        """The latest roaming files that were imported, with their names."""
        with reading(self._gateway.engine) as connection:
            imports = [each for each in list_imports(connection) if each.preset == ROAMING][:HELD_FILES]
        inbox = self._gateway.settings.inbox_path
        return {inbox / f"{each.file_hash.hex()}.cdr": each.file_name for each in imports}
