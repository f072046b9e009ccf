"""From which thresholds on do two carriers agree that records look like forgery or fraud?

The agreement's `[detectors]`; what it does not name has the default. Where a rule is published its number is the
default, and the detector's docstring names the source (docs/detectors.md has them all).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DetectorTerms:
    """Whole numbers; a unit is the last part of the name."""

    least_records: int = 5
    """A pattern of forgery needs so many records."""
    odds_power: int = 9
    """A statistic speaks from odds of one in ten to this power on."""
    least_overlaps: int = 3
    """Calls of one number at once: two may be a transfer."""
    dear_times: int = 3
    """A call is dear from so many times the middle price of a minute of its direction."""
    irsf_calls: int = 20
    """Of a burst to one range of 10,000 numbers, by callers who each ..."""
    irsf_calls_each: int = 5
    """... make at least so many of them."""
    irsf_minutes: int = 60
    """They talk so long together."""
    irsf_days: int = 4
    """A burst lasts no longer."""
    premium_minutes: int = 120
    """Of one caller to premium ranges within 24 hours."""
    wangiri_ping_ms: int = 3_000
    """A ring for a moment lasts no longer, if it is answered at all."""
    wangiri_numbers: int = 50
    """Numbers that one caller rang so."""
    wangiri_hours: int = 24
    """A call back comes within so many hours."""
    wangiri_callbacks: int = 5
    """To one range of 10,000 numbers."""
    sms_numbers: int = 200
    """Of one range of 1,000 that one sender's burst reached."""
    sms_each: int = 3
    """Messages that a number of such a burst has at most, on average."""
    sms_days: int = 7
    """A burst lasts no longer."""
    sms_ranges: int = 50
    """Who fills more ranges sends notices to everybody."""
    false_answer_ms: int = 10_000
    """A caller who hears it ring hangs up within this."""
    false_answer_calls: int = 30
    """Short calls of one route and destination that were dialled again."""
    sim_box_calls: int = 200
    """Of one number in a month."""
    sim_box_spread_bps: int = 8_000
    """Share of them that goes to different numbers."""
    sim_box_middle_ms: int = 60_000
    """Of its calls the middle one lasts at least so long: conversations, not advertising."""
    bypass_calls: int = 30
    """Of our own numbers, in from one partner's route."""
    pumping_ratio: int = 6
    """Minutes to a range of 10,000 numbers for each minute from it: 47 CFR 61.3(bbb)."""
    pumping_minutes: int = 10_000
    """Of one range in a month."""
    pumping_long_times: int = 3
    """The middle call lasts so many times as long as the direction's."""
    late_days: int = 3
    """A declaration whose events end so long before others already declared came late."""
    surge_percent: int = 125
    """Traffic stands out from so much of what is usual."""
    surge_days: int = 3
    """Before a month's end, in which a tier or a balance is filled."""
    rate_date_hours: int = 48
    """On the cheap side of a rate change."""
    increment_calls: int = 30
    """Of one caller's or called range of 10,000 numbers, on the wrong side of an increment ..."""
    increment_edge_ms: int = 3_000
    """... within so much of its end."""
    unknown_caller_bps: int = 1_000
    """Share of calls without a valid caller: missing-CPN clauses allow a tenth."""
    rewritten_calls: int = 20
    """Calls whose caller cannot be true, of one direction."""
    peering_calls: int = 100
    """Of callers that are not the partner's, over a peering."""
    peering_foreign_bps: int = 1_000
    """Their share of it: travellers make less."""
