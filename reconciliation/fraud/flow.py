"""What does a search for fraud see of one direction of a carrier's rated usage? Numbers as integers, and columns."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ledger.detector_terms import DetectorTerms
from ledger.identity import CarrierCode
from ledger.money import Micros
from ledger.service import Service
from reconciliation.matching.keys import text_hashes
from reconciliation.matching.side import Flags, Ints, Names, exact_sum
from reconciliation.suspicion import Suspicion, SuspicionKind

MINUTE_MS = 60_000
DAY_MS = 86_400_000
RANGE = 10_000
"""A number range: what an exchange or an operator holds in one piece. An end office of North America has 10,000."""
MAX_DIGITS = 18
_POWERS = np.array([10**power for power in range(MAX_DIGITS + 1)], np.int64)


@dataclass(frozen=True, slots=True)
class Known:
    """What a carrier knows beside its records."""

    premium: tuple[str, ...] = ()
    """Beginnings of numbers that share revenue with whom they belong to."""
    test_numbers: tuple[str, ...] = ()
    """Whole numbers that nobody ever answers, ours or a testing service's."""
    own: tuple[str, ...] = ()
    """Beginnings of our own country's numbers that do not roam."""


@dataclass(frozen=True, slots=True)
class Flow:
    """The rated records of one direction and service; all columns have one entry a record."""

    creditor: CarrierCode
    debtor: CarrierCode
    service: Service
    terms: DetectorTerms
    """Of the two carriers' agreement."""
    calling: Ints
    """E.164 digits as a number, 0 if withheld, negative for what has other characters (a sender's name)."""
    called: Ints
    start_ms: Ints
    quantity: Ints
    charged: Ints
    amount: Ints
    """Micros."""
    route: Names
    destination: Names
    names: pa.ChunkedArray = field(repr=False)
    """The calling parties as written."""

    def __len__(self) -> int:
        return len(self.start_ms)

    @property
    def day(self) -> Ints:
        """UTC days since 1970."""
        return self.start_ms // DAY_MS

    def money_of(self, rows: Ints) -> Micros:
        """What these records cost the debtor."""
        return Micros(exact_sum(self.amount[rows]))

    def suspect(
        self, kind: SuspicionKind, confidence: int, subject: str, rows: Ints, *, rule: str, explanation: str
    ) -> Suspicion:
        """A suspicion about these records, with what they cost at risk."""
        return Suspicion(
            kind=kind,
            confidence=confidence,
            service=self.service,
            creditor=self.creditor,
            debtor=self.debtor,
            subject=subject,
            count=len(rows),
            money_at_risk_micros=self.money_of(rows),
            rows=rows,
            rule=rule,
            explanation=explanation,
        )


def flow_of(
    table: pa.Table,
    creditor: CarrierCode,
    debtor: CarrierCode,
    service: Service = Service.VOICE,
    terms: DetectorTerms | None = None,
) -> Flow:
    """A RatedTable (ledger/usage.py) as a search sees it; rows keep their places."""
    ints = {name: np.asarray(table[name].to_numpy(), np.int64) for name in ("start_ms", "quantity", "charged_quantity")}
    return Flow(
        creditor=creditor,
        debtor=debtor,
        service=service,
        terms=terms or DetectorTerms(),
        calling=numbers_of(table["a_party"]),
        called=numbers_of(table["b_party"]),
        start_ms=ints["start_ms"],
        quantity=ints["quantity"],
        charged=ints["charged_quantity"],
        amount=np.asarray(table["amount_micros"].to_numpy(), np.int64),
        route=_names(table["route"]),
        destination=_names(table["destination"]),
        names=table["a_party"],
    )


def numbers_of(column: pa.ChunkedArray) -> Ints:
    """Digits as a number, "" as 0, any other text as a negative number of its own."""
    digits = pc.and_(pc.string_is_ascii(column), pc.utf8_is_digit(column))
    short = pc.less_equal(pc.binary_length(column), MAX_DIGITS)
    plain = pc.and_(digits, short)
    numbers = np.asarray(pc.if_else(plain, column, "0").cast(pa.int64()).to_numpy(), np.int64)
    others = np.asarray(pc.and_(pc.invert(plain), pc.greater(pc.binary_length(column), 0)).to_numpy(), np.bool_)
    if others.any():
        hashed = (text_hashes(column.filter(pa.array(others))) >> np.uint64(1)).astype(np.int64)
        numbers = numbers.copy()
        numbers[others] = -hashed - 1
    return numbers


def begins(numbers: Ints, beginnings: Iterable[str]) -> Flags:
    """Which numbers begin with one of these digits."""
    size = np.searchsorted(_POWERS, numbers, side="right")
    hit = np.zeros(len(numbers), np.bool_)
    for beginning in beginnings:
        rest = np.clip(size - len(beginning), 0, MAX_DIGITS)
        hit |= (size >= len(beginning)) & (numbers // _POWERS[rest] == int(beginning)) & (numbers > 0)
    return hit


def minute_price(flow: Flow, rows: Ints) -> int:
    """Micros for a charged minute of these records together, rounded down; 0 if nothing was charged."""
    charged = exact_sum(flow.charged[rows])
    return exact_sum(flow.amount[rows]) * MINUTE_MS // charged if charged else 0


def middle_price(flow: Flow) -> int:
    """Micros for a minute of the record in the middle, by price."""
    charged = np.flatnonzero(flow.charged > 0)
    return middle(flow.amount[charged] * MINUTE_MS // flow.charged[charged])


def middle(values: Ints) -> int:
    """The lower of the values in the middle; 0 of none."""
    if len(values) == 0:
        return 0
    at = (len(values) - 1) // 2
    return int(np.partition(values, at)[at])


def is_dear(flow: Flow, rows: Ints, usual: int, known: Known) -> bool:
    """Whether records cost several times the direction's usual minute, or go to ranges that share revenue."""
    if begins(flow.called[rows], known.premium).mean() > 0.5:
        return True
    return usual > 0 and minute_price(flow, rows) >= usual * flow.terms.dear_times


def range_words(numbers: Sequence[int] | Ints) -> str:
    """The range of 10,000 that numbers are in: "1900155*"."""
    return f"{int(numbers[0]) // RANGE}*"


def _names(column: pa.ChunkedArray) -> Names:
    texts = sorted(pc.unique(column).to_pylist())
    codes = pc.index_in(column, value_set=pa.array(texts, pa.string()))
    return Names(np.asarray(codes.to_numpy(), np.int64), tuple(texts))
