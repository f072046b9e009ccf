"""What do callers send to log in, and what do they hear?"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from gateway.api.models import CarrierText, Hex32, Signature, Strict

KeyText = Annotated[str, Field(pattern="^0x[0-9a-fA-F]{40}$", examples=["0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"])]
HexText = Annotated[str, Field(pattern="^0x[0-9a-f]*$")]
Seconds = Annotated[int, Field(ge=0, lt=2**53, description="Seconds since 1970, UTC")]
Label = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f]+$", examples=["yearly audit"])]


class ChallengeBody(Strict):
    """Whose challenge: a registered carrier's key, or without carrier a key that the desk let in."""

    key: KeyText
    carrier: CarrierText | None = None


class SignedChallenge(Strict):
    """A challenge as it was drawn."""

    audience: CarrierText
    carrier: CarrierText | None
    key: KeyText
    nonce: Hex32
    issuedAt: Seconds  # noqa: N815
    expiresAt: Seconds  # noqa: N815


class SignatureBody(Strict):
    """The challenge and the signature over its EIP-712 digest."""

    challenge: SignedChallenge
    signature: Signature


class CodeBody(Strict):
    """A code that the desk gave out; good once."""

    code: Annotated[str, Field(min_length=16, max_length=64, pattern="^[A-Za-z0-9_-]+$")]


class GrantBody(Strict):
    """Whom to let in as auditor: the holder of a key, or without key whoever shows the code in the answer."""

    label: Label
    key: KeyText | None = None
    days: Annotated[int, Field(ge=1, le=366)] = 30


class Told(BaseModel):
    """An answer."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True)


class ChallengeTold(Told):
    """A challenge: sign `digest`, or `typedData` with a tool that takes EIP-712 (`eth_signTypedData_v4`)."""

    type: Literal["loginChallenge"] = Field(default="loginChallenge", serialization_alias="@type")
    challenge: dict[str, str | int | None]
    digest: HexText
    typedData: dict[str, object]  # noqa: N815


class SessionTold(Told):
    """A session; without `expiresAt` it is as good as the operator's token."""

    type: Literal["session"] = Field(default="session", serialization_alias="@type")
    role: Literal["desk", "auditor", "carrier"]
    carrier: str | None
    expiresAt: str | None  # noqa: N815
    csrf: str


class OpenedTold(SessionTold):
    """A new session with its bearer token, which is told once."""

    token: str


class LinkTold(Told):
    """A link that opens one desk session in a browser."""

    type: Literal["loginLink"] = Field(default="loginLink", serialization_alias="@type")
    href: str
    expiresAt: str  # noqa: N815


class GrantTold(Told):
    """Whom the desk let in as auditor; `code` is told once, when it is drawn."""

    type: Literal["accessGrant"] = Field(default="accessGrant", serialization_alias="@type")
    id: str
    href: str
    label: str
    state: Literal["open", "used", "ended", "expired"]
    key: str | None
    grantedAt: str  # noqa: N815
    expiresAt: str  # noqa: N815
    code: str | None = None
