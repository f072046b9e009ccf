"""How is an XML document written? Nested parts in their order, escaped, what is absent left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr


@dataclass(frozen=True, slots=True)
class Part:
    """An element: its name with prefix, and its text or the parts within it."""

    name: str
    text: str = ""
    within: Sequence["Part"] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)


def part(name: str, content: "str | Part | Sequence[Part | None] | None", **attributes: str) -> Part | None:
    """An element of a text or of parts; None if nothing is in it, so that a wrapper leaves with what it wraps."""
    if content is None:
        return None
    if isinstance(content, str):
        return Part(name, text=content, attributes=attributes) if content else None
    parts = [content] if isinstance(content, Part) else content
    within = [each for each in parts if each is not None]
    return Part(name, within=within, attributes=attributes) if within else None


def written(root: Part | None) -> bytes:
    """The document as UTF-8, two spaces an indent."""
    assert root is not None, "a document has content"
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', *_lines(root, "")]
    return ("\n".join(lines) + "\n").encode("utf-8")


def _lines(each: Part, indent: str) -> list[str]:
    attributes = "".join(f" {name}={quoteattr(value)}" for name, value in each.attributes.items())
    if not each.within:
        return [f"{indent}<{each.name}{attributes}>{escape(each.text)}</{each.name}>"]
    inner = [line for child in each.within for line in _lines(child, indent + "  ")]
    return [f"{indent}<{each.name}{attributes}>", *inner, f"{indent}</{each.name}>"]
