"""How do our frozen values become the contracts' words, and the contracts' words our values?

A small codec for the types our contracts use. Layout: Solidity ABI specification; hashes: EIP-712. Values are checked,
never coerced: True is no integer, a str no bytes, a short bytes not padded.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from eth_hash.auto import keccak as _keccak

from ledger.errors import Malformed
from ledger.identity import Address

if TYPE_CHECKING:
    from ledger.chain.bound import Struct

WORD = 32
_Enum = TypeVar("_Enum", bound=IntEnum)


def keccak(data: bytes) -> bytes:
    """keccak256, 32 bytes."""
    return bytes(_keccak(data))


# ADDRESSES


@lru_cache(maxsize=4096)
def address_of(word: bytes) -> Address:
    """The checksummed address (EIP-55) in the last 20 bytes of `word`. Raises Malformed if the rest is not zero."""
    if len(word) < 20 or any(word[:-20]):
        raise Malformed("not an address", expected="20 bytes, left-padded with zeros", got=f"0x{word.hex()}")
    digits = word[-20:].hex()
    marks = keccak(digits.encode()).hex()
    return Address("0x" + "".join(d.upper() if m >= "8" else d for d, m in zip(digits, marks, strict=False)))


@lru_cache(maxsize=4096)
def address_bytes(address: str) -> bytes:
    """The 20 bytes of a checksummed address. Raises Malformed."""
    try:
        raw = bytes.fromhex(address.removeprefix("0x")) if address.startswith("0x") else b""
    except ValueError:
        raw = b""
    if len(raw) != 20 or address_of(raw) != address:
        raise Malformed("not an address", expected="0x and 40 hex digits with EIP-55 capitals", got=repr(address[:60]))
    return raw


# TYPES


class AbiType(ABC):
    """One Solidity type: checks, encodes, decodes and hashes its values."""

    __slots__ = ()

    @property
    @abstractmethod
    def canonical(self) -> str:
        """As signatures write it: "uint64", "(bytes32,uint8)[]"."""

    @property
    def words(self) -> int | None:
        """How many words it takes in place; None if it stands elsewhere and leaves an offset."""
        return 1

    @abstractmethod
    def check(self, value: Any, where: str) -> None:
        """Raises Malformed unless `value` has exactly the Python type and the range."""

    @abstractmethod
    def encode(self, value: Any) -> bytes:
        """The value's own bytes, without an offset."""

    @abstractmethod
    def decode(self, data: bytes, at: int) -> Any:
        """The value whose own bytes begin at `at`. Raises Malformed."""

    def hash_word(self, value: Any) -> bytes:
        """The word EIP-712 `encodeData` takes for it."""
        return self.encode(value)

    def show(self, value: Any) -> object:
        """As JSON shows it: integers that can pass 2^53 as strings."""
        return value


@dataclass(frozen=True)
class Integer(AbiType):
    """uintN and intN."""

    bits: int
    signed: bool = False

    @property
    def canonical(self) -> str:
        return f"{'int' if self.signed else 'uint'}{self.bits}"

    @cached_property
    def bounds(self) -> tuple[int, int]:
        """Smallest and largest value."""
        return (-(1 << self.bits - 1), (1 << self.bits - 1) - 1) if self.signed else (0, (1 << self.bits) - 1)

    def check(self, value: Any, where: str) -> None:
        low, high = self.bounds
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise _unfit(where, f"an int in [{low}, {high}]", value)

    def encode(self, value: Any) -> bytes:
        return int(value).to_bytes(WORD, "big", signed=self.signed)

    def decode(self, data: bytes, at: int) -> int:
        value = int.from_bytes(word_at(data, at), "big", signed=self.signed)
        self.check(value, self.canonical)
        return value

    def show(self, value: Any) -> object:
        return str(value) if self.bits > 53 else int(value)


@dataclass(frozen=True)
class Bool(AbiType):
    """bool."""

    @property
    def canonical(self) -> str:
        return "bool"

    def check(self, value: Any, where: str) -> None:
        if not isinstance(value, bool):
            raise _unfit(where, "True or False", value)

    def encode(self, value: Any) -> bytes:
        return int(value).to_bytes(WORD, "big")

    def decode(self, data: bytes, at: int) -> bool:
        number = int.from_bytes(word_at(data, at), "big")
        if number > 1:
            raise _unfit("bool", "0 or 1", number)
        return number == 1


@dataclass(frozen=True)
class FixedBytes(AbiType):
    """bytes1 to bytes32, left-aligned."""

    length: int

    @property
    def canonical(self) -> str:
        return f"bytes{self.length}"

    def check(self, value: Any, where: str) -> None:
        if not isinstance(value, bytes) or len(value) != self.length:
            raise _unfit(where, f"{self.length} bytes", value)

    def encode(self, value: Any) -> bytes:
        return bytes(value).ljust(WORD, b"\0")

    def decode(self, data: bytes, at: int) -> bytes:
        return word_at(data, at)[: self.length]

    def show(self, value: Any) -> object:
        text = value.rstrip(b"\0")
        named = 0 < len(text) < self.length and text.isascii() and text.decode("ascii").isprintable()
        return text.decode("ascii") if named else f"0x{value.hex()}"


@dataclass(frozen=True)
class AddressType(AbiType):
    """address."""

    @property
    def canonical(self) -> str:
        return "address"

    def check(self, value: Any, where: str) -> None:
        if not isinstance(value, str):
            raise _unfit(where, "a checksummed address", value)
        address_bytes(value)

    def encode(self, value: Any) -> bytes:
        return address_bytes(value).rjust(WORD, b"\0")

    def decode(self, data: bytes, at: int) -> Address:
        return address_of(word_at(data, at))


@dataclass(frozen=True)
class EnumType(AbiType):
    """An enum, uint8 on the wire."""

    members: type[IntEnum]

    @property
    def canonical(self) -> str:
        return "uint8"

    def check(self, value: Any, where: str) -> None:
        if not isinstance(value, self.members):
            raise _unfit(where, f"a {self.members.__name__}", value)

    def encode(self, value: Any) -> bytes:
        return int(value).to_bytes(WORD, "big")

    def decode(self, data: bytes, at: int) -> IntEnum:
        return member_of(self.members, word_at(data, at))

    def show(self, value: Any) -> object:
        return str(self.members(value).name.lower())


@dataclass(frozen=True)
class DynamicBytes(AbiType):
    """bytes, and string as UTF-8."""

    text: bool = False

    @property
    def canonical(self) -> str:
        return "string" if self.text else "bytes"

    @property
    def words(self) -> int | None:
        return None

    def check(self, value: Any, where: str) -> None:
        if not isinstance(value, str if self.text else bytes):
            raise _unfit(where, "str" if self.text else "bytes", value)

    def encode(self, value: Any) -> bytes:
        raw = self._raw(value)
        return len(raw).to_bytes(WORD, "big") + raw + b"\0" * (-len(raw) % WORD)

    def decode(self, data: bytes, at: int) -> bytes | str:
        start = at + WORD
        raw = data[start : start + length_at(data, at)]
        return raw.decode("utf-8", "backslashreplace") if self.text else raw

    def hash_word(self, value: Any) -> bytes:
        return keccak(self._raw(value))

    def show(self, value: Any) -> object:
        return value if self.text else f"0x{value.hex()}"

    def _raw(self, value: Any) -> bytes:
        return value.encode() if self.text else bytes(value)


@dataclass(frozen=True)
class ArrayType(AbiType):
    """T[]; a tuple in Python."""

    item: AbiType

    @property
    def canonical(self) -> str:
        return f"{self.item.canonical}[]"

    @property
    def words(self) -> int | None:
        return None

    def check(self, value: Any, where: str) -> None:
        if not isinstance(value, tuple):
            raise _unfit(where, "a tuple", value)
        for position, item in enumerate(value):
            self.item.check(item, f"{where}[{position}]")

    def encode(self, value: Any) -> bytes:
        return len(value).to_bytes(WORD, "big") + encode_all([self.item] * len(value), value)

    def decode(self, data: bytes, at: int) -> tuple[Any, ...]:
        length = length_at(data, at, (self.item.words or 1) * WORD)
        return decode_all([self.item] * length, data, at + WORD)

    def hash_word(self, value: Any) -> bytes:
        return keccak(b"".join(map(self.item.hash_word, value)))

    def show(self, value: Any) -> object:
        return [self.item.show(item) for item in value]


@dataclass(frozen=True)
class StructType(AbiType):
    """A struct, by its generated class."""

    struct: type["Struct"]

    @property
    def canonical(self) -> str:
        return f"({','.join(kind.canonical for kind in self._kinds)})"

    @cached_property
    def words(self) -> int | None:
        sizes = [kind.words for kind in self._kinds]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    def check(self, value: Any, where: str) -> None:
        if not isinstance(value, self.struct):
            raise _unfit(where, f"a {self.struct.__name__}", value)

    def encode(self, value: Any) -> bytes:
        return encode_all(self._kinds, value.values())

    def decode(self, data: bytes, at: int) -> "Struct":
        return self.struct(*decode_all(self._kinds, data, at))

    def hash_word(self, value: Any) -> bytes:
        return bytes(value.struct_hash())

    def show(self, value: Any) -> object:
        return {name: kind.show(getattr(value, name)) for name, kind in self.struct.FIELDS}

    @property
    def _kinds(self) -> list[AbiType]:
        return [kind for _, kind in self.struct.FIELDS]


# WORDS


def encode_all(kinds: Sequence[AbiType], values: Iterable[Any]) -> bytes:
    """Values as the ABI lays out a tuple: heads, then the tails the heads point at."""
    heads, tails = [], []
    size = sum((kind.words or 1) * WORD for kind in kinds)
    for kind, value in zip(kinds, values, strict=True):
        own = kind.encode(value)
        if kind.words is not None:
            heads.append(own)
        else:
            heads.append(size.to_bytes(WORD, "big"))
            tails.append(own)
            size += len(own)
    return b"".join(heads) + b"".join(tails)


def encode_checked(kinds: Sequence[AbiType], values: Sequence[Any]) -> bytes:
    """As `encode_all`, after checking each value. Raises Malformed."""
    for position, (kind, value) in enumerate(zip(kinds, values, strict=True), 1):
        kind.check(value, f"argument {position}")
    return encode_all(kinds, values)


def decode_all(kinds: Sequence[AbiType], data: bytes, at: int = 0) -> tuple[Any, ...]:
    """The inverse of `encode_all` for the tuple that begins at `at`. Raises Malformed."""
    values, head = [], at
    for kind in kinds:
        start = head if kind.words is not None else at + number_at(data, head)
        values.append(kind.decode(data, start))
        head += (kind.words or 1) * WORD
    return tuple(values)


def word_at(data: bytes, at: int) -> bytes:
    """The 32 bytes at `at`. Raises Malformed past the end."""
    word = data[at : at + WORD]
    if len(word) != WORD:
        raise Malformed("ABI data ends early", expected=f"{at + WORD} bytes", got=len(data))
    return word


def number_at(data: bytes, at: int) -> int:
    """The word at `at` as an unsigned integer."""
    return int.from_bytes(word_at(data, at), "big")


def length_at(data: bytes, at: int, item_bytes: int = 1) -> int:
    """The length that stands at `at`, if that many items can follow. Raises Malformed."""
    length = number_at(data, at)
    if length * item_bytes > len(data) - at - WORD:
        raise Malformed("ABI data ends early", expected=f"{length} items of {item_bytes} bytes", got=len(data))
    return length


def member_of(members: type[_Enum], word: bytes) -> _Enum:
    """The enum member a word names. Raises Malformed."""
    number = int.from_bytes(word, "big")
    if number >= len(members):
        raise _unfit(members.__name__, f"0 to {len(members) - 1}", number)
    return members(number)


def _unfit(where: str, expected: str, got: object) -> Malformed:
    return Malformed(f"{where} does not fit", expected=expected, got=f"{type(got).__name__} {got!r:.80}")
