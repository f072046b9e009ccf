"""Is every change to a statement's PDF found: in its lines, its signatures, its causes, its page?"""

import json
import zlib
from typing import Any

import pytest

from gateway import verify_bundle
from gateway.documents.statement import pdf as pdf_module
from gateway.documents.statement.checking import check_pdf
from gateway.documents.statement.page import page_of
from gateway.documents.statement.pdf import draw_pdf
from ledger.chain.bindings import Dispute, Statement, StatementLine
from ledger.errors import Malformed
from ledger.typed_data import address_of_key, digest, sign_digest
from tests.gateway.documents.statement.contents import DOMAIN, STATEMENT, cause, changed, statement_of_october

LINE = ("statement", "lines", 1)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ((*LINE, "agreedMicros"), "9150000001", "was changed after it was signed"),
        ((*LINE, "creditorMicros"), "9500000001", "agreed and withheld are not what the creditor claims"),
        ((*LINE, "debtorMicros"), "1", "the causes sum to"),
        ((*LINE, "service"), "2", "was changed after it was signed"),
        (("statement", "batchesHash"), "0x" + "00" * 32, "was changed after it was signed"),
        (("statement", "deadline"), "1800000001", "was changed after it was signed"),
        (("statementId",), "0x" + "11" * 32, "as printed"),
        (("period",), "2026-11", "it is of 202610, not of 2026-11"),
        (("domain", "chainId"), 1, "was changed after it was signed"),
        (("domain", "verifyingContract"), address_of_key(bytes(31) + b"\x02"), "was changed after it was signed"),
        (("partner",), "FR-C", "not between the two carriers"),
        (("signatures", 0, "signature"), "0x" + sign_digest(bytes(31) + b"\x07", bytes(32)).hex(), "signed by"),
        (("signatures", 1, "signer"), address_of_key(bytes(31) + b"\x03"), "signed by"),
        (("signatures", 1, "carrier"), "CN-T", "lacks or has too many signatures"),
        (("signatures",), [], "lacks or has too many signatures"),
        (("state",), "by_silence", "lacks or has too many signatures"),
        (("state",), "paid", "lacks or has too many signatures"),
        (("standing",), None, "stands on no chain"),
        (("causes", 0, "amountMicros"), "-350000001", "the causes sum to -400000000 micros"),
        (("causes", 1, "service"), "data", "said about data"),
        (("disputes", 0, "amountMicros"), "1", "350000000 micros are withheld, the disputes are about 1"),
        (("disputes",), [], "350000000 micros are withheld, the disputes are about 0"),
        (("counts", 0, "service"), "ipl", "said about ipl"),
    ],
)
def test_every_change_to_the_content_is_found_and_named(path: tuple[str | int, ...], value: object, said: str) -> None:
    _, faults = verify_bundle.verify_statement(changed(path, value))

    assert any(said in fault for fault in faults), faults


@pytest.mark.parametrize("state", ["agreed", "by_silence", "draft"])
def test_a_true_statement_holds_as_signed_by_both_by_one_or_by_nobody(state: str) -> None:
    [proven], faults = verify_bundle.verify_statement(statement_of_october(state))

    assert faults == []
    assert "0x" + digest(STATEMENT, DOMAIN).hex() in proven
    assert ("not signed yet" in proven) == (state == "draft")


def test_a_line_that_stands_twice_is_no_second_claim() -> None:
    content = statement_of_october()
    content["statement"]["lines"].append(content["statement"]["lines"][0])

    assert any("stands here twice" in fault for fault in verify_bundle.verify_statement(content)[1])


def test_the_scripts_types_are_the_contracts() -> None:
    assert (verify_bundle.STATEMENT_TYPE, verify_bundle.LINE_TYPE) == (Statement.TYPE, StatementLine.TYPE)
    assert verify_bundle.DISPUTE_TYPE == Dispute.TYPE


def repacked(pdf: bytes, content: dict[str, Any]) -> bytes:
    """The same page with another statement.json in it, as a forger would put it there."""
    found = next(verify_bundle._ATTACHED.finditer(pdf))
    packed = zlib.compress(json.dumps(content).encode())
    head = found[0].replace(b"Length " + found[1], b"Length %d" % len(packed))
    return pdf[: found.start()] + head + packed + pdf[found.end() + int(found[1]) :]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_page_drawn_by_the_house_holds_in_both_languages(language: str) -> None:
    checked = check_pdf(draw_pdf(statement_of_october(), language))

    assert checked.holds
    assert any(f"the page ({language})" in each for each in checked.proven)


def test_one_amount_changed_in_the_files_data_is_caught_by_the_hash() -> None:
    pdf = draw_pdf(statement_of_october(), "en")
    checked = check_pdf(repacked(pdf, changed((*LINE, "agreedMicros"), "9150000001")))

    assert any("its lines give the hash" in fault for fault in checked.faults)


def test_data_that_was_not_signed_is_caught_by_the_page() -> None:
    """Causes that sum all the same and counts are in no hash: the page shows others."""
    pdf = draw_pdf(statement_of_october(), "en")
    content = changed(("causes",), [cause("invented", 1, -399_999_999)])

    for other in (content, changed(("counts", 0, "ours"), 61)):
        assert check_pdf(repacked(pdf, other)).faults == (
            "the page is not the one that this content gives: it was changed, or drawn by another version of gsc",
        )


def test_a_page_that_shows_another_amount_over_true_data_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def forged(content: Any, language: str) -> Any:
        page: Any = page_of(content, language)
        page["signed"]["lines"][0] = "Voice: GB-B owes CN-T USD 9,999.00 now."
        return page

    with monkeypatch.context() as forging:
        forging.setattr(pdf_module, "page_of", forged)
        pdf = draw_pdf(statement_of_october(), "en")

    assert not check_pdf(pdf).holds


@pytest.mark.parametrize(
    "pdf",
    [
        b"",
        b"%PDF-1.7\n%%EOF",
        b"PK\x03\x04",
        draw_pdf(statement_of_october(), "en").replace(b"/EmbeddedFile", b"/Other"),
    ],
)
def test_a_file_that_is_no_statement_is_refused(pdf: bytes) -> None:
    with pytest.raises(Malformed, match="not a statement's PDF"):
        check_pdf(pdf)


def test_a_second_attachment_is_refused_for_readers_would_differ() -> None:
    pdf = draw_pdf(statement_of_october(), "en")
    found = next(verify_bundle._ATTACHED.finditer(pdf))

    with pytest.raises(Malformed, match="or several"):
        check_pdf(pdf + pdf[found.start() : found.end() + int(found[1])])


@pytest.mark.parametrize(
    "content", [{}, {"format": "gsc-statement/1"}, changed(("statement", "lines"), 5), changed(("period",), [5])]
)
def test_content_of_another_shape_is_refused_or_found_without_a_traceback(content: dict[str, Any]) -> None:
    pdf = repacked(draw_pdf(statement_of_october(), "en"), content)

    try:
        assert not check_pdf(pdf).holds
    except Malformed as refusal:
        assert "not a statement's PDF" in refusal.message
