"""What can go wrong, and what does the caller hear?

Findings are data; these are errors. One tree; each class has a problem slug and an HTTP status of its own:

    GscError
    ├── Malformed            422  input that cannot be read
    │   ├── RowMalformed     422  one row of a file (quarantined, the file goes on)
    │   ├── UnknownDestination 422  no rate for a number: never zero
    │   ├── CurrencyMismatch 422  a currency that is not the agreement's
    │   └── SketchTooSmall   422  more differs than a sketch of this size can show
    ├── Refused              403  understood and not allowed
    │   ├── SignatureRefused 403  not the named signer's signature
    │   ├── CrossingRefused  403  no igw or licence covers these data or private lines
    │   └── PeriodStillOpen  409  records are revealed only after both sides closed
    ├── Conflict             409  contradicts what is already recorded
    │   ├── RootMismatch     409  a file that is not what was sealed
    │   ├── SequenceConflict 409  a sequence number repeated with other content
    │   ├── RequestConflict  409  an idempotency key repeated with other content
    │   └── ContractRefused  409  the contract reverted; carries its typed error
    ├── NotFound             404  no such thing, or not yours to see
    ├── NodeRefused          502  the chain's node answered with a JSON-RPC error
    └── Unavailable          503  the chain, a peer or the database does not answer; trying again is right
        └── ChainMismatch    503  another chain, genesis or contract code than pinned
"""

from collections.abc import Mapping
from typing import ClassVar


class GscError(Exception):
    """A refusal: what was expected, what came, what to do next.

    `members` are the machine-readable arguments; integers beyond 2^53 and money travel as strings.
    """

    slug: ClassVar[str] = "error"
    status: ClassVar[int] = 400

    def __init__(
        self, message: str, *, expected: object = None, got: object = None, todo: str = "", **members: object
    ) -> None:
        super().__init__(message)
        self.message = message
        self.expected = expected
        self.got = got
        self.todo = todo
        self.members: Mapping[str, object] = members

    def __str__(self) -> str:
        parts = [self.message]
        if self.expected is not None:
            parts.append(f"expected {self.expected}")
        if self.got is not None:
            parts.append(f"got {self.got}")
        text = "; ".join(parts)
        return f"{text}. {self.todo}" if self.todo else text


class Malformed(GscError):
    slug, status = "malformed", 422


class RowMalformed(Malformed):
    slug = "row-malformed"


class UnknownDestination(Malformed):
    slug = "unknown-destination"


class CurrencyMismatch(Malformed):
    slug = "currency-mismatch"


class SketchTooSmall(Malformed):
    slug = "sketch-too-small"


class Refused(GscError):
    slug, status = "refused", 403


class SignatureRefused(Refused):
    slug = "signature-refused"


class CrossingRefused(Refused):
    slug = "crossing-refused"


class PeriodStillOpen(Refused):
    slug, status = "period-still-open", 409


class Conflict(GscError):
    slug, status = "conflict", 409


class RootMismatch(Conflict):
    slug = "root-mismatch"


class SequenceConflict(Conflict):
    slug = "sequence-conflict"


class RequestConflict(Conflict):
    slug = "request-conflict"


class ContractRefused(Conflict):
    """A contract reverted. `members["error"]` is its name, the other members are its arguments."""

    slug = "contract-refused"


class NotFound(GscError):
    slug, status = "not-found", 404


class NodeRefused(GscError):
    """The node's own words in `reason`; `returndata` is what a reverted call gave back, if it says."""

    slug, status = "node-refused", 502

    def __init__(
        self, method: str, reason: str, *, code: int | None = None, returndata: bytes | None = None, todo: str = ""
    ) -> None:
        super().__init__(f"the node refused {method}: {reason}", todo=todo, method=method, reason=reason, code=code)
        self.method = method
        self.reason = reason
        self.code = code
        self.returndata = returndata


class Unavailable(GscError):
    slug, status = "unavailable", 503


class ChainMismatch(Unavailable):
    slug = "chain-mismatch"
