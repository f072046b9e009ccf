"""Which addresses does the desk lead to? All that its pages name, followed from the first."""

import re
from collections import deque
from collections.abc import Iterator
from html import unescape
from urllib.parse import urldefrag

import httpx

from tests.gateway.desk.clerk import Clerk

_LINK = re.compile(r'<(?:a|form|link|script)\b[^>]*?\b(?:href|src|action)="([^"]*)"[^>]*>', re.S)
_GET_ONLY = re.compile(r'<form\b[^>]*method="post"', re.S)


def links_of(html: str) -> list[str]:
    """The addresses of a page that a reader may follow, without their fragments."""
    found = []
    for match in _LINK.finditer(html):
        if _GET_ONLY.match(match[0]):
            continue
        found.append(urldefrag(unescape(match[1])).url)
    return [each for each in found if each.startswith("/") and not each.startswith(("//", "/logout"))]


def shape_of(address: str) -> str:
    """Addresses that differ in numbers, hashes and order only are one page: a few of each are enough."""
    return re.sub(r"0x[0-9a-f]+|\b\d+(\.\d+)?\b", "N", re.sub(r"sort=[^&]*", "sort=S", address))


def crawled(
    clerk: Clerk, start: str = "/desk", each: int = 1, most: int = 1_000, without: str = "#"
) -> Iterator[tuple[str, httpx.Response]]:
    """Every address reached from a page, with its answer; at most `each` of one shape, none with the word `without`."""
    waiting, seen, shapes = deque([start]), {start}, dict[str, int]()
    while waiting and len(seen) < most:
        address = waiting.popleft()
        answer = clerk.get(address)
        yield address, answer
        if answer.is_redirect:
            found = [answer.headers["location"]]
        else:
            found = links_of(answer.text) if answer.headers.get("content-type", "").startswith("text/html") else []
        for link in found:
            link = urldefrag(link).url
            shape = shape_of(link)
            if without not in link and link not in seen and shapes.get(shape, 0) < each:
                seen.add(link)
                shapes[shape] = shapes.get(shape, 0) + 1
                waiting.append(link)
