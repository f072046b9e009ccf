"""Both have closed: what did the other side seal, where do the two differ, and who bypasses whom?"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from gateway.client import Client, GatewayRefused, Json
from ledger import archive
from ledger.chain.bindings import UsageRecord, calldata_usage_ledger_includes, result_usage_ledger_includes
from ledger.chain.client import ChainClient
from ledger.identity import BatchId, CarrierCode, Root
from ledger.sealing import OpenedLeaf, open_leaf
from reconciliation.finding import Severity
from scripts.demo.expecting import Way
from scripts.demo.stage import Stage, micros, other
from scripts.demo.telling import usd
from scripts.traffic import Plant, Planted

RAISED_MICROS = 1_000_000
"""By how much the planted forger alters one sealed record."""


def reveal_records(stage: Stage) -> None:
    """Each desk fetches the others' sealed records; one file was altered after sealing, and its proof says so."""
    telling = stage.telling
    with telling.step("reveal", "the sealed records change hands, each file checked against the chain") as step:
        low, high = stage.pairs[0]
        _alter_one_record(stage, low, high)
        stage.at_every_desk(lambda code, desk: _reveal(stage, code, desk))
        again = stage.at_every_desk(lambda code, desk: _reveal(stage, code, desk))
        batches = [batch for answers in again.values() for answer in answers for batch in answer["batches"]]
        telling.expect("revealed batches", sum(map(len, stage.truth.weekly.values())), len(batches))
        telling.expect("refused batches", 0, sum(batch["refusal"] is not None for batch in batches))
        telling.say(f"with the file as it was sealed, all {len(batches)} batches prove against their roots on chain")
        step.facts |= {"revealed": len(batches)}


def _reveal(stage: Stage, code: CarrierCode, desk: Client) -> list[Json]:
    return [desk.reveal(partner, stage.month) for partner in _partners(stage, code)]


def _alter_one_record(stage: Stage, asker: CarrierCode, forger: CarrierCode) -> None:
    """Raise one sealed record in the forger's archive: the file is refused, the record proves no more."""
    declared = stage.desks[forger].declarations(asker, stage.month)
    row = next(each for each in declared if each["declarer"] == each["creditor"] == forger)
    root = Root(bytes.fromhex(row["root"][2:]))
    path = stage.home(forger).home / "archive" / archive.archive_name(root)
    sealed = path.read_bytes()
    batch = archive.read(path)
    index = batch.count // 2
    genuine = open_leaf(batch, index)
    _write_altered(path, index)
    refused: GatewayRefused | None = None
    try:
        stage.desks[asker].reveal(forger, stage.month)
    except GatewayRefused as error:
        refused = error
    finally:
        path.write_bytes(sealed)
    stage.telling.expect("the altered file", "root-mismatch", refused.problem_slug if refused else "taken")
    leaf = genuine.leaf
    altered = OpenedLeaf(replace(leaf, amount_micros=leaf.amount_micros + RAISED_MICROS), genuine.proof)
    batch_id = BatchId(bytes.fromhex(row["id"][2:]))
    proven = [_includes(stage, batch_id, opened) for opened in (genuine, altered)]
    stage.telling.expect("the contract's word on the sealed and on the altered record", [True, False], proven)
    stage.telling.problem(
        "forgery: altered",
        f"{forger} raises record {index:,} of {batch.count:,} from USD {usd(leaf.amount_micros)} to "
        f"{usd(altered.leaf.amount_micros)} after sealing: the file is refused "
        f"({refused.problem_slug if refused else 'not refused'}), and the contract denies the record its proof",
    )


def _write_altered(path: Path, index: int) -> None:
    table = pq.read_table(path)
    place = table.column_names.index("amount_micros")
    amounts = table["amount_micros"].to_pylist()
    amounts[index] += RAISED_MICROS
    field = table.schema.field(place)
    pq.write_table(table.set_column(place, field, pa.array(amounts, field.type)), path)


def _includes(stage: Stage, batch_id: BatchId, opened: OpenedLeaf) -> bool:
    """The usage ledger's own answer whether a record is in a declared batch."""
    leaf = opened.leaf
    record = UsageRecord(
        leaf.index, leaf.salt, leaf.a_party, leaf.b_party, leaf.start_ms, leaf.quantity, leaf.route, leaf.amount_micros
    )
    network = stage.house.network
    with ChainClient(stage.house.chain.url, network) as client:
        call = calldata_usage_ledger_includes(batch_id, record, opened.proof)
        return client.view(network.address("UsageLedger"), call, result_usage_ledger_includes)


def _partners(stage: Stage, code: CarrierCode) -> Iterator[CarrierCode]:
    return (other(pair, code) for pair in stage.pairs if code in pair)


def reconcile_books(stage: Stage) -> None:
    """Every desk matches record to record and explains each difference; the truth judges every finding."""
    telling = stage.telling
    with telling.step("reconcile", "each desk matches record to record; every difference gets a cause") as step:
        answers = stage.at_every_desk(lambda code, desk: _reconcile(stage, code, desk))
        counted = 0
        for code, by_partner in answers.items():
            for answer in by_partner.values():
                for direction in answer["directions"]:
                    counted += _judge(stage, code, answer["partner"], direction)
        for way in stage.ways:
            direction = _direction(answers[way.debtor][way.creditor], way)
            _tell_direction(stage, way, direction)
        invented = next(_plants(stage, Planted.INVENTED))
        telling.problem(
            "forgery: invented",
            f"{invented.count} calls only {invented.creditor} holds bear marks of forgery (one called range, "
            f"overlapping callers): USD {usd(invented.creditor_micros)} of its claim against {invented.debtor}",
        )
        apart = sum(abs(_whole(stage, way)) for way in stage.ways)
        telling.problem(
            "reconciliation",
            f"the six directions lie USD {usd(apart)} apart; {counted} findings explain it to the last micro; the "
            "planted truth confirms them: every fault found and named, no false alarm",
        )
        step.facts |= {"findings": counted}


def _whole(stage: Stage, way: Way) -> int:
    totals = stage.truth.total(way, way.creditor), stage.truth.total(way, way.debtor)
    return totals[0].amount_micros - totals[1].amount_micros


def _reconcile(stage: Stage, code: CarrierCode, desk: Client) -> dict[CarrierCode, Json]:
    return {partner: desk.reconcile(partner, stage.month) for partner in _partners(stage, code)}


def _direction(answer: Json, way: Way) -> Json:
    found: Json = next(each for each in answer["directions"] if each["creditor"] == way.creditor)
    return found


def _judge(stage: Stage, code: CarrierCode, partner: str, direction: Json) -> int:
    """Compare one direction's findings with what was planted there; how many there are."""
    creditor = CarrierCode(direction["creditor"])
    way = Way(CarrierCode(partner) if creditor == code else code, creditor)
    truth = stage.truth.directions[way]
    sign = 1 if code == creditor else -1
    whole = sign * _whole(stage, way)
    findings = direction["findings"]
    name = f"{code}'s findings of {way}"
    stage.telling.expect(f"{name}: all explained", whole, sum(micros(each["difference"]) for each in findings))
    planted = {cause.value for plant in truth.plants for cause in plant.causes(code)}
    stage.telling.expect(f"{name}: causes", set(), {each["cause"] for each in findings} - planted)
    for plant in truth.plants:
        mine = [each for each in findings if each["cause"] in {cause.value for cause in plant.causes(code)}]
        least = min(plant.count, 1) if plant.planted in (Planted.CLOCK_OFFSET, Planted.TIME_ZONE) else plant.count
        stage.telling.expect_true(f"{name}: {plant.planted} found", sum(each["count"] for each in mine) >= least)
    forged = sum(each["count"] for each in findings if each["severity"] == Severity.FORGERY)
    invented = sum(plant.count for plant in truth.plants if plant.planted is Planted.INVENTED)
    stage.telling.expect(f"{name}: marked as forgery", invented, forged)
    return len(findings)


def _tell_direction(stage: Stage, way: Way, direction: Json) -> None:
    stage.telling.say(
        f"[bold]{way.debtor} owes {way.creditor}[/bold]: {direction['pairs']:,} pairs, {direction['exact']:,} exact; "
        f"{way.debtor} counts USD {usd(-micros(direction['difference']))} less"
    )
    shown = [each for each in direction["findings"] if each["severity"] != Severity.NOTICE or each["route"]]
    for each in sorted(shown, key=lambda each: micros(each["difference"])):
        stage.telling.say(f"  {each['severity']:8} {each['explanation']}")


def _plants(stage: Stage, kind: Planted) -> Iterator[Plant]:
    return (p for truth in stage.truth.directions.values() for p in truth.plants if p.planted is kind)


def find_bypass(stage: Stage) -> None:
    """Each desk searches what it knows; US-A finds calls of CN-T coming in through GB-B, the others find nothing."""
    telling = stage.telling
    cn, gb, us = (CarrierCode(code) for code in ("CN-T", "GB-B", "US-A"))
    with telling.step("arbitrage", "each desk searches its decks and records for detours that pay") as step:
        answers = stage.at_every_desk(lambda _, desk: desk.arbitrage(stage.month))
        found = {code: answer["findings"] for code, answer in answers.items()}
        planted = [("refile", [cn, gb, us], us, "United States Alaska")]
        seen = [(each["scheme"], each["cycle"], each["loser"], each["destination"]) for each in found[us]]
        telling.expect("triangles", planted, seen)
        telling.expect("what the others find", {cn: [], gb: []}, {code: found[code] for code in (cn, gb)})
        triangle = found[us][0]
        telling.expect("tromboned calls", stage.truth.tromboned_calls, triangle["count"])
        telling.expect("decks of others that US-A knows", False, f"{gb} to {cn}" in answers[us]["decks"])
        lost, at_risk = micros(triangle["lost"]), micros(triangle["atRisk"])
        telling.problem(
            "arbitrage",
            f"{triangle['explanation']}: {triangle['count']} calls, USD {usd(lost)} lost to {us}, "
            f"USD {usd(at_risk)} more could move",
        )
        step.facts |= {"tromboned": triangle["count"], "lost_micros": str(lost)}
