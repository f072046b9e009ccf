"""Which games with settlement fees do plain files show, with no chain and no database?"""

import csv
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from ledger.agreement import Agreement
from ledger.errors import Malformed, Refused
from ledger.identity import CarrierCode, carrier_code
from ledger.money import Micros, show_micros
from ledger.prices.deck import DeckHistory
from ledger.service import Service
from ledger.unreadable import why_unreadable
from ledger.usage import RATED_SCHEMA
from reconciliation.arbitrage.circles import Direction
from reconciliation.arbitrage.crossings import Crossed, Registers, Valid, find_unlicensed
from reconciliation.arbitrage.games import Known, find_games
from reconciliation.arbitrage.peering import FLOW_SCHEMA, find_transit_resale
from reconciliation.arbitrage.sold import Sold
from reconciliation.files import Records, month_of, read_records
from reconciliation.suspicion import Suspicion


@dataclass(frozen=True, slots=True)
class Search:
    """What is given beside the records."""

    agreement: Agreement
    us: CarrierCode
    decks: Mapping[CarrierCode, DeckHistory] = field(default_factory=dict)
    """By creditor."""
    known: Known = field(default_factory=Known)
    """Its `debtors` are not used: the partner's records are `theirs`."""
    theirs: Path | None = None
    """The partner's own records of what it owes us for."""


def search_calls(outgoing: Sequence[Path], incoming: Sequence[Path], search: Search) -> dict[str, object]:
    """Search what we owe for (`outgoing`) and what is owed to us (`incoming`) with one partner; columns as
    reconciliation.files says. Raises Malformed, Refused."""
    partner = _partner(search)
    read = {partner: _read(outgoing, Service.VOICE), search.us: _read(incoming, Service.VOICE)}
    theirs = None if search.theirs is None else _read([search.theirs], Service.VOICE)
    tables = {creditor: each.table for creditor, each in read.items() if len(each.table)}
    if not tables:
        raise Malformed("there are no records to search", expected="rated usage of one month", got="none")
    period = month_of(*tables.values(), agreement=search.agreement)
    sold = {
        (creditor, search.agreement.counterparty(creditor)): Sold(
            creditor,
            search.agreement.counterparty(creditor),
            table,
            search.agreement,
            period,
            search.decks.get(creditor),
        )
        for creditor, table in tables.items()
    }
    debtors: dict[Direction, pa.Table] = {} if theirs is None else {(search.us, partner): theirs.table}
    known = Known(search.known.homes, debtors, search.known.peerings)
    found = find_games(sold, dict.fromkeys(sold, search.agreement.detectors), known)
    sides = [*read.values(), *([] if theirs is None else [theirs])]
    return _answer(search, found, tables, sides)


def search_crossings(
    paths: Sequence[Path], service: Service, registers_path: Path, search: Search
) -> dict[str, object]:
    """Hold samples or circuits that the partner claims against the registers. Raises Malformed, Refused."""
    partner = _partner(search)
    read = _read(paths, service)
    registers, by_route = _registers(registers_path)
    igws = [by_route.get(route, "") for route in read.table["route"].to_pylist()]
    sample_ms = search.agreement.data.sample_seconds * 1000
    found = find_unlicensed(Crossed(service, partner, search.us, read.table, igws, sample_ms), registers)
    return _answer(search, found, {partner: read.table}, [read])


def search_flows(flows: Path, cone: Path, price_per_gigabyte: Micros, search: Search) -> dict[str, object]:
    """Hold the octets of a peering against the networks that the partner announces. Raises Malformed, Refused."""
    partner = _partner(search)
    table, networks = _flows(flows), _networks(cone)
    found = find_transit_resale(table, networks, (search.us, partner), price_per_gigabyte, search.agreement.detectors)
    numbered = table.append_column("line", pa.array(range(2, len(table) + 2), pa.int64()))
    return _answer(search, found, {search.us: numbered}, [])


def _partner(search: Search) -> CarrierCode:
    agreement = search.agreement
    if search.us not in (agreement.low, agreement.high):
        expected = f"{agreement.low} or {agreement.high}"
        raise Refused("we are no party of the agreement", expected=expected, got=search.us)
    return agreement.counterparty(search.us)


def _read(paths: Sequence[Path], service: Service) -> Records:
    read = [read_records(path, service) for path in paths]
    if not read:
        return Records(RATED_SCHEMA.empty_table(), ())
    return Records(pa.concat_tables([each.table for each in read]), tuple(q for each in read for q in each.quarantined))


def _answer(
    search: Search, found: Sequence[Suspicion], tables: Mapping[CarrierCode, pa.Table], sides: Sequence[Records]
) -> dict[str, object]:
    return {
        "us": search.us,
        "partner": search.agreement.counterparty(search.us),
        "currency": search.agreement.currency,
        "records": sum(len(table) for table in tables.values()),
        "suspicions": [_plain(each, tables[each.creditor]) for each in found],
        "quarantined": [{"line": row.line, "reason": row.reason} for side in sides for row in side.quarantined],
    }


def _plain(each: Suspicion, table: pa.Table) -> dict[str, object]:
    return {
        "kind": each.kind.value,
        "confidence": each.confidence,
        "creditor": each.creditor,
        "debtor": each.debtor,
        "subject": each.subject,
        "count": each.count,
        "atRisk": show_micros(each.money_at_risk_micros),
        "rule": each.rule,
        "explanation": each.explanation,
        "lines": table["line"].take(pa.array(each.rows)).to_pylist(),
    }


def _registers(path: Path) -> tuple[Registers, Mapping[str, str]]:
    """[licences] and [igws], each name with its times, and [routes], each with its igw."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        got = why_unreadable(error, path)
        raise Malformed("the registers cannot be read", expected="a TOML file", got=got) from None
    except tomllib.TOMLDecodeError as error:
        raise Malformed("the registers are not TOML", expected="TOML 1.0", got=str(error)[:200]) from None
    if unknown := sorted(set(document) - {"licences", "igws", "routes"}):
        raise Malformed("the registers have an unknown table", expected="licences, igws, routes", got=unknown[0])
    licences = {carrier_code(name): times for name, times in _validities(document.get("licences", {}))}
    routes = document.get("routes", {})
    if not isinstance(routes, dict) or not all(isinstance(igw, str) for igw in routes.values()):
        raise Malformed("routes name no igw", expected='"LON-POP1" = "GLOBAL-BEIJING"', got=repr(routes)[:80])
    return Registers(licences, dict(_validities(document.get("igws", {})))), routes


def _validities(table: Any) -> Iterator[tuple[str, tuple[Valid, ...]]]:
    if not isinstance(table, dict):
        raise Malformed("not a register", expected='"GB-B" = [[2026-01-01, 2027-01-01]]', got=repr(table)[:80])
    for name, times in table.items():
        try:
            yield name, tuple(Valid(_ms(begin), _ms(end[0]) if end else None) for begin, *end in times)
        except (TypeError, ValueError, IndexError):
            raise Malformed(
                f"{name} has no times", expected="[[2026-01-01, 2027-01-01]], or one date alone", got=repr(times)[:80]
            ) from None


def _ms(day: Any) -> int:
    if not isinstance(day, date):
        raise TypeError(day)
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000


def _flows(path: Path) -> pa.Table:
    """CSV of port, start_ms, source_as, octets."""
    columns: dict[str, list[object]] = {name: [] for name in FLOW_SCHEMA.names}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            for row in csv.DictReader(file, strict=True):
                for name in FLOW_SCHEMA.names:
                    cell = row[name]
                    columns[name].append(cell if name == "port" else int(cell))
    except (OSError, UnicodeDecodeError) as error:
        raise Malformed("the flows cannot be read", expected="a CSV file", got=why_unreadable(error, path)) from None
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise Malformed(
            "not flows", expected=", ".join(FLOW_SCHEMA.names), got=f"{type(error).__name__} {error}"[:80]
        ) from None
    return pa.Table.from_pydict(columns, schema=FLOW_SCHEMA)


def _networks(path: Path) -> frozenset[int]:
    """AS numbers, one a line, with or without "AS"."""
    try:
        lines = [line.strip().upper().removeprefix("AS") for line in path.read_text("utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        got = why_unreadable(error, path)
        raise Malformed("the networks cannot be read", expected="a text file", got=got) from None
    for line in lines:
        if line and not (line.isascii() and line.isdigit() and len(line) <= 10):
            raise Malformed("not a network", expected="AS64500, one a line", got=repr(line[:40]))
    return frozenset(int(line) for line in lines if line)
