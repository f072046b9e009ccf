"""What do the settings, the agreements and the caller say of a usage file that it does not say itself?"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.composition import Partnership, partnerships
from gateway.formats.reading import Direction, ReadingContext, Trunk
from gateway.settings import Settings
from ledger.errors import Malformed
from ledger.identity import CarrierCode, carrier_code
from ledger.numbers import Numbering, numbering_of
from ledger.period import Period, parse_period


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


def said_of(
    zone: str | None = None, partner: str | None = None, direction: str | None = None, period: str | None = None
) -> Said:
    """The same from words. Raises Malformed."""
    if direction not in (None, *Direction):
        raise Malformed("not a direction", expected="in or out", got=repr(direction))
    if direction and not partner:
        raise Malformed("a direction is a partner's", expected="a partner with the direction", got="no partner")
    try:
        place = None if zone is None else ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Malformed("not a time zone", expected="an IANA name such as Asia/Shanghai", got=repr(zone)) from None
    return Said(
        zone=place,
        partner=None if partner is None else carrier_code(partner),
        direction=None if direction is None else Direction(direction),
        period=None if period is None else parse_period(period),
    )


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
