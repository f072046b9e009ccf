"""What does the engine know of the records that need no explanation? Counts; and it may ask for more."""

from dataclasses import dataclass

import numpy as np

from reconciliation.matching.clocks import DAY_MS
from reconciliation.matching.side import Ints
from reconciliation.streaming.census import Census


@dataclass(frozen=True, slots=True)
class Whole:
    """Both sides' records, quiet ones included. The creditor is `ours`, as in Books."""

    first_day_ms: int
    """UTC midnight of the first of the days below."""
    creditor_days: Ints
    """(routes, days): the creditor's records; what starts on no such day counts with the first or last."""
    debtor_days: Ints
    quiet: int
    """Pairs that need no explanation."""
    quiet_codes: Ints
    """Of these, by code."""
    answered_creditor: Ints
    """(routes, days): of these with a quantity, by the creditor's route and the day of its start."""
    answered_debtor: Ints
    """The same by the debtor's route."""
    creditor: Census
    """All of the creditor's records."""
    debtor: Census | None
    """Of the debtor's; None if nobody said that it would be asked."""

    @property
    def creditor_records(self) -> int:
        return int(self.creditor_days.sum())

    def day_of(self, start_ms: Ints) -> Ints:
        """Places in the columns of days."""
        return np.clip((start_ms - self.first_day_ms) // DAY_MS, 0, self.creditor_days.shape[1] - 1)
