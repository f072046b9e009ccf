"""Does an evidence bundle hold together? Checks records → root → declaration → statement → signatures, in one file.

This file is copied into every bundle as verify.py; a stranger runs `python verify.py BUNDLE.zip` (Python 3.9 or later,
standard library only) and needs neither gsc nor the network. What it cannot see is the chain: it prints the
transactions and addresses with which anyone who runs a node checks the rest.
"""

# ruff: noqa: T201 (a script for strangers: it prints)

from __future__ import annotations

import hashlib
import hmac
import json
import re
import sys
import zipfile
import zlib
from typing import Any

FORMAT = "gsc-evidence/3"
STATEMENT_FORMAT = "gsc-statement/1"
DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
DECLARATION_TYPE = (
    "Declaration(bytes32 agreementId,bytes32 declarer,bytes32 creditor,uint64 seq,uint8 service,uint32 period,"
    "bytes32 root,uint32 count,uint64 fromMs,uint64 toMs,uint128 quantity,uint128 amountMicros,bytes32 deckHash,"
    "bytes32 corrects,bytes32 igw,uint64 deadline)"
)
LINE_TYPE = (
    "StatementLine(bytes32 creditor,uint8 service,uint128 creditorMicros,uint128 debtorMicros,uint128 agreedMicros,"
    "uint128 withheldMicros)"
)
STATEMENT_TYPE = (
    "Statement(bytes32 agreementId,uint32 period,StatementLine[] lines,bytes32 batchesHash,uint64 deadline)" + LINE_TYPE
)
DISPUTE_TYPE = (
    "Dispute(bytes32 agreementId,uint32 period,bytes32 creditor,uint8 service,bytes32 reason,uint128 amountMicros,"
    "bytes32 evidenceHash,uint64 nonce,uint64 deadline)"
)
ENTRY_TYPE = (
    "DisputeEntry(bytes32 disputeId,bytes32 author,uint64 number,bytes32 previous,bytes32 act,"
    "uint128 creditedMicros,bytes32 textHash,bytes32 attachmentsHash,uint64 writtenAt)"
)
SERVICES = ("voice", "sms", "data", "ipl")
EVENTS = {
    "UsageDeclared": "(bytes32,bytes32,bytes32,(bytes32,bytes32,bytes32,uint64,uint8,uint32,bytes32,uint32,uint64,"
    "uint64,uint128,uint128,bytes32,bytes32,bytes32,uint64),uint64)",
    "StatementAgreed": "(bytes32,bytes32,uint32,bytes32,bool,uint64,uint64)",
    "StatementProposed": "(bytes32,bytes32,uint32,bytes32,uint64)",
    "DisputeOpened": "(bytes32,bytes32,uint32,bytes32,uint8,bytes32,uint128,bytes32,uint64)",
}
"""What the contracts log, the id of what it is about first: a receipt that proves something has one of them."""
MANIFEST = "manifest.json"
ATTACHMENTS = "attachments/"
"""Files of a thread lie here under the keccak-256 of their content."""
MAX_FILES = 1_000
MAX_BUNDLE_BYTES = 1 << 28
"""Of bundle.json when it is unpacked: about 200,000 records with their proofs."""
MAX_ATTACHED_BYTES = 1 << 24
MAX_DEPTH = 64
SHOWN_TEXTS = {"a_party": "aParty", "b_party": "bParty", "route": "route"}
"""What a record shows for people, and the leaf's field that proves it; the rest it shows is the carrier's word."""
LEAF_FIELDS = ("index", "salt", "aParty", "bParty", "startMs", "quantity", "route", "amountMicros")

MALFORMED = (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
"""What reading a bundle that is none raises."""

# KECCAK-256 (the padding of the original submission, as Ethereum uses it)
_MASK = (1 << 64) - 1
_ROTATIONS = (1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44)
_LANES = (10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1)


def _round_constants() -> list[int]:
    constants, state = [], 1
    for _ in range(24):
        constant = 0
        for bit in range(7):
            if state & 1:
                constant |= 1 << ((1 << bit) - 1)
            state = (state << 1) ^ (0x171 if state & 0x80 else 0)
        constants.append(constant)
    return constants


_ROUNDS = _round_constants()


def _rotated(lane: int, by: int) -> int:
    return ((lane << by) | (lane >> (64 - by))) & _MASK


def _permuted(lanes: list[int]) -> list[int]:
    for constant in _ROUNDS:
        columns = [lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20] for x in range(5)]
        for x in range(5):
            mixed = columns[x - 1] ^ _rotated(columns[(x + 1) % 5], 1)
            for y in range(0, 25, 5):
                lanes[x + y] ^= mixed
        moving = lanes[1]
        for lane, by in zip(_LANES, _ROTATIONS):  # noqa: B905 (Python 3.9 has no strict)
            lanes[lane], moving = _rotated(moving, by), lanes[lane]
        for y in range(0, 25, 5):
            row = lanes[y : y + 5]
            for x in range(5):
                lanes[x + y] = row[x] ^ (~row[(x + 1) % 5] & _MASK & row[(x + 2) % 5])
        lanes[0] ^= constant
    return lanes


def keccak256(message: bytes) -> bytes:
    """Keccak-256 of a message."""
    padded = bytearray(message + b"\x01" + b"\0" * (-(len(message) + 1) % 136))
    padded[-1] |= 0x80
    lanes = [0] * 25
    for at in range(0, len(padded), 136):
        for lane in range(17):
            lanes[lane] ^= int.from_bytes(padded[at + 8 * lane : at + 8 * lane + 8], "little")
        lanes = _permuted(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


# SECP256K1: who signed?
_P = 2**256 - 2**32 - 977
_N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_G = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)


def _added(one: tuple[int, int] | None, two: tuple[int, int] | None) -> tuple[int, int] | None:
    if one is None or two is None:
        return one or two
    if one[0] == two[0] and (one[1] + two[1]) % _P == 0:
        return None
    if one == two:
        slope = 3 * one[0] * one[0] * pow(2 * one[1], -1, _P)
    else:
        slope = (two[1] - one[1]) * pow(two[0] - one[0], -1, _P)
    x = (slope * slope - one[0] - two[0]) % _P
    return x, (slope * (one[0] - x) - one[1]) % _P


def _times(point: tuple[int, int] | None, factor: int) -> tuple[int, int] | None:
    total = None
    while factor:
        if factor & 1:
            total = _added(total, point)
        point = _added(point, point)
        factor >>= 1
    return total


def recover_signer(digest: bytes, signature: bytes) -> str:
    """The address whose key made the signature, lower case; ValueError if it is not a canonical signature."""
    if len(signature) != 65 or signature[64] not in (27, 28):
        raise ValueError("a signature has 65 bytes and ends with 27 or 28")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    if not 0 < r < _N or not 0 < s <= _N // 2:
        raise ValueError("a signature's s lies in the lower half")
    y = pow((pow(r, 3, _P) + 7) % _P, (_P + 1) // 4, _P)
    if (y * y - r**3 - 7) % _P:
        raise ValueError("a signature's r is on the curve")
    if y % 2 != signature[64] - 27:
        y = _P - y
    inverse = pow(r, -1, _N)
    point = _added(_times((r, y), s * inverse % _N), _times(_G, -int.from_bytes(digest, "big") * inverse % _N))
    if point is None:
        raise ValueError("a signature names a key")
    return "0x" + keccak256(point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big"))[12:].hex()


# WORDS OF 32 BYTES
def word(value: int | str) -> bytes:
    """One ABI word: an integer, or 0x-prefixed bytes of at most 32 (addresses to the right, bytes32 as they are)."""
    if isinstance(value, int):
        return value.to_bytes(32, "big")
    raw = bytes.fromhex(value[2:])
    return raw.rjust(32, b"\0") if len(raw) == 20 else raw.ljust(32, b"\0")


def leaf_hash(leaf: dict[str, Any]) -> bytes:
    """A record's leaf: keccak of the keccak of its eight words (OpenZeppelin's StandardMerkleTree)."""
    words = b"".join(word(_value(leaf[name])) for name in LEAF_FIELDS)
    return keccak256(keccak256(words))


def root_from(leaf: bytes, proof: list[str]) -> bytes:
    """The root that a leaf and its proof lead to; pairs are hashed in order of size."""
    at = leaf
    for step in proof:
        other = _raw(step)
        if len(other) != 32:
            raise ValueError(f"a step of a proof has 32 bytes, got {len(other)}")
        at = keccak256(at + other if at < other else other + at)
    return at


def declaration_digest(declaration: dict[str, Any], domain: dict[str, Any]) -> bytes:
    """The EIP-712 digest of a declaration: its batch id."""
    return typed_digest(_struct_hash(DECLARATION_TYPE, declaration), domain)


def statement_digest(statement: dict[str, Any], domain: dict[str, Any]) -> bytes:
    """The EIP-712 digest of a statement: its id, reckoned from its lines."""
    lines = b"".join(_struct_hash(LINE_TYPE, line) for line in statement["lines"])
    hashed = {**statement, "lines": "0x" + keccak256(lines).hex()}
    return typed_digest(_struct_hash(STATEMENT_TYPE, hashed), domain)


def dispute_digest(dispute: dict[str, Any], domain: dict[str, Any]) -> bytes:
    """The EIP-712 digest of a dispute: its id."""
    return typed_digest(_struct_hash(DISPUTE_TYPE, dispute), domain)


def entry_digest(entry: dict[str, Any], domain: dict[str, Any]) -> bytes:
    """The EIP-712 digest of an entry of a thread, whose text and files stand in it by their hashes."""
    hashed = {
        **entry,
        "author": _bytes32(entry["author"]),
        "act": _bytes32(entry["act"]),
        "textHash": "0x" + keccak256(entry["text"].encode()).hex(),
        "attachmentsHash": "0x" + attachments_hash(entry["attachments"]).hex(),
    }
    return typed_digest(_struct_hash(ENTRY_TYPE, hashed), domain)


def attachments_hash(attachments: list[dict[str, Any]]) -> bytes:
    """What an entry binds of its files: names, sizes and hashes, each value with its tag and its length."""

    def tagged(tag: bytes, content: bytes) -> bytes:
        return tag + len(content).to_bytes(4, "big") + content

    def integer(value: int) -> bytes:
        return tagged(b"i", value.to_bytes(value.bit_length() // 8 + 1, "big"))

    files = [
        tagged(b"s", each["name"].encode()) + integer(int(_value(each["size"]))) + tagged(b"b", _raw(each["hash"]))
        for each in attachments
    ]
    listed = tagged(b"l", b"".join(tagged(b"l", each) for each in files))
    return keccak256(b"\x01" + tagged(b"s", b"attachments") + listed)


def typed_digest(struct_hash: bytes, domain: dict[str, Any]) -> bytes:
    """What is signed of a struct for the contract that the domain names (EIP-712)."""
    separator = keccak256(
        keccak256(DOMAIN_TYPE.encode())
        + keccak256(domain["name"].encode())
        + keccak256(domain["version"].encode())
        + word(int(domain["chainId"]))
        + word(domain["verifyingContract"])
    )
    return keccak256(b"\x19\x01" + separator + struct_hash)


def _struct_hash(kind: str, values: dict[str, Any]) -> bytes:
    """EIP-712 hashStruct of a struct whose fields are words; what is longer stands there by its hash."""
    names = [item.split(" ")[1] for item in kind[kind.index("(") + 1 : kind.index(")")].split(",")]
    return keccak256(keccak256(kind.encode()) + b"".join(word(_value(values[name])) for name in names))


def _value(value: Any) -> int | str:
    """JSON carries integers as decimal strings and bytes as 0x-prefixed ones."""
    if isinstance(value, str) and value.startswith("0x"):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not (isinstance(value, str) and value.isascii() and value.isdigit()):
        raise ValueError(f"expected decimal digits or 0x…, got {value!r}")
    return int(value)


# THE STATEMENT
def verify_statement(content: dict[str, Any]) -> tuple[list[str], list[str]]:
    """(what was proven, what is wrong) of a statement's content: its hash, its signatures, its sums."""
    digest = statement_digest(content["statement"], content["domain"])
    statement_id = "0x" + digest.hex()
    faults = []
    if statement_id != content["statementId"]:
        faults.append(
            f"statement: its lines give the hash {statement_id}, not {told(content['statementId'])} as printed: "
            "something in it was changed after it was signed"
        )
    if str(content["period"]).replace("-", "") != content["statement"]["period"]:
        faults.append(f"statement: it is of {told(content['statement']['period'])}, not of {told(content['period'])}")
    both = {content["drawnBy"], content["partner"]}
    faults += _signers_faults(content, digest, both)
    faults += _line_faults(content, both)
    if faults:
        return [], faults
    keys = " and ".join(f"{told(each['signer'])} for {told(each['carrier'])}" for each in content["signatures"])
    signed = f"signed by {keys}" if keys else "not signed yet: a draft"
    return [f"statement {statement_id} of {told(content['period'])} is the hash of its lines; {signed}"], []


_SIGNERS = {"draft": 0, "by_silence": 1, "agreed": 2}


def _signers_faults(content: dict[str, Any], digest: bytes, both: set[Any]) -> list[str]:
    faults, carriers = [], [each["carrier"] for each in content["signatures"]]
    wanted = _SIGNERS.get(content["state"])
    if wanted is None or len(carriers) != wanted or not set(carriers) <= both or len(set(carriers)) != wanted:
        whose = " and ".join(map(told, carriers)) or "nobody"
        faults.append(f"statement: as {told(content['state'])} it lacks or has too many signatures: {whose}")
    if bool(content["standing"]) == (content["state"] == "draft"):
        faults.append("statement: a draft stands on no chain, and what both agreed does")
    for each in content["signatures"]:
        faults += _signature_faults("statement", digest, {**each, "declarer": each["carrier"]})
    return faults


def _line_faults(content: dict[str, Any], both: set[Any]) -> list[str]:
    faults, seen = [], set()
    for line in content["statement"]["lines"]:
        key = (_text_of(line["creditor"]), SERVICES[int(_value(line["service"]))])
        name = f"statement, {told(key[1])} owed to {told(key[0])}"
        amounts = {each: int(_value(line[f"{each}Micros"])) for each in ("creditor", "debtor", "agreed", "withheld")}
        if key in seen or key[0] not in both:
            faults.append(f"{name}: stands here twice, or is not between the two carriers")
        seen.add(key)
        if amounts["creditor"] != amounts["agreed"] + amounts["withheld"]:
            faults.append(f"{name}: agreed and withheld are not what the creditor claims")
        difference = amounts["creditor"] - amounts["debtor"]
        expected = difference if key[0] == content["drawnBy"] else -difference
        causes = [each for each in content["causes"] if (each["creditor"], each["service"]) == key]
        explained = sum(_signed(each["amountMicros"]) for each in causes)
        if causes and explained != expected:
            faults.append(f"{name}: the causes sum to {explained} micros, the difference is {expected}")
        disputes = [each for each in content["disputes"] if (each["creditor"], each["service"]) == key]
        still = sum(int(_value(each["amountMicros"])) for each in disputes if each["state"] != "withdrawn")
        ever = sum(int(_value(each["amountMicros"])) for each in disputes)
        if not still <= amounts["withheld"] <= ever:
            faults.append(f"{name}: {amounts['withheld']} micros are withheld, the disputes are about {still}")
    said = [*content["causes"], *content["disputes"], *content["counts"]]
    beside = sorted({told(each["service"]) for each in said if (each["creditor"], each["service"]) not in seen})
    return faults + [
        f"statement: something is said about {each} owed to one of the two that has no line" for each in beside
    ]


def _signed(value: Any) -> int:
    """An integer as text that may be below zero."""
    text = str(value)
    return -int(_value(text[1:])) if text.startswith("-") else int(_value(value))


def _text_of(raw: Any) -> str:
    return _raw(raw).rstrip(b"\0").decode("ascii")


_ATTACHED = re.compile(rb"<</Length (\d{1,9})/Type/EmbeddedFile/Filter/FlateDecode[^\n]*>>\r?\nstream\r?\n")


def attached_statement(pdf: bytes) -> dict[str, Any]:
    """The content that lies in a statement's PDF; ValueError if there is none, or more than one."""
    found = list(_ATTACHED.finditer(pdf))
    if len(found) != 1 or pdf.count(b"/EmbeddedFile/") != 1:
        raise ValueError("not a statement's PDF: it holds no statement.json, or several")
    begin, length = found[0].end(), int(found[0][1])
    unpacked = zlib.decompressobj().decompress(pdf[begin : begin + length], MAX_ATTACHED_BYTES)
    _require_shallow(unpacked)
    content: dict[str, Any] = json.loads(unpacked, object_pairs_hook=_each_once)
    if type(content) is not dict or content.get("format") != STATEMENT_FORMAT:
        raise ValueError(f"not a statement of format {STATEMENT_FORMAT}")
    return content


# THE BUNDLE
def verify_batch(batch: dict[str, Any], domain: dict[str, Any]) -> list[str]:
    """What is wrong with one batch of a bundle: its signature, its id, each of its records. Empty: nothing."""
    declaration, faults = batch["declaration"], []
    digest = declaration_digest(declaration, domain)
    name = f"batch {told(batch['batchId'])[:12]}… (seq {told(declaration['seq'])})"
    if "0x" + digest.hex() != batch["batchId"]:
        faults.append(f"{name}: the declaration's digest is 0x{digest.hex()}, not the batch id")
    if declaration["declarer"] != _bytes32(batch["declarer"]):
        faults.append(f"{name}: it is not {told(batch['declarer'])} that declares it")
    faults += _signature_faults(name, digest, batch)
    secret = _raw(batch["secret"]) if batch.get("secret") else None
    seen: set[int] = set()
    for record in batch["records"]:
        index = int(_value(record["leaf"]["index"]))
        if index in seen:
            faults.append(f"{name}: record {index} stands here twice")
        seen.add(index)
        faults += _record_faults(name, record, index, declaration, secret)
    return faults


def _signature_faults(name: str, digest: bytes, batch: dict[str, Any]) -> list[str]:
    try:
        signer = recover_signer(digest, _raw(batch["signature"]))
    except ValueError as error:
        return [f"{name}: {error}"]
    if signer != batch["signer"].lower():
        return [f"{name}: signed by {signer}, not by {told(batch['declarer'])}'s key {told(batch['signer'])}"]
    return []


def _record_faults(
    name: str, record: dict[str, Any], index: int, declaration: dict[str, Any], secret: bytes | None
) -> list[str]:
    leaf, faults = record["leaf"], []
    reached = root_from(leaf_hash(leaf), record["proof"])
    if "0x" + reached.hex() != declaration["root"]:
        faults.append(f"{name}: record {index} is not under the root: its proof leads to 0x{reached.hex()}")
    if not index < int(_value(declaration["count"])):
        faults.append(f"{name}: record {index} lies past the count of {told(declaration['count'])}")
    for shown, field in SHOWN_TEXTS.items():
        if shown in record.get("shown", {}) and _bytes32(record["shown"][shown]) != leaf[field]:
            faults.append(f"{name}: record {index} shows a {shown} that is not the leaf's")
    if secret is not None:
        salt = hmac.new(secret, index.to_bytes(8, "big"), hashlib.sha256).hexdigest()
        if "0x" + salt != leaf["salt"]:
            faults.append(f"{name}: record {index} has a salt that the batch secret does not give")
    return faults


def told(value: Any) -> str:
    """A text of the bundle as one short printable piece of a line: what it says cannot look like our own lines."""
    text = str(value)[:100]
    return "".join(each if each.isprintable() else "?" for each in text)


def _raw(text: Any) -> bytes:
    """The bytes behind 0x and digits; ValueError for anything else."""
    if not isinstance(text, str) or not text.startswith("0x"):
        raise ValueError(f"expected 0x and digits, got {told(text)!r}")
    return bytes.fromhex(text[2:])


def _bytes32(text: Any) -> str:
    """ASCII text as a word of 32 bytes, left-aligned, in hex; what is none is no word."""
    if not isinstance(text, str) or not text.isascii() or len(text) > 32 or "\0" in text:
        return f"not a word: {told(text)!r}"
    return "0x" + text.encode("ascii").ljust(32, b"\0").hex()


def read_bundle(path: str) -> dict[str, Any]:
    """The bundle.json of a bundle, its format checked; ValueError says what is wrong.

    Every reader must see the same bundle: an entry or a key that stands twice, for which tools differ, is refused.
    """
    content: dict[str, Any] = _json_of(_files_of(path, {"bundle.json"})["bundle.json"])
    if type(content) is not dict or content.get("format") != FORMAT:
        raise ValueError(f"not an evidence bundle of format {FORMAT}")
    return content


def verify_file(path: str) -> tuple[dict[str, Any], list[str], list[str]]:
    """(content, what was proven, what is wrong) of a bundle: every file against the manifest, then its content."""
    content = read_bundle(path)
    files = _files_of(path)
    faults = _manifest_faults(files)
    for name in sorted(files):
        if name.endswith(".pdf") and attached_statement(files[name]) != content["statement"]:
            faults.append(f"{told(name)}: the statement in it is not the bundle's")
    faults += _attachment_faults(content, files)
    proven, wrong = verify(content)
    if not faults:
        proven.insert(0, f"{len(files) - 1} files are those of the manifest, by SHA-256")
    return content, proven, faults + wrong


def _files_of(path: str, wanted: set[str] | None = None) -> dict[str, bytes]:
    """The bytes of a zip's entries, all or those wanted; ValueError if a tool could see others."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if len(set(names)) != len(names):
                raise ValueError("not an evidence bundle: an entry of the zip stands twice")
            if len(names) > MAX_FILES:
                raise ValueError(f"not an evidence bundle: the zip has more than {MAX_FILES} entries")
            return {name: _unpacked(archive, name) for name in (names if wanted is None else sorted(wanted))}
    except (zipfile.BadZipFile, zlib.error, KeyError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"not an evidence bundle: {told(error)}") from None


def _unpacked(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as entry:
        packed = entry.read(MAX_BUNDLE_BYTES + 1)
    if len(packed) > MAX_BUNDLE_BYTES:
        raise ValueError(f"not an evidence bundle: {told(name)} has more than {MAX_BUNDLE_BYTES} bytes")
    return packed


def _json_of(packed: bytes) -> Any:
    _require_shallow(packed)
    return json.loads(packed, object_pairs_hook=_each_once)


def _manifest_faults(files: dict[str, bytes]) -> list[str]:
    """What differs between the files that are there and those that the manifest names with their SHA-256."""
    if MANIFEST not in files:
        return [f"{MANIFEST} is missing: whether a file was left out or changed cannot be told"]
    named = _json_of(files[MANIFEST])["sha256"]
    there = {name: hashlib.sha256(content).hexdigest() for name, content in files.items() if name != MANIFEST}
    faults = [f"{told(name)} is missing: the manifest names it" for name in sorted(named.keys() - there.keys())]
    faults += [f"{told(name)} is not in the manifest" for name in sorted(there.keys() - named.keys())]
    changed = [name for name in sorted(there.keys() & named.keys()) if there[name] != named[name]]
    return faults + [f"{told(name)} was changed: its SHA-256 is {there[name]}, not the manifest's" for name in changed]


def _require_shallow(packed: bytes) -> None:
    """ValueError if brackets stand within each other by the dozen: a reader's stack need not bear it."""
    depth = 0
    for bracket in re.finditer(rb"[\[{\]}]", packed):
        depth += 1 if bracket[0] in b"[{" else -1
        if depth > MAX_DEPTH:
            raise ValueError("not an evidence bundle: nested too deeply")


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("not an evidence bundle: a key stands twice")
    return found


def verify(content: dict[str, Any]) -> tuple[list[str], list[str]]:
    """(what was proven, what is wrong) of a bundle's content."""
    proven: list[str] = []
    faults = [] if content["batches"] else ["the bundle holds no batch: nothing is proven"]
    if content["about"]["kind"] not in ("statement", "dispute"):
        faults.append("the bundle is about neither a statement nor a dispute")
    if str(content["network"]["chainId"]) != str(content["domain"]["chainId"]):
        faults.append("the network is not the one that the declarations are signed for")
    ids = [batch["batchId"] for batch in content["batches"]]
    faults += [f"batch {told(each)[:12]}… stands here twice" for each in sorted(set(ids)) if ids.count(each) > 1]
    for batch in content["batches"]:
        wrong = verify_batch(batch, content["domain"]) + _scope_faults(batch, content["about"])
        faults += wrong
        if not wrong:
            declaration = batch["declaration"]
            proven.append(
                f"{told(batch['declarer'])} signed batch {told(batch['batchId'])} (seq {told(declaration['seq'])}, "
                f"{told(declaration['count'])} records) if {told(batch['signer'])} is its key; "
                f"{len(batch['records'])} of its records are under its root"
            )
    for part in (_statement_of_bundle, _dispute_of_bundle, _thread_of_bundle, _receipts_of_bundle):
        held, wrong = part(content)
        proven += held
        faults += wrong
    return proven, faults


def _scope_faults(batch: dict[str, Any], about: dict[str, Any]) -> list[str]:
    """A batch of another agreement or month proves nothing here."""
    declaration = batch["declaration"]
    of = (declaration["agreementId"], declaration["period"])
    if of != (about["agreementId"], str(about["period"]).replace("-", "")):
        return [f"batch {told(batch['batchId'])[:12]}… is of another agreement or month than the bundle"]
    return []


def _statement_of_bundle(content: dict[str, Any]) -> tuple[list[str], list[str]]:
    """The statement by itself; in the bundle of a month also that it is of these batches and of no others."""
    statement, about = content["statement"], content["about"]
    proven, faults = verify_statement(statement)
    if (statement["statement"]["agreementId"], statement["period"]) != (about["agreementId"], about["period"]):
        faults.append("statement: it is of another agreement or month than the bundle")
    if str(statement["domain"]["chainId"]) != str(content["network"]["chainId"]):
        faults.append("statement: it is signed for another chain than the bundle's")
    if about["kind"] == "statement":
        faults += _batches_faults(statement["statement"], content["batches"])
        if not faults:
            proven.append(f"the statement is of the {len(content['batches'])} batches here: their hash, and their sums")
    return proven, faults


def _batches_faults(statement: dict[str, Any], batches: list[dict[str, Any]]) -> list[str]:
    joint = "0x" + keccak256(b"".join(sorted(_raw(batch["batchId"]) for batch in batches))).hex()
    faults = []
    if joint != statement["batchesHash"]:
        faults.append(
            f"statement: the batches here have the joint hash {joint}, not the signed one: one is missing or too many"
        )
    for line in statement["lines"]:
        for side in ("creditor", "debtor"):
            mine = [
                int(_value(batch["declaration"]["amountMicros"]))
                for batch in batches
                if (batch["declaration"]["creditor"], batch["declaration"]["service"])
                == (line["creditor"], line["service"])
                and (batch["declaration"]["declarer"] == line["creditor"]) == (side == "creditor")
            ]
            if sum(mine) != int(_value(line[f"{side}Micros"])):
                faults.append(f"statement: the {side}'s batches sum to {sum(mine)} micros, not to its line")
    return faults


def _dispute_of_bundle(content: dict[str, Any]) -> tuple[list[str], list[str]]:
    """In the bundle of a dispute: what the debtor signed."""
    about = content["about"]
    if about["kind"] != "dispute":
        return [], []
    opened = content["dispute"]
    if opened is None:
        return [], ["dispute: what its debtor signed is not in the bundle"]
    dispute, digest = opened["dispute"], dispute_digest(opened["dispute"], opened["domain"])
    faults = _signature_faults("dispute", digest, {**opened, "declarer": opened["carrier"]})
    if "0x" + digest.hex() != about["disputeId"]:
        faults.append(f"dispute: what was signed has the id 0x{digest.hex()}, not {told(about['disputeId'])}")
    if (dispute["agreementId"], dispute["period"]) != (about["agreementId"], str(about["period"]).replace("-", "")):
        faults.append("dispute: it is of another agreement or month than the bundle")
    if dispute["creditor"] == _bytes32(opened["carrier"]):
        faults.append("dispute: the creditor does not dispute its own claim")
    about_it = [row for row in content["statement"]["disputes"] if row["disputeId"] == about["disputeId"]]
    if [str(row["amountMicros"]) for row in about_it] != [dispute["amountMicros"]]:
        faults.append("dispute: the statement beside it names another amount, or does not name it")
    amount, key = f"{told(dispute['amountMicros'])} micros", told(opened["signer"])
    said = f"{told(opened['carrier'])} signed dispute {told(about['disputeId'])} of {amount} if {key} is its key"
    return ([] if faults else [said]), faults


def _thread_of_bundle(content: dict[str, Any]) -> tuple[list[str], list[str]]:
    """In the bundle of a dispute: what both have written about it, signed. Entries left out at the end leave no gap."""
    thread, proven = content["thread"], []
    if content["about"]["kind"] != "dispute" or thread is None:
        return [], [] if thread is None else ["thread: the bundle is about no dispute"]
    faults: list[str] = []
    entries, both = thread["entries"], [content["statement"]["drawnBy"], content["statement"]["partner"]]
    digests = {"0x" + bytes(32).hex(), *(each["digest"] for each in entries)}
    for entry in entries:
        faults += _entry_faults(entry, content, digests)
    for author in both:
        mine = [entry for entry in entries if entry["author"] == author]
        numbers = [int(_value(entry["number"])) for entry in mine]
        missing = sorted(set(range(1, max(numbers, default=0) + 1)) - set(numbers))
        faults += [f"thread: entry {number} of {told(author)} is missing" for number in missing]
        twice = sorted({number for number in numbers if numbers.count(number) > 1})
        proven += [f"{told(author)} signed two entries of number {each}: it says different things" for each in twice]
        if mine:
            keys = " and ".join(sorted({told(entry["signer"]) for entry in mine}))
            proven.append(f"{told(author)} signed {len(mine)} entries of the thread if {keys} is its key")
    if len({entry["digest"] for entry in entries}) != len(entries):
        faults.append("thread: an entry stands here twice")
    if str(thread["domain"]["chainId"]) != str(content["network"]["chainId"]):
        faults.append("thread: its entries are signed for another chain than the bundle's")
    return ([] if faults else proven), faults


def _entry_faults(entry: dict[str, Any], content: dict[str, Any], digests: set[Any]) -> list[str]:
    name = f"thread, entry {told(entry['number'])} of {told(entry['author'])}"
    digest, faults = entry_digest(entry, content["thread"]["domain"]), []
    if "0x" + digest.hex() != entry["digest"]:
        faults.append(f"{name}: its digest is 0x{digest.hex()}: something in it was changed after it was signed")
    faults += _signature_faults(name, digest, {**entry, "declarer": entry["author"]})
    if entry["disputeId"] != content["about"]["disputeId"]:
        faults.append(f"{name}: it is about another dispute")
    if entry["author"] not in (content["statement"]["drawnBy"], content["statement"]["partner"]):
        faults.append(f"{name}: its author is none of the two carriers")
    if entry["previous"] not in digests:
        faults.append(f"{name}: the entry it follows is not here")
    return faults


def _attachment_faults(content: dict[str, Any], files: dict[str, bytes]) -> list[str]:
    """Every file that an entry names lies in the zip and is the one it names; no other does."""
    entries = content["thread"]["entries"] if content["thread"] else []
    named = {ATTACHMENTS + each["hash"]: each for entry in entries for each in entry["attachments"]}
    there = {name for name in files if name.startswith(ATTACHMENTS)}
    faults = [f"{told(name)} is missing: an entry names it" for name in sorted(named.keys() - there)]
    faults += [f"{told(name)} is named by no entry" for name in sorted(there - named.keys())]
    for name in sorted(there & named.keys()):
        if name != f"{ATTACHMENTS}0x{keccak256(files[name]).hex()}" or len(files[name]) != int(named[name]["size"]):
            faults.append(f"{told(name)} is not the file that an entry names")
    return faults


def _receipts_of_bundle(content: dict[str, Any]) -> tuple[list[str], list[str]]:
    """That each transaction has its receipt, which logs what the bundle says. The receipt itself is a node's word."""
    receipts = {receipt["transactionHash"]: receipt for receipt in content["receipts"]}
    faults = []
    for event, about, transaction, block, contract in _logged(content):
        name = f"receipt of {told(transaction)[:12]}… ({event})"
        receipt = receipts.get(transaction)
        if receipt is None:
            faults.append(f"{name}: missing")
            continue
        if receipt["status"] != "0x1" or int(receipt["blockNumber"], 16) != int(block):
            faults.append(f"{name}: the transaction failed, or lies in another block")
        topics = ["0x" + keccak256((event + EVENTS[event]).encode()).hex(), about]
        if not any(
            log["address"].lower() == contract.lower() and log["topics"][:2] == topics for log in receipt["logs"]
        ):
            faults.append(f"{name}: it does not log {told(about)} from {told(contract)}")
    return ([] if faults else [f"{len(receipts)} receipts log what is said here, as a node gave them"]), faults


def _logged(content: dict[str, Any]) -> list[tuple[str, Any, Any, Any, Any]]:
    """(event, id, transaction, block, contract) of everything that the bundle says is on the chain."""
    usage_ledger, statement, opened = content["domain"]["verifyingContract"], content["statement"], content["dispute"]
    logged = [
        ("UsageDeclared", batch["batchId"], batch["transactionHash"], batch["blockNumber"], usage_ledger)
        for batch in content["batches"]
    ]
    if statement["standing"]:
        event = "StatementProposed" if statement["state"] == "by_silence" else "StatementAgreed"
        at, book = statement["standing"], statement["domain"]["verifyingContract"]
        logged.append((event, statement["statementId"], at["transactionHash"], at["blockNumber"], book))
    if opened is not None:
        at, book = content["about"]["disputeId"], opened["domain"]["verifyingContract"]
        logged.append(("DisputeOpened", at, opened["transactionHash"], opened["blockNumber"], book))
    return logged


def main(arguments: list[str]) -> int:
    """Print what a bundle proves; exit code 0 if everything holds, 1 if not, 2 if it is not a bundle."""
    if len(arguments) != 1:
        print("usage: python verify.py BUNDLE.zip", file=sys.stderr)
        return 2
    try:
        content, proven, faults = verify_file(arguments[0])
        further = _further(content)
    except MALFORMED as error:
        print(f"verify: {type(error).__name__} {told(error)}", file=sys.stderr)
        return 2
    for line in proven:
        print(f"holds   {line}")
    for line in faults:
        print(f"BROKEN  {line}")
    for line in further:
        print(line)
    return 1 if faults else 0


def _further(content: dict[str, Any]) -> list[str]:
    """What anyone who runs a node of the chain checks besides: the logs, and whose the keys are."""
    network = content["network"]
    lines = [f"on chain {told(network['name'])} (id {told(network['chainId'])}) anyone can check further:"]
    for event, about, transaction, block, contract in _logged(content):
        lines.append(
            f"  transaction {told(transaction)}, block {told(block)}: {event}({told(about)}) from {told(contract)}"
        )
    entries = content["thread"]["entries"] if content["thread"] else []
    signers = [(each["signer"], each["declarer"]) for each in content["batches"]]
    signers += [(each["signer"], each["carrier"]) for each in content["statement"]["signatures"]]
    signers += [(each["signer"], each["author"]) for each in entries]
    keys = {(told(signer), told(carrier)) for signer, carrier in signers}
    return lines + [f"  {told(network['registry'])}: {key} is a key of {carrier}" for key, carrier in sorted(keys)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
