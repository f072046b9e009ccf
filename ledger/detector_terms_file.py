"""How is the section [detectors] of an agreement written, read and bound by its hash?

An agreement whose thresholds are all the defaults has the hash that it had before there were any.
"""

from dataclasses import fields

from ledger.agreement_section import Section, whole
from ledger.canonical import Value
from ledger.detector_terms import DetectorTerms
from ledger.errors import Malformed

MAX_THRESHOLD = 1_000_000_000


def detector_terms(section: Section) -> DetectorTerms:
    """Read [detectors]: whole numbers from 1. Raises Malformed."""
    default = DetectorTerms()
    read = {each.name: section.optional(each.name, _threshold, getattr(default, each.name)) for each in fields(default)}
    section.finish()
    return DetectorTerms(**read)


def dump_detector_terms(terms: DetectorTerms) -> str:
    """What differs from the defaults, as the reader above takes it back; nothing if nothing does."""
    lines = [f"{name} = {value}" for name, value in _changed(terms)]
    return "\n".join(["", "[detectors]", *lines, ""]) if lines else ""


def detector_terms_values(terms: DetectorTerms) -> list[Value]:
    """What the document's hash binds: a part of its own for what differs from the defaults, none otherwise."""
    changed = _changed(terms)
    return [["detectors", [[name, value] for name, value in changed]]] if changed else []


def _changed(terms: DetectorTerms) -> list[tuple[str, int]]:
    default = DetectorTerms()
    return [
        (each.name, getattr(terms, each.name))
        for each in fields(terms)
        if getattr(terms, each.name) != getattr(default, each.name)
    ]


def _threshold(key: str, value: object) -> int:
    if (number := whole(key, value, MAX_THRESHOLD)) == 0:
        raise Malformed(f"{key} is out of bounds", expected=f"1 to {MAX_THRESHOLD}", got=0)
    return number
