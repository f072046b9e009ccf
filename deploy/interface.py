"""What do the contracts say, once their ABIs are put together? The model the bindings are rendered from."""

import keyword
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from deploy.solidity import Artifact
from ledger.chain.abi import keccak
from ledger.errors import Malformed

OUR_ENUMS = {"Service": "ledger.service"}
"""Enums the ledger already has; the generator checks that the members agree."""
OUR_NEWTYPES = {"AgreementId": "AgreementId", "BatchId": "BatchId"}
"""User-defined value types that are a NewType of ledger.identity; the others are plain bytes and int."""
_TYPE_NAMES = {"str", "int", "bytes", "bool", "tuple", "self", "cls"}
_TAKEN = {"message", "members", "todo", "slug", "status", "args"}
"""Attributes an exception already has."""


@dataclass(frozen=True, slots=True)
class TypeRef:
    """One Solidity type as the ABI names it, without its array suffixes."""

    base: str
    """"uint64", "bytes32", "tuple"."""
    named: str = ""
    """Name of the struct, enum or value type, if it has one."""
    arrays: int = 0

    @property
    def is_struct(self) -> bool:
        return self.base == "tuple"

    @property
    def item(self) -> "TypeRef":
        """What an array holds."""
        return TypeRef(self.base, self.named, self.arrays - 1)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A field, an argument or a result."""

    name: str
    """In snake case; "" if it has none."""
    original: str
    type: TypeRef
    indexed: bool = False


@dataclass(frozen=True, slots=True)
class StructDef:
    """A struct that some function takes or returns."""

    name: str
    fields: tuple[Parameter, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """An event, an error, a function or a constructor."""

    name: str
    contract: str
    inputs: tuple[Parameter, ...]
    outputs: tuple[Parameter, ...]
    signature: str
    notice: str = ""

    @property
    def hash(self) -> bytes:
        """keccak256 of the signature: topic 0, or the selector in its first four bytes."""
        return keccak(self.signature.encode())


@dataclass(slots=True)
class Interface:
    """Everything the bindings bind, by name."""

    enums: dict[str, tuple[str, ...]] = field(default_factory=dict)
    structs: dict[str, StructDef] = field(default_factory=dict)
    events: dict[str, Entry] = field(default_factory=dict)
    errors: dict[str, Entry] = field(default_factory=dict)
    functions: dict[tuple[str, str], Entry] = field(default_factory=dict)
    constructors: dict[str, Entry] = field(default_factory=dict)


def read_interface(artifacts: Mapping[str, Artifact]) -> Interface:
    """Put the contracts' ABIs together, each with its interface's. Raises Malformed where two clash."""
    found = Interface()
    for contract, artifact in _contracts(artifacts):
        found.enums.update(artifact.enums)
        for entry in artifact.abi:
            _read_entry(found, contract, entry, artifact.notices)
    return found


def snake(name: str) -> str:
    """fromMs -> from_ms, ECDSAInvalidSignatureS -> ecdsa_invalid_signature_s; no Python keyword, no type's name."""
    parted = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name))
    plain = parted.lower().strip("_")
    return f"{plain}_" if keyword.iskeyword(plain) or plain in _TYPE_NAMES else plain


def canonical(type_: TypeRef, structs: Mapping[str, StructDef]) -> str:
    """The type as signatures write it; a struct by its fields."""
    if type_.is_struct:
        inner = ",".join(canonical(part.type, structs) for part in structs[type_.named].fields)
        return f"({inner})" + "[]" * type_.arrays
    return type_.base + "[]" * type_.arrays


def eip712_type(struct: StructDef, structs: Mapping[str, StructDef]) -> str:
    """encodeType of EIP-712: the struct, then every struct it refers to, sorted."""
    others = sorted(_referred(struct, structs) - {struct.name})
    return "".join(_eip712_own(structs[name]) for name in (struct.name, *others))


def structs_in_order(structs: Mapping[str, StructDef]) -> list[StructDef]:
    """Sorted by name, each after those it refers to."""
    placed: dict[str, StructDef] = {}

    def place(name: str) -> None:
        for part in structs[name].fields:
            if part.type.is_struct and part.type.named not in placed:
                place(part.type.named)
        placed.setdefault(name, structs[name])

    for name in sorted(structs):
        place(name)
    return list(placed.values())


def _contracts(artifacts: Mapping[str, Artifact]) -> Iterator[tuple[str, Artifact]]:
    """Interfaces under their contract's name first, then the contracts; abstract ones live on in these."""
    for name, artifact in sorted(artifacts.items()):
        if artifact.source.startswith("contracts/interfaces/"):
            yield name.removeprefix("I"), artifact
    for name, artifact in sorted(artifacts.items()):
        if artifact.bytecode:
            yield name, artifact


def _read_entry(found: Interface, contract: str, entry: Mapping[str, Any], notices: Mapping[str, str]) -> None:
    kind = entry["type"]
    name = entry.get("name", "")
    inputs = tuple(_parameters(found, entry.get("inputs", ())))
    outputs = tuple(_parameters(found, entry.get("outputs", ())))
    signature = f"{name}({','.join(canonical(part.type, found.structs) for part in inputs)})"
    made = Entry(name, contract, inputs, outputs, signature, notices.get(signature, ""))
    match kind:
        case "event":
            _keep(found.events, name, made)
        case "error":
            renamed = tuple(_free(part) for part in inputs)
            _keep(found.errors, name, Entry(name, contract, renamed, (), signature, made.notice))
        case "function":
            _keep(found.functions, (contract, name), made)
        case "constructor":
            found.constructors[contract] = made


def _keep(place: dict[Any, Entry], key: object, made: Entry) -> None:
    kept = place.setdefault(key, made)
    if kept.signature != made.signature:
        raise Malformed(
            f"two different signatures of {made.name}",
            expected=f"{kept.signature} as in {kept.contract}",
            got=f"{made.signature} in {made.contract}",
            todo="Give one of them another name: one word for one thing.",
        )


def _parameters(found: Interface, parts: Sequence[Mapping[str, Any]]) -> Iterator[Parameter]:
    for part in parts:
        type_ = _type_ref(part)
        if type_.is_struct:
            fields = tuple(_parameters(found, part["components"]))
            known = found.structs.setdefault(type_.named, StructDef(type_.named, fields))
            if known.fields != fields:
                raise Malformed(f"two different structs named {type_.named}", todo="Rename one of them.")
        yield Parameter(snake(part["name"]), part["name"], type_, part.get("indexed", False))


def _type_ref(part: Mapping[str, Any]) -> TypeRef:
    base, brackets, suffix = part["type"].partition("[")
    if suffix.replace("]", "").replace("[", ""):
        raise Malformed("fixed-size arrays have no binding", got=part["type"], todo="Use a dynamic array.")
    named = re.sub(r"\[.*", "", part.get("internalType", "")).removeprefix("struct ").removeprefix("enum ")
    plain = named.startswith("contract ") or named in (base, "address payable")
    return TypeRef(base, "" if plain else named.rpartition(".")[2], (brackets + suffix).count("["))


def _free(part: Parameter) -> Parameter:
    name = f"{part.name}_" if part.name in _TAKEN else part.name
    return Parameter(name, part.original, part.type, part.indexed)


def _eip712_own(struct: StructDef) -> str:
    members = ",".join(
        f"{part.type.named if part.type.is_struct else part.type.base}{'[]' * part.type.arrays} {part.original}"
        for part in struct.fields
    )
    return f"{struct.name}({members})"


def _referred(struct: StructDef, structs: Mapping[str, StructDef]) -> set[str]:
    below: Iterable[str] = (part.type.named for part in struct.fields if part.type.is_struct)
    return {struct.name}.union(*(_referred(structs[name], structs) for name in below))
