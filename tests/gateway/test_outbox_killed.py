"""Is nothing lost and nothing doubled when the submitting process is killed with -9 in the middle?"""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local_chain import Engine, LocalChain
from gateway.outbox import Submission, enqueue, enqueue_declaration
from ledger.chain.abi import keccak
from ledger.chain.bindings import Transfer, UsageDeclared, calldata_settlement_token_mint
from ledger.chain.client import ChainClient
from ledger.identity import CarrierCode
from ledger.store.engine import open_store, reading, writing
from ledger.store.outbox import attempts_of, list_submissions
from ledger.store.states import SubmissionState
from ledger.typed_data import address_of_key
from tests.contracts import month
from tests.contracts.books import CN, GB, SEPTEMBER, Books, Carrier, deploy_books
from tests.contracts.conftest import with_agreements
from tests.gateway.sending import GAS, WITH_GB, fund
from tests.ledger.followed import network_of

KEY = keccak(b"sending key that is killed")
KILLS = 12
DECLARATIONS, MINTS = 8, 12
CN_T = CarrierCode("CN-T")
STORY_SECONDS = 120


@pytest.fixture(scope="module", params=list(Engine), ids=str)
def books(request: pytest.FixtureRequest) -> Iterator[Books]:
    with LocalChain(request.param, start_at=SEPTEMBER) as running:
        deployed = deploy_books(running)
        with_agreements(deployed)
        fund(deployed, KEY)
        yield deployed


@pytest.mark.chain
def test_killed_again_and_again_it_loses_and_doubles_nothing(books: Books, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'gsc.db'}"
    store = open_store(url)
    with writing(store) as connection:
        for number in range(DECLARATIONS):
            creditor, code = (CN, CN_T) if number % 2 else (GB, CarrierCode("GB-B"))
            enqueue_declaration(
                connection, WITH_GB, CN_T, code, lambda seq, to=creditor: declaration(books, to, seq), 0
            )  # type: ignore[misc]
        for number in range(MINTS):
            enqueue(connection, mint(books, 1_000 + number), 0)
    story = subprocess.run(
        [sys.executable, "-m", "tests.gateway.killing", books.chain.url, url, KEY.hex(), "1", str(KILLS)],
        capture_output=True,
        text=True,
        timeout=STORY_SECONDS,
        check=False,
    )
    assert story.returncode == 0, story.stderr
    assert int(story.stdout) >= KILLS, "it was not killed often enough to show anything"
    with reading(store) as connection:
        rows = list_submissions(connection)
        sent = [attempt for row in rows for attempt in attempts_of(connection, row.id)]
    store.dispose()
    assert Counter(row.state for row in rows) == {SubmissionState.FINAL: DECLARATIONS + MINTS}
    with ChainClient(books.chain.url, network_of(books)) as client:
        declared = [each.event for each in client.events(0, client.block_number())]
        batches = Counter(event.batch_id for event in declared if isinstance(event, UsageDeclared))
        logs = client.logs(0, client.block_number(), [books.addresses["USD"]])
        transfers = [log.event() for log in logs]
        minted = Counter(event.value for event in transfers if isinstance(event, Transfer))
        used = client.nonce(address_of_key(KEY))
    assert batches == Counter(row.subject for row in rows if row.kind == "declare")
    assert minted == Counter(range(1_000, 1_000 + MINTS)), "a token mints as often as it is asked: doubled ones show"
    assert used == len(sent) + 1, "one nonce for each raw transaction, and the opening one"


def declaration(books: Books, creditor: Carrier, seq: int) -> Submission:
    declared = month.declaration(CN, creditor, seq=seq, amount_micros=seq)
    return Submission(
        kind="declare",
        subject=books.digest(declared, "UsageLedger"),
        target=books.addresses["UsageLedger"],
        calldata=month.declare(books, declared),
        gas=GAS,
        agreement_id=WITH_GB,
    )


def mint(books: Books, amount: int) -> Submission:
    """A call that its contract would execute twice without a word."""
    calldata = calldata_settlement_token_mint(books.accounts[7], amount)
    return Submission("mint", keccak(calldata), books.addresses["USD"], calldata, GAS)
