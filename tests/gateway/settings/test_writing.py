"""Is what is written read back equal?"""

from pathlib import Path

from gateway.settings import init_home, load_settings
from tests.gateway.settings.full import full


def test_settings_are_written_and_read_back_equal(tmp_path: Path) -> None:
    settings = full(tmp_path)

    init_home(settings)

    assert load_settings(tmp_path) == settings
