"""November to January: what is agreed, disputed, set off, paid, and what happens to what is late?"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from gateway.client import Client, Json
from ledger.chain.bindings import calldata_settlement_token_mint
from ledger.chain.client import ChainClient
from ledger.chain.transaction import Transaction, sign_transaction
from ledger.identity import Address, CarrierCode
from ledger.money import show_micros
from ledger.typed_data import address_of_key
from scripts.demo.expecting import Way, net_positions
from scripts.demo.stage import Stage, micros
from scripts.demo.telling import usd
from scripts.traffic import Planted
from scripts.traffic.faults import BIAS_S

REASONS = {
    Planted.INVENTED: "invented",
    Planted.MISSING_AT_DEBTOR: "missing_at_ours",
    Planted.ZERO_AT_DEBTOR: "missing_at_ours",
    Planted.SHADED: "duration",
    Planted.DURATION_BIAS: "duration_bias",
    Planted.RATE: "rate",
    Planted.DUPLICATE_AT_CREDITOR: "duplicate_at_theirs",
}
"""How the debtor's dispute names what was planted."""
RATE_WAY = Way(CarrierCode("CN-T"), CarrierCode("GB-B"))
BIAS_WAY = Way(CarrierCode("GB-B"), CarrierCode("CN-T"))
MINT_GAS = 200_000
DAY = timedelta(days=1)


def open_disputes(stage: Stage) -> None:
    """Every debtor disputes what is outside the agreement's tolerance, with reason, amount and evidence."""
    telling = stage.telling
    with telling.step("dispute", "debtors dispute what is outside tolerance, each with a reason and evidence") as step:
        answers = stage.at_every_desk(lambda code, desk: _dispute(stage, code, desk))
        stage.settle()
        opened = [(way, each) for way in stage.ways for each in answers[way.debtor][way]]
        must = {
            (RATE_WAY, "rate"),
            (BIAS_WAY, "duration_bias"),
            _of(stage, Planted.INVENTED),
            _of(stage, Planted.SHADED),
        }
        got = {(way, each["reason"]) for way, each in opened}
        telling.expect("disputes that had to be opened", set(), must - got)
        allowed = {(way, REASONS[kind]) for way in stage.ways for kind in stage.truth.disputed(way)}
        telling.expect("disputes without a planted fault", set(), got - allowed)
        invented = next(each for way, each in opened if each["reason"] == "invented")
        way, _ = _of(stage, Planted.INVENTED)
        planted = stage.truth.disputed(way)[Planted.INVENTED].creditor_micros
        telling.expect("disputed as invented", planted, micros(invented["amount"]))
        rows = [
            [f"{w.debtor} against {w.creditor}", d["reason"], usd(micros(d["amount"])), d["evidenceHash"][:14] + "…"]
            for w, d in opened
        ]
        telling.table(["dispute", "reason", "USD", "evidence"], rows, numbers_from=2)
        step.facts |= {"disputes": len(opened), "disputed_micros": str(sum(micros(d["amount"]) for _, d in opened))}


def _dispute(stage: Stage, code: CarrierCode, desk: Client) -> dict[Way, Sequence[Json]]:
    mine = [way for way in stage.ways if way.debtor == code]
    return {way: desk.dispute(way.creditor, stage.month)["disputes"] for way in mine}


def _of(stage: Stage, kind: Planted) -> tuple[Way, str]:
    way = next(way for way in stage.ways if kind in stage.truth.disputed(way))
    return way, REASONS[kind]


def accept_statements(stage: Stage) -> None:
    """Both desks sign the statement that each draws from the chain; then two disputes are settled."""
    telling = stage.telling
    with telling.step("accept", "both desks sign the same statement; what is disputed is withheld") as step:
        for low, high in stage.pairs:
            stage.desks[low].accept(high, stage.month)
            answer = stage.desks[high].accept(low, stage.month)
            telling.expect(f"signatures under {low} and {high}", [low, high], answer["signedBy"])
        stage.settle()
        rows = []
        for low, high in stage.pairs:
            answer = stage.desks[low].accept(high, stage.month)
            telling.expect_true(f"{low} and {high} agreed on chain", answer["agreedAt"] is not None)
            rows += [_line(stage, (low, high), line) for line in answer["lines"]]
        header = ["direction", "creditor", "debtor", "withheld", "agreed"]
        telling.table(header, rows)
        credited, due = _settle_two(stage)
        step.facts |= {"statements": len(stage.pairs), "credited_micros": str(credited), "due_micros": str(due)}


def _line(stage: Stage, pair: tuple[CarrierCode, CarrierCode], line: Json) -> list[str]:
    creditor = CarrierCode(line["creditor"])
    way = Way(pair[0] if creditor == pair[1] else pair[1], creditor)
    figures = [micros(line[name]) for name in ("creditorAmount", "debtorAmount", "withheld", "agreed")]
    totals = [stage.truth.total(way, side).amount_micros for side in (way.creditor, way.debtor)]
    stage.telling.expect(f"declared for {way}", totals, figures[:2])
    stage.telling.expect(f"agreed for {way}", figures[0] - figures[2], figures[3])
    return [f"{way.debtor} owes {way.creditor}", *(usd(figure) for figure in figures)]


def _settle_two(stage: Stage) -> tuple[int, int]:
    """GB-B shows CN-T its rate notice on chain: all is due. CN-T admits the bias of its trunk: all is credited."""
    late_rate, bias = _open(stage, RATE_WAY, "rate"), _open(stage, BIAS_WAY, "duration_bias")
    rate_micros, bias_micros = micros(late_rate["amount"]), micros(bias["amount"])
    for way, dispute, credited in ((RATE_WAY, late_rate, 0), (BIAS_WAY, bias, bias_micros)):
        text = show_micros(credited)
        stage.telling.expect(
            "one desk's word", None, stage.desks[way.debtor].resolve(dispute["id"], text)["submission"]
        )
        both = stage.desks[way.creditor].resolve(dispute["id"], text)["signedBy"]
        stage.telling.expect("both desks' word", sorted(way), both)
    stage.settle()
    states = [_state(stage, RATE_WAY, late_rate), _state(stage, BIAS_WAY, bias)]
    stage.telling.expect("states of the settled disputes", ["paymentDue", "credited"], states)
    stage.telling.say(f"settled: GB-B's notice is on chain since 2 September: USD {usd(rate_micros)} are due after all")
    stage.telling.say(f"settled: CN-T's trunk counted {BIAS_S} s too long, USD {usd(bias_micros)} are credited to GB-B")
    return bias_micros, rate_micros


def _open(stage: Stage, way: Way, reason: str) -> Json:
    found = stage.desks[way.debtor].disputes(way.creditor, stage.month)
    return next(each for each in found if each["reason"] == reason and each["creditor"] == way.creditor)


def _state(stage: Stage, way: Way, dispute: Json) -> str:
    found = stage.desks[way.debtor].disputes(way.creditor, stage.month)
    return next(str(each["state"]) for each in found if each["id"] == dispute["id"])


def net_items(stage: Stage) -> None:
    """All three carriers' items are set off against each other in one cycle."""
    telling = stage.telling
    with telling.step("net", "what all three owe is set off against each other; positions sum to zero") as step:
        owed = _agreed_items(stage)
        answer = stage.desks[CarrierCode("CN-T")].net()
        telling.expect("parties that did not sign", [], answer["missing"])
        stage.settle()
        positions = {CarrierCode(each["carrier"]): micros(each["amount"]) for each in answer["positions"]}
        expected = {carrier: amount for carrier, amount in net_positions(owed).items() if amount}
        telling.expect("net positions", expected, {carrier: amount for carrier, amount in positions.items() if amount})
        telling.expect("sum of the positions", 0, sum(positions.values()))
        gross, remaining = micros(answer["gross"]), micros(answer["remaining"])
        telling.expect("gross", sum(owed.values()), gross)
        telling.table(["position", "USD"], [[carrier, usd(amount)] for carrier, amount in positions.items()])
        telling.say(f"USD {usd(gross)} owed in all shrinks to USD {usd(remaining)} in {len(answer['legs'])} payments")
        for leg in answer["legs"]:
            telling.say(f"{leg['debtor']} pays {leg['creditor']} USD {usd(micros(leg['amount']))}")
        step.facts |= {"gross_micros": str(gross), "remaining_micros": str(remaining), "legs": len(answer["legs"])}


def _agreed_items(stage: Stage) -> dict[Way, int]:
    """What every direction came to, after withholding and settled disputes, by the truth and the open disputes."""
    owed = {}
    for way in stage.ways:
        disputed = stage.desks[way.debtor].disputes(way.creditor, stage.month)
        mine = [each for each in disputed if each["creditor"] == way.creditor]
        withheld = sum(micros(each["amount"]) for each in mine)
        due = sum(micros(each["amount"]) for each in mine if (way, each["reason"]) == (RATE_WAY, "rate"))
        owed[way] = stage.truth.total(way, way.creditor).amount_micros - withheld + due
    return owed


def pay_some(stage: Stage) -> None:
    """One payment is made in the settlement token before its due date; the other debtor lets it pass."""
    telling = stage.telling
    with telling.step("pay", "one payable is paid in the settlement token in time, the other is not") as step:
        payables = _payables(stage)
        telling.expect_true("at least two payables", len(payables) >= 2)
        first = payables[0]
        stage.move_clock(datetime.fromisoformat(first["dueDate"]) - DAY)
        debtor, amount = CarrierCode(first["debtor"]), micros(first["outstanding"])
        _mint(stage, stage.home(debtor).sending, amount)
        stage.desks[debtor].pay(first["id"])
        stage.settle()
        telling.expect("outstanding after the payment", 0, _outstanding(stage, first))
        telling.say(
            f"{stage.today():%d %b}: {debtor} pays {first['creditor']} USD {usd(amount)} in the settlement token"
        )
        step.facts |= {"paid_micros": str(amount)}


def _payables(stage: Stage) -> Sequence[Json]:
    """All open payables, the smallest first, so that the larger one is late."""
    found = {each["id"]: each for desk in stage.desks.values() for each in desk.payables()}
    return sorted(found.values(), key=lambda each: micros(each["outstanding"]))


def _outstanding(stage: Stage, payable: Json) -> int:
    """As the desk that is furthest behind sees it."""
    found = (each for desk in stage.desks.values() for each in desk.payables())
    return max(micros(each["outstanding"]) for each in found if each["id"] == payable["id"])


def _mint(stage: Stage, to: Address, amount_micros: int) -> None:
    """Stands in for the bank that issues the settlement token: on a local chain anybody may mint it."""
    key = stage.house.chain.funded_keys[0]
    network = stage.house.network
    with ChainClient(stage.house.chain.url, network) as client:
        nonce = client.nonce(address_of_key(key))
        call = calldata_settlement_token_mint(to, amount_micros)
        mint = Transaction(nonce, network.tokens["USD"], call, MINT_GAS, network.gas_price_wei)
        client.send_raw(sign_transaction(key, mint, network.chain_id).raw)


def age_arrears(stage: Stage) -> None:
    """What is late bears interest and climbs the ladder; with credit stopped, new usage is not taken."""
    telling = stage.telling
    with telling.step("age", "the other payable is late: interest, then stopped credit") as step:
        late = next(each for each in _payables(stage) if micros(each["outstanding"]) > 0)
        creditor, debtor = CarrierCode(late["creditor"]), CarrierCode(late["debtor"])
        due, owed = datetime.fromisoformat(late["dueDate"]), micros(late["outstanding"])
        for wait_days, stage_name in ((1, "overdue"), (16, "credit_stopped")):
            stage.move_clock(due + wait_days * DAY - DAY // 2)  # in the middle of the day that has started
            stage.desks[creditor].age()
            stage.settle()
            aged = _aged(stage, creditor, late)
            telling.expect(f"stage {wait_days} days after the due date", stage_name, aged["stage"])
        telling.expect("days overdue", 16, aged["daysOverdue"])
        expected = -(-owed * 150 * aged_seconds(stage, late) // (10_000 * 30 * 86_400))
        interest = micros(aged["interest"])
        telling.expect_true(f"interest near {usd(expected)}", abs(interest - expected) <= max(2, expected // 1000))
        reason = _declare_november(stage, creditor, debtor)
        telling.problem(
            "arrears",
            f"{debtor} is {aged['daysOverdue']} days late with USD {usd(owed)}: USD {usd(interest)} interest at 1.5 % "
            f"a month, credit stopped; {creditor}'s first November batch is held ({reason})",
        )
        step.facts |= {"late_micros": str(owed), "interest_micros": str(interest), "days": aged["daysOverdue"]}


def aged_seconds(stage: Stage, payable: Json) -> int:
    """Seconds since the due date by the chain's clock."""
    return int(stage.house.chain.now() - datetime.fromisoformat(payable["dueDate"]).timestamp())


def _aged(stage: Stage, creditor: CarrierCode, payable: Json) -> Json:
    answer = stage.desks[creditor].age(dry_run=True)
    found: Json = next(each for each in answer["payables"] if each["payableId"] == payable["id"])
    return found


def _declare_november(stage: Stage, creditor: CarrierCode, debtor: CarrierCode) -> str:
    """The file's first calls of November: rated, sealed, declared and held, for the debtor's credit is stopped."""
    desk = stage.desks[creditor]
    november = "2026-11"
    for verb in (desk.rate, desk.seal, desk.declare):
        verb(debtor, november)
    stage.until("a held declaration", lambda: any(each["state"] == "held" for each in desk.submissions("declare")))
    held = next(each for each in desk.submissions("declare") if each["state"] == "held")
    stage.telling.expect_true(f"held for stopped credit: {held['reason']}", "stopped" in str(held["reason"]))
    return str(held["reason"]).split("(")[0].strip().rstrip(".")
