"""What do tests of the month's verbs need? Two gateways in this process, on one chain, with agreement and decks."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local_chain import LocalChain
from gateway import month
from gateway.composition import Gateway, open_gateway, partnership_with
from gateway.month.parts import stream_of
from gateway.month.sending import Call, submit
from gateway.outbox import settle
from gateway.serving import submitter_of
from gateway.settings import load_settings
from ledger.chain.bindings import calldata_agreement_book_sign
from ledger.identity import CarrierCode
from ledger.money import Micros
from ledger.store.engine import reading, writing
from ledger.store.outbox import SubmissionRow, list_submissions
from ledger.store.states import SubmissionState
from tests.scenarios.gateways import CN_T, GB_B, PASSWORD, SEPTEMBER, two_carriers

STEPS = 200


@dataclass(frozen=True, slots=True)
class Pair:
    """CN-T and GB-B; nothing submits by itself: see `settled`."""

    chain: LocalChain
    gateways: Mapping[CarrierCode, Gateway]

    def __getitem__(self, carrier: CarrierCode) -> Gateway:
        return self.gateways[carrier]


@contextmanager
def pair_on_chain(folder: Path, *, carriers_decide: bool = False) -> Iterator[Pair]:
    """The agreement is signed; each has published its deck from September and granted a line."""
    with two_carriers(folder, carriers_decide=carriers_decide) as street, ExitStack() as ending:
        gateways = {}
        for carrier, process in street.gateways.items():
            gateways[carrier] = open_gateway(load_settings(process.home), PASSWORD)
            ending.callback(gateways[carrier].close)
        _agree(gateways)
        for carrier, partner in ((CN_T, GB_B), (GB_B, CN_T)):
            month.publish_rates(gateways[carrier], partner, f"{carrier.lower()}.csv", SEPTEMBER)
            month.grant_credit(gateways[carrier], partner, Micros(1_000_000_000))
            settled(gateways[carrier])
        yield Pair(street.chain, gateways)


def settled(gateway: Gateway) -> list[SubmissionRow]:
    """The outbox once it rests, and the store that has read what came of it."""
    submitter = submitter_of(gateway)
    with reading(gateway.engine) as connection:
        submission_ids = [row.id for row in list_submissions(connection)]
    rows = settle(submitter, gateway.engine, submission_ids, STEPS, lambda: None)
    submitter.stop()
    gateway.catch_up()
    assert {row.state for row in rows} <= {SubmissionState.FINAL}, [(row.kind, row.reason) for row in rows]
    return rows


def _agree(gateways: Mapping[CarrierCode, Gateway]) -> None:
    first = gateways[CN_T]
    held = partnership_with(first.settings, GB_B)
    low, high = (gateways[carrier].signer.sign(held.terms).signature for carrier in held.carriers)
    calldata = calldata_agreement_book_sign(held.terms, low, high)
    with writing(first.engine) as connection:
        submit(
            first, connection, Call("agreement", held.id, "AgreementBook", calldata, stream_of("agreement", held.id))
        )
    settled(first)
    gateways[GB_B].catch_up()
