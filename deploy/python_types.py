"""Which Python stands for a Solidity type: its annotation, its codec, the code that reads it from a log?"""

from collections.abc import Mapping

from deploy.interface import OUR_NEWTYPES, StructDef, TypeRef
from ledger.errors import Malformed


def annotation(type_: TypeRef) -> str:
    """The Python type of a value."""
    if type_.arrays:
        return f"tuple[{annotation(type_.item)}, ...]"
    if type_.is_struct or is_enum(type_):
        return type_.named
    if type_.named in OUR_NEWTYPES:
        return OUR_NEWTYPES[type_.named]
    if type_.base.startswith(("uint", "int")):
        return "int"
    if type_.base.startswith("bytes"):
        return "bytes"
    named = {"bool": "bool", "string": "str", "address": "Address"}
    if type_.base not in named:
        raise _unbound(type_)
    return named[type_.base]


def expression(type_: TypeRef) -> str:
    """The codec of a value: `Integer(64)`."""
    if type_.arrays:
        return f"ArrayType({expression(type_.item)})"
    if type_.is_struct:
        return f"StructType({type_.named})"
    if is_enum(type_):
        return f"EnumType({type_.named})"
    if type_.base.startswith("uint"):
        return f"Integer({type_.base[4:]})"
    if type_.base.startswith("int"):
        return f"Integer({type_.base[3:]}, signed=True)"
    if type_.base.startswith("bytes") and type_.base != "bytes":
        return f"FixedBytes({type_.base[5:]})"
    named = {
        "bool": "Bool()",
        "address": "AddressType()",
        "bytes": "DynamicBytes()",
        "string": "DynamicBytes(text=True)",
    }
    if type_.base not in named:
        raise _unbound(type_)
    return named[type_.base]


def _unbound(type_: TypeRef) -> Malformed:
    return Malformed("a Solidity type without a binding", got=type_.base, todo="Add it to ledger/chain/abi.py.")


def is_enum(type_: TypeRef) -> bool:
    """A uint8 on the wire with a name in the source."""
    return type_.base == "uint8" and bool(type_.named)


def is_word(type_: TypeRef) -> bool:
    """Whether one word holds it."""
    return not type_.arrays and type_.base not in ("bytes", "string", "tuple")


def words_of(type_: TypeRef, structs: Mapping[str, StructDef]) -> int:
    """How many words the type takes in place; 0 if it has no fixed place."""
    if type_.arrays or type_.base in ("bytes", "string"):
        return 0
    if type_.is_struct:
        sizes = [words_of(part.type, structs) for part in structs[type_.named].fields]
        return sum(sizes) if all(sizes) else 0
    return 1


def word_read(type_: TypeRef, word: str) -> str:
    """Python that reads the value from the word `word` stands for."""
    if not is_word(type_) or type_.base == "bytes32":
        return word
    if is_enum(type_):
        return f"member_of({type_.named}, {word})"
    if type_.base.startswith("uint"):
        return f'int.from_bytes({word}, "big")'
    if type_.base.startswith("int"):
        return f'int.from_bytes({word}, "big", signed=True)'
    if type_.base.startswith("bytes"):
        return f"{word}[:{type_.base[5:]}]"
    return f"address_of({word})" if type_.base == "address" else f"{word}[31] == 1"
