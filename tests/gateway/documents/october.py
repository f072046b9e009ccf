"""What do tests of documents need? One month of two carriers on a chain: declared, disputed, agreed and netted."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway import month
from gateway.api.models import ProposalBody
from gateway.api.peer_routes import post_proposal
from gateway.composition import Gateway
from gateway.peers import encode
from gateway.reveal import answer_reveal
from ledger.chain.bound import Struct
from ledger.identity import CarrierCode
from ledger.period import Period
from tests.gateway.pair import Pair, pair_on_chain, settled
from tests.scenarios.gateways import CN_T, GB_B, NOVEMBER

OCTOBER = Period(2026, 10)
CALLS = 60
MORE_AT_GB_B = 12
"""Calls that only GB-B has: more than the agreement lets pass."""


@dataclass(frozen=True)
class InProcess:
    """The other carrier's gateway, without HTTP between."""

    carrier: CarrierCode
    gateway: Gateway

    def propose(self, kind: str, struct: Struct, signer: CarrierCode, signature: bytes) -> bytes | None:
        body = ProposalBody(
            kind=kind, struct=f"0x{encode(struct).hex()}", signer=signer, signature=f"0x{signature.hex()}"
        )
        given = post_proposal(body, self.gateway)["signature"]
        return None if given is None else bytes.fromhex(given[2:])

    def reveal(self, struct: Struct, signature: bytes, most_bytes: int) -> bytes:
        return answer_reveal(self.gateway, encode(struct), signature)


@contextmanager
def october(folder: Path, patched: pytest.MonkeyPatch) -> Iterator[Pair]:
    """CN-T and GB-B: CN-T disputes calls it never made; the rest is agreed, and netted into one payable."""
    with pair_on_chain(folder) as pair:
        for module in ("countersigning", "revealing"):
            patched.setattr(
                f"gateway.month.{module}.peer_of", lambda _, carrier: InProcess(carrier, pair.gateways[carrier])
            )
        pair.chain.advance_to(NOVEMBER)
        for carrier in (CN_T, GB_B):
            _declared(pair, carrier, folder)
        for carrier, partner in ((CN_T, GB_B), (GB_B, CN_T)):
            month.reveal(pair[carrier], partner, OCTOBER)
            month.reconcile(pair[carrier], partner, OCTOBER)
        month.dispute(pair[CN_T], GB_B, OCTOBER)
        settled(pair[CN_T])
        yield pair


def agreed(pair: Pair) -> None:
    """Both accept, and net what they agreed."""
    month.accept(pair[CN_T], GB_B, OCTOBER)
    month.accept(pair[GB_B], CN_T, OCTOBER)
    settled(pair[GB_B])
    month.net(pair[CN_T], "USD")
    month.net(pair[GB_B], "USD")
    settled(pair[GB_B])
    for gateway in pair.gateways.values():
        gateway.catch_up()


def _declared(pair: Pair, carrier: CarrierCode, folder: Path) -> None:
    month.import_usage(pair[carrier], _calls(folder / f"{carrier}-calls.csv", carrier), "csv")
    month.rate(pair[carrier])
    month.seal(pair[carrier])
    month.declare(pair[carrier])
    settled(pair[carrier])
    month.close(pair[carrier], OCTOBER)
    settled(pair[carrier])


def _calls(path: Path, carrier: CarrierCode) -> Path:
    """Calls both ways; in every tenth the two clocks differ by a second, and GB-B has some that CN-T has not."""
    partner = GB_B if carrier == CN_T else CN_T
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["a_number", "b_number", "start", "duration_ms", "trunk"])
        for number in range(CALLS + MORE_AT_GB_B):
            start = datetime(2026, 10, 1, 6, tzinfo=UTC) + timedelta(hours=number * 5, minutes=number)
            caller, called = f"+86139{number:08d}", f"+44207{number:07d}"
            longer = 1_000 if carrier == GB_B and number % 10 == 0 else 0
            for creditor, parties in ((GB_B, (caller, called)), (CN_T, (called, caller))):
                if number >= CALLS and (carrier, creditor) != (GB_B, GB_B):
                    continue
                way = "in" if creditor == carrier else "out"
                duration = 60_000 + number * 7_000 + longer
                writer.writerow([*parties, start.isoformat(), duration, f"{partner.lower()}-{way}"])
    return path
