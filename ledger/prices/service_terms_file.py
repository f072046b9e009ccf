"""How are the sections [sms], [data] and [ipl] of an agreement written, read and bound by its hash?"""

from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

from ledger.agreement_section import Section, bps, text_of, whole
from ledger.canonical import Value
from ledger.errors import Malformed
from ledger.prices.service_terms import (
    CreditedMonth,
    DataBasis,
    DataTerms,
    IplTerms,
    MissingSamples,
    MonthDays,
    OutageCredit,
    PercentileDefinition,
    SampleDirection,
    SmsBasis,
    SmsTerms,
    SmsUnit,
    Tier,
)

_DAY_SECONDS = 86_400
_ALL_PPM = 1_000_000

_Word = TypeVar("_Word", bound=StrEnum)


def sms_terms(section: Section) -> SmsTerms:
    """Read [sms]. Raises Malformed."""
    default = SmsTerms()
    terms = SmsTerms(
        unit=section.optional("unit", _word(SmsUnit), default.unit),
        basis=section.optional("basis", _word(SmsBasis), default.basis),
    )
    section.finish()
    return terms


def data_terms(section: Section) -> DataTerms:
    """Read [data]. Raises Malformed."""
    default = DataTerms()
    terms = DataTerms(
        basis=section.optional("basis", _word(DataBasis), default.basis),
        percentile=section.optional("percentile", _percent, default.percentile),
        definition=section.optional("definition", _word(PercentileDefinition), default.definition),
        direction=section.optional("direction", _word(SampleDirection), default.direction),
        missing=section.optional("missing", _word(MissingSamples), default.missing),
        missing_bps=section.optional("missing_bps", bps, default.missing_bps),
        sample_seconds=section.optional("sample_seconds", _sample_seconds, default.sample_seconds),
    )
    section.finish()
    return terms


def ipl_terms(section: Section) -> IplTerms:
    """Read [ipl] and its [[ipl.tiers]]. Raises Malformed."""
    default = IplTerms()
    tiers = tuple(_tier(each) for each in section.tables("tiers"))
    terms = IplTerms(
        days=section.optional("days", _word(MonthDays), default.days),
        credit=section.optional("credit", _word(OutageCredit), default.credit),
        credited_month=section.optional("credited_month", _word(CreditedMonth), default.credited_month),
        tiers=tuple(sorted(tiers, reverse=True)),
        least_outage_minutes=section.optional("least_outage_minutes", _minutes, default.least_outage_minutes),
        most_credit_bps=section.optional("most_credit_bps", bps, default.most_credit_bps),
    )
    section.finish()
    _check_tiers(terms)
    return terms


def dump_service_terms(sms: SmsTerms, data: DataTerms, ipl: IplTerms) -> str:
    """The three sections as the readers above take them back."""
    tiers = "".join(
        f"\n[[ipl.tiers]]\nbelow_ppm = {tier.below_ppm}\ncredit_bps = {tier.credit_bps}\n" for tier in ipl.tiers
    )
    return f"""\
[sms]
unit = "{sms.unit}"
basis = "{sms.basis}"

[data]
basis = "{data.basis}"
percentile = {data.percentile}
definition = "{data.definition}"
direction = "{data.direction}"
missing = "{data.missing}"
missing_bps = {data.missing_bps}
sample_seconds = {data.sample_seconds}

[ipl]
days = "{ipl.days}"
credit = "{ipl.credit}"
credited_month = "{ipl.credited_month}"
least_outage_minutes = {ipl.least_outage_minutes}
most_credit_bps = {ipl.most_credit_bps}
{tiers}"""


def service_terms_values(sms: SmsTerms, data: DataTerms, ipl: IplTerms) -> list[Value]:
    """What the document's hash binds of the three sections."""
    return [
        [str(sms.unit), str(sms.basis)],
        [
            str(data.basis),
            data.percentile,
            str(data.definition),
            str(data.direction),
            str(data.missing),
            data.missing_bps,
            data.sample_seconds,
        ],
        [
            str(ipl.days),
            str(ipl.credit),
            str(ipl.credited_month),
            [[tier.below_ppm, tier.credit_bps] for tier in ipl.tiers],
            ipl.least_outage_minutes,
            ipl.most_credit_bps,
        ],
    ]


def _tier(section: Section) -> Tier:
    tier = Tier(section.required("below_ppm", _ppm), section.required("credit_bps", bps))
    section.finish()
    return tier


def _check_tiers(terms: IplTerms) -> None:
    below = [tier.below_ppm for tier in terms.tiers]
    shares = [tier.credit_bps for tier in terms.tiers]
    if len(set(below)) != len(below) or shares != sorted(shares):
        raise Malformed(
            "the tiers of [ipl] contradict each other",
            expected="another availability each, and the lower it is the larger the credit",
            got=", ".join(f"{tier.below_ppm}: {tier.credit_bps}" for tier in terms.tiers),
        )
    if bool(below) != (terms.credit is OutageCredit.TIER):
        raise Malformed(
            "[ipl] says one thing and its tiers another",
            expected='[[ipl.tiers]] with credit = "tier", and only then',
            got=f'credit = "{terms.credit}" and {len(below)} tiers',
        )


def _word(kind: type[_Word]) -> Callable[[str, object], _Word]:
    """Reads one of the words of an enum."""

    def read(key: str, value: object) -> _Word:
        try:
            return kind(text_of(key, value))
        except ValueError:
            raise Malformed(f"not a {key}", expected=", ".join(kind), got=repr(value)[:40]) from None

    return read


def _percent(key: str, value: object) -> int:
    if (percent := whole(key, value, 100)) == 0:
        raise Malformed(f"{key} is out of bounds", expected="1 to 100", got=0)
    return percent


def _sample_seconds(key: str, value: object) -> int:
    seconds = whole(key, value, _DAY_SECONDS)
    if seconds == 0 or _DAY_SECONDS % seconds:
        raise Malformed(f"{key} does not divide a day", expected="for example 300", got=seconds)
    return seconds


def _minutes(key: str, value: object) -> int:
    return whole(key, value, _DAY_SECONDS // 60)


def _ppm(key: str, value: object) -> int:
    return whole(key, value, _ALL_PPM)
