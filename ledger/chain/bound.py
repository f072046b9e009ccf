"""What do the generated bindings have in common? Bases for the contracts' structs, events, refusals and functions."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from ledger.chain.abi import AbiType, DynamicBytes, decode_all, encode_all, keccak
from ledger.errors import ContractRefused, Malformed

Fields = tuple[tuple[str, AbiType], ...]

ERROR_SELECTOR = bytes.fromhex("08c379a0")
PANIC_SELECTOR = bytes.fromhex("4e487b71")
PANICS = {
    0x01: "an assertion failed",
    0x11: "arithmetic overflowed or underflowed",
    0x12: "a division by zero",
    0x21: "a number that names no enum member",
    0x22: "a storage array is badly encoded",
    0x31: "pop from an empty array",
    0x32: "an array index is out of bounds",
    0x41: "too much memory",
    0x51: "a call of an uninitialised function",
}
"""Solidity documentation, "Panic via assert and error via require"."""


class Struct:
    """A Solidity struct as a frozen value, checked when built: exact types, lengths and ranges, nothing coerced."""

    __slots__ = ()
    TYPE: ClassVar[str]
    """EIP-712 encodeType: the struct, then the structs it refers to."""
    TYPEHASH: ClassVar[bytes]
    FIELDS: ClassVar[Fields]

    def __post_init__(self) -> None:
        for name, kind in self.FIELDS:
            kind.check(getattr(self, name), f"{type(self).__name__}.{name}")

    @classmethod
    def typehash(cls) -> bytes:
        """keccak256 of the type string, 32 bytes."""
        return cls.TYPEHASH

    def values(self) -> tuple[Any, ...]:
        """The fields' values in order."""
        return tuple(getattr(self, name) for name, _ in self.FIELDS)

    def struct_hash(self) -> bytes:
        """EIP-712 hashStruct, 32 bytes."""
        words = [kind.hash_word(getattr(self, name)) for name, kind in self.FIELDS]
        return keccak(self.TYPEHASH + b"".join(words))

    def abi_encode(self) -> bytes:
        """As Solidity's abi.encode of the fields (without the offset a dynamic struct has as an argument)."""
        return encode_all([kind for _, kind in self.FIELDS], self.values())

    def show(self) -> dict[str, object]:
        """As JSON shows it: bytes in hex or text, integers that can pass 2^53 as strings."""
        return {name: kind.show(getattr(self, name)) for name, kind in self.FIELDS}


class Event(ABC):
    """A contract's event as a frozen value."""

    __slots__ = ()
    CONTRACT: ClassVar[str]
    """Who emits it (the first by name, if several do)."""
    SIGNATURE: ClassVar[str]
    TOPIC0: ClassVar[bytes]

    @classmethod
    @abstractmethod
    def decode(cls, topics: Sequence[bytes], data: bytes) -> Self:
        """The event of a raw log. Raises Malformed if topics or data are not this event's."""


def expect_log(event: type[Event], topics: Sequence[bytes], data: bytes, topic_count: int, data_bytes: int) -> None:
    """Raises Malformed unless a log has the shape of the event."""
    if len(topics) != topic_count or topics[0] != event.TOPIC0 or len(data) < data_bytes:
        raise Malformed(
            f"not a log of {event.SIGNATURE}",
            expected=f"{topic_count} topics beginning 0x{event.TOPIC0.hex()} and {data_bytes} bytes",
            got=f"{len(topics)} topics {' '.join(topic.hex() for topic in topics[:1])} and {len(data)} bytes",
        )


class TypedRefusal(ContractRefused):
    """A contract's custom error. Its arguments are attributes; `members` holds them as JSON shows them."""

    SIGNATURE: ClassVar[str]
    SELECTOR: ClassVar[bytes]
    FIELDS: ClassVar[Fields]
    MESSAGE: ClassVar[str]
    EXPECTED: ClassVar[str | None] = None
    """The argument that says what was expected."""
    GOT: ClassVar[str | None] = None
    TODO: ClassVar[str] = ""

    def _refuse(self, *values: object) -> None:
        """Called by the generated constructors with the arguments in order."""
        shown = {name: kind.show(value) for (name, kind), value in zip(self.FIELDS, values, strict=True)}
        super().__init__(
            self.MESSAGE, expected=shown.get(self.EXPECTED or ""), got=shown.get(self.GOT or ""), todo=self.TODO
        )
        self.members = {"error": type(self).__name__, **shown}
        for (name, _), value in zip(self.FIELDS, values, strict=True):
            setattr(self, name, value)

    def __str__(self) -> str:
        arguments = ", ".join(f"{name}={value}" for name, value in self.members.items() if name != "error")
        text = f"{self.MESSAGE} ({arguments})" if arguments else self.MESSAGE
        return f"{text}. {self.TODO}" if self.TODO else text

    @classmethod
    def decode(cls, arguments: bytes) -> Self:
        """The refusal whose ABI-encoded arguments these are. Raises Malformed."""
        return cls(*decode_all([kind for _, kind in cls.FIELDS], arguments))


def refusal_of(returndata: bytes, known: Mapping[bytes, type[TypedRefusal]]) -> ContractRefused:
    """What a reverted call said, as the exception to raise; never fails."""
    selector, arguments = returndata[:4], returndata[4:]
    try:
        if selector in known:
            return known[selector].decode(arguments)
        if selector == PANIC_SELECTOR:
            code = int.from_bytes(arguments[:32], "big")
            return ContractRefused(
                f"the contract panicked: {PANICS.get(code, 'unknown code')}", error="Panic", code=code
            )
        if selector == ERROR_SELECTOR:
            return ContractRefused(f"the contract refused: {_reason(arguments)}", error="Error")
    except Malformed:
        pass
    if not returndata:
        return ContractRefused("the contract refused without a reason", error="", todo="Check address and gas limit.")
    return ContractRefused(
        "the contract refused with an error these bindings do not know",
        got=f"0x{returndata[:68].hex()}",
        todo="Compare the contracts' code with the network file: `gsc doctor`.",
        error=f"0x{selector.hex()}",
    )


def _reason(arguments: bytes) -> str:
    return str(decode_all([DynamicBytes(text=True)], arguments)[0])


@dataclass(frozen=True, slots=True)
class Function:
    """One function of a contract: encodes calls, decodes results."""

    signature: str
    selector: bytes
    inputs: Fields
    outputs: tuple[AbiType, ...]

    def calldata(self, *values: object) -> bytes:
        """Selector and arguments. Raises Malformed if an argument does not fit."""
        for (name, kind), value in zip(self.inputs, values, strict=True):
            kind.check(value, f"{self.signature.partition('(')[0]}.{name}")
        return self.selector + encode_all([kind for _, kind in self.inputs], values)

    def results(self, returndata: bytes) -> tuple[Any, ...]:
        """What a call returned. Raises Malformed."""
        return decode_all(self.outputs, returndata)
