"""What do a few elements hold, as one tree? For the heads of files and for what is small; events go by columns."""

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.formats.tap.ber import APPLICATION, Bytes, Elements, walk
from ledger.errors import Malformed

MAX_ELEMENTS = 500_000
"""In one tree."""
MAX_BYTES = 4_096
"""In one element of a tree."""


@dataclass(frozen=True, slots=True)
class Element:
    """An element and what is in it."""

    tag: int
    """Class and number, as in gateway.tap.ber."""
    content: "bytes | tuple[Element, ...]"

    @property
    def elements(self) -> "tuple[Element, ...]":
        """The elements in it, none if it holds bytes."""
        return self.content if isinstance(self.content, tuple) else ()

    def all_of(self, number: int) -> "Iterator[Element]":
        """Elements directly in it with an application tag."""
        return (each for each in self.elements if each.tag == APPLICATION | number)

    def one_of(self, *numbers: int) -> "Element | None":
        """The first element on a path of application tags."""
        found: Element | None = self
        for number in numbers:
            found = next(found.all_of(number), None) if found else None
        return found

    def within(self, number: int) -> "Iterator[Element]":
        """Elements anywhere in it with an application tag, in the order of the file."""
        for each in self.elements:
            if each.tag == APPLICATION | number:
                yield each
            yield from each.within(number)


class TreeBuilder:
    """Makes one tree of elements that come in pieces. Raises Malformed when it grows too large."""

    def __init__(self, data: Bytes) -> None:
        self._data = data
        self._open: list[tuple[int, list[Element]]] = [(0, [])]
        self._count = 0

    def take(self, elements: Elements) -> None:
        """Add elements, each before the ones in it."""
        self._count += len(elements.tag)
        if self._count > MAX_ELEMENTS:
            raise Malformed("the file has too many elements", expected=f"at most {MAX_ELEMENTS:,}", got="more")
        columns = (column.tolist() for column in elements)
        for tag, constructed, depth, begin, end in zip(*columns, strict=True):
            self._close(depth)
            if constructed:
                self._open.append((tag, []))
            else:
                self._open[-1][1].append(Element(tag, self._bytes(tag, begin, end)))

    def so_far(self) -> Element:
        """The root with what has come of it."""
        inner: tuple[Element, ...] = ()
        for tag, inside in reversed(self._open[1:]):
            inner = (Element(tag, (*inside, *inner)),)
        return inner[0] if inner else Element(0, ())

    def finish(self) -> Element:
        """The root. Raises Malformed if there is none."""
        self._close(0)
        if not self._open[0][1]:
            raise Malformed("the file has no element", expected="BER", got="nothing")
        return self._open[0][1][0]

    def _close(self, depth: int) -> None:
        while len(self._open) > depth + 1:
            tag, inside = self._open.pop()
            self._open[-1][1].append(Element(tag, tuple(inside)))

    def _bytes(self, tag: int, begin: int, end: int) -> bytes:
        if end - begin > MAX_BYTES:
            raise Malformed(
                f"element {path_of((tag,))} is too long", expected=f"at most {MAX_BYTES} bytes", got=end - begin
            )
        return self._data[begin:end].tobytes()


def tree_of(data: Bytes) -> Element:
    """A whole file as one tree. Raises Malformed."""
    builder = TreeBuilder(data)
    for elements in walk(data):
        builder.take(elements)
    return builder.finish()


def path_of(tags: tuple[int, ...]) -> str:
    """Tags as a path: "1/3/9"; other classes than application have their letter: "1/3/c9"."""
    return "/".join(f"{('u', '', 'c', 'p')[tag >> 28]}{tag & (APPLICATION - 1)}" for tag in tags)
