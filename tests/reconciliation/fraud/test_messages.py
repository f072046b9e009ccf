"""Are messages to neighbouring numbers found, and campaigns, notices, machines and staff left alone?"""

import pytest

from ledger.detector_terms import DetectorTerms
from ledger.service import Service
from reconciliation.fraud.messages import inflated_sms
from tests.reconciliation.fraud.flows import DAY_S, outgoing
from tests.reconciliation.records import Call

FEW = DetectorTerms(sms_numbers=50, sms_ranges=3)


def text(k: int, number: int, *, sender: str = "BANK", at: float = 0) -> Call:
    return Call(at=at + k, lasts=0.001, a=sender, b=str(number), amount=25_000)


def customers() -> list[Call]:
    """A month of codes to customers anywhere."""
    return [text(0, 447_700_000_000 + k * 15_485_863 % 99_000_000, at=(k % 20 - 10) * DAY_S) for k in range(500)]


def burst(numbers: int = 60, begin: int = 447_911_222_000, days: int = 2) -> list[Call]:
    return [text(k, begin + k * 7, at=k % days * DAY_S) for k in range(numbers)]


def test_a_burst_to_neighbouring_numbers_is_inflated() -> None:
    flow = outgoing([*customers(), *burst()], FEW, Service.SMS)
    (found,) = inflated_sms(flow)
    assert (found.subject, found.count, found.money_at_risk_micros) == ("BANK", 60, 1_500_000)
    assert found.rows.tolist() == list(range(500, 560))


@pytest.mark.parametrize(
    "messages",
    [
        burst(49),
        [text(k, 447_911_222_000 + k * 7, sender=f"BRAND{k}") for k in range(60)],
        [call for day in range(9) for call in [text(k, 447_911_222_000 + k, at=day * DAY_S) for k in range(60)]],
        burst(60, days=9),
        [call for each in range(4) for call in burst(begin=447_911_000_000 + each * 1_000)],
    ],
    ids=["staff of 49", "many senders", "machines read every day", "over nine days", "a notice to four ranges"],
)
def test_what_is_not_inflated_stays_silent(messages: list[Call]) -> None:
    assert list(inflated_sms(outgoing([*customers(), *messages], FEW, Service.SMS))) == []


def test_a_months_other_messages_to_the_range_hide_no_burst() -> None:
    other = [text(0, 447_911_222_500 + k, at=(k * 9 - 9) * DAY_S) for k in range(2)]
    (found,) = inflated_sms(outgoing([*customers(), *other, *burst()], FEW, Service.SMS))
    assert found.count == 62
