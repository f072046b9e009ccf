from ledger.service import Service
from reconciliation.arbitrage.crossings import Crossed, Registers, Valid, find_unlicensed
from reconciliation.suspicion import Suspicion
from tests.reconciliation.records import CN, GB, MONTH_END_MS, MONTH_START_MS, NOON_MS, Call, table

LONDON, BEIJING = "GLOBAL-LONDON", "GLOBAL-BEIJING"
ALWAYS = (Valid(0, None),)
OPEN = Registers({GB: ALWAYS}, {LONDON: ALWAYS, BEIJING: (Valid(0, NOON_MS),)})
DAY_S = 86_400


def samples(*at_s: int) -> list[Call]:
    return [Call(at=at, a="CN-T", b="GB-B", route="LON-POP1", amount=1_000) for at in at_s]


def asked(calls: list[Call], igws: list[str], registers: Registers = OPEN) -> tuple[Suspicion, ...]:
    return find_unlicensed(Crossed(Service.DATA, GB, CN, table(calls), igws), registers)


def test_traffic_through_a_listed_gateway_under_a_licence_is_none() -> None:
    assert asked(samples(0, 300), [LONDON, LONDON]) == ()


def test_records_that_name_no_gateway_are_told() -> None:
    (found,) = asked(samples(0, 300), ["", LONDON])
    assert (found.subject, found.rows.tolist(), found.money_at_risk_micros) == ("no gateway", [0], 1_000)
    assert found.explanation == "1 samples from GB-B to CN-T name no international gateway"


def test_a_gateway_that_was_delisted_does_not_cover_what_came_later() -> None:
    (found,) = asked(samples(-300, -299, 0), [BEIJING] * 3)
    assert (found.subject, found.rows.tolist()) == (BEIJING, [1, 2])
    (unknown,) = asked(samples(0), ["NOBODYS"])
    assert unknown.subject == "NOBODYS"


def test_a_seller_whose_licence_ended_is_told_from_that_moment_on() -> None:
    ended = Registers({GB: (Valid(0, NOON_MS),)}, OPEN.igws)
    (found,) = asked(samples(-3_600, 0, 300), [LONDON] * 3, ended)
    assert (found.subject, found.rows.tolist()) == (GB, [1, 2])
    nobody = Registers({}, OPEN.igws)
    assert asked(samples(0), [LONDON], nobody)[0].count == 1


def test_a_record_with_two_reasons_is_told_of_once() -> None:
    (found,) = asked(samples(0), [""], Registers({}, {}))
    assert found.subject == "no gateway"


def test_a_circuit_must_be_covered_on_each_of_its_days() -> None:
    month = table([Call(at=(MONTH_START_MS - NOON_MS) / 1000, lasts=0.031, route="LON-BJS-1", amount=5)])
    for end_ms, told in ((MONTH_END_MS, 0), (MONTH_END_MS - DAY_S * 1000, 1)):
        registers = Registers({GB: (Valid(0, end_ms),)}, OPEN.igws)
        found = find_unlicensed(Crossed(Service.IPL, GB, CN, month, [LONDON]), registers)
        assert len(found) == told


def test_a_circuit_runs_through_a_licence_that_was_renewed_without_a_gap() -> None:
    month = table([Call(at=(MONTH_START_MS - NOON_MS) / 1000, lasts=0.031, route="LON-BJS-1", amount=5)])
    asked_of = Crossed(Service.IPL, GB, CN, month, [LONDON])
    for again_ms, told in ((NOON_MS, 0), (NOON_MS - 1, 0), (NOON_MS + 1, 1)):
        renewed = (Valid(again_ms, None), Valid(0, NOON_MS))
        assert len(find_unlicensed(asked_of, Registers({GB: renewed}, OPEN.igws))) == told
    shorter = (Valid(0, None), Valid(0, NOON_MS))
    assert find_unlicensed(asked_of, Registers({GB: shorter}, OPEN.igws)) == ()
