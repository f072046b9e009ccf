"""How does an agreement file write down rounding place, time bands, origins and surcharges: the section [rating]?"""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar

from ledger.agreement_section import Section, bps, text_of, texts_of, whole, zone_of
from ledger.canonical import Value
from ledger.errors import Malformed
from ledger.money import Nanos, parse_nanos, show_nanos
from ledger.prices.rating_terms import (
    DAY_MINUTES,
    INVALID,
    OTHER,
    BandRule,
    Origin,
    RatingTerms,
    RoundingPlace,
    ShareBy,
    Surcharge,
    TimeBand,
    TimeBands,
    UnknownCallers,
    Weekday,
)

_WORD = TypeVar("_WORD", bound=StrEnum)


def rating_terms(section: Section) -> RatingTerms:
    """Read the keys of [rating] beside rounding and notice_days. Raises Malformed."""
    origins = _origins(section.section("origins"))
    names = {origin.name for origin in origins} | {OTHER, INVALID}
    terms = RatingTerms(
        place=section.optional("rounding_place", _word(RoundingPlace), RoundingPlace.RECORD),
        decimals=section.optional("decimals", lambda key, value: whole(key, value, 6), 6),
        bands=_bands(section),
        origins=origins,
        surcharges=tuple(_surcharge(each, names) for each in section.tables("surcharges")),
        unknown_callers=_unknown_callers(section, names),
    )
    if terms.place is RoundingPlace.STATEMENT and terms.decimals != 6:
        raise Malformed(
            "a statement is rounded to whole micros",
            expected="decimals = 6, or another rounding_place",
            got=terms.decimals,
        )
    return terms


def dump_rating_terms(terms: RatingTerms) -> str:
    """The keys as `rating_terms` reads them back, to stand in [rating] after its other keys."""
    bands, callers = terms.bands, terms.unknown_callers
    lines = [f'rounding_place = "{terms.place}"', f"decimals = {terms.decimals}"]
    if bands.zone is not None:
        lines.append(f'band_zone = "{bands.zone}"')
    lines.append(f'band_rule = "{bands.rule}"')
    if bands.holidays:
        lines.append(f"holidays = [{', '.join(day.isoformat() for day in sorted(bands.holidays))}]")
    if callers is not None:
        lines += [f'unknown_high = "{callers.high}"', f"unknown_share_bps = {callers.share_bps}"]
        lines.append(f'unknown_by = "{callers.by}"')
    for band in bands.bands:
        lines += ["", "[[rating.bands]]", f'name = "{band.name}"', f"days = {_texts(map(str, _in_week(band.days)))}"]
        lines += [f'from = "{_clock(band.begin)}"', f'to = "{_clock(_of_day(band.end))}"']
    if terms.origins:
        lines += ["", "[rating.origins]"]
        lines += [f'"{origin.name}" = {_texts(sorted(origin.codes))}' for origin in terms.origins]
    for surcharge in terms.surcharges:
        lines += ["", "[[rating.surcharges]]", f'name = "{surcharge.name}"']
        lines += [f'rate = "{show_nanos(surcharge.nanos)}"', f'fee = "{show_nanos(surcharge.fee_nanos)}"']
        lines.append(f"origins = {_texts(sorted(surcharge.origins))}")
        lines += [f"to = {_texts(sorted(surcharge.to))}"] if surcharge.to else []
    return "\n".join(lines)


def rating_terms_values(terms: RatingTerms) -> list[Value]:
    """What the agreement's hash binds of [rating] beside rounding and notice_days."""
    bands, callers = terms.bands, terms.unknown_callers
    return [
        str(terms.place),
        terms.decimals,
        [bands.zone, str(bands.rule), [day.isoformat() for day in sorted(bands.holidays)]],
        [[band.name, [str(day) for day in _in_week(band.days)], band.begin, band.end] for band in bands.bands],
        [[origin.name, sorted(origin.codes)] for origin in terms.origins],
        [[each.name, each.nanos, each.fee_nanos, sorted(each.origins), sorted(each.to)] for each in terms.surcharges],
        None if callers is None else [callers.high, callers.share_bps, str(callers.by)],
    ]


def _bands(section: Section) -> TimeBands:
    zone = section.optional("band_zone", zone_of, None)
    bands = tuple(_band(each) for each in section.tables("bands"))
    _check_names("bands", [band.name for band in bands])
    return TimeBands(
        bands=bands,
        zone=None if zone is None else zone.key,
        rule=section.optional("band_rule", _word(BandRule), BandRule.SPLIT),
        holidays=section.optional("holidays", _dates, frozenset()),
    )


def _band(section: Section) -> TimeBand:
    name, days = section.required("name", _name), section.optional("days", _days, frozenset(Weekday))
    begin, end = section.optional("from", _minute, 0), section.optional("to", _minute, DAY_MINUTES)
    section.finish()
    if begin in (end, DAY_MINUTES):
        raise Malformed(
            "a band begins where it ends, or where the day does",
            expected="from before 24:00 and another to; one before from is of the next morning",
            got=f"{_clock(begin)} to {_clock(end)}",
        )
    return TimeBand(name, days, begin, end if begin < end else end + DAY_MINUTES)


def _origins(section: Section) -> tuple[Origin, ...]:
    origins = []
    taken: set[str] = set()
    for name in section.names():
        _name("origins", name)
        codes = frozenset(section.required(name, _codes))
        if name in (OTHER, INVALID) or codes & taken:
            raise Malformed("an origin's name or code is taken", expected="each once; not other, invalid", got=name)
        taken |= codes
        origins.append(Origin(name, codes))
    return tuple(origins)


def _surcharge(section: Section, names: set[str]) -> Surcharge:
    surcharge = Surcharge(
        name=section.required("name", _name),
        origins=frozenset(section.required("origins", texts_of)),
        nanos=section.optional("rate", _price, Nanos(0)),
        fee_nanos=section.optional("fee", _price, Nanos(0)),
        to=frozenset(section.optional("to", texts_of, list[str]())),
    )
    section.finish()
    if unknown := sorted((surcharge.origins | surcharge.to) - names):
        raise Malformed("not an origin", expected=", ".join(sorted(names)), got=unknown[0])
    return surcharge


def _unknown_callers(section: Section, names: set[str]) -> UnknownCallers | None:
    high = section.optional("unknown_high", text_of, None)
    share_bps = section.optional("unknown_share_bps", bps, None)
    by = section.optional("unknown_by", _word(ShareBy), ShareBy.CALLS)
    if high is None:
        if share_bps is not None:
            raise Malformed("rating lacks unknown_high", expected="the origin of calls without a number", got="nothing")
        return None
    if high not in names - {INVALID}:
        raise Malformed("not an origin", expected=", ".join(sorted(names - {INVALID})), got=high)
    return UnknownCallers(high, 9_000 if share_bps is None else share_bps, by)


def _word(words: type[_WORD]) -> Callable[[str, object], _WORD]:
    def read(key: str, value: object) -> _WORD:
        try:
            return words(text_of(key, value))
        except ValueError:
            raise Malformed(f"not a {key}", expected=", ".join(words), got=repr(value)[:40]) from None

    return read


def _name(key: str, value: object) -> str:
    text = text_of(key, value)
    if 0 < len(text) <= 32 and text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return text
    raise Malformed(f"not a name of {key}", expected="1 to 32 ASCII characters", got=repr(text)[:40])


def _check_names(key: str, names: list[str]) -> None:
    if len(set(names)) != len(names):
        raise Malformed(f"two {key} have one name", expected="each once", got=", ".join(names)[:80])


def _days(key: str, value: object) -> frozenset[Weekday]:
    return frozenset(_word(Weekday)(key, text) for text in texts_of(key, value))


def _dates(key: str, value: object) -> frozenset[date]:
    if isinstance(value, list) and all(isinstance(day, date) and not isinstance(day, datetime) for day in value):
        return frozenset(value)
    raise Malformed(f"{key} are not dates", expected="[2026-12-25, 2027-01-01]", got=repr(value)[:40])


def _minute(key: str, value: object) -> int:
    text = text_of(key, value)
    hour, colon, minute = text.partition(":")
    if colon and text.isascii() and len(text) == 5 and hour.isdigit() and minute.isdigit() and int(minute) < 60:
        total = int(hour) * 60 + int(minute)
        if total <= DAY_MINUTES:
            return total
    raise Malformed(f"{key} is not a time of day", expected="08:00, to 24:00", got=repr(text)[:20])


def _codes(key: str, value: object) -> list[str]:
    codes = texts_of(key, value)
    for code in codes:
        if not (0 < len(code) <= 15 and code.isascii() and code.isdigit() and code[0] != "0"):
            raise Malformed("not a dial code", expected="1 to 15 digits, no leading 0", got=repr(code)[:40])
    return codes


def _price(key: str, value: object) -> Nanos:
    nanos = parse_nanos(text_of(key, value))
    if nanos < 0:
        raise Malformed(f"{key} is negative", expected="0 or more", got=value)
    return nanos


def _in_week(days: Iterable[Weekday]) -> list[Weekday]:
    return sorted(days, key=list(Weekday).index)


def _of_day(end: int) -> int:
    return end - DAY_MINUTES if end > DAY_MINUTES else end


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _texts(texts: Iterable[str]) -> str:
    return "[" + ", ".join(f'"{text}"' for text in texts) + "]"
