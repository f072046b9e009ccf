"""Which tag numbers do we know, and what do we call the fields they stand for?

Only what our reading needs, in our own words. The numbers are those that public parsers use (libxfsx, Data::NRTRDE).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum, auto

from gateway.formats.tap.picking import Rules


class Kind(Enum):
    """What an event is."""

    FROM_ROAMER = auto()
    """A call or message the roamer sent."""
    TO_ROAMER = auto()
    """A call or message the roamer received."""
    PACKETS = auto()
    """Data the roamer sent and received."""


class Slot(IntEnum):
    """A field of an event. Times have a clock time and either a code of the file's table of offsets or an offset."""

    START = 1
    START_CODE = auto()
    OFFSET = auto()
    CHARGED = auto()
    CHARGED_CODE = auto()
    DURATION = auto()
    """In seconds."""
    IMSI = auto()
    MSISDN = auto()
    """The roamer's number."""
    CALLED = auto()
    DIALLED = auto()
    CALLING = auto()
    MESSAGE_TO = auto()
    MESSAGE_FROM = auto()
    TELESERVICE = auto()
    """Two characters; those of messages begin with 2."""
    OCTETS_IN = auto()
    """To the roamer."""
    OCTETS_OUT = auto()
    CHARGE_GROUP = auto()
    """Begins a group of charges under one exchange rate."""
    RATE_CODE = auto()
    CHARGE_DETAIL = auto()
    """Begins one charge of one type."""
    CHARGE_TYPE = auto()
    CHARGE = auto()
    FEE = auto()
    """A charge without type: an invocation fee, or a message's."""
    FEE_RATE_CODE = auto()
    REFUND = auto()
    """Its presence makes the event's charges refunds."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How one kind of file is laid out."""

    list_number: int
    """Of the list of events."""
    kinds: Mapping[int, Kind]
    """By the event's tag number."""
    rules: Rules
    packed_numbers: bool
    """Called and calling numbers are packed digits, else texts."""


ANY = 0
TAP = Layout(
    list_number=3,
    kinds={9: Kind.FROM_ROAMER, 10: Kind.TO_ROAMER, 14: Kind.PACKETS},
    packed_numbers=True,
    rules={
        (44, 16): Slot.START,
        (44, 232): Slot.START_CODE,
        (447, 16): Slot.START,
        (447, 232): Slot.START_CODE,
        (74, 16): Slot.CHARGED,
        (74, 232): Slot.CHARGED_CODE,
        (ANY, 223): Slot.DURATION,
        (199, 129): Slot.IMSI,
        (199, 152): Slot.MSISDN,
        (89, 407): Slot.CALLED,
        (89, 279): Slot.DIALLED,
        (89, 419): Slot.MESSAGE_TO,
        (41, 405): Slot.CALLING,
        (41, 425): Slot.MESSAGE_FROM,
        (ANY, 218): Slot.TELESERVICE,
        (121, 250): Slot.OCTETS_IN,
        (121, 251): Slot.OCTETS_OUT,
        (ANY, 69): Slot.CHARGE_GROUP,
        (69, 105): Slot.RATE_CODE,
        (ANY, 449): Slot.CHARGE_GROUP,
        (449, 105): Slot.RATE_CODE,
        (64, 63): Slot.CHARGE_DETAIL,
        (63, 71): Slot.CHARGE_TYPE,
        (63, 62): Slot.CHARGE,
        (57, 105): Slot.FEE_RATE_CODE,
        (57, 422): Slot.FEE,
        (433, 105): Slot.FEE_RATE_CODE,
        (433, 62): Slot.FEE,
        (ANY, 344): Slot.REFUND,
    },
)
NRTRDE = Layout(
    list_number=2,
    kinds={3: Kind.FROM_ROAMER, 4: Kind.TO_ROAMER, 5: Kind.PACKETS},
    packed_numbers=False,
    rules={
        (ANY, 21): Slot.START,
        (ANY, 45): Slot.OFFSET,
        (ANY, 19): Slot.DURATION,
        (ANY, 34): Slot.IMSI,
        (ANY, 49): Slot.MSISDN,
        (ANY, 27): Slot.CALLED,
        (ANY, 30): Slot.DIALLED,
        (ANY, 22): Slot.CALLING,
        (46, 43): Slot.TELESERVICE,
        (ANY, 28): Slot.OCTETS_IN,
        (ANY, 29): Slot.OCTETS_OUT,
    },
)
