"""How does a receiver know that a message is ours? HMAC-SHA256 as the Standard Webhooks specification has it."""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Mapping

SECRET_BYTES = 32
"""The specification asks for 24 to 64."""
PREFIX = "whsec_"


def show_secret(secret: bytes) -> str:
    """A secret as its receiver keeps it: `whsec_` and base64."""
    return PREFIX + b64encode(secret).decode("ascii")


def signed_headers(secret: bytes, message_id: str, timestamp: int, body: bytes) -> Mapping[str, str]:
    """The three headers of a message; `timestamp` in seconds, of this attempt.

    Source: Standard Webhooks, "Signature scheme": v1 signs `id.timestamp.body`.
    """
    signed = f"{message_id}.{timestamp}.".encode("ascii") + body
    signature = b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode("ascii")
    return {"webhook-id": message_id, "webhook-timestamp": str(timestamp), "webhook-signature": f"v1,{signature}"}
