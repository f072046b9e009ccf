"""Which values can each Solidity type hold? Strategies for the bindings' types, and how other libraries write them."""

from typing import Any

from hypothesis import strategies as st

from ledger.chain.abi import (
    AbiType,
    AddressType,
    ArrayType,
    Bool,
    DynamicBytes,
    EnumType,
    FixedBytes,
    Integer,
    StructType,
    address_of,
)


def values_of(kind: AbiType) -> st.SearchStrategy[Any]:
    """Every value the type can hold; arrays and texts kept short."""
    match kind:
        case Integer():
            low, high = kind.bounds
            return st.integers(low, high) | st.sampled_from([low, high])
        case Bool():
            return st.booleans()
        case FixedBytes():
            return st.binary(min_size=kind.length, max_size=kind.length)
        case AddressType():
            return st.binary(min_size=20, max_size=20).map(address_of)
        case EnumType():
            return st.sampled_from(list(kind.members))
        case DynamicBytes():
            return st.text(st.characters(codec="utf-8"), max_size=70) if kind.text else st.binary(max_size=70)
        case ArrayType():
            return st.lists(values_of(kind.item), max_size=3).map(tuple)
        case StructType():
            return st.builds(kind.struct, **{name: values_of(part) for name, part in kind.struct.FIELDS})
    raise AssertionError(kind)


def plain(kind: AbiType, value: Any) -> Any:
    """The value as eth_abi and web3 take and give it: structs as tuples, enums as integers."""
    match kind:
        case EnumType():
            return int(value)
        case AddressType():
            return value.lower()
        case ArrayType():
            return tuple(plain(kind.item, item) for item in value)
        case StructType():
            return tuple(plain(part, getattr(value, name)) for name, part in kind.struct.FIELDS)
    return value
