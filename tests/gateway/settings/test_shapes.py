"""Where does what settings name lie?"""

from pathlib import Path

from gateway.settings import parse_settings
from tests.gateway.settings.full import full


def test_a_relative_database_lies_in_the_home_and_another_url_is_left_alone(tmp_path: Path) -> None:
    home = tmp_path.resolve()

    assert full(tmp_path).database_url == f"sqlite:///{home / 'gsc.sqlite'}"
    other = parse_settings(home, {"carrier": "CN-T", "database": "postgresql://db/gsc"})
    assert other.database_url == "postgresql://db/gsc"
