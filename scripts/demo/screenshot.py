"""What does the desk look like? A picture of a page, made with a Chromium that is on the machine."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from ledger.errors import Unavailable

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome")
WIDTH, HEIGHT = 1280, 1640
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


def chromium() -> str:
    """Where a Chromium is. Raises Unavailable."""
    browser = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if browser is None:
        raise Unavailable(
            "no Chromium for the screenshot",
            expected=" or ".join(CHROMIUM) + " on PATH",
            todo="Install your system's Chromium, or leave out --screenshot.",
        )
    return browser


def take_screenshot(url: str, path: Path) -> None:
    """Save the page as PNG. Raises Unavailable if there is no Chromium or it does not draw."""
    browser = chromium()
    with tempfile.TemporaryDirectory() as profile:
        size = f"--window-size={WIDTH},{HEIGHT}"
        command = [browser, *QUIET, f"--user-data-dir={profile}", size, f"--screenshot={path.resolve()}", url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode or not path.exists():
        raise Unavailable("Chromium drew no picture", got=done.stderr[-300:], todo="Open the page by hand.")
