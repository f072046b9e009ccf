"""How long does the desk think over the statement page of a long month? Its store as such a month leaves it.

Both sides' weekly batches of both directions are declared, closed and reconciled; each direction has findings as many
as given (prices to single destinations, calls only one side has, durations by route), a few of them disputed. They are
written into the store as the follower and the engine write them; the page is asked for through the whole app, which
asks a chain that answers for its latest block.
"""

import asyncio
import time
from collections.abc import Iterator

import httpx
from fastapi import FastAPI
from sqlalchemy import Connection, func, insert, select

from gateway.api.app import build_app
from gateway.composition import Gateway, Partnership, partnership_with
from gateway.serving import keep_loaded
from ledger.chain.bindings import Declaration, DisputeOpened, PeriodClosed, UsageDeclared
from ledger.chain.bound import Event
from ledger.identity import BatchId, CarrierCode, Root, ascii32
from ledger.keccak import keccak256
from ledger.money import Micros
from ledger.period import parse_period
from ledger.service import Service
from ledger.store.batches import RevealedBatch, SealedBatch, declare_batch, record_batch, record_revealed
from ledger.store.engine import writing
from ledger.store.event_tables import EVENT_TABLES, event_values
from ledger.store.findings import FindingRow, ReconciliationRow, record_reconciliation
from ledger.store.tables import chain_blocks, chain_logs
from ledger.usage import BatchScope
from reconciliation.finding import Cause, Severity
from scripts.bench.made_month import OCTOBER_S, OCTOBER_SECONDS
from scripts.bench.month_run import CN_T, GB_B

OCTOBER = parse_period("2026-10")
PAGE = f"/desk/statements/{GB_B}/{OCTOBER}"
WEEKS = 5
MEAN_MICROS = 100_000
WARM = 10


def time_statement(gateway: Gateway, records: int, findings: int, pages: int) -> tuple[list[float], list[float]]:
    """Milliseconds of the clock and of the core for each page, each in order."""
    held = partnership_with(gateway.settings, GB_B)
    with writing(gateway.engine) as connection:
        for creditor in (CN_T, GB_B):
            _declare(connection, held, creditor, records // 2)
            _reconcile(connection, held, creditor, records // 2, findings)
        _say(connection, *_endings(held))
    app = build_app(gateway)
    keep_loaded()
    return asyncio.run(_asked(app, app.state.token, pages))


def _declare(connection: Connection, held: Partnership, creditor: CarrierCode, records: int) -> None:
    """Ours sealed and declared, theirs declared and revealed, week by week; both closed."""
    begin, end = OCTOBER_S * 1000, (OCTOBER_S + OCTOBER_SECONDS) * 1000
    for declarer in held.carriers:
        scope = BatchScope(held.id, declarer, creditor, Service.VOICE, OCTOBER)
        for seq in range(1, WEEKS + 1):
            root = Root(keccak256(f"{declarer} {creditor} {seq}".encode()))
            batch_id = BatchId(keccak256(root))
            amount = Micros(records // WEEKS * MEAN_MICROS)
            deadline = end // 1000 + 86_400
            declaration = Declaration(
                agreement_id=held.id,
                declarer=ascii32(declarer),
                creditor=ascii32(creditor),
                seq=seq,
                service=Service.VOICE,
                period=OCTOBER.key,
                root=root,
                count=records // WEEKS,
                from_ms=begin,
                to_ms=end,
                quantity=records // WEEKS * 60_000,
                amount_micros=amount,
                deck_hash=bytes(32),
                corrects=bytes(32),
                igw=bytes(32),
                deadline=deadline,
            )
            if declarer == CN_T:
                kept = (declaration.count, begin, end, declaration.quantity, amount, bytes(32), f"archive/{seq}", end)
                record_batch(connection, SealedBatch(scope, root, *kept))
                declare_batch(connection, root, batch_id=batch_id, seq=seq, deadline=deadline, signature=bytes(65))
            else:
                record_revealed(connection, RevealedBatch(batch_id, root, scope, f"revealed/{seq}", end, None))
            _say(connection, UsageDeclared(batch_id, held.id, ascii32(declarer), declaration, end // 1000))


def _reconcile(connection: Connection, held: Partnership, creditor: CarrierCode, records: int, findings: int) -> None:
    """One direction's run: nine findings in ten are prices to one destination each, the rest calls and durations."""
    scope = BatchScope(held.id, CN_T, creditor, Service.VOICE, OCTOBER)
    found = [_finding(scope, number) for number in range(findings)]
    claimed = Micros(records // WEEKS * WEEKS * MEAN_MICROS)
    run = ReconciliationRow(scope, claimed, claimed, records * 99 // 100, records, records, None, OCTOBER_S * 1000)
    record_reconciliation(connection, run, found)


def _finding(scope: BatchScope, number: int) -> FindingRow:
    destination, day = f"Destination {number}", f"2026-10-{1 + number % 28:02}"
    ours, theirs = Micros(4_000_000_000 + number), Micros(3_900_000_000 - number)
    debtor = GB_B if scope.creditor == CN_T else CN_T
    both = f"USD {ours / 10**6:.2f} ours, {theirs / 10**6:.2f} {GB_B}'s"
    if number % 10:
        cause, rule = Cause.RATE, "same code, another price on the same quantity"
        said = f"1,417 calls differ in price, {both}: {destination}, 2026-10-01 to 2026-10-31: {scope.creditor} charges"
        said += f" USD 0.0300 a minute, {debtor} reckons 0.0200"
    else:
        cause, rule = Cause.DURATION, "durations differ by more than the tolerance"
        said = f"1,417 calls differ in duration, {both}"
    return FindingRow(
        cause=cause.value,
        severity=Severity.DISPUTE.value,
        creditor=scope.creditor,
        service=scope.service,
        period=scope.period,
        count=1_417,
        ours_micros=ours,
        theirs_micros=theirs,
        route=None if number % 10 else f"route-{number}",
        destination=destination if number % 10 else None,
        day=day,
        explanation=said,
        rule=rule,
    )


def _endings(held: Partnership) -> Iterator[Event]:
    """Both closed the month; the debtor disputes some of it."""
    closed_at = OCTOBER_S + OCTOBER_SECONDS + 3_600
    for carrier in held.carriers:
        yield PeriodClosed(held.id, ascii32(carrier), OCTOBER.key, WEEKS, WEEKS, closed_at)
    for cause in (Cause.RATE, Cause.DURATION):
        dispute_id, reason = keccak256(cause.value.encode()), ascii32(cause.value)
        amount = 100_000_000
        yield DisputeOpened(
            dispute_id, held.id, OCTOBER.key, ascii32(GB_B), Service.VOICE, reason, amount, bytes(32), closed_at + 60
        )


def _say(connection: Connection, *events: Event) -> None:
    """What the follower reads of the chain, each event in a block of its own."""
    last = connection.execute(select(func.max(chain_blocks.c.number))).scalar_one() or 0
    for number, event in enumerate(events, last + 1):
        block = {"number": number, "hash": number.to_bytes(32, "big"), "timestamp": OCTOBER_S + OCTOBER_SECONDS}
        connection.execute(insert(chain_blocks), block)
        key = {"block_number": number, "log_index": 0}
        log = {"tx_hash": keccak256(number.to_bytes(32, "big")), "address": "0x" + "22" * 20, "data": b""}
        kept = {"event": type(event).__name__, "topics": type(event).TOPIC0}
        connection.execute(insert(chain_logs), key | log | kept)
        connection.execute(insert(EVENT_TABLES[type(event)]), event_values(event) | key)


async def _asked(app: FastAPI, token: str, pages: int) -> tuple[list[float], list[float]]:
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 5))
    headers = {"Authorization": f"Bearer {token}"}
    times, cores = [], []
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as client:
        for number in range(-WARM, pages):
            begin, core = time.perf_counter(), time.process_time()
            answer = await client.get(PAGE, params={"lang": ("en", "zh")[number % 2]})
            spent, used = time.perf_counter() - begin, time.process_time() - core
            assert answer.status_code == 200 and answer.text.count(GB_B), answer.text[:300]
            if number >= 0:
                times.append(spent * 1000)
                cores.append(used * 1000)
    return sorted(times), sorted(cores)
