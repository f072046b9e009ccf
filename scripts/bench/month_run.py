"""How long does a month take at a carrier's desk, and how much memory: `gsc import`, `gsc rate`, `gsc seal`?

Each is a program of its own, over a chain on which the agreement stands and the deck is published. The operating
system says what each used.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from deploy.deployment import DeploymentPlan, deploy_network
from deploy.local_chain import LocalChain
from gateway import month
from gateway.composition import Gateway, open_gateway, partnership_with
from gateway.keystore import PASSWORD_VARIABLE, KeyUse, create_key
from gateway.month.parts import stream_of
from gateway.month.sending import Call, submit
from gateway.outbox import settle
from gateway.serving import submitter_of
from gateway.settings import ClockKind, Settings, Switch, TrunkDirection, TrunkSetting, init_home, load_settings
from ledger.agreement import Agreement
from ledger.agreement_file import dump_agreement
from ledger.chain.bindings import calldata_agreement_book_sign
from ledger.chain.client import ChainClient
from ledger.identity import CarrierCode
from ledger.keccak import keccak256
from ledger.prices.deck import RateDeck
from ledger.prices.deck_file import dump_deck
from ledger.service import Service
from ledger.store.engine import reading, writing
from ledger.store.outbox import list_submissions
from ledger.store.states import SubmissionState
from ledger.typed_data import address_of_key, sign_digest
from scripts.bench.made_month import OCTOBER_S, OCTOBER_SECONDS, TRUNK, write_calls

CN_T, GB_B = CarrierCode("CN-T"), CarrierCode("GB-B")
PARTNER_KEY = keccak256(b"the other carrier of the benchmark")
SEPTEMBER, NOVEMBER = OCTOBER_S - 30 * 86_400, OCTOBER_S + OCTOBER_SECONDS
PASSWORD = "of the benchmark"
DECK = "deck.csv"
STEPS = 200
MOST_BYTES = 2 << 30
"""A month of any length fits in this."""


@dataclass(frozen=True, slots=True)
class Used:
    """What one command took."""

    verb: str
    seconds: float
    core_seconds: float
    most_bytes: int
    """Resident at once."""
    answer: Any


def run_month(folder: Path, deck: RateDeck, count: int) -> list[Used]:
    """Import, rate and seal a file of that many calls. Asserts that every one is sealed."""
    with LocalChain(state_dir=folder / "chain", start_at=SEPTEMBER) as chain:
        home = folder / "home"
        prepare(folder, home, chain, deck)
        chain.advance_to(NOVEMBER)
        path = write_calls(folder / "month.csv", deck, count)
        steps = [["import", str(path), "--preset", "csv"], ["rate"], ["seal"]]
        used = [_run(home, step) for step in steps]
    batches = used[-1].answer["batches"]
    assert sum(batch["count"] for batch in batches) == count, "every call is sealed"
    _show(used, count, path.stat().st_size, len(batches))
    return used


def _run(home: Path, command: Sequence[str]) -> Used:
    output = home.parent / f"{command[0]}.json"
    begin = time.perf_counter()
    with output.open("wb") as stream:
        child = subprocess.Popen(
            [sys.executable, "-m", "gateway", *command, "--home", str(home), "--json"],
            stdout=stream,
            env={**os.environ, PASSWORD_VARIABLE: PASSWORD},
        )
        _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0, f"gsc {command[0]} ended with {child.returncode}"
    resident = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    core_seconds = usage.ru_utime + usage.ru_stime
    return Used(command[0], time.perf_counter() - begin, core_seconds, resident, json.loads(output.read_bytes()))


def _show(used: Sequence[Used], count: int, raw_bytes: int, batches: int) -> None:
    print(f"month: {count:,} calls, {raw_bytes / 1e6:,.0f} MB, read, rated and sealed into {batches} batches")
    print(f"  {'':<12}{'a second':>14}{'a core-second':>16}{'memory at most':>20}{'of 2 GiB':>12}")
    together = Used(
        verb="together",
        seconds=sum(each.seconds for each in used),
        core_seconds=sum(each.core_seconds for each in used),
        most_bytes=max(each.most_bytes for each in used),
        answer=None,
    )
    for each in (*used, together):
        paces = f"{count / each.seconds:>14,.0f}{count / each.core_seconds:>16,.0f}"
        print(f"  {each.verb:<12}{paces}{each.most_bytes / 2**20:>16,.0f} MiB{each.most_bytes / MOST_BYTES:>12.0%}")


def prepare(folder: Path, home: Path, chain: LocalChain, deck: RateDeck) -> None:
    """CN-T's home: keys, the agreement both have signed, and its deck published."""
    init_home(
        Settings(
            home=home,
            carrier=CN_T,
            chain_url=chain.url,
            clock=ClockKind.CHAIN,
            switch=Switch(country="CN"),
            trunks={TRUNK: TrunkSetting(GB_B, TrunkDirection.IN)},
        )
    )
    signing = create_key(home / "keys", KeyUse.SIGNING, PASSWORD, demo=True)
    create_key(home / "keys", KeyUse.SENDING, PASSWORD, demo=True, key=chain.funded_keys[1])
    agreement = Agreement(CN_T, GB_B, "USD", frozenset({Service.VOICE}), ZoneInfo("UTC"), SEPTEMBER * 1000)
    (home / "agreements" / "cn-t_gb-b.toml").write_text(dump_agreement(agreement))
    (home / "decks" / DECK).write_text(dump_deck(deck))
    plan = DeploymentPlan(
        members=[address_of_key(key) for key in chain.funded_keys[5:7]],
        threshold=2,
        delay_seconds=86_400,
        carriers={CN_T: signing, GB_B: address_of_key(PARTNER_KEY)},
    )
    with ChainClient(chain.url) as client:
        deploy_network(client, chain.funded_keys[0], plan, home / "network.toml")
    gateway = open_gateway(load_settings(home), PASSWORD)
    try:
        _agree(gateway)
        month.publish_rates(gateway, GB_B, DECK, SEPTEMBER)
        _settle(gateway)
    finally:
        gateway.close()


def _agree(gateway: Gateway) -> None:
    held = partnership_with(gateway.settings, GB_B)
    ours, over = gateway.signer.sign(held.terms).signature, gateway.signer.digest(held.terms)
    calldata = calldata_agreement_book_sign(held.terms, ours, sign_digest(PARTNER_KEY, over))
    call = Call("agreement", held.id, "AgreementBook", calldata, stream_of("agreement", held.id))
    with writing(gateway.engine) as connection:
        submit(gateway, connection, call)
    _settle(gateway)


def _settle(gateway: Gateway) -> None:
    """Wait until what was submitted stands on chain."""
    submitter = submitter_of(gateway)
    with reading(gateway.engine) as connection:
        submissions = [row.id for row in list_submissions(connection)]
    rows = settle(submitter, gateway.engine, submissions, STEPS, lambda: None)
    submitter.stop()
    gateway.catch_up()
    assert {row.state for row in rows} == {SubmissionState.FINAL}, [(row.kind, row.reason) for row in rows]
