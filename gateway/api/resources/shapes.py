"""What has every resource? An id, an address and a type; money and moments as everywhere.

With `fields` an answer has these three and what was asked for, so a schema requires no more than them.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from gateway.answers import Money
from gateway.api.times import utc_of_ms, utc_of_s
from ledger.money import Micros

ALWAYS = ("id", "href", "@type")
Hex32Text = Annotated[str, Field(pattern="^0x[0-9a-f]{64}$")]
Moment = Annotated[
    str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", examples=["2026-11-05T09:30:00.000Z"])
]
PeriodWord = Annotated[str, Field(pattern=r"^\d{4}-\d\d$", examples=["2026-10"])]
CarrierWord = Annotated[str, Field(pattern="^[A-Z0-9-]{1,32}$", examples=["GB-B"])]
ServiceWord = Annotated[str, Field(pattern="^(voice|sms|data|ipl)$")]


def _only_the_head(schema: dict[str, Any]) -> None:
    schema["required"] = [name for name in ALWAYS if name in schema.get("properties", {})]


class MoneyShape(BaseModel):
    """An amount; `value` is decimal digits, never a float."""

    model_config = ConfigDict(extra="forbid")

    unit: Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["USD"])]
    value: Annotated[str, Field(pattern=r"^-?\d+\.\d{6}$", examples=["251330.020000"])]


class Reference(BaseModel):
    """Another resource."""

    model_config = ConfigDict(extra="forbid")

    id: str
    href: str


class Resource(BaseModel):
    """The head of every resource."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_only_the_head, serialize_by_alias=True)

    id: str
    href: str


def money(unit: str, micros: int) -> MoneyShape:
    """An amount in micros as JSON has it."""
    from gateway.answers import as_json

    return MoneyShape(**as_json(Money(unit, Micros(micros))))


def hexed(raw: bytes) -> str:
    """Bytes as 0x and digits."""
    return f"0x{raw.hex()}"


def maybe_hex(raw: bytes | None) -> str | None:
    """Likewise; nothing for nothing and for zeros."""
    return None if raw is None or not any(raw) else hexed(raw)


def moment_s(seconds: int | None) -> str | None:
    """Seconds as a moment; those after the year 9999, which nobody means, as none."""
    return None if seconds is None or seconds >= 253_402_300_800 else utc_of_s(seconds)


def moment_ms(ms: int | None) -> str | None:
    """Milliseconds as a moment."""
    return None if ms is None else utc_of_ms(ms)


def words_of(state: str) -> str:
    """PAYMENT_DUE → paymentDue, as MEF and TM Forum write states."""
    head, *rest = state.lower().split("_")
    return head + "".join(part.capitalize() for part in rest)
