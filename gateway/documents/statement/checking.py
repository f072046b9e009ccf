"""Does a statement's PDF hold? Its hash from its lines, its signatures, its page drawn again, and the chain's word."""

import zlib
from dataclasses import dataclass

from gateway import verify_bundle
from gateway.composition import Gateway
from gateway.desk.wording import LANGUAGES
from gateway.documents.statement.content import Content
from gateway.documents.statement.pdf import draw_pdf
from ledger.chain.bindings import (
    calldata_settlement_book_agreed_statement,
    result_settlement_book_agreed_statement,
)
from ledger.errors import Malformed
from ledger.identity import AgreementId


@dataclass(frozen=True, slots=True)
class Checked:
    """What holds of a file and what does not, a sentence each."""

    content: Content
    proven: tuple[str, ...]
    faults: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.faults


def check_pdf(pdf: bytes, gateway: Gateway | None = None) -> Checked:
    """Check a statement's PDF offline, and against the chain if a gateway is given. Raises Malformed, Unavailable.

    The hash is reckoned from the lines that lie in the file. That the page shows those lines and that hash, drawing it
    again shows: the same content gives the same bytes.
    """
    try:
        content = verify_bundle.attached_statement(pdf)
        proven, faults = verify_bundle.verify_statement(content)
        drawn = _drawn_languages(pdf, content) if not faults else []
    except (*verify_bundle.MALFORMED, zlib.error) as error:
        raise Malformed(
            "not a statement's PDF", expected="a PDF made by `gsc document statement`", got=verify_bundle.told(error)
        ) from None
    if drawn:
        proven.append(f"the page ({drawn[0]}) shows this content and nothing else: drawn again it is the same file")
    elif not faults:
        faults.append(
            "the page is not the one that this content gives: it was changed, or drawn by another version of gsc"
        )
    if gateway is not None:
        told = _on_chain(gateway, content)
        (faults if told.startswith("chain: not") else proven).append(told)
    return Checked(content, tuple(proven), tuple(faults))


def _drawn_languages(pdf: bytes, content: Content) -> list[str]:
    return [language for language in LANGUAGES if draw_pdf(content, language) == pdf]


def _on_chain(gateway: Gateway, content: Content) -> str:
    """What the settlement book says of the content's agreement and month."""
    statement, book = content["statement"], gateway.network.settlement_book
    named = content["domain"]["verifyingContract"]
    if (named.lower(), int(content["domain"]["chainId"])) != (book.lower(), gateway.network.chain_id):
        return f"chain: not ours: it is signed for {named} on chain {content['domain']['chainId']}"
    call = calldata_settlement_book_agreed_statement(
        AgreementId(bytes.fromhex(statement["agreementId"][2:])), int(statement["period"])
    )
    agreed = gateway.client.view(book, call, result_settlement_book_agreed_statement)
    if agreed == bytes(32):
        return (
            "chain: no statement of this month is agreed yet; this is a draft"
            if content["state"] == "draft"
            else ("chain: not agreed: the settlement book holds no statement of this agreement and month")
        )
    if f"0x{agreed.hex()}" != content["statementId"]:
        return f"chain: not the agreed one: the settlement book holds 0x{agreed.hex()}"
    return f"chain: the settlement book {book} holds this hash for this agreement and month"
