"""What did the engine find? Differences of a month, arbitrage, and suspicions of fraud and forgery: ours alone."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from gateway.api.models import PeriodText
from gateway.api.resources.kind import Asked, Kind
from gateway.api.resources.months import AskedMonth, months_of
from gateway.api.resources.shapes import (
    CarrierWord,
    Moment,
    MoneyShape,
    PeriodWord,
    Resource,
    ServiceWord,
    moment_ms,
    money,
)
from gateway.composition import Gateway
from ledger.money import Micros
from ledger.period import parse_period
from ledger.store.arbitrages import list_arbitrages
from ledger.store.engine import reading
from ledger.store.findings import latest_reconciliations, list_findings
from ledger.store.suspicions import list_suspicions


class FindingShape(Resource):
    """One explained difference of the latest reconciliation of a direction."""

    type: Literal["finding"] = Field(default="finding", serialization_alias="@type")
    partner: CarrierWord
    period: PeriodWord
    creditor: CarrierWord
    service: ServiceWord
    cause: str
    severity: str
    recordCount: int  # noqa: N815
    ours: MoneyShape
    theirs: MoneyShape
    difference: MoneyShape
    """Ours minus theirs."""
    route: str | None
    destination: str | None
    day: str | None
    explanation: str
    rule: str
    reconciledAt: Moment | None  # noqa: N815


class ArbitrageShape(Resource):
    """A way round a price of ours, with what it cost and what is at risk."""

    type: Literal["arbitrageFinding"] = Field(default="arbitrageFinding", serialization_alias="@type")
    period: PeriodWord
    scheme: str
    cycle: list[str]
    loser: CarrierWord
    destination: str
    recordCount: int  # noqa: N815
    minutes: int
    lost: MoneyShape
    atRisk: MoneyShape  # noqa: N815
    explanation: str
    foundAt: Moment | None  # noqa: N815


class SuspicionShape(Resource):
    """A suspicion of fraud or forgery, with its rule and what is at risk."""

    type: Literal["suspicion"] = Field(default="suspicion", serialization_alias="@type")
    period: PeriodWord
    suspectedOf: str  # noqa: N815
    confidencePercent: int  # noqa: N815
    creditor: CarrierWord
    debtor: CarrierWord
    service: ServiceWord
    subject: str
    recordCount: int  # noqa: N815
    atRisk: MoneyShape  # noqa: N815
    rule: str
    explanation: str
    foundAt: Moment | None  # noqa: N815


class AskedFinding(AskedMonth):
    """Filters of findings."""

    creditor: str | None = Field(default=None, max_length=32)
    service: Literal["voice", "sms", "data", "ipl"] | None = None
    cause: str | None = Field(default=None, max_length=80)
    severity: str | None = Field(default=None, max_length=40)


class AskedSearch(Asked):
    """Filters of what a search of a month found; by default of the last months."""

    period: PeriodText | None = None


def _findings(gateway: Gateway, asked: AskedMonth) -> Sequence[FindingShape]:
    with reading(gateway.engine) as connection:
        return [
            FindingShape(
                id=f"{run.id}.{at}",
                href=f"/v1/finding/{run.id}.{at}",
                partner=held.partner,
                period=str(period),
                creditor=row.creditor,
                service=row.service.word,
                cause=row.cause,
                severity=row.severity,
                recordCount=row.count,
                ours=money(held.currency, row.ours_micros),
                theirs=money(held.currency, row.theirs_micros),
                difference=money(held.currency, Micros(row.ours_micros - row.theirs_micros)),
                route=row.route,
                destination=row.destination,
                day=row.day,
                explanation=row.explanation,
                rule=row.rule,
                reconciledAt=moment_ms(run.reconciled_at_ms),
            )
            for held, period in months_of(connection, gateway, asked)
            for run in latest_reconciliations(connection, held.id, period)
            for at, row in enumerate(list_findings(connection, run.id or 0), 1)
        ]


def _arbitrage(gateway: Gateway, asked: AskedSearch) -> Sequence[ArbitrageShape]:
    with reading(gateway.engine) as connection:
        return [
            ArbitrageShape(
                id=f"{row.period}.{row.number}",
                href=f"/v1/arbitrageFinding/{row.period}.{row.number}",
                period=str(row.period),
                scheme=row.scheme,
                cycle=row.cycle.split(">"),
                loser=row.loser,
                destination=row.destination,
                recordCount=row.count,
                minutes=row.minutes,
                lost=money(row.currency, row.lost_micros),
                atRisk=money(row.currency, row.at_risk_micros),
                explanation=row.explanation,
                foundAt=moment_ms(row.found_at_ms),
            )
            for row in list_arbitrages(connection, None if asked.period is None else parse_period(asked.period))
        ]


def _suspicions(gateway: Gateway, asked: AskedSearch) -> Sequence[SuspicionShape]:
    with reading(gateway.engine) as connection:
        return [
            SuspicionShape(
                id=f"{row.period}.{row.number}",
                href=f"/v1/suspicion/{row.period}.{row.number}",
                period=str(row.period),
                suspectedOf=row.kind,
                confidencePercent=row.confidence,
                creditor=row.creditor,
                debtor=row.debtor,
                service=row.service.word,
                subject=row.subject,
                recordCount=row.count,
                atRisk=money(row.currency, row.at_risk_micros),
                rule=row.rule,
                explanation=row.explanation,
                foundAt=moment_ms(row.found_at_ms),
            )
            for row in list_suspicions(connection, None if asked.period is None else parse_period(asked.period))
        ]


FINDING = Kind("finding", FindingShape, AskedFinding, _findings, "1.1")
ARBITRAGE_FINDING = Kind("arbitrageFinding", ArbitrageShape, AskedSearch, _arbitrage, "2026-10.1")
SUSPICION = Kind("suspicion", SuspicionShape, AskedSearch, _suspicions, "2026-10.1")
