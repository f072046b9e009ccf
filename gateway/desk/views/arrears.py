"""What is late, how late, and what has it cost so far? Age bands, interest, and the ladder."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.composition import Gateway, partnerships
from gateway.desk.views.payables import PayableRow, payable_rows
from gateway.month.paying import aged_of
from gateway.month.versions import in_force
from ledger.identity import CarrierCode
from ledger.store.engine import reading
from ledger.store.settlement import ArrearsRow, PaymentRow, list_arrears, list_payables, list_payments
from reconciliation.settling.ageing import ArrearsStage, Band

LADDER = tuple(ArrearsStage)


@dataclass(frozen=True, slots=True)
class BandRow:
    """What one partner owes us, or we owe it, by age."""

    partner: str
    currency: str
    owed_to_us: bool
    bands: Sequence[int]
    """Micros for each Band, in its order."""
    interest_micros: int

    @property
    def total_micros(self) -> int:
        return sum(self.bands)


@dataclass(frozen=True, slots=True)
class LadderRow:
    """One open payable and how far up the ladder it is."""

    row: PayableRow
    partner: str
    currency: str
    band: str
    cycle: str
    steps: Sequence[tuple[str, str]]
    """Each stage's word and whether it is done, now or to come."""
    next_at: int | None
    """Seconds; when the next stage is ripe."""
    taken: Sequence[ArrearsRow]
    payments: Sequence[PaymentRow]


@dataclass(frozen=True, slots=True)
class ArrearsView:
    """Everything open, oldest first."""

    bands: Sequence[BandRow]
    rows: Sequence[LadderRow]
    paid: Sequence[PayableRow]
    at: int


def arrears_view(gateway: Gateway) -> ArrearsView:
    """The page of arrears."""
    now_ms = gateway.clock.now_ms()
    bands: dict[tuple[CarrierCode, bool], list[int]] = {}
    interest: dict[tuple[CarrierCode, bool], int] = {}
    rows: list[LadderRow] = []
    held_all = list(partnerships(gateway.settings).values())
    with reading(gateway.engine) as connection:
        shown = {row.id: row for row in payable_rows(connection, held_all, now_ms)}
        for held in held_all:
            for stored in list_payables(connection, held.id):
                row = shown[f"0x{stored.payable_id.hex()}"]
                if not stored.outstanding_micros:
                    continue
                terms = in_force(connection, held, stored.due_at)
                aged = aged_of(stored, terms, now_ms)
                key = (held.partner, stored.creditor == gateway.carrier)
                bands.setdefault(key, [0] * len(Band))[aged.band] += stored.outstanding_micros
                interest[key] = interest.get(key, 0) + aged.interest_micros
                payment = terms.agreement.payment
                rows.append(
                    LadderRow(
                        row=row,
                        partner=held.partner,
                        currency=held.currency,
                        band=aged.band.words,
                        cycle=f"0x{stored.cycle_id.hex()}",
                        steps=ladder(ArrearsStage(stored.stage), aged.stage),
                        next_at=next_step_at(
                            stored.due_at, aged.stage, payment.stop_credit_days, payment.terminate_days
                        ),
                        taken=list_arrears(connection, stored.payable_id),
                        payments=list_payments(connection, stored.payable_id),
                    )
                )
    currency = {held.partner: held.currency for held in held_all}
    return ArrearsView(
        bands=[
            BandRow(partner, currency[partner], ours, amounts, interest[partner, ours])
            for (partner, ours), amounts in sorted(bands.items())
        ],
        rows=sorted(rows, key=lambda each: (each.row.due_at, each.row.id)),
        paid=[row for row in shown.values() if not row.outstanding_micros],
        at=now_ms // 1000,
    )


def ladder(on_chain: ArrearsStage, ripe: ArrearsStage) -> list[tuple[str, str]]:
    """The stages: taken on chain, ripe but not taken yet, and still to come."""
    return [
        (stage.name.lower(), "done" if stage <= on_chain else "now" if stage <= ripe else "todo") for stage in LADDER
    ]


def next_step_at(due_at: int, ripe: ArrearsStage, stop_days: int, terminate_days: int) -> int | None:
    """When the next stage is ripe, in seconds; None at the top."""
    days = {ArrearsStage.CURRENT: 0, ArrearsStage.OVERDUE: stop_days, ArrearsStage.CREDIT_STOPPED: terminate_days}
    return due_at + days[ripe] * 86_400 if ripe in days else None
