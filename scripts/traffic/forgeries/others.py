"""Which messages, samples, private lines and declarations are forged, and what is honest beside them?"""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from ledger.identity import CarrierCode
from ledger.money import Micros
from ledger.period import Period
from ledger.service import Service
from reconciliation.forgery.circuits import ghost_circuits
from reconciliation.forgery.counters import over_line_rate, wrapped_samples
from reconciliation.forgery.declarations import Declared, find_in_declarations
from reconciliation.forgery.receipts import fake_receipts
from reconciliation.forgery.suspects import Evidence
from scripts.traffic.carriers import CN_T, GB_B
from scripts.traffic.counting import Counted, count_rows, rated_table
from scripts.traffic.forgeries.calls import UNALLOCATED, UTC
from scripts.traffic.frauds.legs import at_ms, numbers
from scripts.traffic.prices import Ints

DEBTOR, CREDITOR = CN_T.code, GB_B.code
DAY_MS, SAMPLE_MS = 86_400_000, 300_000
TEST_NUMBERS = ("447700900998", "447700900999")
CEASED = ("LON-BJS-90", "LON-BJS-91", "LON-BJS-92")
LATE_DAYS = 3
PORTS = ("lon-1", "lon-2")
MBPS = 1_000
"""Of each port: RFC 2863 asks for 64-bit counters here, and not every poller has them."""


def count_others(seed: int, month: Period) -> tuple[Counted, ...]:
    """Draw each month and search it."""
    rng = np.random.default_rng([seed, 13])
    return (_messages(rng, month), *_samples(rng, month), _circuits(rng, month), *_declarations(rng, month))


def _messages(rng: np.random.Generator, month: Period) -> Counted:
    """100,000 messages; 60 of them delivered to nobody, some of these to a test number whose SIM card is off."""
    honest, fake = numbers(rng, 44_77, 8, 100_000), numbers(rng, 44_700, 7, 50)
    tests = rng.choice(np.array(TEST_NUMBERS, np.int64), 10)
    b = np.concatenate([honest, fake, tests])
    ones = np.ones(len(b), np.int64)
    table = rated_table(
        a_party=pa.repeat("BANK", len(b)),
        b_party=pa.array(b).cast(pa.string()),
        start_ms=at_ms(rng, month, len(b), 0, 31, (0, 24)),
        quantity=ones,
        route=pa.repeat("23415", len(b)),
        amount_micros=ones * 25_000,
    )
    evidence = Evidence(unallocated=UNALLOCATED, test_numbers=TEST_NUMBERS)
    found = list(fake_receipts(table, evidence, CREDITOR, DEBTOR))
    return count_rows("fake_receipt", len(b), np.arange(len(honest), len(b)), found)


def _samples(rng: np.random.Generator, month: Period) -> tuple[Counted, Counted]:
    """Two ports' month, bursts up to the line rate and polls that fail among it; wraps and resets in the creditor's."""
    start, end = month.bounds_ms(UTC)
    moments = np.tile(np.arange(start, end, SAMPLE_MS), len(PORTS))
    ports = np.repeat(np.arange(len(PORTS)), len(moments) // len(PORTS))
    most = MBPS * 1_000_000 // 8 * SAMPLE_MS // 1_000
    octets = (most * np.clip(rng.lognormal(-2.0, 0.8, len(moments)), 0, 1)).astype(np.int64)
    polled = (octets * (1 + rng.normal(0, 0.002, len(octets)))).astype(np.int64).clip(0, most)
    failed = rng.random(len(moments)) < 0.002
    polled[failed] = 0
    rows = rng.permutation(np.flatnonzero(~failed & (octets < most // 2)))
    wraps, resets = rows[octets[rows] < 6 * 10**9][:12], rows[octets[rows] >= 6 * 10**9][:8]
    claimed = octets.copy()
    claimed[wraps] = polled[wraps] + 2**32
    claimed[resets] = most + rng.integers(1, 2**40, len(resets))
    theirs, ours = _port_table(moments, ports, claimed), _port_table(moments, ports, polled)
    rates = dict.fromkeys(PORTS, MBPS)
    over = list(over_line_rate(theirs, rates, SAMPLE_MS // 1_000, CREDITOR, DEBTOR))
    wrapped = list(wrapped_samples(theirs, ours, CREDITOR, DEBTOR))
    return (
        count_rows("counter_reset: over line rate", len(moments), np.sort(resets), over),
        count_rows("counter_reset: wrap", len(moments), np.sort(wraps), wrapped),
    )


def _port_table(moments: Ints, ports: Ints, octets: Ints) -> pa.Table:
    names = pa.array(PORTS).take(pa.array(ports))
    return rated_table(
        a_party=pa.repeat(CREDITOR, len(moments)),
        b_party=pa.repeat(DEBTOR, len(moments)),
        start_ms=moments,
        quantity=octets,
        route=names,
        amount_micros=0 * octets,
    )


def _circuits(rng: np.random.Generator, month: Period) -> Counted:
    """Eighty lines, some in two parts and some installed; three that were cancelled, five charged twice."""
    start = month.bounds_ms(UTC)[0]
    names = [f"LON-BJS-{number}" for number in range(80)]
    spans = [(name, 0, 31) for name in names[:60]]
    spans += [part for name in names[60:] for part in ((name, 0, 12), (name, 12, 19), (name, 0, 0))]
    twice = [(names[number], int(rng.integers(1, 20)), 5) for number in rng.choice(60, 5, replace=False)]
    rows = [*spans, *((name, 0, 31) for name in CEASED), *twice]
    days = np.array([each[2] for each in rows], np.int64)
    table = rated_table(
        a_party=pa.repeat("LON1", len(rows)),
        b_party=pa.repeat("BJS2", len(rows)),
        start_ms=start + np.array([each[1] for each in rows], np.int64) * DAY_MS,
        quantity=days,
        route=pa.array([each[0] for each in rows]),
        amount_micros=days * 100_000_000,
    )
    found = list(ghost_circuits(table, Evidence(ceased=CEASED), CREDITOR, DEBTOR))
    return count_rows("ghost_circuit", len(rows), np.arange(len(spans), len(rows)), found)


def _declarations(rng: np.random.Generator, month: Period) -> tuple[Counted, ...]:
    """A daily declaration of two sides and services, some files a day or two late; one forgery of each kind."""
    honest = _honest_streams(rng, month)
    counted = [_judged("declarations, honest", honest, {}, honest)]
    for kind, spoil in (
        ("sequence_gap", lambda each: []),
        ("changed_root: two roots", lambda each: [each, each._replace(root="ff" * 32)]),
        ("changed_root: refused file", lambda each: [each._replace(refusal="another root")]),
        ("back_dated: before its events", lambda each: [each._replace(declared_ms=each.to_ms - 3_600_000)]),
        ("back_dated: after the close", lambda each: [each._replace(closed_ms=each.declared_ms - 1)]),
        ("back_dated: after later events", lambda each: [_aged(each)]),
    ):
        place = int(rng.integers(20, len(honest) - 5))
        spoilt = [*honest[:place], *spoil(honest[place]), *honest[place + 1 :]]
        stream = (honest[place].declarer, honest[place].service)
        counted.append(_judged(kind, spoilt, {stream: 1}, honest))
    return tuple(counted)


def _aged(each: Declared) -> Declared:
    return each._replace(from_ms=each.from_ms - 8 * DAY_MS, to_ms=each.to_ms - 8 * DAY_MS)


def _honest_streams(rng: np.random.Generator, month: Period) -> list[Declared]:
    """Sequences of both declarers for what GB-B terminates; each has voice and messages by turns."""
    start = month.bounds_ms(UTC)[0]
    found = []
    for declarer in (CREDITOR, DEBTOR):
        for number in range(1, 61):
            day = (number + 1) // 2
            late = int(rng.choice([0, 0, 0, 1, 2])) if day > 2 else 0
            to_ms = start + (day - late) * DAY_MS - 1_000
            service = Service.VOICE if number % 2 else Service.SMS
            found.append(_one(declarer, service, month, number, to_ms, start + day * DAY_MS + 3_600_000))
    return found


def _one(declarer: CarrierCode, service: Service, month: Period, seq: int, to_ms: int, declared_ms: int) -> Declared:
    return Declared(
        declarer=declarer,
        creditor=CREDITOR,
        debtor=DEBTOR,
        service=service,
        period=month,
        seq=seq,
        root=f"{declarer}{seq}".encode().hex().ljust(64, "0"),
        records=1_000,
        from_ms=to_ms - DAY_MS,
        to_ms=to_ms,
        amount_micros=Micros(1_000_000),
        declared_ms=declared_ms,
        closed_ms=month.bounds_ms(UTC)[1] + DAY_MS,
    )


def _judged(
    kind: str, stream: Sequence[Declared], planted: Mapping[object, int], honest: Sequence[Declared]
) -> Counted:
    """One forgery at most is planted: the suspicion of its kind is the hit, every other a false alarm."""
    found = find_in_declarations(stream, LATE_DAYS)
    hits = [each for each in found if planted and kind.startswith(each.kind.value)]
    return Counted(kind, len(stream), len(planted), min(1, len(hits)), len(found) - len(hits))
