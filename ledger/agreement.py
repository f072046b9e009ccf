"""What did two carriers agree? The whole agreement file as values."""

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from ledger.detector_terms import DetectorTerms
from ledger.identity import CarrierCode
from ledger.money import Micros, Rounding
from ledger.prices.deal_terms import Deal
from ledger.prices.fx_terms import FxTerms
from ledger.prices.rating_terms import RatingTerms
from ledger.prices.service_terms import DataTerms, IplTerms, SmsTerms
from ledger.service import Service

DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Tolerance:
    """When is a difference worth a dispute? Defaults: the GSC dispute workshop of 2020 and usual clauses."""

    window_ms: int = 3_000
    """Largest start difference of a pair after the estimated clock offset."""
    duration_ms: int = 2_000
    """Largest duration difference that is no difference."""
    duration_bps: int = 100
    """... or this share of the duration, whichever is larger."""
    volume_bps: int = 100
    """A volume dispute is raised from this share of the invoice ..."""
    volume_micros: Micros = field(default=Micros(1_000_000_000))
    """... or from this amount."""


@dataclass(frozen=True, slots=True)
class PaymentTerms:
    """When is money due, and what happens if it is late?"""

    payment_days: int = 30
    acceptance_days: int = 60
    """Silence accepts a proposed statement after this."""
    interest_bps: int = 150
    """Simple, for each 30 days overdue."""
    stop_credit_days: int = 15
    """After the due date."""
    terminate_days: int = 30
    """After the due date."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """The commercial terms between two carriers; `low < high` as byte strings."""

    low: CarrierCode
    high: CarrierCode
    currency: str
    services: frozenset[Service]
    zone: ZoneInfo
    """Accounting zone: where months begin and end."""
    valid_from_ms: int
    rounding: Rounding = Rounding.HALF_EVEN
    """Applied once, in the place that `rating` names."""
    notice_days: int = 7
    """Notice a rate increase needs."""
    tolerance: Tolerance = field(default_factory=Tolerance)
    payment: PaymentTerms = field(default_factory=PaymentTerms)
    rating: RatingTerms = field(default_factory=RatingTerms)
    deals: tuple[Deal, ...] = ()
    fx: FxTerms | None = None
    """Where decks are in another currency."""
    sms: SmsTerms = field(default_factory=SmsTerms)
    data: DataTerms = field(default_factory=DataTerms)
    ipl: IplTerms = field(default_factory=IplTerms)
    detectors: DetectorTerms = field(default_factory=DetectorTerms)
    """From when on traffic looks like forgery or fraud."""

    def counterparty(self, carrier: CarrierCode) -> CarrierCode:
        """The other of the two; `carrier` must be one of them."""
        assert carrier in (self.low, self.high), carrier
        return self.high if carrier == self.low else self.low
