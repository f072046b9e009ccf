"""What does a message cost? By the recipient's network (MCC and MNC), per message or per segment, as agreed.

Which messages are charged is decided where they are read, since only their receipts say whether they were delivered:
`is_charged`. So is what a record counts: `messages_or_segments`. From then on a record's quantity is what is charged.
"""

import pyarrow as pa

from ledger.agreement import Agreement
from ledger.errors import Malformed
from ledger.prices.deck import DeckHistory
from ledger.prices.exact_rating import check_history, rate_by_route
from ledger.prices.rating import Rating
from ledger.prices.service_terms import SmsBasis, SmsTerms, SmsUnit
from ledger.service import Service

ALONE_AND_JOINED = {"gsm7": (160, 153), "ucs2": (70, 67), "octets": (140, 134)}
"""Characters of a message that is one segment, and of each segment of a longer one, by encoding: 140 octets, of which
joining takes 6 (3GPP TS 23.038 and 23.040). GSM 7-bit counts septets, so a character such as € counts two; UCS-2 counts
UTF-16 units."""
MCC_DIGITS = 3
DELIVERED = frozenset({"DELIVRD", "DELIVERED"})
"""What a receipt says of a delivered message (SMPP 3.4, appendix B), in capitals."""


def rate_messages(usage: pa.Table, history: DeckHistory, agreement: Agreement) -> Rating:
    """Price a UsageTable of messages by network: its own rate, else its country's. Raises as `rate_by_route` does."""
    check_history(history, Service.SMS, agreement.currency)
    return rate_by_route(usage, history, agreement, codes_of_network, "network")


def codes_of_network(route: str) -> tuple[str, ...]:
    """The deck's codes for a network written 46000 or 460-00: the network's, then its country's; none if it is none."""
    mcc, dash, mnc = route.partition("-")
    if not dash:
        mcc, mnc = route[:MCC_DIGITS], route[MCC_DIGITS:]
    if len(mcc) != MCC_DIGITS or not (mcc + mnc).isascii() or not (mcc + mnc).isdigit() or len(mnc) not in (0, 2, 3):
        return ()
    return (mcc + mnc, mcc) if mnc else (mcc,)


def segments_of(length: int, encoding: str) -> int:
    """In how many segments a text of that many characters goes over the air. Raises Malformed."""
    if encoding not in ALONE_AND_JOINED:
        raise Malformed("not an encoding of a message", expected=", ".join(ALONE_AND_JOINED), got=encoding[:20])
    if length < 0:
        raise Malformed("not the length of a message", expected="0 or more", got=length)
    alone, joined = ALONE_AND_JOINED[encoding]
    return 1 if length <= alone else -(-length // joined)


def messages_or_segments(terms: SmsTerms, parts: int | None, length: int | None, encoding: str | None) -> int:
    """A message's quantity: 1, or its segments. Where the text's length and encoding are known they decide, else what
    the switch counted as parts. Raises Malformed where segments are charged and nothing tells them."""
    if terms.unit is SmsUnit.MESSAGE:
        return 1
    if length is not None and encoding is not None:
        return segments_of(length, encoding)
    if parts is None or parts < 1:
        raise Malformed("nothing tells the message's segments", expected="parts, or encoding and length", got=parts)
    return parts


def is_charged(terms: SmsTerms, status: str) -> bool:
    """Whether a message with this receipt is charged. On submission every one is, on delivery what was delivered."""
    return terms.basis is SmsBasis.SUBMIT or status.strip().upper() in DELIVERED
