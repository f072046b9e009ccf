"""Which verbs find rings over decks that nobody shows? rings key, offer, find, open; on plain files, or from a home."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.parts import Home, Json, code_of, day_of, end, home_of

if TYPE_CHECKING:
    from ledger.identity import CarrierCode
    from ledger.prices.deck import DeckHistory
    from reconciliation.arbitrage.rings.masks import Masks
    from reconciliation.arbitrage.rings.offers import Offer

Key = Annotated[Path, typer.Option("--key", help="The round's key, which all carriers have and the node has not")]
Round = Annotated[str, typer.Option("--round", help="What the carriers call the round: 2026-10")]
Us = Annotated[str | None, typer.Option("--us", help="Our code, with plain decks")]
Sells = Annotated[list[str] | None, typer.Option("--sells", help="Our deck for a partner: CN-T=us-to-cn.csv")]
Buys = Annotated[list[str] | None, typer.Option("--buys", help="A partner's deck for us: GB-B=gb-to-us.csv")]
Codes = Annotated[
    Path | None, typer.Option("--codes", help="Dial codes to compare, one a line", show_default="those of our decks")
]
At = Annotated[str | None, typer.Option("--at", help="Day of the prices", show_default="the first of a round's month")]
Currency = Annotated[str, typer.Option("--currency", help="Of the decks, from a home")]


def register(app: typer.Typer) -> None:
    """Add the group of these commands."""
    rings = typer.Typer(
        help="Rings and refiles over all carriers' decks, found by a neutral node that can read none.",
        no_args_is_help=True,
    )
    rings.command("key")(key)
    rings.command("offer")(offer)
    rings.command("find")(find)
    rings.command("open")(open_)
    app.add_typer(rings, name="rings")


@dataclass(frozen=True, slots=True)
class _Ours:
    """What a carrier brings to a round, the same when it offers and when it opens."""

    us: "CarrierCode"
    decks: "Mapping[tuple[CarrierCode, CarrierCode], DeckHistory]"
    at_ms: int
    codes: Sequence[str]
    masks: "Masks"
    round_name: str

    def offer(self) -> "Offer":
        from reconciliation.arbitrage.rings.offers import make_offer

        return make_offer(self.us, self.decks, self.at_ms, self.codes, self.masks, self.round_name)


def key(out: Annotated[Path, typer.Option("--out", help="Where to write it")], json: Json = False) -> None:
    """Draw a round's key: one carrier does, and gives it to the others, never to the node."""
    import os

    from ledger.errors import Malformed
    from reconciliation.arbitrage.rings.masks import KEY_BYTES

    try:
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(os.urandom(KEY_BYTES).hex() + "\n")
    except OSError as error:
        raise Malformed("the key cannot be written", expected="a new file", got=str(error)) from None
    end(
        {"key": str(out)},
        json,
        [f"{out}: {KEY_BYTES} bytes, for the carriers of one round and not for the node"],
        f"gsc rings offer --key {out} --round 2026-10 --us US-A --sells CN-T=DECK.csv --buys GB-B=DECK.csv --out OFFER",
    )


def offer(
    key: Key,
    round_name: Round,
    out: Annotated[Path, typer.Option("--out", help="Where to write the offer")],
    us: Us = None,
    sells: Sells = None,
    buys: Buys = None,
    codes: Codes = None,
    at: At = None,
    currency: Currency = "USD",
    home: Home = None,
    json: Json = False,
) -> None:
    """Mask our decks for the neutral node: who sells what to whom, and which of two prices is higher."""
    from gateway.cli.pure_verbs import refused_unless_writable
    from reconciliation.arbitrage.rings.files import write_offer

    made = _ours(key, round_name, us, sells, buys, codes, at, currency, home).offer()
    with refused_unless_writable(out):
        write_offer(made, out)
    answer = {"round": made.round_name, "edges": len(made.edges), "digest": made.digest.hex(), "out": str(out)}
    lines = [f"{len(made.edges):,} prices masked for {made.round_name}; digest {made.digest.hex()[:16]}"]
    end(answer, json, lines, f"give {out} to the node, which runs: gsc rings find OFFER... --out FOLDER")


def find(
    offers: Annotated[list[Path], typer.Argument(help="One offer of each carrier")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the answers, one for each offer")],
    longest: Annotated[int, typer.Option("--longest", min=2, max=8, help="Sales in a chain at most")] = 5,
    json: Json = False,
) -> None:
    """The neutral node's part: search all offers, and write for each carrier where it loses."""
    from gateway.cli.pure_verbs import refused_unless_writable
    from reconciliation.arbitrage.rings.files import read_offer, write_answer
    from reconciliation.arbitrage.rings.node import find_rings

    answers = find_rings([read_offer(path) for path in offers], longest)
    files = []
    with refused_unless_writable(out):
        out.mkdir(parents=True, exist_ok=True)
        for path, answer in zip(offers, answers, strict=True):
            files.append(out / f"{path.stem}-{answer.to.hex()[:8]}.json")
            write_answer(answer, files[-1])
    rows = [
        [str(path), str(file), len(answer.rings), len(answer.unconfirmed)]
        for path, file, answer in zip(offers, files, answers, strict=True)
    ]
    told = [dict(zip(("offer", "answer", "rings", "unconfirmed"), row, strict=True)) for row in rows]
    end(
        {"round": answers[0].round_name, "answers": told},
        json,
        [f"{answers[0].round_name}: {len(offers)} offers, {sum(len(each.rings) for each in answers)} rings"],
        "give each carrier its own answer: gsc rings open ANSWER --key KEY ...",
        ["offer", "answer", "rings", "unconfirmed"],
        rows,
    )


def open_(
    answer: Annotated[Path, typer.Argument(help="The node's answer to our offer")],
    key: Key,
    round_name: Round,
    us: Us = None,
    sells: Sells = None,
    buys: Buys = None,
    codes: Codes = None,
    at: At = None,
    among: Annotated[list[str] | None, typer.Option("--among", help="Another carrier of the round")] = None,
    own: Annotated[list[str] | None, typer.Option("--own", help="Beginning of our own numbers: no rings there")] = None,
    currency: Currency = "USD",
    home: Home = None,
    json: Json = False,
) -> None:
    """Read the node's answer: which chains of sales take our money, and where a partner's deck is not ours."""
    from reconciliation.arbitrage.rings.files import read_answer
    from reconciliation.arbitrage.rings.opening import open_answer

    ours = _ours(key, round_name, us, sells, buys, codes, at, currency, home)
    others = [code_of(each) for each in among or ()]
    opened = open_answer(
        read_answer(answer), ours.offer(), ours.us, ours.decks, ours.at_ms, ours.codes, others, ours.masks, own or ()
    )
    lines = [f"{number}. {each.explanation}" for number, each in enumerate(opened.rings, 1)]
    lines = lines or [f"{opened.offers} carriers took part: no chain of sales takes {ours.us}'s money"]
    lines += [
        f"{each.creditor}'s deck for {each.debtor}: the other side offered other prices, or none, of "
        f"{len(each.codes):,} codes ({', '.join(each.codes[:5])}{' ...' if len(each.codes) > 5 else ''})"
        for each in opened.unconfirmed
    ]
    told = {
        "offers": opened.offers,
        "rings": [_ring(each) for each in opened.rings],
        "unconfirmed": [
            {"creditor": each.creditor, "debtor": each.debtor, "codes": each.codes} for each in opened.unconfirmed
        ],
    }
    rows = [
        [each.scheme.value, " > ".join(each.cycle), each.destination, len(each.codes), _ring(each)["gain"]]
        for each in opened.rings
    ]
    end(
        told,
        json,
        lines,
        "gsc arbitrage, which finds the calls that went such a way",
        ["scheme", "carriers", "destination", "codes", "lost a minute"],
        rows,
    )


def _ring(each: Any) -> dict[str, object]:
    from ledger.money import NANOS_PER_MICRO, show_micros

    return {
        "scheme": each.scheme.value,
        "cycle": each.cycle,
        "destination": each.destination,
        "codes": each.codes,
        "gain": show_micros(each.gain_nanos // NANOS_PER_MICRO),
        "explanation": each.explanation,
    }


def _ours(
    key: Path,
    round_name: str,
    us: str | None,
    sells: list[str] | None,
    buys: list[str] | None,
    codes: Path | None,
    at: str | None,
    currency: str,
    home: Path | None,
) -> _Ours:
    from reconciliation.arbitrage.rings.masks import Masks
    from reconciliation.arbitrage.rings.offers import codes_of

    if sells or buys:
        code, decks, currency = _plain_decks(us, sells or [], buys or [])
    else:
        code, decks = _decks_of_home(home, currency)
    at_ms = _at_ms(round_name, at)
    name = f"{round_name} {currency}"
    compared = _read_codes(codes) if codes else codes_of(decks, at_ms)
    return _Ours(code, decks, at_ms, compared, Masks(_read_key(key), name), name)


def _plain_decks(
    us: str | None, sells: list[str], buys: list[str]
) -> "tuple[CarrierCode, Mapping[tuple[CarrierCode, CarrierCode], DeckHistory], str]":
    from gateway.cli.pure_verbs import told_missing
    from ledger.prices.deck import check_currency, deck_history
    from ledger.prices.deck_file import load_deck

    if us is None:
        raise told_missing("rings", "--us with --sells and --buys; or a home folder")
    code, decks = code_of(us), {}
    for partner, path in _named_files("--sells", sells):
        decks[code, partner] = deck_history([(0, load_deck(path))])
    for partner, path in _named_files("--buys", buys):
        decks[partner, code] = deck_history([(0, load_deck(path))])
    currency = next(iter(decks.values())).currency
    for each in decks.values():
        check_currency(currency, each.currency)
    return code, decks, currency


def _named_files(option: str, given: list[str]) -> "Iterator[tuple[CarrierCode, Path]]":
    from ledger.errors import Malformed

    for text in given:
        partner, found, path = text.partition("=")
        if not found or not path:
            raise Malformed(f"{option} names no deck", expected="CARRIER=FILE.csv", got=text[:80])
        yield code_of(partner), Path(path)


def _decks_of_home(
    home: Path | None, currency: str
) -> "tuple[CarrierCode, Mapping[tuple[CarrierCode, CarrierCode], DeckHistory]]":
    from gateway.month.bypassing import known_decks
    from ledger.errors import NotFound

    gateway = home_of(home)
    us = gateway.carrier
    decks = {way: each for way, each in known_decks(gateway, currency).items() if us in way}
    if not decks:
        raise NotFound(f"no deck in {currency} is known", expected="a published deck of ours or for us", got="none")
    return us, decks


def _at_ms(round_name: str, at: str | None) -> int:
    from ledger.errors import Malformed
    from ledger.period import parse_period

    if at is None:
        try:
            month = parse_period(round_name)
        except Malformed:
            raise Malformed(
                "the round names no month", expected="--at with the day of the prices", got=round_name[:40]
            ) from None
        return int(datetime(month.year, month.month, 1, tzinfo=UTC).timestamp()) * 1000
    day = day_of(at)
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000


def _read_key(path: Path) -> bytes:
    from ledger.errors import Malformed
    from ledger.unreadable import why_unreadable

    try:
        return bytes.fromhex(path.read_text("utf-8").strip())
    except (OSError, UnicodeDecodeError) as error:
        got = why_unreadable(error, path)
    except ValueError:
        got = "something else"
    raise Malformed("not a round's key", expected="a file made by `gsc rings key`", got=got)


def _read_codes(path: Path) -> Sequence[str]:
    from ledger.errors import Malformed
    from ledger.unreadable import why_unreadable

    try:
        lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise Malformed("the codes cannot be read", expected="a text file", got=why_unreadable(error, path)) from None
    codes = [line for line in lines if line]
    for number, code in enumerate(codes, 1):
        if not (code.isascii() and code.isdigit() and len(code) <= 15):
            raise Malformed(
                "not a dial code", expected="1 to 15 digits on a line", got=f"{code[:40]!r}, code {number} of {path}"
            )
    return codes
