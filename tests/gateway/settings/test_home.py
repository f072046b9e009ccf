"""Does a home folder begin once, and is what is secret its owner's alone?"""

import stat
from pathlib import Path

import pytest

from gateway.settings import Settings, init_home, operator_token
from ledger.errors import Conflict
from ledger.identity import CarrierCode
from tests.gateway.settings.full import full


def test_making_the_same_home_again_changes_nothing_and_another_one_is_refused(tmp_path: Path) -> None:
    init_home(full(tmp_path))
    token = operator_token(full(tmp_path))
    init_home(full(tmp_path))

    assert operator_token(full(tmp_path)) == token
    with pytest.raises(Conflict):
        init_home(Settings(home=tmp_path.resolve(), carrier=CarrierCode("US-A")))


def test_the_operators_token_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    init_home(full(tmp_path))

    assert stat.S_IMODE((tmp_path / "operator.token").stat().st_mode) == 0o600


def test_folders_with_numbers_and_keys_are_their_owners_alone(tmp_path: Path) -> None:
    """Imported files, rated records, sealed ones with their secrets: all hold traffic that a competitor would read."""
    init_home(full(tmp_path))

    for name in ("keys", "inbox", "work", "archive"):
        assert (name, stat.S_IMODE((tmp_path / name).stat().st_mode)) == (name, 0o700)
