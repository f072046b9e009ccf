"""How is XML of a stranger read? Element by element, with bounds, no entity and no document type ever obeyed.

Expat alone: what a document type could declare (entities that expand without end, files of this machine) is refused
where it begins, so nothing is fetched and nothing expands.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO
from xml.parsers import expat

from ledger.errors import Malformed

MAX_BYTES = 64 << 20
MAX_DEPTH = 40
MAX_PARTS = 20_000
"""Elements of one part that is kept: an entry of a bank's statement."""
MAX_TEXT = 10_000
_PIECE = 1 << 16


@dataclass(slots=True)
class Node:
    """An element without its namespace; text of its own, elements within it in order."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    within: list["Node"] = field(default_factory=list)

    def at(self, *path: str) -> "Node | None":
        """The first element on a path of names."""
        found: Node | None = self
        for name in path:
            found = next((each for each in found.within if each.name == name), None) if found else None
        return found

    def all(self, *path: str) -> Iterator["Node"]:
        """Every element on a path of names."""
        if not path:
            yield self
            return
        for each in self.within:
            if each.name == path[0]:
                yield from each.all(*path[1:])

    def word(self, *path: str) -> str | None:
        """The text on a path; None if there is none."""
        found = self.at(*path)
        return (found.text.strip() or None) if found else None


class _Reader:
    """Builds the elements of the names that are wanted, and hands each on when it ends."""

    def __init__(self, kept: frozenset[str], namespaces: re.Pattern[str]) -> None:
        self.kept = kept
        self.namespaces = namespaces
        self.done: list[Node] = []
        self._open: list[Node] = []
        self._depth = 0
        self._parts = 0
        self.parser = expat.ParserCreate(namespace_separator="\n")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._begin
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._refuse_doctype
        self.parser.EntityDeclHandler = self._refuse_doctype

    def _refuse_doctype(self, *_: object) -> None:
        raise _refused("it has a document type, in which entities could stand", "XML without <!DOCTYPE>")

    def _begin(self, qualified: str, attributes: dict[str, str]) -> None:
        namespace, _, name = qualified.rpartition("\n")
        if not self._depth and not self.namespaces.fullmatch(namespace):
            got = namespace[:80] or "XML without a namespace"
            raise _refused("it is XML of another kind", self.namespaces.pattern.replace("\\", ""), got)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _refused(f"more than {MAX_DEPTH} elements stand within each other", f"at most {MAX_DEPTH}")
        if not self._open and name not in self.kept:
            return
        self._parts = self._parts + 1 if self._open else 1
        if self._parts > MAX_PARTS:
            raise _refused(f"one entry has more than {MAX_PARTS} elements", f"at most {MAX_PARTS}")
        node = Node(name, attributes)
        if self._open:
            self._open[-1].within.append(node)
        self._open.append(node)

    def _end(self, _: str) -> None:
        self._depth -= 1
        if self._open:
            node = self._open.pop()
            if not self._open:
                self.done.append(node)

    def _text(self, text: str) -> None:
        if self._open:
            node = self._open[-1]
            if len(node.text) + len(text) > MAX_TEXT:
                raise _refused(f"a text has more than {MAX_TEXT} characters", f"at most {MAX_TEXT}")
            node.text += text


def nodes_of(stream: BinaryIO, kept: frozenset[str], namespaces: re.Pattern[str]) -> Iterator[Node]:
    """The outermost elements of these names as they end, of a document in one of these namespaces.

    Raises Malformed: no XML, of another kind, a document type, too large, too deep.
    """
    reader, taken = _Reader(kept, namespaces), 0
    while True:
        piece = stream.read(_PIECE)
        taken += len(piece)
        if taken > MAX_BYTES:
            raise _refused(f"it has more than {MAX_BYTES:,} bytes", "a bank's statement")
        try:
            reader.parser.Parse(piece, not piece)
        except expat.ExpatError as error:
            raise _refused(f"it is no XML: {error}", "well-formed XML in UTF-8") from None
        yield from reader.done
        reader.done.clear()
        if not piece:
            return


def _refused(why: str, expected: str, got: str | None = None) -> Malformed:
    told = f"the bank's file cannot be read: {why}"
    return Malformed(told, expected=expected, got=got, todo="Ask the bank for camt.053.")
