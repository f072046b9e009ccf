"""What do the routes of verbs share? Their parameters, and how text becomes our values."""

from collections.abc import AsyncIterator
from pathlib import Path as FilePath
from typing import Annotated

from fastapi import Depends, Header, Path, Query, Request

from gateway.api.models import CODE_PATTERN
from gateway.api.once import KEY_PATTERN
from gateway.composition import Gateway, partnership_of_id
from ledger.errors import NotFound
from ledger.identity import CarrierCode, carrier_code
from ledger.period import Period, parse_period
from ledger.store.engine import reading
from ledger.store.settlement import list_payables


async def gateway_of(request: Request) -> Gateway:
    """The app's gateway; asked on the loop, since a thread would cost more than the answer."""
    gateway: Gateway = request.app.state.gateway
    return gateway


TheGateway = Annotated[Gateway, Depends(gateway_of)]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="The same key is the same work: once, with the same answer",
        pattern=KEY_PATTERN,
        examples=["2026-10 acceptance of GB-B"],
    ),
]
IfMatch = Annotated[
    str | None, Header(alias="If-Match", description="The ETag of what was decided on; 428 without, 412 if it changed")
]
Igw = Annotated[str | None, Query(pattern=CODE_PATTERN, description="What data and private lines cross the border by")]
DryRun = Annotated[bool, Query(alias="dryRun", description="Say what would be done, and do nothing")]
Id32 = Annotated[str, Path(pattern="^0x[0-9a-fA-F]{64}$", examples=["0x" + "0" * 64])]


def raw_of(text: str) -> bytes:
    """The bytes of an id that fits its pattern."""
    return bytes.fromhex(text.removeprefix("0x"))


async def receive_file(chunks: AsyncIterator[bytes], path: FilePath) -> None:
    """Write a body that is a file, as it comes."""
    with path.open("wb") as stream:
        async for chunk in chunks:
            stream.write(chunk)


def currency_of(gateway: Gateway, payable_id: bytes) -> str:
    """The currency of a payable. Raises NotFound, also for one of others."""
    with reading(gateway.engine) as connection:
        rows = [row for row in list_payables(connection) if row.payable_id == payable_id]
    if not rows:
        raise NotFound("no such payable", got=f"0x{payable_id.hex()}", todo="See GET /v1/payable.")
    return partnership_of_id(gateway.settings, rows[0].agreement_id).currency


def maybe_partner(text: str | None) -> CarrierCode | None:
    """A carrier's code, if one is given."""
    return None if text is None else carrier_code(text)


def maybe_period(text: str | None) -> Period | None:
    """A month, if one is given."""
    return None if text is None else parse_period(text)
