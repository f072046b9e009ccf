"""What do callers send? Strict models: unknown keys refused, ASCII digits, money as {"unit", "value"}."""

from base64 import b64decode
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from ledger.errors import CurrencyMismatch, GscError
from ledger.identity import carrier_code
from ledger.money import parse_micros
from ledger.period import parse_period


def _checked_carrier(text: str) -> str:
    _plain(carrier_code, text)
    return text


def _checked_period(text: str) -> str:
    _plain(parse_period, text)
    return text


def _plain(parse: Callable[[str], object], text: str) -> None:
    """The parser's word for a refusal, as pydantic takes it."""
    try:
        parse(text)
    except GscError as error:
        raise ValueError(f"{error.message}: {error.expected}") from None


def _bytes_of(text: object) -> object:
    if not isinstance(text, str) or not text.startswith("0x") or len(text) % 2 or not text.isascii():
        raise ValueError("expected 0x and an even number of hexadecimal digits")
    try:
        return bytes.fromhex(text[2:])
    except ValueError:
        raise ValueError("expected hexadecimal digits after 0x") from None


def _content_of(text: object) -> object:
    try:
        return b64decode(text.encode("ascii"), validate=True) if isinstance(text, str) else text
    except ValueError:
        raise ValueError("expected base64") from None


CODE_PATTERN = r"^[A-Z0-9-]{1,32}$"
"""Of a licence or an international gateway in the registry."""
CarrierText = Annotated[
    str,
    AfterValidator(_checked_carrier),
    Field(examples=["GB-B"], json_schema_extra={"pattern": "^[A-Z0-9-]{1,32}$"}),
]
PeriodText = Annotated[
    str,
    AfterValidator(_checked_period),
    Field(examples=["2026-10"], json_schema_extra={"pattern": r"^20[0-9]{2}-(0[1-9]|1[0-2])$"}),
]
HexBytes = Annotated[
    bytes,
    BeforeValidator(_bytes_of, json_schema_input_type=str),
    WithJsonSchema({"type": "string", "pattern": "^0x([0-9a-fA-F]{2})*$"}),
]
Hex32 = Annotated[
    bytes,
    BeforeValidator(_bytes_of, json_schema_input_type=str),
    Field(min_length=32, max_length=32),
    WithJsonSchema({"type": "string", "pattern": "^0x[0-9a-fA-F]{64}$", "examples": ["0x" + "0" * 64]}),
]
Signature = Annotated[
    bytes,
    BeforeValidator(_bytes_of, json_schema_input_type=str),
    Field(min_length=65, max_length=65),
    WithJsonSchema({"type": "string", "pattern": "^0x[0-9a-fA-F]{130}$"}),
]


class Strict(BaseModel):
    """A request body: nothing coerced, nothing ignored."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class MoneyBody(Strict):
    """An amount with its unit."""

    unit: Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["USD"])]
    value: Annotated[str, Field(max_length=24, examples=["251330.02"])]

    def micros(self, currency: str) -> int:
        """The amount in micros of that currency. Raises CurrencyMismatch or Malformed."""
        if self.unit != currency:
            raise CurrencyMismatch("the amount is in another currency", expected=currency, got=self.unit)
        return parse_micros(self.value)


class MonthBody(Strict):
    """Which partner and month a verb works on; without partner all of them."""

    partner: CarrierText | None = None
    period: PeriodText | None = None


class CorrectionsBody(MonthBody):
    """Which closed month to correct, and what data and private lines cross the border by."""

    igw: Annotated[str | None, Field(pattern=CODE_PATTERN, examples=["GLOBAL-BEIJING"])] = None


class DeclarationsBody(MonthBody):
    """What to declare, what data and private lines cross the border by, and whether the records travel inside."""

    inline: bool = False

    igw: Annotated[str | None, Field(pattern=CODE_PATTERN, examples=["GLOBAL-BEIJING"])] = None


class PartnerMonthBody(Strict):
    """One partner's month."""

    partner: CarrierText
    period: PeriodText


class DisputesBody(PartnerMonthBody):
    """A month to dispute; `unrevealed` disputes in full what the partner did not reveal, `again` what we withdrew."""

    unrevealed: bool = False
    again: bool = False


class CloseBody(Strict):
    """A month to close; without partner with all of them."""

    period: PeriodText
    partner: CarrierText | None = None


class ArbitrageBody(Strict):
    """Which month to search; without period the last one declared."""

    period: PeriodText | None = None


class PartnerBody(Strict):
    """One partner."""

    partner: CarrierText


class RatesBody(Strict):
    """A deck of the decks folder to publish for a partner."""

    partner: CarrierText
    deck: Annotated[str, Field(max_length=200, pattern=r"^[^\x00]+$", examples=["uk-2026-09.csv"])]
    effectiveAt: Annotated[int, Field(ge=0, lt=2**53, description="Seconds since 1970, UTC")]  # noqa: N815
    service: Annotated[str, Field(pattern="^(voice|sms|data|ipl)$")] = "voice"
    change: Annotated[str | None, Field(pattern="^(initial|increase|decrease)$")] = None


class CreditBody(Strict):
    """A credit line for a debtor."""

    creditLimit: MoneyBody  # noqa: N815
    policy: Annotated[str, Field(pattern="^(refuse|flag)$")] = "refuse"


class ResolutionBody(Strict):
    """How much of a dispute is credited; the rest is due."""

    credited: MoneyBody


class CycleBody(Strict):
    """A netting cycle to draw, sign and submit."""

    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "USD"


class PayableBody(Strict):
    """One payable."""

    payable: Hex32


class PaymentBody(PayableBody):
    """A payment; without amount all that is outstanding."""

    amount: MoneyBody | None = None


class DepositBody(Strict):
    """Money to put down for what we owe a partner."""

    partner: CarrierText
    amount: MoneyBody


class WithdrawalBody(DepositBody):
    """Money to take back, to our sending address unless told otherwise."""

    to: Annotated[str | None, Field(pattern="^0x[0-9a-fA-F]{40}$")] = None


class ConfirmationBody(PayableBody):
    """The creditor's word that money arrived."""

    amount: MoneyBody
    bankReference: Annotated[str, Field(min_length=1, max_length=140)]  # noqa: N815


class RevealBody(Strict):
    """A peer's signed reveal request in canonical bytes."""

    request: Annotated[HexBytes, Field(max_length=1024)]
    signature: Signature


class ProposalBody(Strict):
    """A struct a peer has signed and wants signed, in canonical bytes."""

    kind: Annotated[str, Field(pattern="^(agreement|amendment|statement|resolution|netting_cycle)$")]
    struct: Annotated[HexBytes, Field(max_length=65_536)]
    signer: CarrierText
    signature: Signature


class FileBody(Strict):
    """A file of an entry; `content` in base64."""

    name: Annotated[str, Field(min_length=1, max_length=120, examples=["switch-log.csv"])]
    content: Annotated[bytes, BeforeValidator(_content_of, json_schema_input_type=str)]


class EntryBody(Strict):
    """An entry of a dispute's thread: what its author signed, in canonical bytes, and what the hashes stand for."""

    struct: Annotated[HexBytes, Field(max_length=1_024)]
    signature: Signature
    text: Annotated[str, Field(max_length=4_000)]
    files: Annotated[list[FileBody], Field(max_length=5)]
