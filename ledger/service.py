"""Which of the four services is it, and what does it count?"""

from enum import IntEnum


class Service(IntEnum):
    """The services carriers hand each other; values as in contracts/Types.sol."""

    VOICE = 0
    """Calls; quantity is duration_ms."""
    SMS = 1
    """Messages; quantity is messages (or segments, as the agreement says)."""
    DATA = 2
    """Internet transit; quantity is octets."""
    IPL = 3
    """Private lines; quantity is circuit_days."""

    @property
    def word(self) -> str:
        """The service as columns, files and messages write it: "voice"."""
        return self.name.lower()
