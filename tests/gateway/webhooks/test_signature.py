"""Is a message signed as the Standard Webhooks specification says?"""

import base64
import hashlib

from hypothesis import given
from hypothesis import strategies as st

from gateway.webhooks.signature import SECRET_BYTES, show_secret, signed_headers

# The reference vector of the Standard Webhooks libraries: secret, id, timestamp, body, signature.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE, TIMESTAMP, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_published_vector_is_signed_as_published() -> None:
    secret = base64.b64decode(SECRET.removeprefix("whsec_"))
    assert signed_headers(secret, MESSAGE, TIMESTAMP, BODY) == {
        "webhook-id": MESSAGE,
        "webhook-timestamp": "1614265330",
        "webhook-signature": SIGNATURE,
    }
    assert show_secret(secret) == SECRET


@given(secret=st.binary(min_size=24, max_size=64), body=st.binary(max_size=200), at=st.integers(0, 2**40))
def test_any_message_is_signed_as_hmac_is_defined(secret: bytes, body: bytes, at: int) -> None:
    """RFC 2104 by hand: H(key ^ opad, H(key ^ ipad, text))."""
    key = secret.ljust(64, b"\0")
    text = b"evt_1." + str(at).encode() + b"." + body
    inner = hashlib.sha256(bytes(each ^ 0x36 for each in key) + text).digest()
    outer = hashlib.sha256(bytes(each ^ 0x5C for each in key) + inner).digest()

    assert signed_headers(secret, "evt_1", at, body)["webhook-signature"] == f"v1,{base64.b64encode(outer).decode()}"


def test_a_secret_is_as_long_as_the_specification_asks() -> None:
    assert 24 <= SECRET_BYTES <= 64
