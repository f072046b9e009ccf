"""1 November: what does each carrier count for itself, seal and put its name to?"""

from gateway.client import GatewayRefused, Json
from ledger.identity import CarrierCode
from ledger.money import show_micros
from scripts.demo.before import AMPLE_SHARE, MONTH_OVER, TIGHT_WAY, line_of
from scripts.demo.expecting import Way
from scripts.demo.stage import Stage, micros
from scripts.demo.telling import usd
from scripts.traffic.switches import MALFORMED


def import_files(stage: Stage) -> None:
    """Each gateway reads its switch's raw file."""
    telling = stage.telling
    with telling.step("import", "each gateway reads its own switch's raw file, in its own format and zone") as step:
        stage.move_clock(MONTH_OVER)
        answers = stage.at_every_desk(
            lambda code, desk: desk.import_usage(stage.files.switches[code].path, stage.home(code).plan.switch.value)
        )
        rows = []
        for code, answer in answers.items():
            file = stage.files.switches[code]
            answered = int((file.rows.duration_s > 0).sum())
            telling.expect(f"{code}: answered calls", answered, answer["accepted"])
            telling.expect(f"{code}: attempts", len(file.lines) - answered, answer["notBillable"])
            telling.expect(f"{code}: malformed rows", len(MALFORMED), answer["quarantined"])
            planted = sorted(line for line, _ in file.malformed)
            telling.expect(f"{code}: their lines", planted, sorted(row["line"] for row in answer["quarantine"]))
            plan = stage.home(code).plan
            rows.append(
                [
                    f"{code} {file.path.name}",
                    f"{plan.switch}, {plan.zone.key}",
                    f"{answer['accepted']:,}",
                    f"{answer['notBillable']:,}",
                    f"{answer['quarantined']}",
                ]
            )
        telling.table(["file", "switch", "calls", "not answered", "quarantined"], rows, numbers_from=2)
        telling.say(_quarantined(answers[TIGHT_WAY.debtor]))
        step.facts |= {"calls": {code: answer["accepted"] for code, answer in answers.items()}}


def _quarantined(answer: Json) -> str:
    row = min(answer["quarantine"], key=lambda each: each["line"])
    return f"a malformed row waits with its reason, the file goes on: line {row['line']:,}: {row['reason']}"


def rate_usage(stage: Stage) -> None:
    """Each gateway prices its own count under the published decks it has."""
    telling = stage.telling
    with telling.step("rate", "each side prices its own count under the decks whose hashes stand on chain") as step:
        answers = stage.at_every_desk(lambda _, desk: desk.rate(period=stage.month))
        shown: dict[tuple[Way, CarrierCode], Json] = {}
        for code, answer in answers.items():
            for scope in answer["scopes"]:
                partner, creditor = CarrierCode(scope["partner"]), CarrierCode(scope["creditor"])
                shown[Way(partner if creditor == code else code, creditor), code] = scope
        telling.expect("directions, from both sides", 2 * len(stage.ways), len(shown))
        refused = 0
        for (way, code), scope in shown.items():
            total = stage.truth.total(way, code)
            got = (scope["count"], int(scope["quantity"]), micros(scope["amount"]))
            telling.expect(f"{code}'s count of {way}", (total.count, total.quantity_ms, total.amount_micros), got)
            refused += scope["refused"]
        missed = [scope for scope in shown.values() if scope["missingDecks"]]
        telling.expect("directions with a deck that is not loaded", 1, len(missed))
        _tell_totals(stage)
        telling.say(f"{refused} calls to a destination no deck prices are refused, never rated at zero")
        telling.say(f"CN-T lacks a published deck ({missed[0]['missingDecks'][0][:14]}…) and goes on with its old one")
        step.facts |= {"refused": refused}


def _tell_totals(stage: Stage) -> None:
    rows = []
    for way in stage.ways:
        owed, counted = (stage.truth.total(way, side) for side in (way.creditor, way.debtor))
        gap = owed.amount_micros - counted.amount_micros
        rows.append(
            [
                f"{way.debtor} owes {way.creditor}",
                f"{owed.count:,}",
                usd(owed.amount_micros),
                f"{counted.count:,}",
                usd(counted.amount_micros),
                usd(gap),
            ]
        )
    header = ["direction", "creditor's calls", "creditor's USD", "debtor's calls", "debtor's USD", "apart"]
    stage.telling.table(header, rows)


def seal_batches(stage: Stage) -> None:
    """Each week of each direction becomes a batch under one Merkle root."""
    telling = stage.telling
    with telling.step("seal", "a batch for each direction and week, fixed under one Merkle root") as step:
        answers = stage.at_every_desk(lambda _, desk: desk.seal(period=stage.month))
        batches = [batch for answer in answers.values() for batch in answer["batches"]]
        telling.expect("batches", sum(map(len, stage.truth.weekly.values())), len(batches))
        whole = sum(stage.truth.total(way, side).amount_micros for way in stage.ways for side in way)
        telling.expect("sealed amounts", whole, sum(micros(batch["amount"]) for batch in batches))
        count = sum(batch["count"] for batch in batches)
        telling.say(f"{len(batches)} batches hold {count:,} records; the first root is {batches[0]['root'][:18]}…")
        step.facts |= {"batches": len(batches), "records": count}


def declare_batches(stage: Stage) -> None:
    """Every batch is declared; one waits because it would pass a credit line, until the line is raised."""
    telling = stage.telling
    with telling.step("declare", "signed claims about every batch go on chain: roots, counts and totals only") as step:
        limit = line_of(stage, TIGHT_WAY)
        weeks = stage.truth.weekly[TIGHT_WAY, TIGHT_WAY.creditor]
        fit = stage.truth.held_at(TIGHT_WAY, limit)
        behind = len(weeks) - fit - 1
        stage.at_every_desk(lambda _, desk: desk.declare(period=stage.month))
        rested = stage.settle(held=1, **({"signed": behind} if behind else {}))
        held = next(each for each in rested[TIGHT_WAY.creditor] if each["state"] == "held")
        telling.expect_true(f"held for the credit line: {held['reason']}", "credit line" in str(held["reason"]))
        telling.expect("batches under the line", fit, len(_declared_by(stage, TIGHT_WAY)))
        telling.expect("exposure", sum(weeks[:fit]), _exposure(stage, TIGHT_WAY))
        telling.problem(
            "credit limits",
            f"GB-B's batch of week {fit + 1} (USD {usd(weeks[fit])}) would take CN-T's exposure of "
            f"USD {usd(sum(weeks[:fit]))} past its line of USD {usd(limit)}: it waits in the outbox, unsent",
        )
        raised = line_of(stage, TIGHT_WAY, AMPLE_SHARE)
        stage.desks[TIGHT_WAY.creditor].grant_credit(TIGHT_WAY.debtor, show_micros(raised, 2))
        rested = stage.settle()
        telling.expect("all of GB-B's batches on chain", len(weeks), len(_declared_by(stage, TIGHT_WAY)))
        telling.expect("exposure", sum(weeks), _exposure(stage, TIGHT_WAY))
        telling.say(f"GB-B raises the line to USD {usd(raised)}: the batch goes through, and what waited behind it")
        declared = sum(1 for code in rested for each in rested[code] if each["kind"] == "declare")
        telling.expect("declarations", sum(map(len, stage.truth.weekly.values())), declared)
        step.facts |= {"declarations": declared, "held": 1}


def _declared_by(stage: Stage, way: Way) -> list[Json]:
    declared = stage.desks[way.creditor].declarations(way.debtor, stage.month)
    return [row for row in declared if row["declarer"] == row["creditor"] == way.creditor]


def _exposure(stage: Stage, way: Way) -> int:
    found = stage.desks[way.creditor].credit(way.debtor)
    return next(micros(each["exposure"]) for each in found if each["creditor"] == way.creditor)


def close_month(stage: Stage) -> None:
    """Both sides of each agreement close; before that nobody reveals anything."""
    telling = stage.telling
    with telling.step("close", "each side says that all is declared; only then are records revealed") as step:
        low, high = stage.pairs[0]
        stage.desks[low].close_period(stage.month, high)
        stage.settle()
        refusal = ""
        try:
            stage.desks[low].reveal(high, stage.month)
        except GatewayRefused as refused:
            refusal = refused.problem_slug
        telling.expect("a reveal before both have closed", "period-still-open", refusal)
        telling.say(f"{low} closes and asks {high} for its records: refused, {high} has not closed")
        stage.at_every_desk(lambda _, desk: desk.close_period(stage.month))
        stage.settle()
        again = stage.at_every_desk(lambda _, desk: desk.close_period(stage.month))
        closed = [each for answer in again.values() for each in answer["closes"] if each["closedAt"]]
        telling.expect("closes on chain", 2 * len(stage.pairs), len(closed))
        telling.say(f"{len(closed)} closes on chain: all three agreements are closed by both sides")
        step.facts |= {"closes": len(closed)}
