"""Which pages does the desk have, and under which name is each one's picture kept?"""

from collections.abc import Mapping

from gateway.desk.filtering import filters_of
from tests.gateway.desk.clerk import Clerk
from tests.gateway.desk.crawling import crawled, shape_of
from tests.gateway.disputed import Served
from tests.scenarios.gateways import CN_T

_NAMES: Mapping[str, str] = {
    "/desk": "overview",
    "/desk/statements/GB-B/2026-10": "statement",
    "/desk/statements/GB-B/2026-10/records": "records",
    "/desk/statements/GB-B/2026-10/records/GB-B/voice/2": "record",
    "/desk/statements/GB-B/2026-10/findings/1": "finding",
    "/desk/chain": "chain",
}


def pages_of(served: Served) -> list[str]:
    """One address for each page of CN-T's desk: all that the first one leads to, without files and orders."""
    clerk = Clerk(served.apps[CN_T])
    found: dict[str, str] = {}
    for address, answer in crawled(clerk, "/desk", without="export="):
        is_page = answer.status_code == 200 and answer.headers["content-type"].startswith("text/html")
        path = address.partition("?")[0]
        if is_page and path.startswith("/desk"):
            found.setdefault(shape_of(path), path)
    return sorted({*found.values(), *(path for path in _NAMES if filters_of(path, {}).partner or path == "/desk")})


def name_of(path: str) -> str:
    """The name of a page's picture."""
    if path in _NAMES:
        return _NAMES[path]
    words = [word for word in path.split("/")[2:] if not any(each.isdigit() for each in word) and word.islower()]
    return "-".join(words)
