"""What have the carriers on file? Agreements, rate decks and trunk maps, as their desks would keep them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from ledger.agreement import Agreement
from ledger.agreement_file import dump_agreement
from ledger.identity import CarrierCode
from ledger.period import Period
from ledger.service import Service
from scripts.traffic.carriers import CARRIERS, DIRECTIONS, PAIRS, CarrierPlan, trunks_of
from scripts.traffic.prices import (
    CHANGED_DESTINATION,
    CHANGED_DIRECTION,
    CHANGED_NANOS,
    DECKS,
    DESTINATIONS,
    Price,
    change_ms,
)

SIGNED_BEFORE_S = 40 * 86_400
"""The agreements and first decks are this much older than the month."""


@dataclass(frozen=True, slots=True)
class DeckPaper:
    """One rate deck as its creditor sent it."""

    creditor: CarrierCode
    debtor: CarrierCode
    path: Path
    effective_s: int
    """UTC second from which it holds."""
    missed_by_debtor: bool
    """The debtor's desk never loaded it."""


@dataclass(frozen=True, slots=True)
class Papers:
    """Every paper file of the month."""

    agreements: Mapping[tuple[CarrierCode, CarrierCode], Path]
    """By (low, high)."""
    decks: tuple[DeckPaper, ...]
    trunks: Mapping[CarrierCode, Path]


def write_papers(folder: Path, month: Period) -> Papers:
    """Write agreements/, decks/ and trunks/ under the folder."""
    for name in ("agreements", "decks", "trunks"):
        (folder / name).mkdir(exist_ok=True)
    agreements = {}
    for pair in PAIRS:
        agreement = agreement_of(pair, month)
        path = folder / "agreements" / f"{agreement.low}_{agreement.high}.toml".lower()
        path.write_text(dump_agreement(agreement), "utf-8")
        agreements[agreement.low, agreement.high] = path
    trunks = {carrier.code: _write_trunks(folder / "trunks", carrier) for carrier in CARRIERS}
    return Papers(agreements, _write_decks(folder / "decks", month), trunks)


def agreement_of(pair: tuple[CarrierPlan, CarrierPlan], month: Period) -> Agreement:
    """The pair's agreement: voice, USD, UTC accounting zone, the usual clauses."""
    low, high = sorted(carrier.code for carrier in pair)
    valid_from_ms = month.bounds_ms(ZoneInfo("UTC"))[0] - SIGNED_BEFORE_S * 1000
    return Agreement(low, high, "USD", frozenset({Service.VOICE}), ZoneInfo("UTC"), valid_from_ms)


def _write_decks(folder: Path, month: Period) -> tuple[DeckPaper, ...]:
    first_s = month.bounds_ms(ZoneInfo("UTC"))[0] // 1000 - SIGNED_BEFORE_S
    papers = []
    for index, direction in enumerate(DIRECTIONS):
        name = f"{direction.creditor.code}-to-{direction.debtor.code}".lower()
        sides = (direction.creditor.code, direction.debtor.code)
        path = folder / f"{name}.csv"
        path.write_text(_deck_csv(DECKS[index]), "utf-8")
        papers.append(DeckPaper(*sides, path, first_s, False))
        if index == CHANGED_DIRECTION:
            later_s = change_ms(month) // 1000
            changed = {**DECKS[index], CHANGED_DESTINATION: Price(CHANGED_NANOS)}
            path = folder / f"{name}-from-{datetime.fromtimestamp(later_s, UTC):%Y-%m-%d}.csv"
            path.write_text(_deck_csv(changed), "utf-8")
            papers.append(DeckPaper(*sides, path, later_s, True))
    return tuple(papers)


def _deck_csv(deck: Mapping[str, Price]) -> str:
    """A whole deck: one row for each destination, rates in USD a minute. The notice says when it takes effect."""
    lines = ["destination,code,rate,increment,connect_fee,currency"]
    for kind in DESTINATIONS:
        if kind.name in deck:
            price = deck[kind.name]
            increment = f"{price.first_s}/{price.next_s}"
            fields = (kind.name, ";".join(kind.codes), _usd(price.nanos), increment, _usd(price.connect_nanos), "USD")
            lines.append(",".join(fields))
    return "\n".join(lines) + "\n"


def _usd(nanos: int) -> str:
    return f"{nanos // 1_000_000_000}.{nanos % 1_000_000_000:09d}".rstrip("0").ljust(6, "0")


def _write_trunks(folder: Path, carrier: CarrierPlan) -> Path:
    """The [trunks] tables of the carrier's gsc.toml."""
    path = folder / f"{carrier.code}.toml".lower()
    tables = [
        f'[trunks."{name}"]\npartner = "{partner}"\ndirection = "{way}"\n'
        for name, (partner, way) in trunks_of(carrier).items()
    ]
    path.write_text("\n".join(tables), "utf-8")
    return path
