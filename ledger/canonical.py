"""Which bytes stand for a document, so that everyone's hash of it is the same?

    document = version (0x01) ‖ text(kind) ‖ value
    value    = tag ‖ length (4 bytes, big-endian) ‖ content
      'i' integer: two's complement, big-endian, as few bytes as hold it (0 is one zero byte)
      's' text: UTF-8          'b' bytes          't'/'f' true/false: empty content
      'n' absent: empty content                   'l' list: the values one after another

A document is a list of values in a fixed order; there are no names, no maps and no floats.
Vectors: tests/vectors/canonical.json.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

from ledger.keccak import keccak256

VERSION = 1

Value: TypeAlias = "int | str | bytes | bool | Sequence[Value] | None"


def canonical_bytes(kind: str, values: Sequence[Value]) -> bytes:
    """The bytes of a document of one kind ("agreement", "rate-deck")."""
    return bytes([VERSION]) + _encode(kind) + _encode(values)


def canonical_hash(kind: str, values: Sequence[Value]) -> bytes:
    """keccak256 of the canonical bytes."""
    return keccak256(canonical_bytes(kind, values))


def _encode(value: Value) -> bytes:
    if isinstance(value, list | tuple):
        return _tagged(b"l", b"".join(map(_encode, value)))
    return _encode_one(type(value), value)  # type: ignore[arg-type]


@lru_cache(maxsize=1 << 16)
def _encode_one(kind: type, value: int | str | bytes | None) -> bytes:
    """Kept, as the rates of a deck repeat a few values; told by kind, since True equals 1."""
    match value:
        case None:
            return _tagged(b"n", b"")
        case bool():
            return _tagged(b"t" if value else b"f", b"")
        case int():
            return _tagged(
                b"i", value.to_bytes((value if value >= 0 else ~value).bit_length() // 8 + 1, "big", signed=True)
            )
        case str():
            return _tagged(b"s", value.encode("utf-8"))
        case bytes():
            return _tagged(b"b", value)


def _tagged(tag: bytes, content: bytes) -> bytes:
    return tag + len(content).to_bytes(4, "big") + content
