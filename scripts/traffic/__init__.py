"""What traffic did three carriers exchange in a month, what did each write down of it, and what is wrong with that?

`simulate` draws the month from a seed; `write` makes the raw CDR files, agreements, rate decks and trunk maps.
"""

from scripts.traffic.faults import Planted
from scripts.traffic.simulation import OCTOBER, Simulation, SimulationFiles, simulate, write
from scripts.traffic.truth import DirectionTruth, Plant, SideTotal, Truth

__all__ = [
    "OCTOBER",
    "DirectionTruth",
    "Plant",
    "Planted",
    "SideTotal",
    "Simulation",
    "SimulationFiles",
    "Truth",
    "simulate",
    "write",
]
