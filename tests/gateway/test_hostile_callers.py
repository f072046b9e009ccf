"""What can a stranger, or a carrier that means harm, do at the HTTP door? Be refused by name, and nothing else."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.api.app import build_app
from gateway.composition import Gateway
from tests.gateway.asking import Browser
from tests.gateway.homes import lonely_gateway

JSON = {"content-type": "application/json"}


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    made = lonely_gateway(tmp_path)
    yield made
    made.close()


@pytest.fixture
def stranger(gateway: Gateway) -> Browser:
    return Browser(build_app(gateway))


@pytest.fixture
def operator(gateway: Gateway) -> Browser:
    app = build_app(gateway)
    browser = Browser(app)
    browser.headers["Authorization"] = f"Bearer {app.state.token}"
    return browser


@pytest.mark.parametrize("path", ["/peer/v1/reveals", "/peer/v1/proposals", "/v1/closes"])
@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 50_000, b'{"a": 1' + b"9" * 6_000 + b"}", b"\xff\xfe\0"])
def test_a_body_that_no_reader_can_read_is_malformed_and_the_gateway_lives(
    stranger: Browser, path: str, body: bytes
) -> None:
    """The body is read before the token is asked for: whoever reaches the port can send one."""
    answer = stranger.post(path, content=body, headers=JSON)

    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/malformed")
    assert answer.json()["expected"]
    assert stranger.get("/health").json() == {"status": "up"}


def test_opening_a_key_leaves_the_recursion_limit_as_it_was(tmp_path: Path) -> None:
    """One of the keyfile's imports raises it to 100,000: then nested JSON kills the process instead of raising."""
    opened = (
        "import sys; from pathlib import Path; from gateway.keystore import KeyUse, create_key, open_key\n"
        "limit = sys.getrecursionlimit(); folder = Path(sys.argv[1])\n"
        "create_key(folder, KeyUse.SIGNING, 'right', demo=True); open_key(folder, KeyUse.SIGNING, 'right')\n"
        "assert 'eth_keyfile' in sys.modules and sys.getrecursionlimit() == limit, sys.getrecursionlimit()\n"
    )

    ended = subprocess.run([sys.executable, "-c", opened, str(tmp_path)], capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stderr
