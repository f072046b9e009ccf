"""What do the desk's pages look like? `python -m scripts.screenshots`: a picture of each, of a small demo's month."""

import argparse
import contextlib
import re
import sys
import tempfile
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from html import unescape
from pathlib import Path

import httpx
from playwright.sync_api import Page, sync_playwright
from rich.console import Console

from deploy.engines import Engine
from gateway.login import login_link
from scripts.demo.running import STEPS, Options, prepared
from scripts.demo.screenshot import HEIGHT, QUIET, WIDTH, chromium
from scripts.demo.stage import Stage
from scripts.demo.telling import Telling
from scripts.traffic.carriers import CN_T

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "images" / "desk"
_MONTH = r"/desk/statements/US-A/\d{4}-\d\d"
PICTURES: Mapping[str, str] = {
    "overview": r"/desk",
    "statement": _MONTH,
    "finding": rf"{_MONTH}/findings/\d+",
    "records": rf"{_MONTH}/records\?.*cause=.*",
    "record": rf"{_MONTH}/records/[\w-]+/voice/\d+",
    "agree": rf"{_MONTH}/agree",
    "dispute": rf"{_MONTH}/dispute",
    "disputes": r"/desk/disputes",
    "thread": r"/desk/disputes/0x[0-9a-f]+",
    "credit": r"/desk/credit",
    "arrears": r"/desk/arrears",
    "netting": r"/desk/netting",
    "cycle": r"/desk/netting/0x[0-9a-f]+",
    "fraud": r"/desk/fraud",
    "decks": r"/desk/decks",
    "agreements": r"/desk/agreements",
    "imports": r"/desk/imports",
    "import": r"/desk/imports/\d+",
    "chain": r"/desk/chain",
    "batch": r"/desk/chain/batches/0x[0-9a-f]+",
    "events": r"/desk/chain/events",
    "gas": r"/desk/chain/gas",
    "queue": r"/desk/chain/queue",
    "verify": r"/desk/chain/verify",
    "webhooks": r"/desk/chain/webhooks",
}
"""Name of the picture and the address of its page, the first found that is one; no link leads to agree and dispute
once a month is agreed."""
_LINK = re.compile(r'<a\b[^>]*\bhref="(/desk[^"#]*)')
_NUMBER = re.compile(r"0x[0-9a-f]+|\b\d+\b")
_ELSEWHERE = re.compile(r"export=|sort=|/quarantine$|/papers/|/files/|\.zip$")
"""Files, and the same page in another order."""
ALIKE = 4
"""Pages of one kind that are looked at."""
LOGIN_HEIGHT = 560


def main() -> int:
    """Settle a small month, then take the pictures; 1 if a page was not found."""
    parser = argparse.ArgumentParser(prog="python -m scripts.screenshots", description=__doc__)
    parser.add_argument("--calls", type=int, default=3_000)
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--lang", default="en", choices=("en", "zh"))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    telling = Telling(Console())
    with contextlib.ExitStack() as ending:
        home = Path(ending.enter_context(tempfile.TemporaryDirectory())) / "demo"
        stage = ending.enter_context(prepared(Options(2026, given.calls, Engine.GANACHE, home, None), telling))
        for act in STEPS:
            act(stage)
        missing = _take(stage, given.out, given.lang)
    for name in missing:
        print(f"screenshots: no page for {name}, {PICTURES[name]}", file=sys.stderr)
    return 1 if missing else 0


def _take(stage: Stage, folder: Path, language: str) -> list[str]:
    """A picture of each page; the names of those that were not found."""
    url = stage.home(CN_T.code).url
    with httpx.Client(base_url=url, timeout=60, follow_redirects=True) as client:
        found = _found(client)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium(), args=list(QUIET))
        page = browser.new_page(base_url=url, viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(f"/login?lang={language}")
        page.screenshot(path=folder / "login.png", clip={"x": 0, "y": 0, "width": WIDTH, "height": LOGIN_HEIGHT})
        _log_in(page, stage)
        for name, path in found.items():
            page.goto(f"{path}{'&' if '?' in path else '?'}lang={language}")
            page.screenshot(path=folder / f"{name}.png")
            print(f"{name:<12} {path}", flush=True)
        browser.close()
    return [name for name in PICTURES if name not in found]


def _log_in(page: Page, stage: Stage) -> None:
    """As CN-T's desk, by the link that its machine gives out: what may be signed can be seen so."""
    home = stage.home(CN_T.code)
    link = login_link(home.url, (home.home / "operator.token").read_text("ascii").strip())
    page.goto(str(link["href"]))
    page.locator("main button").click()
    page.wait_for_url("**/desk")


def _found(client: httpx.Client) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in _addresses(client):
        plain = re.sub(r"[?&](period|partner|lang|sort)=[^&]*", "", path)
        for name, pattern in PICTURES.items():
            if name not in found and re.fullmatch(pattern, plain):
                found[name] = path
        if len(found) == len(PICTURES):
            break
    month = found.get("statement", "").partition("?")[0]
    return {name: f"{month}/{name}" for name in ("agree", "dispute") if month} | found


def _addresses(client: httpx.Client, most: int = 250) -> Iterator[str]:
    """Addresses of pages, those that are plain first, then what they lead to; few that differ in numbers only."""
    waiting = deque(pattern for pattern in PICTURES.values() if pattern == re.escape(pattern))
    seen, shapes = set(waiting), Counter[str]()
    yield from tuple(waiting)
    for _ in range(most):
        if not waiting:
            return
        for match in _LINK.finditer(client.get(waiting.popleft()).text):
            link = unescape(match[1])
            shape = _NUMBER.sub("N", link)
            if link in seen or shapes[shape] >= ALIKE or _ELSEWHERE.search(link):
                continue
            yield link
            seen.add(link)
            shapes[shape] += 1
            waiting.append(link)


if __name__ == "__main__":
    sys.exit(main())
