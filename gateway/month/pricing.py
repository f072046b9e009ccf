"""What does a table of usage cost under the terms and decks of its period, whatever its service?"""

import pyarrow as pa

from gateway.composition import Gateway, Partnership
from gateway.month.decks import Decks
from gateway.month.versions import of_period
from gateway.outages import outages_of
from ledger.rating import Rating
from ledger.service import Service
from ledger.service_rating import rate_usage
from ledger.usage import BatchScope


def rate_held(gateway: Gateway, table: pa.Table, held: Partnership, scope: BatchScope, decks: Decks) -> Rating:
    """Price a UsageTable under the terms in effect when its period begins, with what the home knows of outages."""
    outages = outages_of(gateway.settings.home) if scope.service is Service.IPL else ()
    terms = of_period(gateway, held, scope.period).agreement
    return rate_usage(table, decks.history, terms, outages)
