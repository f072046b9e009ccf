"""Where do a carrier's private keys rest, and how do they come to memory? Encrypted Web3 keyfiles, version 3.

Two keys: *signing* is the carrier's word and never sends; *sending* pays gas and never signs a claim.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from types import ModuleType

import coincurve
from eth_utils.address import to_checksum_address

from gateway.settings import write_atomically
from ledger.errors import Conflict, Malformed, NotFound, Refused
from ledger.identity import Address
from ledger.typed_data import address_of_key

SCRYPT_N = 2**18
"""Work factor of eth-account and geth: about a second and 256 MB for each guess."""
SCRYPT_N_DEMO = 2**12
"""For local chains only, where keys are worthless: ten milliseconds."""
PASSWORD_VARIABLE = "GSC_PASSWORD"
PASSWORD_FILE_VARIABLE = "GSC_PASSWORD_FILE"


class KeyUse(StrEnum):
    """What a key may be used for."""

    SIGNING = "signing"
    """Signs the carrier's structs; registered in the CarrierRegistry."""
    SENDING = "sending"
    """Signs transactions and pays their gas."""


def create_key(folder: Path, use: KeyUse, password: str, *, demo: bool = False, key: bytes | None = None) -> Address:
    """Make (or bring) a key and store it encrypted, mode 0600. Raises Conflict if the folder has one for this use."""
    path = _path(folder, use)
    if path.exists():
        raise Conflict(f"there is already a {use} key", got=str(path), todo="Keep it, or move it away first.")
    secret = key if key is not None else coincurve.PrivateKey().secret
    rounds = SCRYPT_N_DEMO if demo else SCRYPT_N
    encoded = password.encode("utf-8")
    document = _keyfile().create_keyfile_json(secret, encoded, version=3, kdf="scrypt", iterations=rounds)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_atomically(path, json.dumps(document).encode("ascii"), mode=0o600)
    return address_of_key(secret)


def open_key(folder: Path, use: KeyUse, password: str) -> bytes:
    """Decrypt a stored key to its 32 bytes. Raises NotFound, Malformed, or Refused for a wrong password."""
    path = _path(folder, use)
    try:
        document = json.loads(path.read_text("ascii"))
    except FileNotFoundError:
        raise NotFound(f"no {use} key", expected=str(path), todo="Make one with `gsc init`.") from None
    except ValueError:
        raise Malformed(f"the {use} key file is damaged", got=str(path), todo="Restore it from a backup.") from None
    try:
        return bytes(_keyfile().decode_keyfile_json(document, password.encode("utf-8")))
    except ValueError:
        raise Refused(
            f"the password does not open the {use} key",
            got=str(path),
            todo=f"Set {PASSWORD_VARIABLE} or {PASSWORD_FILE_VARIABLE}.",
        ) from None
    except (KeyError, TypeError):
        raise Malformed(f"the {use} key file is damaged", got=str(path), todo="Restore it from a backup.") from None


def stored_address(folder: Path, use: KeyUse) -> Address:
    """The address of a stored key, read without its password. Raises NotFound."""
    path = _path(folder, use)
    if not path.exists():
        raise NotFound(f"no {use} key", expected=str(path), todo="Make one with `gsc init`.")
    return Address(to_checksum_address(bytes.fromhex(json.loads(path.read_text("ascii"))["address"])))


def read_password(
    environment: Mapping[str, str] = os.environ,
    file: Path | None = None,
    prompt: Callable[[], str] | None = None,
) -> str:
    """The keys' password: GSC_PASSWORD, a file (GSC_PASSWORD_FILE) or a prompt. Raises Refused if none answers."""
    if PASSWORD_VARIABLE in environment:
        return environment[PASSWORD_VARIABLE]
    named = environment.get(PASSWORD_FILE_VARIABLE)
    source = file or (Path(named) if named else None)
    if source is not None:
        try:
            return source.read_text("utf-8").rstrip("\r\n")
        except OSError as error:
            raise NotFound("the password file cannot be read", got=f"{source}: {error.strerror}") from None
    if prompt is not None:
        return prompt()
    raise Refused(
        "the keys are locked",
        expected=f"a password in {PASSWORD_VARIABLE} or a file named by {PASSWORD_FILE_VARIABLE}",
        todo="Set one of them and try again.",
    )


def _keyfile() -> ModuleType:
    """eth_keyfile, imported late: it takes half a second. One of its imports sets Python's recursion limit to 100,000,
    with which a stranger's deeply nested JSON overflows the C stack and kills the process: the limit is put back."""
    limit = sys.getrecursionlimit()
    from eth_keyfile import keyfile

    sys.setrecursionlimit(limit)
    return keyfile


def _path(folder: Path, use: KeyUse) -> Path:
    return folder / f"{use}.json"
