"""What can the members decide, and how is a decision written as the registry's call, and read back from it?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from ledger.chain import bindings
from ledger.chain.abi import address_bytes, decode_all
from ledger.chain.bindings import IgwKind, IgwListing
from ledger.chain.bound import Function
from ledger.errors import GscError, Malformed
from ledger.identity import Address, ascii32, carrier_code, registry_code, text_of_ascii32

NOBODY = Address("0x" + "00" * 20)
KINDS: Mapping[str, IgwKind] = {
    "global": IgwKind.GLOBAL_BUREAU,
    "regional": IgwKind.REGIONAL_BUREAU,
    "border": IgwKind.BORDER_BUREAU,
    "channel": IgwKind.DIRECT_CHANNEL,
}


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a decision, as people write it."""

    read: Callable[[str], object]
    show: Callable[[object], str]
    default: str | None = None
    """Taken if none is given; None: it must be given."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A function of the registry that only the members can call; `arguments` in the order of its inputs."""

    function: Function
    arguments: Mapping[str, Argument]


@dataclass(frozen=True, slots=True)
class Told:
    """A call as people read it."""

    decision: str
    arguments: Mapping[str, str]


def _carrier(text: str) -> bytes:
    return ascii32(carrier_code(text))


def _code(text: str) -> bytes:
    return ascii32(registry_code(text))


def _address(text: str) -> Address:
    address_bytes(text)
    return Address(text)


def _kind(text: str) -> IgwKind:
    if text not in KINDS:
        raise Malformed("not a kind of international gateway", expected=", ".join(KINDS), got=repr(text[:40]))
    return KINDS[text]


def _moment(text: str) -> int:
    """Seconds of a date, midnight UTC, or of a date and time; 0 for none."""
    if not text:
        return 0
    try:
        moment = datetime.fromisoformat(text)
        seconds = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        seconds = -1
    if seconds < 0:
        raise Malformed("not a date", expected="2026-09-01, or with a time", got=repr(text[:40]))
    return seconds


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Malformed("not a number of members", expected="digits", got=repr(text[:40]))
    return int(text)


def _word_of(raw: object) -> str:
    """Text; what a contract let through and is none, in hex."""
    assert isinstance(raw, bytes)
    try:
        text = text_of_ascii32(raw)
    except Malformed:
        text = ""
    return text if text.isprintable() and text else f"0x{raw.hex()}"


def _date_of(seconds: object) -> str:
    assert isinstance(seconds, int)
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds else ""
    except (OverflowError, ValueError, OSError):
        return str(seconds)


def _kind_of(kind: object) -> str:
    return next(word for word, each in KINDS.items() if each == kind)


CARRIER, CODE = Argument(_carrier, _word_of), Argument(_code, _word_of)
ADDRESS, NUMBER = Argument(_address, str), Argument(_whole, str)
REPLACES = Argument(_address, str, default=NOBODY)
FROM, UNTIL = Argument(_moment, _date_of), Argument(_moment, _date_of, default="")

DECISIONS: Mapping[str, Decision] = {
    "admit": Decision(bindings.CARRIER_REGISTRY_ADMIT, {"carrier": CARRIER, "key": ADDRESS}),
    "suspend": Decision(bindings.CARRIER_REGISTRY_SUSPEND, {"carrier": CARRIER}),
    "reinstate": Decision(bindings.CARRIER_REGISTRY_REINSTATE, {"carrier": CARRIER}),
    "remove": Decision(bindings.CARRIER_REGISTRY_REMOVE, {"carrier": CARRIER}),
    "grant-licence": Decision(
        bindings.CARRIER_REGISTRY_GRANT_LICENCE, {"carrier": CARRIER, "licence": CODE, "from": FROM, "until": UNTIL}
    ),
    "revoke-licence": Decision(bindings.CARRIER_REGISTRY_REVOKE_LICENCE, {"carrier": CARRIER, "licence": CODE}),
    "list-igw": Decision(
        bindings.CARRIER_REGISTRY_LIST_IGW,
        {"igw": CODE, "kind": Argument(_kind, _kind_of), "from": FROM, "until": UNTIL},
    ),
    "delist-igw": Decision(bindings.CARRIER_REGISTRY_DELIST_IGW, {"igw": CODE}),
    "list-token": Decision(bindings.CARRIER_REGISTRY_LIST_TOKEN, {"token": ADDRESS, "currency": CODE}),
    "invite-member": Decision(
        bindings.CARRIER_REGISTRY_INVITE_MEMBER, {"member": ADDRESS, "replaces": REPLACES, "threshold": NUMBER}
    ),
    "remove-member": Decision(bindings.CARRIER_REGISTRY_REMOVE_MEMBER, {"member": ADDRESS, "threshold": NUMBER}),
    "change-threshold": Decision(bindings.CARRIER_REGISTRY_CHANGE_THRESHOLD, {"threshold": NUMBER}),
}
"""By the word that people say; what each does stands in contracts/interfaces/ICarrierRegistry.sol."""


def call_of(word: str, given: Mapping[str, str]) -> bytes:
    """The registry's call. Raises Malformed, naming what is missing or too much."""
    decision = DECISIONS.get(word)
    if decision is None:
        raise Malformed("not a decision of the members", expected=", ".join(DECISIONS), got=repr(word[:40]))
    missing = [name for name, each in decision.arguments.items() if each.default is None and name not in given]
    foreign = [name for name in given if name not in decision.arguments]
    if missing or foreign:
        raise Malformed(
            f"{word} {'lacks' if missing else 'takes no'} {', '.join(f'--{name}' for name in missing or foreign)}",
            expected=", ".join(f"--{name}" for name in decision.arguments),
            got=", ".join(f"--{name}" for name in given) or "none",
        )
    values = [each.read(given.get(name, each.default or "")) for name, each in decision.arguments.items()]
    if word == "list-igw":
        igw, kind, begin, end = values
        values = [IgwListing(igw=igw, kind=kind, valid_from=begin, valid_until=end)]  # type: ignore[arg-type]
    return decision.function.calldata(*values)


def told(call: bytes) -> Told:
    """A proposal's call in words; one that no decision here makes is shown as it is, never refused."""
    for word, decision in DECISIONS.items():
        if call[:4] == decision.function.selector:
            try:
                values = decode_all([kind for _, kind in decision.function.inputs], call[4:])
            except GscError:
                break
            if word == "list-igw":
                values = values[0].values()
            shown = zip(decision.arguments.items(), values, strict=True)
            return Told(word, {name: argument.show(value) for (name, argument), value in shown})
    return Told("another call", {"call": f"0x{call[:68].hex()}"})
