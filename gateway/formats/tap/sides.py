"""Between whom is a file's traffic, and who is owed for it?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from gateway.formats.tap.heads import FileName
from gateway.formats.trunks import Direction
from ledger.errors import Malformed
from ledger.identity import CarrierCode


@dataclass(frozen=True, slots=True)
class TapContext:
    """What a file does not say of its two sides."""

    carrier: CarrierCode
    """Ours."""
    networks: Mapping[str, CarrierCode]
    """Carriers by TADIG code; ours need not be among them."""


class Sides(NamedTuple):
    """Whose traffic a file carries."""

    partner: CarrierCode
    direction: Direction
    """IN: we served their roamers and are owed."""
    served: CarrierCode
    """Who served the roamers."""
    home: CarrierCode
    """Who they belong to."""
    route: str
    """TADIG code of where they were."""


def sides_of(name: FileName, context: TapContext) -> Sides:
    """A TAP or NRTRDE file's sender served the roamers and is owed. Raises Malformed."""
    sender, recipient = (context.networks.get(code, context.carrier) for code in (name.sender, name.recipient))
    known = ", ".join(sorted(context.networks)) or "none yet"
    if (sender == context.carrier) == (recipient == context.carrier):
        raise Malformed(
            "the file is not between us and one partner",
            expected=f"ours and a TADIG code of [tadig] in gsc.toml: {known}",
            got=f"{name.sender} to {name.recipient}",
            todo=f'Say there who they are: {name.sender} = "CARRIER".',
        )
    if sender == context.carrier:
        return Sides(recipient, Direction.IN, sender, recipient, name.sender)
    return Sides(sender, Direction.OUT, sender, recipient, name.sender)
