"""What do tests of the statement need? The content of a statement that two keys signed, made without a chain."""

import copy
from typing import Any

from gateway import verify_bundle
from gateway.answers import as_json
from gateway.documents.on_chain import plain_struct
from ledger.chain.bindings import Statement, StatementLine
from ledger.identity import AgreementId, ascii32
from ledger.service import Service
from ledger.typed_data import Domain, address_of_key, digest, sign_digest

KEYS = {"CN-T": bytes(31) + b"\x07", "GB-B": bytes(31) + b"\x09"}
DOMAIN = Domain(chain_id=1337, verifying_contract=address_of_key(bytes(31) + b"\x01"))
STATEMENT = Statement(
    agreement_id=AgreementId(bytes(31) + b"\x05"),
    period=202610,
    lines=(
        StatementLine(ascii32("CN-T"), Service.VOICE, 1_204_100_000, 1_204_100_000, 1_204_100_000, 0),
        StatementLine(ascii32("GB-B"), Service.VOICE, 9_500_000_000, 9_100_000_001, 9_150_000_000, 350_000_000),
        StatementLine(ascii32("GB-B"), Service.SMS, 0, 20_000, 0, 0),
    ),
    batches_hash=bytes(range(32)),
    deadline=1_800_000_000,
)


def statement_of_october(state: str = "agreed") -> dict[str, Any]:
    """CN-T's statement with GB-B: one dispute, three causes, and messages that GB-B did not declare."""
    over = digest(STATEMENT, DOMAIN)
    signers = {"agreed": ("CN-T", "GB-B"), "by_silence": ("GB-B",), "draft": ()}[state]
    content = {
        "format": verify_bundle.STATEMENT_FORMAT,
        "drawnBy": "CN-T",
        "partner": "GB-B",
        "period": "2026-10",
        "currency": "USD",
        "network": {"name": "test", "chainId": 1337},
        "domain": DOMAIN,
        "statementId": over,
        "state": state,
        "statement": plain_struct(STATEMENT),
        "signatures": [
            {"carrier": each, "signer": address_of_key(KEYS[each]), "signature": sign_digest(KEYS[each], over)}
            for each in signers
        ],
        "standing": None
        if state == "draft"
        else {"transactionHash": bytes(32), "blockNumber": 28, "agreedAt": 1_793_491_808, "dueAt": 1_796_083_808},
        "counts": [
            {"creditor": "CN-T", "service": "voice", "ours": 60, "theirs": 60},
            {"creditor": "GB-B", "service": "voice", "ours": 71_000, "theirs": 72_000},
            {"creditor": "GB-B", "service": "sms", "ours": 1, "theirs": 0},
        ],
        "causes": [
            cause("missing_at_ours", 900, -350_000_000),
            cause("duration_within_tolerance", 41, -60_000_000),
            cause("rounding", 100, 10_000_001),
        ],
        "disputes": [
            {
                "disputeId": b"\x40" * 32,
                "creditor": "GB-B",
                "service": "voice",
                "reason": "missing_at_ours",
                "state": "generated",
                "amountMicros": "350000000",
                "creditedMicros": "0",
                "dueMicros": "0",
            }
        ],
    }
    plain: dict[str, Any] = as_json(content)
    return plain


def cause(name: str, count: int, micros: int) -> dict[str, object]:
    return {"creditor": "GB-B", "service": "voice", "cause": name, "count": count, "amountMicros": str(micros)}


def changed(path: tuple[str | int, ...], value: object, state: str = "agreed") -> dict[str, Any]:
    """The content with one value another one."""
    content = copy.deepcopy(statement_of_october(state))
    at: Any = content
    for step in path[:-1]:
        at = at[step]
    assert at[path[-1]] != value, "the change changes nothing"
    at[path[-1]] = value
    return content
