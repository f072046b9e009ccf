"""What do the settings, the agreements and the caller say of a usage file that it does not say itself?"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from gateway.composition import Partnership, partnerships
from gateway.reading import Direction, ReadingContext, Trunk
from gateway.settings import Settings
from ledger.identity import CarrierCode
from ledger.numbers import Numbering, numbering_of
from ledger.period import Period


@dataclass(frozen=True, slots=True)
class Said:
    """What the caller says of a file; None: what the home folder says."""

    zone: ZoneInfo | None = None
    """In which its local times are."""
    partner: CarrierCode | None = None
    """Whose traffic is on trunks that the settings do not name."""
    direction: Direction | None = None
    """Which way that traffic went, if the file does not say it."""
    period: Period | None = None
    """The month that an inventory of circuits is read for."""


NOTHING_SAID = Said()


def reading_context(settings: Settings, said: Said = NOTHING_SAID) -> ReadingContext:
    """How the files of this home's switch are read."""
    held = partnerships(settings)
    trunks = {}
    for name, setting in settings.trunks.items():
        trunk = _trunk(held, setting.partner, Direction(setting.direction.value))
        country = setting.country or settings.switch.country
        trunks[name] = replace(trunk, numbering=_numbering(country, setting.technical_prefixes))
    ways = [said.direction] if said.direction else list(Direction)
    return ReadingContext(
        zone=said.zone or settings.switch.zone,
        country=settings.switch.country,
        trunks=trunks,
        unnamed={way: _trunk(held, said.partner, way) for way in ways} if said.partner else {},
        carrier=settings.carrier,
        period=said.period,
    )


def _trunk(held: Mapping[CarrierCode, Partnership], partner: CarrierCode, direction: Direction) -> Trunk:
    if partner not in held:
        return Trunk(partner, direction)
    agreement = held[partner].agreement
    return Trunk(
        partner,
        direction,
        sms=agreement.sms,
        sample_seconds=agreement.data.sample_seconds,
        zone=agreement.zone,
    )


def _numbering(country: str, technical_prefixes: tuple[str, ...]) -> Numbering | None:
    """None where no country is set: a file with numbers then says so."""
    return replace(numbering_of(country), technical_prefixes=technical_prefixes) if country else None
