"""Why do the sides differ? The findings of one direction as bars that sum to the difference."""

from collections.abc import Sequence
from dataclasses import dataclass

from reconciliation.finding import Finding


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a waterfall, in permille of its width, with the amount it stands for."""

    cause: str
    count: int
    amount_micros: int
    left: int
    width: int
    joint: int
    """Where the next bar begins."""


@dataclass(frozen=True, slots=True)
class Waterfall:
    """The causes of one direction's difference; the bars' amounts sum to `difference_micros`."""

    creditor: str
    service: str
    difference_micros: int
    zero: int
    """Where nothing lies, in permille."""
    bars: Sequence[Bar]


def waterfall(creditor: str, service: str, findings: Sequence[Finding]) -> Waterfall:
    """The findings of one direction as floating bars, causes in order of weight; the bars sum to the difference."""
    amounts: dict[str, int] = {}
    counts: dict[str, int] = {}
    for finding in findings:
        amounts[finding.cause] = amounts.get(finding.cause, 0) + finding.difference_micros
        counts[finding.cause] = counts.get(finding.cause, 0) + finding.count
    order = sorted(amounts, key=lambda cause: (-abs(amounts[cause]), cause))
    corners = [0]
    for cause in order:
        corners.append(corners[-1] + amounts[cause])
    low, span = min(corners), max(max(corners) - min(corners), 1)

    def place(micros: int) -> int:
        return 10 + (micros - low) * 980 // span

    bars = [
        Bar(
            cause=cause,
            count=counts[cause],
            amount_micros=amounts[cause],
            left=min(place(before), place(after)),
            width=max(2, abs(place(after) - place(before))),
            joint=place(after),
        )
        for cause, before, after in zip(order, corners, corners[1:], strict=False)
    ]
    return Waterfall(creditor, service, corners[-1], place(0), bars)
