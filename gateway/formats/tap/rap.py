"""Which files and events did the other side return as wrong, and why? RAP: returned accounts procedure.

A return names a TAP file by its sequence number; its sender and recipient are the RAP file's, the other way round.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from gateway.formats.tap.ber import APPLICATION
from gateway.formats.tap.heads import FileName, moment, number_in, text_in
from gateway.formats.tap.layouts import TAP
from gateway.formats.tap.tree import Element, path_of
from ledger.errors import Malformed


class Severity(StrEnum):
    """How much is returned."""

    MISSING = "missing"
    """Files that never came."""
    FATAL = "fatal"
    """A whole file."""
    SEVERE = "severe"
    """One event of a file; the rest is charged."""


_SEVERITIES = {538: Severity.MISSING, 539: Severity.FATAL, 540: Severity.SEVERE}
_OTHER_KINDS = {11, 12, 16, 17, 297, 433, 434}
"""Events that may be returned and that we do not read."""


@dataclass(frozen=True, slots=True)
class ReturnedError:
    """What the other side found wrong, and where in the file."""

    code: int
    """As the procedure numbers errors."""
    path: str
    """Tag numbers from the root to the item, as far as the return tells: "1/3/9"."""
    offset: int | None
    """Of the wrong character or byte in the item."""


@dataclass(frozen=True, slots=True)
class Returned:
    """One return."""

    severity: Severity
    tap_sender: str
    tap_recipient: str
    first_sequence: str
    """Of the TAP file, or of the first missing one."""
    last_sequence: str
    errors: tuple[ReturnedError, ...]
    event: Element | None
    """The returned event as it stood in the TAP file; severe returns only."""


def rap_name(root: Element) -> FileName:
    """From a RAP file's control information, or from a receipt itself. Raises Malformed."""
    control = root.one_of(537) or root
    release = f"{number_in(control, 544) or 0}.{number_in(control, 543) or 0}"
    available_ms = moment(control.one_of(525) or control.one_of(515))
    return FileName(
        sender=text_in(control, 196, "the sender"),
        recipient=text_in(control, 182, "the recipient"),
        sequence=text_in(control, 181, "the sequence number"),
        release=release,
        available_ms=available_ms,
        is_test=control.one_of(110) is not None,
    )


def returns_of(root: Element, name: FileName) -> tuple[Returned, ...]:
    """What a RAP file returns, in its order. Raises Malformed for a return that names no file."""
    listed = root.one_of(536)
    return tuple(_returned(each, name) for each in (listed.elements if listed else ()))


def declared_returns(root: Element) -> int | None:
    """How many returns the file says it carries."""
    audit = root.one_of(541)
    return number_in(audit, 528) if audit else None


def _returned(element: Element, name: FileName) -> Returned:
    severity = _SEVERITIES.get(element.tag - APPLICATION)
    if severity is None:
        raise Malformed(
            "a return of no known severity", expected="missing, fatal or severe", got=path_of((element.tag,))
        )
    first = text_in(element, 532 if severity is Severity.MISSING else 109, "which TAP file it returns")
    last = text_in(element, 518, "the last missing file") if element.one_of(518) else first
    errors = tuple(_error(each) for each in element.within(521))
    event = next((each for each in element.elements if _is_event(each)), None)
    return Returned(severity, name.recipient, name.sender, first, last, errors, event)


def _is_event(element: Element) -> bool:
    return element.tag - APPLICATION in TAP.kinds.keys() | _OTHER_KINDS


def _error(detail: Element) -> ReturnedError:
    code = number_in(detail, 519)
    if code is None:
        raise Malformed("a returned error has no code", expected="a number", got="none")
    return ReturnedError(code, "/".join(map(str, _items(detail))), number_in(detail, 524))


def _items(detail: Element) -> Iterator[int]:
    """Tag numbers of the items the error is in, the outermost first."""
    contexts = sorted(detail.within(545), key=lambda context: number_in(context, 548) or 0)
    return (number for context in contexts if (number := number_in(context, 546)) is not None)
