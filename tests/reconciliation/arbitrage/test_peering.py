import pyarrow as pa

from ledger.detector_terms import DetectorTerms
from ledger.money import Micros
from ledger.service import Service
from reconciliation.arbitrage.peering import FLOW_SCHEMA, find_call_resale, find_transit_resale
from reconciliation.suspicion import Suspicion
from tests.reconciliation.arbitrage.selling import sold
from tests.reconciliation.records import CN, GB, Call, many

TERMS = DetectorTerms()
OWN = ("86",)
PEOPLE = many(1_000, route="PEER")


def others(count: int, **same: object) -> list[Call]:
    return [Call(at=50 * k, a=f"4915{k:08d}", b=f"44799{k:07d}", route="PEER").but(**same) for k in range(count)]


def asked(calls: list[Call], routes: tuple[str, ...] = ("PEER",)) -> tuple[Suspicion, ...]:
    return find_call_resale(sold(calls), routes, OWN, TERMS)


def test_the_partners_own_callers_and_some_travellers_are_none() -> None:
    assert asked([*PEOPLE, *others(99)]) == ()


def test_others_callers_on_an_ordinary_route_are_transit() -> None:
    assert asked([*PEOPLE, *others(500, route="T9")]) == ()
    assert asked([*PEOPLE, *others(500)], routes=()) == ()


def test_withheld_numbers_tell_nothing() -> None:
    assert asked([*PEOPLE, *others(500, a="")]) == ()


def test_others_callers_over_a_peering_are_told_with_their_calls() -> None:
    (found,) = asked([*PEOPLE, *others(150)])
    assert (found.subject, found.count) == ("PEER", 150)
    assert found.rows.tolist() == list(range(1_000, 1_150))
    assert found.explanation == (
        "150 of 1,150 calls on PEER, a peering with CN-T, come from callers that are not CN-T's"
    )


def flows(*rows: tuple[str, int, int]) -> pa.Table:
    columns = list(zip(*[(port, 0, source, octets) for port, source, octets in rows], strict=True))
    return pa.Table.from_arrays(
        [pa.array(c, f.type) for c, f in zip(columns, FLOW_SCHEMA, strict=True)], schema=FLOW_SCHEMA
    )


CONE = frozenset({64_500, 64_501})


def octets(*rows: tuple[str, int, int]) -> tuple[Suspicion, ...]:
    return find_transit_resale(flows(*rows), CONE, (GB, CN), Micros(2_000), TERMS)


def test_octets_of_announced_networks_and_a_little_noise_are_none() -> None:
    assert octets(("P1", 64_500, 900), ("P1", 64_501, 50), ("P1", 65_000, 50)) == ()


def test_scans_on_a_spare_port_are_no_traffic() -> None:
    assert octets(("P3", 65_000, 10**9 - 1)) == ()
    assert len(octets(("P3", 65_000, 10**9))) == 1


def test_octets_of_networks_that_nobody_announced_are_told_at_the_price_of_transit() -> None:
    (found,) = octets(("P1", 64_500, 6 * 10**11), ("P1", 65_000, 4 * 10**11), ("P2", 64_500, 1), ("P1", 65_001, 1))
    assert (found.subject, found.service, found.rows.tolist()) == ("P1", Service.DATA, [1, 3])
    assert (found.creditor, found.debtor, found.money_at_risk_micros) == (GB, CN, 400 * 2_000)
    assert found.explanation.startswith("40 % of the octets on P1 come from 2 networks that CN-T does not announce")
