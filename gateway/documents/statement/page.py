"""What stands on the statement's page? Its content in the words of one language, ready to be set.

Pure: the same content and language give the same texts, so a page can be drawn again and compared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from gateway.desk.wording import Words
from gateway.documents.statement.content import Content
from gateway.documents.statement.shapes import exactly, grouped, percent_of, places_of
from gateway.documents.wording import document_words
from ledger.service import Service

Plain = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One signed line; amounts in micros."""

    creditor: str
    debtor: str
    service: str
    claimed: int
    """By the creditor."""
    counted: int
    """By the debtor."""
    agreed: int
    withheld: int


_BAR_PERMILLE = 1_000


def page_of(content: Content, language: str) -> Plain:
    """Every text of the page and the places of its bars, as JSON for the template."""
    words = document_words(language)
    low, high = sorted((content["drawnBy"], content["partner"]))
    draft = ".draft" if content["state"] == "draft" else ""
    return {
        "language": language,
        "title": words(f"title{draft}"),
        "lead": words("lead", low=low, high=high, period=content["period"], currency=content["currency"]),
        "state": _state(content, words),
        "draft": bool(draft),
        "signed": {
            "title": words(f"signed.title{draft}"),
            "intro": words("signed.intro", low=low, high=high, period=content["period"], agreement=_agreement(content)),
            "lines": _sentences(content, words),
        },
        "sides": _sides(content, words),
        "causes": [_causes(content, line, words) for line in lines_of(content)],
        "disputes": _disputes(content, words),
        "proof": _proof(content, words),
        "drawn_by": words(
            "drawn_by",
            carrier=content["drawnBy"],
            network=content["network"]["name"],
            chain_id=content["network"]["chainId"],
        ),
        "page": words("page", page="{page}", pages="{pages}"),
    }


def lines_of(content: Content) -> list[Line]:
    """The signed lines with words and integers."""
    both = (content["drawnBy"], content["partner"])
    return [_line(each, both) for each in content["statement"]["lines"]]


def _line(line: Plain, both: tuple[str, str]) -> Line:
    creditor = bytes.fromhex(line["creditor"][2:]).rstrip(b"\0").decode("ascii")
    return Line(
        creditor=creditor,
        debtor=both[0] if creditor == both[1] else both[1],
        service=Service(int(line["service"])).word,
        claimed=int(line["creditorMicros"]),
        counted=int(line["debtorMicros"]),
        agreed=int(line["agreedMicros"]),
        withheld=int(line["withheldMicros"]),
    )


def net_of(content: Content) -> tuple[str, str, int]:
    """Who owes whom how much, both directions together; the amount is zero or more."""
    ours, theirs = content["drawnBy"], content["partner"]
    net = sum(line.agreed if line.creditor == ours else -line.agreed for line in lines_of(content))
    return (theirs, ours, net) if net >= 0 else (ours, theirs, -net)


def _agreement(content: Content) -> str:
    return str(content["statement"]["agreementId"])


def _state(content: Content, words: Words) -> str:
    signers = [each["carrier"] for each in content["signatures"]]
    others = [each for each in (content["drawnBy"], content["partner"]) if each not in signers]
    return words(f"state.{content['state']}", signer=" / ".join(signers), other=" / ".join(others))


def _sentences(content: Content, words: Words) -> list[str]:
    currency = content["currency"]
    sentences = [
        words(
            "signed.withheld" if line.withheld else "signed.line",
            service=words(f"service.{line.service}"),
            debtor=line.debtor,
            creditor=line.creditor,
            currency=currency,
            agreed=exactly(line.agreed),
            withheld=exactly(line.withheld),
        )
        for line in lines_of(content)
    ]
    debtor, creditor, net = net_of(content)
    told = words("signed.net", debtor=debtor, creditor=creditor, currency=currency, net=exactly(net))
    sentences.append(told if net else words("signed.even"))
    if content["standing"]:
        sentences.append(words("signed.due", day=_day(content["standing"]["dueAt"])))
    sentences.append(words("signed.batches", hash=content["statement"]["batchesHash"]))
    return sentences


def _sides(content: Content, words: Words) -> Plain:
    lines = lines_of(content)
    amounts = [each for line in lines for each in (line.claimed, line.counted, line.agreed, line.withheld)]
    places = places_of(amounts)
    names = ("service", "direction", "claimed", "counted", "difference", "percent", "agreed", "withheld")
    return {
        "title": words("sides.title"),
        "headings": [words(f"sides.{name}") for name in names],
        "rows": [
            [
                words(f"service.{line.service}"),
                line.creditor,
                _claim(content, line, words, line.claimed, places, line.creditor),
                _claim(content, line, words, line.counted, places, line.debtor),
                grouped(line.claimed - line.counted, places),
                percent_of(line.claimed - line.counted, line.counted),
                grouped(line.agreed, places),
                grouped(line.withheld, places),
            ]
            for line in lines
        ],
    }


def _claim(content: Content, line: Line, words: Words, micros: int, places: int, carrier: str) -> str:
    """An amount, and under it of how many records."""
    side = "ours" if carrier == content["drawnBy"] else "theirs"
    counted = [
        each[side] for each in content["counts"] if (each["creditor"], each["service"]) == (line.creditor, line.service)
    ]
    return f"{grouped(micros, places)}\n{words('causes.records', count=f'{sum(map(int, counted)):,}')}"


def _causes(content: Content, line: Line, words: Words) -> Plain:
    """The waterfall from their figure to ours; bars in permille of its width."""
    ours, theirs = content["drawnBy"], content["partner"]
    from_theirs, to_ours = (line.counted, line.claimed) if line.creditor == ours else (line.claimed, line.counted)
    mine = [each for each in content["causes"] if (each["creditor"], each["service"]) == (line.creditor, line.service)]
    amounts = [int(each["amountMicros"]) for each in mine]
    places = places_of([*amounts, from_theirs, to_ours])
    bars = [
        {
            "label": cause_word(words, each["cause"], ours, theirs),
            "count": words("causes.records", count=f"{int(each['count']):,}"),
            "amount": f"{'+' if amount > 0 else ''}{grouped(amount, places)}",
            "rising": amount > 0,
            "from": begin,
            "to": end,
        }
        for each, amount, (begin, end) in zip(mine, amounts, _places_of_bars(amounts), strict=True)
    ]
    return {
        "title": words("causes.title", service=words(f"service.{line.service}"), creditor=line.creditor),
        "hint": words("causes.hint", ours=ours, theirs=theirs),
        "compared": bool(mine) or line.claimed == line.counted,
        "none": words("causes.none"),
        "bars": bars,
        "theirs": [words("causes.theirs", theirs=theirs), grouped(from_theirs, places)],
        "ours": [words("causes.ours", ours=ours), grouped(to_ours, places)],
        "sum": [words("causes.sum"), grouped(to_ours - from_theirs, places)],
    }


def _places_of_bars(amounts: Sequence[int]) -> list[tuple[int, int]]:
    """Where each floating bar begins and ends, in permille: each begins where the one before it ends."""
    corners = [0]
    for amount in amounts:
        corners.append(corners[-1] + amount)
    low, span = min(corners), max(max(corners) - min(corners), 1)
    places = [(corner - low) * _BAR_PERMILLE // span for corner in corners]
    return list(pairwise(places))


def cause_word(words: Words, cause: str, ours: str, theirs: str) -> str:
    """A cause by name; where it says whose, with the carrier's code. An unknown one as it is."""
    text = words.texts.get(f"cause.{cause}")
    return cause if text is None else text.format_map({"ours": ours, "theirs": theirs})


def _disputes(content: Content, words: Words) -> Plain:
    rows = content["disputes"]
    columns = ("amountMicros", "creditedMicros", "dueMicros")
    places = places_of([int(each[name]) for each in rows for name in columns])
    return {
        "title": words("disputes.title"),
        "none": words("disputes.none"),
        "headings": [
            words(name)
            for name in ("sides.service", "sides.direction", "disputes.what", "disputes.amount", "disputes.state")
        ]
        + [words("disputes.outcome")],
        "rows": [_dispute(content, each, words, places) for each in rows],
    }


def _dispute(content: Content, row: Plain, words: Words, places: int) -> list[str]:
    creditor = row["creditor"]
    debtor = content["drawnBy"] if creditor == content["partner"] else content["partner"]
    ended = int(row["creditedMicros"]) + int(row["dueMicros"])
    outcome = f"{grouped(int(row['creditedMicros']), places)} / {grouped(int(row['dueMicros']), places)}"
    return [
        words(f"service.{row['service']}"),
        creditor,
        f"{cause_word(words, row['reason'], debtor, creditor)}\n{row['disputeId'][:18]}…",
        grouped(int(row["amountMicros"]), places),
        words.texts.get(f"state.{row['state']}", row["state"]),
        outcome if ended else "—",
    ]


def _proof(content: Content, words: Words) -> Plain:
    rows = [[words("hash.statement"), content["statementId"]]]
    standing = content["standing"]
    if standing:
        told = words("hash.block", block=f"{int(standing['blockNumber']):,}", at=_moment(standing["agreedAt"]))
        rows.append([words("hash.transaction"), f"{standing['transactionHash']}\n{told}"])
    rows.append([words("hash.contract"), content["domain"]["verifyingContract"]])
    rows += [[f"{words('hash.signature')} · {each['carrier']}", each["signer"]] for each in content["signatures"]]
    return {"title": words("hash.title"), "rows": rows, "how": words("hash.how")}


def _day(seconds: object) -> str:
    return datetime.fromtimestamp(int(str(seconds)), UTC).strftime("%Y-%m-%d")


def _moment(seconds: object) -> str:
    return datetime.fromtimestamp(int(str(seconds)), UTC).strftime("%Y-%m-%d %H:%M UTC")
