"""How do tests look at a page as people do? In Debian's Chromium, driven by Playwright; no trouble of it is missed.

On a machine without Chromium the tests say so and are passed over; where CI is true they fail instead.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
WHAT_TO_DO = "no Chromium on PATH: install your system's (Debian, Ubuntu: apt-get install chromium)"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]


def chromium_path() -> str:
    """Where Chromium is. Without it tests are passed over, or fail where CI is true."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None and os.environ.get("CI", "").lower() == "true":
        pytest.fail(WHAT_TO_DO)
    if found is None:
        pytest.skip(WHAT_TO_DO)
    return found


@contextmanager
def started() -> Iterator[Browser]:
    """One browser, until the end."""
    path = chromium_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS, headless=True)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Watched:
    """A page whose noises are kept: of the console, of scripts, of the policy, of what did not load."""

    page: Page
    noises: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.noises.append(f"script: {error}"))
        self.page.on("requestfailed", lambda asked: self.noises.append(f"not loaded: {asked.url}"))

    def _said(self, message: object) -> None:
        kind, text = getattr(message, "type", ""), getattr(message, "text", "")
        if kind in ("error", "warning"):
            self.noises.append(f"{kind}: {text}")
