"""Which resale and which detours are planted in a month, beside what is honest and looks like them?"""

from ledger.period import Period
from scripts.traffic.arbitrage.crossings import count_crossings, draw_crossings
from scripts.traffic.arbitrage.detours import count_detours, draw_detours
from scripts.traffic.arbitrage.flows import count_flows, draw_flows
from scripts.traffic.arbitrage.rings import count_rings, draw_market
from scripts.traffic.counting import Counted


def count_arbitrage(seed: int, month: Period) -> tuple[Counted, ...]:
    """Draw each part of a seed's month and search it; the same seed gives the same counts."""
    return (
        *count_crossings(draw_crossings(seed, month)),
        count_flows(draw_flows(seed, month)),
        *count_detours(draw_detours(seed, month)),
        *count_rings(draw_market(seed)),
    )
