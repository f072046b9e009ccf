"""Which pages does the desk have? One address of each, with what their own pages lead to."""

import re

from tests.gateway.desk.clerk import Clerk
from tests.gateway.disputed import Served
from tests.scenarios.gateways import CN_T

MONTH = "/desk/statements/GB-B/2026-10"
PLAIN = (
    "/desk",
    MONTH,
    f"{MONTH}/findings/1",
    f"{MONTH}/records?creditor=GB-B",
    f"{MONTH}/records/GB-B/voice/2",
    f"{MONTH}/agree",
    f"{MONTH}/dispute",
    "/desk/disputes",
    "/desk/credit",
    "/desk/arrears",
    "/desk/netting",
    "/desk/fraud",
    "/desk/decks",
    "/desk/agreements",
    "/desk/imports",
    "/desk/imports/1",
    "/desk/chain",
    "/desk/chain/events",
    "/desk/chain/gas",
    "/desk/chain/queue",
    "/desk/chain/verify",
    "/desk/chain/webhooks",
    "/desk/nowhere",
)
_NAMED = ("/desk/chain/batches/", "/desk/chain/transactions/")


def pages_of(served: Served) -> list[str]:
    """One address for each page of CN-T's desk."""
    page = Clerk(served.apps[CN_T]).get("/desk/chain").text
    named = (re.search(rf'href="({place}0x[0-9a-f]+)', page) for place in _NAMED)
    return [*PLAIN, *(found[1] for found in named if found)]
