"""September: what do the carriers agree on before the month begins?"""

from datetime import UTC, datetime, timedelta

from gateway.client import Client, Json
from ledger.identity import CarrierCode
from ledger.money import Micros, show_micros
from scripts.demo.expecting import Way
from scripts.demo.stage import Stage
from scripts.demo.telling import usd

TIGHT_WAY = Way(CarrierCode("CN-T"), CarrierCode("GB-B"))
"""GB-B grants CN-T less than the month will need."""
TIGHT_SHARE, AMPLE_SHARE = 80, 250
"""Credit lines as percentages of what the month comes to."""
SIGNED_AT = datetime(2026, 9, 2, 9, tzinfo=UTC)


def agree(stage: Stage) -> None:
    """Agreements signed by both sides, rate decks published by hash, credit lines granted, payees named."""
    telling = stage.telling
    with telling.step("agree", "agreements, rate decks and credit lines go on chain, in September") as step:
        stage.move_clock(SIGNED_AT)
        for low, high in stage.pairs:
            telling.expect("one signature is not enough", None, stage.desks[low].sign_agreement(high)["submission"])
            telling.expect("both have signed", [low, high], stage.desks[high].sign_agreement(low)["signedBy"])
        stage.settle()
        notices = stage.at_every_desk(lambda code, desk: _publish(stage, code, desk))
        stage.at_every_desk(lambda code, desk: _grant(stage, code, desk))
        stage.settle()
        decks = [notice for of_carrier in notices.values() for notice in of_carrier]
        increases = [notice for notice in decks if notice["change"] == "increase"]
        telling.expect("decks published", len(stage.files.papers.decks), len(decks))
        telling.expect("one of them an increase", 1, len(increases))
        effective = datetime.fromtimestamp(increases[0]["effectiveAt"], UTC)
        telling.say(f"3 agreements signed by both sides, {len(decks)} rate decks published by their hash")
        telling.say(
            f"GB-B announces on {stage.today():%d %b} that UK mobile costs CN-T more from {effective:%d %b}; "
            "CN-T's desk does not load that deck"
        )
        limit = line_of(stage, TIGHT_WAY)
        telling.say(f"6 credit lines granted; GB-B grants CN-T only USD {usd(limit)}")
        step.facts |= {"agreements": len(stage.pairs), "rate_decks": len(decks), "credit_lines": len(stage.ways)}


def line_of(stage: Stage, way: Way, percent: int | None = None) -> Micros:
    """The credit line of a direction: a share of what its creditor will count, in whole dollars."""
    share = percent or (TIGHT_SHARE if way == TIGHT_WAY else AMPLE_SHARE)
    amount = stage.truth.total(way, way.creditor).amount_micros * share // 100
    return Micros(amount // 1_000_000 * 1_000_000)


def _publish(stage: Stage, code: CarrierCode, desk: Client) -> list[Json]:
    """A creditor publishes its decks in order of effect; an increase needs its notice, so it is told early."""
    mine = sorted((d for d in stage.files.papers.decks if d.creditor == code), key=lambda d: d.effective_s)
    answers = []
    for deck in mine:
        answers.append(desk.publish_rates(deck.debtor, deck.path.name, deck.effective_s))
        desk.wait(answers[-1]["submission"])
    return answers


def _grant(stage: Stage, code: CarrierCode, desk: Client) -> None:
    for way in stage.ways:
        if way.creditor == code:
            desk.grant_credit(way.debtor, show_micros(line_of(stage, way), 2))
    desk.set_payee()


MONTH_OVER = datetime(2026, 11, 1, 1, tzinfo=UTC)
NEXT_DAY = timedelta(days=1)
