"""How does a program bring a file of usage in bulk: resumed, staged, signed with its own key, committed?"""

import hashlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

from gateway.answers import camel
from gateway.bulk.bodies import Form, Packing
from gateway.calling import Caller, GatewayRefused, Json
from gateway.signing import Signer
from ledger.chain.abi import AbiType, EnumType, FixedBytes
from ledger.chain.bindings import Declaration
from ledger.errors import Malformed, SignatureRefused, Unavailable

CHUNK_BYTES = 1 << 20
JOB_SECONDS = 3_600.0
POLL_SECONDS = 0.1
_FORMS = {".ndjson": Form.NDJSON, ".csv": Form.CSV, ".arrow": Form.ARROW, ".parquet": Form.PARQUET}
_PACKINGS = {".gz": Packing.GZIP, ".zst": Packing.ZSTD}


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a file."""

    intake: str
    """Its address."""
    accepted: int
    quarantined: int
    unpriced: int
    declarations: tuple[Json, ...]
    """Of its batches, each with its submission."""


def send_usage(
    caller: Caller, path: Path, partner: str, direction: str, *, service: str = "voice", key: str | None = None
) -> Sent:
    """Bring a file as far as its declarations' submissions. Raises GatewayRefused, Malformed, Unavailable."""
    form, packing = form_of(path)
    intake = _begun(caller, path, form, packing, partner, direction, service, key)
    if intake["state"] == "receiving":
        _append(caller, path, intake["href"], int(intake["received"]))
    staged = _staged(caller, intake["href"])
    told = caller.ask("POST", f"{intake['href']}/commit", json={"signatures": _signatures(caller, staged)})
    return Sent(
        intake=str(intake["href"]),
        accepted=int(staged["accepted"]),
        quarantined=int(staged["quarantined"]),
        unpriced=int(staged["unpriced"]),
        declarations=tuple(told.json()),
    )


def form_of(path: Path) -> tuple[Form, Packing]:
    """By the file's name. Raises Malformed."""
    packing = _PACKINGS.get(path.suffix, Packing.NONE)
    form = _FORMS.get(path.suffix if packing is Packing.NONE else Path(path.stem).suffix)
    if form is None:
        raise Malformed(
            "the file's name does not say what it holds",
            expected=f"{', '.join(_FORMS)}, then {' or '.join(_PACKINGS)} if it is packed",
            got=path.name,
        )
    return form, packing


def declaration_of(typed: Json) -> Declaration:
    """The struct behind typed data. Raises Malformed for anything else."""
    try:
        said = typed["message"]
        values: dict[str, Any] = {}
        for (name, kind), (word, _) in zip(Declaration.FIELDS, said.items(), strict=True):
            assert word == camel(name)
            values[name] = _value(said[word], kind)
        return Declaration(**values)
    except (KeyError, TypeError, ValueError, AttributeError, AssertionError):
        raise Malformed("the gateway shows no declaration", got=str(typed)[:200]) from None


def _begun(
    caller: Caller,
    path: Path,
    form: Form,
    packing: Packing,
    partner: str,
    direction: str,
    service: str,
    key: str | None,
) -> Json:
    query = {"partner": partner, "direction": direction, "service": service, "name": path.name}
    headers = {"Content-Type": form.value, "Content-Encoding": packing.value}
    headers["Idempotency-Key"] = key or _key_of(path, query)
    found: Json = caller.ask("POST", "/v1/usageIntake", params=query, headers=headers).json()
    return found


def _key_of(path: Path, query: Mapping[str, str]) -> str:
    with path.open("rb") as file:
        over = hashlib.file_digest(file, "sha256").hexdigest()
    return hashlib.sha256(f"{over} {sorted(query.items())}".encode()).hexdigest()


def _append(caller: Caller, path: Path, href: str, at: int) -> None:
    with path.open("rb") as file:
        file.seek(at)
        headers = {"Upload-Offset": str(at), "Upload-Complete": "?1"}
        caller.ask("PATCH", href, content=_chunks(file), headers=headers)


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    return iter(partial(file.read, CHUNK_BYTES), b"")


def _staged(caller: Caller, href: str) -> Json:
    """What it became, once the job is over."""
    job: Json = caller.ask("POST", f"{href}/stage").json()
    until = time.monotonic() + JOB_SECONDS
    while job["state"] == "running":
        if time.monotonic() > until:
            raise Unavailable("the job does not end", got=job["href"], todo="Ask for it later.")
        time.sleep(POLL_SECONDS)
        job = caller.ask("GET", job["href"]).json()
    if job["state"] == "failed":
        raise GatewayRefused(job["problem"])
    answer: Json = job["answer"]
    return answer


def _signatures(caller: Caller, staged: Json) -> Mapping[str, str] | None:
    """By our own key, over what we were shown and the gateway stands for; None without one: the gateway's key signs."""
    if caller.signer is None:
        return None
    waiting = [batch for batch in staged["batches"] if batch["typedData"] is not None]
    return {batch["root"]: signed_batch(caller.signer, batch) for batch in waiting}


def signed_batch(signer: Signer, batch: Json) -> str:
    """Our signature over what a batch shows. Raises SignatureRefused unless that is what it wants signed."""
    declaration = declaration_of(batch["typedData"])
    signed = signer.sign(declaration)
    told = (f"0x{declaration.root.hex()}", declaration.count, f"0x{signed.digest.hex()}")
    if told != (batch["root"], batch["count"], batch["digest"]):
        raise SignatureRefused(
            "the gateway shows another declaration than it wants signed",
            expected=f"{batch['root']}, {batch['count']} records, digest {batch['digest']}",
            got=str(told),
            todo="Check the gateway's address and network; nothing was signed for it.",
        )
    return f"0x{signed.signature.hex()}"


def _value(said: object, kind: AbiType) -> object:
    if isinstance(kind, FixedBytes):
        return bytes.fromhex(str(said).removeprefix("0x"))
    if isinstance(kind, EnumType):
        return kind.members(int(str(said)))
    return int(str(said))
