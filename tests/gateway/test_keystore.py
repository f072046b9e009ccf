"""Are keys encrypted at rest, and opened only by their password?"""

import json
import stat
from pathlib import Path

import pytest

from gateway.keystore import KeyUse, create_key, open_key, read_password, stored_address
from ledger.errors import Conflict, Malformed, NotFound, Refused
from ledger.typed_data import address_of_key

KEY = bytes(31) + b"\x07"


def test_a_key_comes_back_with_its_password_and_not_with_another(tmp_path: Path) -> None:
    address = create_key(tmp_path, KeyUse.SIGNING, "right", demo=True, key=KEY)

    assert open_key(tmp_path, KeyUse.SIGNING, "right") == KEY
    assert address == address_of_key(KEY) == stored_address(tmp_path, KeyUse.SIGNING)
    with pytest.raises(Refused, match="password"):
        open_key(tmp_path, KeyUse.SIGNING, "wrong")


def test_the_file_is_a_web3_keyfile_for_its_owner_only_and_does_not_hold_the_key(tmp_path: Path) -> None:
    create_key(tmp_path, KeyUse.SENDING, "right", demo=True, key=KEY)
    path = tmp_path / "sending.json"

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    document = json.loads(path.read_text())
    assert (document["version"], document["crypto"]["kdf"]) == (3, "scrypt")
    assert KEY.hex() not in path.read_text()


def test_a_stored_key_is_never_overwritten(tmp_path: Path) -> None:
    create_key(tmp_path, KeyUse.SIGNING, "right", demo=True)

    with pytest.raises(Conflict):
        create_key(tmp_path, KeyUse.SIGNING, "right", demo=True)


def test_two_new_keys_differ(tmp_path: Path) -> None:
    one = create_key(tmp_path, KeyUse.SIGNING, "x", demo=True)
    two = create_key(tmp_path, KeyUse.SENDING, "x", demo=True)

    assert one != two


@pytest.mark.parametrize("content", ["", "{}", '{"version": 3, "crypto": {}}', "not json"])
def test_a_damaged_key_file_is_refused_by_name(tmp_path: Path, content: str) -> None:
    (tmp_path / "signing.json").write_text(content)

    with pytest.raises(Malformed, match="damaged"):
        open_key(tmp_path, KeyUse.SIGNING, "x")


def test_a_missing_key_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="gsc init"):
        open_key(tmp_path, KeyUse.SIGNING, "x")


def test_the_password_comes_from_the_environment_a_file_or_a_prompt(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("of the file\n")

    assert read_password({"GSC_PASSWORD": "of the environment"}) == "of the environment"
    assert read_password({"GSC_PASSWORD_FILE": str(file)}) == "of the file"
    assert read_password({}, prompt=lambda: "asked") == "asked"
    with pytest.raises(Refused, match="locked"):
        read_password({})
